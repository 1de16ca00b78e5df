"""Parcels as tracking plugins and core fulfillments tell them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.order import OrderSnapshot, Shipment, ShipmentItem
from connector.domain.record import OrderRecord, apply
from connector.domain.status import ShipmentStatus
from connector.domain.timeline import Tag
from tests.adapters.woocommerce.documents import RECEIVED, SAMPLES, answered, document, order, read_order, with_meta

NOON = 1795262400  # 2026-11-21T12:00:00Z
HINT = "fulfillment_create_fulfilled_notify__action.woocommerce_fulfillment_created_notification"

plugin_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["tracking_number", "date_shipped", "tracking_id", "x"]), inner)
    ),
    max_leaves=6,
)


def item(**changes: Any) -> dict[str, Any]:
    """An entry as the plugin Shipment Tracking stores it."""
    sample = {
        "tracking_provider": "dhl-de",
        "custom_tracking_provider": "",
        "custom_tracking_link": "",
        "tracking_number": "00340434161094015902",
        "date_shipped": NOON,
        "tracking_id": "66e81c24fe83923aacebe34b0651e859",
    }
    return sample | changes


def parcels(value: object) -> tuple[Shipment, ...]:
    return with_meta(_wc_shipment_tracking_items=value).shipments


def with_fulfillments(fulfillments: object, **changes: Any) -> OrderSnapshot:
    told = answered({"order": document(**changes), "fulfillments": fulfillments})
    assert isinstance(told, OrderSnapshot)
    return told


def fulfillment(*, fulfilled: object = "1", meta: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    fields = {"_items": [{"item_id": 1, "qty": 2}], "_tracking_number": "1Z9", "_shipment_provider": "ups"} | (
        meta or {}
    )
    sample = {
        "id": 2,
        "entity_id": "15",
        "status": "fulfilled",
        "is_fulfilled": fulfilled,
        "date_updated": "2026-11-21T20:05:50Z",
        "date_deleted": None,
        "meta_data": [{"id": 1, "key": key, "value": value} for key, value in fields.items()],
    }
    return sample | changes


def test_each_tracking_item_is_a_parcel_that_left() -> None:
    (parcel,) = parcels([item()])
    assert parcel.shipment_id == "66e81c24fe83923aacebe34b0651e859"
    assert parcel.status is ShipmentStatus.ACCEPTED
    assert parcel.shipped_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert (parcel.tracking[0].carrier, parcel.tracking[0].number) == ("dhl-de", "00340434161094015902")


@pytest.mark.parametrize("value", [[item()], {"1": item()}, json.dumps([item()]), json.dumps({"3": item()}), item()])
def test_the_list_may_be_a_list_an_object_or_json_in_text(value: object) -> None:
    assert parcels(value) == parcels([item()])


def test_a_date_may_be_seconds_as_number_or_text_or_an_iso_date() -> None:
    assert parcels([item(date_shipped=str(NOON))]) == parcels([item(date_shipped=NOON)])
    assert parcels([item(date_shipped="2026-11-21T12:00:00Z")]) == parcels([item(date_shipped=NOON)])


def test_a_day_without_a_time_is_not_taken_for_its_midnight() -> None:
    (parcel,) = parcels([item(date_shipped="2026-11-21")])
    assert parcel.shipped_at == datetime(2026, 11, 21, 19, 58, 56, tzinfo=UTC) == order().updated_at
    (earlier,) = parcels([item(date_shipped="2026-11-19")])
    assert earlier.shipped_at == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_number_without_a_date_has_left_once_the_order_is_completed() -> None:
    waiting = order(meta_data=[{"key": "_tracking_number", "value": "N1"}, {"key": "_tracking_provider", "value": "X"}])
    assert waiting.shipments[0].status is ShipmentStatus.LABEL_CREATED
    assert waiting.shipments[0].shipped_at is None
    completed = order(
        status="completed",
        date_completed_gmt="2026-11-21T19:58:58",
        meta_data=[{"key": "_tracking_number", "value": "N1"}],
    )
    assert completed.shipments[0].shipment_id == waiting.shipments[0].shipment_id
    assert completed.shipments[0].shipped_at == completed.completed_at


def test_when_a_parcel_left_is_not_made_up_p4() -> None:
    shipped = order(status="shipped", date_completed_gmt=None, meta_data=[{"key": "_tracking_number", "value": "N1"}])
    (fulfilled,) = with_fulfillments([fulfillment()]).shipments
    for parcel in (shipped.shipments[0], fulfilled):
        assert (parcel.status, parcel.shipped_at) == (ShipmentStatus.ACCEPTED, None)


def test_the_same_number_posted_twice_is_one_parcel_p2() -> None:
    twice = with_meta(
        _wc_shipment_tracking_items=[item(), item(tracking_id="another")],
        _tracking_number="00340434161094015902",
    )
    assert [parcel.shipment_id for parcel in twice.shipments] == ["66e81c24fe83923aacebe34b0651e859"]


def test_other_plugins_numbers_are_read_too() -> None:
    found = with_meta(
        _aftership_tracking_items=[
            {"tracking_id": "a1", "slug": "dhl", "tracking_number": "A1", "line_items": [{"id": "1", "quantity": 2}]}
        ],
        ywot_tracking_code="Y1",
        ywot_carrier_name="Correos",
        ywot_pick_up_date="2026-11-20",
        ywot_picked_up="on",
        _tracking_number="T1",
    ).shipments
    assert [(one.tracking[0].number, one.tracking[0].carrier) for one in found] == [
        ("A1", "dhl"), ("Y1", "Correos"), ("T1", ""),
    ]  # fmt: skip
    assert found[0].items == (ShipmentItem("1", Decimal(2)),)
    assert [one.shipped_at is not None for one in found] == [False, True, False]


@pytest.mark.parametrize(
    "value", ["text", 7, [7], [["x"]], [item(tracking_number={})], [item(date_shipped="21-11-2026")], "[{"]
)
def test_tracking_that_cannot_be_read_is_a_warning_and_not_a_lost_order(value: object) -> None:
    snapshot = with_meta(_wc_shipment_tracking_items=value)
    assert snapshot.shipments == ()
    assert len(snapshot.warnings) == 1
    assert not snapshot.shipments_are_complete


@given(plugin_values)
def test_no_plugins_value_costs_the_order(value: Any) -> None:
    assert (
        with_meta(_wc_shipment_tracking_items=value, ywot_tracking_code=value, _tracking_number=value).order_id == "15"
    )


@pytest.mark.parametrize("value", [None, "", [], {}, [item(tracking_number="")], [item(tracking_number="  ")]])
def test_nothing_is_no_parcel(value: object) -> None:
    snapshot = with_meta(_wc_shipment_tracking_items=value)
    assert snapshot.shipments == ()
    assert snapshot.shipments_are_complete


def test_a_tracking_number_that_was_deleted_takes_the_parcel_back() -> None:
    record = OrderRecord("shop-1", "44")
    record = apply(record, order("ast_add__order.updated"), RECEIVED).record
    deleted = apply(record, order("ast_delete__order.updated"), RECEIVED)
    assert [parcel.status for parcel in deleted.record.shipments] == [ShipmentStatus.CANCELLED]
    assert Tag.SHIPMENT_CANCELLED in {entry.tag for entry in deleted.entries}


def test_fulfilled_is_a_text_in_lists_and_a_bool_elsewhere() -> None:
    for fulfilled in ("1", 1, True):
        dated = fulfillment(fulfilled=fulfilled, meta={"_date_fulfilled": "2026-11-21T20:05:50Z"})
        (parcel,) = with_fulfillments([dated]).shipments
        assert (parcel.shipment_id, parcel.status) == ("fulfillment-2", ShipmentStatus.ACCEPTED)
        assert parcel.shipped_at == datetime(2026, 11, 21, 20, 5, 50, tzinfo=UTC)


def test_a_draft_fulfillment_has_not_left() -> None:
    for fulfilled in ("0", 0, False):
        (parcel,) = with_fulfillments([fulfillment(fulfilled=fulfilled, status="unfulfilled")]).shipments
        assert (parcel.status, parcel.shipped_at) == (ShipmentStatus.LABEL_CREATED, None)


def test_a_fulfillment_without_a_number_is_no_parcel() -> None:
    assert with_fulfillments([fulfillment(meta={"_tracking_number": ""})]).shipments == ()
    assert with_fulfillments([fulfillment(date_deleted="2026-11-21T20:05:59Z")]).shipments == ()


def test_fulfillments_of_older_shops_are_dated_in_the_shops_own_time() -> None:
    dated = fulfillment(date_updated="2026-11-21 21:05:50", meta={"_date_fulfilled": "2026-11-21 21:05:49"})
    (parcel,) = with_fulfillments([dated]).shipments
    assert parcel.updated_at == datetime(2026, 11, 21, 20, 5, 50, tzinfo=UTC)
    assert parcel.shipped_at == datetime(2026, 11, 21, 20, 5, 49, tzinfo=UTC)


def test_a_carrier_stands_under_either_of_two_names() -> None:
    """WooCommerce's pages write `_shipment_provider`, its `set_shipping_provider` the other."""
    meta = {"_shipment_provider": "", "_shipping_provider": "dhl"}
    (parcel,) = with_fulfillments([fulfillment(meta=meta)]).shipments
    assert parcel.tracking[0].carrier == "dhl"


