"""The outbox: every intent to tell someone something once, and how far it has come (P2)."""

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any

import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_into, insert_or_replace, is_one_of, metadata
from connector.domain.erasing import ERASED
from connector.domain.push import PUSH_NAMES, ShipmentPush
from notifications.kinds import KINDS, Notification


class OutboxState(Enum):
    """Where an intent is, and who moves it on."""

    PENDING = "pending"
    """Waiting for `run_at`; then a sender claims it."""
    CLAIMED = "claimed"
    """A sender has it until `run_at`; nothing of the content has left, so any sender may claim it after that."""
    HANDING_OVER = "handing_over"
    """The content is leaving. If this outlives its sender, nobody knows if it arrived: `recover` moves it to REVIEW."""
    SENT = "sent"
    """The other side took it. The end."""
    WITHDRAWN = "withdrawn"
    """No longer true, or too late, before it was sent. The end."""
    REVIEW = "review"
    """Perhaps sent, perhaps not: a person decides; never sent again blindly."""
    FAILED = "failed"
    """Refused for good, or given up: a person looks."""


TRANSITIONS: Mapping[OutboxState, frozenset[OutboxState]] = {
    OutboxState.PENDING: frozenset({OutboxState.CLAIMED, OutboxState.WITHDRAWN}),
    OutboxState.CLAIMED: frozenset(
        {
            OutboxState.PENDING,
            OutboxState.CLAIMED,
            OutboxState.HANDING_OVER,
            OutboxState.SENT,
            OutboxState.WITHDRAWN,
            OutboxState.FAILED,
        }
    ),
    OutboxState.HANDING_OVER: frozenset(
        {OutboxState.SENT, OutboxState.PENDING, OutboxState.REVIEW, OutboxState.FAILED}
    ),
    OutboxState.REVIEW: frozenset({OutboxState.PENDING, OutboxState.SENT}),
    OutboxState.FAILED: frozenset({OutboxState.PENDING}),
    OutboxState.SENT: frozenset(),
    OutboxState.WITHDRAWN: frozenset(),
}
"""HANDING_OVER goes back to PENDING only on the other side's clear refusal; REVIEW moves by a person's hand.

CLAIMED goes to SENT only for what is handed to nobody but a platform, where each try looks first whether it is done
already; a message to a person always passes through HANDING_OVER (P2).
"""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("intent_id", sa.String(40), primary_key=True),
    sa.Column("order_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("locale", sa.String(16), nullable=False),
    sa.Column("invoice", sa.Boolean, nullable=False),
    sa.Column("details", Words, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.String(32), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("outcome", Words, nullable=False),
    sa.Column("sent_at", Moment, nullable=True),
)
messages = sa.Table(
    "messages",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("intent_id", sa.String(40), primary_key=True),
    sa.Column("subject", Words, nullable=False),
    sa.Column("html", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.LargeBinary, nullable=False),
)
"""What was said, beside the row that moves: a row is written anew with each change, and these are long."""

_OPEN = ("pending", "claimed")
ATTENTION = ("handing_over", "review", "failed")
sa.Index(
    "ix_outbox_due",
    outbox.c.run_at,
    sqlite_where=outbox.c.state.in_(_OPEN),
    postgresql_where=outbox.c.state.in_(_OPEN),
)
sa.Index(
    "ix_outbox_attention",
    outbox.c.state,
    outbox.c.run_at,
    sqlite_where=outbox.c.state.in_(ATTENTION),
    postgresql_where=outbox.c.state.in_(ATTENTION),
)
sa.Index("ix_outbox_order", outbox.c.shop_id, outbox.c.order_id)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An intent a sender holds; `attempts` is also the token that proves it still does."""

    intent_id: str
    notification: Notification
    delivery_id: str
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A change of one held intent from one state to the next."""

    claimed: Claimed
    before: OutboxState
    after: OutboxState
    outcome: str = ""
    run_at: datetime | None = None
    sent_at: datetime | None = None
    said: tuple[str, str, str] | None = None
    """Subject, HTML and text as rendered, kept with the mark that comes before the content leaves."""


def intent_id(notification: Notification) -> str:
    """The intent's own name: the same shop, order, kind, subject, recipient and channel always give the same."""
    parts = (
        notification.shop_id,
        notification.order_id,
        notification.kind,
        notification.subject,
        notification.recipient.lower(),
        notification.channel,
    )
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def enqueue(
    database: Database, connection: sa.Connection, wanted: Iterable[tuple[Notification, str]], now: datetime
) -> None:
    """Add intents, each with the delivery that caused it.

    One that exists already stays as it is, but one that still waits may be wanted sooner (its tracking number came).
    """
    # A microsecond apart, so that what was decided together is also sent in the order of the decisions.
    rows = [
        _row(notification, delivery_id, now + timedelta(microseconds=place))
        for place, (notification, delivery_id) in enumerate(wanted)
    ]
    if not rows:
        return
    # Everybody locks intents in one fixed order, so that two transactions cannot wait for each other.
    rows.sort(key=lambda row: str(row["intent_id"]))
    connection.execute(_insert_or_hasten(database.dialect), rows)


def claim(
    connection: sa.Connection,
    now: datetime,
    *,
    lease: timedelta,
    limit: int,
    channels: Collection[str],
    busy: Collection[str] = (),
) -> list[Claimed]:
    """Take due intents of these channels, oldest first, of each order only the earliest, and none while that one is on
    its way; none of `busy` shops. What goes one way never waits for what goes another.

    An earlier one that is held for a later moment and was never tried holds up nobody. That an earlier due one holds up
    the rest is what keeps two senders, who cannot see each other's claims yet, from overtaking each other.
    """
    earlier = outbox.alias("earlier")
    blocked = (
        sa.exists()
        .where(earlier.c.shop_id == outbox.c.shop_id, earlier.c.order_id == outbox.c.order_id)
        .where(earlier.c.channel == outbox.c.channel)
        .where(
            sa.tuple_(earlier.c.created_at, earlier.c.intent_id) < sa.tuple_(outbox.c.created_at, outbox.c.intent_id)
        )
        .where(
            sa.or_(
                earlier.c.state.in_((OutboxState.CLAIMED.value, OutboxState.HANDING_OVER.value)),
                sa.and_(
                    earlier.c.state == OutboxState.PENDING.value,
                    sa.or_(earlier.c.attempts > 0, earlier.c.run_at <= now),
                ),
            )
        )
    )
    due = (
        sa.select(outbox.c.shop_id, outbox.c.intent_id)
        .where(is_one_of(outbox.c.state, _OPEN), outbox.c.run_at <= now, ~blocked)
        .where(outbox.c.channel.in_(list(channels)), *_of_others(busy))
        .order_by(outbox.c.run_at, outbox.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=outbox)
        .cte("due")
    )
    rows = connection.execute(
        sa.update(outbox)
        .where(sa.tuple_(outbox.c.shop_id, outbox.c.intent_id).in_(sa.select(due)))
        .values(state=OutboxState.CLAIMED.value, run_at=now + lease, attempts=outbox.c.attempts + 1)
        .returning(*READ)
    ).all()
    claimed = [Claimed(row.intent_id, notification(row), row.delivery_id, row.created_at, row.attempts) for row in rows]
    return sorted(claimed, key=lambda one: (one.created_at, one.intent_id))


def mark(connection: sa.Connection, marks: list[Mark]) -> list[bool]:
    """Move held intents on; False for one that somebody else holds by now, which the caller must not act on."""
    done = [False] * len(marks)
    for place in sorted(range(len(marks)), key=lambda place: marks[place].claimed.intent_id):
        done[place] = _mark(connection, marks[place])
    said = [_message(one.claimed, *one.said) for one, moved in zip(marks, done, strict=True) if moved and one.said]
    if said:
        connection.execute(insert_or_replace(connection.dialect.name, messages), said)
    return done


def recover(connection: sa.Connection, now: datetime) -> list[Claimed]:
    """Move to REVIEW what was being handed over when its sender died; returns those, so that their timeline says so."""
    rows = connection.execute(
        sa.update(outbox)
        .where(is_one_of(outbox.c.state, ATTENTION), outbox.c.state == OutboxState.HANDING_OVER.value)
        .where(outbox.c.run_at <= now)
        .values(
            state=OutboxState.REVIEW.value,
            outcome="the service stopped while this was being handed over; it may or may not have arrived",
        )
        .returning(*READ)
    ).all()
    return [Claimed(row.intent_id, notification(row), row.delivery_id, row.created_at, row.attempts) for row in rows]


def release(connection: sa.Connection, now: datetime) -> None:
    """Make every held intent due at once: for a start when no other sender can be alive."""
    for held, states in ((OutboxState.CLAIMED, _OPEN), (OutboxState.HANDING_OVER, ATTENTION)):
        where = sa.and_(is_one_of(outbox.c.state, states), outbox.c.state == held.value)
        connection.execute(sa.update(outbox).where(where).values(run_at=now))


def announced(connection: sa.Connection, shipped: Notification) -> str | None:
    """The reason with which this "shipped" intent has gone out, or is on its way; None when it has not."""
    out = (OutboxState.CLAIMED, OutboxState.HANDING_OVER, OutboxState.SENT, OutboxState.REVIEW)
    mine = sa.and_(outbox.c.shop_id == shipped.shop_id, outbox.c.intent_id == intent_id(shipped))
    statement = sa.select(outbox.c.reason).where(mine, outbox.c.state.in_([state.value for state in out]))
    return connection.execute(statement).scalar()


def withdraw_waiting(connection: sa.Connection, shop_id: str, order_id: str, outcome: str) -> list[Claimed]:
    """Withdraw what waits to be said about an order; returns it, so that it can be said in another way."""
    mine = sa.and_(outbox.c.shop_id == shop_id, outbox.c.order_id == order_id)
    waits = sa.and_(mine, outbox.c.state == OutboxState.PENDING.value)
    rows = _locked(connection, waits)
    connection.execute(sa.update(outbox).where(waits).values(state=OutboxState.WITHDRAWN.value, outcome=outcome))
    return [Claimed(row.intent_id, notification(row), row.delivery_id, row.created_at, row.attempts) for row in rows]


def withdraw_shop(connection: sa.Connection, shop_id: str, outcome: str) -> int:
    """Withdraw all a shop still has to say, also what a sender holds and has not begun to hand over; returns how many.

    A sender's next mark then finds that the intent is no longer theirs, and nothing leaves.
    """
    waits = sa.and_(is_one_of(outbox.c.state, _OPEN), outbox.c.shop_id == shop_id)
    _locked(connection, waits)
    return connection.execute(
        sa.update(outbox).where(waits).values(state=OutboxState.WITHDRAWN.value, outcome=outcome)
    ).rowcount


def erase_order(connection: sa.Connection, shop_id: str, order_id: str) -> None:
    """Forget to whom an order's messages went and what they said; that they were sent stays."""
    mine = sa.and_(outbox.c.shop_id == shop_id, outbox.c.order_id == order_id)
    waits = sa.and_(mine, is_one_of(outbox.c.state, _OPEN))
    _locked(connection, mine)
    connection.execute(sa.update(outbox).where(waits).values(state=OutboxState.WITHDRAWN.value, outcome=ERASED))
    ids = sa.select(outbox.c.intent_id).where(mine)
    connection.execute(sa.delete(messages).where(messages.c.shop_id == shop_id, messages.c.intent_id.in_(ids)))
    connection.execute(sa.update(outbox).where(mine).values(recipient="", details=""))
    # What such an intent is about holds the tracking number, and its outcome may.
    parcels = sa.and_(mine, outbox.c.kind == PUSH_NAMES[ShipmentPush])
    connection.execute(sa.update(outbox).where(parcels).values(subject=ERASED, outcome=ERASED))


def forget_shop(connection: sa.Connection, shop_id: str) -> None:
    """Nothing of a shop is kept."""
    connection.execute(sa.delete(messages).where(messages.c.shop_id == shop_id))
    connection.execute(sa.delete(outbox).where(outbox.c.shop_id == shop_id))


def oldest_due(connection: sa.Connection) -> datetime | None:
    """When the longest waiting open intent became (or becomes) due; None when nothing waits."""
    return connection.execute(sa.select(sa.func.min(outbox.c.run_at)).where(is_one_of(outbox.c.state, _OPEN))).scalar()


WAITING_STATES = (*_OPEN, *ATTENTION)
"""States that are not an end; few rows are in them, and two indexes hold just those."""


def waiting_counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows are in each state that is not an end."""
    counted = sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state)
    parts = (connection.execute(counted.where(is_one_of(outbox.c.state, states))) for states in (_OPEN, ATTENTION))
    return {row[0]: row[1] for part in parts for row in part}


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many intents are in each state."""
    rows = connection.execute(sa.select(outbox.c.state, sa.func.count()).group_by(outbox.c.state))
    return {row[0]: row[1] for row in rows}


READ: tuple[sa.Column[Any], ...] = (
    outbox.c.shop_id,
    outbox.c.intent_id,
    outbox.c.order_id,
    outbox.c.kind,
    outbox.c.subject,
    outbox.c.recipient,
    outbox.c.channel,
    outbox.c.locale,
    outbox.c.invoice,
    outbox.c.details,
    outbox.c.reason,
    outbox.c.delivery_id,
    outbox.c.created_at,
    outbox.c.expires_at,
    outbox.c.run_at,
    outbox.c.attempts,
)


def _locked(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """These rows, held until the transaction ends: in the one order in which everybody locks intents, so that two
    transactions cannot wait for each other."""
    return connection.execute(sa.select(*READ).where(wanted).order_by(outbox.c.intent_id).with_for_update()).all()


def _of_others(busy: Collection[str]) -> list[sa.ColumnElement[bool]]:
    return [outbox.c.shop_id.not_in(list(busy))] if busy else []


_MOVE = (
    sa.update(outbox)
    .where(outbox.c.shop_id == sa.bindparam("held_shop_id"), outbox.c.intent_id == sa.bindparam("held_intent_id"))
    .where(outbox.c.state == sa.bindparam("held_state"), outbox.c.attempts == sa.bindparam("held_attempts"))
    .values(
        state=sa.bindparam("next_state"),
        outcome=sa.bindparam("next_outcome"),
        run_at=sa.func.coalesce(sa.bindparam("next_run_at", type_=Moment), outbox.c.run_at),
        sent_at=sa.func.coalesce(sa.bindparam("next_sent_at", type_=Moment), outbox.c.sent_at),
    )
)
"""Built once: it runs twice for each message, and building it costs more than running it."""


def _mark(connection: sa.Connection, one: Mark) -> bool:
    if one.after not in TRANSITIONS[one.before]:
        raise ValueError(f"an intent does not go from {one.before.value} to {one.after.value}")
    if (one.before, one.after) == (OutboxState.CLAIMED, OutboxState.SENT) and one.claimed.notification.kind in KINDS:
        raise ValueError("a message to a person is handed over before it is sent")
    values = {
        "held_shop_id": one.claimed.notification.shop_id,
        "held_intent_id": one.claimed.intent_id,
        "held_state": one.before.value,
        "held_attempts": one.claimed.attempts,
        "next_state": one.after.value,
        "next_outcome": one.outcome,
        "next_run_at": one.run_at,
        "next_sent_at": one.sent_at,
    }
    return connection.execute(_MOVE, values).rowcount == 1


def _message(claimed: Claimed, subject: str, html: str, text: str) -> dict[str, object]:
    """What was said; of several tries the newest counts, since the earlier ones were clearly refused."""
    return {
        "shop_id": claimed.notification.shop_id,
        "intent_id": claimed.intent_id,
        "subject": subject,
        "html": _packed(html),
        "text": _packed(text),
    }


@cache
def _insert_or_hasten(dialect: str) -> sa.Insert:
    statement = insert_into(dialect, outbox)
    hastened: sa.Insert = statement.on_conflict_do_update(
        index_elements=[outbox.c.shop_id, outbox.c.intent_id],
        set_={"run_at": statement.excluded.run_at, "reason": statement.excluded.reason},
        where=sa.and_(
            outbox.c.state == OutboxState.PENDING.value,
            outbox.c.attempts == 0,
            outbox.c.run_at > statement.excluded.run_at,
        ),
    )
    return hastened


def _row(notification: Notification, delivery_id: str, now: datetime) -> dict[str, object]:
    return {
        "shop_id": notification.shop_id,
        "intent_id": intent_id(notification),
        "order_id": notification.order_id,
        "kind": notification.kind,
        "subject": notification.subject,
        "recipient": notification.recipient,
        "channel": notification.channel,
        "locale": notification.locale,
        "invoice": notification.invoice,
        "details": json.dumps(notification.details) if notification.details else "",
        "reason": notification.reason,
        "delivery_id": delivery_id,
        "created_at": now,
        "expires_at": notification.expires_at,
        "state": OutboxState.PENDING.value,
        "run_at": notification.run_at,
        "attempts": 0,
        "outcome": "",
    }


def notification(row: sa.Row[Any]) -> Notification:
    return Notification(
        shop_id=row.shop_id,
        order_id=row.order_id,
        kind=row.kind,
        subject=row.subject,
        recipient=row.recipient,
        channel=row.channel,
        locale=row.locale,
        run_at=row.run_at,
        expires_at=row.expires_at,
        reason=row.reason,
        invoice=row.invoice,
        details=tuple((name, value) for name, value in json.loads(row.details)) if row.details else (),
    )


def _packed(words: str) -> bytes:
    return zlib.compress(words.encode("utf-8", "surrogatepass"), 1)
