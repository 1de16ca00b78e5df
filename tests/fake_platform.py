"""A platform without quirks: plain JSON orders, signed by HMAC in hex; the contract suite runs over it too."""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from adapters.contract import Manifest, Traits
from adapters.reading import Reader, read_json, read_object
from connector.domain.delivery import (
    Delivery,
    Ignored,
    LookAgain,
    RefundUpdate,
    ShipmentUpdate,
    ShopEvent,
    ShopEventKind,
    Subject,
    Update,
)
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import LineItem, OrderSnapshot, Refund, Shipment, TrackingNumber
from connector.domain.shop import Shop
from connector.domain.signing import Encoding, HmacSignature, Secrets, UnsignedPing
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from tests.fake_connect import CONNECT
from webhooks.verification import sign

SECRET = "the fake shop's secret"
SECRETS = Secrets(shared=(SECRET,))
SIGNATURE = HmacSignature(headers=("x-fake-signature",), encoding=Encoding.HEX)
Word = TypeVar("Word", bound=Enum)
RECEIVED = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)


def order_document(**changes: Any) -> dict[str, Any]:
    """An order as the fake platform tells it: paid, one line, nothing shipped; every field can be changed by name."""
    sample = {
        "type": "order",
        "id": "1001",
        "number": "F-1001",
        "updated_at": "2026-11-20T09:30:00Z",
        "placed_at": "2026-11-20T09:30:00Z",
        "state": "open",
        "payment": "paid",
        "currency": "EUR",
        "total": "47.90",
        "tax": "7.65",
        "shipping": "4.90",
        "discount": "0.00",
        "email": "eleni@example.test",
        "locale": "el",
        "lines": [{"id": "1", "sku": "LIN-M", "name": "Linen shirt", "quantity": 2, "total": "43.00"}],
        "shipments": [],
        "refunds": [],
    }
    return sample | changes


def shipment_document(**changes: Any) -> dict[str, Any]:
    """A parcel on its way, to put into an order's `shipments` or into a document of type `shipment`."""
    sample = {
        "id": "S1",
        "status": "in_transit",
        "updated_at": "2026-11-21T14:00:00Z",
        "shipped_at": "2026-11-21T14:00:00Z",
        "carrier": "Courier",
        "numbers": ["FAKE0001"],
    }
    return sample | changes


def refund_document(**changes: Any) -> dict[str, Any]:
    """Ten euros back, to put into an order's `refunds` or into a document of type `refund`."""
    return {"id": "R1", "amount": "10.00", "at": "2026-11-22T08:00:00Z", "reason": "Damaged"} | changes


def encoded(document: object) -> bytes:
    """The bytes the fake platform posts."""
    return json.dumps(document, ensure_ascii=False).encode()


def signed_headers(body: bytes, *, secret: str = SECRET, delivery_id: str = "d-1") -> dict[str, str]:
    """The headers it posts them with; only the body is signed."""
    signature = sign(SIGNATURE, body, secret)
    return {"content-type": "application/json", "x-fake-signature": signature, "x-fake-delivery-id": delivery_id}


def delivery(document: object, *, received_at: datetime = RECEIVED, delivery_id: str = "d-1") -> Delivery:
    """A genuine delivery of a document (or of a list of documents: a batch)."""
    body = encoded(document)
    return Delivery("fake", signed_headers(body, delivery_id=delivery_id), body, received_at)


def _idempotency_key(delivery: Delivery) -> str:
    key = hashlib.sha256(delivery.body).hexdigest()
    if b'"hint"' not in delivery.body:
        return key
    delivery_id = delivery.headers.get("x-fake-delivery-id", "").encode("utf-8", "replace")
    return f"{key}:{hashlib.sha256(delivery_id).hexdigest()[:16]}"


