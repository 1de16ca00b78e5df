import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from adapters.magento.twin import MagentoTwin
from connector.domain.clock import FixedClock
from tests.adapters.magento.twin_caller import GATEWAY, HOST, Caller

SECRET = "fourteen-ropes"


class Listener:
    """Whoever listens to webhooks: remembers what came, answers what it is told to."""

    def __init__(self, server: HTTPServer) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        server.expect_request(re.compile("/webhooks/.*")).respond_with_handler(self.take)
        self.routes = {GATEWAY: server.url_for("").rstrip("/")}

    def take(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.came.append((request.path, headers, request.get_data()))
        status, more = self.answers.pop(0) if self.answers else (200, {})
        return Response(status=status, headers=more)

    @property
    def events(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _, _ in self.came]

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body)["data"] for _, _, body in self.came]


@pytest.fixture
def listener(httpserver: HTTPServer) -> Listener:
    return Listener(httpserver)


@pytest.fixture
def sender(listener: Listener, clock: FixedClock) -> Iterator[MagentoTwin]:
    with MagentoTwin(clock, host=HOST, routes=listener.routes, async_events=True) as running:
        yield running


def subscribe(sender: MagentoTwin, clock: FixedClock, *events: str) -> Caller:
    caller = Caller(sender, clock)
    for event in events:
        url = f"https://{GATEWAY}/webhooks/magento/key/{event}"
        body = {"event_name": event, "recipient_url": url, "verification_token": SECRET, "metadata": "http"}
        assert caller.post("async_event", {"asyncEvent": body}).status == 200
    return caller


