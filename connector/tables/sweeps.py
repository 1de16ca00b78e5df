"""Sweeps: how far each shop has been looked through for changes, and for its history."""

import secrets as random_numbers
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import sqlalchemy as sa

from connector.database import Moment, Words, metadata
from connector.tables import connections


class SweepKind(Enum):
    CHANGES = "changes"
    """Again and again: what changed since the last one."""
    HISTORY = "history"
    """Once, when a shop is connected."""


sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("watermark", Moment, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("newest", Moment, nullable=True),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("claims", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("documents", sa.Integer, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("problem", Words, nullable=False),
    sa.Column("begun_at", Moment, nullable=True),
    sa.Column("finished_at", Moment, nullable=True),
)
sa.Index("ix_sweeps_due", sweeps.c.run_at)

LARGEST_START = 2**30
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""When a finished history is due again."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One row; `claims` only ever grows and is the token that proves who holds it."""

    shop_id: str
    kind: SweepKind
    watermark: datetime
    """Everything that changed before this moment (by the shop's clock) has been read."""
    since: datetime
    """Where the sweep at hand begins: the watermark less the overlap."""
    cursor: str
    """Where it goes on; empty between two sweeps."""
    newest: datetime | None
    """The newest change read in the sweep at hand."""
    run_at: datetime
    claims: int
    failures: int
    """Tries in a row that did not succeed."""
    documents: int
    """How many were read so far, in all sweeps of this kind."""
    pages: int
    """Of the sweep at hand."""
    problem: str
    """What went wrong or was left out; empty when all is well."""
    begun_at: datetime | None
    """When the sweep at hand asked for its first page; None between two sweeps."""
    finished_at: datetime | None
    """When the last one came to its end."""


_MOVING = (
    "watermark",
    "since",
    "cursor",
    "newest",
    "run_at",
    "failures",
    "documents",
    "pages",
    "problem",
    "begun_at",
    "finished_at",
)


def begin(connection: sa.Connection, shop_id: str, kind: SweepKind, watermark: datetime, now: datetime) -> None:
    """Look from this moment on; a row that is there begins anew. Its token starts anywhere, so that who still holds
    the sweep of an earlier life cannot move this one."""
    connection.execute(sa.delete(sweeps).where(sweeps.c.shop_id == shop_id, sweeps.c.kind == kind.value))
    connection.execute(
        sa.insert(sweeps).values(
            shop_id=shop_id,
            kind=kind.value,
            watermark=watermark,
            since=watermark,
            cursor="",
            run_at=now,
            claims=random_numbers.randbelow(LARGEST_START),
            failures=0,
            documents=0,
            pages=0,
            problem="",
        )
    )


def claim(
    connection: sa.Connection, now: datetime, *, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[Sweep]:
    """Take due sweeps of shops that can be asked, the longest due first, at most one a shop; nobody else gets them
    until the lease is over."""
    other = sweeps.alias("other")
    earlier = sa.exists().where(
        other.c.shop_id == sweeps.c.shop_id, other.c.kind < sweeps.c.kind, other.c.run_at <= now
    )
    due = (
        sa.select(sweeps.c.shop_id, sweeps.c.kind)
        .where(sweeps.c.run_at <= now, sweeps.c.shop_id.not_in(list(busy)), ~earlier)
        .where(connections.connected(sweeps.c.shop_id))
        .order_by(sweeps.c.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=sweeps)
        .cte("due")
    )
    rows = connection.execute(
        sa.update(sweeps)
        .where(sa.tuple_(sweeps.c.shop_id, sweeps.c.kind).in_(sa.select(due)))
        .values(run_at=now + lease, claims=sweeps.c.claims + 1)
        .returning(sweeps)
    ).all()
    return [_sweep(row) for row in rows]


def keep(connection: sa.Connection, held: Sweep) -> bool:
    """Write down how far a claimed sweep has come; False (and nothing written) when somebody else holds it by now."""
    changed = connection.execute(
        sa.update(sweeps)
        .where(sweeps.c.shop_id == held.shop_id, sweeps.c.kind == held.kind.value)
        .where(sweeps.c.claims == held.claims)
        .values({name: getattr(held, name) for name in _MOVING})
    )
    return changed.rowcount == 1


def of_shop(connection: sa.Connection, shop_id: str) -> dict[SweepKind, Sweep]:
    """A shop's sweeps by kind."""
    rows = connection.execute(sa.select(sweeps).where(sweeps.c.shop_id == shop_id))
    return {sweep.kind: sweep for sweep in map(_sweep, rows)}


def hasten(connection: sa.Connection, shop_id: str, now: datetime) -> None:
    """Look for changes now."""
    wanted = sa.and_(sweeps.c.shop_id == shop_id, sweeps.c.kind == SweepKind.CHANGES.value)
    connection.execute(sa.update(sweeps).where(wanted).values(run_at=now))


def release(connection: sa.Connection, now: datetime) -> None:
    """Make every sweep that is under way due at once: for a start when no other worker can be alive."""
    connection.execute(sa.update(sweeps).where(sweeps.c.begun_at.is_not(None)).values(run_at=now))


def forget(connection: sa.Connection, shop_id: str) -> None:
    """The shop is not looked through any more."""
    connection.execute(sa.delete(sweeps).where(sweeps.c.shop_id == shop_id))


def _sweep(row: sa.Row[Any]) -> Sweep:
    return Sweep(
        shop_id=row.shop_id,
        kind=SweepKind(row.kind),
        watermark=row.watermark,
        since=row.since,
        cursor=row.cursor,
        newest=row.newest,
        run_at=row.run_at,
        claims=row.claims,
        failures=row.failures,
        documents=row.documents,
        pages=row.pages,
        problem=row.problem,
        begun_at=row.begun_at,
        finished_at=row.finished_at,
    )
