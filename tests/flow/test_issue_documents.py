"""An invoice that only has to wait: its mail waits too, and does not go out without it."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from connector.tables import documents
from notifications.outbox import OutboxState
from tests.fake_platform import order_document
from tests.flow.road import Road


def others_are_always_faster(*_: object) -> bool:
    return False


def database_goes_away(*_: object) -> bool:
    raise OperationalError("UPDATE documents", None, Exception("server closed the connection unexpectedly"))


@pytest.mark.parametrize("trouble", [others_are_always_faster, database_goes_away])
def test_a_mail_waits_for_its_invoice_if_that_is_only_late(
    road: Road, monkeypatch: pytest.MonkeyPatch, trouble: Callable[..., bool]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(documents, "issue", trouble)
        road.tell(order_document())
    assert [one.state for one in road.said()] == [OutboxState.PENDING]
    assert road.mails == []
    road.later(minutes=5)
    assert [len(mail.attachments) for mail in road.mails] == [1]
    assert [one.number for one in road.invoices()] == ["2026-00001"]
