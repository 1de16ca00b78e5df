"""Who pretends to be a shop, leads us into our own network, or borrows a link gets nowhere and leaves nothing."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from adapters.shopify.twin import ShopifyTwin
from adapters.twins import Answered, Asked
from connector.domain.connection import ConnectionState
from connector.domain.errors import WrongSetting
from tests.contracts.connected import ADDRESS, NOW, OURS, Town

MakeTown = Callable[..., Town]
EVIL = "evil.example"
FORM = "application/x-www-form-urlencoded"


class Trap:
    """Somebody in our own network who only notes that he was called."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def looked_up(self, _host: str, _port: int) -> list[Any]:
        """Every name leads here, as a hostile name server answers."""
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", self.port))]


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


ODD_ADDRESSES = [
    "https://127.0.0.1:{port}",
    "https://localhost:{port}/shop",
    "https://[::1]:{port}",
    "https://[::ffff:127.0.0.1]:{port}",
    "https://2130706433:{port}",
    "https://0x7f000001:{port}",
    "https://127.1:{port}",
    "https://0.0.0.0:{port}",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.5",
    "https://connector.internal",
    "https://rebound.example",
    "https://user:password@rebound.example",
    "https://rebound.example@127.0.0.1:{port}",
    "https://rebound.example\\@127.0.0.1:{port}",
    "https://rebound.example#@127.0.0.1:{port}",
    "http://127.0.0.1:{port}",
    "https://127.0.0.1:{port}/../../etc/passwd",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "https://rebound.example\r\nHost: 127.0.0.1",
    "https://ⓛocalhost:{port}",
    "https://127。0。0。1:{port}",
    "//127.0.0.1:{port}",
    " ",
]


@pytest.mark.parametrize("platform", ["woocommerce", "magento", "shopify"])
def test_no_address_leads_into_our_own_network(make_town: MakeTown, platform: str, trap: Trap) -> None:
    town = make_town(platform, own_app=True, resolve=trap.looked_up)
    for typed in ODD_ADDRESSES:
        try:
            link = town.invite(typed.format(port=trap.port))
        except WrongSetting:
            continue
        town.paste(town.there.wrong_keys(), link)
    for _ in range(3):
        town.later(hours=1)
    assert trap.calls == 0
    assert {town.connection_of(shop).state for shop in town.all_shops} <= {
        ConnectionState.INVITED,
        ConnectionState.OFFERED,
    }


def test_where_the_operator_allows_it_shops_at_home_are_called(make_town: MakeTown, trap: Trap) -> None:
    town = make_town("woocommerce", resolve=trap.looked_up, private_addresses=True)
    town.paste(town.there.wrong_keys(), town.invite("https://rebound.example"))
    town.work()
    assert trap.calls > 0


@pytest.mark.parametrize("platform", ["woocommerce", "magento"])
def test_a_shop_that_leads_elsewhere_is_not_followed(make_town: MakeTown, platform: str, trap: Trap) -> None:
    town = make_town(platform)
    link = town.invite()
    with town.there.answering(lambda _: Answered(302, b"", {"Location": f"http://127.0.0.1:{trap.port}/"})):
        town.paste(town.there.keys(), link)
        town.work()
    assert trap.calls == 0
    assert town.connection.state is not ConnectionState.CONNECTED
    assert town.connection.problem


def post(town: Town, link: str, place: str, body: bytes, content_type: str) -> Answered:
    path = urlsplit(link).path
    return town.front.visit(Asked("POST", f"{path}/{place}", "", {"host": OURS, "content-type": content_type}, body))


def keys_for(nonce: str, key: str = "a") -> bytes:
    told = {"key_id": 1, "user_id": nonce, "consumer_key": f"ck_{key * 40}", "consumer_secret": f"cs_{key * 40}"}
    return json.dumps(told | {"key_permissions": "read_write"}).encode()


def assert_nothing_is_kept(town: Town) -> None:
    town.work()
    for shop in town.all_shops:
        assert town.vault_of(shop).offers == ()
        assert town.vault_of(shop).credentials.values == {}
        assert town.connection_of(shop).state is ConnectionState.INVITED


