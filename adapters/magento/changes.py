"""Finds what changed in a shop: orders, then shipments, then credit memos, by keys that only go forward.

A page is asked for by where the last one ended, never by its number, so that nothing is skipped or repeated for ever
because rows move (magento reference, section 3).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.contract import Store
from adapters.magento.client import Listed, page_size, search_all, search_within_limit
from adapters.magento.criteria import Filter
from adapters.magento.documents import resolve
from adapters.magento.refusals import MissingRight
from adapters.magento.subjects import entity_id
from adapters.reading import Reader
from connector.domain.connection import Found, Page
from connector.domain.delivery import Delivery, LookAgain, Subject, Update
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.shop import Shop

OVERLAP = timedelta(minutes=2)
"""A row is dated when its statement runs and seen when it commits, up to 45 s later in the reference's model."""
LONGEST_ROUND = timedelta(minutes=1)
"""When shipments and credit memos took longer, orders changed meanwhile are looked for in another round."""
MOST_ROUNDS = 5
MOST_PAGES = 10_000
MOST_PARCELS = 50

_FORM = "%Y-%m-%d %H:%M:%S"
_SECOND = timedelta(seconds=1)
_KINDS = (("order", "orders"), ("shipment", "shipments"), ("creditmemo", "creditmemos"))
"""Our word (`Found.about`) and the route of each kind, in the order of a round."""
_SUBJECTS = {"order": Subject.ORDER, "shipment": Subject.SHIPMENT, "creditmemo": Subject.CREDIT_NOTE}


class Sweep(msgspec.Struct, frozen=True, array_like=True):
    """Where a sweep is; its JSON is the cursor. Moments are in UTC and in Magento's own form."""

    since: str
    kind: int
    moment: str
    """All before it is read."""
    after: int
    """Above 0: of this very second, all up to this id is read as well."""
    newest: tuple[str, str, str]
    """The newest change read of each kind."""
    size: int
    pages: int
    round: int
    orders_ended: str
    """When this round had read all orders, by our clock; empty before."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One document of a page, with its place in the order of changes."""

    moment: str
    row_id: int
    found: Found


def changes(store: Store, since: datetime, cursor: str) -> Page:
    """One page of what changed at or after a moment (UTC), as `Api.changes` promises.

    A kind we have no right to is left out with a note, unless it is orders.
    """
    sweep = _resumed(cursor) if cursor else _begun(store, since)
    if sweep.pages >= MOST_PAGES:
        raise Permanent(f"{store.access.host} does not come to an end of its changes: {sweep.pages} pages were read")
    try:
        filters, sort = _question(sweep)
        size, page = search_within_limit(store, _KINDS[sweep.kind][1], filters, sort=sort, size=sweep.size)
    except MissingRight as error:
        if sweep.kind == 0:
            raise
        return Page((), _cursor(_next_kind(sweep, store.clock.now())), (str(error),))
    rows, notes = _rows(page.items, _KINDS[sweep.kind][0])
    sweep = msgspec.structs.replace(sweep, size=size)
    _check_order(store, sweep, rows)
    following = _following(store, sweep, page, rows)
    return Page(tuple(row.found for row in rows), _cursor(following), notes)


def parcels(store: Store, ids: tuple[str, ...]) -> tuple[Found, ...]:
    """Shipments by id, those that are still there; a track added later changes nothing else of a shipment."""
    wanted = {one for one in ids[:MOST_PARCELS] if one.isascii() and one.isdigit()}
    if not wanted:
        return ()
    found = search_all(store, "shipments", (Filter("entity_id", ",".join(sorted(wanted)), "in"),), key="entity_id")
    rows, _ = _rows([one.document for one in found], "shipment")
    return tuple(row.found for row in rows if str(row.row_id) in wanted)