def test_without_the_module_nothing_is_sent_and_nothing_can_be_subscribed(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    assert twin.deliver() == 0
    assert caller.ask("GET", "/rest/V1/async_events?searchCriteria=").status == 404
    assert "MageOS_AsyncEvents" not in caller.get("modules")


def test_an_event_is_the_rest_document_signed_in_hex(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    caller = subscribe(sender, clock, "sales.order.created")
    sender.place_order()
    assert sender.deliver() == 1
    _, headers, body = listener.came[0]
    assert headers["x-magento-signature"] == hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["content-type"] == "application/json"
    assert listener.documents == [caller.get("orders/1")]
    assert rb"Main Website\nMain Website Store" in body
    assert sender.deliver() == 0


def test_each_act_has_its_events(sender: MagentoTwin, listener: Listener, clock: FixedClock) -> None:
    subscribe(
        sender,
        clock,
        *(f"sales.order.{what}" for what in ("created", "updated", "paid", "shipped", "cancelled")),
        "sales.shipment.created",
        "sales.invoice.created",
        "sales.invoice.paid",
        "sales.creditmemo.created",
    )
    told: list[set[str]] = []
    order = sender.place_order()
    for act in (
        lambda: None,
        lambda: sender.pay(order),
        lambda: sender.ship(order, "JD1"),
        lambda: sender.refund(order, Decimal(1)),
        lambda: sender.comment(order, "A note"),
        lambda: sender.add_track("1", "JD2"),
        lambda: sender.cancel(sender.place_order()),
    ):
        act()
        sender.deliver()
        told.append(set(listener.events))
        listener.came.clear()
    assert told == [
        {"sales.order.created"},
        {"sales.order.updated", "sales.order.paid", "sales.invoice.created", "sales.invoice.paid"},
        {"sales.order.updated", "sales.order.shipped", "sales.shipment.created"},
        {"sales.creditmemo.created"},
        set(),
        set(),
        {"sales.order.created", "sales.order.updated", "sales.order.cancelled"},
    ]


def test_the_document_is_that_of_the_moment_it_is_sent(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created")
    sender.cancel(sender.place_order())
    sender.deliver()
    assert listener.documents[0]["state"] == "canceled"


def test_what_is_refused_is_sent_again_five_times_as_it_was_and_then_given_up(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created")
    listener.answers = [(503, {})] * 6
    sender.place_order()
    waits = []
    sender.deliver()
    sender.pay("1")
    for second in range(1, 120):
        clock.moment += timedelta(seconds=1)
        before = len(listener.came)
        assert sender.deliver() == 0
        waits += [second] if len(listener.came) > before else []
    assert waits == [1, 5, 14, 30, 55]
    assert len({body for _, _, body in listener.came}) == 1
    assert sender.dead_letters == ["sales.order.created"]


def test_retry_after_is_kept_to_from_the_second_refusal_on(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created")
    listener.answers = [(429, {"Retry-After": "90"}), (429, {"Retry-After": "90"})]
    sender.place_order()
    arrived = []
    for second in range(120):
        arrived += [second] * sender.deliver()
        clock.moment += timedelta(seconds=1)
    assert (len(listener.came), arrived) == (3, [91])


def test_nobody_there_means_it_is_never_sent_again(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, async_events=True) as sender:
        subscribe(sender, clock, "sales.order.created")
        sender.place_order()
        assert sender.deliver() == 0
        clock.moment += timedelta(hours=1)
        assert sender.deliver() == 0
        assert sender.dead_letters == []


def test_a_subscription_hides_its_secret_and_cannot_be_moved_or_deleted(sender: MagentoTwin, clock: FixedClock) -> None:
    caller = subscribe(sender, clock, "sales.order.created")
    row = caller.get("async_events?searchCriteria=")["items"][0]
    assert row == {
        "subscription_id": 1,
        "event_name": "sales.order.created",
        "recipient_url": f"https://{GATEWAY}/webhooks/magento/key/sales.order.created",
        "status": True,
        "subscribed_at": "2026-11-21 12:00:00",
        "store_id": 0,
    }
    change = {"asyncEvent": {"subscription_id": 1, "status": False, "recipient_url": "https://else.example.test"}}
    said = caller.ask("PUT", "/rest/V1/async_event/1", change)
    assert said.json == row | {"status": False}
    assert caller.ask("DELETE", "/rest/V1/async_event/1").status == 404
    assert caller.get("async_event/1")["status"] is False
    assert caller.ask("PUT", "/rest/V1/async_event/1", {"asyncEvent": {"subscription_id": 1}}).status == 400
    assert caller.ask("PUT", "/rest/V1/async_event/9", {"asyncEvent": {"subscription_id": 9}}).status == 404


def test_a_subscription_that_is_switched_off_gets_nothing_not_even_retries(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created")
    listener.answers = [(500, {})]
    sender.place_order()
    sender.deliver()
    sender.break_subscription()
    clock.moment += timedelta(seconds=2)
    sender.place_order()
    assert sender.deliver() == 0
    assert len(listener.came) == 1


def test_the_same_subscription_twice_sends_everything_twice(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created", "sales.order.created")
    sender.place_order()
    assert sender.deliver() == 2


def test_a_subscription_needs_the_right_and_all_its_words(sender: MagentoTwin, clock: FixedClock) -> None:
    caller = Caller(sender, clock)
    assert caller.post("async_event", {"asyncEvent": {"event_name": "sales.order.created"}}).status == 500
    assert caller.post("async_event", {}).json["parameters"] == {"fieldName": "asyncEvent"}
    sender.grant({"Magento_Sales::actions_view"})
    said = caller.ask("GET", "/rest/V1/async_events?searchCriteria=")
    assert (said.status, said.json["parameters"]) == (401, {"resources": "MageOS_AsyncEvents::manage"})


def test_deleting_the_integration_does_not_stop_the_events(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    subscribe(sender, clock, "sales.order.created")
    sender.uninstall()
    sender.place_order()
    assert sender.deliver() == 1


def test_an_event_waits_for_its_transaction(sender: MagentoTwin, listener: Listener, clock: FixedClock) -> None:
    subscribe(sender, clock, "sales.order.created")
    sender.commit_lag = timedelta(seconds=20)
    sender.place_order()
    assert sender.deliver() == 0
    clock.moment += timedelta(seconds=20)
    assert sender.deliver() == 1


@pytest.mark.parametrize(
    ("fault", "value", "wanted"),
    [
        ("lose_every", 3, ["1", "2", "4"]),
        ("silent", True, []),
        ("duplicate", True, ["1", "1", "2", "2", "3", "3", "4", "4"]),
        ("reorder", True, ["4", "3", "2", "1"]),
    ],
)
def test_faults_of_the_road_happen_on_demand(
    sender: MagentoTwin, listener: Listener, clock: FixedClock, fault: str, value: object, wanted: list[str]
) -> None:
    subscribe(sender, clock, "sales.order.created")
    setattr(sender.faults, fault, value)
    for _ in range(4):
        sender.place_order()
        clock.moment += timedelta(seconds=1)
    assert sender.deliver() == len(wanted)
    assert [str(document["entity_id"]) for document in listener.documents] == wanted
    assert sender.deliver() == 0


def test_a_ping_tells_only_where_to_look_and_before_the_commit(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    sender.ping(f"https://{GATEWAY}/webhooks/magento/key", header="x-connector-secret", secret=SECRET)
    sender.commit_lag = timedelta(seconds=30)
    sender.place_order()
    assert sender.deliver() == 1
    _, headers, body = listener.came[0]
    assert (body, headers["x-connector-secret"]) == (b'{"event":"order","id":1}', SECRET)
    assert Caller(sender, clock).ask("GET", "/rest/V1/orders/1").status == 404


def test_our_own_comment_comes_back_as_a_ping(sender: MagentoTwin, listener: Listener, clock: FixedClock) -> None:
    order = sender.place_order()
    sender.ping(f"https://{GATEWAY}/webhooks/magento/key", header="x-connector-secret", secret=SECRET)
    comment = {"comment": "Ours", "is_customer_notified": 0, "is_visible_on_front": 0}
    Caller(sender, clock).post(f"orders/{order}/comments", {"statusHistory": comment})
    assert sender.deliver() == 1


def test_a_ping_is_never_repeated_and_may_be_empty(sender: MagentoTwin, listener: Listener, clock: FixedClock) -> None:
    url = f"https://{GATEWAY}/webhooks/magento/key"
    sender.ping(url, header="x-connector-secret", secret=SECRET, broken=True)
    listener.answers = [(500, {})]
    sender.place_order()
    assert sender.deliver() == 0
    clock.moment += timedelta(hours=1)
    assert sender.deliver() == 0
    assert [body for _, _, body in listener.came] == [b""]


def test_a_track_added_in_the_admin_pings_and_one_added_over_the_api_does_not(
    sender: MagentoTwin, listener: Listener, clock: FixedClock
) -> None:
    shipment = sender.ship(sender.place_order())
    sender.ping(f"https://{GATEWAY}/webhooks/magento/key", header="x-connector-secret", secret=SECRET)
    sender.add_track(shipment, "JD1", "DHL")
    assert sender.deliver() == 1
    entity = {"order_id": 1, "parent_id": 1, "track_number": "JD2", "title": "DHL", "carrier_code": "dhl"}
    entity |= {"weight": 0, "qty": 1, "description": ""}
    assert Caller(sender, clock).post("shipment/track", {"entity": entity}).status == 200
    assert sender.deliver() == 0
    assert sender.truth()["1"].tracking_numbers == {"JD1", "JD2"}
