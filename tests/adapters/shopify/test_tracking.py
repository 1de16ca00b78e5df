"""Fulfilments and fulfilment events."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.reading import Reader
from adapters.shopify import status
from adapters.shopify.tracking import read_event, read_fulfillment, read_shipment
from connector.domain.delivery import Ignored, LookAgain, ShipmentUpdate
from connector.domain.order import ShipmentItem, TrackingNumber
from connector.domain.status import ShipmentStatus
from tests.adapters.shopify.papers import body, order, posted


def test_tracking_numbers_and_addresses_pair_by_position() -> None:
    document = body("fulfillment-created") | {
        "tracking_numbers": ["A1", "", "A3"],
        "tracking_urls": ["https://track.example.test/A1", "https://track.example.test/alone", None],
    }
    assert read_shipment(Reader(document)).tracking == (
        TrackingNumber("A1", "Correios", "https://track.example.test/A1"),
        TrackingNumber("", "Correios", "https://track.example.test/alone"),
        TrackingNumber("A3", "Correios", ""),
    )


def test_the_single_number_does_where_there_is_no_list() -> None:
    document = {
        key: value for key, value in body("fulfillment-created").items() if not key.endswith(("numbers", "urls"))
    }
    assert read_shipment(Reader(document)).tracking == (
        TrackingNumber("BR223456785BR", "Correios", "https://rastreio.example.test/BR223456785BR"),
    )


def test_a_fulfilment_says_what_is_inside_and_when_it_left() -> None:
    update = read_fulfillment(Reader(body("fulfillment-created")))
    assert isinstance(update, ShipmentUpdate)
    assert (update.order_id, update.partial) == ("5899012334455669", False)
    shipment = update.shipment
    assert shipment.items == (
        ShipmentItem("16001200000101", Decimal(1)),
        ShipmentItem("16001200000102", Decimal(2)),
    )
    assert shipment.shipped_at == datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def test_fulfilled_without_a_carriers_word_left_but_nobody_knows_where_it_is_p5() -> None:
    third = order("order-with-three-parcels").shipments[2]
    assert (third.status, third.status_word) == (ShipmentStatus.UNKNOWN, "success")
    assert third.shipped_at == datetime(2026, 11, 21, 18, 4, 8, tzinfo=UTC)


@pytest.mark.parametrize("word", ["label_purchased", "label_printed"])
def test_a_label_alone_has_not_left(word: str) -> None:
    shipment = read_shipment(Reader(body("fulfillment-created") | {"shipment_status": word}))
    assert (shipment.status, shipment.shipped_at) == (ShipmentStatus.LABEL_CREATED, None)


@pytest.mark.parametrize(
    ("own", "word", "expected"),
    [
        ("pending", None, ShipmentStatus.LABEL_CREATED),
        ("open", None, ShipmentStatus.LABEL_CREATED),
        ("cancelled", "in_transit", ShipmentStatus.CANCELLED),
        ("error", None, ShipmentStatus.CANCELLED),
        ("failure", None, ShipmentStatus.CANCELLED),
        ("success", "confirmed", ShipmentStatus.LABEL_CREATED),
        ("success", "failure", ShipmentStatus.EXCEPTION),
        ("success", "picked_up", ShipmentStatus.UNKNOWN),
        ("success", "label_voided", ShipmentStatus.CANCELLED),
        ("teleported", None, ShipmentStatus.UNKNOWN),
    ],
)
def test_two_words_make_one_status(own: str, word: str | None, expected: ShipmentStatus) -> None:
    shipment = read_shipment(Reader(body("fulfillment-created") | {"status": own, "shipment_status": word}))
    assert shipment.status is expected
    assert (shipment.shipped_at is not None) == (own == "success")


def test_a_cancelled_fulfilment_is_a_cancelled_parcel() -> None:
    assert order("order-with-three-parcels").shipments[3].status is ShipmentStatus.CANCELLED


def test_a_fulfilled_gift_card_is_no_parcel() -> None:
    assert len(body("order-with-three-parcels")["fulfillments"]) == 5
    assert len(order("order-with-three-parcels").shipments) == 4
    assert isinstance(posted(body("fulfillment-of-a-gift-card")), Ignored)


def test_an_unknown_parcel_word_is_kept_and_shown_p5() -> None:
    read = order(
        "order-with-three-parcels",
        lambda document: document["fulfillments"][1].update(shipment_status="customs_hold"),
    )
    assert (read.shipments[1].status, read.shipments[1].status_word) == (ShipmentStatus.UNKNOWN, "customs_hold")
    assert "unknown parcel status 'success / customs_hold'" in read.warnings


@pytest.mark.parametrize(("word", "expected"), status.EVENTS.items())
def test_every_event_word_has_its_status(word: str, expected: ShipmentStatus) -> None:
    update = read_event(Reader(body("event-out-for-delivery") | {"status": word}))
    assert (update.partial, update.shipment.status, update.shipment.status_word) == (True, expected, word)


def test_there_are_eleven_event_words() -> None:
    assert len(status.EVENTS) == 11


def test_an_unknown_event_word_is_kept_p5() -> None:
    shipment = read_event(Reader(body("event-with-an-unknown-word"))).shipment
    assert (shipment.status, shipment.status_word) == (ShipmentStatus.UNKNOWN, "customs_hold")


def test_an_event_brings_its_moments() -> None:
    on_its_way = read_event(Reader(body("event-out-for-delivery"))).shipment
    assert on_its_way.updated_at == datetime(2026, 11, 22, 10, 40, tzinfo=UTC)
    assert on_its_way.estimated_delivery_at == datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
    assert on_its_way.delivered_at is None
    delivered = read_event(Reader(body("event-delivered"))).shipment
    assert delivered.delivered_at == datetime(2026, 11, 22, 17, 5, tzinfo=UTC)


def test_a_carriers_clock_that_runs_ahead_is_not_believed() -> None:
    document = body("event-delivered") | {"happened_at": "2030-01-01T00:00:00Z"}
    assert read_event(Reader(document)).shipment.delivered_at == datetime(2026, 11, 22, 17, 6, 2, tzinfo=UTC)


def test_an_event_that_was_taken_back_makes_us_look() -> None:
    assert isinstance(posted(body("event-taken-back"), "fulfillment_events/delete"), LookAgain)
    assert isinstance(posted(body("event-taken-back"), "fulfillment_events/create"), ShipmentUpdate)
