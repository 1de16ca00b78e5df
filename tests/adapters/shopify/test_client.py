"""One question to the Admin API, and what its many ways to refuse mean for a person."""

import json
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import Answer, Busy, Failed, Request
from adapters.shopify import client
from connector.domain.connection import Credentials
from connector.domain.errors import ConnectorError, Permanent, Retryable
from tests.adapters.shopify.shops import HOST, NOW, OPERATORS, errors, operations, store, telling, throttled
from tests.adapters.talking import FakeWeb, answered

NAMED = {"shop": {"myshopifyDomain": HOST}}


def ask(answer: Answer) -> client.Reply:
    return client.ask(store(lambda _: answer), "shop_name", {}, tries=1)


def test_a_question_names_the_version_the_product_and_the_token_and_keeps_the_token_out_of_the_address() -> None:
    shop = telling({"ShopName": NAMED})
    assert client.ask(shop, "shop_name", {}).data.text("shop.myshopifyDomain") == HOST
    assert isinstance(shop.web, FakeWeb)
    (request,) = shop.web.asked
    assert request.url == f"https://{HOST}/admin/api/2026-10/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_operators"
    assert request.headers["User-Agent"].startswith("Connector/")
    assert "shpat" not in repr(request)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "open the app in Shopify once"),
        (402, "Settings > Billing"),
        (403, "say yes to what it asks for"),
        (404, "no shop of this name"),
        (423, "locked the shop"),
        (301, "new name"),
        (418, "418"),
    ],
)
def test_a_refused_question_says_what_a_person_can_do(status: int, words: str) -> None:
    with pytest.raises(Permanent, match=words):
        ask(Answer(status, {}, b"<html>no</html>"))


@pytest.mark.parametrize("status", [408, 430])
def test_a_side_that_turns_us_away_for_a_while_is_asked_again(status: int) -> None:
    with pytest.raises(Retryable):
        ask(Answer(status, {}, b""))


def test_an_error_of_shopifys_own_is_asked_again() -> None:
    for answer in (errors("INTERNAL_SERVER_ERROR"), errors("TIMEOUT", data=NAMED), answered({"data": None})):
        with pytest.raises(Retryable):
            ask(answer)
    with pytest.raises(Failed):
        ask(Answer(502, {}, b""))


@pytest.mark.parametrize("body", [b"<html>Maintenance</html>", b"", b"[]", b'"x"', b"{" * 200_000, b"\xff"])
def test_a_page_instead_of_data_is_asked_again(body: bytes) -> None:
    with pytest.raises(Retryable):
        ask(Answer(200, {"content-type": "text/html"}, body))


@pytest.mark.parametrize(
    ("requested", "available", "restored", "seconds"),
    [(800, 300, 100, 5), (800, 799, 1000, 1), (900, 0, 0, 2), (10, 50, 100, 1)],
)
def test_throttling_comes_as_200_and_says_how_long_to_wait(
    requested: int, available: int, restored: int, seconds: int
) -> None:
    with pytest.raises(client.Throttled) as told:
        ask(throttled(requested, available, restored=restored))
    assert told.value.after == timedelta(seconds=seconds)


def test_a_short_throttle_is_waited_out_and_a_long_one_is_the_callers() -> None:
    answers = iter([throttled(restored=100), answered({"data": NAMED})])
    shop = store(lambda _: next(answers))
    assert client.ask(shop, "shop_name", {}).data.document == NAMED
    with pytest.raises(Busy) as told:
        client.ask(store(lambda _: throttled(restored=1)), "shop_name", {})
    assert told.value.after == timedelta(seconds=500)


def test_a_change_is_never_asked_twice_by_itself() -> None:
    shop = store(lambda _: Answer(502, {}, b""))
    with pytest.raises(Failed):
        client.change(shop, "uninstall", {}, "appUninstall")
    assert len(operations(shop)) == 1


def test_what_costs_more_than_a_shop_ever_has_is_no_throttle() -> None:
    for answer in (errors("MAX_COST_EXCEEDED"), throttled(requested=3000, maximum=2000)):
        with pytest.raises(client.TooCostly):
            ask(answer)


def test_partial_data_is_kept_and_what_is_left_out_is_named() -> None:
    reply = ask(errors("ACCESS_DENIED", data=NAMED | {"x": None}, path=("x", 0)))
    assert reply.data.text("shop.myshopifyDomain") == HOST
    assert [one.values("path") for one in reply.withheld] == [["x", 0]]


def test_any_other_error_beside_data_is_no_answer() -> None:
    with pytest.raises(client.Refused, match="Undefined_Field"):
        ask(errors("ACCESS_DENIED", "undefined_field", data=NAMED))
    with pytest.raises(client.Refused, match="not so"):
        ask(answered({"errors": "not so"}))
    with pytest.raises(Permanent, match="closed"):
        ask(errors("SHOP_INACTIVE"))


def test_a_version_that_ended_is_said() -> None:
    reply = ask(answered({"data": NAMED}, X_Shopify_API_Version="2027-01"))
    assert "2027-01" in reply.notes[0]
    assert ask(answered({"data": NAMED}, X_Shopify_API_Version=client.API_VERSION)).notes == ()
    assert ask(answered({"data": NAMED}, X_Shopify_API_Deprecated_Reason="https://shopify.dev/x")).notes


def test_access_that_ran_out_waits_to_be_renewed_and_is_not_lost() -> None:
    shop = store(lambda _: Answer(401, {}, b""), Credentials(OPERATORS.values, NOW, OPERATORS.renewable_until))
    with pytest.raises(Retryable):
        client.ask(shop, "shop_name", {})
    assert operations(shop) == []


def test_a_shop_without_access_is_not_asked() -> None:
    with pytest.raises(Permanent, match="not connected"):
        client.ask(store(lambda _: answered({}), Credentials()), "shop_name", {})


def test_a_no_of_the_shops_is_for_a_person_and_in_its_own_words() -> None:
    told = {"appUninstall": {"userErrors": [{"field": None, "message": "Not\n now " + "x" * 500}]}}
    with pytest.raises(Permanent, match="says no: Not now x") as problem:
        client.change(telling({"Uninstall": told}), "uninstall", {}, "appUninstall")
    assert len(str(problem.value)) < 260
    with pytest.raises(Permanent, match="its rights"):
        client.change(telling({"Uninstall": {"appUninstall": None}}), "uninstall", {}, "appUninstall")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["data", "errors", "extensions", "code", "cost", "throttleStatus", "path", "message"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_back_is_an_answer_or_a_sentence(document: object) -> None:
    with suppress(ConnectorError):
        ask(Answer(200, {}, json.dumps(document).encode()))


def test_decimals_and_broken_characters_go_through() -> None:
    read = client.read_document(Answer(200, {}, b'{"rate": 0.190, "note": "\\ud83d", "n": 12345678901234567890}'))
    assert client.encoded(dict(read.document)) == '{"rate":0.190,"note":"\ufffd","n":12345678901234567890}'.encode()


def test_every_try_is_a_request_of_its_own() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Answer:
        seen.append(request)
        return Answer(503, {}, b"") if len(seen) < 3 else answered({"data": NAMED})

    client.ask(store(answer), "shop_name", {})
    assert len(seen) == 3
