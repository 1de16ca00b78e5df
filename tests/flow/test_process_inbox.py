"""Of a delivery all joins or nothing, whatever fails in the middle of it."""

from typing import Any

import pytest

from connector.flow import process_inbox
from notifications.planning import plan
from tests.fake_platform import order_document
from tests.flow.road import Road


def test_p2_what_waits_for_a_customer_stays_when_the_delivery_that_moves_them_cannot_join(
    make_road: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    road: Road = make_road(smtp=False)
    road.tell(order_document())

    def broken(record: Any, *arguments: Any, **named: Any) -> Any:
        if record.order_id == "1002":
            raise RuntimeError("broken")
        return plan(record, *arguments, **named)

    monkeypatch.setattr(process_inbox, "plan", broken)
    moved = order_document(updated_at="2026-11-20T09:40:00Z", email="new@example.test")
    road.tell([moved, order_document(id="1002")], delivery_id="d-2")
    assert road.snapshot().email == "eleni@example.test"
    assert {one.state.value for one in road.said()} == {"pending"}
    monkeypatch.undo()
    road.later(minutes=1)
    assert road.snapshot().email == "new@example.test"
    waiting = [one.notification.recipient for one in road.said() if one.state.value == "pending"]
    assert set(waiting) == {"new@example.test"}
