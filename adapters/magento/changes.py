"""Finds what changed in a shop, oldest first: orders, shipments and credit memos of one stretch of time after another.

A stretch begins where the last one ended, by the moment and never by a page's number, so that nothing is skipped
because rows move (magento reference, section 3).
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.contract import Store
from adapters.magento.client import page_size, search_all, search_within_limit
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
"""A row is dated when its statement runs and seen when it commits, up to 45 s later in the reference's model; and the
last of the three questions is answered after the first."""
MOST_PARCELS = 50

_FORM = "%Y-%m-%d %H:%M:%S"
_SECOND = timedelta(seconds=1)
_KINDS = (("order", "orders"), ("shipment", "shipments"), ("creditmemo", "creditmemos"))
"""Our word (`Found.about`) and the route of each kind; orders first, because without them there is nothing."""
_SUBJECTS = {"order": Subject.ORDER, "shipment": Subject.SHIPMENT, "creditmemo": Subject.CREDIT_NOTE}
_ALL = -1


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far all is read; its JSON is the cursor."""

    moment: str
    """In UTC and Magento's own form: all before it is read."""
    size: int
    """How many the merchant lets us ask for."""
    kind: int = _ALL
    """In a second with more changes than fit a page, which kind is being read; else all at once."""
    after: int = 0
    """In such a second: of that kind, all up to this id is read."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One document of an answer, with its place in the order of changes."""

    moment: str
    row_id: int
    found: Found


@dataclass(frozen=True, slots=True)
class _Part:
    """What a question about one kind told."""

    rows: list[_Row]
    size: int
    more: bool = False
    """Whether there are more than were told."""
    notes: tuple[str, ...] = ()


def changes(store: Store, since: datetime, cursor: str) -> Page:
    """One page of what changed at or after a moment (UTC), as `Api.changes` promises.

    A kind we have no right to is left out with a note, unless it is orders.
    """
    place = _resumed(cursor) if cursor else Place(since.astimezone(UTC).strftime(_FORM), page_size(store))
    return _stretch(store, place) if place.kind == _ALL else _crowded_second(store, place)


def parcels(store: Store, ids: tuple[str, ...]) -> tuple[Found, ...]:
    """Shipments by id, those that are still there; a track added later changes nothing else of a shipment.

    None without the right to shipments: that it is missing is found by the probe.
    """
    wanted = {one for one in ids[:MOST_PARCELS] if one.isascii() and one.isdigit()}
    if not wanted:
        return ()
    within = (Filter("entity_id", ",".join(sorted(wanted)), "in"),)
    try:
        found = search_all(store, "shipments", within, key="entity_id")
    except MissingRight:
        return ()
    rows, _ = _rows([one.document for one in found], "shipment")
    return tuple(row.found for row in rows if str(row.row_id) in wanted)


def read(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a document of `changes` or `parcels` says. Raises UnreadableDelivery, and nothing else."""
    subject = _SUBJECTS.get(delivery.path_event, Subject.ORDER)
    return (resolve(LookAgain(subject, "", "", "read by a sweep"), delivery.body, shop),)


def _resumed(cursor: str) -> Place:
    try:
        return msgspec.json.decode(cursor, type=Place)
    except msgspec.DecodeError as error:
        raise Permanent("this place in a sweep is none of ours; begin the sweep anew") from error


def _cursor(place: Place) -> str:
    return msgspec.json.encode(place).decode()


def _stretch(store: Store, place: Place) -> Page:
    """All kinds from a moment to where the first of them does not fit a page any more; that second is left to the next.

    One failure costs the whole stretch, so that no kind is ever ahead of another.
    """
    rows: list[_Row] = []
    notes: list[str] = []
    size, end = place.size, ""
    for kind in range(len(_KINDS)):
        limit = [Filter("updated_at", end, "lteq")] if end else []
        filters = [Filter("updated_at", place.moment, "gteq"), *limit]
        part = _ask(store, kind, filters, ["updated_at", "entity_id"], size)
        _check(store, part.rows, (place.moment, 0), end)
        rows, size, end = rows + part.rows, part.size, part.rows[-1].moment if part.more else end
        notes += part.notes
    if not end:
        return Page(_found(rows), "", tuple(notes))
    if end == place.moment:
        return Page((), _cursor(Place(end, size, kind=0)), tuple(notes))
    return Page(_found(row for row in rows if row.moment < end), _cursor(Place(end, size)), tuple(notes))


def _crowded_second(store: Store, place: Place) -> Page:
    """A page of one kind within one second, by id."""
    filters = [Filter("updated_at", place.moment), Filter("entity_id", str(place.after), "gt")]
    part = _ask(store, place.kind, filters, ["entity_id"], place.size)
    _check(store, part.rows, (place.moment, place.after + 1), place.moment)
    if part.more:
        following = msgspec.structs.replace(place, size=part.size, after=part.rows[-1].row_id)
    elif place.kind + 1 < len(_KINDS):
        following = Place(place.moment, part.size, kind=place.kind + 1)
    else:
        following = Place(_later(place.moment), part.size)
    return Page(_found(part.rows), _cursor(following), part.notes)


def _ask(store: Store, kind: int, filters: Sequence[Filter], sort: Sequence[str], size: int) -> _Part:
    about, route = _KINDS[kind]
    try:
        let_through, page = search_within_limit(store, route, filters, sort=sort, size=size)
    except MissingRight as error:
        if kind == 0:
            raise
        return _Part([], size, notes=(str(error),))
    rows, notes = _rows(page.items, about)
    # An extension may cap pages without a word; the shop's own count then says that there is more.
    more = bool(page.items) and (len(page.items) >= let_through or page.total > len(page.items))
    if more and not rows:
        raise Retryable(f"{store.access.host} answered a page of {route} of which nothing can be read")
    return _Part(rows, let_through, more, notes)


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


def _check(store: Store, rows: list[_Row], first: tuple[str, int], end: str) -> None:
    """An answer to another question would make us skip rows, or turn in circles."""
    places = [(row.moment, row.row_id) for row in rows]
    fits = places == sorted(places) and (not places or places[0] >= first)
    if not fits or (end and any(moment > end for moment, _ in places)):
        raise Retryable(
            f"{store.access.host} does not answer what was asked for (other filters or another order): a cache or an "
            "extension stands between. Keep /rest/ out of every cache"
        )


def _found(rows: Iterable[_Row]) -> tuple[Found, ...]:
    return tuple(row.found for row in rows)


def _later(moment: str) -> str:
    return (datetime.strptime(moment, _FORM).replace(tzinfo=UTC) + _SECOND).strftime(_FORM)