def read(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a document of `changes` or `parcels` says. Raises UnreadableDelivery, and nothing else."""
    subject = _SUBJECTS.get(delivery.path_event, Subject.ORDER)
    return (resolve(LookAgain(subject, "", "", "read by a sweep"), delivery.body, shop),)


def _begun(store: Store, since: datetime) -> Sweep:
    moment = since.astimezone(UTC).strftime(_FORM)
    return Sweep(moment, 0, moment, 0, (moment, moment, moment), page_size(store), 0, 1, "")


def _resumed(cursor: str) -> Sweep:
    try:
        return msgspec.json.decode(cursor, type=Sweep)
    except msgspec.DecodeError as error:
        raise Permanent("this place in a sweep is none of ours; begin the sweep anew") from error


def _cursor(sweep: Sweep | None) -> str:
    return msgspec.json.encode(sweep).decode() if sweep else ""


def _question(sweep: Sweep) -> tuple[list[Filter], list[str]]:
    if sweep.after:
        return [Filter("updated_at", sweep.moment), Filter("entity_id", str(sweep.after), "gt")], ["entity_id"]
    return [Filter("updated_at", sweep.moment, "gteq")], ["updated_at", "entity_id"]


def _rows(items: Sequence[object], about: str) -> tuple[list[_Row], tuple[str, ...]]:
    """What can be read of a page, and a note for each item whose version cannot be told."""
    rows, notes = [], []
    for position, item in enumerate(items):
        try:
            rows.append(_row(Reader(item if isinstance(item, dict) else {}), about))
        except UnreadableDelivery as error:
            notes.append(f"{about} {position + 1} of a page was left out: {error}")
    return rows, tuple(notes)


def _row(document: Reader, about: str) -> _Row:
    row_id = entity_id(document, "entity_id")
    if not row_id:
        raise document.refusal("entity_id", "it is missing", "the object's own number")
    moment = document.moment("updated_at")
    # Amounts become text with their exact places, which the readers take for the same.
    body = json.dumps(document.document, default=str, separators=(",", ":")).encode()
    version = hashlib.sha256(body).hexdigest()[:32]
    key = f"{about}:{row_id}:{moment:%Y%m%d%H%M%S}:{version}"
    return _Row(moment.strftime(_FORM), int(row_id), Found(key, about, body, moment))


def _check_order(store: Store, sweep: Sweep, rows: list[_Row]) -> None:
    """An answer to another question would make us skip rows, or turn in circles."""
    places = [(row.moment, row.row_id) for row in rows]
    begins = (sweep.moment, sweep.after + 1 if sweep.after else 0)
    fits = places == sorted(places) and (not places or places[0] >= begins)
    if not fits or (sweep.after and any(moment != sweep.moment for moment, _ in places)):
        raise Retryable(
            f"{store.access.host} does not answer what was asked for (other filters or another order): a cache or an "
            "extension stands between. Keep /rest/ out of every cache"
        )


def _following(store: Store, sweep: Sweep, page: Listed, rows: list[_Row]) -> Sweep | None:
    """Where to go on; None when nothing is left."""
    sweep = msgspec.structs.replace(sweep, pages=sweep.pages + 1, newest=_newest(sweep, rows))
    more = bool(page.items) and (len(page.items) >= sweep.size or page.total > len(page.items))
    if more and not rows:
        raise Retryable(f"{store.access.host} answered a page of {_KINDS[sweep.kind][1]} of which nothing can be read")
    if more and (sweep.after or rows[-1].moment == sweep.moment):
        return msgspec.structs.replace(sweep, after=rows[-1].row_id)
    if more:
        return msgspec.structs.replace(sweep, moment=rows[-1].moment)
    if sweep.after:
        return msgspec.structs.replace(sweep, moment=_later(sweep.moment, _SECOND), after=0)
    return _next_kind(sweep, store.clock.now())


def _newest(sweep: Sweep, rows: list[_Row]) -> tuple[str, str, str]:
    newest = list(sweep.newest)
    newest[sweep.kind] = max([newest[sweep.kind], *(row.moment for row in rows)])
    return newest[0], newest[1], newest[2]


def _next_kind(sweep: Sweep, now: datetime) -> Sweep | None:
    """The next kind; after the last another round, if this one was so long that orders may have changed meanwhile."""
    ended = sweep.orders_ended or now.strftime(_FORM)
    kind = sweep.kind + 1
    if kind < len(_KINDS):
        return msgspec.structs.replace(sweep, kind=kind, moment=_start(sweep, kind), after=0, orders_ended=ended)
    if now.strftime(_FORM) <= _later(ended, LONGEST_ROUND) or sweep.round >= MOST_ROUNDS:
        return None
    again = msgspec.structs.replace(sweep, round=sweep.round + 1)
    return msgspec.structs.replace(again, kind=0, moment=_start(again, 0), after=0, orders_ended="")


def _start(sweep: Sweep, kind: int) -> str:
    return sweep.since if sweep.round == 1 else max(sweep.since, _later(sweep.newest[kind], -OVERLAP))


def _later(moment: str, step: timedelta) -> str:
    return (datetime.strptime(moment, _FORM).replace(tzinfo=UTC) + step).strftime(_FORM)
