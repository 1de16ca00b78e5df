"""Writing back: parcels, numbers, where they are, the invoice; never twice, and never with a mail of Shopify's."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Store
from adapters.http import Unanswered
from adapters.shopify import status
from adapters.shopify.push import PUSHES, push_invoice_link, push_shipment, push_status
from adapters.shopify.to_be_sent import Line, Order, still_to_send
from connector.domain.errors import Permanent, Retryable
from connector.domain.push import LinkPush, ShipmentPush, StatusPush
from connector.domain.status import ShipmentStatus
from tests.adapters.shopify.shops import NOW, operations, telling

Document = dict[str, Any]
SAID: Document = {"userErrors": []}


class Warehouse:
    """An order of Shopify's with what is to be sent from where, and what has left."""

    def __init__(self, **remaining: int) -> None:
        self.orders = [self.order(1, "Thessaloniki", remaining or {"11": 2, "12": 1})]
        self.parcels: list[Document] = []
        self.events: list[Document] = []
        self.cut = False
        self.store: Store = telling(
            {
                "Shipping": self.shipping,
                "Fulfillment": self.parcel,
                "FulfillmentCreate": self.create,
                "TrackingUpdate": self.update,
                "EventCreate": self.event,
            }
        )

    def order(self, number: int, location: str, remaining: dict[str, int], **changed: object) -> Document:
        lines = [
            {
                "id": f"gid://shopify/FulfillmentOrderLineItem/{number}{line.strip('_')}",
                "remainingQuantity": quantity,
                "lineItem": {"id": f"gid://shopify/LineItem/{line.strip('_')}"},
            }
            for line, quantity in remaining.items()
        ]
        return {
            "id": f"gid://shopify/FulfillmentOrder/{number}",
            "status": "OPEN",
            "supportedActions": [{"action": "CREATE_FULFILLMENT"}, {"action": "HOLD"}],
            "assignedLocation": {"name": location, "address1": None, "zip": "1"},
            "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": lines},
            **changed,
        }

    def shipping(self, variables: dict[str, Any]) -> object:
        """One fulfilment order a page."""
        at = int(variables["after"] or 0)
        info = {"hasNextPage": at + 1 < len(self.orders), "endCursor": str(at + 1)}
        page = {"pageInfo": info, "nodes": self.orders[at : at + 1]}
        return {"order": {"fulfillments": self.parcels, "fulfillmentOrders": page}}

    def parcel(self, variables: dict[str, Any]) -> object:
        found = [one for one in self.parcels if one["id"] == variables["id"]]
        return {"fulfillment": found[0] | {"events": {"nodes": self.events}} if found else None}

    def create(self, variables: dict[str, Any]) -> object:
        wanted = variables["fulfillment"]
        assert wanted["notifyCustomer"] is False
        taken = {
            one["fulfillmentOrderId"]: one.get("fulfillmentOrderLineItems")
            for one in wanted["lineItemsByFulfillmentOrder"]
        }
        for order in self.orders:
            if order["id"] in taken:
                self._take(order, taken[order["id"]])
        self.parcels.append(self.make(**wanted["trackingInfo"]))
        return self._answered("fulfillmentCreate", "fulfillment", self.parcels[-1])

    def update(self, variables: dict[str, Any]) -> object:
        (parcel,) = [one for one in self.parcels if one["id"] == variables["id"]]
        told = variables["tracking"]
        numbers = told.get("numbers") or [told.get("number")]
        urls = told.get("urls") or [told.get("url")] * len(numbers)
        parcel["trackingInfo"] = [
            {"company": told.get("company"), "number": number, "url": url}
            for number, url in zip(numbers, urls, strict=True)
        ]
        return self._answered("fulfillmentTrackingInfoUpdate", "fulfillment", parcel)

    def event(self, variables: dict[str, Any]) -> object:
        self.events.insert(0, variables["event"])
        return self._answered("fulfillmentEventCreate", "fulfillmentEvent", {"id": "gid://shopify/FulfillmentEvent/5"})

    def make(self, number: str = "", company: str | None = None, url: str | None = None) -> Document:
        tracking = [{"number": number, "company": company, "url": url}] if number else []
        gid = f"gid://shopify/Fulfillment/{len(self.parcels) + 1}"
        return {"id": gid, "status": "SUCCESS", "trackingInfo": tracking}

    def writes(self) -> list[str]:
        return [name for name, _ in operations(self.store) if name not in ("Shipping", "Fulfillment")]

    def _take(self, order: Document, lines: list[Document] | None) -> None:
        for line in order["lineItems"]["nodes"]:
            chosen = {one["id"]: one["quantity"] for one in lines} if lines is not None else {}
            line["remainingQuantity"] -= chosen.get(line["id"], 0) if lines is not None else line["remainingQuantity"]
            assert line["remainingQuantity"] >= 0

    def _answered(self, field: str, name: str, document: Document) -> object:
        if self.cut:
            self.cut = False
            raise Unanswered("cut after it was done")
        return {field: {name: {"id": document["id"]}, **SAID}}


