"""Credentials nobody uses are renewed in time all the same: unused for long, a platform forgets them."""

from functools import partial

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import Permanent, Retryable
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.stores import Stores
from connector.tables import connections, shops


class RenewCredentials:
    """Renews what is due; `Stores` sees to it that one worker at a time does so for a shop."""

    def __init__(self, database: Database, stores: Stores, pool: ShopPool, clock: Clock) -> None:
        self._database = database
        self._stores = stores
        self._pool = pool
        self._clock = clock

    def run(self) -> int:
        """Begin what is due and has room; returns how many shops' credentials that were."""
        limit, busy = self._pool.free, self._pool.busy()
        if not limit:
            return 0
        with self._database.read() as connection:
            due = connections.due_for_renewal(connection, self._clock.now(), limit=limit, busy=busy)
        return sum(self._pool.submit(shop_id, partial(self._renew, shop_id)) for shop_id in due)

    def _renew(self, shop_id: str) -> None:
        """Raises Busy or Unanswered for a platform that is away; every other end is written down where it belongs:
        a renewal that failed is due again later, and one that was refused has broken the connection."""
        with self._database.read() as connection:
            shop = shops.by_id(connection, shop_id)
        if shop is None:
            return
        try:
            self._stores.renew(shop)
        except Retryable as error:
            if is_away(error):
                raise
        except Permanent:
            return
