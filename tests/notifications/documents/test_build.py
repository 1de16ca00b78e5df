"""An invoice says what the platform says, and states what does not fit (P6)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.errors import WrongSetting
from connector.domain.order import Address, Charge, OrderSnapshot, Tax
from connector.domain.shop import Brand
from connector.domain.status import PaymentState
from notifications.documents.build import MissingSellerData, OrderNotKnownYet, build_invoice, missing_seller_data
from notifications.documents.checks import SENTENCES, describe
from notifications.documents.labels import LABELS, LanguageNotPrinted
from notifications.documents.model import CheckKey, DocumentKind, Invoice
from notifications.wording import LOCALES
from tests.builders import address, line, minimal_snapshot, order_snapshot, record, refund, seller, shop

ISSUED = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def invoice_of(snapshot: OrderSnapshot | None = None, *, locale: str = "en", **changes: Any) -> Invoice:
    return build_invoice(
        record(snapshot=snapshot or order_snapshot(), **changes), shop(), number="R-1", issued_at=ISSUED, locale=locale
    )


def keys(invoice: Invoice) -> set[CheckKey]:
    return {check.key for check in invoice.checks}


def test_an_order_that_adds_up_has_nothing_to_say() -> None:
    invoice = invoice_of()
    assert invoice.kind is DocumentKind.INVOICE
    assert invoice.checks == ()
    assert (invoice.subtotal, invoice.tax_total, invoice.total) == (
        Decimal("142.90"),
        Decimal("23.75"),
        Decimal("148.80"),
    )
    assert invoice.amount_paid == Decimal("148.80")


def test_dates_are_those_of_the_shops_time_zone() -> None:
    invoice = invoice_of()
    assert invoice.issued_on == date(2026, 11, 22)
    assert invoice.issued_at == ISSUED
    assert invoice.ordered_on == date(2026, 11, 20)


def test_lines_know_net_and_gross_on_either_kind_of_platform() -> None:
    inclusive = invoice_of().lines[0]
    assert (inclusive.net, inclusive.gross) == (Decimal("73.95"), Decimal("88.00"))
    exclusive = invoice_of(order_snapshot(prices_include_tax=False)).lines[0]
    assert (exclusive.net, exclusive.gross) == (Decimal("88.00"), Decimal("102.05"))


def test_a_unit_price_that_has_no_exact_figure_is_not_shown() -> None:
    thirds = invoice_of(order_snapshot(lines=(line(quantity=Decimal(3), subtotal=Decimal("10.00")),))).lines[0]
    assert thirds.unit_price is None
    hundred = invoice_of(order_snapshot(lines=(line(quantity=Decimal(100), subtotal=Decimal("1.25")),))).lines[0]
    assert hundred.unit_price == Decimal("0.0125")


@pytest.mark.parametrize("quantity", ["0", "-1", "0.000", "1E+30"])
def test_odd_quantities_do_not_break_the_invoice(quantity: str) -> None:
    assert invoice_of(order_snapshot(lines=(line(quantity=Decimal(quantity)),))).lines[0].unit_price is None


def test_a_wrong_total_is_stated_and_printed_as_given() -> None:
    """P6: the platform's money is printed as given."""
    invoice = invoice_of(order_snapshot(total=Decimal("148.81")))
    assert invoice.total == Decimal("148.81")
    assert [describe(check) for check in invoice.checks] == [
        "The platform's total is 148.81; its lines, charges and taxes make 148.80."
    ]