def shipment(**changed: Any) -> ShipmentPush:
    return ShipmentPush(**({"intent_id": "i-1", "order_id": "500", "number": "GR 123", "carrier": "ACS"} | changed))


def event(**changed: Any) -> StatusPush:
    told: Document = {
        "intent_id": "i-2",
        "order_id": "500",
        "shipment_id": "1",
        "status": ShipmentStatus.OUT_FOR_DELIVERY,
        "happened_at": NOW - timedelta(hours=1),
    }
    return StatusPush(**(told | changed))


# Parcels


def test_a_parcel_takes_all_that_is_left_and_nobody_is_mailed() -> None:
    shop = Warehouse()
    assert push_shipment(shop.store, shipment(url="https://acs.example/GR123")) == "parcel 1"
    (parcel,) = shop.parcels
    assert parcel["trackingInfo"] == [{"number": "GR 123", "company": "ACS", "url": "https://acs.example/GR123"}]
    assert not any(line["remainingQuantity"] for line in shop.orders[0]["lineItems"]["nodes"])


def test_a_parcel_with_some_lines_takes_only_these() -> None:
    shop = Warehouse(_11=2, _12=1)
    push_shipment(shop.store, shipment(items=(("11", Decimal(1)),)))
    assert [line["remainingQuantity"] for line in shop.orders[0]["lineItems"]["nodes"]] == [1, 1]


def test_a_parcel_whose_answer_was_lost_is_not_made_twice() -> None:
    shop = Warehouse()
    shop.cut = True
    with pytest.raises(Unanswered):
        push_shipment(shop.store, shipment())
    assert push_shipment(shop.store, shipment(number="gr123")) == "Shopify has it already: parcel 1"
    assert shop.writes() == ["FulfillmentCreate"]


def test_a_number_of_a_cancelled_parcel_is_free_again() -> None:
    shop = Warehouse()
    shop.parcels.append(shop.make("GR 123") | {"status": "CANCELLED"})
    assert push_shipment(shop.store, shipment()) == "parcel 2"


def test_everything_at_one_location_goes_into_the_parcel_over_all_pages() -> None:
    shop = Warehouse()
    shop.orders.append(shop.order(2, "Thessaloniki", {"13": 4}))
    push_shipment(shop.store, shipment())
    assert not any(line["remainingQuantity"] for order in shop.orders for line in order["lineItems"]["nodes"])


def test_a_parcel_from_several_locations_is_no_guess() -> None:
    shop = Warehouse()
    shop.orders.append(shop.order(2, "Athens", {"13": 4}))
    with pytest.raises(Permanent, match="say which lines"):
        push_shipment(shop.store, shipment())
    push_shipment(shop.store, shipment(items=(("13", Decimal(4)),)))
    assert shop.orders[1]["lineItems"]["nodes"][0]["remainingQuantity"] == 0
    with pytest.raises(Permanent, match="one location"):
        push_shipment(shop.store, shipment(number="2", items=(("11", Decimal(1)), ("13", Decimal(1)))))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "ON_HOLD", "supportedActions": [{"action": "RELEASE_HOLD"}]}, "release the hold"),
        ({"status": "SCHEDULED", "supportedActions": []}, "send it there"),
        ({"lineItems": {"nodes": []}}, "nothing of this order is left"),
    ],
)
def test_what_cannot_be_sent_says_why(change: Document, words: str) -> None:
    shop = Warehouse()
    shop.orders[0] |= change
    with pytest.raises(Permanent, match=words):
        push_shipment(shop.store, shipment())
    assert shop.writes() == []


