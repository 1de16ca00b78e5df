"""The stand-in WooCommerce shop grants keys with all the corners of the real wc-auth pages."""

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.adapters.woocommerce.shops import OURS, Shop, open_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


def link(shop: Shop, **changes: str) -> str:
    query = {
        "app_name": "Connector",
        "scope": "read_write",
        "user_id": "nonce-_1",
        "return_url": f"https://{OURS}/return?x=1",
        "callback_url": f"https://{OURS}/callback",
    } | changes
    return f"{shop.twin.base}/wc-auth/v1/authorize?{urlencode(query)}"


def granted(shop: Shop) -> list[dict[str, object]]:
    return [json.loads(heard.body) for heard in shop.listener.heard if heard.path == "/callback"]


def refused(shop: Shop) -> tuple[int, str]:
    return shop.twin.pages[-1].status, shop.twin.pages[-1].text.partition("Error: ")[2].partition("<")[0].rstrip(".")


def test_one_click_posts_the_keys_first_and_then_sends_the_browser_back(shop: Shop) -> None:
    end = shop.twin.approve(link(shop))
    callback, returned = shop.listener.heard
    assert (callback.method, callback.path, returned.path) == (
        "POST",
        "/callback",
        "/return?x=1&success=1&user_id=nonce-_1",
    )
    assert end == f"https://{OURS}/return?x=1&success=1&user_id=nonce-_1"
    assert [name for name, _ in callback.headers] == [
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Content-Type",
        "Connection",
        "Content-Length",
    ]
    assert callback["Content-Type"] == "application/json;charset=UTF-8"
    assert callback["User-Agent"] == "WordPress/7.1; https://shop.example"
    (keys,) = granted(shop)
    assert list(keys) == ["key_id", "user_id", "consumer_key", "consumer_secret", "key_permissions"]
    assert (keys["user_id"], keys["key_permissions"]) == ("nonce-_1", "read_write")
    key = shop.twin.site.keys[-1]
    assert (key.consumer_key, key.consumer_secret) == (keys["consumer_key"], keys["consumer_secret"])
    assert len(key.consumer_key) == 43
    assert key.description == "Connector - API (2026-11-21 20:00:00)"


def test_a_double_click_makes_two_pairs_and_both_hold(shop: Shop) -> None:
    shop.twin.approve(link(shop), clicks=2)
    first, second = granted(shop)
    assert first["consumer_key"] != second["consumer_key"]
    assert len(shop.twin.site.keys) == 3


def test_to_deny_only_sends_back(shop: Shop) -> None:
    end = shop.twin.approve(link(shop), deny=True)
    assert parse_qs(urlsplit(end).query) == {"x": ["1"], "success": ["0"], "user_id": ["nonce-_1"]}
    assert granted(shop) == []


@pytest.mark.parametrize("status", [201, 204, 400, 500])
def test_anything_but_200_takes_the_key_back_and_shows_an_error(shop: Shop, status: int) -> None:
    shop.listener.status = status
    end = shop.twin.approve(link(shop))
    assert refused(shop)[0] == 401
    assert "/wc-auth/v1/access_granted" in end
    assert len(shop.twin.site.keys) == 1


def test_a_callback_that_cannot_be_reached_takes_the_key_back(shop: Shop) -> None:
    shop.twin.approve(link(shop, callback_url="https://nobody.example/callback"))
    assert refused(shop) == (401, "cURL error 7: Failed to connect to nobody.example")
    shop.twin.approve(link(shop, callback_url=f"https://{OURS}:8443/callback"))
    assert refused(shop) == (401, "A valid URL was not provided")
    assert len(shop.twin.site.keys) == 1


def test_a_redirected_callback_becomes_a_get_with_the_keys_inside(shop: Shop) -> None:
    shop.listener.status, shop.listener.location = 302, f"https://{OURS}/callback"
    shop.twin.approve(link(shop))
    assert [heard.method for heard in shop.listener.heard] == ["POST", *["GET"] * 5]
    assert all(b"consumer_secret" in heard.body for heard in shop.listener.heard)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user_id": "0"}, "Missing parameter user_id"),
        ({"app_name": ""}, "Missing parameter app_name"),
        ({"scope": "all"}, "Invalid scope all"),
        ({"callback_url": f"http://{OURS}/callback"}, "The callback_url needs to be over SSL"),
        ({"return_url": "https:///x"}, "The https:///x is not a valid URL"),
    ],
)
def test_what_is_missing_or_wrong_is_a_401_page(shop: Shop, changes: dict[str, str], words: str) -> None:
    shop.twin.approve(link(shop, **changes))
    assert refused(shop) == (401, words)


def test_an_address_without_a_scheme_becomes_https(shop: Shop) -> None:
    shop.twin.approve(link(shop, callback_url=f"{OURS}/callback"))
    assert len(granted(shop)) == 1


def test_a_plus_in_our_nonce_comes_back_as_a_space(shop: Shop) -> None:
    url = link(shop).replace("nonce-_1", "a+b")
    end = shop.twin.approve(url)
    assert granted(shop)[0]["user_id"] == "a b"
    assert end.endswith("user_id=a%20b")


def test_a_user_without_rights_may_not_grant(shop: Shop) -> None:
    shop.twin.demote()
    shop.twin.approve(link(shop))
    assert refused(shop) == (401, "You do not have permission to access this page")


def test_the_nonce_of_the_page_holds_for_twelve_hours_at_least_and_a_day_at_most(shop: Shop) -> None:
    shop.twin.approve(link(shop))
    again = next(page.address for page in shop.twin.pages if "access_granted" in page.address)
    shop.clock.moment += timedelta(hours=12)
    shop.twin.approve(again)
    assert len(granted(shop)) == 2
    shop.clock.moment += timedelta(hours=13)
    shop.twin.approve(again)
    assert refused(shop) == (401, "Invalid nonce verification")


def test_whoever_is_not_logged_in_is_sent_to_a_form(shop: Shop) -> None:
    answer = shop.ask.page(link(shop).removeprefix(shop.twin.base))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://shop.example/wc-auth/v1/login/?app_name=Connector")


def test_a_browser_that_begins_with_us_is_sent_on(shop: Shop) -> None:
    def first_time(_heard: object) -> None:
        first = len(shop.listener.heard) == 1
        shop.listener.status, shop.listener.location = (302, link(shop)) if first else (200, "")

    shop.listener.meanwhile = first_time
    end = shop.twin.approve(f"https://{OURS}/invitation")
    assert end.endswith("success=1&user_id=nonce-_1")


def test_plain_permalinks_have_the_pages_elsewhere() -> None:
    with open_shop(rest_prefix="") as shop:
        query = urlsplit(link(shop)).query
        shop.twin.approve(link(shop))
        assert shop.twin.pages[-1].status == 404
        shop.twin.approve(f"{shop.twin.base}/?wc-auth-version=1&wc-auth-route=authorize&{query}")
        assert shop.twin.pages[0].status == 200
