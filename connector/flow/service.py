"""The service as its parts, put together by connector/app.py."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.contract import Manifest
from connector.database import Database
from connector.domain.clock import Clock
from connector.flow.fetch_sender_keys import FetchSenderKeys
from connector.flow.issue_documents import IssueDocuments
from connector.flow.look_again import LookAgainFlow
from connector.flow.measure import Measure
from connector.flow.process_inbox import ProcessInbox
from connector.flow.recover import Recover
from connector.flow.send_outbox import SendOutbox
from connector.observability import Metrics
from connector.settings import Settings
from connector.shop_directory import ShopDirectory
from connector.tables.shops import Seal
from connector.worker import Loop


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
    process_inbox: ProcessInbox
    look_again: LookAgainFlow
    issue_documents: IssueDocuments
    send_outbox: SendOutbox
    recover: Recover
    fetch_sender_keys: FetchSenderKeys
    measure: Measure
    loops: tuple[Loop, ...]

    def nudge(self) -> None:
        """Something was recorded: do not wait for the clock."""
        for loop in self.loops:
            loop.nudge()
