"""What words may name: every placeholder with a sample, and its value for one message."""

from collections.abc import Mapping
from decimal import Decimal

from connector.domain.order import OrderSnapshot, Refund, Shipment
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.status import PaymentState
from notifications.formatting import Formats, clean, typed
from notifications.summary import parcel_position, still_to_leave

Values = dict[str, str | bool | None]

PLACEHOLDERS: Mapping[str, str | bool] = {
    "customer_name": "Maria",
    "shop_name": "Hafen & Hügel",
    "contact_email": "hello@hafen-huegel.example",
    "order_number": "#1042",
    "order_total": "€148.80",
    "order_date": "November 20, 2026",
    "paid": True,
    "payment_open": False,
    "document_attached": True,
    "ships": True,
    "tells_payment": True,
    "tells_shipping": True,
    "tells_refund": True,
    "parcel_number": "1",
    "parcel_count": "3",
    "parcel_is_part": True,
    "tracked": True,
    "delivered_date": "November 23, 2026",
    "refund_amount": "€12.50",
    "refund_date": "November 25, 2026",
    "refund_reason": "One cup arrived broken",
    "refund_is_full": False,
    "refund_completes": False,
    "refunded_total": "€12.50",
    "nothing_taken": False,
    "refund_open": False,
}
"""Everything that words may name, with a sample; what does not apply is nil or false."""

_NOTHING_TAKEN = frozenset({PaymentState.PENDING, PaymentState.AUTHORIZED, PaymentState.VOIDED, PaymentState.FAILED})


def placeholders(
    record: OrderRecord,
    snapshot: OrderSnapshot,
    shop: Shop,
    formats: Formats,
    *,
    shipment: Shipment | None,
    refund: Refund | None,
    paid: bool,
    attached: bool,
) -> Values:
    """A value for each of PLACEHOLDERS, cleaned and formatted. `paid`: whether the message says that the order is paid;
    `attached`: whether a document goes with it."""
    values = {
        "customer_name": greeting_name(snapshot, formats.locale),
        "shop_name": clean(shop.name, 60),
        "contact_email": clean(shop.seller.email, 100),
        "order_number": clean(snapshot.number, 40),
        "order_total": formats.money(snapshot.total, snapshot.currency),
        "order_date": formats.date(snapshot.placed_at),
        "paid": paid,
        "payment_open": not paid and snapshot.payment is PaymentState.PENDING,
        "document_attached": attached,
        "ships": snapshot.needs_shipping,
        "tells_payment": shop.is_told("payment_received"),
        "tells_shipping": shop.is_told("shipped") and still_to_leave(record, snapshot),
        "tells_refund": shop.is_told("refunded"),
        **_parcel(record, snapshot, shipment, formats),
        **_refund(record, snapshot, refund, formats),
    }
    # To Liquid an empty string is true.
    return {name: None if value == "" else value for name, value in values.items()}


def greeting_name(snapshot: OrderSnapshot, locale: str) -> str:
    """The customer's first name, or nothing.

    Greek names of men change when they are addressed (Γιώργος, Γιώργο), which no rule gets right for all: they are
    greeted without the name rather than with a wrong one.
    """
    people = (address for address in (snapshot.billing, snapshot.shipping) if address)
    name = next((name for name in (typed(address.first_name, 40) for address in people) if name), "")
    return "" if locale == "el" and name.lower().endswith(("ς", "σ")) else name


def _parcel(
    record: OrderRecord, snapshot: OrderSnapshot, shipment: Shipment | None, formats: Formats
) -> dict[str, str | bool]:
    if shipment is None:
        return dict.fromkeys(("parcel_number", "parcel_count", "delivered_date"), "") | {
            "parcel_is_part": False,
            "tracked": False,
        }
    position = parcel_position(record, snapshot, shipment)
    return {
        "parcel_number": str(position.number),
        "parcel_count": str(position.count) if position.count else "",
        "parcel_is_part": position.is_part,
        "tracked": any(clean(one.number) for one in shipment.tracking),
        "delivered_date": formats.date(shipment.delivered_at) if shipment.delivered_at else "",
    }


def _refund(
    record: OrderRecord, snapshot: OrderSnapshot, refund: Refund | None, formats: Formats
) -> dict[str, str | bool]:
    returned = sum((one.amount for one in record.refunds), Decimal())
    return {
        "refund_amount": formats.money(refund.amount, snapshot.currency) if refund else "",
        "refund_date": formats.date(refund.refunded_at) if refund else "",
        "refund_reason": typed(refund.reason, 300) if refund else "",
        "refund_is_full": bool(refund and refund.amount == snapshot.total),
        "refund_completes": returned == snapshot.total,
        "refunded_total": formats.money(returned, snapshot.currency) if record.refunds else "",
        "nothing_taken": not record.refunds and snapshot.payment in _NOTHING_TAKEN,
        "refund_open": not record.refunds and snapshot.payment.settled,
    }
