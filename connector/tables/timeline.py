"""Timelines: what was learned of each order and what was decided, in the order it happened here; only ever appended."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_new, metadata
from connector.domain.erasing import entry_without_person
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
    return [_entry(row) for row in rows]


def erase_order(connection: sa.Connection, shop_id: str, order_id: str) -> None:
    """Take out of an order's story what leads to its customer: that it happened stays, and its place in the story.

    Of several lines that say the same then, the first stays.
    """
    mine = sa.and_(timeline.c.shop_id == shop_id, timeline.c.order_id == order_id)
    in_order = sa.select(timeline).where(mine).order_by(timeline.c.learned_at, timeline.c.position)
    rows = [(row._asdict(), _entry(row)) for row in connection.execute(in_order)]
    told = [(row, entry) for row, entry in rows if entry_without_person(entry) != entry]
    for row, _ in told:
        line = sa.and_(mine, timeline.c.tag == row["tag"], timeline.c.subject == row["subject"])
        connection.execute(sa.delete(timeline).where(line))
    bare = [row | _said(entry_without_person(entry)) for row, entry in told]
    if bare:
        connection.execute(insert_new(connection.dialect.name, timeline), bare)


def deliveries_of(connection: sa.Connection, shop_id: str, order_id: str) -> list[str]:
    """Ids of the deliveries that brought an order's news."""
    mine = sa.and_(timeline.c.shop_id == shop_id, timeline.c.order_id == order_id, timeline.c.delivery_id != "")
    return list(connection.execute(sa.select(timeline.c.delivery_id).where(mine).distinct()).scalars())


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of a shop is kept."""
    connection.execute(sa.delete(timeline).where(timeline.c.shop_id == shop_id))


def _entry(row: sa.Row[Any]) -> TimelineEntry:
    return TimelineEntry(Tag(row.tag), row.subject, row.occurred_at, row.learned_at, _details.decode(row.details))


def _said(entry: TimelineEntry) -> dict[str, object]:
    return {"subject": entry.subject, "details": msgspec.json.encode(entry.details)}


def _row(position: int, learned: Learned) -> dict[str, object]:
    entry = learned.entry
    return {
        "shop_id": learned.shop_id,
        "order_id": learned.order_id,
        "tag": entry.tag.value,
        "occurred_at": entry.occurred_at,
        "learned_at": entry.learned_at,
        "position": position,
        "delivery_id": learned.delivery_id,
        **_said(entry),
    }
