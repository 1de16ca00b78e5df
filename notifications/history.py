"""What was meant to be said and what was said, for people: the story of an order, and decisions only they can make."""

import zlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from connector.database import is_one_of
from notifications.kinds import Notification
from notifications.outbox import ATTENTION, TRANSITIONS, OutboxState, messages, notification, outbox


@dataclass(frozen=True, slots=True)
class Said:
    """One row of the outbox for people: what was meant, what became of it, and what was said."""

    intent_id: str
    notification: Notification
    state: OutboxState
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    outcome: str
    subject: str
    html: str
    text: str


def of_order(connection: sa.Connection, shop_id: str, order_id: str) -> list[Said]:
    """All that was meant to be said about an order, oldest first."""
    rows = connection.execute(
        _WITH_MESSAGE.where(outbox.c.shop_id == shop_id, outbox.c.order_id == order_id).order_by(
            outbox.c.created_at, outbox.c.intent_id
        )
    )
    return [_said(row) for row in rows]


def find(connection: sa.Connection, shop_id: str, wanted_intent: str) -> Said | None:
    """One row."""
    where = sa.and_(outbox.c.shop_id == shop_id, outbox.c.intent_id == wanted_intent)
    row = connection.execute(_WITH_MESSAGE.where(where)).one_or_none()
    return _said(row) if row else None


def needing_decision(connection: sa.Connection, *, limit: int) -> list[Said]:
    """What may or may not have arrived, and what was refused for good; the longest waiting first."""
    wanted = sa.and_(
        is_one_of(outbox.c.state, ATTENTION),
        outbox.c.state.in_((OutboxState.REVIEW.value, OutboxState.FAILED.value)),
    )
    rows = connection.execute(_WITH_MESSAGE.where(wanted).order_by(outbox.c.created_at).limit(limit))
    return [_said(row) for row in rows]


def decide(connection: sa.Connection, said: Said, after: OutboxState, now: datetime) -> bool:
    """A person's decision: PENDING to send it (again), SENT because it is known to have arrived.

    False when the state has changed meanwhile. Raises ValueError for a decision the state does not allow.
    """
    if after not in TRANSITIONS[said.state] or said.state not in (OutboxState.REVIEW, OutboxState.FAILED):
        raise ValueError(f"an intent does not go from {said.state.value} to {after.value} by hand")
    if after is OutboxState.PENDING and not said.notification.recipient:
        raise ValueError("the customer's data was erased, so that nothing can be sent to them any more")
    sent_at = now if after is OutboxState.SENT else None
    changed = connection.execute(
        sa.update(outbox)
        .where(outbox.c.shop_id == said.notification.shop_id, outbox.c.intent_id == said.intent_id)
        .where(outbox.c.state == said.state.value)
        .values(state=after.value, run_at=now, sent_at=sent_at, attempts=0, outcome="decided by a person")
    )
    return changed.rowcount == 1


_WITH_MESSAGE = sa.select(
    outbox, messages.c.subject.label("message_subject"), messages.c.html, messages.c.text
).outerjoin(messages, sa.and_(outbox.c.shop_id == messages.c.shop_id, outbox.c.intent_id == messages.c.intent_id))


def _said(row: sa.Row[tuple[object, ...]]) -> Said:
    return Said(
        row.intent_id,
        notification(row),
        OutboxState(row.state),
        row.created_at,
        row.sent_at,
        row.attempts,
        row.outcome,
        row.message_subject or "",
        _unpacked(row.html),
        _unpacked(row.text),
    )


def _unpacked(content: bytes | None) -> str:
    return zlib.decompress(content).decode("utf-8", "surrogatepass") if content else ""
