"""Documents we read ourselves, put on the same road as what platforms send."""

from collections.abc import Iterable

import sqlalchemy as sa

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import Found
from connector.domain.delivery import Delivery, Source
from connector.domain.shop import Shop
from connector.tables import inbox
from connector.tables.inbox import Recorded, new_delivery_id

LONGEST_KEY = 128


def record_found(
    database: Database, connection: sa.Connection, shop: Shop, found: Iterable[tuple[Found, Source]], clock: Clock
) -> bool:
    """Write documents into the inbox, each known by its version however often it is found; whether any was new."""
    items = {one.idempotency_key: one for one in (_recorded(shop, *each, clock) for each in found)}
    return any(inbox.record(database, connection, list(items.values()))) if items else False


def _recorded(shop: Shop, found: Found, source: Source, clock: Clock) -> Recorded:
    delivery = Delivery(shop.platform, {}, found.body, clock.now(), path_event=found.about, source=source)
    key = f"found:{found.about}:{found.key}"[:LONGEST_KEY]
    return Recorded(shop.shop_id, new_delivery_id(), key, delivery)
