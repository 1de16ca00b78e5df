"""WooCommerce's order document, trap by trap."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Tax
from connector.domain.record import OrderRecord, apply
from connector.domain.status import OrderState, PaymentState
from connector.domain.timeline import Tag
from tests.adapters.woocommerce.documents import RECEIVED, RICH, SHOP, document, order, read_order, recorded, with_meta


def recorded_line(**changes: Any) -> dict[str, Any]:
    line = document()["line_items"][0]
    assert isinstance(line, dict)
    return line | changes


def test_decimals_follow_the_shop_and_not_the_currency() -> None:
    assert str(order("shop_kwd_3dec_arabic__order.created").total) == "15.880"
    assert str(order("arabic_kwd__order.created").total) == "15.89"
    assert str(order("japanese_jpy__order.created").total) == "2530.00"


def test_the_float_price_of_a_line_is_never_used() -> None:
    line = order(line_items=[recorded_line(price=3.3333333333333335)]).lines[0]
    assert (line.total, line.subtotal, line.tax) == (Decimal("35.98"), Decimal("39.98"), Decimal("7.91"))


def test_line_totals_are_net_whatever_prices_include_tax_says() -> None:
    for typed_with_tax in (True, False):
        snapshot = order(prices_include_tax=typed_with_tax)
        assert snapshot.prices_include_tax is False
        parts = [line.total for line in snapshot.lines] + [charge.total for charge in snapshot.charges]
        assert sum(parts) + snapshot.tax_total == snapshot.total


def test_shipping_and_fees_are_charges_with_their_taxes() -> None:
    shipping, fee = order().charges
    assert (shipping.kind, shipping.name, str(shipping.total), str(shipping.tax)) == (
        "shipping", "DHL Paket", "4.90", "0.93",
    )  # fmt: skip
    assert (fee.kind, fee.name, str(fee.total), str(fee.tax)) == ("fee", "Geschenkverpackung", "2.50", "0.55")
    assert fee.taxes == (
        Tax("MwSt. 19%", Decimal("0.48"), Decimal(19)),
        Tax("Berlin-Abgabe", Decimal("0.07"), Decimal("2.5")),
    )


def test_order_taxes_stand_by_rate_with_shipping_tax_inside() -> None:
    taxes = order().taxes
    assert [(tax.label, str(tax.amount), str(tax.percent)) for tax in taxes] == [
        ("MwSt. 19%", "9.11", "19"), ("Berlin-Abgabe", "1.27", "2.5"), ("MwSt. 7%", "0.79", "7"),
    ]  # fmt: skip
    assert sum(tax.amount for tax in taxes) == order().tax_total


def test_refunds_never_shrink_the_total_and_are_positive() -> None:
    snapshot = order(f"{RICH}-full_refund__order.updated")
    assert (str(snapshot.total), str(snapshot.refunded_total)) == ("70.30", "70.30")
    assert [(refund.refund_id, str(refund.amount)) for refund in snapshot.refunds] == [("16", "7.43"), ("17", "62.87")]


def test_a_refund_is_dated_by_the_change_that_brought_it() -> None:
    snapshot = order(f"{RICH}-partial_refund__order.updated")
    assert snapshot.refunds[0].refunded_at == snapshot.updated_at == datetime(2026, 11, 21, 19, 58, 57, tzinfo=UTC)


def test_a_refund_of_zero_gave_no_money_back() -> None:
    snapshot = order(refunds=[{"id": 9, "reason": "restock", "total": "-0.00", "total_tax": "0.00"}])
    assert snapshot.refunds == ()
    assert snapshot.payment is PaymentState.PAID


@pytest.mark.parametrize(
    ("status", "paid", "refunded", "payment", "state"),
    [
        ("pending", False, "0", PaymentState.PENDING, OrderState.OPEN),
        ("on-hold", False, "0", PaymentState.PENDING, OrderState.ON_HOLD),
        ("on-hold", True, "0", PaymentState.PAID, OrderState.ON_HOLD),
        ("processing", True, "0", PaymentState.PAID, OrderState.OPEN),
        ("processing", True, "1.00", PaymentState.PARTIALLY_REFUNDED, OrderState.OPEN),
        ("processing", True, "70.30", PaymentState.REFUNDED, OrderState.OPEN),
        ("completed", True, "0", PaymentState.PAID, OrderState.COMPLETED),
        ("completed", False, "0", PaymentState.PAID, OrderState.COMPLETED),
        ("refunded", True, "70.30", PaymentState.REFUNDED, OrderState.OPEN),
        ("cancelled", False, "0", PaymentState.VOIDED, OrderState.CANCELLED),
        ("cancelled", True, "0", PaymentState.PAID, OrderState.CANCELLED),
        ("failed", False, "0", PaymentState.FAILED, OrderState.OPEN),
        ("failed", True, "0", PaymentState.FAILED, OrderState.OPEN),
        ("shipped", True, "0", PaymentState.PAID, OrderState.COMPLETED),
        ("partial-shipped", True, "0", PaymentState.PAID, OrderState.OPEN),
    ],
)
def test_paid_is_what_has_a_payment_date(
    status: str, paid: bool, refunded: str, payment: PaymentState, state: OrderState
) -> None:
    refunds = [{"id": 9, "reason": "", "total": f"-{refunded}"}]
    date = "2026-11-21T19:58:56" if paid else None
    snapshot = order(status=status, date_paid_gmt=date, refunds=refunds)
    assert (snapshot.payment, snapshot.state) == (payment, state)


def test_a_refunded_order_is_not_said_to_be_completed() -> None:
    record = apply(OrderRecord("shop-1", "15"), order(f"{RICH}-full_refund__order.updated"), RECEIVED)
    assert Tag.ORDER_COMPLETED not in {entry.tag for entry in record.entries}


def test_cash_on_delivery_is_processing_and_not_paid() -> None:
    snapshot = order(status="processing", date_paid_gmt=None, payment_method="cod")
    assert snapshot.payment is PaymentState.PENDING


def test_a_status_of_an_unknown_plugin_is_kept_and_never_guessed_p5() -> None:
    snapshot = order(status="bei-der-post")
    assert snapshot.state is OrderState.UNKNOWN
    assert snapshot.status_word == "bei-der-post"
    assert "bei-der-post" in snapshot.warnings[0]


def test_the_number_is_shown_and_the_id_is_the_key() -> None:
    snapshot = order(id=15, number="RE-2026-0815")
    assert (snapshot.order_id, snapshot.number) == ("15", "RE-2026-0815")


def test_moments_without_offset_are_utc_in_the_gmt_fields() -> None:
    assert order().placed_at == datetime(2026, 11, 21, 19, 58, 55, tzinfo=UTC)
    assert order().paid_at == datetime(2026, 11, 21, 19, 58, 56, tzinfo=UTC)
    assert order().completed_at is None


def test_a_zero_gmt_date_falls_back_to_the_shops_own_time() -> None:
    snapshot = order(date_created_gmt="0000-00-00T00:00:00", date_created="2026-11-21T20:58:55")
    assert snapshot.placed_at == datetime(2026, 11, 21, 19, 58, 55, tzinfo=UTC)
    assert "Europe/Berlin" in snapshot.warnings[0]
    elsewhere = dataclasses.replace(SHOP, timezone="../etc/passwd")
    changed = document(date_created_gmt=None, date_created="2026-11-21T20:58:55")
    assert read_order(changed, elsewhere).placed_at == datetime(2026, 11, 21, 20, 58, 55, tzinfo=UTC)


def test_an_order_without_any_creation_date_is_refused() -> None:
    with pytest.raises(UnreadableDelivery, match="date_created_gmt"):
        order(date_created_gmt=None, date_created=None)


def test_an_order_that_was_never_changed_is_as_new_as_its_creation() -> None:
    assert order(date_modified_gmt=None, date_modified=None).updated_at == order().placed_at


def test_a_guest_has_no_customer_id() -> None:
    assert order("guest_min__order.created").customer_id == ""
    assert order().customer_id == "2"


def test_what_needs_no_shipping_has_no_shipping_address() -> None:
    snapshot = order("guest_virtual_download__order.created")
    assert snapshot.shipping is None
    assert not snapshot.needs_shipping
    assert not snapshot.lines[0].needs_shipping


def test_services_and_pickups_are_not_sent() -> None:
    nowhere = dict.fromkeys(document()["shipping"], "")
    pickup = {"id": 1, "method_id": "local_pickup", "method_title": "Abholung", "total": "0.00"}
    flat_rate = {"id": 2, "method_id": "flat_rate", "method_title": "DHL", "total": "4.90"}
    assert not order(shipping=nowhere, shipping_lines=[]).needs_shipping
    assert not order(shipping_lines=[pickup]).needs_shipping
    assert order(shipping_lines=[pickup, flat_rate]).needs_shipping
    assert order(shipping=nowhere, shipping_lines=[flat_rate]).needs_shipping
    assert order(shipping_lines=[]).needs_shipping


def test_an_address_is_taken_as_it_is() -> None:
    billing = order().billing
    assert billing is not None
    assert (billing.first_name, billing.last_name, billing.company) == ("Jörg", "Müller", "Müller & Söhne GmbH")
    assert (billing.lines, billing.postcode, billing.city) == (("Hauptstr. 5",), "10117", "Berlin")
    assert (billing.region, billing.country, billing.phone) == ("DE-BE", "DE", "+49 30 1234")


@pytest.mark.parametrize(
    ("key", "word"),
    [("wpml_language", "pt-br"), ("_wpml_language", "de"), ("weglot_language", "el"), ("trp_language", "de_DE")],
)
def test_only_a_language_plugin_tells_the_language_p9(key: str, word: str) -> None:
    snapshot = with_meta(**{key: word})
    assert (snapshot.locale, snapshot.locale_source) == (word, f"meta {key}")
    assert (with_meta().locale, with_meta().locale_source) == ("", "")


@pytest.mark.parametrize("word", ["<b>", "de;x", "1", "deutsch-aber-viel-zu-lang"])
def test_what_is_no_language_is_shown_and_not_taken(word: str) -> None:
    snapshot = with_meta(wpml_language=word)
    assert snapshot.locale == ""
    assert snapshot.warnings == ("meta wpml_language is no language",)


def test_details_are_what_the_customer_chose_without_html_and_hidden_fields() -> None:
    meta = [
        {"key": "_reduced_stock", "value": "2", "display_key": "_reduced_stock", "display_value": "2"},
        {"key": "Gravur", "value": "Für <3 & Anaïs", "display_key": "Gravur", "display_value": "<p>Für &lt;3</p>"},
        {"key": "pa_farbe", "value": "weiss-blau", "display_key": "Farbe", "display_value": "Weiß &amp; Blau"},
        {"key": "pa_groesse", "value": "xl", "display_key": "Größe", "display_value": "<b>XL</b>"},
        {"key": "plugin", "value": {"nested": []}, "display_key": "plugin", "display_value": ""},
        {"key": "any", "value": "", "display_key": "any", "display_value": ""},
    ]
    assert order(line_items=[recorded_line(meta_data=meta)]).lines[0].details == (
        ("Gravur", "Für <3 & Anaïs"),
        ("Farbe", "Weiß & Blau"),
        ("Größe", "xl"),
    )


def test_secrets_of_the_document_are_left_behind_p10() -> None:
    content = document()
    assert "key=wc_order_" in content["payment_url"]
    assert "wc_order_" not in repr(order())


def test_a_tax_id_comes_from_the_plugins_that_ask_for_it() -> None:
    assert with_meta(_billing_eu_vat_number="DE123456789").customer_tax_id == "DE123456789"


def test_sums_that_do_not_add_up_are_shown_and_nothing_is_recomputed_p6() -> None:
    assert order(total="70.31").warnings == ()
    snapshot = order(total="60.30")
    assert str(snapshot.total) == "60.30"
    assert snapshot.warnings == ("lines, charges and tax make 70.30 and the order says 60.30",)


def test_an_old_shop_without_newer_fields_is_read_too() -> None:
    old = document()
    for newer in ("needs_processing", "is_editable", "currency_symbol", "_links", "fee_lines", "coupon_lines"):
        del old[newer]
    for line in old["line_items"]:
        del line["global_unique_id"], line["parent_name"], line["image"]
    assert read_order(old).lines == order().lines


@given(st.decimals(min_value=0, max_value=10**9, places=3), st.text(max_size=30))
def test_a_total_and_a_note_come_out_as_they_went_in(total: Decimal, note: str) -> None:
    snapshot = order(total=str(total), customer_note=note)
    assert str(snapshot.total) == str(total)
    assert snapshot.customer_note == note.replace("\x00", "")


def test_every_recorded_order_adds_up_and_has_nothing_odd() -> None:
    names = [f"{RICH}__order.created", "blockcheckout_placed__order.created", "restored__order.restored"]
    for name in names:
        assert order(name).warnings == ()
        assert recorded(name).headers["x-wc-webhook-resource"] == "order"
