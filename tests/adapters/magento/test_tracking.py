"""Shipment documents are news about one parcel, with or without tracking."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.delivery import LookAgain, ShipmentUpdate, Subject
from connector.domain.order import Shipment, ShipmentItem, TrackingNumber
from connector.domain.record import has_left
from connector.domain.status import ShipmentStatus
from tests.adapters.magento.papers import shipment, signed, track


def parcel(**changes: Any) -> Shipment:
    update = signed(shipment(**changes))
    assert isinstance(update, ShipmentUpdate)
    assert update.order_id == "7"
    return update.shipment


def test_a_shipment_has_left_and_nobody_knows_yet_where_it_is() -> None:
    told = parcel()
    assert (told.shipment_id, told.status, told.tracking) == ("61", ShipmentStatus.UNKNOWN, ())
    assert told.shipped_at == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert has_left(told)


def test_items_name_the_rows_that_are_lines() -> None:
    assert parcel(items=[{"order_item_id": "11", "qty": "2.0000"}, {"order_item_id": 12, "qty": None}]).items == (
        ShipmentItem("11", Decimal(2)),
    )


def test_the_carriers_code_names_it_and_a_custom_one_its_title() -> None:
    tracks = [
        track(),
        track(carrier_code="custom", title="Bicycle courier", track_number="HF 7"),
        track(track_number=""),
    ]
    assert parcel(tracks=tracks).tracking == (
        TrackingNumber("00340434161094022115", "dhl"),
        TrackingNumber("HF 7", "Bicycle courier"),
    )


def test_a_track_added_later_makes_the_shipment_newer_though_its_own_moment_stays() -> None:
    assert parcel(tracks=[track()]).updated_at == datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert parcel().updated_at == datetime(2026, 11, 20, 16, tzinfo=UTC)


def test_a_track_that_comes_alone_is_a_hint_at_its_shipment() -> None:
    expected = LookAgain(Subject.SHIPMENT, "61", "7", "a track or a comment came alone")
    assert signed(track()) == expected
    assert signed(track(), "sales.shipment.track.created") == expected


@pytest.mark.parametrize("changes", [{"created_at": None}, {"order_id": None}])
def test_half_a_shipment_is_only_a_hint(changes: dict[str, Any]) -> None:
    update = signed(shipment(**changes))
    assert isinstance(update, LookAgain)
    assert (update.subject, update.subject_id) == (Subject.SHIPMENT, "61")
