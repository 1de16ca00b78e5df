"""Connecting a shop: opened from Shopify's admin, by its owner's yes, or with pasted keys."""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Begin, Offer, Told, Visit
from adapters.http import Answer, Request, Unanswered
from adapters.shopify.app_file import operator_file
from adapters.shopify.connect import CONNECT, base, begin, embedded_in, instructions, receive, receive_app
from adapters.shopify.grants import is_operators_app, prove, renew, signs_with
from adapters.shopify.scopes import OPTIONAL_SCOPES, SCOPES
from connector.domain.connection import Access, App, Credentials
from connector.domain.errors import Permanent, WrongSetting
from tests.adapters.shopify.shops import APP, HOST, NOW, OPERATORS, OWN, store
from tests.adapters.talking import FakeWeb, answered

ADDRESS = "https://connector.example.test"
HOME = f"{ADDRESS}/connect/shopify/app"
OTHERS_SECRET = "shpss_the-secret-of-somebody-elses-app-01"
NONCE = "n0nce-of_this-invitation"
LINKS = {"app": HOME, "patch": f"{HOME}/patch", "callback": f"{HOME}/callback"}
INVITED = {place: f"{ADDRESS}/connect/shopify/{NONCE}/{place}" for place in ("app", "patch", "callback", "done")}
HOUR = {
    "access_token": "shpat_new",
    "expires_in": 3600,
    "refresh_token": "shprt_new",
    "refresh_token_expires_in": 7776000,
}


def token(secret: Any = APP.secrets[0], algorithm: str = "HS256", **changed: object) -> str:
    claims: dict[str, Any] = {
        "iss": f"https://{HOST}/admin",
        "dest": f"https://{HOST}",
        "aud": APP.client_id,
        "sub": "42",
        "exp": int(NOW.timestamp()) + 50,
        "nbf": int(NOW.timestamp()) - 10,
        "iat": int(NOW.timestamp()) - 10,
        "jti": "f8912129",
        "sid": "aaea182f",
    }
    said = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode(said, secret, algorithm)


def signed(secret: str = APP.secrets[0], **query: str) -> str:
    message = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
    return urlencode(query | {"hmac": hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()})


def visit(
    raw_query: str = "", place: str = "", app: App = APP, invited: bool = False, at: datetime = NOW, **headers: str
) -> Visit:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    whose = {"host": HOST, "base": f"https://{HOST}", "nonce": NONCE} if invited else {}
    return Visit(place, "GET", query, raw_query, named, b"", at, app, links=INVITED if invited else LINKS, **whose)


def launch(**changed: str) -> str:
    query = {"embedded": "1", "host": "YWRtaW4", "id_token": token(), "shop": HOST, "timestamp": "1795608000"}
    return signed(**(query | changed))


# Names


