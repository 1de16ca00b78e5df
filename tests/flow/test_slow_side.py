"""P2 when the mail server takes its time: what is still being sent belongs to its sender."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connector.flow.send_outbox import LEASE
from notifications.channels.contract import Message, Receipt, Session
from notifications.outbox import OutboxState
from tests.fake_platform import order_document, shipment_document
from tests.flow.road import Road


class Watched:
    """A session that lets a test act just before and just after the handing over begins."""

    def __init__(self, session: Session, before: Callable[[], object], after: Callable[[], object]) -> None:
        self._session = session
        self._before = before
        self._after = after

    def send(self, message: Message, handing_over: Callable[[], None]) -> Receipt:
        def watched() -> None:
            self._before()
            handing_over()
            self._after()

        return self._session.send(message, watched)

    def close(self) -> None:
        self._session.close()


def watch(
    road: Road,
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: Callable[[], object] = lambda: None,
    after: Callable[[], object] = lambda: None,
) -> None:
    opened = road.channel.open
    monkeypatch.setattr(road.channel, "open", lambda: Watched(opened(), before, after))


def test_p2_a_message_that_waited_long_for_its_turn_is_not_called_uncertain_while_it_is_sent(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others_take_long() -> None:
        road.clock.moment += LEASE - timedelta(seconds=1)

    def somebody_looks_for_dead_workers() -> None:
        road.clock.moment += timedelta(minutes=2)
        road.service.recover.run()

    watch(road, monkeypatch, before=others_take_long, after=somebody_looks_for_dead_workers)
    road.tell(order_document())
    assert [one.state for one in road.said()] == [OutboxState.SENT]
    assert len(road.mails) == 1


def test_a_number_that_comes_while_its_parcel_is_announced_without_it_is_told(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming: list[Callable[[], object]] = []
    watch(road, monkeypatch, before=lambda: [coming.pop(0)() for _ in coming[:]])
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell({"type": "shipment", "order_id": "1001", "shipment": bare})
    numbered = {**bare, "numbers": ["FAKE0001"], "updated_at": "2026-11-20T10:02:00Z"}
    coming += [
        lambda: road.post({"type": "shipment", "order_id": "1001", "shipment": numbered}),
        road.service.process_inbox.run,
    ]
    road.later(minutes=31)
    assert road.kinds() == ["order_received", "shipped", "tracking_added"]
    assert "FAKE0001" not in road.mails[1].text
    assert "FAKE0001" in road.mails[2].text
