from collections.abc import Iterator
from datetime import timedelta
from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from adapters.magento.twin import MagentoTwin
from adapters.magento.twin_integrations import NotActivated
from adapters.magento.twin_oauth import natural_order, signature
from connector.domain.clock import FixedClock
from tests.adapters.magento.twin_caller import GATEWAY, HOST, Caller, criteria

ORDERS = "/rest/V1/orders?searchCriteria="


class Door:
    """Our side of an activation: remembers what was posted and leads the popup on."""

    def __init__(self, server: HTTPServer) -> None:
        self.posted: list[dict[str, str]] = []
        self.opened: list[dict[str, str]] = []
        self.leads_to: str | None = None
        server.expect_request("/connect/n0nce/callback", method="POST").respond_with_handler(self.take)
        server.expect_request("/connect/n0nce/identity", method="GET").respond_with_handler(self.lead)
        self.routes = {GATEWAY: server.url_for("").rstrip("/")}
        self.callback = f"https://{GATEWAY}/connect/n0nce/callback"
        self.identity = f"https://{GATEWAY}/connect/n0nce/identity"

    def take(self, request: Request) -> Response:
        self.posted.append(request.form.to_dict())
        return Response(status=500)

    def lead(self, request: Request) -> Response:
        self.opened.append(request.args.to_dict())
        response = Response(status=302)
        response.headers["Location"] = self.leads_to or request.args["success_call_back"]
        response.autocorrect_location_header = False
        return response


@pytest.fixture
def door(httpserver: HTTPServer) -> Door:
    return Door(httpserver)


@pytest.fixture
def activated(door: Door, clock: FixedClock) -> Iterator[MagentoTwin]:
    with MagentoTwin(clock, host=HOST, routes=door.routes) as running:
        yield running


def consumer(door: Door, twin: MagentoTwin, clock: FixedClock) -> Caller:
    posted = door.posted[-1]
    secrets = {"consumer_key": posted["oauth_consumer_key"], "consumer_secret": posted["oauth_consumer_secret"]}
    return Caller(twin, clock, secrets)


def test_an_activation_posts_the_keys_and_leads_the_popup_back_byte_for_byte(
    activated: MagentoTwin, door: Door, clock: FixedClock
) -> None:
    assert activated.activate(door.callback, door.identity) == activated.success_call_back
    assert set(door.posted[0]) == {
        "oauth_consumer_key",
        "oauth_consumer_secret",
        "store_base_url",
        "oauth_verifier",
    }
    assert door.posted[0]["store_base_url"] == f"https://{HOST}/"
    assert door.opened[0]["oauth_consumer_key"] == door.posted[0]["oauth_consumer_key"]
    caller = consumer(door, activated, clock)
    stood = [activated.is_authorized]
    secrets = caller.exchange(door.posted[0]["oauth_verifier"])
    assert [*stood, activated.is_authorized] == [False, True]
    assert {len(secret) for secret in secrets.values()} == {32}
    assert caller.get("orders?searchCriteria=")["total_count"] == 0


def test_a_merchant_copies_both_addresses_from_our_page(
    activated: MagentoTwin, door: Door, httpserver: HTTPServer
) -> None:
    page = f"<p>Callback URL <code>{door.callback}</code>. Identity link URL: <code>{door.identity}</code>.</p>"
    httpserver.expect_request("/connect/magento/n0nce").respond_with_data(page, content_type="text/html")
    assert activated.approve(f"https://{GATEWAY}/connect/magento/n0nce") == activated.success_call_back


