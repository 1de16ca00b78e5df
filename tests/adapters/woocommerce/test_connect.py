"""Connecting a shop: addresses, the one-click grant, pasted keys, and proof."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Begin, Offer, Visit
from adapters.http import Answer, Request
from adapters.woocommerce import MANIFEST
from adapters.woocommerce.connect import CONNECT, base, begin, plain_base, prove, receive
from connector.domain.connection import Access, App, Credentials
from connector.domain.errors import Permanent, Retryable, WrongSetting
from tests.adapters.talking import answered
from tests.adapters.woocommerce.shop import ABOUT, BASE, HOST, KEY, NOW, ROOT, SECRET, FakeShop, basic, error, page
from tests.adapters.woocommerce.shop import query_of as queried

LINKS = {"callback": "https://c.example.test/install/n/callback", "return": "https://c.example.test/install/n/return"}
ACCESS = Access(HOST, f"{BASE}/shop", Credentials())
OFFER = Offer({"consumer_key": f" {KEY} ", "consumer_secret": SECRET})


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("shop.example.com", ("shop.example.com", "https://shop.example.com")),
        ("  https://Shop.Example.com/  ", ("shop.example.com", "https://shop.example.com")),
        ("https://example.com/shop/", ("example.com", "https://example.com/shop")),
        ("https://example.com:8443/a/b", ("example.com:8443", "https://example.com:8443/a/b")),
        ("https://example.com:443", ("example.com", "https://example.com")),
        ("https://example.com/shop/wp-admin/admin.php?page=wc-settings", ("example.com", "https://example.com/shop")),
        ("https://example.com/wp-json/wc/v3/orders", ("example.com", "https://example.com")),
        ("müller.example", ("xn--mller-kva.example", "https://xn--mller-kva.example")),
    ],
)
def test_an_address_is_understood_as_merchants_type_it(typed: str, expected: tuple[str, str]) -> None:
    assert base(typed) == expected


def test_a_shop_without_https_is_refused_and_told_why() -> None:
    with pytest.raises(WrongSetting, match=r"certificate.*CONNECTOR_PLAIN_HTTP"):
        base("http://shop.example.com")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("http://127.0.0.1:8899/", ("127.0.0.1:8899", "http://127.0.0.1:8899")),
        ("http://Shop.test:80/wp-admin/", ("shop.test", "http://shop.test")),
        ("https://127.0.0.1:8898", ("127.0.0.1:8898", "https://127.0.0.1:8898")),
        ("localhost:8443", ("localhost:8443", "https://localhost:8443")),
    ],
)
def test_an_operator_who_tries_a_shop_at_home_may_leave_https_out(typed: str, expected: tuple[str, str]) -> None:
    assert plain_base(typed) == expected


@pytest.mark.parametrize("typed", ["ftp://shop.test", "http://u:p@shop.test", "http://", "http://a b"])
def test_trying_a_shop_at_home_takes_no_other_addresses(typed: str) -> None:
    with pytest.raises(WrongSetting, match="accepted"):
        plain_base(typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "https://", "ftp://x", "https://a b", "https://u:p@x.example", "https://x/../y", "https://x:99999"),
        *("x" * 400, "https://x.example/<b>", "https://[::1", "https://ex\u2028ample"),
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(WrongSetting, match=r"accepted: .*https://shop\.example\.com"):
        base(typed)


@given(st.text(max_size=80))
def test_whatever_is_typed_is_an_https_address_or_refused(typed: str) -> None:
    try:
        host, found = base(typed)
    except WrongSetting:
        return
    assert found.startswith(f"https://{host}")
    assert not set(found) & set(" <>\"'\\@?#\n")


def test_the_merchant_is_sent_to_woocommerces_own_page() -> None:
    link = urlsplit(begin(Begin(ACCESS, "Mails & more", LINKS, "nonce-1_A")))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{BASE}/shop/wc-auth/v1/authorize"
    assert parse_qs(link.query) == {
        "app_name": ["Mails & more"],
        "scope": ["read_write"],
        "user_id": ["nonce-1_A"],
        "return_url": [LINKS["return"]],
        "callback_url": [LINKS["callback"]],
    }


def test_an_address_woocommerce_would_refuse_is_said_before() -> None:
    with pytest.raises(Permanent, match="https"):
        begin(Begin(ACCESS, "Mails", {**LINKS, "callback": "http://c.example.test/"}, "n"))


def _visit(document: object, *, method: str = "POST", place: str = "callback", query: str = "") -> Visit:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    pairs = {key: values[0] for key, values in parse_qs(query).items()}
    return Visit(place, method, pairs, query, {}, body, NOW, App(), HOST, BASE, "nonce-1")


def _handed(**changes: object) -> dict[str, object]:
    keys = {"key_id": 3, "user_id": "nonce-1", "consumer_key": KEY, "consumer_secret": SECRET}
    return keys | {"key_permissions": "read_write"} | changes


def test_keys_handed_over_are_offered_and_answered_with_exactly_200() -> None:
    offer, told = receive(_visit(_handed()))
    assert offer is not None
    assert (offer.values, offer.host) == ({"consumer_key": KEY, "consumer_secret": SECRET}, HOST)
    assert (told.status, told.page) == (200, "")
    assert SECRET not in repr(offer)


def test_a_double_click_hands_over_two_pairs_and_both_are_offers() -> None:
    first, _ = receive(_visit(_handed()))
    second, _ = receive(_visit(_handed(consumer_key="ck_" + "c" * 40)))
    assert first is not None
    assert second is not None
    assert first.values != second.values


@pytest.mark.parametrize(
    "visit",
    [
        _visit(_handed(user_id="nonce-2")),
        _visit(_handed(user_id="")),
        _visit(_handed(user_id=7)),
        _visit(_handed(user_id={"a": 1})),
        _visit(_handed(consumer_key="ck_short")),
        _visit(_handed(consumer_secret=None)),
        _visit(_handed(consumer_secret=SECRET.upper())),
        _visit(_handed(), method="GET"),
        _visit(_handed(more="x" * 5000)),
        _visit(b"[]"),
        _visit(b"\xff"),
        _visit(b""),
        _visit(b"[" * 4000),
        _visit(_handed(), place="identity"),
    ],
)
def test_what_is_no_handing_over_for_this_invitation_is_refused(visit: Visit) -> None:
    with pytest.raises(Permanent) as refused:
        receive(visit)
    assert KEY not in str(refused.value)


def test_coming_back_proves_nothing() -> None:
    assert receive(_visit(b"", method="GET", place="return", query="success=1&user_id=nonce-1"))[0] is None
    assert receive(_visit(b"", place="return", query="success=1"))[1].page == "done"
    for query in ("success=0&user_id=x", "", "success=11"):
        offer, told = receive(_visit(b"", place="return", query=query))
        assert (offer, told.page) == (None, "declined")
        assert "Approve" in told.words


class Keyed(FakeShop):
    """A shop that takes the key in the given ways, and lets it write or not."""

    def __init__(self, *, takes: tuple[str, ...] = ("header",), writes: Answer | None = None, base: str = BASE) -> None:
        super().__init__(base)
        self._takes = takes
        self.does("GET /wp-json/wc/v3/orders", lambda request: self._read(request))
        self.answers(
            "POST /wp-json/wc/v3/webhooks", writes or error("woocommerce_rest_shop_webhook_invalid_topic", 400)
        )

    def _read(self, request: Request) -> Answer:
        query = queried(request)
        shown = {
            "header": basic(request) == f"{KEY}:{SECRET}",
            "query": (query.get("consumer_key"), query.get("consumer_secret")) == (KEY, SECRET),
            "signature": "oauth_signature" in query,
        }
        if "oauth_signature" in query and "signature" not in self._takes:
            return error("woocommerce_rest_authentication_error", 401)
        taken = any(shown[way] for way in self._takes)
        return answered([{"id": 1}]) if taken else error("woocommerce_rest_cannot_view", 401)


def test_keys_that_read_and_write_at_this_very_shop_hold() -> None:
    shop = Keyed()
    credentials = prove(shop.stranger(), OFFER)
    assert credentials.values == {
        "consumer_key": KEY,
        "consumer_secret": SECRET,
        "rest_root": ROOT,
        "key_in": "header",
        "own_root": ROOT,
    }
    assert credentials.expires_at is None


def test_proving_changes_nothing_in_the_shop() -> None:
    shop = Keyed()
    prove(shop.stranger(), OFFER)
    (sent,) = shop.sent("POST /wp-json/wc/v3/webhooks")
    assert "." not in sent["topic"]
    assert [call for call in shop.calls() if not call.startswith("GET")] == ["POST /wp-json/wc/v3/webhooks"]


def test_where_the_host_takes_the_header_away_the_key_goes_into_the_address() -> None:
    assert prove(Keyed(takes=("query",)).stranger(), OFFER).values["key_in"] == "query"


def test_where_the_shop_does_not_know_of_its_https_calls_are_signed() -> None:
    assert prove(Keyed(takes=("signature",)).stranger(), OFFER).values["key_in"] == "signature"


def test_by_http_the_key_itself_never_leaves_and_every_call_is_signed() -> None:
    shop = Keyed(takes=("signature",), base="http://127.0.0.1:8899")
    credentials = prove(shop.stranger(), OFFER)
    assert (credentials.values["key_in"], credentials.values["rest_root"]) == (
        "signature",
        "http://127.0.0.1:8899/wp-json",
    )
    assert all("Authorization" not in request.headers for request in shop.web.asked)
    assert not any(SECRET in request.url for request in shop.web.asked)


def test_a_signature_that_is_refused_names_all_that_may_be_wrong() -> None:
    shop = Keyed(takes=(), base="http://127.0.0.1:8899")
    with pytest.raises(Permanent, match=r"new key.*Settings > General.*15 minutes"):
        prove(shop.stranger(), OFFER)


def test_the_home_page_of_a_shop_without_https_tells_where_its_api_is() -> None:
    shop = FakeShop("http://127.0.0.1:8899")
    link = '<http://127.0.0.1:8899/rest/>; rel="https://api.w.org/"'
    shop.answers("GET /wp-json/", page(200))
    shop.answers("GET /", page(200, link=link))
    shop.says("GET /rest/", ABOUT)
    shop.replies["GET /rest/wc/v3/orders"] = Keyed(takes=("signature",)).replies["GET /wp-json/wc/v3/orders"]
    shop.answers("POST /rest/wc/v3/webhooks", error("woocommerce_rest_shop_webhook_invalid_topic", 400))
    assert prove(shop.stranger(), OFFER).values["rest_root"] == "http://127.0.0.1:8899/rest"


def test_a_key_nobody_knows_is_refused_with_both_causes() -> None:
    with pytest.raises(Permanent, match=r"does not know the key.*X-Forwarded-Proto"):
        prove(Keyed(takes=()).stranger(), OFFER)


def test_a_key_that_may_only_read_is_refused_with_where_to_click() -> None:
    shop = Keyed(writes=error("woocommerce_rest_authentication_error", 401))
    with pytest.raises(Permanent, match=r"REST API give it the rights Read/Write"):
        prove(shop.stranger(), OFFER)


def test_a_user_without_rights_is_named() -> None:
    shop = Keyed(writes=error("woocommerce_rest_cannot_create", 403))
    with pytest.raises(Permanent, match="Administrator or Shop manager"):
        prove(shop.stranger(), OFFER)


def test_a_secret_that_does_not_fit_is_not_tried_in_other_ways() -> None:
    shop = Keyed()
    shop.answers("GET /wp-json/wc/v3/orders", error("woocommerce_rest_authentication_error", 401))
    with pytest.raises(Permanent, match="do not belong together"):
        prove(shop.stranger(), OFFER)
    assert len(shop.asked("GET /wp-json/wc/v3/orders")) == 1


def test_a_firewall_that_stops_writing_is_named() -> None:
    with pytest.raises(Permanent, match="firewall"):
        prove(Keyed(writes=page(403)).stranger(), OFFER)


@pytest.mark.parametrize("values", [{}, {"consumer_key": KEY}, {"consumer_key": SECRET, "consumer_secret": KEY}])
def test_pasted_keys_are_looked_at_before_the_shop_is_asked(values: dict[str, str]) -> None:
    shop = Keyed()
    with pytest.raises(Permanent, match="accepted: "):
        prove(shop.stranger(), Offer(values))
    assert shop.web.asked == []


def test_a_shop_that_is_away_is_tried_again_later() -> None:
    shop = Keyed()
    shop.answers("GET /wp-json/", page(503))
    with pytest.raises(Retryable):
        prove(shop.stranger(), OFFER)


def _found(shop: FakeShop) -> str:
    shop.replies |= {
        call.replace("/wp-json", "/shop/rest"): reply
        for call, reply in Keyed().replies.items()
        if call.startswith(("GET /wp-json/wc", "POST"))
    }
    return prove(shop.stranger(), OFFER).values["rest_root"]


def test_a_renamed_api_is_found_by_the_link_of_the_home_page() -> None:
    shop = FakeShop(f"{BASE}/shop")
    link = f'<http://{HOST}/shop/rest/>; rel="https://api.w.org/", <https://x.example/>; rel=shortlink'
    shop.answers("GET /shop/", page(200, link=link))
    shop.says("GET /shop/rest/", ABOUT)
    assert _found(shop) == f"{BASE}/shop/rest"


@pytest.mark.parametrize(
    ("home", "words"),
    [
        (page(200, link=f'<{BASE}/index.php?rest_route=/>; rel="https://api.w.org/"'), "Settings > Permalinks"),
        (page(200, link='<https://evil.example/wp-json/>; rel="https://api.w.org/"'), "connect it under the address"),
        (page(200), "no REST API of WordPress"),
        (page(200, link=f'<{BASE}/wp-json/>; rel="https://api.w.org/"'), "no REST API of WordPress"),
    ],
)
def test_a_shop_without_an_api_says_why(home: Answer, words: str) -> None:
    shop = FakeShop()
    shop.answers("GET /wp-json/", page(404))
    shop.answers("GET /", home)
    with pytest.raises(Permanent, match=words):
        prove(shop.stranger(), OFFER)


def test_a_shop_at_another_address_is_named() -> None:
    shop = FakeShop()
    shop.answers("GET /wp-json/", page(301, location=f"https://www.{HOST}/wp-json/"))
    with pytest.raises(Permanent, match=f"www.{HOST}"):
        prove(shop.stranger(), OFFER)


def test_wordpress_without_woocommerce_is_named() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/", ABOUT | {"namespaces": ["wp/v2"]})
    with pytest.raises(Permanent, match="WooCommerce is not active"):
        prove(shop.stranger(), OFFER)


def test_an_api_closed_to_strangers_may_be_open_to_the_key() -> None:
    shop = Keyed()
    shop.answers("GET /wp-json/", error("rest_login_required", 401))
    assert prove(shop.stranger(), OFFER).values["rest_root"] == ROOT


def test_the_manifest_offers_it() -> None:
    assert MANIFEST.connect is CONNECT
    assert [field.name for field in CONNECT.fields] == ["consumer_key", "consumer_secret"]
    assert "callback" in CONNECT.places
    words = " ".join(CONNECT.instructions(Begin(ACCESS, "Mails", LINKS, "n")))
    assert "Approve" in words
