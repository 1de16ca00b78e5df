"""A shop whose credentials hold: looked at, subscribed to, and looked after from then on."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapters.contract import Api, Store
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import ConnectionState, Findings, Subscribed, Subscription, SubscriptionState
from connector.domain.errors import ConnectorError, Permanent
from connector.domain.shop import Shop
from connector.flow.endpoints import endpoint
from connector.flow.shop_profile import filled, with_views
from connector.flow.stores import Stores
from connector.shop_directory import ShopDirectory
from connector.tables import connections, shops, sweeps
from connector.tables.connections import Connection
from connector.tables.shops import Seal
from connector.tables.sweeps import SweepKind

CLOSE = timedelta(minutes=15)
"""Between two looks while webhooks are not proven to come."""
RELAXED = timedelta(hours=6)
"""While they are, or where none can be expected."""
LATEST_CLOCK = timedelta(days=1)
"""How far a shop's clock may be behind, its zone taken for another among the reasons."""
PROBE_EVERY = timedelta(hours=24)
NO_ADDRESS = (
    "This service has no public address (CONNECTOR_ADDRESS), so the shop cannot send it webhooks: changes are only "
    "found by looking for them."
)


class MissingRights(Permanent):
    """A right is missing."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(" ".join(findings.missing_rights))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look came to."""

    subscribed: Subscribed
    findings: Findings | None = None
    remark: str = ""


class LookAfter:
    """Brings a connection to work, and keeps it there."""

    def __init__(
        self,
        database: Database,
        shops_known: ShopDirectory,
        stores: Stores,
        seal: Seal,
        clock: Clock,
        *,
        address: str,
        history: timedelta,
    ) -> None:
        """`address`: our public one, empty if there is none. `history`: how far back orders are read at first."""
        self._database = database
        self._shops = shops_known
        self._stores = stores
        self._seal = seal
        self._clock = clock
        self._address = address
        self._history = history

    def connect(self, held: Connection, shop: Shop) -> None:
        """Look at the shop, subscribe, begin to look for changes and history; also for one that was broken.

        Every step may be repeated. Raises Retryable, and Permanent (MissingRights among them) with what to click.
        """
        api, store = self._stores.api(shop), self._stores.open(shop, mending=True)
        findings = self._probe(api, store)
        if not self._still_held(held):
            return
        looked = _Looked(self._subscribe(api, _informed(store, findings), shop), findings)
        with self._database.write() as connection:
            if self._advance(connection, held, looked):
                shops.change(connection, shop.shop_id, lambda known: filled(known, findings))
                self._begin_sweeps(connection, shop, api)
        self._shops.forget()

    def look_again(self, held: Connection, shop: Shop) -> None:
        """The watchdog: put right what was switched off, wake what sleeps, and once a day look at the whole shop.

        Raises Retryable, and Permanent (MissingRights among them) with what to click.
        """
        api, store = self._stores.api(shop), self._stores.open(shop)
        findings = self._probe(api, store) if self._wants_probe(held) else None
        if findings and not self._still_held(held):
            return
        store = _informed(store, findings) if findings else store
        subscribed = self._subscribe(api, store, shop)
        looked = _Looked(subscribed, findings, _woken(api.wake, store))
        with self._database.write() as connection:
            if not self._advance(connection, held, looked):
                return
            if subscribed.repairs:
                sweeps.hasten(connection, shop.shop_id, self._clock.now())
            if findings:
                shops.change(connection, shop.shop_id, lambda known: with_views(known, findings))
        if findings:
            self._shops.forget()

    def _still_held(self, held: Connection) -> bool:
        """Whether nobody else is at this connection by now and its shop has not left; from here on its lease begins
        anew, since a slow shop may take long for each part."""
        with self._database.write() as connection:
            return connections.hold(connection, held, self._clock.now() + connections.LEASE)

    def _probe(self, api: Api, store: Store) -> Findings:
        findings = api.probe(store)
        if findings.missing_rights:
            raise MissingRights(findings)
        return findings if self._address else replace(findings, notes=(*findings.notes, NO_ADDRESS))

    def _subscribe(self, api: Api, store: Store, shop: Shop) -> Subscribed:
        if not self._address:
            return Subscribed(())
        if api.subscribe is None:
            return Subscribed((Subscription("all", SubscriptionState.UNKNOWN, "sent without being asked for"),))
        with self._database.read() as connection:
            secrets = shops.secrets_of(connection, shop.shop_id, self._seal)
        return api.subscribe(store, endpoint(self._address, shop, secrets))

    def _advance(self, connection: sa.Connection, held: Connection, looked: _Looked) -> bool:
        now = self._clock.now()
        return connections.advance(
            connection,
            held,
            state=ConnectionState.CONNECTED,
            run_at=now + _until_next(replace(held, subscribed=looked.subscribed), now),
            problem=looked.remark,
            findings=looked.findings,
            subscribed=looked.subscribed,
            probed_at=now if looked.findings else None,
            checked_at=now,
        )

    def _begin_sweeps(self, connection: sa.Connection, shop: Shop, api: Api) -> None:
        """Only where there are none: who was connected before goes on where the last sweep ended.

        A change made just before connecting may become visible just after, and a shop's clock may be hours late: what
        happens after connecting is then dated before it.
        """
        now, there = self._clock.now(), sweeps.of_shop(connection, shop.shop_id)
        if SweepKind.CHANGES not in there:
            begin = shop.connected_at - max(api.pace.overlap, LATEST_CLOCK)
            sweeps.begin(connection, shop.shop_id, SweepKind.CHANGES, begin, now)
        if SweepKind.HISTORY not in there and self._history:
            sweeps.begin(connection, shop.shop_id, SweepKind.HISTORY, shop.connected_at - self._history, now)

    def _wants_probe(self, held: Connection) -> bool:
        return held.probed_at is None or self._clock.now() - held.probed_at >= PROBE_EVERY


def _informed(store: Store, findings: Findings) -> Store:
    """The store with what was just found out about it."""
    locales = findings.store_locales or store.access.store_locales
    return replace(store, access=replace(store.access, features=findings.features, store_locales=locales))


def _woken(wake: Callable[[Store], None] | None, store: Store) -> str:
    """Why the shop could not be woken; its webhooks may come late then, and nothing else suffers."""
    if wake is None:
        return ""
    try:
        wake(store)
    except ConnectorError as error:
        return f"The shop could not be woken: {error}"
    return ""


def _until_next(known: Connection, now: datetime) -> timedelta:
    relaxed = known.webhooks_live(now) or not known.subscribed.sends
    return (RELAXED if relaxed else CLOSE) * random.uniform(0.9, 1.1)  # noqa: S311  # spreading load, nothing secret