def test_a_cent_between_the_sum_of_rounded_taxes_and_the_tax_total_is_stated() -> None:
    """woocommerce reference, section 4: the sum of rounded parts may differ by a cent."""
    taxes = (Tax("VAT", Decimal("23.74"), Decimal(19)),)
    invoice = invoice_of(order_snapshot(tax_total=Decimal("23.74"), taxes=taxes))
    assert keys(invoice) == {CheckKey.TAX_OF_PARTS_DIFFERS}
    assert invoice.taxes[0].base == Decimal("125.05")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"subtotal": Decimal("142.91")}, CheckKey.SUBTOTAL_DIFFERS),
        ({"shipping_total": Decimal("6.00")}, CheckKey.SHIPPING_DIFFERS),
        ({"discount_total": Decimal("12.00")}, CheckKey.DISCOUNT_DIFFERS),
        ({"taxes": (Tax("VAT", Decimal("20.00"), Decimal(19)),)}, CheckKey.TAX_BY_RATE_DIFFERS),
        ({"taxes": (Tax("Levy", Decimal("23.75"), Decimal(19)),)}, CheckKey.TAX_BASE_UNKNOWN),
        ({"billing": None, "shipping": None}, CheckKey.BUYER_UNKNOWN),
        ({"billing": address(first_name="花子")}, CheckKey.LETTERS_NOT_SHOWN),
    ],
)
def test_whatever_does_not_fit_is_stated(change: dict[str, Any], key: CheckKey) -> None:
    assert key in keys(invoice_of(order_snapshot(**change)))


def test_a_line_whose_rates_do_not_make_its_tax_is_named() -> None:
    odd = line(name="Lamp {given}", taxes=(Tax("VAT", Decimal("14.00"), Decimal(19)),))
    checks = [
        one for one in invoice_of(order_snapshot(lines=(odd,))).checks if one.key is CheckKey.TAXES_OF_LINE_DIFFER
    ]
    assert [describe(check) for check in checks] == ["“Lamp {given}”: its tax is 14.05; its taxes by rate make 14.00."]


def test_refunds_and_edits_before_issue_are_stated_and_the_order_shown_as_ordered() -> None:
    edited = (line(current_quantity=Decimal(1)), *order_snapshot().lines[1:])
    invoice = invoice_of(order_snapshot(lines=edited, payment=PaymentState.REFUNDED), refunds=(refund(),))
    assert (invoice.total, invoice.lines[0].quantity) == (Decimal("148.80"), Decimal(2))
    assert keys(invoice) == {CheckKey.QUANTITY_CHANGED, CheckKey.REFUNDED_BEFORE_ISSUE}
    assert invoice.amount_paid == Decimal("148.80")


def test_several_taxes_on_a_line_each_get_their_base() -> None:
    gst, qst = Tax("GST", Decimal("5.00"), Decimal(5)), Tax("QST", Decimal("9.98"), Decimal("9.975"))
    invoice = invoice_of(
        minimal_snapshot(
            lines=(line(total=Decimal("100.00"), subtotal=Decimal("100.00"), tax=Decimal("14.98"), taxes=(gst, qst)),),
            taxes=(gst, qst),
            tax_total=Decimal("14.98"),
            subtotal=Decimal("100.00"),
            total=Decimal("114.98"),
        )
    )
    assert [tax.base for tax in invoice.taxes] == [Decimal("100.00"), Decimal("100.00")]
    assert keys(invoice) == {CheckKey.BUYER_UNKNOWN}


def test_a_compound_tax_was_taken_of_the_net_with_the_other_tax() -> None:
    first, second = Tax("First", Decimal("5.00"), Decimal(5)), Tax("Second", Decimal("10.50"), Decimal(10))
    one = line(total=Decimal("100.00"), subtotal=Decimal("100.00"), tax=Decimal("15.50"), taxes=(first, second))
    invoice = invoice_of(minimal_snapshot(lines=(one,), taxes=(first, second), tax_total=Decimal("15.50")))
    assert [tax.base for tax in invoice.taxes] == [Decimal("100.00"), Decimal("105.00")]


def test_a_tax_that_no_amount_explains_has_no_base_rather_than_a_wrong_one() -> None:
    odd = Tax("Odd", Decimal("5.00"), Decimal(7))
    one = line(total=Decimal("100.00"), subtotal=Decimal("100.00"), tax=Decimal("5.00"), taxes=(odd,))
    invoice = invoice_of(minimal_snapshot(lines=(one,), taxes=(odd,), tax_total=Decimal("5.00")))
    assert invoice.taxes[0].base is None
    assert CheckKey.TAX_BASE_UNKNOWN in keys(invoice)


