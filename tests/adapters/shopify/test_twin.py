"""The Shopify twin is as strict, as slow to forgive and as forgetful as the reference says Shopify is."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
from graphql import OperationDefinitionNode, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.shopify.twin import ShopifyTwin
from adapters.shopify.twin_schema import Cost
from adapters.shopify.twin_state import gid
from adapters.shopify.twin_webhooks import RETRIES, retry_wait
from adapters.twins import Answered, Asked, Faults, Twin, TwinServer
from connector.domain.clock import FixedClock
from connector.domain.errors import UnverifiedDelivery
from connector.domain.signing import Encoding, HmacSignature, Secrets
from webhooks.verification import verify

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
APP = "connector.example.com"
SIGNATURE = HmacSignature(headers=("x-shopify-hmac-sha256",), encoding=Encoding.BASE64)

NODES = "query($after:String,$q:String,$first:Int){orders(first:$first,after:$after,query:$q,sortKey:UPDATED_AT)"
PAGE = NODES + "{pageInfo{hasNextPage endCursor} nodes{id name updatedAt}}}"
WORKS = "query($id:ID!){order(id:$id){fulfillmentOrders(first:5){nodes{id status lineItems(first:5){nodes{id}}}}}}"
FULFILL = (
    "mutation($f:FulfillmentInput!){fulfillmentCreate(fulfillment:$f)"
    "{fulfillment{id trackingInfo(first:5){company number url}} userErrors{field message}}}"
)
EVENT = (
    "mutation($e:FulfillmentEventInput!){fulfillmentEventCreate(fulfillmentEvent:$e)"
    "{fulfillmentEvent{id status} userErrors{field message}}}"
)
SUBSCRIBE = (
    "mutation($t:WebhookSubscriptionTopic!,$w:WebhookSubscriptionInput!){webhookSubscriptionCreate"
    "(topic:$t,webhookSubscription:$w){webhookSubscription{id uri topic} userErrors{field message}}}"
)
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
}


@dataclass
class App:
    """What stands at the app's addresses: takes webhooks, shows pages."""

    status: int = 200
    webhooks: list[Asked] = field(default_factory=list)
    visits: list[Asked] = field(default_factory=list)
    page: Callable[[Asked], Answered] = lambda _: Answered(200, b"<html></html>", content_type="text/html")

    def answer(self, asked: Asked) -> Answered:
        if asked.method == "POST":
            self.webhooks.append(asked)
            return Answered(self.status)
        self.visits.append(asked)
        return self.page(asked)

    def topics(self) -> list[str]:
        return [asked.headers["x-shopify-topic"] for asked in self.webhooks]

    def body(self, topic: str) -> Any:
        found = [one for one in self.webhooks if one.headers["x-shopify-topic"] == topic]
        return json.loads(found[-1].body)


@dataclass
class Shop:
    twin: ShopifyTwin
    clock: FixedClock
    app: App
    token: str = ""

    def ask(self, query: str, variables: Mapping[str, object] | None = None, *, version: str = "2026-10") -> Any:
        return self.post(query, variables, version=version).json()

    def post(
        self, query: str, variables: Mapping[str, object] | None = None, *, version: str = "2026-10"
    ) -> requests.Response:
        return requests.post(
            f"{self.twin.server.address}/admin/api/{version}/graphql.json",
            json={"query": query, "variables": variables or {}},
            headers={"Host": self.twin.host, "X-Shopify-Access-Token": self.token},
            timeout=5,
        )

    def grant(self, **given: str) -> requests.Response:
        client = {"client_id": self.twin.settings.client_id, "client_secret": self.twin.settings.client_secret}
        return requests.post(
            f"{self.twin.server.address}/admin/oauth/access_token",
            json=client | given,
            headers={"Host": self.twin.host},
            timeout=5,
        )

    def exchange(self, **more: str) -> requests.Response:
        return self.grant(**{**EXCHANGE, "subject_token": self.twin.id_token(), "expiring": "1", **more})

    def later(self, **span: float) -> None:
        self.clock.moment += timedelta(**span)

    def works(self, order_id: str) -> list[str]:
        read = self.ask(WORKS, {"id": gid("Order", int(order_id))})
        return [work["id"] for work in read["data"]["order"]["fulfillmentOrders"]["nodes"]]

    def fulfill(self, *works: str, **more: object) -> Any:
        groups = [{"fulfillmentOrderId": work} for work in works]
        told = self.ask(FULFILL, {"f": {"lineItemsByFulfillmentOrder": groups, **more}})
        return told["data"]["fulfillmentCreate"]


