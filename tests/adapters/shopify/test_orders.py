"""Order documents, as webhooks carry them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reading import Reader
from adapters.shopify import status
from adapters.shopify.documents import Currencies
from adapters.shopify.lines import read_lines
from adapters.shopify.orders import read_order
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Charge, Tax
from connector.domain.status import OrderState, PaymentState
from tests.adapters.shopify.papers import SHOP, body, money, order


def test_amounts_are_the_customers_not_the_shops() -> None:
    read = order("order-created")
    assert (read.currency, read.total, read.tax_total) == ("EUR", Decimal("135.29"), Decimal("22.14"))
    assert [str(line.subtotal) for line in read.lines] == ["98.00", "48.99"]
    assert [str(line.total) for line in read.lines] == ["88.20", "44.09"]
    assert body("order-created")["total_price"] == "146.57", "the plain field is the shop's currency"


def test_the_sums_of_every_sample_add_up() -> None:
    for name in ("order-created", "order-with-three-parcels", "order-refunded-and-edited", "order-cancelled"):
        read = order(name)
        charged = sum((one.total for one in read.charges if one.kind != "rounding"), Decimal(0))
        lines = sum((line.total for line in read.lines), Decimal(0))
        tax = Decimal(0) if read.prices_include_tax else read.tax_total
        assert lines + charged + tax == read.total
        assert lines == read.subtotal


def test_a_total_that_does_not_add_up_is_said() -> None:
    def change(document: dict[str, Any]) -> None:
        document["total_price_set"] = money("140.00", "151.68")

    assert order("order-created", change).warnings == ("lines and charges come to 135.29 EUR, the total says 140.00",)


def test_shipping_total_and_discount_total_are_before_and_with_the_shipping_discount() -> None:
    read = order("order-created")
    assert (read.shipping_total, read.discount_total) == (Decimal("4.90"), Decimal("19.60"))
    assert [one.total for one in read.charges if one.kind == "shipping"] == [Decimal("0.00")]


def test_a_shipping_line_that_was_removed_is_not_charged() -> None:
    shipping = [one for one in order("order-refunded-and-edited").charges if one.kind == "shipping"]
    assert shipping == [Charge("shipping", "Ground", Decimal("12.00"), Decimal("0.66"), shipping[0].taxes)]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["shopify_payments"], ""),
        (["bogus", "manual"], ""),
        (["Cash on Delivery (COD)"], "Cash on Delivery (COD)"),
        (["gift_card", "PayPal"], "PayPal"),
        (["bank deposit", "Klarna"], "bank deposit, Klarna"),
        (["银行转账"], "银行转账"),
        ([], ""),
    ],
)
def test_a_payment_is_named_only_in_words(names: list[str], shown: str) -> None:
    assert order("order-created", lambda document: document.update(payment_gateway_names=names)).payment_method == shown


def test_a_tip_is_a_charge_and_no_line() -> None:
    read = order("order-created")
    assert [line.sku for line in read.lines] == ["LIN-M-SAND", "OIL-500"]
    assert [(one.name, one.total) for one in read.charges if one.kind == "tip"] == [("", Decimal("3.00"))]


def test_a_tip_told_only_in_the_shops_currency_is_not_converted() -> None:
    def change(document: dict[str, Any]) -> None:
        document["line_items"] = [one for one in document["line_items"] if "tip_payment_gateway" not in one]

    read = order("order-created", change)
    assert [one for one in read.charges if one.kind == "tip"] == []
    assert read.warnings == ("lines and charges come to 132.29 EUR, the total says 135.29",)


def test_duties_and_cash_rounding_stand_beside_the_lines() -> None:
    charges = {one.kind: one for one in order("order-refunded-and-edited").charges}
    assert (charges["duty"].total, charges["duty"].tax) == (Decimal("9.60"), Decimal("0.53"))
    assert charges["rounding"].total == Decimal("0.02")


def test_duties_inside_the_prices_are_not_charged_again() -> None:
    read = order("order-refunded-and-edited", lambda document: document.update(duties_included=True))
    assert [one.kind for one in read.charges] == ["shipping", "rounding"]


def test_fees_are_charged_as_their_sum() -> None:
    read = order(
        "order-created", lambda document: document.update(original_total_additional_fees_set=money("2.50", "2.71"))
    )
    assert [(one.name, one.total) for one in read.charges if one.kind == "fee"] == [("", Decimal("2.50"))]


def test_taxes_keep_their_rates() -> None:
    read = order("order-created")
    assert read.prices_include_tax
    assert read.taxes == (Tax("ΦΠΑ", Decimal("17.07"), Decimal(24)), Tax("ΦΠΑ", Decimal("5.07"), Decimal(13)))
    assert str(order("order-refunded-and-edited").lines[0].taxes[0].percent) == "5.5"


def test_an_order_without_the_customers_amounts_is_read_in_the_shops_currency() -> None:
    def change(document: dict[str, Any]) -> None:
        del document["total_price_set"]

    read = order("order-created", change)
    assert (read.currency, str(read.total), str(read.lines[0].total)) == ("USD", "146.57", "95.56")
    assert "told only in USD, though the customer paid in EUR" in read.warnings


def test_one_missing_amount_is_never_taken_from_another_currency() -> None:
    def change(document: dict[str, Any]) -> None:
        document["line_items"][0]["price_set"] = None

    with pytest.raises(UnreadableDelivery, match=r"line_items\[0\].price: it is not told in EUR"):
        order("order-created", change)


def test_plain_amounts_do_where_there_is_one_currency() -> None:
    def change(document: dict[str, Any]) -> None:
        for line in document["line_items"]:
            del line["price_set"]

    assert order("order-cancelled", change) == order("order-cancelled")


def test_an_amount_keeps_three_places_and_none() -> None:
    assert [str(line.total) for line in order("order-cancelled").lines] == ["47.640"]
    assert str(order("order-with-protected-data-withheld").total) == "4400"


def test_an_id_rounded_on_its_way_is_taken_from_the_global_id() -> None:
    def change(document: dict[str, Any]) -> None:
        document["id"] = 820982911946154500
        document["line_items"][0]["id"] = 487817672276298560

    read = order("order-refunded-and-edited", change)
    assert (read.order_id, read.lines[0].line_id) == ("820982911946154509", "487817672276298554")


def test_a_number_is_as_the_customer_sees_it() -> None:
    assert order("order-with-three-parcels").number == "EN-1001-BR"
    assert order("order-created").number == "#1001"


def test_a_cancelled_order_says_so_before_its_payment() -> None:
    read = order("order-cancelled")
    assert (read.state, read.payment, read.status_word) == (OrderState.CANCELLED, PaymentState.VOIDED, "cancelled")
    assert read.cancelled_at == datetime(2026, 11, 16, 5, 29, 58, tzinfo=UTC)
    assert read.completed_at is None


def test_an_archived_order_is_completed() -> None:
    read = order("order-of-a-company")
    assert (read.state, read.completed_at) == (OrderState.COMPLETED, datetime(2026, 11, 17, 15, 0, tzinfo=UTC))


@pytest.mark.parametrize(("word", "state"), status.PAYMENTS.items())
def test_every_payment_word_has_its_state(word: str, state: PaymentState) -> None:
    read = order("order-created", lambda document: document.update(financial_status=word))
    assert (read.payment, read.status_word, read.warnings) == (state, word, ())


def test_an_unknown_payment_word_is_kept_and_shown_p5() -> None:
    read = order("order-created", lambda document: document.update(financial_status="half_paid"))
    assert (read.payment, read.status_word) == (PaymentState.UNKNOWN, "half_paid")
    assert read.warnings == ("unknown payment status 'half_paid'",)


def test_an_imported_order_was_placed_when_it_was_processed_p4() -> None:
    assert order("order-of-a-company").placed_at == datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
    assert order("order-created").placed_at == datetime(2026, 11, 20, 9, 30, 5, tzinfo=UTC), "not two seconds before"


def test_the_language_is_the_one_of_the_checkout() -> None:
    assert [order(name).locale for name in ("order-created", "order-with-three-parcels", "order-cancelled")] == [
        "el",
        "pt-BR",
        "ar",
    ]
    assert order("order-created").locale_source == "customer_locale"


def test_the_contact_address_counts_where_the_order_has_none() -> None:
    assert body("order-refunded-and-edited")["email"] is None
    assert order("order-refunded-and-edited").email == "dana@example.test"


def test_an_order_without_protected_data_is_still_an_order() -> None:
    read = order("order-with-protected-data-withheld")
    assert (read.email, read.phone, read.customer_id, read.test) == ("", "", "", True)
    assert read.shipping is not None
    assert (read.shipping.first_name, read.shipping.lines, read.shipping.country) == ("", (), "JP")


def test_a_companys_order_names_its_number_and_tax_id() -> None:
    read = order("order-of-a-company")
    assert (read.purchase_number, read.customer_tax_id) == ("BST-4711", "DE123456789")
    assert read.billing is not None
    assert read.billing.company == "Nordhafen Technik GmbH"
    assert order("order-with-three-parcels").customer_tax_id == "111.444.777-35", "a note named CPF"


def test_several_discounts_on_a_line_are_all_taken_off() -> None:
    assert str(order("order-of-a-company").lines[0].total) == "339.30"


def test_what_was_removed_stays_as_ordered_with_its_present_quantity() -> None:
    lines = order("order-refunded-and-edited").lines
    assert [line.quantity for line in lines] == [Decimal(1), Decimal(2), Decimal(1)]
    assert [line.current_quantity for line in lines] == [Decimal(1), Decimal(1), Decimal(0)]


def test_an_edit_without_a_refund_is_said() -> None:
    def change(document: dict[str, Any]) -> None:
        document["refunds"] = []

    assert "edited: it comes to 170.10 USD now" in order("order-refunded-and-edited", change).warnings


def test_details_for_apps_are_not_for_people() -> None:
    assert order("order-created").lines[0].details == (("Χάραξη", "Για τη γιαγιά 💙"),)


def test_details_of_any_form_never_cost_the_order() -> None:
    def change(document: dict[str, Any]) -> None:
        document["line_items"][0]["properties"] = [
            {"name": "A", "value": {"deep": 1}},
            {"name": "B", "value": True},
            {"name": "C", "value": 3},
        ]
        document["line_items"][1]["properties"] = {"odd": "form"}

    read = order("order-created", change)
    assert [line.details for line in read.lines] == [(("B", "true"), ("C", "3")), ()]


def test_only_goods_that_are_shipped_need_shipping() -> None:
    read = order("order-with-three-parcels")
    assert [line.needs_shipping for line in read.lines] == [True, True, False]
    assert read.needs_shipping


def test_a_slimmed_order_does_not_take_parcels_back_p3() -> None:
    def change(document: dict[str, Any]) -> None:
        del document["fulfillments"]

    assert order("order-with-three-parcels").shipments_are_complete
    assert not order("order-with-three-parcels", change).shipments_are_complete


def test_a_status_page_of_another_shop_is_shown_and_not_refused() -> None:
    document = body("order-with-three-parcels")
    assert read_order(Reader(document), SHOP).warnings == (
        "its status page is at casa-abaixo.myshopify.com, the delivery came for meltemi-goods.myshopify.com",
    )
    assert read_order(Reader(document), replace(SHOP, host="casa-abaixo.myshopify.com")).warnings == ()
    document["order_status_url"] = "https://[broken"
    assert read_order(Reader(document), SHOP).warnings == ()


@given(
    price=st.decimals(min_value=0, max_value=99_999, places=3),
    quantity=st.integers(1, 500),
    discounts=st.lists(st.decimals(min_value=0, max_value=50, places=3), max_size=4),
)
def test_a_lines_total_is_exact(price: Decimal, quantity: int, discounts: list[Decimal]) -> None:
    line = {
        "id": 1,
        "quantity": quantity,
        "price_set": money(str(price), "1.00", "KWD"),
        "discount_allocations": [{"amount_set": money(str(one), "1.00", "KWD")} for one in discounts],
    }
    (read,) = read_lines(Reader({"line_items": [line]}), Currencies("KWD", "USD"))
    assert read.total + sum(discounts) == read.subtotal == price * quantity
    assert read.total.as_tuple().exponent == -3
