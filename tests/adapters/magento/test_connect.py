"""Connecting a Magento shop: its activation handshake, and secrets pasted from its page."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Begin, Offer, Told, Visit
from adapters.http import Answer, Busy, Request, Unanswered
from adapters.magento.connect import CONNECT
from connector.domain.connection import Access, App, Credentials
from connector.domain.errors import Permanent, Retryable, WrongSetting
from tests.adapters.magento.shops import BASE, FOUR, HOST, NOW, asked, error, not_allowed, route
from tests.adapters.magento.test_client import parameters
from tests.adapters.talking import answered

LINKS = {"callback": "https://connector.example.com/c/n0nce", "identity": "https://connector.example.com/i/n0nce"}
HANDED = {
    "oauth_consumer_key": "k" * 32,
    "oauth_consumer_secret": "c" * 32,
    "store_base_url": f"{BASE}/",
    "oauth_verifier": "v" * 32,
}
OFFER = Offer({"consumer_key": "k" * 32, "consumer_secret": "c" * 32, "verifier": "v" * 32})
BACK = f"{BASE}/admin_x1/admin/integration/loginSuccessCallback/key/0a1b/"


def visit(place: str = "callback", **changes: Any) -> Visit:
    sample: dict[str, Any] = {
        "place": place,
        "method": "POST" if place == "callback" else "GET",
        "query": {},
        "raw_query": "",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": b"",
        "at": NOW,
        "app": App(),
        "host": HOST,
        "base": BASE,
        "nonce": "n0nce",
        "links": LINKS,
    }
    return Visit(**(sample | changes))


def received(one: Visit) -> tuple[Offer | None, Told]:
    assert CONNECT.receive is not None
    return CONNECT.receive(one)


TYPED = [
    ("shop.example.com", (HOST, BASE)),
    (" https://Shop.Example.com/ ", (HOST, BASE)),
    ("https://shop.example.com:443", (HOST, BASE)),
    ("https://shop.example.com:8443/", ("shop.example.com:8443", "https://shop.example.com:8443")),
    ("https://example.com/store/", ("example.com", "https://example.com/store")),
    ("https://example.com/store/rest/V1/orders", ("example.com", "https://example.com/store")),
    ("https://example.com/index.php/rest/V1", ("example.com", "https://example.com/index.php")),
    ("https://example.com/index.php", ("example.com", "https://example.com/index.php")),
    ("https://example.com/admin/dashboard/?key=1#top", ("example.com", "https://example.com")),
    ("https://example.com/restaurant", ("example.com", "https://example.com/restaurant")),
    ("https://blumen-müller.example", ("xn--blumen-mller-klb.example", "https://xn--blumen-mller-klb.example")),
]


@pytest.mark.parametrize(("typed", "expected"), TYPED)
def test_a_shops_address_is_read_as_people_type_it(typed: str, expected: tuple[str, str]) -> None:
    assert CONNECT.base(typed) == expected


NO_ADDRESS = ["", "http://shop.example.com", "ftp://x", "https://", "https://a b.example", "https://me:pw@shop.example"]
NO_ADDRESS += ["https://shop.example.com/a/../b", "https://shop.example.com/%2e", "https://shop.example:99999", "//"]


@pytest.mark.parametrize("typed", NO_ADDRESS)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(WrongSetting):
        CONNECT.base(typed)


@given(st.text(max_size=60))
def test_an_address_is_read_or_refused(typed: str) -> None:
    try:
        host, base = CONNECT.base(typed)
    except WrongSetting:
        return
    assert base.startswith(f"https://{host}")
    assert base.isascii()
    assert CONNECT.base(base) == (host, base)


def test_the_instructions_name_both_addresses_and_every_right() -> None:
    words = " ".join(CONNECT.instructions(Begin(Access(HOST, BASE, Credentials()), "Connector", LINKS, "n0nce")))
    assert all(link in words for link in LINKS.values())
    for place in ("Orders > Actions > View", "Actions > Ship", "Operations > Shipments", "Settings > All Stores"):
        assert place in words
    assert "?" not in words, "Magento adds a question mark to the identity link by itself"
    assert CONNECT.begin is None


def test_what_the_shop_hands_over_is_an_offer_and_answered_plainly_at_once() -> None:
    offer, told = received(visit(body=urlencode(HANDED).encode()))
    assert offer is not None
    assert offer.values == OFFER.values
    assert offer.host == HOST
    assert (told.status, told.redirect, told.page, told.body) == (200, "", "", b"")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"body": urlencode(HANDED | {"store_base_url": "https://evil.example/"}).encode()}, "link of its own"),
    ({"body": urlencode(HANDED | {"store_base_url": f"https://{HOST}@evil.example/"}).encode()}, "https"),
    ({"body": urlencode(HANDED | {"store_base_url": f"http://{HOST}/"}).encode()}, "secure URLs"),
    ({"body": urlencode(HANDED | {"store_base_url": ""}).encode()}, "secure URLs"),
    ({"body": urlencode(HANDED | {"oauth_consumer_key": "x y\r\n" * 9}).encode()}, "Reauthorize"),
    ({"body": urlencode(HANDED | {"oauth_verifier": ""}).encode()}, "Reauthorize"),
    ({"body": b"\xff\xfe"}, "not what Magento posts"),
    ({"body": b"&".join([b"a=1"] * 50)}, "not what Magento posts"),
    ({"method": "GET"}, "Callback URL"),
    ({"place": "elsewhere"}, "leads to"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_a_post_that_is_not_the_invited_shops_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Permanent, match=words):
        received(visit(**changes))


def test_the_base_address_may_be_another_store_views() -> None:
    body = urlencode(HANDED | {"store_base_url": f"{BASE}/index.php/de_DE/"}).encode()
    assert received(visit(body=body))[0] is not None


def identity(success: str) -> Told:
    raw = f"oauth_consumer_key={'k' * 32}&success_call_back={success}"
    offer, told = received(visit("identity", raw_query=raw))
    assert offer is None
    return told


def test_the_window_is_led_back_byte_for_byte() -> None:
    assert identity(quote(BACK, safe="")).redirect == BACK
    assert identity(BACK).redirect == BACK
    odd = f"{BASE}/admin/key/a%2Fb/?isAjax=true&x=1+2"
    assert identity(quote(odd, safe="")).redirect == odd
    assert identity(odd).redirect == odd


ELSEWHERE = [
    "https://evil.example/",
    f"https://{HOST}.evil.example/",
    f"https://{HOST}@evil.example/",
    f"https://evil.example\\@{HOST}/",
    f"http://{HOST}/",
    f"//{HOST}/",
    "javascript:alert(1)//",
    f"https://{HOST}:8443/",
    f"https://{HOST}/\r\nSet-Cookie: a=b",
    "https://[x/",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_to_another_host(target: str) -> None:
    for told in (identity(quote(target, safe="")), identity(target)):
        assert (told.redirect, told.page) == ("", "problem")
        assert told.words


class Activation:
    """A shop that exchanges one verifier, once."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)

    def __call__(self, request: Request) -> Answer:
        if request.url.startswith(f"{BASE}/rest/V1/"):
            return answered({"items": [], "total_count": 3})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def tokens(token: str, secret: str) -> Answer:
    return Answer(200, {}, f"oauth_token={token}&oauth_token_secret={secret}".encode())


