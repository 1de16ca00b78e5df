"""Refunds, on their own and inside an order."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.delivery import Ignored, LookAgain, RefundUpdate
from connector.domain.order import Refund
from tests.adapters.shopify.papers import body, money, order, posted

MADE = datetime(2026, 11, 19, 14, 14, 55, tzinfo=UTC)


def _in_two_currencies(refund: dict[str, Any]) -> dict[str, Any]:
    return refund | {"total_duties_set": money("0.00", "0.00", "USD", "CAD")}


def test_the_amount_is_what_successful_transactions_paid() -> None:
    update = posted(body("refund-with-shipping"))
    assert isinstance(update, RefundUpdate)
    assert update.refund == Refund("890088186047892319", Decimal("31.65"), MADE, "Candle arrived broken", "USD")


def test_a_refund_on_its_own_and_in_its_order_are_the_same() -> None:
    update = posted(body("refund-with-shipping"))
    assert isinstance(update, RefundUpdate)
    assert order("order-refunded-and-edited").refunds == (update.refund,)
    assert order("order-refunded-and-edited").refunded_total == Decimal("31.65")


def test_a_refund_without_money_is_no_refund() -> None:
    assert body("refund-without-money")["refund_line_items"][0]["subtotal_set"]["presentment_money"]["amount"] == "5.00"
    assert isinstance(posted(body("refund-without-money")), Ignored)
    assert len(body("order-refunded-and-edited")["refunds"]) == 2


@pytest.mark.parametrize("status", ["pending", "failure", "error"])
def test_money_that_has_not_moved_is_not_told(status: str) -> None:
    document = body("refund-with-shipping")
    document["transactions"][0]["status"] = status
    assert isinstance(posted(document), Ignored)


def test_a_transaction_without_a_currency_is_believed_where_only_one_is_possible() -> None:
    document = body("refund-in-no-currency") | {"total_duties_set": money("0.00", "0.00", "USD")}
    update = posted(document)
    assert isinstance(update, RefundUpdate)
    assert (update.refund.amount, update.refund.currency) == (Decimal("31.65"), "USD")


def test_a_refund_in_no_clear_currency_makes_us_look_p5() -> None:
    assert isinstance(posted(_in_two_currencies(body("refund-in-no-currency"))), LookAgain)
    document = body("refund-with-shipping")
    document["transactions"][0]["currency"] = "CAD"
    assert isinstance(posted(document), LookAgain)
    del document["transactions"]
    assert isinstance(posted(document), LookAgain)


def test_inside_an_order_lines_shipping_and_adjustments_tell_the_amount() -> None:
    def without_currency(document: dict[str, Any]) -> None:
        for one in document["refunds"][0]["transactions"]:
            one["currency"] = None

    assert order("order-refunded-and-edited", without_currency).refunds[0].amount == Decimal("31.65")


def test_a_shipping_refund_told_twice_counts_once() -> None:
    def as_older_versions(document: dict[str, Any]) -> None:
        for one in document["refunds"][0]["transactions"]:
            one["currency"] = None
        document["refunds"][0]["refund_shipping_lines"] = []

    assert order("order-refunded-and-edited", as_older_versions).refunds[0].amount == Decimal("31.65")


def test_a_discrepancy_lowers_what_the_lines_come_to() -> None:
    def goodwill(document: dict[str, Any]) -> None:
        refund = document["refunds"][0]
        del refund["transactions"]
        refund["order_adjustments"].append(
            {"kind": "refund_discrepancy", "amount_set": money("10.00", "13.93", "USD", "CAD")}
        )

    assert order("order-refunded-and-edited", goodwill).refunds[0].amount == Decimal("21.65")


def test_tax_inside_the_prices_is_not_added_to_a_refund() -> None:
    def inside(document: dict[str, Any]) -> None:
        document["taxes_included"] = True
        del document["refunds"][0]["transactions"]

    assert order("order-refunded-and-edited", inside).refunds[0].amount == Decimal("30.00")


def test_a_refund_that_names_no_currency_at_all_is_told_without_one() -> None:
    document = {
        "id": 5,
        "order_id": 6,
        "created_at": "2026-11-19T14:14:55Z",
        "refund_line_items": [],
        "transactions": [{"kind": "refund", "status": "success", "amount": "8.00", "currency": None}],
    }
    assert posted(document) == RefundUpdate("6", Refund("5", Decimal("8.00"), MADE))
