"""Genuinely signed orders of 10,000 bytes, each another one, in the shape the platform sends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import adapters
from connector.database import Database
from connector.domain.clock import SystemClock
from connector.domain.delivery import Delivery
from connector.domain.order import Address
from connector.domain.shop import Brand, Seller, Shop
from connector.domain.signing import HmacSignature, Secrets
from connector.tables import inbox, shops
from connector.tables.inbox import Recorded
from connector.tables.shops import Seal
from webhooks.verification import sign

PLATFORM = "woocommerce"
SHOP_ID = "bench"
KEY = "bench-key"
PATH = f"/webhooks/{PLATFORM}/{KEY}"
SECRET = "made-up-for-measuring"
BODY_BYTES = 10_000
LINES = 8
SAMPLE = (
    Path(adapters.__file__).parent
    / PLATFORM
    / "samples/rich_eur_taxes_coupon_fee_shipping-processing__order.updated.http"
)


_first_ids = count(1, 100_000)


def next_ids() -> int:
    """The first of 100,000 ids that nobody else in this run uses."""
    return next(_first_ids)


def connect_shop(database: Database, seal: Seal) -> None:
    """The shop all deliveries come from, connected a month ago, with all that its invoices need."""
    seller = Seller(
        legal_name="Hafen & Hügel Handels GmbH",
        address=Address(lines=("Uferstraße 7",), city="Berlin", postcode="10115", country="DE"),
        tax_id="DE123456789",
        email="hello@hafen-huegel.example",
    )
    shop = Shop(
        shop_id=SHOP_ID,
        platform=PLATFORM,
        key=KEY,
        name="Hafen & Hügel",
        host="hafen-huegel.example",
        connected_at=datetime.now(UTC) - timedelta(days=30),
        locale="de",
        timezone="Europe/Berlin",
        country="DE",
        sender="shop@hafen-huegel.example",
        seller=seller,
        brand=Brand(colour="#1f5c4d"),
    )
    with database.write() as connection:
        shops.save(connection, shop, Secrets((SECRET,)), seal)


def bodies(count: int, *, first: int = 1) -> Iterator[bytes]:
    """Paid orders placed a moment ago, with ids from `first` on: each is mailed about, with an invoice."""
    placed = datetime.now(UTC) - timedelta(minutes=1)
    template = _template(placed)
    for order_id in range(first, first + count):
        yield template.replace(b"7000000000", b"%010d" % (1_000_000_000 + order_id))


def headers(body: bytes, delivery_id: int) -> dict[str, str]:
    """What the platform sends with a body, by lower-case name."""
    (signature,) = adapters.manifest(PLATFORM).signatures
    assert isinstance(signature, HmacSignature)
    return {
        "host": "127.0.0.1",
        "user-agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.1)",
        "accept": "*/*",
        "content-type": "application/json",
        "x-wc-webhook-source": "https://hafen-huegel.example/",
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-resource": "order",
        "x-wc-webhook-event": "updated",
        signature.headers[0]: sign(signature, body, SECRET),
        "x-wc-webhook-id": "1",
        "x-wc-webhook-delivery-id": f"{delivery_id:032x}",
        "content-length": str(len(body)),
    }


def request(body: bytes, delivery_id: int, path: str = PATH) -> bytes:
    """The whole request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers(body, delivery_id).items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def fill_inbox(database: Database, count: int, *, first: int = 1) -> None:
    """Record deliveries as the door would, many at a time."""
    waiting = [_recorded(body, number) for number, body in enumerate(bodies(count, first=first), first)]
    for start in range(0, count, 500):
        with database.write() as connection:
            inbox.record(database, connection, waiting[start : start + 500])


def _recorded(body: bytes, number: int) -> Recorded:
    delivery = Delivery(PLATFORM, headers(body, number), body, SystemClock().now())
    return Recorded(SHOP_ID, inbox.new_delivery_id(), adapters.manifest(PLATFORM).idempotency_key(delivery), delivery)


def _template(placed: datetime) -> bytes:
    """The sample with lines whose sums are right, filled up with what plugins store until it has its size."""
    order = json.loads(SAMPLE.read_bytes().split(b"\r\n\r\n", 1)[-1].split(b"\n\n", 1)[-1])
    moment = placed.strftime("%Y-%m-%dT%H:%M:%S")
    for name in ("date_created", "date_modified", "date_paid"):
        order[name] = order[f"{name}_gmt"] = moment
    order |= {
        "id": 7000000000,
        "number": "7000000000",
        "currency": "EUR",
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "5.00",
        "shipping_tax": "0.95",
        "cart_tax": f"{LINES * 3.8:.2f}",
        "total": f"{LINES * 23.8 + 5.95:.2f}",
        "total_tax": f"{LINES * 3.8 + 0.95:.2f}",
        "line_items": [_line(number) for number in range(1, LINES + 1)],
        "fee_lines": [],
        "coupon_lines": [],
    }
    order["billing"]["email"] = "customer-7000000000@example.test"
    order["tax_lines"] = [
        order["tax_lines"][0] | {"tax_total": f"{LINES * 3.8:.2f}", "shipping_tax_total": "0.95", "rate_percent": 19}
    ]
    order["shipping_lines"][0] |= {"total": "5.00", "total_tax": "0.95"}
    order["shipping_lines"][0]["taxes"] = [{"id": 1, "total": "0.95", "subtotal": ""}]
    missing = BODY_BYTES - len(_encoded(order)) - len(_encoded({"id": 100, "key": "_plugin_data", "value": ""})) - 1
    order["meta_data"].append({"id": 100, "key": "_plugin_data", "value": "attribution " * 1000})
    order["meta_data"][-1]["value"] = order["meta_data"][-1]["value"][:missing]
    encoded = _encoded(order)
    if len(encoded) != BODY_BYTES:
        raise ValueError(f"the order has {len(encoded)} bytes")
    return encoded


def _line(number: int) -> dict[str, object]:
    return {
        "id": number,
        "name": f"Stoneware cup no. {number}, blue glaze",
        "product_id": 10 + number,
        "variation_id": 0,
        "quantity": 2,
        "tax_class": "",
        "subtotal": "20.00",
        "subtotal_tax": "3.80",
        "total": "20.00",
        "total_tax": "3.80",
        "taxes": [{"id": 1, "total": "3.80", "subtotal": "3.80"}],
        "meta_data": [],
        "sku": f"CUP-{number}",
        "global_unique_id": "",
        "price": 10,
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def _encoded(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
