"""A small store that sends genuinely signed order webhooks, for tests of the whole road."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import adapters
from connector.domain.order import Address
from connector.domain.shop import Seller, Shop
from connector.domain.signing import HmacSignature, Secrets
from connector.flow.service import Service
from connector.tables import shops
from webhooks.verification import sign

SECRET = "store-secret-0123456789"
PLATFORM = adapters.NAMES[1]
SIGNATURE = next(one for one in adapters.manifest(PLATFORM).signatures if isinstance(one, HmacSignature))


@dataclass(frozen=True, slots=True)
class Post:
    """A webhook ready to send."""

    headers: dict[str, str]
    body: bytes


def shop(shop_id: str = "shop-1", **changes: Any) -> Shop:
    """A connected shop with everything an invoice needs."""
    values: dict[str, Any] = {
        "platform": PLATFORM,
        "key": f"key-{shop_id}",
        "name": "Linen & Co",
        "host": f"{shop_id}.example.test",
        "connected_at": datetime.now(UTC) - timedelta(days=30),
        "locale": "en",
        "timezone": "Europe/Athens",
        "country": "GR",
        "seller": Seller(
            legal_name="Linen & Co OE",
            address=Address(lines=("Ermou 1",), city="Athina", postcode="105 63", country="GR"),
            tax_id="EL123456789",
        ),
    }
    return Shop(shop_id=shop_id, **{**values, **changes})


def connect(service: Service, connected: Shop | None = None) -> Shop:
    """Save a shop with the store's secret."""
    connected = connected or shop()
    with service.database.write() as connection:
        shops.save(connection, connected, Secrets((SECRET,)), service.seal)
    service.shops.forget()
    return connected


def order(number: int, *, modified_seconds: int = 0, **changes: Any) -> dict[str, Any]:
    """An order document of one line in the platform's shape, placed a minute ago."""
    placed = datetime.now(UTC) - timedelta(minutes=1)
    stamp = f"{placed:%Y-%m-%dT%H:%M:%S}"
    modified = f"{placed + timedelta(seconds=modified_seconds):%Y-%m-%dT%H:%M:%S}"
    document: dict[str, Any] = {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": False,
        "date_created_gmt": stamp,
        "date_modified_gmt": modified,
        "date_paid_gmt": stamp,
        "date_completed_gmt": None,
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "4.90",
        "shipping_tax": "0.93",
        "cart_tax": "7.60",
        "total": "53.41",
        "total_tax": "8.53",
        "customer_id": 0,
        "billing": {
            "first_name": "Ann",
            "last_name": "Guest",
            "company": "",
            "address_1": "1 Main",
            "address_2": "",
            "city": "Athina",
            "state": "",
            "postcode": "10563",
            "country": "GR",
            "email": f"customer{number}@example.test",
            "phone": "",
        },
        "shipping": {
            "first_name": "Ann",
            "last_name": "Guest",
            "address_1": "1 Main",
            "city": "Athina",
            "country": "GR",
        },
        "payment_method_title": "Card",
        "customer_note": "",
        "created_via": "checkout",
        "needs_processing": True,
        "meta_data": [],
        "line_items": [
            {
                "id": 1,
                "name": "Linen shirt",
                "sku": "LIN-M",
                "quantity": 2,
                "subtotal": "39.98",
                "subtotal_tax": "7.60",
                "total": "39.98",
                "total_tax": "7.60",
                "taxes": [{"id": 1, "total": "7.60", "subtotal": "7.60"}],
                "meta_data": [],
            }
        ],
        "tax_lines": [
            {
                "id": 2,
                "rate_id": 1,
                "label": "VAT",
                "tax_total": "7.60",
                "shipping_tax_total": "0.93",
                "rate_percent": 19,
                "compound": False,
            }
        ],
        "shipping_lines": [
            {
                "id": 3,
                "method_title": "Courier",
                "total": "4.90",
                "total_tax": "0.93",
                "taxes": [{"id": 1, "total": "0.93", "subtotal": ""}],
            }
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    }
    return {**document, **changes}


def post(document: object, *, topic: str = "order.updated", delivery_id: str = "d-1") -> Post:
    """A document as the store would send it."""
    return post_bytes(json.dumps(document).encode(), topic=topic, delivery_id=delivery_id)


def post_bytes(body: bytes, *, topic: str = "order.updated", delivery_id: str = "d-1") -> Post:
    """Any bytes, genuinely signed."""
    headers = {
        "content-type": "application/json",
        SIGNATURE.headers[0]: sign(SIGNATURE, body, SECRET),
        "x-wc-webhook-topic": topic,
        "x-wc-webhook-delivery-id": delivery_id,
    }
    return Post(headers, body)