def test_an_order_that_is_gone_is_said() -> None:
    with pytest.raises(Permanent, match="gone"):
        push_shipment(telling({"Shipping": {"order": None}}), shipment())


QUANTITIES = st.dictionaries(st.sampled_from(["11", "12", "13"]), st.integers(0, 4), min_size=1)


@given(
    places=st.lists(st.tuples(st.sampled_from("AB"), st.booleans(), QUANTITIES), max_size=4),
    items=st.dictionaries(st.sampled_from(["11", "12", "13", "14"]), st.integers(1, 4), max_size=3),
)
def test_never_more_is_taken_than_is_left_and_never_from_two_locations(
    places: list[tuple[str, bool, dict[str, int]]], items: dict[str, int]
) -> None:
    orders = [
        Order(f"o{n}", "OPEN", ready, (place,), tuple(Line(f"o{n}-{line}", line, left) for line, left in lines.items()))
        for n, (place, ready, lines) in enumerate(places)
    ]
    try:
        taken: Any = still_to_send(orders, tuple((line, Decimal(number)) for line, number in items.items()))
    except Permanent:
        return
    by_gid = {order.gid: order for order in orders}
    chosen = [by_gid[one["fulfillmentOrderId"]] for one in taken]
    assert len({order.location for order in chosen}) == 1
    assert all(order.can_be_sent for order in chosen)
    if items:
        sums: dict[str, int] = {}
        for one in taken:
            left = {line.gid: line for line in by_gid[one["fulfillmentOrderId"]].lines}
            for line in one["fulfillmentOrderLineItems"]:
                assert 0 < line["quantity"] <= left[line["id"]].remaining
                sums[left[line["id"]].line_id] = sums.get(left[line["id"]].line_id, 0) + line["quantity"]
        assert sums == items


def test_a_part_of_a_piece_is_not_sent() -> None:
    orders = [Order("o", "OPEN", True, ("A",), (Line("l", "11", 3),))]
    with pytest.raises(Permanent):
        still_to_send(orders, (("11", Decimal("1.5")),))


# Numbers


def test_a_parcel_without_a_number_gets_one() -> None:
    shop = Warehouse()
    shop.parcels.append(shop.make())
    push_shipment(shop.store, shipment(shipment_id="1"))
    assert shop.parcels[0]["trackingInfo"] == [{"company": "ACS", "number": "GR 123", "url": None}]
    assert push_shipment(shop.store, shipment(shipment_id="1")).startswith("Shopify has it already")
    assert shop.writes() == ["TrackingUpdate"]


def test_another_number_leaves_those_that_are_there() -> None:
    shop = Warehouse()
    shop.parcels.append(shop.make("A1", "ELTA", "https://elta.example/A1"))
    push_shipment(shop.store, shipment(shipment_id="1", url="https://acs.example/GR123"))
    assert shop.parcels[0]["trackingInfo"] == [
        {"company": "ELTA", "number": "A1", "url": "https://elta.example/A1"},
        {"company": "ELTA", "number": "GR 123", "url": "https://acs.example/GR123"},
    ]


def test_a_number_whose_answer_was_lost_is_not_added_twice() -> None:
    shop = Warehouse()
    shop.parcels.append(shop.make("A1"))
    shop.cut = True
    with pytest.raises(Unanswered):
        push_shipment(shop.store, shipment(shipment_id="1"))
    push_shipment(shop.store, shipment(shipment_id="1"))
    assert [one["number"] for one in shop.parcels[0]["trackingInfo"]] == ["A1", "GR 123"]


@pytest.mark.parametrize("push", [shipment(shipment_id="9"), event(shipment_id="9")])
def test_a_parcel_that_is_gone_is_said(push: ShipmentPush | StatusPush) -> None:
    with pytest.raises(Permanent, match="gone"):
        _push(Warehouse().store, push)


@pytest.mark.parametrize("push", [shipment(shipment_id="1"), event()])
def test_nothing_is_added_to_a_cancelled_parcel(push: ShipmentPush | StatusPush) -> None:
    shop = Warehouse()
    shop.parcels.append(shop.make() | {"status": "CANCELLED"})
    with pytest.raises(Permanent, match="cancelled"):
        _push(shop.store, push)
    assert shop.writes() == []


