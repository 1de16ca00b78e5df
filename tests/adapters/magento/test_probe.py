"""What a look at a shop finds out, and what it says is missing."""

from typing import Any

import pytest

from adapters.http import Answer, Request
from adapters.magento.probe import probe
from connector.domain.errors import Permanent
from tests.adapters.magento.shops import BASE, NO_ROUTE, Answering, asked, error, not_allowed, route, searched
from tests.adapters.talking import answered

STORES: list[dict[str, Any]] = [
    {"id": 3, "code": "gulf", "locale": "ar_KW", "timezone": "Asia/Kuwait", "base_currency_code": "EUR"},
    {
        "id": "1",
        "code": "default",
        "locale": "de_DE",
        "timezone": "Europe/Berlin",
        "base_currency_code": "EUR",
        "default_display_currency_code": "EUR",
    },
    {"id": {"x": 1}, "code": "broken"},
]
WEBSITES = [{"id": 0, "code": "admin", "name": "Admin"}, {"id": 1, "code": "base", "name": "Hafenladen"}]
MODULES = ["Magento_Sales", "MageOS_AsyncEvents", "MageOS_CommonAsyncEvents"]


def shop(largest_page: int = 300, **answers: Answer) -> Answering:
    """A shop that allows everything but what is answered otherwise, by the last part of its route."""

    def answer(request: Request) -> Answer:
        if request.url == f"{BASE}/magento_version":
            return answers.get("version", Answer(200, {}, b"Magento/2.4 (Community)"))
        name = route(request).rpartition("/")[2]
        plain = {"storeConfigs": STORES, "websites": WEBSITES, "modules": MODULES}
        if name in answers:
            return answers[name]
        return answered(plain[name]) if name in plain else searched(request, [], largest_page=largest_page)

    return answer


def test_a_shop_tells_its_language_time_zone_currency_and_version() -> None:
    store, requests = asked(shop())
    found = probe(store)
    assert (found.locale, found.timezone, found.currency) == ("de_DE", "Europe/Berlin", "EUR")
    assert (found.name, found.version) == ("Hafenladen", "Magento 2.4 (Community)")
    assert dict(found.store_locales) == {"1": "de_DE", "3": "ar_KW"}
    assert found.features == {"page_size": "100", "async_events": "yes", "common_events": "yes"}
    assert found.missing_rights == ()
    assert len(requests) <= 11


def test_a_missing_right_is_named_by_its_place_in_the_tree() -> None:
    store, _ = asked(
        shop(
            shipments=not_allowed("Magento_Sales::shipment"),
            storeConfigs=not_allowed("Magento_Backend::store"),
            async_events=not_allowed("MageOS_AsyncEvents::manage"),
        )
    )
    found = probe(store)
    assert len(found.missing_rights) == 2
    assert "Sales > Operations > Shipments (Magento_Sales::shipment)" in found.missing_rights[0]
    assert "Stores > Settings > All Stores" in found.missing_rights[1]
    assert "Manage Asynchronous Events" in found.notes[0], "webhooks are left out, and the shop is swept"
    assert all("API tab" in words for words in found.missing_rights)


def test_a_refusal_that_names_no_right_is_told_by_what_was_asked() -> None:
    store, _ = asked(shop(creditmemos=error("The consumer isn't authorized to access %resources.", 403)))
    assert "Credit Memos" in probe(store).missing_rights[0]


def test_the_merchants_page_limit_is_found_out() -> None:
    store, _ = asked(shop(largest_page=20))
    assert probe(store).features["page_size"] == "12"


def test_a_shop_without_the_module_sends_nothing_by_itself() -> None:
    store, requests = asked(shop(async_events=NO_ROUTE))
    found = probe(store)
    assert found.features["async_events"] == "no"
    assert any("every minute" in note for note in found.notes)
    assert not any(route(request) == "modules" for request in requests)


def test_the_module_without_its_events_announces_nothing() -> None:
    store, _ = asked(shop(modules=answered(MODULES[:2])))
    found = probe(store)
    assert found.features["common_events"] == "no"
    assert any("Common Async Events" in note for note in found.notes)


def test_whether_the_events_are_there_may_stay_unknown() -> None:
    for answer in (not_allowed("Magento_Backend::admin"), NO_ROUTE, answered({"x": 1})):
        store, _ = asked(shop(modules=answer))
        assert probe(store).features["async_events"] == "yes"
        assert "common_events" not in probe(store).features


def test_a_shop_that_lets_us_do_nothing_has_refused_us() -> None:
    store, _ = asked(lambda _request: not_allowed("Magento_Sales::actions_view"))
    with pytest.raises(Permanent, match="not active"):
        probe(store)


def test_a_revoked_token_is_permanent() -> None:
    store, _ = asked(lambda _request: error("Access token has been revoked", 401))
    with pytest.raises(Permanent, match="Reauthorize"):
        probe(store)


@pytest.mark.parametrize("answer", [Answer(404, {}, b""), Answer(200, {}, b"<html>"), Answer(503, {}, b"")])
def test_a_version_nobody_tells_stays_empty(answer: Answer) -> None:
    store, _ = asked(shop(version=answer))
    assert probe(store).version == ""


def test_what_the_shop_mails_itself_is_not_guessed() -> None:
    store, _ = asked(shop())
    found = probe(store)
    assert found.platform_speaks == {}
    assert any("Sales Emails" in note for note in found.notes)