@pytest.mark.parametrize(
    "typed",
    [
        HOST,
        "meltemi-goods",
        " Meltemi-Goods ",
        f"https://{HOST}",
        f"https://{HOST}/admin",
        f"https://{HOST}/",
        "https://admin.shopify.com/store/meltemi-goods",
        "admin.shopify.com/store/meltemi-goods/orders?status=open",
    ],
)
def test_a_shops_name_is_known_in_every_way_its_owner_writes_it(typed: str) -> None:
    assert base(typed) == (HOST, f"https://{HOST}")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "www.meltemi.example",
        f"{HOST}.evil.com",
        f"evil.com/{HOST}",
        f"user@{HOST}",
        f"{HOST}:8443",
        "https://[::1",
        "-.myshopify.com",
        "a" * 99 + ".myshopify.com",
    ],
)
def test_what_is_no_shop_of_shopifys_is_refused_with_the_way_to_find_its_name(typed: str) -> None:
    with pytest.raises(WrongSetting, match=r"NAME\.myshopify\.com"):
        base(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_leads_to_a_shop_of_shopifys_or_nowhere(typed: str) -> None:
    try:
        host, address = base(typed)
    except WrongSetting:
        return
    assert urlsplit(address).hostname == host
    assert host.endswith(".myshopify.com")


# Opened from Shopify's admin


def test_an_app_that_is_opened_offers_its_token() -> None:
    offer, told = receive_app(visit(launch()))
    assert offer is not None
    assert (offer.host, told.page) == (HOST, "app")
    assert set(offer.values) == {"id_token"}
    assert "eyJ" not in repr(told) + repr(offer), "the token stands in nothing that is shown"


def test_a_script_of_the_page_brings_its_token_in_a_header() -> None:
    offer, _ = receive_app(visit(authorization=f"Bearer {token(APP.secrets[1])}"))
    assert offer is not None
    assert offer.host == HOST


SHOP_2 = "another-shop.myshopify.com"
BAD = {
    "over": token(exp=int(NOW.timestamp()) - 11),
    "too early": token(nbf=int(NOW.timestamp()) + 11),
    "without an end": token(exp=None),
    "without a beginning": token(nbf=None),
    "with an end that is no moment": token(exp="soon"),
    "for another app": token(aud="another"),
    "of another secret": token(OTHERS_SECRET),
    "signed with nothing": token(None, "none"),
    "signed another way": token(APP.secrets[0] * 4, "HS512"),
    "of two shops": token(dest=f"https://{SHOP_2}"),
    "of no shop": token(iss="https://evil.com/admin", dest="https://evil.com"),
    "of a look-alike": token(iss=f"https://{HOST}.evil.com/admin", dest=f"https://{HOST}.evil.com"),
    "of another scheme": token(iss=f"http://{HOST}/admin", dest=f"http://{HOST}"),
    "with a port": token(iss=f"https://{HOST}:1/admin", dest=f"https://{HOST}:1"),
    "with half an address": token(iss="https://[", dest="https://["),
    "cut": token()[:-5],
    "empty": "",
    "no token": "x",
    "words": "ä.ö.ü",
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_proves_nothing_is_refused(name: str) -> None:
    offer, told = receive_app(visit(authorization=f"Bearer {BAD[name]}"))
    assert offer is None
    assert told.status == 401
    assert told.headers == (("X-Shopify-Retry-Invalid-Session-Request", "1"),)
    offer, told = receive_app(visit(launch(id_token=BAD[name])))
    assert offer is None
    assert told.redirect.startswith(f"{HOME}/patch?")
    assert "id_token" not in told.redirect


def test_a_token_with_a_little_time_difference_holds() -> None:
    for seconds in (-9, 59):
        assert receive_app(visit(launch(), at=NOW + timedelta(seconds=seconds)))[0]


def test_a_launch_whose_query_was_changed_is_made_anew() -> None:
    changed = launch().replace("embedded=1", "embedded=2")
    assert receive_app(visit(changed))[1].redirect
    assert receive_app(visit(launch(shop=SHOP_2)))[1].redirect
    assert receive_app(visit(signed(OTHERS_SECRET, id_token=token(), shop=HOST)))[1].redirect


def test_a_stale_launch_leads_over_app_bridge_to_a_fresh_one_and_not_in_circles() -> None:
    _, told = receive_app(visit(launch(id_token=BAD["over"])))
    patch = visit(urlsplit(told.redirect).query, "patch")
    _, page = receive_app(patch)
    assert b"https://cdn.shopify.com/shopifycloud/app-bridge.js" in page.body
    assert APP.client_id.encode() in page.body
    assert f"frame-ancestors https://{HOST} https://admin.shopify.com" in dict(page.headers)["Content-Security-Policy"]
    again = patch.query["shopify-reload"]
    assert again.startswith(f"{HOME}?shop={HOST}&embedded=1&host=YWRtaW4&again=")
    fresh = f"{urlsplit(again).query}&{urlencode({'id_token': token()})}"
    assert receive_app(visit(fresh, at=NOW + timedelta(seconds=2)))[0]
    never = f"{urlsplit(again).query}&{urlencode({'id_token': BAD['of another secret']})}"
    with pytest.raises(Permanent, match="CONNECTOR_APP_SECRETS"):
        receive_app(visit(never, at=NOW + timedelta(seconds=2)))
    assert receive_app(visit(never, at=NOW + timedelta(hours=2)))[1].redirect, "a page left open for long is no circle"


@pytest.mark.parametrize("query", ["", "shop=evil.com", f"shop={HOST}.evil.com&id_token=x"])
def test_whoever_does_not_come_from_shopify_is_told_where_to_begin(query: str) -> None:
    with pytest.raises(Permanent, match="Shopify's admin"):
        receive_app(visit(query))


@pytest.mark.parametrize("leads_to", ["https://evil.com/", "", f"{HOME}.evil.com/?x", "//evil.com"])
def test_app_bridge_is_only_led_to_our_own_address(leads_to: str) -> None:
    with pytest.raises(Permanent):
        receive_app(visit(urlencode({"shop": HOST, "shopify-reload": leads_to}), "patch"))


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_stranger_sends_is_never_an_offer(query: str, header: str) -> None:
    for one in (visit(query), visit(query, "patch"), visit(query, "callback"), visit("", authorization=header)):
        try:
            offer, _ = receive_app(one)
        except Permanent:
            continue
        assert offer is None


# The owner's yes


def begun(app: App = APP) -> Begin:
    return Begin(Access(HOST, f"https://{HOST}", Credentials(), app), "Connector", INVITED, NONCE)


def yes(**changed: str) -> str:
    query = {"code": "c0de", "host": "aG9zdA", "shop": HOST, "state": NONCE, "timestamp": str(int(NOW.timestamp()))}
    return signed(**(query | changed))


def test_the_merchant_is_sent_to_the_shops_own_page_with_our_one_address_to_come_back_to() -> None:
    link = urlsplit(begin(begun()))
    query = dict(parse_qsl(link.query))
    assert (link.scheme, link.netloc, link.path) == ("https", HOST, "/admin/oauth/authorize")
    assert query == {
        "client_id": APP.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": f"{HOME}/callback",
        "state": NONCE,
    }
    with pytest.raises(WrongSetting, match="keys of an app of your own"):
        begin(begun(App()))


def test_the_answer_is_led_to_its_invitation_and_checked_there() -> None:
    _, told = receive_app(visit(yes(), "callback"))
    assert told.redirect == f"{ADDRESS}/connect/shopify/{NONCE}/callback?{yes()}"
    offer, told = receive(visit(urlsplit(told.redirect).query, "callback", invited=True))
    assert offer == Offer({"code": "c0de"}, HOST)
    assert told == Told(page="done")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (yes().replace("c0de", "c1de"), "did not come from Shopify"),
        (signed(OTHERS_SECRET, code="c", shop=HOST, state=NONCE), "did not come from Shopify"),
        ("code=c&shop=x", "did not come from Shopify"),
        ("", "did not come from Shopify"),
        (yes(state="another-invitation"), "another invitation"),
        (yes(shop=SHOP_2), "another shop"),
        (yes(timestamp=str(int(NOW.timestamp()) - 90_000)), "too old"),
        (yes(timestamp=str(int(NOW.timestamp()) + 90_000)), "too old"),
        (yes(timestamp="soon"), "too old"),
        (yes(timestamp="9" * 40), "too old"),
    ],
)
def test_an_answer_that_is_not_what_it_claims_to_be_is_refused(query: str, words: str) -> None:
    with pytest.raises(Permanent, match=words):
        receive(visit(query, "callback", invited=True))