Open = Callable[..., Shop]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes shops with knobs; installed, with a token in hand."""
    made: list[TwinServer | ShopifyTwin] = []

    def make(*, installed: bool = True, **knobs: Any) -> Shop:
        app, clock = App(), FixedClock(NOON)
        server = TwinServer(app.answer, Faults()).__enter__()
        twin = ShopifyTwin(clock, routes={APP: server.address}, **knobs).__enter__()
        made.extend((server, twin))
        shop = Shop(twin, clock, app)
        if installed:
            twin.store.install()
            shop.token = shop.exchange().json()["access_token"]
        return shop

    yield make
    for one in made:
        one.__exit__(None, None, None)


@pytest.fixture
def shop(opened: Open) -> Shop:
    return opened()


def test_it_is_a_twin_like_the_others() -> None:
    with ShopifyTwin(FixedClock(NOON), host="demo.myshopify.com") as made:
        twin: Twin = made

        assert (twin.platform, twin.base) == ("shopify", "https://demo.myshopify.com")
        assert twin.routes == {"demo.myshopify.com": twin.server.address}


# Access


def test_a_token_is_needed_and_dies_after_its_hour(shop: Shop) -> None:
    assert shop.post("{shop{name}}").status_code == 200
    shop.later(minutes=61)

    refused = shop.post("{shop{name}}")

    assert (refused.status_code, refused.json()) == (
        401,
        {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"},
    )


def test_leaving_out_expiring_gives_a_token_no_public_app_may_use(shop: Shop) -> None:
    told = shop.exchange(expiring="0").json()
    shop.token = told["access_token"]

    assert "refresh_token" not in told
    refused = shop.post("{shop{name}}")
    assert refused.status_code == 403
    assert "Non-expiring access tokens are no longer accepted" in refused.json()["errors"]
    shop.twin.settings.public_app = False
    assert shop.post("{shop{name}}").status_code == 200


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "another app's secret, long enough for HS256"},
        {"age": timedelta(minutes=2)},
        {"aud": "somebody else"},
        {"dest": "https://other.myshopify.com"},
    ],
)
def test_an_id_token_that_is_forged_stale_or_foreign_is_not_exchanged(shop: Shop, forged: dict[str, Any]) -> None:
    refused = shop.exchange(subject_token=shop.twin.id_token(**forged))

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_subject_token")


def test_a_wrong_secret_of_the_app_is_refused(shop: Shop) -> None:
    assert shop.grant(client_secret="wrong", grant_type="refresh_token").json()["error"] == "invalid_client"


def test_client_credentials_are_not_offered(shop: Shop) -> None:
    assert shop.grant(grant_type="client_credentials").status_code == 400


def test_a_refresh_rotates_both_tokens(shop: Shop) -> None:
    first = shop.exchange().json()
    second = shop.grant(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert second["expires_in"] == 3600
    assert second["refresh_token_expires_in"] == 90 * 24 * 3600
    assert {first["access_token"], first["refresh_token"]}.isdisjoint({second["access_token"], second["refresh_token"]})


def test_an_old_refresh_token_may_be_used_again_until_the_new_one_is(shop: Shop) -> None:
    first = shop.exchange().json()["refresh_token"]
    lost = shop.grant(grant_type="refresh_token", refresh_token=first).json()
    second = shop.grant(grant_type="refresh_token", refresh_token=first).json()

    shop.token = lost["access_token"]
    assert shop.post("{shop{name}}").status_code == 401
    third = shop.grant(grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert third.status_code == 200
    again = shop.grant(grant_type="refresh_token", refresh_token=first)
    assert (again.status_code, again.json()["error_description"]) == (
        401,
        "This request requires an active refresh_token",
    )


@pytest.mark.parametrize(("days_idle", "status"), [(89, 200), (90, 401)])
def test_a_refresh_token_lives_ninety_days(shop: Shop, days_idle: int, status: int) -> None:
    first = shop.exchange().json()["refresh_token"]
    shop.later(days=days_idle)

    assert shop.grant(grant_type="refresh_token", refresh_token=first).status_code == status


def test_a_used_refresh_token_may_be_tried_again_for_thirty_days(shop: Shop) -> None:
    first = shop.exchange().json()["refresh_token"]
    shop.grant(grant_type="refresh_token", refresh_token=first)
    shop.later(days=29)
    assert shop.grant(grant_type="refresh_token", refresh_token=first).status_code == 200
    shop.later(days=1)

    assert shop.grant(grant_type="refresh_token", refresh_token=first).status_code == 401


def test_the_answer_to_a_refresh_can_be_lost_and_the_old_token_helps(shop: Shop) -> None:
    first = shop.exchange().json()["refresh_token"]
    shop.twin.lose_refresh_answer()

    with pytest.raises(requests.ConnectionError):
        shop.grant(grant_type="refresh_token", refresh_token=first)

    assert shop.grant(grant_type="refresh_token", refresh_token=first).status_code == 200


def test_uninstalling_kills_all_tokens_and_tells_the_app(shop: Shop) -> None:
    refresh = shop.exchange().json()["refresh_token"]
    shop.twin.uninstall()
    shop.twin.deliver()

    assert shop.post("{shop{name}}").status_code == 401
    assert shop.grant(grant_type="refresh_token", refresh_token=refresh).status_code == 401
    assert shop.exchange().status_code == 400
    assert shop.app.body("app/uninstalled")["myshopify_domain"] == shop.twin.host


# Installing


def test_opening_the_app_installs_it_and_launches_with_a_signed_query(opened: Open) -> None:
    shop = opened(installed=False)
    shop.twin.open_app()

    query = dict(parse_qsl(shop.app.visits[0].query))
    claims = jwt.decode(query["id_token"], options={"verify_signature": False})
    assert claims["dest"] == "https://demo.myshopify.com"
    assert query["shop"] == "demo.myshopify.com"
    assert {"hmac", "host", "timestamp", "embedded", "session"} <= query.keys()
    assert shop.exchange(subject_token=query["id_token"]).status_code == 200


def test_an_invitation_ends_in_the_app_inside_the_admin(opened: Open) -> None:
    shop = opened(installed=False)

    ended = shop.twin.approve(f"https://{APP}/connect/invitation-1")

    assert [visit.path for visit in shop.app.visits] == ["/connect/invitation-1", "/shopify/"]
    assert ended.startswith(shop.twin.settings.application_url)
    assert shop.twin.accounts.installed_at == NOON


def test_a_page_that_asks_for_a_fresh_id_token_gets_one_from_app_bridge(opened: Open) -> None:
    shop = opened(installed=False)
    stale = shop.twin.id_token(age=timedelta(hours=1))

    def bounce(asked: Asked) -> Answered:
        if asked.path == "/patch" or stale not in asked.query:
            return Answered(200, b"", content_type="text/html")
        return Answered(302, headers={"Location": f"/patch?shopify-reload=https://{APP}/shopify/?shop=demo"})

    shop.app.page = bounce

    shown = shop.twin.open_app(id_token=stale)

    fresh = dict(parse_qsl(urlsplit(shown.address).query))["id_token"]
    assert fresh != stale
    assert shop.exchange(subject_token=fresh).status_code == 200


def test_the_code_grant_of_a_custom_app_ends_at_its_callback(opened: Open) -> None:
    shop = opened(installed=False, public_app=False)
    callback = f"https://{APP}/shopify/auth/callback"
    link = (
        f"https://{shop.twin.host}/admin/oauth/authorize?client_id={shop.twin.settings.client_id}"
        f"&scope=write_orders&redirect_uri={callback}&state=n-1"
    )

    ended = shop.twin.approve(link)

    query = dict(parse_qsl(urlsplit(ended).query))
    assert ended.startswith(callback)
    assert (query["state"], query["shop"]) == ("n-1", shop.twin.host)
    told = shop.grant(code=query["code"], expiring="1").json()
    assert told["scope"] == "write_orders"
    assert shop.grant(code=query["code"]).status_code == 400


def test_the_grant_page_refuses_a_foreign_redirect(opened: Open) -> None:
    shop = opened(installed=False)
    link = f"https://{shop.twin.host}/admin/oauth/authorize?client_id={shop.twin.settings.client_id}"

    with pytest.raises(ConnectionError):
        shop.twin.approve(f"{link}&redirect_uri=https://evil.example.com/")


# Versions, limits, faults


def test_a_past_version_falls_forward_and_an_unknown_one_is_not_found(shop: Shop) -> None:
    assert shop.post("{shop{name}}", version="2026-07").headers["X-Shopify-API-Version"] == "2026-07"
    assert shop.post("{shop{name}}", version="2024-04").headers["X-Shopify-API-Version"] == "2026-01"
    assert [shop.post("{shop{name}}", version=one).status_code for one in ("2027-01", "2026-13", "x")] == [404] * 3


def test_deprecated_fields_are_named_in_a_header(shop: Shop) -> None:
    told = shop.post("{orders(first:1){nodes{totalPrice}}}")

    assert told.headers["X-Shopify-API-Deprecated-Reason"] == "Order.totalPrice"


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{orders(first:50){nodes{id fulfillments(first:20){id trackingInfo(first:10){number}}}}}", 23),
        ('mutation{tagsAdd(id:"gid://shopify/Order/1",tags:[]){userErrors{message}}}', 10),
        ("{shop{name plan{publicDisplayName}}}", 2),
        ('{order(id:"gid://shopify/Order/1"){totalPriceSet{shopMoney{amount}}}}', 1),
        ("{orders(first:250){nodes{id}}}", 13),
    ],
)
def test_costs_follow_the_formula_of_the_reference(document: str, points: int) -> None:
    read = parse(document)
    operation = read.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    assert Cost(read, {}).of(operation) == points


def test_the_bucket_empties_refunds_what_was_not_used_and_refills(opened: Open) -> None:
    shop = opened(bucket=50.0, restore_rate=10.0)
    first = shop.ask(PAGE, {"first": 50})["extensions"]["cost"]
    for _ in range(40):
        shop.ask("{shop{name}}")

    refused = shop.post(PAGE, {"first": 250})

    assert (first["requestedQueryCost"], first["actualQueryCost"]) == (9, 2)
    assert refused.status_code == 200
    assert refused.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in refused.json()
    shop.later(seconds=2)
    assert "errors" not in shop.ask(PAGE, {"first": 250})


def test_a_query_of_more_than_a_thousand_points_is_refused(shop: Shop) -> None:
    line = (
        "customAttributes{key} duties{taxLines{title}} taxLines{title} discountAllocations{discountApplication{index}}"
    )
    dear = "{orders(first:250){nodes{lineItems(first:250){nodes{" + line + " image{url} product{id}}}}}}"

    assert shop.ask(dear)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_a_fault_can_throttle_in_both_ways(shop: Shop) -> None:
    shop.twin.faults.throttle = 2
    told = shop.ask("{shop{name}}")
    shop.twin.settings.throttles_by_status = True
    refused = shop.post("{shop{name}}")

    assert told["errors"][0]["message"] == "Throttled"
    assert told["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] < 1
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2.0")
    assert shop.post("{shop{name}}").status_code == 200


def test_a_fault_can_fail_outside_and_inside(shop: Shop) -> None:
    shop.twin.faults.fail = 2
    assert shop.post("{shop{name}}").status_code == 502
    shop.twin.settings.fails_inside = True

    assert shop.ask("{shop{name}}")["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


def test_a_cut_connection_leaves_the_change_behind(shop: Shop) -> None:
    order = shop.twin.place_order(paid=True)
    (work,) = shop.works(order)
    shop.twin.faults.cut = 1

    with pytest.raises(requests.ConnectionError):
        shop.fulfill(work, trackingInfo={"number": "1Z1"})

    assert [one.tracking[0].number for one in shop.twin.shipments(order)] == ["1Z1"]


@pytest.mark.parametrize(("standing", "status"), [("frozen", 402), ("locked", 423), ("gone", 404)])
def test_a_shop_can_be_away_for_good_reasons(shop: Shop, standing: str, status: int) -> None:
    shop.twin.settings.standing = standing

    assert shop.post("{shop{name}}").status_code == status


def test_what_the_twin_does_not_know_is_a_loud_failure(shop: Shop) -> None:
    shop.twin.place_order()

    assert shop.post("{orders(first:1,sortKey:DESTINATION){nodes{id}}}").status_code == 599
    assert shop.post('{orders(first:1,query:"sku:A OR sku:B"){nodes{id}}}').status_code == 599
    assert shop.post('mutation{orderClose(input:{id:"gid://shopify/Order/1"}){userErrors{message}}}').status_code == 599


# Rights


def test_a_missing_scope_costs_the_field_and_says_so(opened: Open) -> None:
    shop = opened(scopes=("read_orders",))
    order = gid("Order", int(shop.twin.place_order()))

    told = shop.ask("query($id:ID!){order(id:$id){name customer{id}}}", {"id": order})

    assert told["data"]["order"] == {"name": "#1001", "customer": None}
    (error,) = told["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["order", "customer"], "ACCESS_DENIED")
    assert "`read_customers` access scope" in error["message"]


def test_a_protected_field_without_approval_is_null_and_an_error(opened: Open) -> None:
    shop = opened(approved=frozenset({"data", "name", "phone", "address"}))
    order = gid("Order", int(shop.twin.place_order()))

    told = shop.ask("query($id:ID!){order(id:$id){name email}}", {"id": order})

    assert told["data"]["order"] == {"name": "#1001", "email": None}
    assert told["errors"][0]["message"].startswith("This app is not approved to use the email field.")
    shop.twin.deliver()
    assert shop.app.body("orders/create")["email"] is None


def test_a_protected_field_that_cannot_be_null_takes_its_object_along(opened: Open) -> None:
    shop = opened(approved=frozenset({"data", "email"}))
    order = gid("Order", int(shop.twin.place_order()))
    page = "statusPageUrl(audience:CUSTOMERVIEW,notificationUsage:WEB)"

    told = shop.ask("query($id:ID!){order(id:$id){name " + page + "}}", {"id": order})

    assert told["data"] == {"order": None}


def test_without_level_one_there_are_no_orders_and_no_order_webhooks(opened: Open) -> None:
    shop = opened(approved=frozenset())
    shop.twin.place_order()
    shop.twin.deliver()

    assert "not approved to access the Order object" in shop.ask("{orders(first:1){nodes{id}}}")["errors"][0]["message"]
    assert shop.app.topics() == []


def test_orders_older_than_sixty_days_need_a_right_of_their_own(opened: Open) -> None:
    for scopes, seen in ((("read_orders",), 60), (("read_orders", "read_all_orders"), 100)):
        shop = opened(scopes=scopes)
        shop.twin.grow(100, since=NOON - timedelta(days=100))

        assert len(shop.ask(PAGE, {"first": 250})["data"]["orders"]["nodes"]) == seen


def test_fulfillment_orders_of_the_merchant_need_the_merchants_scope(opened: Open) -> None:
    shop = opened(scopes=("read_orders", "write_third_party_fulfillment_orders"))
    order = shop.twin.place_order(paid=True)

    assert shop.works(order) == []


# Searching and paging


def names(shop: Shop, query: str, sort: str = "UPDATED_AT") -> list[str]:
    told = shop.ask("query($q:String){orders(first:99,query:$q,sortKey:" + sort + "){nodes{name}}}", {"q": query})
    return [node["name"] for node in told["data"]["orders"]["nodes"]]


def test_orders_are_searched_by_when_they_changed(shop: Shop) -> None:
    first = shop.twin.place_order()
    shop.later(minutes=1)
    shop.twin.place_order()
    shop.later(minutes=1)
    shop.twin.pay(first)

    assert names(shop, "updated_at:>='2026-11-22T12:01:00Z'") == ["#1002", "#1001"]
    assert names(shop, "updated_at:>'2026-11-22T12:01:00Z'") == ["#1001"]
    assert names(shop, "updated_at:<='2026-11-22T13:01:00+01:00'") == ["#1002"]
    assert names(shop, "updated_at:>='2026-11-22T13:02:00'") == ["#1001"]
    assert names(shop, "updated_at:2026-11-22", "PROCESSED_AT") == ["#1001", "#1002"]


def test_an_unquoted_time_finds_nothing_and_only_a_warning_says_so(shop: Shop) -> None:
    shop.twin.place_order()

    told = shop.ask(PAGE, {"first": 5, "q": "updated_at:>=2026-11-01T10:45:00Z"})

    assert told["data"]["orders"]["nodes"] == []
    assert "errors" not in told
    assert told["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_field"


def test_an_unknown_search_field_is_dropped_and_everything_comes(shop: Shop) -> None:
    shop.twin.place_order()

    told = shop.ask(PAGE, {"first": 5, "q": "changed_at:>='2027-01-01T00:00:00Z'"})

    assert len(told["data"]["orders"]["nodes"]) == 1
    assert told["extensions"]["search"][0]["warnings"][0]["field"] == "changed_at"


def test_the_search_may_lag_behind(opened: Open) -> None:
    shop = opened(search_lag=timedelta(seconds=30))
    order = shop.twin.place_order()
    assert names(shop, "") == []
    shop.later(seconds=31)
    shop.twin.pay(order)

    assert names(shop, "updated_at:>'2026-11-22T12:00:10Z'") == []
    assert names(shop, "updated_at:<='2026-11-22T12:00:10Z'") == ["#1001"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "you must provide one of first or last"),
        ("first:1,last:1", "providing both first and last"),
        ("first:251", "invalid value"),
        ('first:1,after:"x"', "not a valid cursor"),
        ("first:1,query:\"updated_at:>'soon'\"", "Invalid timestamp for query filter"),
    ],
)
def test_paging_mistakes_are_errors_inside_a_good_answer(shop: Shop, arguments: str, words: str) -> None:
    shop.twin.place_order()

    told = shop.post(f"{{orders({arguments}){{nodes{{id}}}}}}" if arguments else "{orders{nodes{id}}}")

    assert told.status_code == 200
    assert words in told.json()["errors"][0]["message"]


def test_a_cursor_of_another_sort_is_refused(shop: Shop) -> None:
    for _ in range(3):
        shop.twin.place_order()
    cursor = shop.ask("{orders(first:1,sortKey:ID){pageInfo{endCursor}}}")["data"]["orders"]["pageInfo"]["endCursor"]

    told = shop.ask(PAGE, {"first": 1, "after": cursor})

    assert told["errors"][0]["message"] == "Invalid cursor for current pagination sort."


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=12), st.integers(1, 5))
def test_cursors_hold_while_rows_move(touched: list[int], size: int) -> None:
    clock = FixedClock(NOON)
    with ShopifyTwin(clock) as twin:
        shop = Shop(twin, clock, App())
        twin.store.install()
        shop.token = shop.exchange().json()["access_token"]
        orders = []
        for _ in range(12):
            orders.append(twin.place_order())
            clock.moment += timedelta(seconds=1)
        moves, seen, after = iter(touched), set[str](), None
        while True:
            read = shop.ask(PAGE, {"first": size, "after": after})["data"]["orders"]
            seen |= {node["id"].rsplit("/", 1)[1] for node in read["nodes"]}
            if not read["pageInfo"]["hasNextPage"]:
                break
            after = read["pageInfo"]["endCursor"]
            clock.moment += timedelta(seconds=1)
            if (moved := next(moves, None)) is not None:
                twin.write_note(orders[moved], "moved")

    assert seen == set(orders)


def test_pages_can_be_read_backwards_and_in_reverse(shop: Shop) -> None:
    for _ in range(5):
        shop.twin.place_order()
        shop.later(seconds=1)
    some = "{pageInfo{hasNextPage hasPreviousPage endCursor} nodes{name}}"

    first = shop.ask("{orders(first:2,reverse:true,sortKey:UPDATED_AT)" + some + "}")["data"]["orders"]
    second = shop.ask(
        "query($a:String){orders(first:9,after:$a,reverse:true,sortKey:UPDATED_AT)" + some + "}",
        {"a": first["pageInfo"]["endCursor"]},
    )["data"]["orders"]
    last = shop.ask("{orders(last:2,sortKey:UPDATED_AT)" + some + "}")["data"]["orders"]

    assert [node["name"] for node in first["nodes"]] == ["#1005", "#1004"]
    assert [node["name"] for node in second["nodes"]] == ["#1003", "#1002", "#1001"]
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [node["name"] for node in last["nodes"]] == ["#1004", "#1005"]


# Writing


def test_a_second_fulfillment_is_a_user_error(shop: Shop) -> None:
    order = shop.twin.place_order(paid=True)
    (work,) = shop.works(order)

    first = shop.fulfill(work, trackingInfo={"company": "UPS", "numbers": ["1Z1", "1Z2"]}, notifyCustomer=False)
    second = shop.fulfill(work)

    assert [one["number"] for one in first["fulfillment"]["trackingInfo"]] == ["1Z1", "1Z2"]
    assert first["fulfillment"]["trackingInfo"][0]["url"].startswith("https://www.ups.com/")
    assert second["fulfillment"] is None
    (error,) = second["userErrors"]
    assert error["field"] == ["fulfillment"]
    assert error["message"].endswith("has an unfulfillable status= closed.")
    assert [mail.kind for mail in shop.twin.mails] == ["order_confirmation"]


def test_asking_to_notify_makes_shopify_mail_the_customer(shop: Shop) -> None:
    (work,) = shop.works(shop.twin.place_order(paid=True))

    shop.fulfill(work, notifyCustomer=True)

    assert shop.twin.mails[-1].kind == "shipping_confirmation"


def test_fulfillment_orders_of_one_call_share_order_and_location(shop: Shop) -> None:
    lines = [{"sku": f"A{n}", "title": "A", "variant_title": None, "quantity": 1, "price": Decimal(5)} for n in (0, 1)]
    two = shop.works(shop.twin.place_order(lines=[lines[0], lines[1] | {"location": 1}]))
    other = shop.works(shop.twin.place_order())

    assert len(two) == 2
    assert "same location" in shop.fulfill(*two)["userErrors"][0]["message"]
    assert "same order" in shop.fulfill(two[0], other[0])["userErrors"][0]["message"]


def test_a_held_order_cannot_be_sent(shop: Shop) -> None:
    order = shop.twin.place_order()
    shop.twin.hold(order)

    assert "unfulfillable status= on_hold" in shop.fulfill(*shop.works(order))["userErrors"][0]["message"]


def test_too_many_of_a_line_are_a_user_error(shop: Shop) -> None:
    order = shop.twin.place_order()
    read = shop.ask(WORKS, {"id": gid("Order", int(order))})["data"]["order"]["fulfillmentOrders"]["nodes"][0]
    line = {"id": read["lineItems"]["nodes"][0]["id"], "quantity": 9}
    group = {"fulfillmentOrderId": read["id"], "fulfillmentOrderLineItems": [line]}

    told = shop.ask(FULFILL, {"f": {"lineItemsByFulfillmentOrder": [group]}})["data"]["fulfillmentCreate"]

    assert told["userErrors"][0]["message"] == "Invalid fulfillment order line item quantity requested."


def test_events_take_the_words_of_the_schema_only(shop: Shop) -> None:
    parcel = gid("Fulfillment", int(shop.twin.ship(shop.twin.place_order(), "1Z1", "UPS")))

    good = shop.ask(EVENT, {"e": {"fulfillmentId": parcel, "status": "OUT_FOR_DELIVERY"}})
    bad = shop.ask(EVENT, {"e": {"fulfillmentId": parcel, "status": "LOST"}})

    assert good["data"]["fulfillmentEventCreate"]["fulfillmentEvent"]["status"] == "OUT_FOR_DELIVERY"
    assert "LOST" in bad["errors"][0]["message"]
    assert "data" not in bad or bad["data"] is None


def test_an_event_needs_a_scope_that_fulfilling_does_not(opened: Open) -> None:
    shop = opened(scopes=("write_orders", "write_merchant_managed_fulfillment_orders"))
    parcel = gid("Fulfillment", int(shop.twin.ship(shop.twin.place_order())))

    told = shop.ask(EVENT, {"e": {"fulfillmentId": parcel, "status": "DELIVERED"}})

    assert "`write_fulfillments`" in told["errors"][0]["message"]


def test_an_event_sets_what_the_parcel_shows(shop: Shop) -> None:
    order = shop.twin.place_order()
    parcel = shop.twin.ship(order, "1Z1", "UPS")
    shop.twin.report(parcel, "IN_TRANSIT", happened_at=NOON)
    shop.twin.report(parcel, "DELIVERED", happened_at=NOON + timedelta(hours=1))
    shop.twin.report(parcel, "OUT_FOR_DELIVERY", happened_at=NOON + timedelta(minutes=30))

    read = shop.ask(
        "query($id:ID!){order(id:$id){fulfillments(first:5){displayStatus deliveredAt"
        " events(first:5,sortKey:HAPPENED_AT,reverse:true){nodes{status}}}}}",
        {"id": gid("Order", int(order))},
    )["data"]["order"]["fulfillments"][0]

    assert (read["displayStatus"], read["deliveredAt"]) == ("DELIVERED", "2026-11-22T13:00:00Z")
    assert [one["status"] for one in read["events"]["nodes"]] == ["DELIVERED", "OUT_FOR_DELIVERY", "IN_TRANSIT"]


def test_tags_are_added_but_order_update_replaces_them(shop: Shop) -> None:
    order = shop.twin.place_order(tags=("gift",))
    identity = gid("Order", int(order))
    add = "mutation($id:ID!,$t:[String!]!){tagsAdd(id:$id,tags:$t){userErrors{message}}}"

    shop.ask(add, {"id": identity, "t": ["Gift", "vip, new"]})
    assert shop.twin.tags(order) == ("gift", "vip", "new")
    shop.ask('mutation($id:ID!){orderUpdate(input:{id:$id,tags:["x"],note:"n"}){order{id}}}', {"id": identity})

    assert (shop.twin.tags(order), shop.twin.notes(order)) == (("x",), ["n"])


def test_a_metafield_is_set_again_only_on_the_version_that_was_read(shop: Shop) -> None:
    order = shop.twin.place_order()
    setting = (
        "mutation($m:[MetafieldsSetInput!]!){metafieldsSet(metafields:$m)"
        "{metafields{namespace key type value compareDigest} userErrors{code field message}}}"
    )
    one = {"ownerId": gid("Order", int(order)), "key": "invoice_url", "value": "https://x.test/1"}

    made = shop.ask(setting, {"m": [one]})["data"]["metafieldsSet"]["metafields"][0]
    stale = shop.ask(setting, {"m": [one | {"compareDigest": "old"}]})["data"]["metafieldsSet"]
    wrong = shop.ask(setting, {"m": [one | {"value": "no address"}]})["data"]["metafieldsSet"]
    unknown = shop.ask(setting, {"m": [one | {"namespace": "custom"}]})["data"]["metafieldsSet"]

    assert (made["type"], made["namespace"].startswith("app--")) == ("url", True)
    assert stale["userErrors"][0]["code"] == "STALE_OBJECT"
    assert wrong["userErrors"][0]["code"] == "INVALID_VALUE"
    assert unknown["userErrors"][0]["code"] == "BLANK"
    assert shop.twin.metafields(order) == {"invoice_url": "https://x.test/1"}


def test_our_own_writes_come_back_as_webhooks(shop: Shop) -> None:
    (work,) = shop.works(shop.twin.place_order(paid=True))
    shop.twin.deliver()
    shop.app.webhooks.clear()
    shop.later(minutes=1)

    shop.fulfill(work, trackingInfo={"number": "1Z1"})
    shop.twin.deliver()

    assert sorted(shop.app.topics()) == ["fulfillments/create", "orders/updated"]


# Webhooks


def test_a_webhook_is_signed_over_its_bytes_and_names_everything_in_headers(shop: Shop) -> None:
    shop.twin.place_order(
        paid=True, lines=[{"sku": "", "title": "<b>&", "variant_title": None, "quantity": 1} | _PRICE]
    )
    shop.twin.deliver()

    sent = shop.app.webhooks[0]
    verify((SIGNATURE,), sent.headers, sent.body, Secrets(shared=(shop.twin.settings.client_secret,)))
    with pytest.raises(UnverifiedDelivery):
        verify((SIGNATURE,), sent.headers, sent.body + b" ", Secrets(shared=(shop.twin.settings.client_secret,)))
    assert sent.path == "/webhooks/shopify"
    assert sent.headers["x-shopify-shop-domain"] == "demo.myshopify.com"
    assert sent.headers["x-shopify-api-version"] == "2026-10"
    assert sent.headers["x-shopify-name"] == "main"
    assert b"\\u003cb\\u003e\\u0026" in sent.body


_PRICE = {"price": Decimal("9.99")}


def test_webhooks_of_one_event_share_its_id_and_have_their_own(shop: Shop) -> None:
    shop.twin.place_order(paid=True)
    shop.twin.deliver()

    assert shop.app.topics() == ["orders/create", "orders/paid", "orders/updated"]
    assert len({one.headers["x-shopify-event-id"] for one in shop.app.webhooks}) == 1
    assert len({one.headers["x-shopify-webhook-id"] for one in shop.app.webhooks}) == 3


def test_a_document_holds_whole_ids_both_moneys_and_the_shops_time(shop: Shop) -> None:
    order = shop.twin.place_order(paid=True, presentment="USD", rate=Decimal("1.25"))
    shop.twin.deliver()

    paper = shop.app.body("orders/create")
    assert paper["admin_graphql_api_id"] == f"gid://shopify/Order/{paper['id']}"
    assert (str(paper["id"]), int(float(paper["id"])) == paper["id"]) == (order, False)
    assert paper["total_price_set"] == {
        "shop_money": {"amount": "66.32", "currency_code": "EUR"},
        "presentment_money": {"amount": "82.90", "currency_code": "USD"},
    }
    assert paper["created_at"] == "2026-11-22T13:00:00+01:00"


@pytest.mark.parametrize("name", ["orders__create", "fulfillments__create", "fulfillment_events__create"])
def test_documents_have_the_fields_of_shopifys_own_examples(shop: Shop, name: str) -> None:
    order = shop.twin.place_order(paid=True)
    shop.twin.report(shop.twin.ship(order, "1Z1", "UPS"), "DELIVERED")
    shop.twin.deliver()

    assert _EXPECTED[name] <= set(shop.app.body(name.replace("__", "/")))


def test_lines_inside_a_fulfillment_do_not_tell_what_they_are_after_edits(shop: Shop) -> None:
    shop.twin.ship(shop.twin.place_order())
    shop.twin.deliver()

    assert "current_quantity" in shop.app.body("orders/create")["line_items"][0]
    assert "current_quantity" not in shop.app.body("fulfillments/create")["line_items"][0]


_EXPECTED = {
    "orders__create": {"customer", "line_items", "shipping_lines", "refunds", "order_status_url", "customer_locale"},
    "fulfillments__create": {"order_id", "tracking_numbers", "tracking_urls", "shipment_status", "destination"},
    "fulfillment_events__create": {"fulfillment_id", "status", "happened_at", "estimated_delivery_at", "order_id"},
}


def test_a_failed_webhook_is_tried_eight_times_more_in_four_hours(shop: Shop) -> None:
    shop.twin.settings.topics = ("orders/create",)
    shop.app.status = 301
    shop.twin.place_order()
    for _ in range(20):
        shop.twin.deliver()
        shop.later(minutes=20)

    assert len(shop.app.webhooks) == 1 + RETRIES
    assert len({(one.headers["x-shopify-webhook-id"], one.body) for one in shop.app.webhooks}) == 1
    total = sum((retry_wait(tries) for tries in range(1, RETRIES + 1)), timedelta())
    assert abs(total - timedelta(hours=4)) < timedelta(seconds=1)


def test_a_retry_carries_the_original_document(shop: Shop) -> None:
    shop.twin.settings.topics = ("orders/create",)
    shop.app.status = 500
    order = shop.twin.place_order()
    shop.twin.deliver()
    shop.twin.pay(order)
    shop.app.status = 200
    shop.later(hours=1)

    assert shop.twin.deliver() == 1
    assert shop.app.body("orders/create")["financial_status"] == "pending"


def test_a_subscription_made_by_the_api_is_deleted_after_eight_failures(opened: Open) -> None:
    shop = opened(topics=())
    shop.ask(SUBSCRIBE, {"t": "ORDERS_CREATE", "w": {"uri": f"https://{APP}/webhooks/shopify"}})
    shop.app.status = 500
    for _ in range(5):
        shop.twin.place_order()
    shop.twin.deliver()
    assert len(shop.twin.subscriptions) == 1
    shop.later(minutes=2)
    shop.twin.deliver()

    assert shop.twin.subscriptions == []
    assert shop.ask("{webhookSubscriptions(first:9){nodes{id}}}")["data"]["webhookSubscriptions"]["nodes"] == []


def test_one_success_forgives_earlier_failures(opened: Open) -> None:
    shop = opened(topics=())
    shop.ask(SUBSCRIBE, {"t": "ORDERS_CREATE", "w": {"uri": f"https://{APP}/webhooks/shopify"}})
    for status in (500, 200, 500):
        shop.app.status = status
        for _ in range(5):
            shop.twin.place_order()
        shop.twin.deliver()

    assert len(shop.twin.subscriptions) == 1


def test_subscriptions_of_the_toml_file_are_not_shown_and_never_deleted(shop: Shop) -> None:
    shop.app.status = 500
    for _ in range(12):
        shop.twin.place_order()
        shop.twin.deliver()
    shop.app.status = 200
    shop.twin.break_subscription()
    shop.twin.place_order()

    assert shop.twin.deliver() == 2
    assert shop.ask("{webhookSubscriptions(first:9){nodes{id}}}")["data"]["webhookSubscriptions"]["nodes"] == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [("http://a.test/", "http:// is not supported"), ("https://localhost/x", "cannot be a localhost"), ("", "blank")],
)
def test_a_webhook_address_must_be_public_and_https(shop: Shop, uri: str, words: str) -> None:
    told = shop.ask(SUBSCRIBE, {"t": "ORDERS_CREATE", "w": {"uri": uri}})["data"]["webhookSubscriptionCreate"]

    assert words in told["userErrors"][0]["message"]


def test_the_same_topic_and_address_cannot_be_subscribed_twice(shop: Shop) -> None:
    wanted = {"t": "ORDERS_PAID", "w": {"uri": f"https://{APP}/x"}}
    shop.ask(SUBSCRIBE, wanted)

    told = shop.ask(SUBSCRIBE, wanted)["data"]["webhookSubscriptionCreate"]

    assert told["userErrors"][0]["message"] == "Address for this topic has already been taken"


def test_compliance_topics_are_unknown_to_the_api(shop: Shop) -> None:
    assert "errors" in shop.ask(SUBSCRIBE, {"t": "SHOP_REDACT", "w": {"uri": f"https://{APP}/x"}})


def test_only_the_wanted_fields_are_sent(opened: Open) -> None:
    shop = opened(topics=())
    wanted = {"uri": f"https://{APP}/x", "includeFields": ["id", "line_items.sku", "customer.id"]}
    shop.ask(SUBSCRIBE, {"t": "ORDERS_CREATE", "w": wanted})
    order = shop.twin.place_order()
    shop.twin.deliver()

    paper = shop.app.body("orders/create")
    assert paper.keys() == {"id", "line_items", "customer"}
    assert (str(paper["id"]), paper["line_items"]) == (order, [{"sku": "LIN-M-SAND"}, {"sku": "OIL-500"}])


def test_a_burst_of_updates_comes_as_one(shop: Shop) -> None:
    order = shop.twin.place_order()
    for words in ("one", "two", "three"):
        shop.twin.write_note(order, words)
    shop.twin.deliver()

    assert shop.app.topics().count("orders/updated") == 1
    assert shop.app.body("orders/updated")["note"] == "three"


def test_webhooks_get_lost_doubled_reordered_and_silenced(shop: Shop) -> None:
    shop.twin.settings.topics = ("orders/create",)
    shop.twin.faults.lose_every = 3
    for _ in range(9):
        shop.twin.place_order()
    assert shop.twin.deliver() == 6
    shop.twin.faults.lose_every = 0
    shop.twin.faults.duplicate = shop.twin.faults.reorder = True
    shop.app.webhooks.clear()
    shop.twin.place_order()
    shop.twin.place_order()
    shop.twin.deliver()
    ids = [one.headers["x-shopify-webhook-id"] for one in shop.app.webhooks]
    assert [json.loads(one.body)["name"] for one in shop.app.webhooks] == ["#1011", "#1011", "#1010", "#1010"]
    assert (len(ids), len(set(ids))) == (4, 2)
    shop.twin.faults.silent = True
    shop.twin.place_order()

    assert shop.twin.deliver() == 0
    shop.twin.faults.silent = False
    shop.later(hours=5)
    assert shop.twin.deliver() == 0


def test_a_cancelled_order_brings_a_refund_without_money(shop: Shop) -> None:
    shop.twin.cancel(shop.twin.place_order())
    shop.twin.deliver()

    assert shop.app.body("refunds/create")["transactions"] == []
    assert shop.app.body("orders/cancelled")["cancel_reason"] == "customer"


def test_an_edit_tells_only_what_changed(shop: Shop) -> None:
    shop.twin.edit(shop.twin.place_order())
    shop.twin.deliver()

    assert shop.app.body("orders/edited").keys() == {"order_edit"}


def test_a_refund_in_part_is_money_without_lines(shop: Shop) -> None:
    order = shop.twin.place_order(paid=True)
    shop.twin.refund(order, Decimal("5.00"))
    shop.twin.deliver()

    paper = shop.app.body("refunds/create")
    assert (paper["refund_line_items"], paper["transactions"][0]["amount"]) == ([], "5.00")
    assert shop.twin.truth()[order].refunded == Decimal("5.00")
    with pytest.raises(ValueError, match="more than was paid"):
        shop.twin.refund(order, Decimal(100))


def test_the_shop_is_redacted_two_days_after_it_left_unless_it_came_back(opened: Open) -> None:
    gone, back = opened(), opened()
    gone.twin.uninstall()
    back.twin.uninstall()
    back.twin.open_app()
    for shop in (gone, back):
        shop.later(hours=47)
        shop.twin.deliver()
        assert "shop/redact" not in shop.app.topics()
        shop.later(hours=1)
        shop.twin.deliver()

    assert gone.app.body("shop/redact") == {"shop_id": 548_380_009_731, "shop_domain": "demo.myshopify.com"}
    assert "shop/redact" not in back.app.topics()


def test_the_law_asks_by_webhook(shop: Shop) -> None:
    order = shop.twin.place_order(email="eva@people.test")
    shop.twin.ask_for_data("eva@people.test")
    shop.twin.redact_customer("eva@people.test")
    shop.twin.grant("read_orders")
    shop.twin.deliver()

    assert shop.app.body("customers/data_request")["orders_requested"] == [int(order)]
    assert shop.app.body("customers/redact")["customer"]["email"] == "eva@people.test"
    assert shop.app.body("app/scopes_update")["current"] == ["read_orders"]


def test_a_new_secret_signs_at_once_or_within_the_hour(shop: Shop) -> None:
    old = shop.twin.settings.client_secret
    for signs_with_old, signer in ((True, old), (False, "new-secret")):
        shop.twin.rotate_secret("new-secret", signs_with_old=signs_with_old)
        shop.twin.place_order()
        shop.twin.deliver()
        verify((SIGNATURE,), shop.app.webhooks[-1].headers, shop.app.webhooks[-1].body, Secrets(shared=(signer,)))


# Size


def test_a_shop_that_is_not_installed_is_told_nothing(opened: Open) -> None:
    shop = opened(installed=False)
    shop.twin.place_order()

    assert shop.twin.deliver() == 0


def test_history_grows_without_webhooks_and_is_read_in_full(shop: Shop) -> None:
    shop.twin.grow(1_000, since=NOON - timedelta(days=50))
    seen, after = set(), None
    while True:
        read = shop.ask(PAGE, {"first": 250, "after": after, "q": "updated_at:>='2026-09-01T00:00:00Z'"})["data"]
        seen |= {node["id"] for node in read["orders"]["nodes"]}
        if not read["orders"]["pageInfo"]["hasNextPage"]:
            break
        after = read["orders"]["pageInfo"]["endCursor"]

    assert shop.twin.deliver() == 0
    assert seen == {gid("Order", int(order)) for order in shop.twin.truth()}


def test_the_schema_is_shopifys_with_its_licence() -> None:
    folder = Path(__file__).parents[3] / "adapters" / "shopify" / "schema"

    assert "Copyright 2025-present, Shopify Inc." in (folder / "LICENSE").read_text()
