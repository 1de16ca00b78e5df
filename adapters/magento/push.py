"""Writes back to Magento: parcels, tracking numbers, and comments in an order's history that no customer sees."""

import hashlib
import re
from decimal import Decimal

from adapters.contract import Store
from adapters.magento.client import number, read, search_all, write
from adapters.magento.criteria import Filter
from adapters.magento.refusals import one_line
from adapters.reading import Reader
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush

CARRIERS = ("usps", "ups", "fedex", "dhl")
"""The codes of Magento's own carriers; any other makes the storefront's pop-up ask a carrier that does not exist."""
LONGEST_TITLE = 100
LONGEST_COMMENT = 1_000

_NOT_IN_A_NUMBER = re.compile(r"[^0-9A-Z]")
_WORD = re.compile(r"[a-z]+")


def push_shipment(store: Store, push: ShipmentPush) -> str:
    """A parcel with its number, or a number for a parcel; nothing when the order has that number already.

    Magento sends no mail about it (`notify` is false). Raises Retryable, and Permanent with Magento's reason.
    """
    order_id = _number(push.order_id, "order")
    parcels = search_all(store, "shipments", (Filter("order_id", order_id),), key="entity_id")
    for parcel in parcels:
        if _plain(push.number) in {_plain(_text(track, "track_number")) for track in _tracks(parcel)}:
            return f"parcel {number(parcel, 'entity_id')} has this number already"
    if push.shipment_id:
        return _add_track(store, push, parcels)
    made = write(store, "POST", f"order/{order_id}/ship", _new_parcel(store, push))
    return f"parcel {_id_in(store, made)} was made"


def push_status(store: Store, push: StatusPush) -> str:
    """Where a parcel is, as a comment for the merchant."""
    parcel = f"Parcel {push.number}" if push.number else "A parcel"
    words = push.words or f"{parcel}: {push.status.value.replace('_', ' ')}"
    return _comment(store, push.order_id, push.intent_id, f"{words} ({push.happened_at:%Y-%m-%d %H:%M} UTC)")


def push_note(store: Store, push: NotePush) -> str:
    """A comment for the merchant."""
    return _comment(store, push.order_id, push.intent_id, push.words)


def push_invoice_link(store: Store, push: LinkPush) -> str:
    """Where the invoice is, as a comment for the merchant."""
    return _comment(store, push.order_id, push.intent_id, f"Invoice {push.number}: {push.url}")


def mark(intent_id: str) -> str:
    """What a comment ends with, so that it is found again after an answer was lost; the same at every try."""
    return f"[connector {hashlib.sha256(intent_id.encode()).hexdigest()[:12]}]"


def carrier_code(carrier: str) -> str:
    """Magento's code of a carrier as people write it (`DHL Paket`, `UPS Standard`); `custom` for all others."""
    words = _WORD.findall(carrier.lower())
    return next((code for code in CARRIERS if words[:1] == [code]), "custom")


def _add_track(store: Store, push: ShipmentPush, parcels: list[Reader]) -> str:
    shipment_id = _number(push.shipment_id, "parcel")
    if not any(number(parcel, "entity_id") == int(shipment_id) for parcel in parcels):
        raise Permanent(f"the order has no parcel {shipment_id} any more, so its number was not added")
    fields = {"order_id": int(push.order_id), "parent_id": int(shipment_id), "weight": 0, "qty": 1, "description": ""}
    write(store, "POST", "shipment/track", {"entity": fields | _track(push)})
    return f"the number was added to parcel {shipment_id}"


def _new_parcel(store: Store, push: ShipmentPush) -> dict[str, object]:
    return {
        "items": _items(store, push) if push.items else [],
        "notify": False,
        "appendComment": False,
        "tracks": [_track(push)],
    }


def _track(push: ShipmentPush) -> dict[str, object]:
    title = one_line(push.carrier)[:LONGEST_TITLE] or "Parcel"
    return {"track_number": push.number, "title": title, "carrier_code": carrier_code(push.carrier)}


def _items(store: Store, push: ShipmentPush) -> list[dict[str, object]]:
    """How many of which row; a configurable product is shipped by its parent row (magento reference, section 4)."""
    order = _object(store, f"orders/{_number(push.order_id, 'order')}")
    rows = {_text(row, "item_id"): row for row in _readers(order, "items")}
    wanted: dict[str, Decimal] = {}
    for line_id, quantity in push.items:
        if line_id not in rows:
            raise Permanent(f"the order has no line {one_line(line_id)[:40]} any more, so the parcel was not made")
        parent = rows.get(_text(rows[line_id], "parent_item_id"))
        row_id = _text(parent, "item_id") if parent and _text(parent, "product_type") == "configurable" else line_id
        wanted[row_id] = wanted.get(row_id, Decimal(0)) + quantity
    return [{"order_item_id": int(row_id), "qty": quantity} for row_id, quantity in wanted.items()]


def _comment(store: Store, order: str, intent_id: str, words: str) -> str:
    order_id, ours = _number(order, "order"), mark(intent_id)
    route = f"orders/{order_id}/comments"
    for known in _readers(_object(store, route), "items"):
        if ours in _text(known, "comment"):
            return "the comment is there already"
    history = {
        "comment": f"{_one_line(words)} {ours}",
        "is_customer_notified": 0,
        "is_visible_on_front": 0,
        "parent_id": int(order_id),
    }
    if write(store, "POST", route, {"statusHistory": history}) is not True:
        raise Permanent(f"{store.access.host} did not take the comment")
    return "the comment was written"


def _one_line(words: str) -> str:
    """Words for a comment, as long as a merchant reads."""
    return " ".join(words.split())[:LONGEST_COMMENT]


def _object(store: Store, route: str) -> Reader:
    found = read(store, route)
    if not isinstance(found, dict):
        raise Retryable(f"{store.access.host} answered {route.partition('/')[0]} in another form than Magento does")
    return Reader(found)


def _readers(document: Reader, name: str) -> list[Reader]:
    """The objects of a list, whatever else is in it."""
    listed = document.value(name)
    return [Reader(item) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _tracks(parcel: Reader) -> list[Reader]:
    return _readers(parcel, "tracks")


def _text(document: Reader, name: str) -> str:
    try:
        return document.text(name)
    except UnreadableDelivery:
        return ""


def _plain(track_number: str) -> str:
    """A number as carriers compare it: without blanks and dashes."""
    return _NOT_IN_A_NUMBER.sub("", track_number.upper()) or track_number.strip()


def _number(key: str, what: str) -> str:
    if not (key.isascii() and key.isdigit()):
        raise Permanent(f"the {what}'s id is not one of Magento's")
    return key


def _id_in(store: Store, made: object) -> str:
    """The id that making something answers: a number, also as text."""
    made_id = number(Reader({"id": made}), "id")
    if not made_id:
        raise Permanent(f"{store.access.host} answered making a parcel without its id: look at the order in Magento")
    return str(made_id)