def test_a_merchant_who_said_no_has_declined() -> None:
    offer, told = receive(visit(yes(code="", error="access_denied"), "callback", invited=True))
    assert (offer, told.page) == (None, "declined")


@pytest.mark.parametrize("state", ["", "../../x", "x y", "x" * 300])
def test_an_answer_is_never_led_anywhere_but_to_an_invitation(state: str) -> None:
    with pytest.raises(Permanent):
        receive_app(visit(yes(state=state), "callback"))


def test_an_answer_signed_with_the_older_secret_holds() -> None:
    query = signed(APP.secrets[1], code="c", shop=HOST, state=NONCE, timestamp=str(int(NOW.timestamp())))
    assert receive(visit(query, "callback", invited=True))[0]


# Trades


class Shopify:
    """Trades for tokens, and tells the shop's name to who brings one."""

    def __init__(self, trade: Callable[[dict[str, str]], Answer], name: str = HOST) -> None:
        self.traded: list[dict[str, str]] = []
        self._trade = trade
        self._name = name

    def __call__(self, request: Request) -> Answer:
        if request.url.endswith("/admin/oauth/access_token"):
            self.traded.append(json.loads(request.body))
            return self._trade(self.traded[-1])
        return answered({"data": {"shop": {"myshopifyDomain": self._name}}})


def test_a_launch_is_exchanged_for_credentials_that_end() -> None:
    shopify = Shopify(lambda _: answered(HOUR))
    credentials = prove(store(shopify, Credentials()), Offer({"id_token": "t"}))
    assert shopify.traded == [
        {
            "client_id": APP.client_id,
            "client_secret": APP.secrets[0],
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": "t",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
            "expiring": "1",
        }
    ]
    assert credentials == Credentials(
        {"access_token": "shpat_new", "refresh_token": "shprt_new"}, NOW + timedelta(hours=1), NOW + timedelta(days=90)
    )
    assert is_operators_app(credentials)


