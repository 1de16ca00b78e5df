"""What is written back to a WooCommerce order (reference, section 5); each looks first whether it is there already.

Nothing here mails a customer, moves money or changes an order's status. Each write echoes as order.updated.
"""

import hashlib
import html
import re
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from adapters.contract import Pushes, Store
from adapters.reading import Reader
from adapters.woocommerce.client import (
    API,
    GONE,
    NO_ROUTE,
    Client,
    Refused,
    client_of,
    document_of,
    documents_of,
    order_path,
)
from adapters.woocommerce.orders import read_meta
from connector.domain.errors import UnreadableDelivery
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush

TRACKING_ITEMS = "_wc_shipment_tracking_items"
INVOICE_NUMBER, INVOICE_URL = "_connector_invoice_number", "_connector_invoice_url"
MARK = "_connector_mark"
FULFILLMENT = "fulfillment-"
"""How `tracking` names a parcel that is a core fulfillment."""
_BUILT_IN = {"ups": "ups", "dhl": "dhl"}
"""Carriers whose key WooCommerce is known to have; any other is `other` with its name (reference, section 5.1)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST_NOTE = 1_000


def push_shipment(store: Store, push: ShipmentPush) -> str:
    """Into the best place this shop has: core fulfillments, a tracking plugin, or the field those plugins read."""
    client, features, done = client_of(store), store.access.features, ""
    if features.get("fulfillments") == "yes":
        done = _as_fulfillment(client, push)
    if not done and features.get("trackings"):
        done = _as_tracking(store, client, push)
    return done or _as_meta(store, client, push)


def push_status(store: Store, push: StatusPush) -> str:
    """A private note; WooCommerce has no place for where a parcel is, and the order's own status stays as it is."""
    words = push.words or f"Parcel {push.number or push.shipment_id}: {push.status.value.replace('_', ' ')}"
    return _note(client_of(store), push.order_id, words, push.intent_id)


def push_note(store: Store, push: NotePush) -> str:
    """A private note."""
    return _note(client_of(store), push.order_id, push.words, push.intent_id)


def push_invoice_link(store: Store, push: LinkPush) -> str:
    """Number and address of the invoice as hidden fields of the order."""
    client = client_of(store)
    order = _order(client, push.order_id, "id,meta_data")
    meta = read_meta(order)
    wanted = {INVOICE_NUMBER: push.number, INVOICE_URL: push.url}
    if all(meta.get(key) == value for key, value in wanted.items()):
        return "the invoice stood in the order already"
    _write_meta(client, push.order_id, order, wanted)
    return "the invoice stands in the order's fields now"


def _as_fulfillment(client: Client, push: ShipmentPush) -> str:
    """Empty when fulfillments were switched off since, or all there is to send is in numbered parcels already."""
    path = f"{order_path(push.order_id)}/fulfillments"
    try:
        known = [one for one in documents_of(client.get(path)) if not one.has("date_deleted")]
    except Refused as refused:
        if refused.code != NO_ROUTE:
            raise
        return ""
    fields = {one.key("id"): _fields(one) for one in known}
    if any(_says(one, push) for one in fields.values()):
        return "the number stood in a fulfillment already"
    parcel_id = push.shipment_id.removeprefix(FULFILLMENT)
    if push.shipment_id.startswith(FULFILLMENT) and parcel_id in fields:
        meta = fields[parcel_id] | _told_of(push)
        client.put(f"{path}/{parcel_id}", _fulfillment(meta))
        return f"fulfillment {parcel_id} has the number now"
    items = _whole(push.items) or _still_to_send(client, push.order_id, list(fields.values()))
    if not items:
        return ""
    made = client.post(path, _fulfillment({"_items": items} | _told_of(push)))
    return f"fulfillment {document_of(made).text('id')[:20]} was made"


