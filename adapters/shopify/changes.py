"""Reads what changed in a shop, page by page, and single orders whole."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from adapters.contract import Store
from adapters.reading import Reader, read_object
from adapters.shopify import client
from adapters.shopify.answers import cut_lists
from adapters.shopify.client import Reply
from adapters.shopify.documents import global_id, number_of
from adapters.shopify.webhooks import resolve
from connector.domain.connection import Found, Page
from connector.domain.delivery import Delivery, LookAgain, Subject, Update
from connector.domain.errors import Permanent, UnreadableDelivery
from connector.domain.shop import Shop

ABOUT = "order"
ORDERS = 100
"""A page; by the cost formula (shopify reference, section 3.3) 91 to 148 cost the same, and a page less than 1000."""
SIZES: Mapping[str, object] = {"lines": 33, "inside": 20}
"""Lines of an order, and of a parcel, on a page of many orders; what has more is asked for by itself."""
WHOLE: Mapping[str, object] = {"lines": 250, "inside": 250}
MOST_IN_A_ROW = 20_000
"""Shopify's pages end after 25 000 objects (shopify reference, section 2.6); we begin anew before that."""
MOST_ORDERS = 5_000_000
MOST_LINE_PAGES = 20
AHEAD = timedelta(minutes=10)
"""How far Shopify's clock may be ahead of ours before a change of before the first page would be left out."""


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a sweep has come."""

    since: datetime
    until: datetime
    """What changed after that is the next sweep's: pages end, however busy the shop is."""
    seen: datetime
    """The newest change read so far."""
    after: str = ""
    in_a_row: int = 0
    """Orders read since Shopify's pages began."""
    orders: int = 0
    """Orders read in all."""
    size: int = ORDERS


def changes(store: Store, since: datetime, cursor: str) -> Page:
    """Orders that changed since a moment, oldest change first; as `Api.changes`.

    Rows that move while pages are read move behind them, as a page continues after the last row's own moment.
    """
    reply, place = _asked(store, _place(cursor) or _first(since, store.clock.now()))
    orders = reply.data.part("orders")
    if not orders.document:
        raise Permanent("Shopify does not show us orders: open the app in Shopify once to give it its rights")
    found, notes = _found(orders, reply.withheld)
    return Page(found, _next(place, orders, found), (*reply.notes, *notes))