def test_a_page_without_both_addresses_cannot_be_followed(
    activated: MagentoTwin, door: Door, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/page").respond_with_data(door.callback, content_type="text/html")
    with pytest.raises(LookupError, match="identity link"):
        activated.approve(f"https://{GATEWAY}/page")


def test_a_popup_that_does_not_end_exactly_where_it_should_has_failed(activated: MagentoTwin, door: Door) -> None:
    door.leads_to = activated.success_call_back.rstrip("/")
    assert activated.activate(door.callback, door.identity) != activated.success_call_back


def test_a_callback_nobody_answers_fails_in_the_admin(activated: MagentoTwin, door: Door) -> None:
    with pytest.raises(NotActivated):
        activated.activate("https://nobody.example.test/callback", door.identity)


def test_the_exchange_must_begin_within_300_seconds_of_the_post(
    activated: MagentoTwin, door: Door, clock: FixedClock
) -> None:
    activated.activate(door.callback, door.identity)
    clock.moment += timedelta(seconds=300)
    said = consumer(door, activated, clock).ask("POST", "/oauth/token/request")
    assert (said.status, said.text) == (401, "oauth_problem=Consumer+key+has+expired")


def test_an_activation_is_good_for_one_exchange(activated: MagentoTwin, door: Door, clock: FixedClock) -> None:
    activated.activate(door.callback, door.identity)
    caller = consumer(door, activated, clock)
    caller.exchange(door.posted[0]["oauth_verifier"])
    again = consumer(door, activated, clock).ask("POST", "/oauth/token/request")
    assert again.status == 401
    assert "is+not+a+verifier+token" in again.text


def test_a_wrong_verifier_gives_no_token(activated: MagentoTwin, door: Door, clock: FixedClock) -> None:
    activated.activate(door.callback, door.identity)
    with pytest.raises(KeyError):
        consumer(door, activated, clock).exchange("x" * 32)
    assert not activated.is_authorized


def test_reauthorizing_ends_the_old_token_and_keeps_the_key(
    activated: MagentoTwin, door: Door, clock: FixedClock
) -> None:
    activated.activate(door.callback, door.identity)
    caller = consumer(door, activated, clock)
    caller.exchange(door.posted[0]["oauth_verifier"])
    assert activated.reauthorize() == activated.success_call_back
    said = caller.ask("GET", ORDERS)
    assert (said.status, said.json) == (401, {"message": "Specified token does not exist"})
    assert door.posted[1]["oauth_consumer_key"] == door.posted[0]["oauth_consumer_key"]
    fresh = consumer(door, activated, clock)
    fresh.exchange(door.posted[1]["oauth_verifier"])
    assert fresh.ask("GET", ORDERS).status == 200


def test_a_lost_answer_to_the_exchange_costs_the_activation(
    activated: MagentoTwin, door: Door, clock: FixedClock
) -> None:
    activated.activate(door.callback, door.identity)
    activated.faults.cut = 1
    caller = consumer(door, activated, clock)
    with pytest.raises(OSError):  # noqa: PT011  # requests' ConnectionError, whatever it says
        caller.exchange(door.posted[0]["oauth_verifier"])
    assert caller.ask("POST", "/oauth/token/request").status == 401


def test_a_deleted_integration_is_unknown(twin: MagentoTwin, caller: Caller) -> None:
    twin.uninstall()
    said = caller.ask("GET", ORDERS)
    assert (said.status, said.json) == (401, {"message": "A consumer having the specified key does not exist"})


def test_a_request_sent_again_as_it_was_is_refused(caller: Caller) -> None:
    headers = caller.signed("GET", ORDERS)
    assert caller.ask("GET", ORDERS, headers=headers).status == 200
    said = caller.ask("GET", ORDERS, headers=headers)
    message = "The nonce is already being used by the consumer with ID %1"
    assert (said.status, said.json) == (401, {"message": message, "parameters": ["1"]})


def test_a_nonce_is_used_up_even_when_the_signature_is_wrong(caller: Caller) -> None:
    headers = caller.signed("GET", ORDERS, client_secret="wrong", nonce="once")
    assert caller.ask("GET", ORDERS, headers=headers).json["message"].startswith("The signature is invalid")
    headers = caller.signed("GET", ORDERS, nonce="once")
    assert "nonce is already" in caller.ask("GET", ORDERS, headers=headers).text


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"signature_method": "HMAC-SHA1"}, 400, "Signature method %1 is not supported"),
        ({"client_secret": "wrong"}, 401, "The signature is invalid. Verify and try again."),
        ({"resource_owner_key": "short"}, 400, "The token length is invalid. Check the length and try again."),
        ({"resource_owner_key": "t" * 32}, 401, "Specified token does not exist"),
        ({"resource_owner_key": None}, 400, '"%fieldName" is required. Enter and try again.'),
        ({"timestamp": "0"}, 401, "An error occurred validating the nonce"),
    ],
)
def test_each_fault_of_a_signature_has_its_own_words(
    caller: Caller, changes: dict[str, object], status: int, words: str
) -> None:
    said = caller.ask("GET", ORDERS, headers=caller.signed("GET", ORDERS, **changes))
    assert (said.status, said.json["message"]) == (status, words)


