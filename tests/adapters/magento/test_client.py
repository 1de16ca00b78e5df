"""Asking a Magento shop: signing, refusals in words, and pages within the merchant's limit."""

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from adapters.http import Answer, Busy, Request, Unanswered
from adapters.magento.authorization import authorization
from adapters.magento.client import page_size, read, search_all, write
from adapters.magento.criteria import Filter, query
from adapters.magento.refusals import MissingRight, NoSuchRoute, NotFound, PageTooLarge
from connector.domain.errors import Permanent, Retryable
from tests.adapters.magento.shops import FOUR, NO_ROUTE, NOW, always, asked, error, not_allowed, searched, sent
from tests.adapters.talking import answered

PARAMETER = re.compile(r'(oauth_\w+)="([^"]*)"')


def parameters(request: Request) -> dict[str, str]:
    return {name: unquote(value) for name, value in PARAMETER.findall(request.headers["Authorization"])}


def test_every_try_is_signed_with_a_nonce_and_a_moment_of_its_own() -> None:
    answers: Iterator[Answer | Unanswered] = iter([Unanswered("cut"), answered([])])

    def answer(_request: Request) -> Answer:
        one = next(answers)
        if isinstance(one, Unanswered):
            raise one
        return one

    shop, requests = asked(answer)
    assert read(shop, "store/storeConfigs") == []
    first, second = map(parameters, requests)
    assert first["oauth_nonce"] != second["oauth_nonce"]
    assert len(first["oauth_nonce"]) == 32
    assert first["oauth_timestamp"] == str(int(NOW.timestamp()))
    assert first["oauth_signature_method"] == "HMAC-SHA256"
    assert first["oauth_signature"] != second["oauth_signature"]


def test_the_signature_is_that_of_the_address_as_it_is_sent() -> None:
    shop, requests = asked(always({"items": [], "total_count": 0}))
    read(shop, "orders", query([Filter("increment_id", "a=b&c+d ü")], size=1))
    told, url = parameters(requests[0]), requests[0].url
    signer = Client(
        FOUR["consumer_key"],
        client_secret=FOUR["consumer_secret"],
        resource_owner_key=FOUR["access_token"],
        resource_owner_secret=FOUR["access_token_secret"],
        signature_method=SIGNATURE_HMAC_SHA256,
        nonce=told["oauth_nonce"],
        timestamp=told["oauth_timestamp"],
    )
    assert unquote(PARAMETER.findall(signer.sign(url)[1]["Authorization"])[-1][1]) == told["oauth_signature"]


def test_a_json_body_is_not_signed() -> None:
    shop, requests = asked(always(data := {"done": True}))
    assert write(shop, "POST", "async_event", {"asyncEvent": {}}) == data
    assert requests[0].headers["Content-Type"] == "application/json"
    assert sent(requests[0]) == {"asyncEvent": {}}


def test_an_access_token_alone_is_a_bearer() -> None:
    shop, requests = asked(always([]), values={"access_token": "t" * 32})
    read(shop, "store/websites")
    assert requests[0].headers["Authorization"] == f"Bearer {'t' * 32}"


def test_every_request_names_the_product() -> None:
    shop, requests = asked(always([]))
    read(shop, "store/websites")
    assert re.fullmatch(r"Connector/[\w.]+ \(\+order updates\)", requests[0].headers["User-Agent"])


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4))
def test_every_pair_of_a_query_has_exactly_one_raw_equals_sign(pairs: list[tuple[str, str]]) -> None:
    text = query([Filter(field, value) for field, value in pairs], sort=["updated_at"], size=5, fields="items[a],b")
    assert text.isascii()
    assert all(pair.count("=") == 1 and not pair.endswith("==") for pair in text.split("&"))


def test_each_filter_is_a_group_so_that_all_must_hold() -> None:
    text = unquote(query([Filter("a", "1"), Filter("b", "2", "gt")], sort=["-c"], size=7))
    assert "[filter_groups][0][filters][0][field]=a" in text
    assert "[filter_groups][1][filters][0][condition_type]=gt" in text
    assert "[sortOrders][0][direction]=DESC" in text
    assert "searchCriteria[pageSize]=7&searchCriteria[currentPage]=1" in text


