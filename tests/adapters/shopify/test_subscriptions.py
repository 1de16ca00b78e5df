"""Webhooks of a shop: by the app's file for all shops, or one by one for a merchant's own app; never both."""

from typing import Any

import pytest

from adapters.contract import Store
from adapters.http import Answer
from adapters.shopify.app_file import LIFE_CYCLE, ORDERS
from adapters.shopify.client import AccessLost
from adapters.shopify.subscriptions import as_enum, subscribe, unsubscribe
from connector.domain.connection import Credentials, Endpoint, SubscriptionState
from connector.domain.errors import Permanent
from tests.adapters.shopify.shops import OPERATORS, OWN, operations, store, telling

OURS = "https://connector.example.test/webhooks/shopify"
ENDPOINT = Endpoint(f"{OURS}/k-1", OURS, "")
TOPICS = (*ORDERS, *LIFE_CYCLE)


class Subscriptions:
    """What Shopify keeps for an app in a shop, two a page."""

    def __init__(self, *made: tuple[str, str], credentials: Credentials = OWN, refused: str = "") -> None:
        self.kept: list[dict[str, Any]] = []
        self.number = 0
        self.refused = refused
        for topic, uri in made:
            self.create({"topic": as_enum(topic), "uri": uri})
        self.store: Store = telling(
            {
                "Webhooks": self.listed,
                "WebhookCreate": self.create,
                "WebhookDelete": self.delete,
                "Uninstall": {"appUninstall": {"userErrors": []}},
            },
            credentials,
        )

    def listed(self, variables: dict[str, Any]) -> object:
        at = int(variables["after"] or 0)
        info = {"hasNextPage": at + 2 < len(self.kept), "endCursor": str(at + 2)}
        return {"webhookSubscriptions": {"pageInfo": info, "nodes": self.kept[at : at + 2]}}

    def create(self, variables: dict[str, Any]) -> object:
        if variables["topic"] == self.refused:
            said = [{"field": ["topic"], "message": "You do not have permission to create or update webhooks"}]
            return {"webhookSubscriptionCreate": {"webhookSubscription": None, "userErrors": said}}
        if any((one["topic"], one["uri"]) == (variables["topic"], variables["uri"]) for one in self.kept):
            raise AssertionError("Shopify takes one address for one topic once")
        self.number += 1
        gid = f"gid://shopify/WebhookSubscription/{self.number}"
        plain = {"filter": "", "includeFields": [], "format": "JSON"}
        self.kept.append({"id": gid, "topic": variables["topic"], "uri": variables["uri"], **plain})
        return {"webhookSubscriptionCreate": {"webhookSubscription": {"id": gid}, "userErrors": []}}

    def delete(self, variables: dict[str, Any]) -> object:
        self.kept = [one for one in self.kept if one["id"] != variables["id"]]
        return {"webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": variables["id"], "userErrors": []}}

    def addresses(self) -> set[tuple[str, str]]:
        return {(one["topic"], one["uri"]) for one in self.kept}

    def changes(self) -> list[str]:
        return [name for name, _ in operations(self.store) if name != "Webhooks"]


ALL = {(as_enum(topic), ENDPOINT.address) for topic in TOPICS}


def test_a_merchants_own_app_gets_a_webhook_for_each_topic() -> None:
    shop = Subscriptions()
    subscribed = subscribe(shop.store, ENDPOINT)
    assert shop.addresses() == ALL
    assert {one.topic for one in subscribed.subscriptions} == set(TOPICS)
    assert {one.state for one in subscribed.subscriptions} == {SubscriptionState.ACTIVE}
    assert "orders/create was not there and is made" in subscribed.repairs


def test_what_stands_as_it_should_is_left_alone() -> None:
    shop = Subscriptions(*((topic, ENDPOINT.address) for topic in TOPICS))
    assert subscribe(shop.store, ENDPOINT).repairs == ()
    assert shop.changes() == []