def _fulfillment(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """All fields, as what is not sent is deleted; the customer is not mailed."""
    listed = [{"key": key, "value": value} for key, value in meta.items()]
    return {"status": "fulfilled", "is_fulfilled": True, "notify_customer": False, "meta_data": listed}


def _fields(fulfillment: Reader) -> dict[str, Any]:
    return {entry.text("key"): entry.value("value") for entry in fulfillment.items("meta_data")}


def _says(fields: Mapping[str, Any], push: ShipmentPush) -> bool:
    return fields.get("_tracking_number") == push.number or fields.get(MARK) == _mark(push.intent_id)


def _told_of(push: ShipmentPush) -> dict[str, Any]:
    told: dict[str, Any] = {"_tracking_number": push.number}
    built_in = _BUILT_IN.get(push.carrier.casefold())
    if push.carrier:
        told["_shipment_provider"] = built_in or "other"
    if push.carrier and not built_in:
        told["_provider_name"] = push.carrier
    if push.url:
        told["_tracking_url"] = push.url
    if push.shipped_at:
        told["_date_fulfilled"] = push.shipped_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return told | {MARK: _mark(push.intent_id)}


def _whole(items: tuple[tuple[str, Decimal], ...]) -> list[dict[str, int | float]]:
    return [{"item_id": int(line), "qty": _number(quantity)} for line, quantity in items if quantity > 0]


def _still_to_send(client: Client, order_id: str, fulfillments: list[dict[str, Any]]) -> list[dict[str, int | float]]:
    """What is in no fulfillment yet; WooCommerce itself does not count (reference, section 5.1)."""
    left = {
        line.key("id"): line.amount("quantity")
        for line in _order(client, order_id, "id,line_items").items("line_items")
    }
    for fields in fulfillments:
        for item in Reader(fields).items("_items"):
            line = item.key("item_id")
            left[line] = left.get(line, Decimal(0)) - item.amount("qty")
    return _whole(tuple(left.items()))


def _as_tracking(store: Store, client: Client, push: ShipmentPush) -> str:
    """Empty when the plugin is gone since, or does not take the number. One posted twice would be there twice
    (reference, section 5.2).

    Advanced Shipment Tracking takes letters, digits, blanks and hyphens, and says of all else that the order is not
    there (class-wc-advanced-shipment-tracking-rest-api-controller.php, create_item).
    """
    path = f"{store.access.features['trackings']}{order_path(push.order_id).removeprefix(API)}/shipment-trackings"
    try:
        known = documents_of(client.get(path))
    except Refused as refused:
        if refused.code != NO_ROUTE:
            raise
        return ""
    if any(one.text("tracking_number") == push.number for one in known):
        return "the number stood in the order already"
    moment = (push.shipped_at or store.clock.now()).astimezone(UTC)
    told = {
        "tracking_number": push.number,
        "custom_tracking_provider": push.carrier,
        "custom_tracking_link": push.url,
        "date_shipped": f"{moment:%Y-%m-%d}",
        "status_shipped": 0,
        "replace_tracking": 0,
    }
    try:
        client.post(path, told)
    except Refused as refused:
        if refused.code not in GONE:
            raise
        return ""
    return "the number was given to the tracking plugin"


def _as_meta(store: Store, client: Client, push: ShipmentPush) -> str:
    """Into the field the tracking plugins share, and as a note, as without a plugin no page shows that field."""
    sender = f" with {push.carrier}" if push.carrier else ""
    link = f": {push.url}" if push.url else ""
    _note(client, push.order_id, f"Shipped{sender}, tracking number {push.number}{link}", push.intent_id)
    order = _order(client, push.order_id, "id,meta_data")
    known = read_meta(order).get(TRACKING_ITEMS) or []
    entries = list(known.values()) if isinstance(known, dict) else known
    if not isinstance(entries, list):
        return "the number stands in a note; the order's tracking field holds something else"
    if any(isinstance(one, dict) and one.get("tracking_number") == push.number for one in entries):
        return "the number stood in the order already"
    moment = push.shipped_at or store.clock.now()
    entry = {
        "tracking_provider": "",
        "custom_tracking_provider": push.carrier,
        "custom_tracking_link": push.url,
        "tracking_number": push.number,
        "date_shipped": int(moment.timestamp()),
        "tracking_id": hashlib.sha256(push.intent_id.encode()).hexdigest()[:32],
    }
    _write_meta(client, push.order_id, order, {TRACKING_ITEMS: [*entries, entry]})
    return "the number stands in the order's tracking field and in a note now"


def _order(client: Client, order_id: str, fields: str) -> Reader:
    return document_of(client.get(order_path(order_id), {"_fields": fields}))


def _write_meta(client: Client, order_id: str, order: Reader, wanted: Mapping[str, Any]) -> None:
    """Over the fields that are there, by their ids, and new ones beside them; everything else stays."""
    entries = (entry for entry in order.values("meta_data") if isinstance(entry, dict))
    ids = {str(entry.get("key")): entry.get("id") for entry in entries}
    fields = [{"key": key, "value": value} | ({"id": ids[key]} if key in ids else {}) for key, value in wanted.items()]
    client.put(order_path(order_id), {"meta_data": fields})


def _note(client: Client, order_id: str, words: str, intent_id: str) -> str:
    """Words become text: WordPress shows a note as HTML. Its mark tells a later try that it is there."""
    path, mark = f"{order_path(order_id)}/notes", f"[Connector {_mark(intent_id)}]"
    if any(_holds(note, mark) for note in documents_of(client.get(path, {"type": "internal"}))):
        return "the note stood in the order already"
    text = html.escape(_CONTROL.sub(" ", words).strip()[:_LONGEST_NOTE], quote=False)
    client.post(path, {"note": f"{text} {mark}", "customer_note": False})
    return "a private note was written"


def _holds(note: Reader, mark: str) -> bool:
    try:
        return mark in note.text("note")
    except UnreadableDelivery:
        return False


def _mark(intent_id: str) -> str:
    return hashlib.sha256(intent_id.encode()).hexdigest()[:10]


def _number(quantity: Decimal) -> int | float:
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


PUSHES = Pushes(shipment=push_shipment, status=push_status, note=push_note, invoice_link=push_invoice_link)