def test_a_yes_is_traded_once_and_for_credentials_that_end() -> None:
    shopify = Shopify(lambda _: answered(HOUR))
    prove(store(shopify, Credentials()), Offer({"code": "c"}))
    assert {name: shopify.traded[0][name] for name in ("code", "expiring")} == {"code": "c", "expiring": "1"}

    def cut(_: dict[str, str]) -> Answer:
        raise Unanswered("cut")

    shopify = Shopify(cut)
    with pytest.raises(Unanswered):
        prove(store(shopify, Credentials()), Offer({"code": "c"}))
    assert len(shopify.traded) == 1


@pytest.mark.parametrize(
    "told",
    [
        {"access_token": "shpat_for_ever", "scope": "write_orders"},
        HOUR | {"expires_in": None},
        HOUR | {"refresh_token": ""},
        HOUR | {"expires_in": 0},
        HOUR | {"expires_in": 10**12},
        HOUR | {"refresh_token_expires_in": True},
    ],
)
def test_access_that_never_ends_is_refused_where_it_was_traded(told: object) -> None:
    with pytest.raises(Permanent):
        prove(store(Shopify(lambda _: answered(told)), Credentials()), Offer({"id_token": "t"}))


def test_the_keys_of_a_merchants_own_app_open_its_shop_without_a_visit() -> None:
    shopify = Shopify(lambda _: answered({"access_token": "shpat_day", "scope": "x", "expires_in": 86399}))
    offer = Offer({"client_id": " own ", "client_secret": "own-secret", "access_token": ""})
    credentials = prove(store(shopify, Credentials(), App()), offer)
    assert shopify.traded == [{"client_id": "own", "client_secret": "own-secret", "grant_type": "client_credentials"}]
    assert credentials.expires_at == NOW + timedelta(seconds=86399)
    assert signs_with(credentials) == ("own-secret",)
    assert not is_operators_app(credentials)
    assert renew(store(shopify, credentials, App())).values["access_token"] == "shpat_day"


def test_a_pasted_token_never_ends_by_itself() -> None:
    shop = store(Shopify(lambda _: answered({}, 500)), Credentials(), App())
    credentials = prove(shop, Offer({"access_token": "shpat_own", "client_secret": "s"}))
    assert (credentials.expires_at, signs_with(credentials)) == (None, ("s",))
    assert renew(store(Shopify(lambda _: answered({}, 500)), OWN)) is OWN


def test_keys_of_another_shop_and_dead_keys_are_refused() -> None:
    with pytest.raises(Permanent, match="another shop"):
        prove(store(Shopify(lambda _: answered(HOUR), SHOP_2), Credentials()), Offer({"id_token": "t"}))
    with pytest.raises(Permanent, match="copy it anew"):
        prove(store(lambda _: Answer(401, {}, b""), Credentials()), Offer({"access_token": "shpat_dead"}))


@pytest.mark.parametrize("values", [{}, {"client_id": "x"}, {"client_secret": "x"}, {"access_token": " "}])
def test_half_of_the_keys_are_not_enough(values: dict[str, str]) -> None:
    shop = store(Shopify(lambda _: answered(HOUR)), Credentials())
    with pytest.raises(Permanent, match="client id and the client secret"):
        prove(shop, Offer(values))


def test_an_app_without_a_secret_trades_nothing() -> None:
    with pytest.raises(Permanent, match="not set"):
        prove(store(Shopify(lambda _: answered(HOUR)), Credentials(), App("id")), Offer({"id_token": "t"}))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered({"error": "invalid_subject_token"}, 400), "too old by now"),
        (answered({"error": "invalid_client"}, 401), "copy both anew"),
        (answered({"error": "shop_not_permitted"}, 400), "different organisations"),
        (answered({"error": "something_new"}, 400), "something_new"),
        (Answer(400, {}, b"<html>Oauth error invalid_request</html>"), "400"),
        (Answer(404, {}, b""), "404"),
        (Answer(302, {"location": "https://evil.com"}, b""), "new name"),
        (answered({}), "did not say why"),
    ],
)
def test_a_refused_trade_says_what_to_click(answer: Answer, words: str) -> None:
    with pytest.raises(Permanent, match=words) as problem:
        prove(store(Shopify(lambda _: answer), Credentials()), Offer({"id_token": "secret-token"}))
    assert "secret-token" not in str(problem.value)