def test_two_taxes_that_cannot_be_told_apart_have_no_base() -> None:
    same = Tax("VAT", Decimal("5.00"), Decimal(5))
    one = line(total=Decimal("100.00"), subtotal=Decimal("100.00"), tax=Decimal("10.00"), taxes=(same, same))
    invoice = invoice_of(minimal_snapshot(lines=(one,), taxes=(same, same), tax_total=Decimal("10.00")))
    assert [tax.base for tax in invoice.taxes] == [None, None]


def test_a_base_has_no_zeros_beyond_the_usual_places() -> None:
    vat = Tax("VAT", Decimal("0.57"), Decimal(19))
    fine = line(total=Decimal("3.0000"), subtotal=Decimal("3.0000"), tax=Decimal("0.57"), taxes=(vat,))
    invoice = invoice_of(minimal_snapshot(lines=(fine,), taxes=(vat,), tax_total=Decimal("0.57")))
    assert str(invoice.taxes[0].base) == "3.00"


@pytest.mark.parametrize("figure", ["1E+500000", "1E-500000", "9" * 400])
def test_absurd_amounts_are_stated_briefly(figure: str) -> None:
    invoice = invoice_of(order_snapshot(total=Decimal(figure), lines=(line(subtotal=Decimal(figure)),)))
    assert CheckKey.TOTAL_DIFFERS in keys(invoice)
    assert all(len(describe(check)) < 1000 for check in invoice.checks)


def test_free_shipping_by_a_discount_fits_although_no_line_bears_it() -> None:
    free = Charge("shipping", "Standard", Decimal("0.00"), Decimal("0.00"))
    order = order_snapshot(
        charges=(free,),
        shipping_total=Decimal("5.90"),
        discount_total=Decimal("15.90"),
        total=Decimal("142.90"),
        tax_total=Decimal("22.81"),
        taxes=(Tax("VAT", Decimal("22.81"), Decimal(19)),),
    )
    assert invoice_of(order).checks == ()


def test_one_tax_finds_its_base_on_platforms_that_name_no_rates_on_lines() -> None:
    bare = tuple(line(tax=one.tax, total=one.total, subtotal=one.subtotal, taxes=()) for one in order_snapshot().lines)
    charge = Charge("shipping", "Standard", Decimal("5.90"), Decimal("0.94"))
    assert invoice_of(order_snapshot(lines=bare, charges=(charge,))).taxes[0].base == Decimal("125.05")


def test_an_order_without_tax_has_none() -> None:
    invoice = invoice_of(minimal_snapshot())
    assert (invoice.taxes, invoice.tax_total, invoice.amount_paid) == ((), Decimal("0.00"), None)
    assert keys(invoice) == {CheckKey.BUYER_UNKNOWN}


def test_a_wholly_discounted_line_and_store_credit_add_up() -> None:
    free = line(total=Decimal("0.00"), subtotal=Decimal("98.00"), tax=Decimal("0.00"), taxes=())
    invoice = invoice_of(
        minimal_snapshot(
            lines=(free,),
            charges=(Charge("credit", "Gift card", Decimal("-5.00"), Decimal("0.00")),),
            discount_total=Decimal("98.00"),
            subtotal=Decimal("0.00"),
            total=Decimal("-5.00"),
            billing=address(),
        )
    )
    assert invoice.checks == ()
    assert (invoice.lines[0].unit_price, invoice.lines[0].discount) == (Decimal("49.00"), Decimal("98.00"))


def test_the_delivery_address_is_named_only_when_it_is_another_one() -> None:
    assert invoice_of(order_snapshot(shipping=address(phone="+30 1"))).delivery is None
    assert invoice_of(order_snapshot(shipping=Address())).delivery is None
    office = address(company="Office")
    assert invoice_of(order_snapshot(shipping=office)).delivery == office


def test_an_empty_billing_address_leaves_the_shipping_address() -> None:
    assert invoice_of(order_snapshot(billing=Address())).buyer.name == "Eleni Papadaki"


def test_a_seller_who_is_not_named_cannot_issue_invoices() -> None:
    nameless = shop(seller=seller(legal_name=" ", address=Address(lines=("Street 1",))))
    with pytest.raises(MissingSellerData, match=r"legal_name, address\.country") as caught:
        build_invoice(record(), nameless, number="R-1", issued_at=ISSUED, locale="en")
    assert caught.value.fields == missing_seller_data(nameless.seller) == ("legal_name", "address.country")


