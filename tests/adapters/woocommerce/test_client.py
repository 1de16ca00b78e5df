"""Speaking with a shop: how keys are shown, and what refusals say."""

import ast
import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

import adapters
from adapters.http import Answer, Request
from adapters.woocommerce.client import SIGNATURE, Client, Refused, checked, client_of, documents_of, order_path
from connector.domain.clock import FixedClock
from connector.domain.errors import Permanent, Retryable
from tests.adapters.talking import FakeWeb, answered
from tests.adapters.woocommerce.shop import HOST, KEY, NOW, ROOT, SECRET, FakeShop, basic, error, page, query_of


def test_the_key_travels_as_basic_authentication_and_never_in_the_address() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders", [])
    client_of(shop.store()).get("wc/v3/orders", {"status": "any"})
    (request,) = shop.web.asked
    assert basic(request) == f"{KEY}:{SECRET}"
    assert request.url == f"{ROOT}/wc/v3/orders?status=any"
    assert request.headers["User-Agent"].startswith("Connector/")
    assert KEY not in repr(client_of(shop.store()))


def _woocommerce_would_sign(request: Request, home: str) -> str:
    """As WooCommerce checks it: over the address it takes for its own, keys and values encoded twice."""
    parameters = query_of(request)
    parameters.pop("oauth_signature")
    encoded = {quote(key, safe=""): quote(value, safe="") for key, value in sorted(parameters.items())}
    query = "%26".join(quote(f"{key}={value}", safe="") for key, value in encoded.items())
    text = f"{request.method}&{quote(home + urlsplit(request.url).path, safe='')}&{query}"
    return base64.b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha256).digest()).decode()


def test_behind_a_proxy_the_call_is_signed_as_if_it_came_by_http() -> None:
    web = FakeWeb(lambda _: answered([]))
    client = Client(web, FixedClock(NOW), ROOT, KEY, SECRET, SIGNATURE)
    query = {"modified_after": "2026-11-21T20:08:37", "_fields": "id,meta_data", "dates_are_gmt": "true"}
    client.get("wc/v3/orders", query)
    client.get("wc/v3/orders", query)
    first, second = web.asked
    assert query_of(first)["oauth_signature"] == _woocommerce_would_sign(first, f"http://{HOST}")
    assert first.url.startswith("https://")
    assert SECRET not in first.url
    assert query_of(first)["oauth_nonce"] != query_of(second)["oauth_nonce"]
    assert query_of(first)["oauth_timestamp"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize("own", ["http://localhost:8899/wp-json", "https://localhost:8899/wp-json"])
def test_the_signature_is_over_the_address_wordpress_has_for_itself(own: str) -> None:
    """Whatever it is reached by (class-wc-rest-authentication.php, check_oauth_signature)."""
    web = FakeWeb(lambda _: answered([]))
    root = "http://127.0.0.1:8899/wp-json"
    client = Client(web, FixedClock(NOW), root, KEY, SECRET, SIGNATURE, own)
    client.get("wc/v3/orders", {"status": "any"})
    client.get("wc/v3/orders")
    for request in web.asked:
        assert request.url.startswith(f"{root}/wc/v3/orders?")
        assert query_of(request)["oauth_signature"] == _woocommerce_would_sign(request, "http://localhost:8899")
    assert query_of(web.asked[0])["status"] == "any"


def test_only_the_signature_of_the_woocommerce_package_is_used() -> None:
    """Its requests have no session, follow redirects, take 5 s for a slow shop and mangle parameters (reference, 8)."""
    imported = set()
    for path in Path(adapters.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "woocommerce":
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names if alias.name.split(".")[0] == "woocommerce"}
    assert imported == {"woocommerce.oauth.OAuth"}


@pytest.mark.parametrize(
    ("answer", "writing", "words"),
    [
        (error("woocommerce_rest_cannot_view", 401), False, "does not know the key"),
        (error("woocommerce_rest_cannot_view", 401), False, "X-Forwarded-Proto"),
        (error("woocommerce_rest_cannot_view", 403), False, "Administrator or Shop manager"),
        (error("woocommerce_rest_authentication_error", 401), False, "do not belong together"),
        (error("woocommerce_rest_authentication_error", 401), False, "may not read"),
        (error("woocommerce_rest_authentication_error", 401), True, "Read/Write"),
        (error("rest_no_route", 404), False, "not active there, or too old"),
        (error("woocommerce_rest_shop_order_invalid_id", 404), False, "does not exist"),
        (error("something_else", 400), False, "(400, something_else)"),
        (page(403), False, "firewall"),
        (page(406), False, "firewall"),
        (page(404), False, "Permalinks"),
        (page(200), False, "maintenance"),
        (page(401, www_authenticate='Basic realm="Staging"'), False, "password protects"),
        (page(301, location="https://www.laden.example.test/wp-json/"), False, "www.laden.example.test"),
        (page(302, location="https://x/<script>"), False, "final address"),
        (page(302, location="https://[/"), False, "another address"),
        (answered({"code": "<script>"}, 400), False, "(400, unusual)"),
        (answered({"message": "no"}, 403), False, "firewall"),
    ],
)
def test_a_refusal_says_what_to_click(answer: Answer, writing: bool, words: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(answer, HOST, writing=writing)
    assert words in str(refused.value)
    assert "<script>" not in str(refused.value)
    assert "Hello" not in str(refused.value)


def test_a_byte_order_mark_before_the_data_does_no_harm() -> None:
    assert documents_of(checked(Answer(200, {}, b"\xef\xbb\xbf [{}]"), HOST))[0].document == {}


@pytest.mark.parametrize("body", [b'[{"id":1},', b'{"id":1}', b'["x"]', b"[1]", b"{\xff}"])
def test_half_an_answer_is_asked_for_again_later(body: bytes) -> None:
    with pytest.raises(Retryable):
        documents_of(Answer(200, {}, body))


@pytest.mark.parametrize("order_id", ["", "12a", "1/../../users", "１２", "9" * 21])
def test_only_numbers_are_orders(order_id: str) -> None:
    with pytest.raises(Permanent, match="numbers"):
        order_path(order_id)


def test_writing_is_tried_once_and_reading_again() -> None:
    web = FakeWeb(lambda _: page(500))
    client = Client(web, FixedClock(NOW), ROOT, KEY, SECRET)
    with pytest.raises(Retryable):
        client.post("wc/v3/orders/1/notes", {"note": "x"})
    assert len(web.asked) == 1
    with pytest.raises(Retryable):
        client.get("wc/v3/orders")
    assert len(web.asked) > 2


def test_credentials_that_are_not_whole_are_said_to_be() -> None:
    with pytest.raises(Permanent, match="connect the shop again"):
        client_of(FakeShop().stranger())


def test_what_is_sent_is_json() -> None:
    shop = FakeShop()
    shop.says("PUT /wp-json/wc/v3/orders/1", {"id": 1})
    client_of(shop.store()).put("wc/v3/orders/1", {"meta_data": [{"key": "ö", "value": 1}]})
    (request,) = shop.web.asked
    assert json.loads(request.body) == {"meta_data": [{"key": "ö", "value": 1}]}
    assert request.headers["Content-Type"].startswith("application/json")
