"""The recorded deliveries and answers of the adapter, as documents that a test can change."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import adapters.shopify
from adapters.reading import Reader
from adapters.shopify.orders import read_order
from connector.domain.delivery import Delivery, LookAgain, Subject, Update
from connector.domain.order import OrderSnapshot
from connector.domain.shop import Shop
from connector.inspection import read_stored_delivery

MANIFEST = adapters.shopify.MANIFEST
RECEIVED = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SHOP = Shop("shop-1", "shopify", "key-1", "Meltemi", "meltemi-goods.myshopify.com", datetime(2026, 1, 1, tzinfo=UTC))
HINT = LookAgain(Subject.ORDER, "6120934887713", "6120934887713", "asked for")

_SAMPLES = Path(adapters.shopify.__file__).parent / "samples"


def delivery(name: str) -> Delivery:
    """A recorded delivery."""
    return read_stored_delivery("shopify", (_SAMPLES / f"{name}.http").read_bytes(), received_at=RECEIVED)


def body(name: str) -> dict[str, Any]:
    """The document inside a recorded delivery, numbers exact."""
    return _loaded(delivery(name).body)


def answer(name: str) -> dict[str, Any]:
    """A recorded answer of the API, numbers exact."""
    return _loaded((_SAMPLES / f"{name}.answer.json").read_bytes())


def _loaded(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content, parse_float=Decimal)
    return found


def money(customer: str, shop: str, currency: str = "EUR", own: str = "USD") -> dict[str, Any]:
    """One amount in the customer's currency and in the shop's."""
    return {
        "presentment_money": {"amount": customer, "currency_code": currency},
        "shop_money": {"amount": shop, "currency_code": own},
    }


def order(name: str, change: Callable[[dict[str, Any]], object] | None = None) -> OrderSnapshot:
    """What a recorded order says, after an optional change of its document."""
    document = body(name)
    if change:
        change(document)
    return read_order(Reader(document), SHOP)


def posted(document: object, topic: str = "", **headers: str) -> Update:
    """What a document says when it is posted under a topic."""
    sent = {"x-shopify-topic": topic} | {name.replace("_", "-"): value for name, value in headers.items()}
    return MANIFEST.parse(Delivery("shopify", sent, _encoded(document), RECEIVED), SHOP)[0]


def resolved(document: object) -> Update:
    """What an answer of the API says."""
    return MANIFEST.resolve(HINT, _encoded(document), SHOP)


def _encoded(document: object) -> bytes:
    return json.dumps(document, default=float).encode()
