"""What changed in a WooCommerce shop since a moment, and one order as it is now (reference, section 6)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from adapters.contract import Store
from adapters.http import Answer, Failed, Unanswered
from adapters.reading import Reader, read_object
from adapters.woocommerce.client import (
    API,
    GONE,
    NO_ROUTE,
    Client,
    Refused,
    client_of,
    count_of,
    document_of,
    documents_of,
    order_path,
)
from adapters.woocommerce.orders import read_meta
from adapters.woocommerce.status import NOT_AN_ORDER
from adapters.woocommerce.tracking import has_fulfillments
from connector.domain.connection import Found, Page
from connector.domain.delivery import LookAgain, Subject
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

ABOUT = "order"
PER_PAGE = 100
"""The most WooCommerce gives."""
FEW = 10
"""For a shop that breaks over a hundred, or takes too long."""
FIELDS = (
    "id,number,status,currency,total,total_tax,shipping_total,discount_total,date_created,date_created_gmt,"
    "date_modified,date_modified_gmt,date_completed_gmt,date_paid_gmt,customer_id,customer_note,billing,shipping,"
    "payment_method,payment_method_title,needs_processing,line_items,tax_lines,shipping_lines,fee_lines,refunds,"
    "meta_data,lang"
)
"""All that is read of an order. Its `order_key` and `payment_url`, which open it to anybody, are not asked for."""
ANY, TRASH = "any", "trash"
"""`any` leaves the trash out, and what is deleted is found nowhere else."""
DRAFTS = frozenset(NOT_AN_ORDER) - {TRASH}
MOST_PAGES = 1_000
_SECOND = timedelta(seconds=1)
_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_PATIENCE = 45.0
"""Seconds: a hundred orders are much work for a small server."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a sweep has come. Moments are naive UTC, as WooCommerce takes them."""

    status: str
    after: datetime
    """Rows changed later than this are still to be read."""
    until: datetime | None = None
    """Set while a stretch is read page by page in the order of ids: only rows changed before it."""
    page: int = 1
    rows: int = 0
    """The fewest rows that stretch was seen to have."""
    size: int = 0
    """Rows a page."""


def changes(store: Store, since: datetime, cursor: str) -> Page:
    """Orders that changed at or after `since`, then those in the trash; see `adapters.contract.Api.changes`.

    Rows are read by their date of change, each page beginning one second before the last one's end, so that rows which
    move to the end leave no gap. Where dates cannot lead on, a stretch is read in the order of ids instead.
    """
    client = client_of(store)
    start = since.astimezone(UTC).replace(tzinfo=None, microsecond=0) - _SECOND
    place = _read_place(cursor) or Place(ANY, start, size=PER_PAGE)
    place, answer = _asked(client, place)
    rows = _rows(answer)
    notes: list[str] = []
    found = tuple(_found(store, client, rows, notes))
    following = _following(store, place, rows, answer)
    if following is None and place.status == ANY:
        following = Place(TRASH, start, size=place.size)
    return Page(found, "" if following is None else msgspec.json.encode(following).decode(), tuple(notes))


def look(store: Store, hint: LookAgain) -> bytes:
    """The order of a hint as it is now, with its fulfillments where it has some; or that it is gone for good.

    Raises Retryable or Permanent.
    """
    order_id = hint.order_id or (hint.subject_id if hint.subject is Subject.ORDER else "")
    path = order_path(order_id)
    client = client_of(store)
    try:
        answer = client.get(path, {"_fields": FIELDS})
    except Refused as refused:
        if refused.code in GONE:
            return msgspec.json.encode({"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."})
        raise
    if not has_fulfillments(read_meta(document_of(answer))):
        return answer.body
    try:
        return _together(answer.body, _fulfillments(client, order_id), None)
    except Refused as refused:
        if refused.code != NO_ROUTE:
            raise
        return answer.body


def _asked(client: Client, place: Place) -> tuple[Place, Answer]:
    """A page, with fewer rows from here on where the shop cannot make so many."""
    try:
        return place, client.get(f"{API}/orders", _query(place), tries=2, read_seconds=_PATIENCE)
    except (Unanswered, Failed):
        if place.size <= FEW:
            raise
    page = (place.page - 1) * place.size // FEW + 1
    place = msgspec.structs.replace(place, size=FEW, page=page)
    return place, client.get(f"{API}/orders", _query(place), tries=1, read_seconds=_PATIENCE)


def _query(place: Place) -> Mapping[str, str]:
    query = {
        "status": place.status,
        "modified_after": place.after.isoformat(),
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
        "per_page": str(place.size),
        "_fields": FIELDS,
    }
    if place.until is not None:
        query |= {"modified_before": place.until.isoformat(), "orderby": "id", "page": str(place.page)}
    return query


def _rows(answer: Answer) -> tuple[bytes, ...]:
    """Each row with the bytes it has; written anew only where one bad letter makes the whole page unreadable."""
    try:
        return tuple(bytes(row) for row in _ROWS.decode(answer.body))
    except (msgspec.DecodeError, RecursionError):
        documents = (reader.document for reader in documents_of(answer))
        return tuple(json.dumps(document, default=str).encode() for document in documents)


def _found(store: Store, client: Client, rows: tuple[bytes, ...], notes: list[str]) -> Iterator[Found]:
    orders = []
    for row in rows:
        try:
            document = read_object(row)
            status, one = document.text("status"), (row, document, document.key("id"), _changed_at(document))
        except UnreadableDelivery as error:
            notes.append(f"an order was left out: {error}")
            continue
        if status not in DRAFTS:
            orders.append(one)
    dates = _refund_dates(store, client, [document for _, document, _, _ in orders])
    for row, document, order_id, changed in orders:
        refunds = [date for refund in _refund_ids(document) if (date := dates.get(refund))]
        body = _together(row, _fulfillments_if_any(store, client, document), refunds)
        yield Found(f"{order_id}:{hashlib.sha256(body).hexdigest()[:40]}", ABOUT, body, changed)


