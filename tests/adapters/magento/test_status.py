"""States and amounts become order and payment states; what is not in the tables stays unknown."""

from typing import Any

import pytest

from adapters.magento.status import STATES, STATUSES
from connector.domain.status import OrderState, PaymentState
from tests.adapters.magento.papers import snapshot


def test_every_stock_status_belongs_to_a_known_state() -> None:
    assert set(STATUSES.values()) == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_a_known_state_has_one_meaning_and_no_warning(state: str) -> None:
    told = snapshot(state=state, status=state)
    assert (told.state, told.warnings) == (STATES[state], ())


def test_a_shops_own_status_is_kept_and_its_state_counts() -> None:
    told = snapshot(state="processing", status="glazing_in_kiln")
    assert (told.state, told.status_word) == (OrderState.OPEN, "glazing_in_kiln")


def test_an_unknown_state_stays_unknown_and_is_shown() -> None:
    told = snapshot(state="awaiting_clay", status="complete")
    assert told.state is OrderState.UNKNOWN
    assert "awaiting_clay" in told.warnings[0]


def test_a_stock_status_stands_for_an_absent_state() -> None:
    assert snapshot(state=None, status="holded").state is OrderState.ON_HOLD
    assert snapshot(state=None, status="glazing_in_kiln").state is OrderState.UNKNOWN


PAYMENTS: list[tuple[dict[str, Any], PaymentState]] = [
    ({}, PaymentState.PENDING),
    ({"state": "processing"}, PaymentState.PENDING),
    ({"state": "processing", "total_paid": "17.85", "total_due": 0}, PaymentState.PAID),
    ({"state": "processing", "total_paid": None, "total_due": 0}, PaymentState.PAID),
    ({"total_paid": "5"}, PaymentState.PARTIALLY_PAID),
    ({"state": "processing", "payment": {"amount_authorized": "17.85"}}, PaymentState.AUTHORIZED),
    ({"state": "canceled"}, PaymentState.VOIDED),
    ({"state": "complete", "total_paid": "17.85", "total_refunded": "3"}, PaymentState.PARTIALLY_REFUNDED),
    ({"state": "closed", "total_paid": "17.85", "total_refunded": "17.85"}, PaymentState.REFUNDED),
    ({"state": "closed", "total_paid": "5", "total_refunded": "5"}, PaymentState.REFUNDED),
    ({"state": "complete", "total_paid": "5", "total_refunded": "3"}, PaymentState.PARTIALLY_PAID),
    ({"state": "odd", "total_paid": "17.85"}, PaymentState.PAID),
    ({"state": "odd", "total_due": None}, PaymentState.UNKNOWN),
]


@pytest.mark.parametrize(("changes", "expected"), PAYMENTS)
def test_what_was_paid_is_told_by_the_amounts(changes: dict[str, Any], expected: PaymentState) -> None:
    assert snapshot(**changes).payment is expected


def test_a_free_order_is_paid_once_the_shop_works_on_it() -> None:
    assert snapshot(grand_total=0, total_due=0).payment is PaymentState.PENDING
    assert snapshot(grand_total=0, total_due=0, state="processing").payment is PaymentState.PAID
