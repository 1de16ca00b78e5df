"""What is written back stands in the shop once, whatever becomes of the answer or of us, and the customer hears of it
once, from us."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from adapters.http import Answer, Request
from connector.domain.status import ShipmentStatus
from connector.flow import by_hand
from connector.tables import inbox
from connector.tables.inbox import Recorded, new_delivery_id
from notifications.outbox import OutboxState
from tests.contracts.connected import ImpatientWeb, Town
from tests.contracts.mortal import Fate, Killed

MakeTown = Callable[..., Town]
SHOPS: dict[str, tuple[str, dict[str, Any]]] = {
    "shopify": ("shopify", {}),
    "woocommerce, fulfillments": ("woocommerce", {"fulfillments": True}),
    "woocommerce, a plugin": ("woocommerce", {"trackings": "ast"}),
    "woocommerce, bare": ("woocommerce", {"version": "8.2.2"}),
    "magento": ("magento", {}),
}
each_shop = pytest.mark.parametrize("shop", SHOPS)
NUMBER = "AA123456789"


def open_town(make_town: MakeTown, shop: str, **named: Any) -> Town:
    platform, knobs = SHOPS[shop]
    return make_town(platform, **knobs, **named).connect().speak()


def told(town: Town) -> str:
    """An order whose customer knows it was received, all of it quiet again."""
    order_id = town.twin.place_order(paid=True, email="eleni@people.test")
    town.hear()
    town.hear(minutes=2)
    assert "order_received" in town.told(order_id)
    return order_id


def intents(town: Town, order_id: str, kind: str) -> list[OutboxState]:
    return [one.state for one in town.said(order_id) if one.notification.kind == kind]


def assert_written_once(town: Town, order_id: str, mails: int) -> None:
    assert town.twin.truth()[order_id].tracking_numbers == {NUMBER}
    assert town.there.parcels(order_id) in (0, 1), "a bare shop has no parcels"
    assert sum(NUMBER in note for note in town.there.notes(order_id)) <= 1
    assert len(set(marked := marks(town, order_id))) == len(marked)
    assert town.there.mails == mails, "the platform mails nobody about it"
    assert intents(town, order_id, "push_shipment") == [OutboxState.SENT]


def marks(town: Town, order_id: str) -> list[str]:
    """The marks of ours at the end of notes."""
    return [note.rpartition("[")[2] for note in town.there.notes(order_id) if "onnector " in note]


def assert_told_once(town: Town, order_id: str) -> None:
    healed = town.connection.healed
    for _ in range(6):
        town.hear(minutes=60)
    assert town.told(order_id).count("shipped") == 1
    assert "tracking_added" not in town.told(order_id)
    assert town.differing() == set()
    assert town.connection.healed == healed, "our own echo is no gap"


@each_shop
def test_a_number_whose_answer_was_lost_is_there_once_and_told_once(make_town: MakeTown, shop: str) -> None:
    town = open_town(make_town, shop)
    order_id = told(town)
    mails = town.there.mails
    town.order_to_ship(order_id, NUMBER)
    town.twin.faults.cut = 1
    town.work()
    assert town.twin.faults.cut == 0
    town.hear(minutes=2)
    assert_written_once(town, order_id, mails)
    assert_told_once(town, order_id)


@each_shop
def test_a_number_for_a_parcel_the_shop_has_already_is_added_once(make_town: MakeTown, shop: str) -> None:
    town = open_town(make_town, shop)
    if town.platform == "woocommerce":
        pytest.skip("in WooCommerce nothing is a parcel until it has a number")
    order_id = told(town)
    town.twin.ship(order_id)
    town.hear()
    (parcel,) = town.records()[order_id].parcels
    mails = town.there.mails
    town.order_to_ship(order_id, NUMBER, parcel.shipment_id)
    town.twin.faults.cut = 1
    town.work()
    town.hear(minutes=2)
    assert_written_once(town, order_id, mails)
    assert town.there.parcels(order_id) == 1


@pytest.mark.parametrize(("shop", "call"), [*((shop, 1) for shop in SHOPS), ("woocommerce, bare", 2), ("shopify", 2)])
def test_who_dies_between_the_platforms_doing_and_our_mark_is_followed_by_one_who_looks(
    make_town: MakeTown, shop: str, call: int
) -> None:
    fate = Fate(1_000_000, after=True)
    town = open_town(make_town, shop, web=fate.web)
    order_id = told(town)
    mails = town.there.mails
    town.order_to_ship(order_id, NUMBER)
    fate.again(call)
    try:
        town.work()
    except Killed:
        town.restart()
    else:
        assert not fate.struck
    fate.never()
    town.hear(minutes=11)
    assert_written_once(town, order_id, mails)
    assert_told_once(town, order_id)


class Slow(ImpatientWeb):
    """The answer to what changes something takes longer than the lease."""

    meanwhile: ClassVar[list[Callable[[], None]]] = []

    def ask(self, make: Callable[[], Request], **more: Any) -> Answer:
        request = make()
        answer = super().ask(make, **more)
        if Slow.meanwhile and request.method != "GET" and NUMBER.encode() in request.body:
            Slow.meanwhile.pop()()
        return answer


@each_shop
def test_a_worker_whose_lease_is_over_and_the_one_after_it_write_once(make_town: MakeTown, shop: str) -> None:
    town = open_town(make_town, shop, web=Slow)
    order_id = told(town)
    mails = town.there.mails
    town.order_to_ship(order_id, NUMBER)
    second = town.another_service()

    def lease_is_lost() -> None:
        town.pass_by(minutes=11)
        while second.write_back.run():
            pass

    Slow.meanwhile.append(lease_is_lost)
    town.work()
    assert Slow.meanwhile == []
    assert_written_once(town, order_id, mails)
    assert_told_once(town, order_id)


@each_shop
def test_notes_and_links_whose_answers_were_lost_are_there_once(make_town: MakeTown, shop: str) -> None:
    town = open_town(make_town, shop)
    town.twin.faults.cut = 3
    order_id = told(town)
    for _ in range(6):
        town.hear(minutes=10)
    assert town.twin.faults.cut < 3
    sent = [OutboxState.SENT] * len(town.told(order_id))
    assert intents(town, order_id, "push_invoice_link") == [OutboxState.SENT]
    if town.api.pushes.note is None:
        assert set(intents(town, order_id, "push_note")) == {OutboxState.WITHDRAWN}
    else:
        assert intents(town, order_id, "push_note") == sent
        assert len(marks(town, order_id)) >= len(sent)
        assert len(set(marks(town, order_id))) == len(marks(town, order_id))
    assert town.told(order_id).count("order_received") == 1


@each_shop
def test_where_a_parcel_is_whose_answer_was_lost_is_there_once(make_town: MakeTown, shop: str) -> None:
    town = open_town(make_town, shop)
    order_id = told(town)
    town.twin.ship(order_id, NUMBER, "DHL")
    town.hear()
    (parcel,) = town.records()[order_id].parcels
    for _ in range(3):
        town.hear(minutes=10)
    before = len(town.there.events(order_id))
    town.twin.faults.cut = 1
    say(town, order_id, parcel.shipment_id, ShipmentStatus.DELIVERED)
    town.work()
    assert town.twin.faults.cut == 0
    for _ in range(4):
        town.hear(minutes=10)
    assert intents(town, order_id, "push_status") == [OutboxState.SENT]
    written = town.there.events(order_id)[before:] if town.platform == "shopify" else marks(town, order_id)
    assert len(set(written)) == len(written)
    assert town.told(order_id).count("delivered") == 1


def say(town: Town, order_id: str, shipment_id: str, status: ShipmentStatus) -> None:
    """As `connector order status` does."""
    now, service = town.clock.now(), town.service
    delivery = by_hand.parcel_status(town.platform, order_id, shipment_id, status, now, now)
    with service.database.write() as connection:
        item = Recorded(town.shop.shop_id, new_delivery_id(), f"hand:{shipment_id}:{status.value}", delivery)
        inbox.record(service.database, connection, [item])
