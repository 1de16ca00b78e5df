"""What is found out about a shop, and its own mails."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Store
from adapters.http import Answer
from adapters.woocommerce.mails import MAILS, speak
from adapters.woocommerce.probe import probe
from connector.domain.connection import Access, Credentials, Findings
from connector.domain.errors import Permanent
from notifications.kinds import KINDS
from tests.adapters.talking import answered
from tests.adapters.woocommerce.shop import ABOUT, CREDENTIALS, FakeShop, error, page

STATUS: dict[str, Any] = {
    "environment": {"version": "11.0.1", "language": "de_DE", "wp_cron": True},
    "settings": {"currency": "EUR", "number_of_decimals": 2, "HPOS_enabled": True},
}
GENERAL = [
    {"id": "woocommerce_store_address", "value": "Hauptstr. 5"},
    {"id": "woocommerce_store_address_2", "value": ""},
    {"id": "woocommerce_store_city", "value": "Berlin"},
    {"id": "woocommerce_store_postcode", "value": 10117},
    {"id": "woocommerce_default_country", "value": "DE:DE-BE"},
    {"id": "woocommerce_all_except_countries", "value": []},
]
EMAIL = "/wp-json/wc/v3/settings/email_{}/enabled"


def full(*, version: str = "11.0.1", **mails: str) -> FakeShop:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders", [{"id": 15}])
    shop.answers("POST /wp-json/wc/v3/webhooks", error("woocommerce_rest_shop_webhook_invalid_topic", 400))
    environment = STATUS["environment"] | {"version": version}
    shop.says("GET /wp-json/wc/v3/system_status", STATUS | {"environment": environment})
    shop.says("GET /wp-json/wc/v3/settings/general", GENERAL)
    standard = {"customer_processing_order": "yes", "customer_completed_order": "yes", "customer_on_hold_order": "yes"}
    for name, value in (standard | {"customer_refunded_order": "yes"} | mails).items():
        shop.says(f"GET {EMAIL.format(name)}", {"id": "enabled", "value": value})
    return shop


def test_a_shop_tells_what_it_is() -> None:
    found = probe(full().store())
    assert (found.name, found.version, found.currency) == ("Müller & Söhne", "11.0.1", "EUR")
    assert (found.locale, found.timezone, found.country) == ("de_DE", "Europe/Berlin", "DE")
    assert found.seller is not None
    assert found.seller.address.lines == ("Hauptstr. 5",)
    assert (found.seller.address.city, found.seller.address.postcode) == ("Berlin", "10117")
    assert (found.seller.address.region, found.seller.legal_name) == ("DE-BE", "")
    assert found.features == {
        "fulfillments": "no",
        "trackings": "",
        "hpos": "yes",
        "refunds": "yes",
        "timezone": "Europe/Berlin",
        "decimals": "2",
    }
    assert (found.missing_rights, found.notes) == ((), ())


def test_a_look_takes_few_calls() -> None:
    shop = full()
    probe(shop.store())
    assert len(shop.web.asked) <= 12


def _features(shop: FakeShop) -> dict[str, str]:
    return dict(probe(shop.store()).features)


def test_fulfillments_are_on_where_their_route_is_there() -> None:
    shop = full()
    shop.says("GET /wp-json/wc/v3/orders/15/fulfillments", [])
    assert _features(shop)["fulfillments"] == "yes"


@pytest.mark.parametrize(("code", "expected"), [("rest_no_route", "no"), ("woocommerce_rest_order_invalid_id", "yes")])
def test_a_shop_without_orders_tells_of_fulfillments_by_which_thing_it_misses(code: str, expected: str) -> None:
    shop = full()
    shop.says("GET /wp-json/wc/v3/orders", [])
    shop.answers("GET /wp-json/wc/v3/orders/0/fulfillments", error(code, 404))
    assert _features(shop)["fulfillments"] == expected


@pytest.mark.parametrize(
    ("namespaces", "expected"),
    [
        (["wc/v3"], ""),
        (["wc/v3", "wc-ast/v3", "wc-shipment-tracking/v3"], "wc-shipment-tracking/v3"),
        (["wc/v3", "wc-ast/v3"], "wc-ast/v3"),
    ],
)
def test_tracking_plugins_are_known_by_where_they_listen(namespaces: list[str], expected: str) -> None:
    shop = full()
    shop.says("GET /wp-json/", ABOUT | {"namespaces": namespaces})
    found = probe(shop.store())
    assert found.features["trackings"] == expected
    assert ("tracking_added" in found.platform_speaks) is not bool(expected)


def test_an_old_shop_has_no_list_of_refunds() -> None:
    assert _features(full(version="8.2.2"))["refunds"] == "no"


@pytest.mark.parametrize(
    ("named", "offset", "expected"),
    [
        ("Europe/Berlin", 1, "Europe/Berlin"),
        ("", 0, "UTC"),
        ("", "0", "UTC"),
        ("", 2, "Etc/GMT-2"),
        ("", "-3", "Etc/GMT+3"),
        ("", 5.5, ""),
        ("Atlantis/Capital", 1, "Etc/GMT-1"),
        ("../../etc/passwd", "x", ""),
        ({"a": 1}, 99, ""),
    ],
)
def test_a_time_zone_is_a_name_also_where_the_shop_has_only_hours(named: object, offset: object, expected: str) -> None:
    shop = full()
    shop.says("GET /wp-json/", ABOUT | {"timezone_string": named, "gmt_offset": offset})
    found = probe(shop.store())
    assert found.timezone == expected
    assert bool(found.notes) is not bool(expected)


def test_the_captured_status_page_is_understood() -> None:
    shop = full()
    trimmed = json.loads((Path(__file__).parent / "system_status.json").read_text("utf-8"))
    shop.says("GET /wp-json/wc/v3/system_status", trimmed)
    found = probe(shop.store())
    assert (found.version, found.currency, found.locale) == ("11.0.1", "EUR", "en_US")
    assert (found.features["hpos"], found.features["decimals"]) == ("yes", "2")
    assert "DISABLE_WP_CRON" in found.notes[0]


@pytest.mark.parametrize("answer", [answered({"environment": [], "settings": 7}), answered({}), page(500), page(403)])
def test_a_strange_status_page_costs_only_what_it_would_have_told(answer: Answer) -> None:
    shop = full()
    shop.answers("GET /wp-json/wc/v3/system_status", answer)
    found = probe(shop.store())
    assert (found.version, found.features["hpos"], found.country) == ("", "no", "DE")


def test_missing_rights_are_findings_that_say_who_can_give_them() -> None:
    shop = full()
    shop.answers("GET /wp-json/wc/v3/orders", error("woocommerce_rest_cannot_view", 403))
    shop.answers("POST /wp-json/wc/v3/webhooks", error("woocommerce_rest_authentication_error", 401))
    shop.answers("GET /wp-json/wc/v3/system_status", error("woocommerce_rest_cannot_view", 403))
    shop.answers("GET /wp-json/wc/v3/settings/general", error("woocommerce_rest_cannot_view", 403))
    found = probe(shop.store())
    assert len(found.missing_rights) == 4
    assert "Administrator" in found.missing_rights[0]
    assert "Read/Write" in found.missing_rights[1]


def test_a_refused_key_is_no_finding() -> None:
    shop = full()
    shop.answers("GET /wp-json/wc/v3/orders", error("woocommerce_rest_cannot_view", 401))
    with pytest.raises(Permanent, match="does not know the key"):
        probe(shop.store())


@pytest.mark.parametrize(("way", "word"), [("query", "access log"), ("signature", "X-Forwarded-Proto")])
def test_an_unusual_way_of_showing_the_key_is_noted(way: str, word: str) -> None:
    shop = full()
    access = Access("laden.example.test", shop.base, Credentials(CREDENTIALS | {"key_in": way}))
    store = shop.store()
    assert word in probe(Store(store.web, store.clock, access)).notes[0]


def _speaks(found: Findings) -> dict[str, bool]:
    return dict(found.platform_speaks)


def test_which_of_its_own_mails_are_on_is_told_by_our_kinds() -> None:
    assert _speaks(probe(full().store())) == {
        "order_received": True,
        "payment_received": True,
        "shipped": True,
        "tracking_added": False,
        "delivered": False,
        "cancelled": False,
        "refunded": True,
    }
    quiet = _speaks(probe(full(customer_processing_order="no", customer_completed_order="no").store()))
    assert (quiet["order_received"], quiet["payment_received"], quiet["shipped"]) == (True, False, False)
    assert set(quiet) <= set(KINDS)


def test_a_newer_shop_can_mail_about_cancelling_and_fulfillments() -> None:
    shop = full(customer_cancelled_order="yes", customer_completed_order="no", customer_fulfillment_created="yes")
    shop.says("GET /wp-json/wc/v3/orders/15/fulfillments", [])
    speaks = _speaks(probe(shop.store()))
    assert (speaks["cancelled"], speaks["shipped"]) == (True, True)


def test_mails_that_may_not_be_seen_are_left_out() -> None:
    shop = full()
    shop.answers(f"GET {EMAIL.format('customer_refunded_order')}", error("woocommerce_rest_cannot_view", 403))
    shop.says(f"GET {EMAIL.format('customer_completed_order')}", {"id": "enabled", "value": "perhaps"})
    assert {"refunded", "shipped"}.isdisjoint(_speaks(probe(shop.store())))


@pytest.mark.parametrize("kind", sorted(MAILS))
@pytest.mark.parametrize(("on", "word"), [(True, "yes"), (False, "no")])
def test_the_mails_of_a_kind_are_switched_together(kind: str, on: bool, word: str) -> None:
    shop = FakeShop()
    calls = [f"PUT {EMAIL.format(name)}" for name in MAILS[kind]]
    for call in calls:
        shop.says(call, {"id": "enabled", "value": word})
    speak(shop.store(), kind, on)
    assert shop.calls() == calls
    assert all(shop.sent(call) == [{"value": word}] for call in calls)


def test_a_mail_this_version_does_not_have_is_passed_over() -> None:
    shop = FakeShop()
    shop.says(f"PUT {EMAIL.format('customer_completed_order')}", {"id": "enabled", "value": "no"})
    speak(shop.store(), "shipped", on=False)
    assert len(shop.calls()) == 2


@pytest.mark.parametrize("kind", ["delivered", "cancelled", "nonsense"])
def test_a_kind_without_a_mail_cannot_be_switched(kind: str) -> None:
    with pytest.raises(Permanent, match="no mail about this"):
        speak(FakeShop().store(), kind, on=True)


def test_a_key_that_may_not_switch_mails_says_so() -> None:
    shop = FakeShop()
    refusal = error("woocommerce_rest_cannot_edit", 403)
    shop.answers(f"PUT {EMAIL.format('customer_refunded_order')}", refusal)
    with pytest.raises(Permanent, match="Administrator or Shop manager"):
        speak(shop.store(), "refunded", on=False)