def test_a_deleted_webhook_is_made_again_and_said() -> None:
    """Shopify deletes one after eight failures in a row (shopify reference, section 2.3)."""
    shop = Subscriptions(*((topic, ENDPOINT.address) for topic in TOPICS if topic != "orders/updated"))
    assert subscribe(shop.store, ENDPOINT).repairs == ("orders/updated was not there and is made",)
    assert shop.addresses() == ALL


def test_stale_doubled_and_slimmed_webhooks_of_ours_are_put_right_and_others_left_alone() -> None:
    others = "https://another-app.example.test/webhooks/shopify/k-1"
    shop = Subscriptions(
        ("orders/create", f"{OURS}/an-older-key"),
        ("orders/create", others),
        ("products/create", ENDPOINT.address),
        *((topic, ENDPOINT.address) for topic in TOPICS),
    )
    shop.kept[-1]["includeFields"] = ["id"]
    shop.kept[-2]["filter"] = "total_price:>100"
    shop.kept[-3]["format"] = "XML"
    shop.kept.append(shop.kept[5] | {"id": "gid://shopify/WebhookSubscription/99"})
    subscribe(shop.store, ENDPOINT)
    assert shop.addresses() == {*ALL, ("ORDERS_CREATE", others)}
    assert len(shop.kept) == len(shop.addresses()), "none is doubled"
    assert all(one["format"] == "JSON" and not one["filter"] and not one["includeFields"] for one in shop.kept)


def test_a_topic_the_app_may_not_hear_is_said_and_the_others_are_made() -> None:
    shop = Subscriptions(refused="FULFILLMENT_EVENTS_CREATE")
    states = {one.topic: one for one in subscribe(shop.store, ENDPOINT).subscriptions}
    assert states["fulfillment_events/create"].state is SubscriptionState.UNAVAILABLE
    assert "permission" in states["fulfillment_events/create"].remark
    assert states["orders/create"].state is SubscriptionState.ACTIVE


def test_the_operators_app_has_its_file_and_makes_none_besides() -> None:
    shop = Subscriptions(credentials=OPERATORS)
    subscribed = subscribe(shop.store, ENDPOINT)
    assert {one.state for one in subscribed.subscriptions} == {SubscriptionState.UNKNOWN}
    assert subscribed.sends
    assert operations(shop.store) == []


def test_webhooks_nobody_could_check_are_not_made() -> None:
    shop = Subscriptions(credentials=Credentials({"access_token": "shpat_own"}))
    subscribed = subscribe(shop.store, ENDPOINT)
    assert not subscribed.sends
    assert "client secret" in subscribed.subscriptions[0].remark
    assert operations(shop.store) == []


def test_taking_our_webhooks_back_leaves_those_of_others() -> None:
    others = "https://another-app.example.test/hooks"
    shop = Subscriptions(("orders/create", others), *((topic, ENDPOINT.address) for topic in TOPICS))
    unsubscribe(shop.store, ENDPOINT)
    assert shop.addresses() == {("ORDERS_CREATE", others)}


def test_the_operators_app_leaves_the_shop() -> None:
    shop = Subscriptions(credentials=OPERATORS)
    unsubscribe(shop.store, ENDPOINT)
    assert shop.changes() == ["Uninstall"]


def test_a_shop_that_threw_us_out_has_nothing_left_of_us() -> None:
    unsubscribe(store(lambda _: Answer(401, {}, b""), OWN), ENDPOINT)
    with pytest.raises(AccessLost):
        subscribe(store(lambda _: Answer(401, {}, b""), OWN), ENDPOINT)


def test_a_list_without_end_is_refused_before_anything_is_changed() -> None:
    numbers = iter(range(10**6))

    def listed(_: dict[str, Any]) -> object:
        return {
            "webhookSubscriptions": {"pageInfo": {"hasNextPage": True, "endCursor": f"{next(numbers)}"}, "nodes": []}
        }

    shop = telling({"Webhooks": listed}, OWN)
    with pytest.raises(Permanent, match="does not end"):
        subscribe(shop, ENDPOINT)
    assert {name for name, _ in operations(shop)} == {"Webhooks"}