def _parse(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    document = read_json(delivery.body)
    if isinstance(document, list) and document:
        return tuple(_update(entry) for entry in Reader({"batch": document}).items("batch"))
    return (_update(read_object(delivery.body)),)


def _resolve(hint: LookAgain, answer: bytes, shop: Shop) -> Update:
    return _update(read_object(answer))


def _update(document: Reader) -> Update:
    kind = document.text("type")
    if kind == "order":
        return _order(document)
    if kind == "shipment":
        shipment = _shipment(document.part("shipment"))
        return ShipmentUpdate(document.key("order_id"), shipment, partial=document.flag("partial"))
    if kind == "refund":
        return RefundUpdate(document.key("order_id"), _refund(document.part("refund")))
    if kind == "hint":
        order_id = document.key("order_id") if document.has("order_id") else ""
        subject = Subject(document.text("subject") or "order")
        return LookAgain(subject, document.text("subject_id") or order_id, order_id, "something changed")
    if kind == "asks":
        return ShopEvent(ShopEventKind(document.text("kind")), RECEIVED, email=document.text("email"), request_id="r-9")
    if kind == "gone":
        return Ignored("the order no longer exists")
    raise UnreadableDelivery(field="type", why="it is no type of document", accepted="order, shipment, refund, hint")


def _order(document: Reader) -> OrderSnapshot:
    lines = tuple(
        LineItem(
            line_id=line.key("id"),
            sku=line.text("sku"),
            name=line.text("name"),
            quantity=line.amount("quantity"),
            total=line.amount("total"),
            subtotal=line.amount("total"),
            tax=Decimal(0),
        )
        for line in document.items("lines")
    )
    return OrderSnapshot(
        order_id=document.key("id"),
        number=document.text("number"),
        updated_at=document.moment("updated_at"),
        placed_at=document.moment("placed_at"),
        state=_word(OrderState, document.text("state"), OrderState.UNKNOWN),
        payment=_word(PaymentState, document.text("payment"), PaymentState.UNKNOWN),
        status_word=document.text("state"),
        currency=document.text("currency"),
        total=document.amount("total"),
        subtotal=sum((line.total for line in lines), Decimal(0)),
        tax_total=document.amount("tax"),
        shipping_total=document.amount("shipping"),
        discount_total=document.amount("discount"),
        prices_include_tax=True,
        email=document.text("email"),
        locale=document.text("locale"),
        locale_source="locale" if document.has("locale") else "",
        lines=lines,
        refunds=tuple(_refund(refund) for refund in document.items("refunds")),
        shipments=tuple(_shipment(shipment) for shipment in document.items("shipments")),
        shipments_are_complete=True,
        paid_at=document.moment_if_any("paid_at"),
        cancelled_at=document.moment_if_any("cancelled_at"),
        completed_at=document.moment_if_any("completed_at"),
    )


def _shipment(document: Reader) -> Shipment:
    return Shipment(
        shipment_id=document.key("id"),
        status=_word(ShipmentStatus, document.text("status"), ShipmentStatus.UNKNOWN),
        status_word=document.text("status"),
        updated_at=document.moment("updated_at"),
        shipped_at=document.moment_if_any("shipped_at"),
        delivered_at=document.moment_if_any("delivered_at"),
        tracking=tuple(TrackingNumber(number, document.text("carrier")) for number in document.texts("numbers")),
    )


def _refund(document: Reader) -> Refund:
    return Refund(document.key("id"), document.amount("amount"), document.moment("at"), document.text("reason"))


def _word(kind: type[Word], word: str, unknown: Word) -> Word:
    return kind(word) if word in {one.value for one in kind} else unknown


MANIFEST = Manifest(
    name="fake",
    title="Fake platform",
    signatures=(SIGNATURE,),
    idempotency_key=_idempotency_key,
    parse=_parse,
    resolve=_resolve,
    traits=Traits(
        redelivers_for_hours=24,
        names_event_in_request=True,
        signs="HMAC-SHA256 of the raw body, hex",
        shipments_in_order="all of them",
        customer_language="a field of the order",
    ),
    ping=UnsignedPing(content_type="application/x-www-form-urlencoded", fields=("ping",)),
    connect=CONNECT,
)