def read(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a document of `changes` says; of an order too large for its page, that it has to be looked at.

    Raises UnreadableDelivery.
    """
    order = read_object(delivery.body).part("data.order")
    if cut_lists(order):
        order_id = number_of(order.text("id"))
        return (LookAgain(Subject.ORDER, order_id, order_id, "it is too large for a page of changes"),)
    return (resolve(LookAgain(Subject.ORDER, "", "", "read"), delivery.body, shop),)


def look(store: Store, hint: LookAgain) -> bytes:
    """The answer to order.graphql for the order of a hint, all its lines in it; `order` is null for one that is gone.

    Raises Retryable or Permanent.
    """
    order_id = hint.order_id or hint.subject_id
    variables = {"id": global_id("Order", order_id), **WHOLE}
    reply = client.ask_openly(store, "order", variables)
    order = reply.data.part("order")
    if not order.document and reply.withheld:
        raise Permanent("Shopify does not show us this order: open the app in Shopify once to give it its rights")
    document = dict(order.document)
    if document:
        document["lineItems"] = {"nodes": list(_all_lines(store, order, variables))}
    return _answer(document or None, [_error(one.values("path")) for one in reply.withheld])


def _all_lines(store: Store, order: Reader, variables: Mapping[str, object]) -> Iterator[object]:
    """The lines of an order page by page. If it changes meanwhile its version stays that of the first page, so that
    the next reading counts as newer."""
    lines, before = order.part("lineItems"), ""
    for _ in range(MOST_LINE_PAGES):
        yield from lines.values("nodes")
        after = lines.text("pageInfo.endCursor")
        if not lines.flag("pageInfo.hasNextPage") or after in ("", before):
            return
        lines = client.ask_openly(store, "order", {**variables, "after": after}).data.part("order.lineItems")
        before = after
    raise Permanent("Shopify's list of the order's lines does not end")


def _asked(store: Store, place: _Place) -> tuple[Reply, _Place]:
    """A page, smaller or from the newest change on where Shopify does not give it otherwise."""
    while True:
        search = f"updated_at:>='{place.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
        variables = {"first": place.size, "cursor": place.after or None, "search": search, **SIZES}
        try:
            return client.ask_openly(store, "orders", variables), place
        except client.TooCostly:
            if place.size == 1:
                raise
            place = replace(place, size=place.size // 2)
        except client.Refused as refusal:
            if not place.after or "cursor" not in str(refusal).lower():
                raise
            place = _anew(place)


def _found(orders: Reader, withheld: tuple[Reader, ...]) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    errors: dict[int, list[object]] = {}
    notes: dict[str, None] = {}
    for error in withheld:
        path = error.values("path")
        if len(path) > 2 and isinstance(path[2], int):
            errors.setdefault(path[2], []).append(_error(["order", *path[3:]]))
        told = ".".join(part for part in path if isinstance(part, str) and part != "nodes")
        notes[f"Shopify left out {client.words(told) or 'something'}: the app may not see it"] = None
    found = []
    for position, node in enumerate(orders.values("nodes")):
        one = _document(node, errors.get(position, []))
        if one:
            found.append(one)
        else:
            notes["an order of the list could not be read"] = None
    return tuple(found), tuple(notes)


def _document(node: object, errors: list[object]) -> Found | None:
    order = Reader(node if isinstance(node, dict) else {}, "order")
    try:
        order_id, updated_at = number_of(order.text("id")), order.moment("updatedAt")
    except UnreadableDelivery:
        return None
    body = _answer(node, errors)
    key = f"order:{order_id}:{updated_at:%Y%m%d%H%M%S}:{hashlib.sha256(body).hexdigest()[:24]}"
    return Found(key, ABOUT, body, updated_at) if order_id else None


def _answer(order: object, errors: list[object]) -> bytes:
    """The form `resolve` reads; an answer without errors has no list of them."""
    return client.encoded({"data": {"order": order}} | ({"errors": errors} if errors else {}))


def _error(path: list[object]) -> dict[str, object]:
    """What is kept of an error: nothing in it may differ between two readings of the same order."""
    return {"path": path, "extensions": {"code": "ACCESS_DENIED"}}


def _first(since: datetime, now: datetime) -> _Place:
    return _Place(since=since, until=now + AHEAD, seen=since)


def _place(cursor: str) -> _Place | None:
    try:
        return msgspec.json.decode(cursor, type=_Place) if cursor else None
    except msgspec.DecodeError:  # of another version of ours: the sweep begins anew
        return None


def _next(place: _Place, orders: Reader, found: tuple[Found, ...]) -> str:
    """The cursor of the next page; empty at the end."""
    number, after = len(orders.values("nodes")), orders.text("pageInfo.endCursor")
    seen = max((one.updated_at for one in found), default=place.seen)
    further = orders.flag("pageInfo.hasNextPage") and after not in ("", place.after)
    if not further or not number or seen > place.until or place.orders > MOST_ORDERS:
        return ""
    place = replace(
        place, after=after, seen=max(seen, place.seen), in_a_row=place.in_a_row + number, orders=place.orders + number
    )
    if place.in_a_row > MOST_IN_A_ROW and place.seen > place.since:
        place = _anew(place)
    return msgspec.json.encode(place).decode()


def _anew(place: _Place) -> _Place:
    """The same sweep from its newest change on, with pages of their own."""
    return replace(place, since=place.seen, after="", in_a_row=0)