REFUSALS: list[tuple[Answer, type[Exception], str]] = [
    (not_allowed("Magento_Sales::actions_view"), MissingRight, "Sales > Operations > Orders > Actions > View"),
    (
        answered(
            {"message": "Consumer is not authorized to access %1", "parameters": ["Magento_Sales::shipment"]}, 401
        ),
        MissingRight,
        "Sales > Operations > Shipments",
    ),
    (
        answered({"message": "Not authorized to access %resources", "parameters": [{"resources": "Vendor_A::b"}]}, 401),
        MissingRight,
        "Vendor_A::b",
    ),
    (error("The consumer isn't authorized to access %resources.", 403), MissingRight, "has to be active"),
    (not_allowed("Vendor_Module::thing"), MissingRight, "Vendor_Module::thing"),
    (error("The signature is invalid. Verify and try again.", 401), Permanent, "offloader_header"),
    (error("The nonce is already being used by the consumer with ID %1.", 401), Retryable, "nonce"),
    (error("Access token has been revoked", 401), Permanent, "Reauthorize"),
    (error("A consumer having the specified key does not exist", 401), Permanent, "Reauthorize"),
    (error('The timestamp value in the "oauth_timestamp" parameter is invalid.', 400), Permanent, "clocks"),
    (NO_ROUTE, NoSuchRoute, "does not know"),
    (error("No such entity with %fieldName = %fieldValue", 404, fieldName="id", fieldValue="7"), NotFound, "id = 7"),
    (error("Maximum SearchCriteria pageSize is %max", 400, max="20"), PageTooLarge, "20"),
    (error("Unable to add\r\nit", 400), Permanent, "Unable to add it"),
    (Answer(404, {}, b"<html>not here</html>"), Permanent, "index.php"),
    (Answer(403, {}, b"<html>Attention Required</html>"), Permanent, "firewall"),
    (Answer(401, {"www-authenticate": 'Basic realm="staging"'}, b""), Permanent, "password"),
    (Answer(301, {"location": "https://www.shop.example.com/rest/V1/orders"}, b""), Permanent, "www.shop.example.com"),
    (Answer(302, {"location": "https://[bad"}, b""), Permanent, "sends its API's visitors on instead"),
    (Answer(200, {}, b"<html>checking your browser</html>"), Permanent, "a page instead of data"),
    (Answer(200, {}, b'{"items":[{"entity_id":'), Retryable, "broken JSON"),
    (Answer(400, {}, b'{"message":{"a":1}}'), Permanent, "not in Magento's words"),
    (Answer(503, {"retry-after": "120"}, b"maintenance"), Busy, "503"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), REFUSALS)
def test_a_refusal_says_what_to_click(answer: Answer, kind: type[Exception], words: str) -> None:
    shop, _ = asked(lambda _request: answer)
    with pytest.raises(kind, match=re.escape(words)):
        read(shop, "orders")


def test_words_of_a_shop_are_shortened_and_on_one_line() -> None:
    shop, _ = asked(always({"message": "x\n" * 5_000}, 400))
    with pytest.raises(Permanent) as caught:
        read(shop, "orders")
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_what_is_written_is_sent_once() -> None:
    def cut(_request: Request) -> Answer:
        raise Unanswered("cut")

    shop, requests = asked(cut)
    with pytest.raises(Unanswered):
        write(shop, "POST", "order/7/ship", {})
    assert len(requests) == 1


def test_a_page_size_the_merchant_limits_is_halved_until_it_goes() -> None:
    rows = [{"entity_id": number} for number in range(1, 61)]
    shop, requests = asked(lambda request: searched(request, rows, largest_page=20))
    found = search_all(shop, "shipments", (), key="entity_id")
    assert [one.value("entity_id") for one in found] == list(range(1, 61))
    assert len(requests) == 3 + 6, "100, 50 and 25 are refused once; 12 goes"


def test_a_list_that_never_changes_is_read_once() -> None:
    page = {"items": [{"entity_id": 5}] * 100, "total_count": 9_999}
    shop, requests = asked(always(page))
    assert len(search_all(shop, "shipments", (), key="entity_id")) == 100
    assert len(requests) == 2


@pytest.mark.parametrize(("told", "size"), [("20", 20), ("", 100), ("0", 1), ("5000", 100), ("²", 100), ("-3", 100)])
def test_a_page_is_as_large_as_the_probe_found(told: str, size: int) -> None:
    shop, _ = asked(always([]), features={"page_size": told})
    assert page_size(shop) == size


@given(st.binary(max_size=200), st.sampled_from([200, 301, 400, 401, 403, 404]))
def test_no_answer_makes_reading_fail_in_another_way(body: bytes, status: int) -> None:
    shop, _ = asked(lambda _request: Answer(status, {"location": body.decode("latin-1")}, body))
    with contextlib.suppress(Permanent, Retryable):
        read(shop, "orders")


def test_a_verifier_goes_along_with_a_request_token() -> None:
    header = authorization({**FOUR, "verifier": "v" * 32}, "POST", "https://shop.example.com/oauth/token/access", NOW)
    assert f'oauth_verifier="{"v" * 32}"' in header
