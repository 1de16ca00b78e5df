"""When each shop was last heard, noted now and then: it proves that its webhooks are alive."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from connector.database import Database
from connector.domain.delivery import Source
from connector.tables import connections
from connector.tables.inbox import Claimed

EVERY = timedelta(seconds=30)


class Heard:
    """Writes a shop's moment at most twice a minute, in a transaction of its own: no delivery waits for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, datetime] = {}

    def note(self, claimed: Iterable[Claimed], now: datetime) -> None:
        """What has been processed; only what the platform itself sent proves anything."""
        latest: dict[str, datetime] = {}
        for one in claimed:
            if one.delivery.source is Source.WEBHOOK:
                known = latest.get(one.shop_id, one.delivery.received_at)
                latest[one.shop_id] = max(known, one.delivery.received_at)
        due = {shop_id: moment for shop_id, moment in latest.items() if self._is_due(shop_id, now)}
        if not due:
            return
        with self._database.write() as connection:
            connections.heard(connection, due)
        self._noted |= dict.fromkeys(due, now)

    def _is_due(self, shop_id: str, now: datetime) -> bool:
        noted = self._noted.get(shop_id)
        return noted is None or now - noted >= EVERY
