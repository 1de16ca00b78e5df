"""WooCommerce documents to change and read: recorded ones, signed as a shop would sign them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import adapters.woocommerce
from adapters.woocommerce import MANIFEST
from connector.domain.delivery import Delivery, LookAgain, Subject, Update
from connector.domain.order import OrderSnapshot
from connector.domain.shop import Shop
from connector.inspection import read_stored_delivery

SAMPLES = Path(adapters.woocommerce.__file__).parent / "samples"
RECEIVED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SHOP = Shop("shop-1", "woocommerce", "key-1", "Laden", "laden.example.test", RECEIVED, timezone="Europe/Berlin")
RICH = "rich_eur_taxes_coupon_fee_shipping"


def recorded(name: str) -> Delivery:
    """A delivery as it was recorded."""
    return read_stored_delivery("woocommerce", (SAMPLES / f"{name}.http").read_bytes(), received_at=RECEIVED)


def document(name: str = f"{RICH}-processing__order.updated", **changes: Any) -> dict[str, Any]:
    """A recorded document, with fields changed by name."""
    found = json.loads(recorded(name).body)
    assert isinstance(found, dict)
    return found | changes


def delivered(content: object, delivery_id: str = "d-1") -> Delivery:
    """A delivery of a document, or of these very bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Delivery("woocommerce", {"x-wc-webhook-delivery-id": delivery_id}, body, RECEIVED)


def read(content: object, shop: Shop = SHOP) -> Update:
    """The first thing a delivery of a document says."""
    return MANIFEST.parse(delivered(content), shop)[0]


def read_order(content: object, shop: Shop = SHOP) -> OrderSnapshot:
    """The order a delivery tells."""
    update = read(content, shop)
    assert isinstance(update, OrderSnapshot)
    return update


def order(name: str = f"{RICH}-processing__order.updated", **changes: Any) -> OrderSnapshot:
    """The order a recorded document with changed fields tells."""
    return read_order(document(name, **changes))


def with_meta(**fields: Any) -> OrderSnapshot:
    """An order whose plugins left these meta fields."""
    return order(meta_data=[{"id": 1, "key": key, "value": value} for key, value in fields.items()])


def answered(answer: object, order_id: str = "15") -> Update:
    """What an API answer to a hint at an order says."""
    hint = LookAgain(Subject.ORDER, order_id, order_id, "asked for")
    return MANIFEST.resolve(hint, json.dumps(answer).encode(), SHOP)
