"""Orders: one row an order with all that is known of it, and a few columns to find it by."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_or_replace, metadata
from connector.domain.record import OrderRecord

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("order_id", sa.String(64), primary_key=True),
    sa.Column("number", Words(128), nullable=False),
    sa.Column("placed_at", Moment, nullable=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
)
sa.Index("ix_orders_number", orders.c.shop_id, orders.c.number)
sa.Index("ix_orders_placed_at", orders.c.shop_id, orders.c.placed_at)

OrderKey = tuple[str, str]
"""Shop id and order id."""

_record = msgspec.json.Decoder(OrderRecord)


def lock(database: Database, connection: sa.Connection, keys: Iterable[OrderKey]) -> None:
    """Keep other workers away from these orders until the transaction ends, also from ones that do not exist yet.

    Locks are taken in one fixed order, so that two batches cannot wait for each other. SQLite's writer is alone anyway.
    """
    if database.is_sqlite:
        return
    names = [f"{shop_id}/{order_id}" for shop_id, order_id in sorted(keys)]
    connection.execute(_ADVISORY_LOCKS, {"names": names})


def load(connection: sa.Connection, keys: Iterable[OrderKey]) -> dict[OrderKey, OrderRecord]:
    """What is known of these orders; unknown ones are missing from the answer."""
    # Shop by shop: SQLite reads the whole table for pairs of values.
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for shop_id, order_id in keys:
        ids[shop_id].append(order_id)
    found: dict[OrderKey, OrderRecord] = {}
    for shop_id, order_ids in ids.items():
        wanted = sa.and_(orders.c.shop_id == shop_id, orders.c.order_id.in_(order_ids))
        rows = connection.execute(sa.select(orders.c.order_id, orders.c.record).where(wanted))
        found |= {(shop_id, row.order_id): _record.decode(row.record) for row in rows}
    return found


def get(connection: sa.Connection, shop_id: str, order_id: str) -> OrderRecord | None:
    """One order."""
    return load(connection, [(shop_id, order_id)]).get((shop_id, order_id))


def save(database: Database, connection: sa.Connection, records: Iterable[OrderRecord]) -> None:
    """Write records, new ones and grown ones."""
    rows = [_row(record) for record in records]
    if not rows:
        return
    connection.execute(insert_or_replace(database.dialect, orders), rows)


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of a shop is kept."""
    connection.execute(sa.delete(orders).where(orders.c.shop_id == shop_id))


def by_number(connection: sa.Connection, shop_id: str, number: str) -> list[OrderRecord]:
    """A shop's orders with this number as customers see it; more than one where several stores count for themselves."""
    mine = sa.and_(orders.c.shop_id == shop_id, orders.c.number == number)
    rows = connection.execute(sa.select(orders.c.record).where(mine).order_by(orders.c.order_id))
    return [_record.decode(row.record) for row in rows]


def newest(connection: sa.Connection, shop_id: str, *, limit: int, offset: int = 0) -> list[OrderRecord]:
    """A page of a shop's orders, newest first."""
    rows = connection.execute(
        sa.select(orders.c.record)
        .where(orders.c.shop_id == shop_id)
        .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_record.decode(row.record) for row in rows]


def count(connection: sa.Connection, shop_id: str) -> int:
    """How many orders of a shop are known."""
    statement = sa.select(sa.func.count()).select_from(orders).where(orders.c.shop_id == shop_id)
    return connection.execute(statement).scalar_one()


_ADVISORY_LOCKS = sa.text(
    "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS given(name)"
)


def _row(record: OrderRecord) -> dict[str, object]:
    snapshot = record.snapshot
    return {
        "shop_id": record.shop_id,
        "order_id": record.order_id,
        "number": snapshot.number if snapshot else "",
        "placed_at": snapshot.placed_at if snapshot else None,
        "record": msgspec.json.encode(record),
    }
