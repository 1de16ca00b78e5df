"""A merchant who throws us out in the middle of anything: nothing leaves any more, nothing is kept that must go, and
what is told late about an earlier life changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.http import Answer, Request
from adapters.shopify.twin import ShopifyTwin
from adapters.twins import Asked
from connector.domain.connection import ConnectionState
from connector.domain.delivery import ShopEventKind
from connector.domain.errors import Retryable
from connector.tables import inbox, privacy_requests
from connector.tables.inbox import InboxState
from connector.tables.privacy_requests import PrivacyRequest
from notifications.channels.contract import Message, Receipt
from tests.contracts.connected import ImpatientWeb, Town
from tests.contracts.looking import everything
from tests.fakes import FakeSession

MakeTown = Callable[..., Town]
ELENI = "eleni@people.test"


def twin_of(town: Town) -> ShopifyTwin:
    assert isinstance(town.twin, ShopifyTwin)
    return town.twin


@pytest.fixture
def town(make_town: MakeTown) -> Town:
    """A connected Shopify shop for which we speak."""
    return make_town("shopify").connect().speak()


def thrown_out(town: Town) -> None:
    """The merchant uninstalls the app, and its webhook is taken in by whoever is free to."""
    town.twin.uninstall()
    town.twin.deliver()
    while town.service.process_inbox.run():
        pass
    assert town.connection.state is ConnectionState.ENDED


def assert_nothing_is_left(town: Town) -> None:
    """No credentials, no question asked and no mail sent, however long we wait."""
    calls, mails = sum(town.twin.server.calls.values()), len(town.channel.taken)
    town.pass_time(minutes=26 * 60, step=120)
    assert town.vault.credentials.values == {}
    assert town.vault.offers == ()
    assert town.sweep() is None
    assert sum(town.twin.server.calls.values()) == calls
    assert len(town.channel.taken) == mails
    states = {one.state.value for order_id in town.known() for one in town.said(order_id)}
    assert states <= {"sent", "withdrawn"}


def test_mails_that_wait_are_not_sent(town: Town) -> None:
    town.channel.fails_before = Retryable("the mail server is away")
    order_id = town.twin.place_order(paid=True, email=ELENI)
    town.hear()
    assert town.told(order_id) == []
    thrown_out(town)
    town.channel.fails_before = None
    assert_nothing_is_left(town)
    assert town.told(order_id) == []


def test_a_mail_whose_sender_was_just_about_to_is_not_sent(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    send = FakeSession.send

    def in_the_last_moment(session: FakeSession, message: Message, handing_over: Callable[[], None]) -> Receipt:
        monkeypatch.undo()
        thrown_out(town)
        return send(session, message, handing_over)

    monkeypatch.setattr(FakeSession, "send", in_the_last_moment)
    order_id = town.twin.place_order(paid=True, email=ELENI)
    town.hear()
    assert town.connection.state is ConnectionState.ENDED
    assert town.channel.taken == []
    assert_nothing_is_left(town)
    assert town.told(order_id) == []


@pytest.mark.parametrize("reorder", [False, True])
def test_news_that_comes_together_with_the_goodbye_is_told_nobody(town: Town, reorder: bool) -> None:
    order_id = town.twin.place_order(paid=True, email=ELENI)
    town.twin.uninstall()
    town.twin.faults.reorder = reorder
    town.hear()
    assert (order_id in town.known()) != reorder
    assert_nothing_is_left(town)
    assert town.channel.taken == []


class Meanwhile(ImpatientWeb):
    """Something happens while a question of one kind is on its way."""

    happens: Callable[[], None] | None = None
    word = b""

    def ask(self, make: Callable[[], Request], **more: Any) -> Answer:
        happens = Meanwhile.happens
        answer = super().ask(make, **more)
        if happens and Meanwhile.word in make().body:
            Meanwhile.happens = None
            happens()
        return answer


@pytest.fixture
def watched(make_town: MakeTown) -> Town:
    """The same, with something happening while the shop is asked."""
    return make_town("shopify", web=Meanwhile).connect().speak()


def meanwhile(word: bytes, happens: Callable[[], None]) -> None:
    Meanwhile.word, Meanwhile.happens = word, happens


def test_a_sweep_under_way_keeps_nothing_more(watched: Town) -> None:
    before = set(watched.known())
    watched.twin.faults.silent = True
    watched.twin.place_order(paid=True, email=ELENI)
    watched.twin.faults.silent = False
    twin_of(watched).courier.waiting.clear()
    meanwhile(b"query Orders", lambda: thrown_out(watched))
    watched.later(hours=2)
    assert Meanwhile.happens is None, "it was thrown out during the sweep"
    assert set(watched.known()) == before
    assert ELENI not in everything(watched)
    assert_nothing_is_left(watched)


def test_a_hint_that_waits_is_closed_and_asks_nobody(town: Town) -> None:
    order_id = town.twin.place_order(paid=True, email=ELENI)
    town.hear()
    twin_of(town).edit(order_id)
    town.twin.faults.fail = 1_000
    town.hear()
    town.twin.faults.fail = 0
    assert town.inbox()["waiting"] > 0
    thrown_out(town)
    assert_nothing_is_left(town)
    assert town.inbox().get("waiting", 0) == 0


def test_a_hint_whose_answer_is_on_its_way_changes_nothing(watched: Town) -> None:
    order_id = watched.twin.place_order(paid=True, email=ELENI)
    watched.hear()
    before = watched.known()[order_id]
    twin_of(watched).edit(order_id)
    # Only the hint arrives, not the webhook that tells the same.
    courier = twin_of(watched).courier
    courier.waiting = [parcel for parcel in courier.waiting if parcel.topic == "orders/edited"]
    meanwhile(b"query Order(", lambda: thrown_out(watched))
    watched.hear()
    assert Meanwhile.happens is None
    assert watched.known()[order_id] == before
    assert_nothing_is_left(watched)


def test_what_is_being_written_back_ends_there(watched: Town) -> None:
    order_id = watched.twin.place_order(paid=True, email=ELENI)
    watched.hear()
    watched.order_to_ship(order_id, "AA1")
    meanwhile(b"query Shipping", lambda: thrown_out(watched))
    watched.work()
    assert Meanwhile.happens is None
    assert twin_of(watched).shipments(order_id) == []
    assert_nothing_is_left(watched)


def test_later_deliveries_are_answered_and_ignored(town: Town) -> None:
    order_id = town.twin.place_order(paid=True, email=ELENI)
    twin_of(town).faults.duplicate = True
    town.hear()
    genuine, _ = next(one for one in town.front.heard if b"orders/create" in one[0].headers["x-shopify-topic"].encode())
    thrown_out(town)
    known, count = town.known(), town.inbox().get("ignored", 0)
    again = Asked("POST", genuine.path, genuine.query, {**genuine.headers, "x-shopify-webhook-id": "later"}, b"")
    body = genuine.body.replace(ELENI.encode(), b"other@people.test")
    assert town.front.post(signed(town, again, body)) == 200
    town.work()
    assert town.inbox()["ignored"] == count + 1
    assert town.known() == known
    assert order_id in known
    assert_nothing_is_left(town)


def signed(town: Town, asked: Asked, body: bytes) -> Asked:
    headers = {**asked.headers, "x-shopify-hmac-sha256": town.signature(body)}
    return Asked(asked.method, asked.path, asked.query, headers, body)


def test_an_uninstall_told_late_does_not_end_the_life_after_it(town: Town) -> None:
    town.twin.uninstall()
    town.clock.moment += timedelta(minutes=2)
    twin_of(town).open_app()
    town.work()
    assert town.connection.state is ConnectionState.CONNECTED
    town.hear(minutes=1)
    assert town.connection.state is ConnectionState.CONNECTED
    town.twin.place_order(paid=True)
    town.hear()
    assert town.differing() == set()


def test_an_uninstall_told_while_the_new_yes_is_looked_at_does_not_end_it(town: Town) -> None:
    town.twin.uninstall()
    town.clock.moment += timedelta(minutes=2)
    twin_of(town).open_app()
    town.twin.deliver()
    town.work()
    assert town.connection.state is ConnectionState.CONNECTED


def test_who_comes_back_after_leaving_begins_anew(town: Town) -> None:
    thrown_out(town)
    town.clock.moment += timedelta(days=1)
    twin_of(town).open_app()
    town.work()
    assert town.connection.state is ConnectionState.CONNECTED
    town.pass_time(minutes=72 * 60, step=240)
    assert town.shop.ended_at is None, "what was to be erased two days after leaving is needed again"
    town.twin.place_order(paid=True)
    town.hear()
    assert town.differing() == set()


def asked_of_us(town: Town) -> list[PrivacyRequest]:
    with town.service.database.read() as connection:
        return privacy_requests.waiting(connection, town.service.seal)


def a_customers_life(town: Town) -> str:
    order_id = town.twin.place_order(paid=True, email=ELENI)
    town.hear()
    town.twin.ship(order_id, "AA1", "DHL")
    town.hear()
    assert "order_received" in town.told(order_id)
    assert ELENI in everything(town)
    return order_id


def test_a_customer_who_asks_is_handed_all_that_is_kept(town: Town) -> None:
    order_id = a_customers_life(town)
    twin_of(town).ask_for_data(ELENI)
    town.hear()
    (request,) = asked_of_us(town)
    assert request.kind is ShopEventKind.DATA_REQUESTED
    assert request.due_at - request.asked_at == timedelta(days=30)
    (order,) = town.service.erase.handed_out(request)["orders"]
    assert order["order_id"] == order_id
    assert order["known"]["email"] == ELENI
    assert ELENI in {one["to"] for one in order["messages"]}


def test_a_customer_who_is_to_be_forgotten_is_found_nowhere(town: Town) -> None:
    order_id = a_customers_life(town)
    other = town.twin.place_order(paid=True, email="nikos@people.test")
    town.hear()
    twin_of(town).redact_customer(ELENI)
    town.hear()
    assert asked_of_us(town) == []
    assert ELENI not in everything(town)
    assert "nikos@people.test" in everything(town)
    town.twin.refund(order_id, town.twin.truth()[order_id].total)
    town.pass_time(minutes=180)
    assert ELENI not in everything(town), "and nothing of them comes back by webhook, sweep or look"
    assert town.known()[order_id].refunded == town.twin.truth()[order_id].refunded
    assert "refunded" not in town.told(order_id)
    assert town.known()[other] == town.twin.truth()[other]


def test_two_days_after_a_shop_left_nothing_of_it_is_kept(town: Town) -> None:
    a_customers_life(town)
    thrown_out(town)
    assert ELENI in everything(town)
    town.pass_time(minutes=50 * 60, step=120)
    left = everything(town)
    assert [word for word in (ELENI, "Meltemi", "AA1") if word in left] == []
    assert town.known() == {}
    with town.service.database.read() as connection:
        assert inbox.ended_in(connection, town.shop.shop_id, InboxState.DONE) == []
