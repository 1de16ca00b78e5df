"""Credit memos tell refunds, once the money is on its way."""

from decimal import Decimal
from typing import Any

import pytest

from connector.domain.delivery import Ignored, LookAgain, RefundUpdate, Subject
from connector.domain.errors import UnreadableDelivery
from tests.adapters.magento.papers import credit_memo, signed


def test_a_refunded_credit_memo_is_a_refund_in_the_order_currency() -> None:
    update = signed(credit_memo(base_grand_total=13, base_currency_code="USD"))
    assert isinstance(update, RefundUpdate)
    refund = update.refund
    assert (update.order_id, refund.refund_id, str(refund.amount), refund.currency) == ("7", "71", "11.9", "EUR")


@pytest.mark.parametrize("changes", [{"state": 1}, {"state": "3"}, {"grand_total": 0}])
def test_a_credit_memo_that_gives_no_money_back_is_no_refund(changes: dict[str, Any]) -> None:
    update = signed(credit_memo(**changes))
    assert isinstance(update, Ignored)
    assert update.order_id == "7"


def test_a_credit_memo_in_a_state_nobody_knows_is_not_guessed_at() -> None:
    with pytest.raises(UnreadableDelivery, match="state"):
        signed(credit_memo(state=9))


@pytest.mark.parametrize("name", ["grand_total", "state", "created_at"])
def test_half_a_credit_memo_is_only_a_hint(name: str) -> None:
    update = signed(credit_memo(**{name: None}))
    assert isinstance(update, LookAgain)
    assert (update.subject, update.subject_id, update.order_id) == (Subject.CREDIT_NOTE, "71", "7")


def test_only_comments_the_customer_may_read_are_the_reason() -> None:
    comments = [
        {"comment": "Cracked cup", "is_visible_on_front": 1},
        {"comment": "Second time, watch her", "is_visible_on_front": 0},
    ]
    update = signed(credit_memo(comments=comments))
    assert isinstance(update, RefundUpdate)
    assert update.refund.reason == "Cracked cup"


def test_the_amount_is_exact() -> None:
    update = signed(credit_memo(grand_total="0.1000"))
    assert isinstance(update, RefundUpdate)
    assert update.refund.amount.as_tuple() == Decimal("0.1000").as_tuple()