def test_keys_with_somebody_elses_nonce_are_not_taken(make_town: MakeTown) -> None:
    town = make_town("woocommerce")
    theirs = town.invite("https://other.example")
    foreign = town.nonce
    mine = town.invite()
    own = town.nonce
    for link, nonce in ((mine, foreign), (theirs, own), (mine, ""), (mine, own.swapcase()), (mine, own + "x")):
        assert post(town, link, "callback", keys_for(nonce), "application/json").status == 400
    assert post(town, f"{ADDRESS}/connect/woocommerce/{own[:-1]}x", "callback", keys_for(own), "").status == 404
    assert post(town, f"{ADDRESS}/connect/magento/{own}", "callback", keys_for(own), "").status == 404
    assert_nothing_is_kept(town)


def test_keys_that_a_stranger_hands_over_to_a_stolen_link_open_nothing(make_town: MakeTown) -> None:
    town = make_town("woocommerce")
    link = town.invite()
    nonce = town.nonce
    assert post(town, link, "callback", keys_for(nonce), "application/json").status == 200
    assert_nothing_is_kept(town)
    assert "key" in town.connection.problem
    town.twin.approve(town.open_link(link))
    for number in range(4):
        post(town, link, "callback", keys_for(nonce, key=str(number)), "application/json")
    town.work()
    assert town.connection.state is ConnectionState.CONNECTED, "the genuine keys are not drowned by false ones"


def activation(base: str, **changes: str) -> bytes:
    told = {"oauth_consumer_key": "k" * 32, "oauth_consumer_secret": "s" * 32, "oauth_verifier": "v" * 32}
    return urlencode(told | {"store_base_url": base} | changes).encode()


