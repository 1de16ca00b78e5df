"""Order documents become snapshots in the order's currency and the customer's language."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import LookAgain, Subject
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Tax
from connector.domain.status import OrderState
from tests.adapters.magento.papers import order, row, signed, snapshot


def test_a_whole_signed_order_document_is_a_snapshot() -> None:
    told = snapshot()
    assert (told.order_id, told.number, told.status_word, told.email) == (
        "7",
        "000000007",
        "pending",
        "mira@example.test",
    )
    assert (str(told.total), str(told.tax_total), str(told.shipping_total)) == ("17.85", "2.85", "5")
    assert told.warnings == ()


def test_moments_without_a_zone_are_utc() -> None:
    assert snapshot().placed_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert snapshot().updated_at == datetime(2026, 11, 20, 9, 30, 1, tzinfo=UTC)


def test_amounts_are_those_of_the_order_currency() -> None:
    told = snapshot(base_currency_code="USD", base_grand_total=Decimal("19.4"), base_shipping_amount=9)
    assert (told.currency, str(told.total), str(told.shipping_total)) == ("EUR", "17.85", "5")


def test_the_customers_language_is_that_of_the_store_view() -> None:
    assert (snapshot(store_id="3").locale, snapshot(store_id="3").locale_source) == ("ar_KW", "store view")
    assert (snapshot(store_id=99).locale, snapshot(store_id=99).locale_source) == ("", "")


def test_the_discount_is_positive() -> None:
    told = snapshot(
        discount_amount=-2,
        grand_total=Decimal("15.85"),
        items=[row(discount_amount=2)],
    )
    assert (str(told.discount_total), str(told.subtotal), told.warnings) == ("2", "8", ())


def test_a_guest_has_no_customer_id_and_perhaps_the_address_only_with_the_bill() -> None:
    billing = {"email": "guest@example.test", "lastname": "Guest"}
    told = snapshot(customer_email=None, customer_is_guest=1, customer_id=0, billing_address=billing)
    assert (told.email, told.customer_id) == ("guest@example.test", "")


def test_the_shipping_address_stands_in_the_first_shipping_assignment() -> None:
    address = {"firstname": "Jonas", "middlename": "B.", "lastname": "Okonjo", "street": ["Wijnkade 41", "B"]}
    attributes = {"shipping_assignments": [{"shipping": {"address": address, "method": "flatrate"}}]}
    told = snapshot(extension_attributes=attributes)
    assert told.shipping is not None
    assert (told.shipping.first_name, told.shipping.lines) == ("Jonas B.", ("Wijnkade 41", "B"))
    assert told.billing is not None
    assert told.billing.country == "DE"


def test_a_virtual_order_has_no_shipping_address_and_needs_none() -> None:
    told = snapshot(
        is_virtual=1,
        shipping_amount=0,
        tax_amount=Decimal("1.9"),
        grand_total=Decimal("11.9"),
        items=[row(is_virtual=1)],
        extension_attributes={"shipping_assignments": []},
    )
    assert (told.shipping, told.needs_shipping, told.charges, told.warnings) == (None, False, (), ())
    assert not told.lines[0].needs_shipping


def test_an_edited_order_is_replaced_and_not_cancelled_for_the_customer() -> None:
    told = snapshot(state="canceled", status="canceled", relation_child_id="8", relation_child_real_id="000000007-1")
    assert (told.state, told.replaced_by) == (OrderState.CANCELLED, "8")


def test_the_successor_of_an_edited_order_is_an_order_of_its_own() -> None:
    told = snapshot(entity_id=8, increment_id="000000007-1", original_increment_id="000000007", relation_parent_id="7")
    assert (told.order_id, told.number, told.replaced_by) == ("8", "000000007-1", "")


def test_an_empty_object_may_be_an_empty_list() -> None:
    told = snapshot(billing_address=[], payment=[], extension_attributes=[])
    assert (told.billing, told.shipping, told.payment_method, told.taxes) == (None, None, "", ())


def test_ids_and_amounts_may_be_text() -> None:
    told = snapshot(entity_id="7", grand_total="17.8500", shipping_amount="5.0000")
    assert (told.order_id, str(told.total), str(told.shipping_total)) == ("7", "17.8500", "5.0000")


def test_an_order_may_come_without_a_status() -> None:
    document = order(state="processing")
    del document["status"]
    assert snapshot(status=None).status_word == "new"
    assert signed(document) == snapshot(state="processing", status=None)


PARTIAL = {"customer_email": None, "grand_total": None, "state": "canceled", "status": "canceled", "total_due": 0}


@pytest.mark.parametrize("changes", [PARTIAL, {"customer_email": None}, {"updated_at": None}, {"items": None}])
def test_half_an_order_is_only_a_hint(changes: dict[str, Any]) -> None:
    update = signed(order(**changes))
    assert isinstance(update, LookAgain)
    assert (update.subject, update.subject_id, update.order_id) == (Subject.ORDER, "7", "7")


EXTRAS: list[tuple[dict[str, Any], str, list[tuple[str, str, str]]]] = [
    ({"customer_balance_amount": 5}, "12.85", [("credit", "-5", "0")]),
    ({"gift_cards_amount": Decimal("2.5")}, "15.35", [("credit", "-2.5", "0")]),
    ({"reward_currency_amount": 1}, "16.85", [("credit", "-1", "0")]),
    ({"gw_price": "3.0000", "gw_tax_amount": "0.5700"}, "20.85", [("fee", "3.0000", "0.5700")]),
    ({"gw_items_price": "1", "gw_card_price": "2"}, "20.85", [("fee", "1", "0"), ("fee", "2", "0")]),
    ({"mollie_payment_fee": 1, "mollie_payment_fee_tax": "0.19"}, "18.85", [("fee", "1", "0.19")]),
    ({"custom_fees": [{"custom_fee_label": "COD", "custom_fee_amount": 4}]}, "21.85", [("fee", "4", "0")]),
    ({"fooman_total_group": {"items": [{"code": "card", "amount": 1, "tax_amount": 0}]}}, "18.85", [("fee", "1", "0")]),
]


@pytest.mark.parametrize(("attributes", "total", "expected"), EXTRAS)
def test_fees_and_credit_are_charges_so_that_the_sums_agree(
    attributes: dict[str, Any], total: str, expected: list[tuple[str, str, str]]
) -> None:
    told = snapshot(extension_attributes=attributes, grand_total=total)
    extras = [(charge.kind, str(charge.total), str(charge.tax)) for charge in told.charges[1:]]
    assert (extras, told.warnings) == (expected, ())


@pytest.mark.parametrize("titles", [["VAT"], ["VAT", "City"]])
def test_the_tax_on_a_fee_has_the_orders_rate_where_there_is_only_one(titles: list[str]) -> None:
    applied = [{"title": title, "percent": 19, "amount": 1} for title in titles]
    attributes = {"gw_price": 3, "gw_tax_amount": "0.57", "applied_taxes": applied}
    label = snapshot(extension_attributes=attributes).charges[1].taxes[0].label
    assert label == ("VAT" if len(titles) == 1 else "")


def test_taxes_on_shipping_are_listed_beside_those_of_the_rows() -> None:
    applied = [{"title": "VAT", "percent": 19, "amount": Decimal("0.95")}]
    attributes = {"item_applied_taxes": [{"type": "shipping", "item_id": None, "applied_taxes": applied}]}
    assert snapshot(extension_attributes=attributes).charges[0].taxes == (Tax("VAT", Decimal("0.95"), Decimal(19)),)


def test_a_fee_the_document_does_not_list_is_a_warning() -> None:
    assert "an extension may charge something" in snapshot(grand_total=Decimal("20.35")).warnings[0]


def test_a_discount_on_shipping_lowers_the_charge_and_not_the_lines() -> None:
    told = snapshot(discount_amount=-15, shipping_discount_amount=5, grand_total=0, tax_amount=0, items=[
        row(discount_amount=10, tax_amount=0)
    ])  # fmt: skip
    assert [told.charges[0].total, told.lines[0].total, told.shipping_total] == [Decimal(0), Decimal(0), Decimal(5)]
    assert told.warnings == ()


def test_refunds_are_told_by_credit_memos_and_only_noted_on_the_order() -> None:
    told = snapshot(total_paid="17.85", total_refunded="3.00", state="complete")
    assert (told.refunds, told.warnings) == (
        (),
        ("3.00 refunded in total; each refund comes with its own credit memo",),
    )


def test_taxes_come_by_rate_with_shipping_included() -> None:
    applied = [{"code": "DE-19", "title": None, "percent": 19, "amount": Decimal("2.85")}]
    taxes = snapshot(extension_attributes={"applied_taxes": applied}).taxes
    assert taxes == (Tax("DE-19", Decimal("2.85"), Decimal(19)),)


def test_the_payment_method_is_named_as_the_customer_read_it() -> None:
    titled = {"payment_additional_info": [{"key": "method_title", "value": "Vorkasse"}]}
    assert snapshot(extension_attributes=titled, payment={"method": "checkmo"}).payment_method == "Vorkasse"
    assert snapshot(payment={"method": "checkmo", "po_number": "PO-9"}).payment_method == "checkmo"
    assert snapshot(payment={"method": "purchaseorder", "po_number": "PO-9"}).purchase_number == "PO-9"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(row())), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(order())), ANYTHING, max_size=4), ANYTHING)
def test_whatever_stands_in_a_field_an_order_is_read_or_refused(changes: dict[str, Any], item: object) -> None:
    with contextlib.suppress(UnreadableDelivery):
        signed(order(**{"items": [row(), item]} | changes))