def problem(words: str, status: int = 401) -> Answer:
    return Answer(status, {}, urlencode({"oauth_problem": words}).encode())


def test_a_verifier_is_exchanged_for_lasting_tokens_that_then_read_from_the_shop() -> None:
    shop, requests = asked(Activation(tokens("r" * 32, "q" * 32), tokens("t" * 32, "s" * 32)), values={})
    assert CONNECT.prove(shop, OFFER) == Credentials(FOUR)
    first, second, proof = requests
    assert [request.url for request in requests[:2]] == [f"{BASE}/oauth/token/request", f"{BASE}/oauth/token/access"]
    assert (first.method, first.body) == ("POST", b"")
    assert "oauth_token" not in parameters(first)
    assert (parameters(second)["oauth_token"], parameters(second)["oauth_verifier"]) == ("r" * 32, "v" * 32)
    assert parameters(proof)["oauth_token"] == "t" * 32
    assert route(proof) == "orders"


USED_UP = [
    "Consumer key has expired",
    "Cannot create request token because consumer token is not a verifier token",
    "Token is already being used",
]


@pytest.mark.parametrize("words", USED_UP)
def test_an_exchange_that_came_too_late_or_twice_asks_to_reauthorize(words: str) -> None:
    shop, _ = asked(Activation(problem(words)), values={})
    with pytest.raises(Permanent, match="press Reauthorize"):
        CONNECT.prove(shop, OFFER)


NOT_EXCHANGED: list[tuple[Answer | Exception, type[Exception], str]] = [
    (problem("The signature is invalid. Verify and try again."), Permanent, "offloader_header"),
    (problem("A consumer having the specified key does not exist"), Permanent, "Reauthorize"),
    (Answer(404, {}, b"<html>"), Permanent, "no Magento API"),
    (Answer(200, {}, b"<html>hello</html>"), Permanent, "page instead of tokens"),
    (tokens("short", "s" * 32), Permanent, "page instead of tokens"),
    (Answer(302, {"location": "https://www.shop.example.com/"}, b""), Permanent, "www.shop.example.com"),
    (Answer(503, {"retry-after": "600"}, b""), Busy, "503"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), NOT_EXCHANGED)
