"""What the shop's API answers to a hint: documents, lists of one, and errors with placeholders."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import Ignored, LookAgain, RefundUpdate, ShipmentUpdate, Subject, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot
from tests.adapters.magento.papers import MANIFEST, credit_memo, encoded, order, shipment, shop, signed

HINT = LookAgain(Subject.ORDER, "7", "7", "ping about an order")


def resolved(answer: object, hint: LookAgain = HINT) -> Update:
    return MANIFEST.resolve(hint, encoded(answer), shop())


def test_an_answer_tells_the_same_as_a_signed_event_about_the_same_document() -> None:
    assert resolved(order()) == signed(order())
    assert resolved(shipment()) == signed(shipment())
    assert resolved(credit_memo()) == signed(credit_memo())


def test_an_answer_may_be_a_list_of_exactly_one() -> None:
    assert isinstance(resolved({"items": [order()], "search_criteria": {}, "total_count": 1}), OrderSnapshot)
    assert isinstance(resolved({"items": [shipment()], "search_criteria": [], "total_count": 1}), ShipmentUpdate)
    assert isinstance(resolved({"items": [credit_memo()], "total_count": "1"}), RefundUpdate)
    assert isinstance(resolved({"items": [], "search_criteria": {}, "total_count": 0}), Ignored)
    with pytest.raises(UnreadableDelivery, match="there are 2"):
        resolved({"items": [order(), order()], "total_count": 2})


def test_an_invoice_leads_on_to_its_order() -> None:
    hint = LookAgain(Subject.INVOICE, "41", "", "ping")
    update = resolved({"entity_id": 41, "increment_id": "41", "order_id": 7}, hint)
    assert update == LookAgain(Subject.ORDER, "7", "7", "invoice 41 was made or paid")


def test_an_order_without_an_address_is_still_the_truth() -> None:
    update = resolved(order(customer_email=None))
    assert isinstance(update, OrderSnapshot)
    assert update.email == ""


def test_half_an_answer_is_refused_and_not_asked_for_again() -> None:
    with pytest.raises(UnreadableDelivery, match="grand_total"):
        resolved(order(grand_total=None))


GONE = [
    {"message": "The entity that was requested doesn't exist. Verify the entity and try again."},
    {"message": "No such entity with %fieldName = %fieldValue", "parameters": {"fieldName": "id", "fieldValue": 7}},
    {"message": "Requested %1 doesn't exist", "parameters": ["order"]},
]


@pytest.mark.parametrize("answer", GONE)
def test_what_does_not_exist_is_no_news(answer: dict[str, object]) -> None:
    update = resolved(answer)
    assert isinstance(update, Ignored)
    assert "%" not in update.reason


def test_any_other_error_is_shown_with_its_parameters() -> None:
    answer = {
        "message": "The consumer isn't authorized to access %resources. %1 %2",
        "parameters": {"resources": "Magento_Sales::actions_view"},
    }
    with pytest.raises(UnreadableDelivery, match=r"access Magento_Sales::actions_view\. %1 %2"):
        resolved(answer)


@given(st.binary(max_size=200) | st.text(max_size=99).map(lambda text: encoded({"message": text, "parameters": ["a"]})))
def test_resolving_raises_nothing_but_unreadable(answer: bytes) -> None:
    with contextlib.suppress(UnreadableDelivery):
        MANIFEST.resolve(HINT, answer, shop())
