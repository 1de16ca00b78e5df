"""Requests about people's data: to show what is kept, or to erase it; each with its deadline and what was done."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_new, metadata
from connector.domain.delivery import ShopEvent, ShopEventKind
from connector.tables.shops import Seal

DEADLINE = timedelta(days=30)
"""Within which the law and the platforms want it done (shopify reference, section 1.8)."""

privacy_requests = sa.Table(
    "privacy_requests",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("request_id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("delivery_id", sa.String(32), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("done_at", Moment, nullable=True),
    sa.Column("outcome", Words, nullable=False),
)
sa.Index("ix_privacy_requests_due_at", privacy_requests.c.due_at)

_event = msgspec.json.Decoder(ShopEvent)


@dataclass(frozen=True, slots=True)
class Told:
    """A request as it came in."""

    shop_id: str
    delivery_id: str
    """The delivery that told it, whose bytes name the person too; empty when a person asked here."""
    event: ShopEvent


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """One row; whom it is about is kept sealed, and only until it is done."""

    shop_id: str
    request_id: str
    kind: ShopEventKind
    delivery_id: str
    event: ShopEvent
    asked_at: datetime
    due_at: datetime
    done_at: datetime | None
    outcome: str


def record(database: Database, connection: sa.Connection, told: Told, seal: Seal, now: datetime) -> None:
    """Keep a request; the same one told twice is one."""
    row = {
        "shop_id": told.shop_id,
        "request_id": _name(told.event),
        "kind": told.event.kind.value,
        "delivery_id": told.delivery_id,
        "sealed": seal.close(told.event),
        "asked_at": now,
        "due_at": now + DEADLINE,
        "outcome": "",
    }
    connection.execute(insert_new(database.dialect, privacy_requests), row)


def waiting(connection: sa.Connection, seal: Seal) -> list[PrivacyRequest]:
    """All that is not done, the most urgent first."""
    rows = connection.execute(
        sa.select(privacy_requests).where(privacy_requests.c.done_at.is_(None)).order_by(privacy_requests.c.due_at)
    )
    return [_request(row, seal) for row in rows]


def find(connection: sa.Connection, shop_id: str, request_id: str, seal: Seal) -> PrivacyRequest | None:
    """One request."""
    where = sa.and_(privacy_requests.c.shop_id == shop_id, privacy_requests.c.request_id == request_id)
    row = connection.execute(sa.select(privacy_requests).where(where)).one_or_none()
    return _request(row, seal) if row else None


def settle(connection: sa.Connection, request: PrivacyRequest, outcome: str, seal: Seal, now: datetime) -> None:
    """It is done; whom it was about is forgotten with it."""
    bare = ShopEvent(request.kind, request.event.occurred_at)
    where = sa.and_(privacy_requests.c.shop_id == request.shop_id, privacy_requests.c.request_id == request.request_id)
    connection.execute(
        sa.update(privacy_requests).where(where).values(done_at=now, outcome=outcome, sealed=seal.close(bare))
    )


def _name(event: ShopEvent) -> str:
    """The platform's own name for it, or one made of what it asks."""
    said = "\0".join((event.kind.value, event.request_id, event.customer_id, *event.order_ids))
    if not event.request_id:
        said += event.occurred_at.isoformat()
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _request(row: sa.Row[Any], seal: Seal) -> PrivacyRequest:
    return PrivacyRequest(
        shop_id=row.shop_id,
        request_id=row.request_id,
        kind=ShopEventKind(row.kind),
        delivery_id=row.delivery_id,
        event=seal.open_as(row.sealed, _event),
        asked_at=row.asked_at,
        due_at=row.due_at,
        done_at=row.done_at,
        outcome=row.outcome,
    )
