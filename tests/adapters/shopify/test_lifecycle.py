"""What Shopify says about the connection itself: who left, which rights there are, whose data has to go."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.domain.delivery import Ignored, ShopEvent, ShopEventKind
from connector.domain.errors import UnreadableDelivery
from tests.adapters.shopify.papers import MANIFEST, RECEIVED, SHOP, body, delivery, posted

KINDS = {
    "app-uninstalled": ShopEventKind.UNINSTALLED,
    "scopes-updated": ShopEventKind.RIGHTS_CHANGED,
    "customer-data-request": ShopEventKind.DATA_REQUESTED,
    "customer-redact": ShopEventKind.CUSTOMER_REDACTED,
    "shop-redact": ShopEventKind.SHOP_REDACTED,
}
TOPICS = (
    "app/uninstalled",
    "app/scopes_update",
    "customers/data_request",
    "customers/redact",
    "shop/redact",
    "shop/update",
    "orders/create",
    "",
)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("topic", TOPICS)
def test_a_forged_topic_never_turns_one_event_into_another(name: str, topic: str) -> None:
    update = posted(body(name), topic)
    if name == "app-uninstalled" and topic != "app/uninstalled":
        assert isinstance(update, Ignored), "a shop's document says the same when only its name changed"
    else:
        assert isinstance(update, ShopEvent)
        assert update.kind is KINDS[name]


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"scopes-updated"}))
def test_an_event_of_another_shop_means_nothing_here(name: str) -> None:
    document = body(name)
    field = "shop_domain" if "shop_domain" in document else "myshopify_domain"
    document[field] = "another-shop.myshopify.com"
    for topic in TOPICS:
        assert posted(document, topic) == Ignored("about another shop than it came for")


def test_a_shop_that_left_without_its_signed_name_is_only_looked_at() -> None:
    update = posted(body("app-uninstalled") | {"myshopify_domain": None}, "app/uninstalled")
    assert isinstance(update, ShopEvent)
    assert update.kind is ShopEventKind.RIGHTS_CHANGED


def test_whose_data_it_is_about_is_read_from_the_body() -> None:
    asked = posted(body("customer-data-request"), "customers/data_request")
    assert isinstance(asked, ShopEvent)
    assert asked.order_ids == ("6120934887713", "6120934887990")
    assert (asked.customer_id, asked.email, asked.request_id) == ("7740021558881", "eleni@example.test", "30088")


def test_ids_of_64_bits_stay_whole() -> None:
    largest = 2**63 - 1
    document = body("customer-redact") | {"orders_to_redact": [largest], "customer": {"id": largest}}
    redacted = posted(document, "customers/redact")
    assert isinstance(redacted, ShopEvent)
    assert (redacted.order_ids, redacted.customer_id) == ((str(largest),), str(largest))


@pytest.mark.parametrize("told", [{"orders_to_redact": ["1; DROP"]}, {"orders_to_redact": 5}, {"customer": "eleni"}])
def test_a_redaction_that_cannot_be_understood_is_kept_for_a_person(told: dict[str, Any]) -> None:
    with pytest.raises(UnreadableDelivery):
        posted(body("customer-redact") | told, "customers/redact")


def test_a_form_of_the_body_nobody_knows_deletes_nothing() -> None:
    assert isinstance(posted(body("shop-redact") | {"reason": "new"}, "shop/redact"), Ignored)
    assert isinstance(posted({"shop_domain": SHOP.host}, "shop/redact"), Ignored)


def test_an_event_happened_when_its_body_says_else_when_shopify_says_else_when_it_came() -> None:
    scopes = posted(body("scopes-updated"), "app/scopes_update", x_shopify_triggered_at="2020-01-01T00:00:00Z")
    assert isinstance(scopes, ShopEvent)
    assert scopes.occurred_at == datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
    for told, occurred_at in (
        ("2026-11-24T08:00:00.000Z", datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ("2099-01-01T00:00:00Z", RECEIVED),
        ("soon", RECEIVED),
        ("", RECEIVED),
    ):
        left = posted(body("app-uninstalled"), "app/uninstalled", x_shopify_triggered_at=told)
        assert isinstance(left, ShopEvent)
        assert left.occurred_at == occurred_at


def test_an_uninstall_told_twice_is_one_and_told_again_later_is_another() -> None:
    once = delivery("app-uninstalled")
    again = replace(once, headers=dict(once.headers) | {"x-shopify-webhook-id": "another"})
    assert MANIFEST.idempotency_key(once) == MANIFEST.idempotency_key(delivery("app-uninstalled"))
    assert MANIFEST.idempotency_key(once) != MANIFEST.idempotency_key(again)