def test_credentials_are_renewed_with_the_refresh_token_and_not_used_by_that() -> None:
    shopify = Shopify(lambda _: answered(HOUR))
    shop = store(shopify)
    assert renew(shop).values == {"access_token": "shpat_new", "refresh_token": "shprt_new"}
    assert [(one["grant_type"], one["refresh_token"]) for one in shopify.traded] == [
        ("refresh_token", "shprt_operators")
    ]
    assert isinstance(shop.web, FakeWeb)
    assert len(shop.web.asked) == 1, "a first use of the new pair would end the old one"


def test_a_renewal_whose_answer_was_lost_is_repeated_with_the_same_token() -> None:
    def trade(_: dict[str, str]) -> Answer:
        if len(shopify.traded) == 1:
            raise Unanswered("cut")
        return answered(HOUR)

    shopify = Shopify(trade)
    assert renew(store(shopify)).values["access_token"] == "shpat_new"
    assert {one["refresh_token"] for one in shopify.traded} == {"shprt_operators"}


def test_a_refresh_token_that_is_over_is_for_the_merchant() -> None:
    with pytest.raises(Permanent, match="Open the app in Shopify"):
        renew(store(Shopify(lambda _: answered({"error": "invalid_grant"}, 400))))
    over = Credentials(OPERATORS.values, NOW, NOW)
    shopify = Shopify(lambda _: answered(HOUR))
    with pytest.raises(Permanent, match="Open the app in Shopify"):
        renew(store(shopify, over))
    assert shopify.traded == []


# What else is said of it


def test_only_this_shops_admin_may_show_our_page() -> None:
    assert embedded_in(HOST) == (f"https://{HOST}", "https://admin.shopify.com")


def test_a_merchant_is_told_what_to_click_for_each_way() -> None:
    assert any("say yes" in one for one in instructions(begun()))
    own = " ".join(instructions(begun(App())))
    assert all(scope in own for scope in SCOPES)
    assert {field.name for field in CONNECT.fields} == {"client_id", "client_secret", "access_token"}
    assert {field.name for field in CONNECT.fields if field.secret} == {"client_secret", "access_token"}


def test_the_operators_file_says_where_everything_is() -> None:
    name, content = operator_file(f"{ADDRESS}/", APP.client_id)
    said = tomllib.loads(content)
    assert name == "shopify.app.toml"
    assert (said["client_id"], said["application_url"], said["embedded"]) == (APP.client_id, HOME, True)
    assert said["auth"]["redirect_urls"] == [f"{HOME}/callback"]
    assert said["access_scopes"] == {"scopes": ",".join(SCOPES), "optional_scopes": list(OPTIONAL_SCOPES)}
    assert said["webhooks"]["api_version"] == "2026-10"
    topics = [topic for one in said["webhooks"]["subscriptions"] for topic in one.get("topics", ())]
    compliance = [topic for one in said["webhooks"]["subscriptions"] for topic in one.get("compliance_topics", ())]
    assert {one["uri"] for one in said["webhooks"]["subscriptions"]} == {f"{ADDRESS}/webhooks/shopify"}
    assert sorted(compliance) == ["customers/data_request", "customers/redact", "shop/redact"]
    assert len(set(topics)) == len(topics)
    assert {"app/uninstalled", "orders/create", "fulfillment_events/create"} <= set(topics)
    assert said["order"]["metafields"]["app"]["invoice_url"]["type"] == "url"
    for scope, reason in (SCOPES | OPTIONAL_SCOPES).items():
        assert f"# {scope}: {reason}" in content


@given(st.text(max_size=40))
def test_the_operators_file_can_be_read_whatever_the_client_id_is(client_id: str) -> None:
    assert tomllib.loads(operator_file(ADDRESS, client_id)[1])["client_id"] == client_id


def test_times_of_tokens_are_told_by_the_clock_that_is_given() -> None:
    old = datetime(2020, 1, 1, tzinfo=UTC)
    made = token(exp=int(old.timestamp()) + 60, nbf=int(old.timestamp()))
    assert receive_app(visit(authorization=f"Bearer {made}", at=old))[0]
