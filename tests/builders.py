"""Sample orders, parcels, refunds and shops with amounts that add up; every part can be changed by name."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector.domain.order import (
    Address,
    Charge,
    LineItem,
    OrderSnapshot,
    Refund,
    Shipment,
    ShipmentItem,
    Tax,
    TrackingNumber,
)
from connector.domain.record import OrderRecord
from connector.domain.shop import Brand, Seller, Shop
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from notifications.channels.contract import Message

PLACED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PAID = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
SHIPPED = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
EXPECTED = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
REFUNDED = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
CONNECTED = datetime(2026, 11, 1, tzinfo=UTC)


def address(**changes: Any) -> Address:
    """A private person in Athens."""
    sample = Address(
        first_name="Eleni",
        last_name="Papadaki",
        lines=("Odos Ermou 18", "3rd floor"),
        city="Athina",
        postcode="105 63",
        country="GR",
        phone="+30 210 555 0142",
    )
    return replace(sample, **changes)


def line(**changes: Any) -> LineItem:
    """One line: two shirts, 10.00 off, 19 % tax inside the price."""
    sample = LineItem(
        line_id="line-1",
        sku="LIN-M-SAND",
        name="Linen shirt Marina",
        quantity=Decimal(2),
        total=Decimal("88.00"),
        subtotal=Decimal("98.00"),
        tax=Decimal("14.05"),
        taxes=(Tax("VAT", Decimal("14.05"), Decimal(19)),),
        details=(("Size", "M"), ("Colour", "Sand")),
    )
    return replace(sample, **changes)


def lines() -> tuple[LineItem, ...]:
    """Three lines that come to 142.90."""
    return (
        line(),
        line(
            line_id="line-2",
            sku="CUP-BLUE",
            name="Stoneware cup, blue glaze",
            quantity=Decimal(4),
            total=Decimal("50.00"),
            subtotal=Decimal("50.00"),
            tax=Decimal("7.98"),
            taxes=(Tax("VAT", Decimal("7.98"), Decimal(19)),),
            details=(),
        ),
        line(
            line_id="line-3",
            sku="CARD-01",
            name="Greeting card",
            quantity=Decimal(1),
            total=Decimal("4.90"),
            subtotal=Decimal("4.90"),
            tax=Decimal("0.78"),
            taxes=(Tax("VAT", Decimal("0.78"), Decimal(19)),),
            details=(("Text", "Happy birthday!"),),
        ),
    )


def order_snapshot(**changes: Any) -> OrderSnapshot:
    """A paid order of three lines: 142.90 for goods and 5.90 for shipping are 148.80, with 23.75 tax inside."""
    sample = OrderSnapshot(
        order_id="5001",
        number="#1042",
        updated_at=PAID,
        placed_at=PLACED,
        state=OrderState.OPEN,
        payment=PaymentState.PAID,
        status_word="paid",
        currency="EUR",
        total=Decimal("148.80"),
        subtotal=Decimal("142.90"),
        tax_total=Decimal("23.75"),
        shipping_total=Decimal("5.90"),
        discount_total=Decimal("10.00"),
        prices_include_tax=True,
        email="eleni@example.com",
        locale="el-GR",
        locale_source="customer_locale",
        customer_id="c-77",
        billing=address(),
        shipping=address(),
        lines=lines(),
        charges=(
            Charge(
                "shipping",
                "Standard",
                Decimal("5.90"),
                Decimal("0.94"),
                (Tax("VAT", Decimal("0.94"), Decimal(19)),),
            ),
        ),
        taxes=(Tax("VAT", Decimal("23.75"), Decimal(19)),),
        paid_at=PAID,
        payment_method="Visa",
    )
    return replace(sample, **changes)


def minimal_snapshot(**changes: Any) -> OrderSnapshot:
    """As little as a platform may tell: one line, no names, no addresses, nothing paid."""
    sample = OrderSnapshot(
        order_id="5002",
        number="1043",
        updated_at=PLACED,
        placed_at=PLACED,
        state=OrderState.OPEN,
        payment=PaymentState.PENDING,
        status_word="pending",
        currency="EUR",
        total=Decimal("4.90"),
        subtotal=Decimal("4.90"),
        tax_total=Decimal("0.00"),
        shipping_total=Decimal("0.00"),
        discount_total=Decimal("0.00"),
        prices_include_tax=False,
        lines=(LineItem("line-1", "", "Greeting card", Decimal(1), Decimal("4.90"), Decimal("4.90"), Decimal("0.00")),),
    )
    return replace(sample, **changes)


def shipment(**changes: Any) -> Shipment:
    """A parcel on its way with both shirts inside."""
    sample = Shipment(
        shipment_id="parcel-1",
        status=ShipmentStatus.IN_TRANSIT,
        status_word="in_transit",
        updated_at=SHIPPED,
        shipped_at=SHIPPED,
        estimated_delivery_at=EXPECTED,
        tracking=(TrackingNumber("RR123456785GR", "ELTA", "https://track.example.com/RR123456785GR"),),
        items=(ShipmentItem("line-1", Decimal(2)),),
    )
    return replace(sample, **changes)


def refund(**changes: Any) -> Refund:
    """12.50 back for one broken cup."""
    sample = Refund("refund-1", Decimal("12.50"), REFUNDED, "One cup arrived broken")
    return replace(sample, **changes)


def record(**changes: Any) -> OrderRecord:
    """What is known of the order of `order_snapshot`: no parcel, no refund, the language fixed as Greek."""
    sample = OrderRecord(
        shop_id="shop-1",
        order_id="5001",
        snapshot=order_snapshot(),
        locale="el",
        locale_source="order: customer_locale",
    )
    return replace(sample, **changes)


def seller(**changes: Any) -> Seller:
    """A company in Berlin."""
    sample = Seller(
        legal_name="Hafen & Hügel Handels GmbH",
        address=Address(lines=("Uferstraße 7",), city="Berlin", postcode="10115", country="DE"),
        tax_id="DE123456789",
        registration="Amtsgericht Berlin HRB 123456",
        email="hello@hafen-huegel.example",
        website="https://hafen-huegel.example",
    )
    return replace(sample, **changes)


def shop(**changes: Any) -> Shop:
    """A shop in Berlin, connected three weeks before its sample order. No platform has this name."""
    sample = Shop(
        shop_id="shop-1",
        platform="paper",
        key="k3y-of-the-sample-shop",
        name="Hafen & Hügel",
        host="hafen-huegel.example",
        connected_at=CONNECTED,
        locale="en",
        timezone="Europe/Berlin",
        country="DE",
        sender="shop@hafen-huegel.example",
        seller=seller(),
        brand=Brand(colour="#1f5c4d"),
    )
    return replace(sample, **changes)


def message(**changes: Any) -> Message:
    """The news of the parcel, to the customer of the sample order, without attachment."""
    sample = Message(
        message_id="1042.shipped.parcel-1@hafen-huegel.example",
        thread_id="1042@hafen-huegel.example",
        sender_name="Hafen & Hügel",
        sender_address="shop@hafen-huegel.example",
        recipient_name="Eleni Papadaki",
        recipient_address="eleni@example.com",
        subject="Your order #1042 is on its way",
        text="Hello Eleni,\nyour parcel is on its way.\n",
        html="<p>Hello Eleni,</p>\n<p>your parcel is on its way.</p>\n",
        locale="en",
        created_at=SHIPPED,
    )
    return replace(sample, **changes)
