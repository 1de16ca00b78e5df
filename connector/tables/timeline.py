"""Timelines: what was learned of each order and what was decided, in the order it happened here; only ever appended."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_new, metadata
from connector.domain.timeline import Tag, TimelineEntry

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("order_id", sa.String(64), primary_key=True),
    sa.Column("tag", sa.String(32), primary_key=True),
    sa.Column("subject", Words(255), primary_key=True),
    sa.Column("occurred_at", Moment, nullable=False),
    sa.Column("learned_at", Moment, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("delivery_id", sa.String(32), nullable=False),
    sa.Column("details", sa.LargeBinary, nullable=False),
)

_details = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Learned:
    """An entry with where it belongs and the delivery it came with (empty when it came from no delivery)."""

    shop_id: str
    order_id: str
    delivery_id: str
    entry: TimelineEntry


def append(database: Database, connection: sa.Connection, learned: Iterable[Learned]) -> None:
    """Add entries; what a timeline has said already, it does not say again."""
    rows = [_row(position, one) for position, one in enumerate(learned)]
    if rows:
        connection.execute(insert_new(database.dialect, timeline), rows)


def of_order(connection: sa.Connection, shop_id: str, order_id: str) -> list[TimelineEntry]:
    """An order's story, in the order in which it was learned."""
    rows = connection.execute(
        sa.select(timeline)
        .where(timeline.c.shop_id == shop_id, timeline.c.order_id == order_id)
        .order_by(timeline.c.learned_at, timeline.c.position)
    )
    return [
        TimelineEntry(Tag(row.tag), row.subject, row.occurred_at, row.learned_at, _details.decode(row.details))
        for row in rows
    ]


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of a shop is kept."""
    connection.execute(sa.delete(timeline).where(timeline.c.shop_id == shop_id))


def _row(position: int, learned: Learned) -> dict[str, object]:
    entry = learned.entry
    return {
        "shop_id": learned.shop_id,
        "order_id": learned.order_id,
        "tag": entry.tag.value,
        "subject": entry.subject,
        "occurred_at": entry.occurred_at,
        "learned_at": entry.learned_at,
        "position": position,
        "delivery_id": learned.delivery_id,
        "details": msgspec.json.encode(entry.details),
    }