def test_an_exchange_that_fails_says_what_to_do(answer: Answer, kind: type[Exception], words: str) -> None:
    shop, _ = asked(Activation(answer), values={})
    with pytest.raises(kind, match=words):
        CONNECT.prove(shop, OFFER)


def test_an_exchange_whose_answer_was_lost_asks_to_reauthorize() -> None:
    lost = Activation(Unanswered("cut"), problem("Cannot create request token because ... is not a verifier token"))
    shop, requests = asked(lost, values={})
    with pytest.raises(Permanent, match="press Reauthorize"):
        CONNECT.prove(shop, OFFER)
    assert parameters(requests[0])["oauth_nonce"] != parameters(requests[1])["oauth_nonce"]


def test_tokens_that_were_exchanged_are_kept_though_the_shop_is_away_a_moment_later() -> None:
    exchanges = Activation(tokens("r" * 32, "q" * 32), tokens("t" * 32, "s" * 32))

    def answer(request: Request) -> Answer:
        return Answer(503, {"retry-after": "600"}, b"") if "/rest/" in request.url else exchanges(request)

    shop, _ = asked(answer, values={})
    assert CONNECT.prove(shop, OFFER) == Credentials(FOUR)
    with pytest.raises(Busy):
        CONNECT.prove(shop, Offer(FOUR))


def test_four_pasted_secrets_are_proven_by_reading() -> None:
    shop, requests = asked(Activation(), values={})
    assert CONNECT.prove(shop, Offer({name: f" {value}\n" for name, value in FOUR.items()})) == Credentials(FOUR)
    assert [route(request) for request in requests] == ["orders"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"consumer_key": "k" * 32},
        {name: value for name, value in FOUR.items() if name != "consumer_secret"},
        {**FOUR, "access_token": "a b" * 9},
        {"access_token": "päss" * 9},
    ],
)
def test_an_incomplete_set_of_secrets_is_refused_before_anything_is_asked(values: dict[str, str]) -> None:
    shop, requests = asked(Activation(), values={})
    with pytest.raises(Permanent, match="Integration Details"):
        CONNECT.prove(shop, Offer(values))
    assert requests == []


def test_secrets_of_another_shop_do_not_pass() -> None:
    shop, _ = asked(lambda _request: error("The signature is invalid. Verify and try again.", 401), values={})
    with pytest.raises(Permanent, match="signature"):
        CONNECT.prove(shop, Offer(FOUR))


def test_a_missing_right_is_no_refused_credential() -> None:
    def answer(request: Request) -> Answer:
        return not_allowed("Magento_Sales::actions_view") if route(request) == "orders" else answered({"items": []})

    shop, _ = asked(answer, values={})
    assert CONNECT.prove(shop, Offer(FOUR)) == Credentials(FOUR)


def test_a_token_alone_that_may_do_nothing_says_where_to_allow_it() -> None:
    shop, _ = asked(lambda _request: not_allowed("Magento_Sales::actions_view"), values={})
    with pytest.raises(Permanent, match="standalone Bearer tokens"):
        CONNECT.prove(shop, Offer({"access_token": "t" * 32}))


def test_an_integration_that_may_do_nothing_is_not_connected() -> None:
    shop, _ = asked(lambda _request: not_allowed("Magento_Sales::actions_view"), values={})
    with pytest.raises(Permanent, match="not active"):
        CONNECT.prove(shop, Offer(FOUR))


@given(st.binary(max_size=100), st.sampled_from([200, 302, 400, 401, 403, 404]))
def test_no_answer_makes_an_exchange_fail_in_another_way(body: bytes, status: int) -> None:
    shop, _ = asked(lambda _request: Answer(status, {}, body), values={})
    with pytest.raises((Permanent, Retryable)):
        CONNECT.prove(shop, OFFER)


@given(st.text(max_size=100))
def test_no_way_back_leads_to_another_host(raw: str) -> None:
    told = received(visit("identity", raw_query=raw))[1]
    assert not told.redirect or told.redirect.startswith(f"{BASE}/")


def test_no_secret_shows_in_a_message() -> None:
    shop, _ = asked(lambda _request: error("The signature is invalid.", 401), values={})
    with pytest.raises(Permanent) as caught:
        CONNECT.prove(shop, Offer(FOUR))
    assert not any(secret in str(caught.value) for secret in FOUR.values())
