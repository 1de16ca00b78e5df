"""Subscribing to async-events: made, switched off, never deleted; its API shows no secret."""

from typing import Any

from adapters.http import Answer, Request
from adapters.magento.subscriptions import TOPICS, subscribe, unsubscribe
from connector.domain.connection import Endpoint, SubscriptionState
from tests.adapters.magento.shops import NO_ROUTE, always, asked, not_allowed, route, searched, sent
from tests.adapters.talking import answered

ADDRESS = "https://connector.example.com/webhooks/magento/k3y"
ENDPOINT = Endpoint(ADDRESS, "https://connector.example.com/webhooks/magento", "s3cret")


class Board:
    """The module's table of subscriptions."""

    def __init__(self, *rows: tuple[str, str, bool]) -> None:
        self.rows: list[dict[str, Any]] = []
        self.secrets: dict[int, str] = {}
        for name, address, status in rows:
            self.add(name, address, status)

    def add(self, name: str, address: str, status: bool = True, secret: str = "") -> dict[str, Any]:
        number = len(self.rows) + 1
        self.rows.append(
            {
                "subscription_id": number,
                "event_name": name,
                "recipient_url": address,
                "status": status,
                "subscribed_at": "2026-11-21 10:00:00",
            }
        )
        self.secrets[number] = secret
        return self.rows[-1]

    def __call__(self, request: Request) -> Answer:
        if request.method == "GET":
            return searched(request, self.rows)
        wanted = sent(request)["asyncEvent"]
        if request.method == "POST":
            assert wanted["metadata"] == "http"
            return answered(self.add(wanted["event_name"], wanted["recipient_url"], True, wanted["verification_token"]))
        row = self.rows[int(route(request).rpartition("/")[2]) - 1]
        assert wanted["subscription_id"] == row["subscription_id"]
        row["status"] = wanted["status"]
        return answered(row)

    def active(self) -> list[str]:
        return [row["recipient_url"] for row in self.rows if row["status"]]


def test_each_event_has_an_address_of_its_own_and_our_secret() -> None:
    store, _ = asked(board := Board())
    subscribed = subscribe(store, ENDPOINT)
    assert board.active() == [f"{ADDRESS}/{topic}" for topic in TOPICS]
    assert set(board.secrets.values()) == {"s3cret"}
    assert all(one.state is SubscriptionState.ACTIVE for one in subscribed.subscriptions)
    assert len(subscribed.repairs) == len(TOPICS)
    assert subscribed.sends


def test_what_stands_as_it_should_is_left_alone() -> None:
    store, requests = asked(Board(*((topic, f"{ADDRESS}/{topic}", True) for topic in TOPICS)))
    assert subscribe(store, ENDPOINT).repairs == ()
    assert [request.method for request in requests] == ["GET"]


def test_one_that_was_switched_off_is_made_anew_because_its_secret_cannot_be_seen() -> None:
    board = Board(*((topic, f"{ADDRESS}/{topic}", topic != TOPICS[1]) for topic in TOPICS))
    store, _ = asked(board)
    assert subscribe(store, ENDPOINT).repairs == (f"{TOPICS[1]} was switched off and is on again",)
    assert f"{ADDRESS}/{TOPICS[1]}" in board.active()
    assert board.secrets[6] == "s3cret"


def test_of_two_the_youngest_counts() -> None:
    board = Board(*((topic, f"{ADDRESS}/{topic}", True) for topic in (*TOPICS, TOPICS[0])))
    store, _ = asked(board)
    assert "twice" in subscribe(store, ENDPOINT).repairs[0]
    assert [row["status"] for row in board.rows] == [False, True, True, True, True, True]


def test_ours_that_lead_nowhere_are_switched_off_and_others_are_left_alone() -> None:
    strangers = [("sales.order.created", "https://else.example/x", True), ("a", f"{ADDRESS}other/a", True)]
    board = Board(("sales.order.paid", f"{ADDRESS}/sales.order.holded", True), *strangers)
    store, _ = asked(board)
    subscribe(store, ENDPOINT)
    assert [row["status"] for row in board.rows[:3]] == [False, True, True]


def test_a_second_look_changes_nothing() -> None:
    store, _ = asked(board := Board())
    subscribe(store, ENDPOINT)
    before = [dict(row) for row in board.rows]
    assert subscribe(store, ENDPOINT).repairs == ()
    assert board.rows == before


def test_unsubscribing_switches_off_all_of_ours() -> None:
    store, _ = asked(board := Board(("a", "https://else.example/x", True)))
    subscribe(store, ENDPOINT)
    unsubscribe(store, ENDPOINT)
    assert board.active() == ["https://else.example/x"]


def test_without_the_module_polling_stands_in() -> None:
    for answer in (NO_ROUTE, not_allowed("MageOS_AsyncEvents::manage")):
        store, _ = asked(lambda _request, answer=answer: answer)  # type: ignore[misc]
        subscribed = subscribe(store, ENDPOINT)
        assert not subscribed.sends
        assert all(one.state is SubscriptionState.UNAVAILABLE and one.remark for one in subscribed.subscriptions)
        unsubscribe(store, ENDPOINT)


def test_where_nothing_announces_the_events_nothing_is_subscribed() -> None:
    store, requests = asked(always([]), features={"common_events": "no"})
    assert not subscribe(store, ENDPOINT).sends
    assert requests == []
