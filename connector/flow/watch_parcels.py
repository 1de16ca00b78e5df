"""Parcels without a number, on platforms that say nothing when one is added: looked at again until there is one."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.delivery import Source
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.status import ShipmentStatus
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.found import record_found
from connector.flow.stores import NotConnected, Stores
from connector.observability import Metrics
from connector.tables import orders, shops, watched_parcels
from connector.tables.watched_parcels import Watched

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=4)
OFTEN = timedelta(minutes=15)
OFTEN_FOR = timedelta(hours=24)
"""Labels are mostly bought within a day of packing."""
SELDOM = timedelta(hours=1)
WATCHED_FOR = timedelta(days=7)


class WatchParcels:
    """Claims parcels that are due, a shop's together, as many as one question may name."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        pool: ShopPool,
        clock: Clock,
        metrics: Metrics,
        *,
        recorded: Callable[[], None],
    ) -> None:
        """`recorded`: called when documents were found, to have them processed at once."""
        self._database = database
        self._stores = stores
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._recorded = recorded

    def run(self) -> int:
        """Begin what is due and has room; returns how many parcels that were."""
        limit, busy = self._pool.free, self._pool.busy()
        if not limit:
            return 0
        now = self._clock.now()
        with self._database.write() as connection:
            claimed = watched_parcels.claim(connection, now, lease=LEASE, shops=limit, busy=busy)
        for shop_id, parcels in claimed.items():
            if not self._pool.submit(shop_id, partial(self._look, shop_id, parcels)):
                self._postpone(parcels, now)
        return sum(map(len, claimed.values()))

    def _look(self, shop_id: str, parcels: list[Watched]) -> None:
        """Raises Busy or Unanswered for a platform that is away."""
        open_ones = self._still_open(shop_id, parcels)
        with self._database.read() as connection:
            shop = shops.by_id(connection, shop_id)
        if shop is None or not open_ones:
            return
        try:
            self._ask(shop, open_ones)
        except Retryable as error:
            self._postpone(open_ones, self._clock.now() + max(OFTEN, error.after or OFTEN))
            if is_away(error):
                raise
        except Permanent as error:
            self._postpone(open_ones, self._clock.now() + SELDOM)
            if not isinstance(error, UnreadableDelivery | NotConnected):
                self._stores.refused(shop)
        except Exception:
            self._metrics.errors.labels("watch_parcels").inc()
            log.exception("parcels could not be looked at", extra={"shop_id": shop_id})
            self._postpone(open_ones, self._clock.now() + SELDOM)

    def _ask(self, shop: Shop, parcels: list[Watched]) -> None:
        api = self._stores.api(shop)
        ids = tuple(parcel.shipment_id for parcel in parcels)
        found = api.parcels(self._stores.open(shop), ids) if api.parcels else ()
        with self._database.write() as connection:
            new = record_found(self._database, connection, shop, ((one, Source.WATCH) for one in found), self._clock)
            for wait, later in _waits(parcels, self._clock.now()).items():
                watched_parcels.postpone(connection, later, self._clock.now() + wait)
        if new:
            self._recorded()

    def _still_open(self, shop_id: str, parcels: list[Watched]) -> list[Watched]:
        """Those that still want a number; the others are forgotten."""
        now = self._clock.now()
        with self._database.write() as connection:
            records = orders.load(connection, {(shop_id, parcel.order_id) for parcel in parcels})
            done = [
                parcel
                for parcel in parcels
                if now - parcel.since > WATCHED_FOR or _is_settled(records.get((shop_id, parcel.order_id)), parcel)
            ]
            watched_parcels.forget(connection, shop_id, [parcel.shipment_id for parcel in done])
        return [parcel for parcel in parcels if parcel not in done]

    def _postpone(self, parcels: list[Watched], run_at: datetime) -> None:
        with self._database.write() as connection:
            watched_parcels.postpone(connection, parcels, run_at)


def _is_settled(record: OrderRecord | None, parcel: Watched) -> bool:
    known = record.shipment(parcel.shipment_id) if record else None
    return known is None or bool(known.tracking) or known.status is ShipmentStatus.CANCELLED


def _waits(parcels: list[Watched], now: datetime) -> dict[timedelta, list[Watched]]:
    fresh = [parcel for parcel in parcels if now - parcel.since <= OFTEN_FOR]
    return {OFTEN: fresh, SELDOM: [parcel for parcel in parcels if parcel not in fresh]}
