"""What a delivery is, by its signed body and its unsigned headers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import Ignored, LookAgain, RefundUpdate, ShipmentUpdate, ShopEvent, Subject
from connector.domain.errors import UnreadableDelivery, UnverifiedDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.signing import Secrets
from tests.adapters.shopify.papers import MANIFEST, body, delivery, order, posted
from webhooks.verification import verify

RETURN = {"id": 12, "admin_graphql_api_id": "gid://shopify/Return/12", "status": "open"}


@pytest.mark.parametrize("topic", ["orders/create", "refunds/create", "app/uninstalled", "", "no topic", "x" * 9_000])
def test_the_body_decides_what_it_is_not_the_topic(topic: str) -> None:
    for name, kind in (
        ("order-created", OrderSnapshot),
        ("fulfillment-created", ShipmentUpdate),
        ("event-delivered", ShipmentUpdate),
        ("refund-with-shipping", RefundUpdate),
        ("order-edited", LookAgain),
        ("customer-redact", ShopEvent),
        ("draft-order", Ignored),
    ):
        assert isinstance(posted(body(name), topic), kind)


@pytest.mark.parametrize("name", ["order-created", "fulfillment-created", "event-delivered", "refund-with-shipping"])
def test_a_body_without_its_global_id_is_known_by_its_fields(name: str) -> None:
    document = {key: value for key, value in body(name).items() if key != "admin_graphql_api_id"}
    assert type(posted(document)) is type(posted(body(name)))


@pytest.mark.parametrize("topic", ["create", "paid", "updated", "cancelled", "fulfilled", "partially_fulfilled"])
def test_every_order_topic_brings_the_order(topic: str) -> None:
    assert posted(body("order-created"), f"orders/{topic}") == order("order-created")


def test_an_order_without_amounts_is_a_hint() -> None:
    expected = LookAgain(Subject.ORDER, "6120934887713", "6120934887713", "the order was told without its amounts")
    assert posted(body("order-in-outline"), "orders/updated") == expected
    assert posted({"id": 6120934887713, "updated_at": "2026-11-20T10:00:00Z"}, "orders/updated") == expected


def test_a_deleted_order_is_ignored() -> None:
    assert posted({"id": 77}, "orders/delete") == Ignored("the shop deleted the order", "77")


@pytest.mark.parametrize(
    "document",
    [
        RETURN | {"order": {"id": 4783296544800, "admin_graphql_api_id": "gid://shopify/Order/4783296544821"}},
        RETURN | {"order": {"id": 4783296544821}},
        RETURN | {"order_id": 4783296544821},
    ],
)
def test_a_return_makes_us_look_at_its_order(document: dict[str, Any]) -> None:
    update = posted(document, "returns/close")
    assert isinstance(update, LookAgain)
    assert update.order_id == "4783296544821"


def test_a_return_that_names_no_order_is_ignored() -> None:
    assert posted(RETURN, "returns/update") == Ignored("a return changed and does not say of which order")
    assert posted({}, "returns/process") == Ignored("an empty body says nothing (returns/process)")


def test_a_payment_makes_us_look_at_its_order() -> None:
    update = posted(body("payment-captured"))
    assert isinstance(update, LookAgain)
    assert update.order_id == "820982911946154509"


def test_both_header_prefixes_are_understood() -> None:
    events = delivery("order-paid-events-preview")
    assert not any(name.startswith("x-") for name in events.headers)
    verify(MANIFEST.signatures, events.headers, events.body, Secrets(shared=("old", *_secrets())))
    with pytest.raises(UnverifiedDelivery):
        verify(MANIFEST.signatures, events.headers, events.body + b" ", Secrets(shared=_secrets()))
    assert MANIFEST.shop_headers == ("x-shopify-shop-domain", "shopify-shop-domain")
    renamed = {name.replace("shopify-", "x-shopify-"): value for name, value in events.headers.items()}
    assert MANIFEST.idempotency_key(replace(events, headers=renamed)) == MANIFEST.idempotency_key(events)


def _secrets() -> tuple[str, ...]:
    return ("a-made-up-app-secret-for-the-samples",)


def test_a_replay_under_a_fresh_webhook_id_has_the_same_key() -> None:
    for name in ("order-created", "refund-with-shipping", "event-delivered", "order-edited"):
        once = delivery(name)
        again = replace(once, headers=dict(once.headers) | {"x-shopify-webhook-id": "fresh"})
        assert MANIFEST.idempotency_key(again) == MANIFEST.idempotency_key(once)


def test_the_same_words_meant_twice_have_two_keys() -> None:
    for name in ("app-uninstalled", "return-approved", "payment-captured"):
        once = delivery(name)
        again = replace(once, headers=dict(once.headers) | {"x-shopify-webhook-id": "another"})
        assert MANIFEST.idempotency_key(again) != MANIFEST.idempotency_key(once)
        retried = replace(once, headers=dict(once.headers) | {"x-shopify-triggered-at": "later"})
        assert MANIFEST.idempotency_key(retried) == MANIFEST.idempotency_key(once)


def test_one_event_id_never_hides_another_topic() -> None:
    placed = delivery("order-created")
    paid = replace(placed, headers=dict(placed.headers) | {"x-shopify-topic": "orders/paid"})
    assert placed.headers["x-shopify-event-id"] == paid.headers["x-shopify-event-id"]
    assert MANIFEST.idempotency_key(placed) != MANIFEST.idempotency_key(paid)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("demo.myshopify.com", "demo.myshopify.com"),
        (" Demo-2.MyShopify.com ", "demo-2.myshopify.com"),
        ("evil.com/x", None),
        ("demo.myshopify.com.evil.com", None),
        ("demo.myshopify.com/x", None),
        ("demo.myshopify.com\n", "demo.myshopify.com"),
        ("demo.myshopify.com\nx", None),
        ("evil.com#.myshopify.com", None),
        ("user@demo.myshopify.com", None),
        (".myshopify.com", None),
        ("-demo.myshopify.com", None),
        ("a.b.myshopify.com", None),
        ("dеmo.myshopify.com", None),  # a Cyrillic letter
        ("", None),
    ],
)
def test_only_a_shops_own_name_is_a_host(value: str, host: str | None) -> None:
    assert MANIFEST.shop_host is not None
    assert MANIFEST.shop_host(value) == host


@given(st.text(max_size=200))
def test_a_host_is_always_a_name_below_shopifys(value: str) -> None:
    assert MANIFEST.shop_host is not None
    host = MANIFEST.shop_host(value)
    assert host is None or (host.endswith(".myshopify.com") and host.isascii() and "/" not in host)


@pytest.mark.parametrize("name", ["order-created", "fulfillment-created", "event-delivered", "refund-with-shipping"])
def test_a_body_without_its_moments_is_refused_with_the_field(name: str) -> None:
    document = {key: value for key, value in body(name).items() if not key.endswith("_at")}
    with pytest.raises(UnreadableDelivery, match="_at: it is missing"):
        posted(document)