@pytest.mark.parametrize(("seconds", "status"), [(-86_400, 200), (600, 200), (601, 401)])
def test_a_timestamp_may_be_old_but_not_from_the_future(caller: Caller, seconds: int, status: int) -> None:
    stamp = str(int(caller.clock.now().timestamp()) + seconds)
    assert caller.ask("GET", ORDERS, headers=caller.signed("GET", ORDERS, timestamp=stamp)).status == status


def test_brackets_blanks_and_letters_beyond_ascii_are_signed_right(caller: Caller) -> None:
    query = criteria(("customer_email", "like", "%Ελένη + 1=2 & 100%"), ("status", "eq", "pending"))
    assert caller.get(f"orders?{query}")["total_count"] == 0


@pytest.mark.parametrize("query", ["searchCriteria", "searchCriteria=&a=b=c"])
def test_a_pair_without_exactly_one_equals_sign_spoils_the_signature(caller: Caller, query: str) -> None:
    said = caller.ask("GET", f"/rest/V1/orders?{query}")
    assert (said.status, said.json["message"]) == (401, "The signature is invalid. Verify and try again.")


def test_such_a_pair_is_no_part_of_what_is_signed(caller: Caller) -> None:
    for query in ("&flag", "&a=b=c"):
        assert caller.ask("GET", ORDERS + query, headers=caller.signed("GET", ORDERS)).status == 200


def test_more_than_ten_groups_are_sorted_as_people_count_so_that_a_standard_signature_does_not_fit(
    caller: Caller,
) -> None:
    filters = [("status", "eq", "pending")] * 11
    assert caller.ask("GET", f"/rest/V1/orders?{criteria(*filters[:10])}").status == 200
    assert caller.ask("GET", f"/rest/V1/orders?{criteria(*filters)}").status == 401


def test_behind_a_proxy_that_hides_https_no_signature_fits(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, offloader=True) as twin:
        said = Caller(twin, clock).ask("GET", ORDERS)
    assert (said.status, said.json["message"]) == (401, "The signature is invalid. Verify and try again.")


@pytest.mark.parametrize(("bearer", "status"), [(False, 401), (True, 200)])
def test_the_access_token_alone_is_enough_only_where_the_merchant_allows_it(
    clock: FixedClock, bearer: bool, status: int
) -> None:
    with MagentoTwin(clock, host=HOST, bearer=bearer) as twin:
        caller = Caller(twin, clock)
        headers = {"Authorization": f"Bearer {caller.secrets['access_token']}"}
        assert caller.ask("GET", ORDERS, headers=headers).status == status


def test_a_guest_and_a_missing_right_get_the_same_words(twin: MagentoTwin, caller: Caller) -> None:
    twin.grant({"Magento_Backend::store"})
    wanted = {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "Magento_Sales::actions_view"},
    }
    for said in (caller.ask("GET", ORDERS), caller.ask("GET", ORDERS, headers={})):
        assert (said.status, said.json) == (401, wanted)
    assert len(caller.get("store/storeConfigs")) == 4


def test_the_default_port_and_the_case_of_the_host_do_not_matter_to_a_signature() -> None:
    params = {"oauth_consumer_key": "9djdj82h48djs9d2", "b5": "=%3D", "a3": "2 q", "c@": ""}
    wanted = signature("POST", "https://example.com/request", params, "j49sk3j29djd", "dh893hdasih9")
    assert signature("post", "https://EXAMPLE.com:443/request", params, "j49sk3j29djd", "dh893hdasih9") == wanted
    assert signature("POST", "http://example.com/request", params, "j49sk3j29djd", "dh893hdasih9") != wanted


@given(st.lists(st.text("ab129%B[]", max_size=6)))
def test_the_natural_order_is_an_order(names: list[str]) -> None:
    ordered = sorted(names, key=cmp_to_key(natural_order))
    assert all(natural_order(one, other) <= 0 for one, other in pairwise(ordered))
    assert all(natural_order(one, one) == 0 for one in names)


def test_numbers_in_names_are_compared_as_numbers() -> None:
    assert natural_order("groups%5B2%5D", "groups%5B10%5D") < 0
    assert natural_order("a", "a0") < 0
