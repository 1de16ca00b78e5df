"""The inbox: every genuine delivery as bytes, and how far each has come."""

import secrets as random_bytes
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import msgspec
import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_new, is_one_of, metadata
from connector.domain.delivery import Delivery, Source
from connector.tables import connections


class InboxState(Enum):
    """Where a delivery is, and who moves it on."""

    NEW = "new"
    """Recorded, or given back for another try; the worker claims it when `run_at` has come."""
    CLAIMED = "claimed"
    """A worker has it until `run_at`; after that any worker may claim it again."""
    WAITING = "waiting"
    """A hint: the platform has to be asked; whoever can ask claims it when `run_at` has come."""
    DONE = "done"
    """Its news has joined the order. The end."""
    IGNORED = "ignored"
    """Understood, and no news for anybody. The end."""
    REVIEW = "review"
    """Genuine, but not understood: a person looks, and may replay it."""
    DEAD = "dead"
    """Given up after too many tries: a person looks, and may replay it."""


TRANSITIONS: Mapping[InboxState, frozenset[InboxState]] = {
    InboxState.NEW: frozenset({InboxState.CLAIMED}),
    InboxState.CLAIMED: frozenset(set(InboxState)),
    InboxState.WAITING: frozenset({InboxState.NEW, InboxState.CLAIMED}),
    InboxState.DONE: frozenset({InboxState.NEW}),
    InboxState.IGNORED: frozenset({InboxState.NEW}),
    InboxState.REVIEW: frozenset({InboxState.NEW}),
    InboxState.DEAD: frozenset({InboxState.NEW}),
}
"""From every end a replay leads back to NEW; a replay tells nobody anything twice (P2) nor anything old (P4)."""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("delivery_id", sa.String(32), primary_key=True),
    sa.Column("platform", sa.String(32), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("idempotency_key", sa.String(128), nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("order_id", sa.String(64), nullable=False),
    sa.Column("outcome", Words, nullable=False),
    sa.UniqueConstraint("shop_id", "idempotency_key"),
)
inbox_bytes = sa.Table(
    "inbox_bytes",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("delivery_id", sa.String(32), primary_key=True),
    sa.Column("headers", sa.LargeBinary, nullable=False),
    sa.Column("path_event", Words(128), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""What was received, beside the row that moves: a row is written anew with each change, and these never change."""

_OPEN = ("new", "claimed")
_ATTENTION = ("waiting", "review", "dead")
sa.Index(
    "ix_inbox_due",
    inbox.c.run_at,
    sqlite_where=inbox.c.state.in_(_OPEN),
    postgresql_where=inbox.c.state.in_(_OPEN),
)
sa.Index(
    "ix_inbox_attention",
    inbox.c.state,
    inbox.c.run_at,
    sqlite_where=inbox.c.state.in_(_ATTENTION),
    postgresql_where=inbox.c.state.in_(_ATTENTION),
)
sa.Index("ix_inbox_order", inbox.c.shop_id, inbox.c.order_id)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the door hands to the inbox."""

    shop_id: str
    delivery_id: str
    idempotency_key: str
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery a worker holds; `attempts` is also the token that proves it still does."""

    shop_id: str
    delivery_id: str
    delivery: Delivery
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed delivery."""

    claimed: Claimed
    state: InboxState
    outcome: str
    order_id: str = ""
    run_at: datetime | None = None
    """When to try again (NEW and WAITING only)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of the inbox for people: what came, and what became of it."""

    shop_id: str
    delivery_id: str
    idempotency_key: str
    delivery: Delivery
    state: InboxState
    order_id: str
    outcome: str


def new_delivery_id() -> str:
    """Unique and sorted by time, so that new rows stand together on disk."""
    return f"{time.time_ns() // 1000:014x}{random_bytes.token_hex(6)}"


def record(database: Database, connection: sa.Connection, items: list[Recorded]) -> list[bool]:
    """Write deliveries; returns for each whether it was new. One known by its idempotency key is left as it was."""
    # Keys are taken in one fixed order, so that two doors with the same news cannot wait for each other.
    in_order = sorted(items, key=lambda item: (item.shop_id, item.idempotency_key))
    result = connection.execute(insert_new(database.dialect, inbox), [_row(item) for item in in_order])
    new = items if result.rowcount == len(items) else _written(connection, items)
    if new:
        connection.execute(sa.insert(inbox_bytes), [_bytes(item) for item in new])
    written = {item.delivery_id for item in new}
    return [item.delivery_id in written for item in items]


def claim(
    connection: sa.Connection,
    now: datetime,
    *,
    lease: timedelta,
    limit: int,
    waiting: bool = False,
    busy: Collection[str] = (),
) -> list[Claimed]:
    """Take due deliveries, oldest first; nobody else gets them until the lease is over.

    `waiting`: take hints of shops that can be asked and are not `busy`, instead of what is still to be read. Hints of
    other shops wait, and no try is counted.
    """
    states = _waits(busy) if waiting else is_one_of(inbox.c.state, _OPEN)
    due = (
        sa.select(inbox.c.shop_id, inbox.c.delivery_id)
        .where(states, inbox.c.run_at <= now)
        .order_by(inbox.c.run_at, inbox.c.delivery_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        sa.update(inbox)
        .where(_KEY.in_(sa.select(due)))
        .values(state=InboxState.CLAIMED.value, run_at=now + lease, attempts=inbox.c.attempts + 1)
        .returning(inbox.c.shop_id, inbox.c.delivery_id)
    )
    held = [(row.shop_id, row.delivery_id) for row in connection.execute(statement)]
    rows = connection.execute(_WHOLE.where(_is_one_of(held)).order_by(inbox.c.delivery_id)) if held else ()
    return [Claimed(row.shop_id, row.delivery_id, _delivery(row), row.attempts) for row in rows]


def finish(connection: sa.Connection, outcomes: Iterable[Outcome]) -> None:
    """Write down what became of claimed deliveries; one whose lease was lost to another worker is left to that one."""
    held = (
        sa.update(inbox)
        .where(
            inbox.c.shop_id == sa.bindparam("held_shop_id"),
            inbox.c.delivery_id == sa.bindparam("held_delivery_id"),
            inbox.c.state == InboxState.CLAIMED.value,
            inbox.c.attempts == sa.bindparam("held_attempts"),
        )
        .values(
            state=sa.bindparam("next_state"),
            outcome=sa.bindparam("next_outcome"),
            order_id=sa.bindparam("next_order_id"),
            run_at=sa.bindparam("next_run_at"),
        )
    )
    parameters = [_finished(outcome) for outcome in outcomes]
    if parameters:
        connection.execute(held, parameters)


def release(connection: sa.Connection, now: datetime) -> None:
    """Make every claimed delivery due at once: for a start when no other worker can be alive."""
    claimed = sa.and_(is_one_of(inbox.c.state, _OPEN), inbox.c.state == InboxState.CLAIMED.value)
    connection.execute(sa.update(inbox).where(claimed).values(run_at=now))


def replay(connection: sa.Connection, shop_id: str, delivery_ids: list[str], now: datetime) -> int:
    """Put deliveries that have ended back to the start; returns how many."""
    ended = [state.value for state, followers in TRANSITIONS.items() if InboxState.NEW in followers]
    changed = connection.execute(
        sa.update(inbox)
        .where(inbox.c.shop_id == shop_id, inbox.c.delivery_id.in_(delivery_ids), inbox.c.state.in_(ended))
        .where(inbox.c.state != InboxState.CLAIMED.value)
        .values(state=InboxState.NEW.value, run_at=now, attempts=0, outcome="replayed by hand")
    )
    return changed.rowcount


def blank(connection: sa.Connection, keys: Iterable[tuple[str, str]]) -> None:
    """Take the words out of deliveries, by shop and delivery id: that they came is kept, what they said is not."""
    for shop_id, delivery_id in keys:
        mine = sa.and_(inbox_bytes.c.shop_id == shop_id, inbox_bytes.c.delivery_id == delivery_id)
        connection.execute(sa.update(inbox_bytes).where(mine).values(headers=b"{}", body=b""))


def blank_order(connection: sa.Connection, shop_id: str, order_id: str) -> None:
    """The same for all deliveries that told of an order."""
    mine = sa.and_(inbox.c.shop_id == shop_id, inbox.c.order_id == order_id)
    rows = connection.execute(sa.select(inbox.c.delivery_id).where(mine)).all()
    blank(connection, [(shop_id, row.delivery_id) for row in rows])


def blank_mentions(connection: sa.Connection, shop_id: str, words: str) -> None:
    """The same for all that could not be read or was given up and holds these words: nobody knows what it is about."""
    states = (InboxState.REVIEW.value, InboxState.DEAD.value)
    unread = sa.and_(is_one_of(inbox.c.state, _ATTENTION), inbox.c.state.in_(states), inbox.c.shop_id == shop_id)
    for row in connection.execute(_WHOLE.where(unread)).all():
        if words.lower().encode("utf-8", "surrogatepass") in bytes(row.body).lower():
            blank(connection, [(shop_id, row.delivery_id)])


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of a shop is kept."""
    connection.execute(sa.delete(inbox_bytes).where(inbox_bytes.c.shop_id == shop_id))
    connection.execute(sa.delete(inbox).where(inbox.c.shop_id == shop_id))


def of_order(connection: sa.Connection, shop_id: str, order_id: str) -> list[Kept]:
    """The deliveries that told of an order, oldest first."""
    where = sa.and_(inbox.c.shop_id == shop_id, inbox.c.order_id == order_id)
    rows = connection.execute(_WHOLE.where(where).order_by(inbox.c.received_at, inbox.c.delivery_id))
    return [_kept(row) for row in rows]


def needing_attention(connection: sa.Connection, *, limit: int) -> list[Kept]:
    """Deliveries that wait for a person or for an answer of their platform, oldest first."""
    wanted = is_one_of(inbox.c.state, _ATTENTION)
    rows = connection.execute(_WHOLE.where(wanted).order_by(inbox.c.received_at).limit(limit))
    return [_kept(row) for row in rows]


def ended_in(connection: sa.Connection, shop_id: str, state: InboxState) -> list[str]:
    """The ids of a shop's deliveries in a state, oldest first."""
    where = sa.and_(inbox.c.shop_id == shop_id, inbox.c.state == state.value)
    rows = connection.execute(sa.select(inbox.c.delivery_id).where(where).order_by(inbox.c.delivery_id))
    return [row.delivery_id for row in rows]


def oldest_due(connection: sa.Connection) -> datetime | None:
    """When the longest waiting open delivery became due; None when nothing waits."""
    return connection.execute(sa.select(sa.func.min(inbox.c.run_at)).where(is_one_of(inbox.c.state, _OPEN))).scalar()


WAITING_STATES = (*_OPEN, *_ATTENTION)
"""States that are not an end; few rows are in them, and two indexes hold just those."""


def waiting_counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows are in each state that is not an end."""
    counted = sa.select(inbox.c.state, sa.func.count()).group_by(inbox.c.state)
    parts = (connection.execute(counted.where(is_one_of(inbox.c.state, states))) for states in (_OPEN, _ATTENTION))
    return {row[0]: row[1] for part in parts for row in part}


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = connection.execute(sa.select(inbox.c.state, sa.func.count()).group_by(inbox.c.state))
    return {row[0]: row[1] for row in rows}


def _waits(busy: Collection[str]) -> sa.ColumnElement[bool]:
    """Waiting, said so that the index over what needs attention is used."""
    waiting = sa.and_(is_one_of(inbox.c.state, _ATTENTION), inbox.c.state == InboxState.WAITING.value)
    return sa.and_(waiting, connections.answering(inbox.c.shop_id), inbox.c.shop_id.not_in(list(busy)))


_KEY = sa.tuple_(inbox.c.shop_id, inbox.c.delivery_id)
_WHOLE = sa.select(inbox, inbox_bytes.c.headers, inbox_bytes.c.path_event, inbox_bytes.c.body).join(
    inbox_bytes,
    sa.and_(inbox.c.shop_id == inbox_bytes.c.shop_id, inbox.c.delivery_id == inbox_bytes.c.delivery_id),
)


def _is_one_of(keys: list[tuple[str, str]]) -> sa.ColumnElement[bool]:
    """Column by column, as delivery ids are unique: SQLite reads the whole table for a list of pairs."""
    shop_ids, delivery_ids = zip(*keys, strict=True)
    return sa.and_(inbox.c.shop_id.in_(set(shop_ids)), inbox.c.delivery_id.in_(delivery_ids))


_headers = msgspec.json.Decoder(dict[str, str])


def _row(item: Recorded) -> dict[str, object]:
    delivery = item.delivery
    return {
        "shop_id": item.shop_id,
        "delivery_id": item.delivery_id,
        "platform": delivery.platform,
        "source": delivery.source.value,
        "idempotency_key": item.idempotency_key,
        "received_at": delivery.received_at,
        "state": InboxState.NEW.value,
        "run_at": delivery.received_at,
        "attempts": 0,
        "order_id": "",
        "outcome": "",
    }


def _bytes(item: Recorded) -> dict[str, object]:
    delivery = item.delivery
    return {
        "shop_id": item.shop_id,
        "delivery_id": item.delivery_id,
        "headers": msgspec.json.encode(delivery.headers),
        "path_event": delivery.path_event,
        "body": delivery.body,
    }


def _written(connection: sa.Connection, items: list[Recorded]) -> list[Recorded]:
    keys = [(item.shop_id, item.delivery_id) for item in items]
    there = {row.delivery_id for row in connection.execute(sa.select(inbox.c.delivery_id).where(_is_one_of(keys)))}
    return [item for item in items if item.delivery_id in there]


def _delivery(row: sa.Row[tuple[object, ...]]) -> Delivery:
    return Delivery(
        row.platform,
        _headers.decode(row.headers),
        bytes(row.body),
        row.received_at,
        row.path_event,
        Source(row.source),
    )


def _kept(row: sa.Row[tuple[object, ...]]) -> Kept:
    return Kept(
        shop_id=row.shop_id,
        delivery_id=row.delivery_id,
        idempotency_key=row.idempotency_key,
        delivery=_delivery(row),
        state=InboxState(row.state),
        order_id=row.order_id,
        outcome=row.outcome,
    )


def _finished(outcome: Outcome) -> dict[str, object]:
    claimed = outcome.claimed
    return {
        "held_shop_id": claimed.shop_id,
        "held_delivery_id": claimed.delivery_id,
        "held_attempts": claimed.attempts,
        "next_state": outcome.state.value,
        "next_outcome": outcome.outcome,
        "next_order_id": outcome.order_id,
        "next_run_at": outcome.run_at or claimed.delivery.received_at,
    }
