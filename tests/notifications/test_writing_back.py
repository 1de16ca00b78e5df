"""What platforms are told: only what did not come from them, and only where it was switched on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.shop import Voice
from connector.domain.status import ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from notifications import writing_back
from notifications.kinds import Declined, Notification
from notifications.writing_back import as_push, decide, plan_pushes
from tests import builders

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RECORD = builders.record()
ON = builders.shop(voices=dict.fromkeys(writing_back.SWITCHES, Voice.US))
LEFT = replace(ON, ended_at=NOW)


def entry(tag: Tag, subject: str) -> TimelineEntry:
    return TimelineEntry(tag, subject, NOW - timedelta(minutes=3), NOW)


def planned(decision: Notification | Declined) -> Notification:
    assert isinstance(decision, Notification), decision
    return decision


def test_each_step_of_a_parcel_is_told_with_its_parcel_and_its_moment() -> None:
    steps = [entry(Tag.SHIPMENT_PROGRESS, "p:7:in_transit"), entry(Tag.SHIPMENT_DELIVERED, "p:7")]
    pushes = [as_push("i", planned(one)) for one in plan_pushes(RECORD, steps, ON, NOW)]
    assert all(isinstance(one, StatusPush) for one in pushes)
    assert [(one.shipment_id, one.status) for one in pushes if isinstance(one, StatusPush)] == [
        ("p:7", ShipmentStatus.IN_TRANSIT),
        ("p:7", ShipmentStatus.DELIVERED),
    ]
    assert {one.happened_at for one in pushes if isinstance(one, StatusPush)} == {NOW - timedelta(minutes=3)}


@pytest.mark.parametrize("tag", [tag for tag in Tag if tag not in (Tag.SHIPMENT_PROGRESS, Tag.SHIPMENT_DELIVERED)])
def test_nothing_else_is_told(tag: Tag) -> None:
    assert plan_pushes(RECORD, [entry(tag, "p")], ON, NOW) == []


@pytest.mark.parametrize(("shop", "reason"), [(builders.shop(), "not_written"), (LEFT, "ended")])
def test_p11_what_is_not_switched_on_is_declined_with_its_reason(shop: object, reason: str) -> None:
    (decision,) = plan_pushes(RECORD, [entry(Tag.SHIPMENT_DELIVERED, "p")], shop, NOW)  # type: ignore[arg-type]
    assert isinstance(decision, Declined)
    assert decision.reason == reason


def test_what_the_merchant_orders_needs_no_switch_but_a_connected_shop() -> None:
    writing = writing_back.parcel("1Z 9", "UPS", "", "", [("11", Decimal("2.5"))], NOW)
    push = as_push("intent", planned(decide(RECORD, builders.shop(), writing, NOW, ordered=True)))
    assert push == ShipmentPush("intent", RECORD.order_id, "1Z 9", "UPS", "", "", (("11", Decimal("2.5")),), NOW)
    assert isinstance(decide(RECORD, LEFT, writing, NOW, ordered=True), Declined)


def test_notes_and_links_come_through_as_they_were_meant() -> None:
    note = as_push("i", planned(decide(RECORD, ON, writing_back.note("x", "Told <b>"), NOW)))
    link = as_push("i", planned(decide(RECORD, ON, writing_back.invoice_link("2026-1", "https://c.example/d"), NOW)))
    assert note == NotePush("i", RECORD.order_id, "Told <b>")
    assert link == LinkPush("i", RECORD.order_id, "2026-1", "https://c.example/d")


def test_a_kind_nobody_writes_back_is_a_mistake() -> None:
    note = planned(decide(RECORD, ON, writing_back.note("x", "y"), NOW))
    with pytest.raises(KeyError):
        as_push("i", replace(note, kind="shipped"))