@pytest.mark.parametrize(
    "base",
    [
        f"https://{EVIL}/",
        "https://shop.example.com.evil.example/",
        "https://shop.example.com@evil.example/",
        f"https://{EVIL}/shop.example.com/",
        "http://shop.example.com/",
        "https://shop.example.com:8443/",
        "https://shop.example.com\\@evil.example/",
        "https://127.0.0.1/",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_activation_that_names_another_shop_is_not_taken(make_town: MakeTown, base: str) -> None:
    town = make_town("magento")
    assert post(town, town.invite(), "callback", activation(base), FORM).status == 400
    assert_nothing_is_kept(town)


def test_an_activation_by_a_stranger_is_asked_at_the_true_shop_and_the_true_one_still_counts(
    make_town: MakeTown,
) -> None:
    town = make_town("magento")
    link = town.invite()
    assert post(town, link, "callback", activation(f"{town.twin.base}/"), FORM).status == 200
    assert_nothing_is_kept(town)
    assert town.connection.problem
    town.twin.approve(town.open_link(link))
    town.work()
    assert town.connection.state is ConnectionState.CONNECTED


ELSEWHERE = [
    f"https://{EVIL}/",
    f"//{EVIL}/",
    f"https:{EVIL}",
    f"https://shop.example.com@{EVIL}/",
    f"https://shop.example.com.{EVIL}/",
    f"https://{EVIL}\\@shop.example.com/",
    f"https://{EVIL}#@shop.example.com/",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://shop.example.com/\r\nLocation: https://evil.example/",
    "http://shop.example.com/",
    "https://127.0.0.1/",
]


@pytest.mark.parametrize("platform", ["shopify", "woocommerce", "magento"])
def test_no_address_of_ours_leads_a_browser_to_strangers(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    path = urlsplit(town.invite()).path
    names = ("success_call_back", "return_url", "redirect_uri", "shopify-reload", "shop", "host", "next", "to", "state")
    places = ("", "/callback", "/return", "/identity", "/app", "/patch", "/done")
    home = f"/connect/{platform}/app"
    for target in ELSEWHERE:
        query = urlencode(dict.fromkeys(names, target)) + "&success=1"
        raw = "&".join(f"{name}={quote(target, safe=':/@#')}" for name in names)
        for place in (*(path + one for one in places), *(home + one for one in places)):
            for asked in (query, raw):
                answered = town.front.visit(Asked("GET", place, asked, {"host": EVIL}, b""))
                assert answered.status < 500
                assert_stays(town, answered)


def assert_stays(town: Town, answered: Answered) -> None:
    """A redirect leads to ourselves or to the invited shop, read as the most careless browser reads it."""
    location = answered.headers.get("Location", "")
    parts = urlsplit(location.replace("\\", "/"))
    assert "\r" not in location
    assert "\n" not in location
    assert parts.scheme in ("", "https")
    assert parts.netloc in ("", OURS, town.twin.host)
    assert not location.startswith(("//", "/\\"))


def shopify(make_town: MakeTown) -> tuple[Town, ShopifyTwin]:
    town = make_town("shopify")
    assert isinstance(town.twin, ShopifyTwin)
    town.twin.store.install()
    return town, town.twin


def unsigned(claims: dict[str, object]) -> str:
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def forged(twin: ShopifyTwin) -> dict[str, str]:
    now = int(NOW.timestamp())
    dest = f"https://{twin.host}"
    claims: dict[str, object] = {
        "iss": f"{dest}/admin",
        "dest": dest,
        "aud": twin.settings.client_id,
        "sub": "42",
        "exp": now + 60,
        "nbf": now,
        "iat": now,
    }
    return {
        "of another app": twin.id_token(aud="another-app"),
        "signed by a stranger": twin.id_token(secret="a-secret-of-somebody-else-with-forty-letters"),
        "not signed": unsigned(claims),
        "over": twin.id_token(age=timedelta(hours=1)),
        "of tomorrow": twin.id_token(age=-timedelta(days=1)),
        "for another shop": twin.id_token(dest="https://other.myshopify.com"),
        "by another shop": twin.id_token(iss="https://other.myshopify.com/admin"),
        "for no shop of Shopify's": twin.id_token(dest=f"https://{EVIL}", iss=f"https://{EVIL}/admin"),
        "without an end": twin.id_token(exp="never"),
        "nothing": "",
        "rubbish": "a.b.c",
    }


def test_a_launch_that_proves_nothing_makes_no_shop_and_offers_nothing(make_town: MakeTown) -> None:
    town, twin = shopify(make_town)
    for name, token in forged(twin).items():
        query = twin.accounts.launch_query(token)
        for headers in ({}, {"authorization": f"Bearer {token}"}):
            asked = Asked("GET", "/connect/shopify/app", query, {"host": OURS, **headers}, b"")
            answered = town.front.visit(asked)
            assert answered.status in (302, 400, 401), name
            assert_stays(town, answered)
    town.work()
    assert town.all_shops == []


def test_a_launch_for_another_shop_than_its_query_says_makes_neither(make_town: MakeTown) -> None:
    town, twin = shopify(make_town)
    query = twin.accounts.signed({"shop": "victim.myshopify.com", "id_token": twin.id_token(), "timestamp": "1"})
    assert town.get(f"{ADDRESS}/connect/shopify/app?{query}").status in (302, 400)
    town.work()
    assert town.all_shops == []


def test_a_yes_that_was_tampered_with_or_is_for_another_shop_connects_nothing(make_town: MakeTown) -> None:
    town, twin = shopify(make_town)
    town.invite()
    stamp = str(int(town.clock.moment.timestamp()))
    good = {"code": twin.accounts.code(frozenset(twin.settings.scopes)), "shop": twin.host, "timestamp": stamp}
    old = str(int((town.clock.moment - timedelta(days=2)).timestamp()))
    for query in (
        urlencode(good | {"state": town.nonce, "hmac": "0" * 64}),
        twin.accounts.signed(good | {"state": town.nonce}).replace(twin.host, "other.myshopify.com"),
        twin.accounts.signed(good | {"state": town.nonce, "shop": "other.myshopify.com"}),
        twin.accounts.signed(good | {"state": "somebody-elses-nonce"}),
        twin.accounts.signed(good | {"state": town.nonce, "timestamp": old}),
        twin.accounts.signed(good),
    ):
        answered = town.get(f"{ADDRESS}/connect/shopify/{town.nonce}/callback?{query}")
        assert answered.status == 400
    assert_nothing_is_kept(town)
