"""Our webhooks in a shop: made, switched on, tidied up, taken back; and WordPress' clock."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.http import Answer, Request
from adapters.woocommerce.subscriptions import TOPICS, subscribe, unsubscribe, wake
from connector.domain.connection import Endpoint, SubscriptionState
from connector.domain.errors import Permanent, Retryable
from tests.adapters.talking import answered
from tests.adapters.woocommerce.shop import BASE, FakeShop, error, page, query_of

APP = "https://connector.example.test/webhooks/woocommerce"
OURS = f"{APP}/key-1"
ENDPOINT = Endpoint(OURS, APP, "secret_1-A")
HOOKS = "/wp-json/wc/v3/webhooks"


class Hooked(FakeShop):
    """A shop that keeps webhooks."""

    def __init__(self, *hooks: dict[str, Any], a_page: int = 100, base: str = BASE) -> None:
        super().__init__(base)
        self.hooks = {hook["id"]: hook for hook in hooks}
        self._a_page = a_page
        self.does(f"GET {HOOKS}", self._list)
        self.does(f"POST {HOOKS}", self._make)
        for number in range(1, 400):
            self.does(f"PUT {HOOKS}/{number}", self._change)
            self.does(f"DELETE {HOOKS}/{number}", self._delete)

    def _list(self, request: Request) -> Answer:
        number = int(query_of(request).get("page", "1"))
        listed = sorted(self.hooks.values(), key=lambda hook: int(hook["id"]))
        shown = listed[(number - 1) * self._a_page : number * self._a_page]
        return answered(shown, X_WP_Total=str(len(listed)))

    def _make(self, request: Request) -> Answer:
        number = max(self.hooks, default=0) + 1
        self.hooks[number] = json.loads(request.body) | {"id": number}
        return answered(self.hooks[number], 201)

    def _change(self, request: Request) -> Answer:
        number = int(request.url.rpartition("/")[2])
        self.hooks[number] |= json.loads(request.body)
        return answered(self.hooks[number])

    def _delete(self, request: Request) -> Answer:
        if query_of(request).get("force") != "true":
            return error("woocommerce_rest_trash_not_supported", 400)
        hook = self.hooks.pop(int(urlsplit(request.url).path.rpartition("/")[2]), None)
        return answered(hook) if hook else error("woocommerce_rest_shop_webhook_invalid_id", 404)

    def writes(self) -> list[str]:
        return [call for call in self.calls() if not call.startswith("GET")]


def hook(number: int, topic: str, url: str = OURS, status: str = "active") -> dict[str, Any]:
    return {"id": number, "name": "x", "status": status, "topic": topic, "delivery_url": url}


def standing() -> list[dict[str, Any]]:
    return [hook(number, topic) for number, topic in enumerate(TOPICS, 1)]


def test_one_webhook_a_topic_is_made_at_this_shops_own_address() -> None:
    shop = Hooked(hook(1, "order.updated", "https://other.example/x"))
    told = subscribe(shop.store(), ENDPOINT)
    assert [(one.topic, one.state) for one in told.subscriptions] == [(t, SubscriptionState.ACTIVE) for t in TOPICS]
    assert len(told.repairs) == len(TOPICS)
    made = shop.sent(f"POST {HOOKS}")
    assert [one["topic"] for one in made] == list(TOPICS)
    assert {(one["delivery_url"], one["secret"], one["status"]) for one in made} == {(OURS, "secret_1-A", "active")}
    assert all("Connector" in one["name"] for one in made)
    assert told.sends


def test_what_stands_as_it_should_is_left_alone() -> None:
    shop = Hooked(*standing(), hook(9, "product.updated", "https://other.example/x"))
    assert subscribe(shop.store(), ENDPOINT).repairs == ()
    assert shop.writes() == []


@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_one_that_was_switched_off_is_on_again_with_the_secret_we_know(status: str) -> None:
    shop = Hooked(*standing())
    shop.hooks[2]["status"] = status
    assert subscribe(shop.store(), ENDPOINT).repairs == ("order.updated was switched off and is on again",)
    assert shop.sent(f"PUT {HOOKS}/2") == [{"status": "active", "secret": "secret_1-A"}]


def test_doubled_webhooks_deliver_doubled_so_one_goes_and_an_active_one_stays() -> None:
    active = [one | {"id": one["id"] + 10} for one in standing()]
    shop = Hooked(hook(7, "order.created", status="disabled"), *active, hook(20, "order.updated"))
    told = subscribe(shop.store(), ENDPOINT)
    assert sorted(shop.hooks) == [11, 12, 13, 14]
    assert len(told.repairs) == 2


def test_those_of_an_earlier_connection_go_and_others_stay() -> None:
    stale = hook(20, "order.created", f"{APP}/key-0")
    foreign = [hook(21, "order.created", f"{APP}2/key"), hook(22, "order.created", "https://connector.example.test/")]
    shop = Hooked(*standing(), stale, *foreign)
    subscribe(shop.store(), ENDPOINT)
    assert sorted(shop.hooks) == [1, 2, 3, 4, 21, 22]


def test_a_ghost_without_a_topic_at_our_address_goes() -> None:
    shop = Hooked(*standing(), hook(30, ""))
    assert subscribe(shop.store(), ENDPOINT).repairs == ("a webhook for nothing too many was removed",)


def test_all_pages_of_webhooks_are_read_and_they_end() -> None:
    others = [hook(number, "product.updated", "https://other.example/x") for number in range(1, 250)]
    shop = Hooked(*others, *[one | {"id": one["id"] + 300} for one in standing()])
    assert subscribe(shop.store(), ENDPOINT).repairs == ()
    endless = FakeShop()
    endless.says(f"GET {HOOKS}", standing(), X_WP_Total="9999")
    assert subscribe(endless.store(), ENDPOINT).repairs == ()
    assert len(endless.calls()) == 2


def test_what_others_left_there_may_be_anything() -> None:
    shop = FakeShop()
    strange = [{"id": None}, {"id": 5, "delivery_url": {"x": 1}}, {"id": 6, "delivery_url": OURS, "topic": []}]
    shop.says(f"GET {HOOKS}", [*standing(), *strange])
    assert subscribe(shop.store(), ENDPOINT).repairs == ()


def test_a_lost_answer_to_making_one_makes_no_second_one() -> None:
    shop = Hooked(*standing()[1:])
    make = shop.replies[f"POST {HOOKS}"]
    shop.does(f"POST {HOOKS}", lambda request: (make(request), page(504))[1])
    with pytest.raises(Retryable):
        subscribe(shop.store(), ENDPOINT)
    assert subscribe(shop.store(), ENDPOINT).repairs == ()
    assert len(shop.hooks) == len(TOPICS)


def test_a_port_wordpress_never_sends_to_is_said_before_every_delivery_fails() -> None:
    shop = Hooked()
    address = "https://connector.example.test:8443/webhooks/woocommerce"
    told = subscribe(shop.store(), Endpoint(f"{address}/key-1", address, "s"))
    assert {one.state for one in told.subscriptions} == {SubscriptionState.UNAVAILABLE}
    assert "8080" in told.subscriptions[0].remark
    assert not told.sends
    assert shop.calls() == []


@pytest.mark.parametrize(
    ("ours", "word"),
    [
        ("http://127.0.0.1:8080", ""),
        ("http://127.0.0.1:8899", ""),
        ("http://127.0.0.1:9701", "http_allowed_safe_ports"),
        ("http://localhost:8080", "http_request_host_is_external"),
        ("https://192.168.1.5", "http_request_host_is_external"),
        ("http://connector:8080", "http_request_host_is_external"),
        ("https://connector.example.test", ""),
    ],
)
def test_a_shop_in_ones_own_network_is_subscribed_to_and_told_what_wordpress_may_keep_from_us(
    ours: str, word: str
) -> None:
    shop = Hooked(base="http://127.0.0.1:8899")
    shop.web.private_addresses = True
    told = subscribe(shop.store(), Endpoint(f"{ours}/webhooks/woocommerce/k", f"{ours}/webhooks/woocommerce", "s"))
    expected = SubscriptionState.UNKNOWN if word else SubscriptionState.ACTIVE
    assert {one.state for one in told.subscriptions} == {expected}
    assert all(word in one.remark for one in told.subscriptions)
    assert len(shop.hooks) == len(TOPICS)
    assert told.sends


def test_a_private_address_of_ours_gets_nothing_from_a_shop_in_the_internet() -> None:
    shop = Hooked()
    told = subscribe(shop.store(), Endpoint("https://10.0.0.1/w/k", "https://10.0.0.1/w", "s"))
    assert {one.state for one in told.subscriptions} == {SubscriptionState.UNAVAILABLE}
    assert "private address" in told.subscriptions[0].remark
    assert shop.calls() == []


def test_a_key_that_may_only_read_cannot_subscribe_and_says_where_to_click() -> None:
    shop = Hooked()
    shop.answers(f"POST {HOOKS}", error("woocommerce_rest_authentication_error", 401))
    with pytest.raises(Permanent, match="Read/Write"):
        subscribe(shop.store(), ENDPOINT)


def test_disconnecting_takes_ours_back_and_can_be_repeated() -> None:
    shop = Hooked(*standing(), hook(9, "order.updated", "https://other.example/x"))
    shop.answers(f"DELETE {HOOKS}/2", error("woocommerce_rest_shop_webhook_invalid_id", 404))
    unsubscribe(shop.store(), ENDPOINT)
    assert sorted(shop.hooks) == [2, 9]
    unsubscribe(shop.store(), ENDPOINT)


def test_wordpress_clock_is_made_to_tick() -> None:
    shop = FakeShop("https://laden.example.test/shop")
    shop.answers("GET /shop/wp-cron.php", page(200, ""))
    wake(shop.store())
    (request,) = shop.web.asked
    assert request.url.endswith("/shop/wp-cron.php?doing_wp_cron")
    assert "Authorization" not in request.headers
