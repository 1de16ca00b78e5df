"""The service as its parts, put together by connector/app.py."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.contract import Manifest
from adapters.http import Web
from connector.database import Database
from connector.domain.clock import Clock
from connector.flow.by_shop import ShopPool, stop_all
from connector.flow.disconnect import Disconnect
from connector.flow.erase import Erase
from connector.flow.fetch_sender_keys import FetchSenderKeys
from connector.flow.issue_documents import IssueDocuments
from connector.flow.look_again import LookAgainFlow
from connector.flow.measure import Measure
from connector.flow.process_inbox import ProcessInbox
from connector.flow.reconcile import Reconcile
from connector.flow.recover import Recover
from connector.flow.renew_credentials import RenewCredentials
from connector.flow.send_outbox import SendOutbox
from connector.flow.stores import Stores
from connector.flow.tend_connections import TendConnections
from connector.flow.watch_parcels import WatchParcels
from connector.flow.write_back import WriteBack
from connector.links import Links
from connector.observability import Metrics
from connector.settings import Settings
from connector.shop_directory import ShopDirectory
from connector.tables.shops import Seal
from connector.worker import Loop

STOPPING_SECONDS = 3.0
"""How long a platform may still take for its answer when the service ends, and then our own work for what became of
it."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything one process needs; the loops run only where work is done."""

    settings: Settings
    clock: Clock
    database: Database
    metrics: Metrics
    seal: Seal
    manifest: Callable[[str], Manifest]
    """A platform's manifest by its name; KeyError for one there is not."""
    shops: ShopDirectory
    web: Web
    links: Links
    stores: Stores
    pools: tuple[ShopPool, ...]
    """The threads that ask platforms."""
    process_inbox: ProcessInbox
    look_again: LookAgainFlow
    issue_documents: IssueDocuments
    send_outbox: SendOutbox
    write_back: WriteBack
    tend_connections: TendConnections
    reconcile: Reconcile
    watch_parcels: WatchParcels
    renew_credentials: RenewCredentials
    disconnect: Disconnect
    erase: Erase
    recover: Recover
    fetch_sender_keys: FetchSenderKeys
    measure: Measure
    road: tuple[Loop, ...]
    """From what is recorded to what is told."""
    asking: Loop
    """Connections: proving, looking after, looking through."""

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (*self.road, self.asking)

    def news(self) -> None:
        """Something was recorded: do not wait for the clock."""
        for loop in self.road:
            loop.nudge()

    def nudge(self) -> None:
        """Something was recorded, or somebody was offered: do not wait for the clock."""
        for loop in self.loops:
            loop.nudge()

    def stop_asking(self) -> None:
        """Let what platforms were asked come to its end; what does not end in time is broken off and due again."""
        stop_all(self.pools, STOPPING_SECONDS)
        self.web.close()
        stop_all(self.pools, STOPPING_SECONDS)
