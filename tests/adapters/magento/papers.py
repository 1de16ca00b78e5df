"""Magento documents for tests, in the shape its REST service gives; every field can be changed by name."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters import manifest
from connector.domain.delivery import Delivery, Update
from connector.domain.order import OrderSnapshot
from connector.domain.shop import Shop
from tests import builders

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
MANIFEST = manifest("magento")
ASYNC = {"x-magento-signature": "checked-before"}
PING = {"x-connector-secret": "checked-before"}
IO = {"x-adobe-digital-signature-1": "checked-before"}
COMMERCE = {"x-adobe-commerce-webhook-signature": "checked-before"}


def shop(**changes: Any) -> Shop:
    return builders.shop(platform="magento", store_locales=(("1", "de_DE"), ("3", "ar_KW")), **changes)


def row(item_id: int = 11, **changes: Any) -> dict[str, Any]:
    """One cup at 10.00 with 1.90 tax."""
    sample = {
        "item_id": item_id,
        "sku": f"CUP-{item_id}",
        "name": "Small cup",
        "product_type": "simple",
        "price": 10,
        "qty_ordered": 1,
        "row_total": 10,
        "discount_amount": 0,
        "discount_tax_compensation_amount": 0,
        "tax_amount": Decimal("1.9"),
        "tax_percent": 19,
        "is_virtual": 0,
    }
    return sample | changes


def order(**changes: Any) -> dict[str, Any]:
    """An unpaid order of one cup: 10.00 and 5.00 shipping and 2.85 tax are 17.85."""
    sample: dict[str, Any] = {
        "entity_id": 7,
        "increment_id": "000000007",
        "order_currency_code": "EUR",
        "state": "new",
        "status": "pending",
        "created_at": "2026-11-20 09:30:00",
        "updated_at": "2026-11-20 09:30:01",
        "customer_email": "mira@example.test",
        "store_id": 1,
        "subtotal": 10,
        "shipping_amount": 5,
        "shipping_tax_amount": Decimal("0.95"),
        "shipping_description": "Parcel",
        "tax_amount": Decimal("2.85"),
        "discount_amount": 0,
        "grand_total": Decimal("17.85"),
        "total_due": Decimal("17.85"),
        "is_virtual": 0,
        "items": [row()],
        "billing_address": {
            "firstname": "Mira",
            "lastname": "Falkenrath",
            "country_id": "de",
            "street": ["Hafengang 7"],
        },
        "extension_attributes": {},
    }
    return sample | changes


def shipment(**changes: Any) -> dict[str, Any]:
    """A parcel with one cup, no tracking yet."""
    sample = {
        "entity_id": 61,
        "order_id": 7,
        "total_qty": 1,
        "shipment_status": None,
        "created_at": "2026-11-20 16:00:00",
        "updated_at": "2026-11-20 16:00:00",
        "items": [{"order_item_id": 11, "qty": 1}],
        "tracks": [],
    }
    return sample | changes


def track(**changes: Any) -> dict[str, Any]:
    sample = {
        "entity_id": 31,
        "order_id": 7,
        "parent_id": 61,
        "track_number": "00340434161094022115",
        "title": "DHL Paket",
        "carrier_code": "dhl",
        "created_at": "2026-11-20 18:00:00",
        "updated_at": "2026-11-20 18:00:00",
    }
    return sample | changes


def credit_memo(**changes: Any) -> dict[str, Any]:
    """11.90 back for the cup."""
    sample = {
        "entity_id": 71,
        "order_id": 7,
        "increment_id": "000000071",
        "state": 2,
        "adjustment": 0,
        "grand_total": Decimal("11.9"),
        "order_currency_code": "EUR",
        "created_at": "2026-11-21 08:00:00",
        "comments": [],
        "items": [],
    }
    return sample | changes


def encoded(document: object) -> bytes:
    """JSON with exact decimals, written as PHP writes them."""
    return json.dumps(document, default=float).encode()


def delivery(headers: Mapping[str, str], body: bytes, event: str = "", received_at: datetime = NOW) -> Delivery:
    return Delivery("magento", headers, body, received_at, event)


def parsed(headers: Mapping[str, str], document: object, event: str = "") -> Update:
    """What the first thing is that a verified delivery with this JSON body says."""
    return MANIFEST.parse(delivery(headers, encoded(document), event), shop())[0]


def signed(document: object, event: str = "") -> Update:
    """What an async-events delivery of this document says."""
    return parsed(ASYNC, {"data": document}, event)


def snapshot(**changes: Any) -> OrderSnapshot:
    """The snapshot that `order(**changes)` becomes."""
    update = signed(order(**changes))
    assert isinstance(update, OrderSnapshot), update
    return update
