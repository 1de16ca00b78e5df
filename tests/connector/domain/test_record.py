"""An order grows the same whatever comes first, says everything once, and never goes backwards (P3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import News, RefundUpdate, ShipmentUpdate
from connector.domain.order import OrderSnapshot, Refund, Shipment, TrackingNumber
from connector.domain.record import Applied, OrderRecord, apply
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import Tag
from tests.builders import minimal_snapshot, refund, shipment

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LEARNED = START + timedelta(days=1)
ORDER = "5002"
EMPTY = OrderRecord("shop-1", ORDER)


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def snapshot(minutes: int, **changes: object) -> OrderSnapshot:
    return minimal_snapshot(order_id=ORDER, placed_at=START, updated_at=after(minutes), **changes)


def parcel(minutes: int, status: ShipmentStatus, **changes: object) -> ShipmentUpdate:
    partial = bool(changes.pop("partial", False))
    values = {"shipment_id": "1", "shipped_at": None, "estimated_delivery_at": None, **changes}
    told = shipment(status=status, status_word=status.value, updated_at=after(minutes), **values)
    return ShipmentUpdate(ORDER, told, partial=partial)


def grown(*updates: News) -> OrderRecord:
    return history(*updates)[-1].record


def history(*updates: News) -> list[Applied]:
    steps: list[Applied] = []
    for update in updates:
        steps.append(apply(steps[-1].record if steps else EMPTY, update, LEARNED))
    return steps


def said(steps: list[Applied]) -> list[tuple[Tag, str]]:
    return [(entry.tag, entry.subject) for step in steps for entry in step.entries]


moments = st.integers(1, 4).map(after)
maybe = st.none() | moments
PARCELS = ("1", "2")
REMOVED_AT = after(4)
"""From this moment on complete lists leave parcel 2 out, and nobody tells of it any more."""


@st.composite
def shipments(draw: st.DrawFn, shipment_id: str | None = None) -> Shipment:
    shipment_id = shipment_id or draw(st.sampled_from(PARCELS))
    status = draw(st.sampled_from(ShipmentStatus))
    return Shipment(
        shipment_id=shipment_id,
        status=status,
        status_word=draw(st.sampled_from((status.value, "other word"))),
        updated_at=draw(st.integers(1, 3).map(after) if shipment_id == "2" else moments),
        shipped_at=draw(maybe),
        delivered_at=draw(maybe),
        estimated_delivery_at=draw(maybe),
        tracking=draw(st.sampled_from(((), (TrackingNumber("A1"),), (TrackingNumber("B2", "carrier"),)))),
    )


@st.composite
def refunds(draw: st.DrawFn) -> Refund:
    return Refund(
        draw(st.sampled_from(("r-1", "r-2"))),
        draw(st.sampled_from((Decimal("1.00"), Decimal("2.50")))),
        draw(moments),
        draw(st.sampled_from(("", "broken"))),
        draw(st.sampled_from(("", "EUR"))),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> OrderSnapshot:
    updated_at = draw(moments)
    complete = draw(st.booleans())
    listed = [one for one in PARCELS if (complete or draw(st.booleans())) and (one == "1" or updated_at < REMOVED_AT)]
    told = tuple(draw(shipments(one)) for one in listed)
    return minimal_snapshot(
        order_id=ORDER,
        placed_at=START,
        updated_at=updated_at,
        state=draw(st.sampled_from(OrderState)),
        payment=draw(st.sampled_from(PaymentState)),
        status_word=draw(st.sampled_from(("one", "two"))),
        replaced_by=draw(st.sampled_from(("", "9"))),
        paid_at=draw(maybe),
        cancelled_at=draw(maybe),
        refunds=tuple({one.refund_id: one for one in draw(st.lists(refunds(), max_size=2))}.values()),
        shipments=told,
        shipments_are_complete=complete,
    )


updates = (
    snapshots()
    | st.builds(ShipmentUpdate, st.just(ORDER), shipments(), st.booleans())
    | st.builds(RefundUpdate, st.just(ORDER), refunds())
)


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[list[News], list[News]]:
    told = draw(st.lists(updates, min_size=1, max_size=7))
    return told, draw(st.permutations(told))


@given(shuffled())
def test_p3_the_record_does_not_depend_on_the_order_of_updates(pair: tuple[list[News], list[News]]) -> None:
    one, other = (grown(*told) for told in pair)
    if one.snapshot is None:  # nothing is said and nothing forgotten yet: only what it comes to must agree
        one, other = (replace(record, tellings=()) for record in (one, other))
    assert one == other


@given(shuffled())
def test_p3_every_fact_is_said_once_whatever_comes_first(pair: tuple[list[News], list[News]]) -> None:
    one, other = (said(history(*told)) for told in pair)
    assert len(one) == len(set(one))
    assert set(one) == set(other)


@given(st.lists(updates, min_size=1, max_size=6))
def test_hearing_everything_again_is_no_news(told: list[News]) -> None:
    record = grown(*told)
    for update in told:
        again = apply(record, update, LEARNED + timedelta(hours=1))
        assert (again.record, again.entries) == (record, ())
        assert again.outcome in {"nothing new", "kept until the order itself is known"}


@given(st.lists(updates, min_size=1, max_size=6))
def test_a_record_survives_being_written_down(told: list[News]) -> None:
    record = grown(*told)
    assert msgspec.json.decode(msgspec.json.encode(record), type=OrderRecord) == record


@given(st.lists(updates, min_size=1, max_size=6))
def test_what_is_forgotten_of_parcels_would_not_have_changed_anything_later(told: list[News]) -> None:
    news, late = told[:-1], told[-1]
    forgetful = apply(grown(snapshot(0), *news), late, LEARNED).record
    remembering = grown(*news, late, snapshot(0))
    assert forgetful.shipments == remembering.shipments


@given(st.lists(updates, max_size=6), snapshots(), snapshots())
def test_an_older_snapshot_never_overwrites_a_newer_one(
    told: list[News], one: OrderSnapshot, other: OrderSnapshot
) -> None:
    newest = max(one.updated_at, other.updated_at)
    record = grown(*told, one, other)
    assert record.snapshot is not None
    assert record.snapshot.updated_at >= newest


@given(st.lists(updates, min_size=1, max_size=6), updates)
def test_a_status_goes_back_only_by_a_strictly_newer_word_after_a_cancellation(told: list[News], late: News) -> None:
    before = grown(*told)
    later = apply(before, late, LEARNED).record
    for known in before.shipments:
        now = later.shipment(known.shipment_id)
        assert now is not None
        if now.status.rank < known.status.rank:
            cancelled = known.status is ShipmentStatus.CANCELLED or any(
                one.shipment.status is ShipmentStatus.CANCELLED for one in later.tellings
            )
            assert cancelled


def test_after_delivered_a_later_scan_changes_nothing() -> None:
    record = grown(snapshot(0), parcel(5, ShipmentStatus.DELIVERED), parcel(9, ShipmentStatus.IN_TRANSIT))
    assert [one.status for one in record.shipments] == [ShipmentStatus.DELIVERED]


@pytest.mark.parametrize(("minute", "status"), [(5, ShipmentStatus.CANCELLED), (6, ShipmentStatus.IN_TRANSIT)])
def test_a_cancelled_parcel_comes_back_only_by_a_strictly_newer_word(minute: int, status: ShipmentStatus) -> None:
    told = (parcel(5, ShipmentStatus.CANCELLED), parcel(minute, ShipmentStatus.IN_TRANSIT))
    for order in (told, told[::-1]):
        assert [one.status for one in grown(snapshot(0), *order).shipments] == [status]


def test_a_cancellation_between_two_tellings_that_came_before_it_still_counts() -> None:
    told = (
        parcel(1, ShipmentStatus.DELIVERED),
        parcel(3, ShipmentStatus.IN_TRANSIT),
        parcel(2, ShipmentStatus.CANCELLED),
    )
    assert [one.status for one in grown(snapshot(0), *told).shipments] == [ShipmentStatus.IN_TRANSIT]


def test_a_carrier_event_changes_status_and_moments_and_leaves_the_numbers() -> None:
    event = parcel(9, ShipmentStatus.DELIVERED, partial=True, tracking=(), items=(), delivered_at=after(8))
    (known,) = grown(snapshot(0), event, parcel(5, ShipmentStatus.IN_TRANSIT)).shipments
    assert (known.status, known.delivered_at) == (ShipmentStatus.DELIVERED, after(8))
    assert [one.number for one in known.tracking] == ["RR123456785GR"]
    assert known.items


def test_an_older_snapshot_still_tells_of_its_refunds_and_parcels() -> None:
    older = snapshot(1, refunds=(refund(),), shipments=(parcel(1, ShipmentStatus.IN_TRANSIT).shipment,))
    steps = history(snapshot(5), older)
    assert steps[-1].record.snapshot == snapshot(5)
    assert {(Tag.REFUND_MADE, "refund-1"), (Tag.SHIPMENT_SHIPPED, "1")} <= set(said(steps))


def test_within_one_second_the_order_that_is_further_counts() -> None:
    pending, paid = snapshot(1), snapshot(1, payment=PaymentState.PAID, status_word="processing")
    assert grown(pending, paid).snapshot == grown(paid, pending).snapshot == paid


def test_a_parcel_a_newer_complete_list_leaves_out_was_taken_back() -> None:
    listed = snapshot(1, shipments=(parcel(1, ShipmentStatus.IN_TRANSIT).shipment,), shipments_are_complete=True)
    steps = history(listed, snapshot(2, shipments_are_complete=True))
    assert [one.status for one in steps[-1].record.shipments] == [ShipmentStatus.CANCELLED]
    assert (Tag.SHIPMENT_CANCELLED, "1") in said(steps)


def test_a_list_that_is_not_complete_takes_nothing_back() -> None:
    record = grown(parcel(1, ShipmentStatus.IN_TRANSIT), snapshot(2))
    assert [one.status for one in record.shipments] == [ShipmentStatus.IN_TRANSIT]


def test_a_parcel_younger_than_the_complete_list_is_not_taken_back_by_it() -> None:
    record = grown(parcel(3, ShipmentStatus.IN_TRANSIT), snapshot(2, shipments_are_complete=True))
    assert [one.status for one in record.shipments] == [ShipmentStatus.IN_TRANSIT]


def test_parts_wait_in_silence_until_the_order_is_known_and_are_told_with_it() -> None:
    steps = history(
        parcel(1, ShipmentStatus.LABEL_CREATED),
        parcel(2, ShipmentStatus.IN_TRANSIT),
        RefundUpdate(ORDER, refund()),
        snapshot(3),
    )
    assert [step.outcome for step in steps] == ["kept until the order itself is known"] * 3 + ["applied"]
    assert [len(step.entries) for step in steps[:3]] == [0, 0, 0]
    tags = [entry.tag for entry in steps[-1].entries]
    assert tags[0] is Tag.ORDER_PLACED
    assert {Tag.SHIPMENT_PREPARED, Tag.SHIPMENT_SHIPPED, Tag.REFUND_MADE} <= set(tags)


def test_p4_a_refund_told_again_with_every_document_keeps_its_first_moment() -> None:
    again = refund(refunded_at=after(50))
    for order in ((refund(refunded_at=after(5)), again), (again, refund(refunded_at=after(5)))):
        (kept,) = grown(snapshot(0), *(RefundUpdate(ORDER, one) for one in order)).refunds
        assert kept.refunded_at == after(5)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_cancelled_order_that_is_open_in_a_newer_document_was_reopened(order: tuple[int, int]) -> None:
    told = (snapshot(1, state=OrderState.CANCELLED), snapshot(2))
    assert {(Tag.ORDER_CANCELLED, ""), (Tag.ORDER_REOPENED, "")} <= set(said(history(*(told[one] for one in order))))


def test_p5_a_word_nobody_knows_is_no_reopening() -> None:
    steps = history(snapshot(1, state=OrderState.CANCELLED), snapshot(2, state=OrderState.UNKNOWN, status_word="weird"))
    assert (Tag.ORDER_REOPENED, "") not in said(steps)
    assert (Tag.STATUS_UNKNOWN, "weird") in said(steps)


def test_an_order_replaced_by_an_edit_is_not_cancelled() -> None:
    steps = history(snapshot(0), snapshot(1, state=OrderState.CANCELLED, replaced_by="5003"))
    assert (Tag.ORDER_REPLACED, "") in said(steps)
    assert (Tag.ORDER_CANCELLED, "") not in said(steps)


def test_ids_that_are_numbers_stand_in_their_order() -> None:
    told = [replace(parcel(1, ShipmentStatus.IN_TRANSIT).shipment, shipment_id=one) for one in ("10", "9", "100")]
    record = grown(snapshot(1, shipments=tuple(told)))
    assert [one.shipment_id for one in record.shipments] == ["9", "10", "100"]