def test_what_cannot_be_invoiced_says_why() -> None:
    with pytest.raises(OrderNotKnownYet):
        build_invoice(record(snapshot=None), shop(), number="R-1", issued_at=ISSUED, locale="en")
    with pytest.raises(LanguageNotPrinted, match="'tlh'"):
        invoice_of(locale="tlh")
    with pytest.raises(WrongSetting, match="Mars/Base"):
        build_invoice(record(), shop(timezone="Mars/Base"), number="R-1", issued_at=ISSUED, locale="en")
    with pytest.raises(ValueError, match="aware"):
        build_invoice(record(), shop(), number="R-1", issued_at=ISSUED.replace(tzinfo=None), locale="en")


def test_a_colour_that_is_none_becomes_the_usual_one() -> None:
    odd = shop(brand=Brand(colour='#fff") #import "x'))
    assert build_invoice(record(), odd, number="R-1", issued_at=ISSUED, locale="en").colour == Brand().colour


def test_documents_speak_every_language_of_the_messages() -> None:
    """P9: a missing translation is a failed test."""
    assert set(LABELS) == set(LOCALES)


def test_every_check_has_its_sentence() -> None:
    assert set(SENTENCES) == set(CheckKey)


def test_an_invoice_survives_being_written_down() -> None:
    invoice = invoice_of()
    assert msgspec.json.decode(msgspec.json.encode(invoice), type=Invoice) == invoice


cents = st.decimals(min_value=0, max_value=10_000, places=2)
quantities = st.integers(min_value=1, max_value=40)


@st.composite
def consistent_orders(draw: st.DrawFn) -> OrderSnapshot:
    """Orders of one tax rate whose figures add up, with tax inside the prices or not."""
    inclusive = draw(st.booleans())
    percent = draw(st.sampled_from([Decimal(0), Decimal(5), Decimal("9.975"), Decimal(24)]))
    lines = []
    for _ in range(draw(st.integers(min_value=1, max_value=5))):
        total, off = draw(cents), draw(cents)
        share = percent / (100 + percent) if inclusive else percent / 100
        tax = (total * share).quantize(Decimal("0.01"))
        taxes = (Tax("VAT", tax, percent),)
        quantity = Decimal(draw(quantities))
        lines.append(line(quantity=quantity, total=total, subtotal=total + off, tax=tax, taxes=taxes))
    subtotal = sum((one.total for one in lines), Decimal("0.00"))
    tax_total = sum((one.tax for one in lines), Decimal("0.00"))
    return order_snapshot(
        prices_include_tax=inclusive,
        lines=tuple(lines),
        charges=(),
        taxes=(Tax("VAT", tax_total, percent),),
        subtotal=subtotal,
        tax_total=tax_total,
        total=subtotal if inclusive else subtotal + tax_total,
        shipping_total=Decimal("0.00"),
        discount_total=sum((one.subtotal - one.total for one in lines), Decimal("0.00")),
    )


@given(consistent_orders())
def test_orders_that_add_up_raise_no_check_and_every_figure_fits(order: OrderSnapshot) -> None:
    invoice = invoice_of(order)
    assert invoice.checks == ()
    for shown, told in zip(invoice.lines, order.lines, strict=True):
        assert shown.net + shown.tax == shown.gross
        assert told.total in {shown.net, shown.gross}
        assert shown.unit_price is None or shown.unit_price * told.quantity == told.subtotal
    assert invoice.taxes[0].base == sum(one.net for one in invoice.lines)


@given(consistent_orders(), st.decimals(min_value="-5.00", max_value="5.00", places=2).filter(bool))
def test_a_total_that_is_off_is_always_stated_and_never_mended(order: OrderSnapshot, off: Decimal) -> None:
    """P6: totals are never recomputed."""
    invoice = invoice_of(replace(order, total=order.total + off))
    assert invoice.total == order.total + off
    assert keys(invoice) == {CheckKey.TOTAL_DIFFERS}