def test_a_fulfillment_may_hold_more_than_was_ordered() -> None:
    (parcel,) = with_fulfillments([fulfillment(meta={"_items": [{"item_id": 1, "qty": 99}]})]).shipments
    assert parcel.items == (ShipmentItem("1", Decimal(99)),)


def test_a_carrier_of_ones_own_is_named() -> None:
    meta = {
        "_shipment_provider": "other",
        "_provider_name": "Fahrradbote Köln",
        "_tracking_url": "https://bote.example/X1",
    }
    (parcel,) = with_fulfillments([fulfillment(meta=meta)]).shipments
    assert (parcel.tracking[0].carrier, parcel.tracking[0].url) == ("Fahrradbote Köln", "https://bote.example/X1")


def test_an_order_document_alone_takes_no_fulfillment_back() -> None:
    answer = json.loads((SAMPLES / f"{HINT}.answer.json").read_text("utf-8"))
    whole = answered(answer, order_id="41")
    assert isinstance(whole, OrderSnapshot)
    later = read_order(answer["order"] | {"date_modified_gmt": "2026-11-22T08:00:00"})
    record = OrderRecord("shop-1", "41")
    for update in (whole, later):
        record = apply(record, update, RECEIVED).record
    assert [parcel.status for parcel in record.shipments] == [ShipmentStatus.ACCEPTED]
    emptied = answered(
        {"order": answer["order"] | {"date_modified_gmt": "2026-11-23T08:00:00"}, "fulfillments": []}, order_id="41"
    )
    assert isinstance(emptied, OrderSnapshot)
    record = apply(record, emptied, RECEIVED).record
    assert [parcel.status for parcel in record.shipments] == [ShipmentStatus.CANCELLED]