def _push(store: Store, push: ShipmentPush | StatusPush) -> str:
    return push_shipment(store, push) if isinstance(push, ShipmentPush) else push_status(store, push)


# Where they are


def moving() -> Warehouse:
    shop = Warehouse()
    shop.parcels.append(shop.make("A1"))
    return shop


def test_an_event_is_written_with_its_own_moment() -> None:
    shop = moving()
    assert push_status(shop.store, event()) == "event 5 OUT_FOR_DELIVERY"
    assert shop.events == [
        {
            "fulfillmentId": "gid://shopify/Fulfillment/1",
            "status": "OUT_FOR_DELIVERY",
            "happenedAt": "2026-11-25T11:00:00Z",
        }
    ]


def test_an_event_whose_answer_was_lost_is_not_written_twice() -> None:
    shop = moving()
    shop.cut = True
    with pytest.raises(Unanswered):
        push_status(shop.store, event())
    assert push_status(shop.store, event()) == "Shopify has it already"
    assert shop.writes() == ["EventCreate"]


def test_a_second_try_to_deliver_is_another_event() -> None:
    shop = moving()
    for hours in (30, 5, 5):
        push_status(shop.store, event(status=ShipmentStatus.ATTEMPTED, happened_at=NOW - timedelta(hours=hours)))
    assert len(shop.events) == 2


def test_nothing_is_written_after_a_delivery_p3() -> None:
    shop = moving()
    push_status(shop.store, event(status=ShipmentStatus.DELIVERED))
    for late in (ShipmentStatus.IN_TRANSIT, ShipmentStatus.EXCEPTION, ShipmentStatus.DELIVERED):
        push_status(shop.store, event(status=late, happened_at=NOW - timedelta(minutes=1)))
    assert [one["status"] for one in shop.events] == ["DELIVERED"]


def test_what_shopify_learned_from_the_carrier_itself_is_not_said_again() -> None:
    shop = moving()
    shop.events.append({"status": "IN_TRANSIT", "happenedAt": "2026-11-24T03:00:00Z"})
    assert push_status(shop.store, event(status=ShipmentStatus.IN_TRANSIT)) == "Shopify has it already"


def test_an_event_that_lies_ahead_waits_until_it_has_come() -> None:
    shop = moving()
    with pytest.raises(Retryable) as told:
        push_status(shop.store, event(happened_at=NOW + timedelta(minutes=3)))
    assert told.value.after == timedelta(minutes=3)
    assert shop.events == []


@pytest.mark.parametrize("one", ShipmentStatus)
def test_each_status_has_a_word_of_shopifys_or_is_left_out(one: ShipmentStatus) -> None:
    shop = moving()
    told = push_status(shop.store, event(status=one, words="back to the sender"))
    if one in status.EVENT_WORDS:
        back = status.event(shop.events[0]["status"].lower())
        assert back is one or shop.events[0] == shop.events[0] | {"status": "FAILURE", "message": "back to the sender"}
    else:
        assert "no word" in told
        assert shop.writes() == []


# The invoice


def test_the_invoices_address_becomes_a_field_of_the_order() -> None:
    told = {"metafieldsSet": {"metafields": [{"id": "gid://shopify/Metafield/8"}], **SAID}}
    shop = telling({"InvoiceLink": told})
    push = LinkPush("i-3", "500", "INV-7", "https://connector.example.test/d/abc")
    assert push_invoice_link(shop, push) == "metafield 8"
    assert operations(shop)[0][1]["metafields"] == [
        {
            "ownerId": "gid://shopify/Order/500",
            "namespace": "$app",
            "key": "invoice_url",
            "type": "url",
            "value": "https://connector.example.test/d/abc",
        }
    ]


def test_there_is_no_place_for_notes() -> None:
    assert PUSHES.note is None


def test_a_no_of_shopifys_is_in_its_own_words() -> None:
    def refused(_: dict[str, Any]) -> object:
        return {"fulfillmentCreate": {"fulfillment": None, "userErrors": [{"message": "Invalid tracking company"}]}}

    shop = Warehouse()
    answers: dict[str, Callable[[dict[str, Any]], object] | object] = {
        "Shipping": shop.shipping,
        "FulfillmentCreate": refused,
    }
    with pytest.raises(Permanent, match="Invalid tracking company"):
        push_shipment(telling(answers), shipment())