def _changed_at(document: Reader) -> datetime:
    """Drafts and odd imports have no date of change, and then that of their making (reference, section 6)."""
    for name in ("date_modified_gmt", "date_created_gmt", "date_modified"):
        moment = document.moment_if_any(name)
        if moment:
            return moment
    raise document.refusal("date_modified_gmt", "it is missing", "a date and time")


def _following(store: Store, place: Place, rows: tuple[bytes, ...], answer: Answer) -> Place | None:
    """Where to go on; None when nothing is left.

    A page is shorter than asked for when the key's user may not see some rows, so the count in the header decides.
    """
    told = count_of(answer, "x-wp-total")
    is_full = len(rows) >= place.size
    if place.until is not None:
        return _in_the_stretch(place, place.until, told, is_full=is_full)
    if told <= place.size if told is not None else not is_full:
        return None
    dates = [date for row in rows if (date := _date(row)) is not None]
    if not dates or max(dates) <= place.after:
        raise Permanent("the shop answers with orders that did not change, or hides its orders from the key's user")
    before_last = dates[-1] - _SECOND
    if before_last > place.after and dates == sorted(dates) and not _clock_moved(store, place.after, dates[-1]):
        return Place(place.status, before_last, size=place.size)
    return Place(place.status, place.after, max(dates) + _SECOND, size=place.size)


def _in_the_stretch(place: Place, until: datetime, told: int | None, *, is_full: bool) -> Place:
    """Rows that changed since left the stretch, and those behind them moved up, onto pages read before: go back."""
    before = place.rows or told or 0
    fewest = min(told or 0, before)
    if fewest < before:
        page = max(place.page - -(-(before - fewest) // place.size), 1)
        return msgspec.structs.replace(place, page=page, rows=fewest)
    if place.page * place.size >= fewest if told is not None else not is_full:
        return Place(place.status, max(until - 2 * _SECOND, place.after + _SECOND), size=place.size)
    if place.page >= MOST_PAGES:
        raise Permanent("the shop says that more orders changed within a moment than can be read")
    return msgspec.structs.replace(place, page=place.page + 1, rows=fewest)


def _date(row: bytes) -> datetime | None:
    with suppress(UnreadableDelivery):
        moment = read_object(row).moment_if_any("date_modified_gmt")
        return moment.replace(tzinfo=None, microsecond=0) if moment else None
    return None


def _clock_moved(store: Store, start: datetime, end: datetime) -> bool:
    """Without HPOS rows are sorted by the shop's own clock: an hour that it goes through twice comes mixed."""
    zone = store.access.features.get("timezone", "")
    if store.access.features.get("hpos") == "yes" or not zone:
        return False
    clock = ZoneInfo(zone)
    offsets = [moment.replace(tzinfo=UTC).astimezone(clock).utcoffset() for moment in (start, end)]
    return offsets[0] != offsets[1]


def _read_place(cursor: str) -> Place | None:
    if not cursor:
        return None
    try:
        place = msgspec.json.decode(cursor, type=Place)
    except msgspec.MsgspecError as error:
        raise Permanent("where the last sweep stood cannot be read; begin a new one") from error
    return msgspec.structs.replace(place, size=place.size or PER_PAGE)


def _fulfillments_if_any(store: Store, client: Client, document: Reader) -> bytes | None:
    """None also when they cannot be had now: the order is told at once, and looked at again for them."""
    if store.access.features.get("fulfillments") != "yes" or not has_fulfillments(read_meta(document)):
        return None
    with suppress(Refused, Retryable):
        return _fulfillments(client, document.key("id"))
    return None


def _fulfillments(client: Client, order_id: str) -> bytes:
    answer = client.get(f"{order_path(order_id)}/fulfillments")
    documents_of(answer)
    return answer.body


def _refund_dates(store: Store, client: Client, orders: list[Reader]) -> Mapping[str, Mapping[str, str]]:
    """When the refunds of these orders were made, by id; one question for all (since 9.0), as orders do not tell it."""
    ids = [refund for order in orders for refund in _refund_ids(order)]
    if not ids or store.access.features.get("refunds") != "yes":
        return {}
    query = {"include": ",".join(ids[:PER_PAGE]), "per_page": str(PER_PAGE), "_fields": "id,date_created_gmt"}
    with suppress(Refused, Retryable, UnreadableDelivery):
        told = documents_of(client.get(f"{API}/refunds", query))
        return {one.key("id"): {name: one.text(name) for name in ("id", "date_created_gmt")} for one in told}
    return {}


def _refund_ids(order: Reader) -> list[str]:
    with suppress(UnreadableDelivery):
        return [refund.key("id") for refund in order.items("refunds")]
    return []


def _together(order: bytes, fulfillments: bytes | None, refunds: list[Mapping[str, str]] | None) -> bytes:
    """The order, with what stands beside it under a name each; `webhooks.resolve` reads it."""
    if fulfillments is None and not refunds:
        return order
    parts = [b'{"order":', order]
    if fulfillments is not None:
        parts += [b',"fulfillments":', fulfillments]
    if refunds:
        parts += [b',"refunds":', msgspec.json.encode(refunds)]
    return b"".join([*parts, b"}"])
