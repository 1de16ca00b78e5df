"""Documents: invoices as issued bytes with their hash, and the gapless series their numbers come from (P7)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import sqlalchemy as sa

from connector.database import Database, Moment, Words, insert_new, is_one_of, metadata


class DocumentState(Enum):
    """Where a document is, and who moves it on."""

    REQUESTED = "requested"
    """Its cause is committed; whoever issues documents gives it a number and bytes when `run_at` has come."""
    ISSUED = "issued"
    """Number, bytes and hash are there and never change. The end."""
    BLOCKED = "blocked"
    """It cannot be made (the seller's name is missing, say); tried again when `run_at` has come."""


TRANSITIONS: Mapping[DocumentState, frozenset[DocumentState]] = {
    DocumentState.REQUESTED: frozenset({DocumentState.ISSUED, DocumentState.BLOCKED}),
    DocumentState.BLOCKED: frozenset({DocumentState.ISSUED, DocumentState.BLOCKED}),
    DocumentState.ISSUED: frozenset(),
}

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("order_id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("run_at", Moment, nullable=False),
    sa.Column("problem", Words, nullable=False),
    sa.Column("series", sa.String(64), nullable=True),
    sa.Column("serial", sa.Integer, nullable=True),
    sa.Column("number", sa.String(96), nullable=True),
    sa.Column("locale", sa.String(16), nullable=True),
    sa.Column("issued_at", Moment, nullable=True),
    sa.Column("sha256", sa.String(64), nullable=True),
    sa.Column("content", sa.LargeBinary, nullable=True),
    sa.Column("restricted_at", Moment, nullable=True),
    sa.UniqueConstraint("shop_id", "series", "serial"),
)
_OPEN = ("requested", "blocked")
sa.Index(
    "ix_documents_due",
    documents.c.run_at,
    sqlite_where=documents.c.state.in_(_OPEN),
    postgresql_where=documents.c.state.in_(_OPEN),
)

series = sa.Table(
    "document_series",
    metadata,
    sa.Column("shop_id", sa.String(32), primary_key=True),
    sa.Column("series", sa.String(64), primary_key=True),
    sa.Column("next_serial", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Request:
    """A document that should exist: which order, which kind, and for credit notes which refund."""

    shop_id: str
    order_id: str
    kind: str = "invoice"
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document as it will stay."""

    request: Request
    series: str
    serial: int
    number: str
    locale: str
    issued_at: datetime
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def request(database: Database, connection: sa.Connection, wanted: Iterable[Request], now: datetime) -> None:
    """Note that documents are wanted; one that is wanted already stays as it is."""
    rows = [
        {
            "shop_id": one.shop_id,
            "order_id": one.order_id,
            "kind": one.kind,
            "subject": one.subject,
            "state": DocumentState.REQUESTED.value,
            "requested_at": now,
            "run_at": now,
            "problem": "",
        }
        for one in wanted
    ]
    if rows:
        connection.execute(insert_new(database.dialect, documents), rows)


def due(connection: sa.Connection, now: datetime, *, limit: int) -> list[Request]:
    """Documents to make now, the longest waiting first."""
    rows = connection.execute(
        sa.select(documents.c.shop_id, documents.c.order_id, documents.c.kind, documents.c.subject)
        .where(is_one_of(documents.c.state, _OPEN), documents.c.run_at <= now)
        .order_by(documents.c.run_at, documents.c.order_id)
        .limit(limit)
    )
    return [Request(*row) for row in rows]


def next_serial(connection: sa.Connection, shop_id: str, name: str) -> int:
    """The number a series would give next. Only `issue` takes it, and only if it is still the next one."""
    statement = sa.select(series.c.next_serial).where(series.c.shop_id == shop_id, series.c.series == name)
    return connection.execute(statement).scalar() or 1


def issue(database: Database, connection: sa.Connection, issued: Issued) -> bool:
    """Take the number and keep the bytes in this one transaction; False when somebody else was faster with either.

    After False the caller lets the transaction roll back and makes the document again with the number that is next
    then: so a number is never skipped and never given twice.
    """
    if not _take_serial(database, connection, issued):
        return False
    key = issued.request
    changed = connection.execute(
        sa.update(documents)
        .where(_is(key), is_one_of(documents.c.state, _OPEN))
        .values(
            state=DocumentState.ISSUED.value,
            problem="",
            series=issued.series,
            serial=issued.serial,
            number=issued.number,
            locale=issued.locale,
            issued_at=issued.issued_at,
            sha256=issued.sha256,
            content=issued.content,
        )
    )
    return changed.rowcount == 1


def block(connection: sa.Connection, wanted: Request, problem: str, run_at: datetime) -> None:
    """Note why a document cannot be made, and when to try again."""
    connection.execute(
        sa.update(documents)
        .where(_is(wanted), is_one_of(documents.c.state, _OPEN))
        .values(state=DocumentState.BLOCKED.value, problem=problem, run_at=run_at)
    )


def find(connection: sa.Connection, wanted: Request) -> tuple[DocumentState, Issued | None, str] | None:
    """A document's state, itself if issued, and its problem if blocked; None when it was never wanted."""
    row = connection.execute(sa.select(documents).where(_is(wanted))).one_or_none()
    if row is None:
        return None
    state = DocumentState(row.state)
    return state, _issued(row) if state is DocumentState.ISSUED else None, row.problem


def of_order(connection: sa.Connection, shop_id: str, order_id: str) -> list[Issued]:
    """The issued documents of an order, in the order of their issue."""
    rows = connection.execute(
        sa.select(documents)
        .where(documents.c.shop_id == shop_id, documents.c.order_id == order_id)
        .where(documents.c.state == DocumentState.ISSUED.value)
        .order_by(documents.c.issued_at)
    )
    return [_issued(row) for row in rows]


def restrict(connection: sa.Connection, shop_id: str, now: datetime, order_id: str | None = None) -> int:
    """What the law obliges to keep stays, for nobody to open but those who keep the books; what was never issued goes.

    Of one order, or of the whole shop. Returns how many documents stay.
    """
    mine = sa.and_(documents.c.shop_id == shop_id, documents.c.order_id == order_id if order_id else sa.true())
    connection.execute(sa.delete(documents).where(mine, is_one_of(documents.c.state, _OPEN)))
    return connection.execute(sa.update(documents).where(mine).values(restricted_at=now)).rowcount


def by_serial(connection: sa.Connection, shop_id: str, name: str, serial: int) -> Issued | None:
    """A shop's issued document with this place in this series, unless it is only kept for the books."""
    place = sa.and_(documents.c.series == name, documents.c.serial == serial)
    row = connection.execute(sa.select(documents).where(documents.c.shop_id == shop_id, place)).one_or_none()
    return _issued(row) if row and row.state == DocumentState.ISSUED.value and not row.restricted_at else None


WAITING_STATES = ("requested", "blocked")
"""States that are not an end; few rows are in them, and an index holds just those."""


def waiting_counts(connection: sa.Connection) -> dict[str, int]:
    """How many rows are in each state that is not an end."""
    counted = sa.select(documents.c.state, sa.func.count()).where(is_one_of(documents.c.state, WAITING_STATES))
    return {row[0]: row[1] for row in connection.execute(counted.group_by(documents.c.state))}


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many documents are in each state."""
    rows = connection.execute(sa.select(documents.c.state, sa.func.count()).group_by(documents.c.state))
    return {row[0]: row[1] for row in rows}


def _take_serial(database: Database, connection: sa.Connection, issued: Issued) -> bool:
    shop_id, name = issued.request.shop_id, issued.series
    if issued.serial == 1:
        first = {"shop_id": shop_id, "series": name, "next_serial": 1}
        connection.execute(insert_new(database.dialect, series), first)
    taken = connection.execute(
        sa.update(series)
        .where(series.c.shop_id == shop_id, series.c.series == name, series.c.next_serial == issued.serial)
        .values(next_serial=issued.serial + 1)
    )
    return taken.rowcount == 1


def _is(wanted: Request) -> sa.ColumnElement[bool]:
    return sa.and_(
        documents.c.shop_id == wanted.shop_id,
        documents.c.order_id == wanted.order_id,
        documents.c.kind == wanted.kind,
        documents.c.subject == wanted.subject,
    )


def _issued(row: sa.Row[tuple[object, ...]]) -> Issued:
    wanted = Request(row.shop_id, row.order_id, row.kind, row.subject)
    return Issued(wanted, row.series, row.serial, row.number, row.locale, row.issued_at, bytes(row.content))
