"""What does not fit together in an invoice's figures: stated for the merchant, never mended (P6)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from connector.domain.order import OrderSnapshot
from connector.domain.record import OrderRecord
from connector.domain.shop import Seller
from notifications.documents.derivation import Part
from notifications.documents.model import Buyer, Check, CheckKey, InvoiceCharge, InvoiceLine, TaxSum
from notifications.documents.printable import unprintable
from notifications.formatting import clean

SENTENCES = {
    CheckKey.TOTAL_DIFFERS: "The platform's total is {given}; its lines, charges and taxes make {found}.",
    CheckKey.SUBTOTAL_DIFFERS: "The platform's subtotal is {given}; its lines make {found}.",
    CheckKey.SHIPPING_DIFFERS: "The platform's shipping total is {given}; its shipping charges make {found}.",
    CheckKey.DISCOUNT_DIFFERS: "The platform's discount is {given}; the lines show {found} of it.",
    CheckKey.TAX_OF_PARTS_DIFFERS: "The platform's tax is {given}; the taxes of lines and charges make {found}.",
    CheckKey.TAX_BY_RATE_DIFFERS: "The platform's tax is {given}; its taxes by rate make {found}.",
    CheckKey.TAXES_OF_LINE_DIFFER: "“{subject}”: its tax is {given}; its taxes by rate make {found}.",
    CheckKey.TAX_BASE_UNKNOWN: "“{subject}”: no amounts explain this tax of {given}, so it is shown without a base.",
    CheckKey.QUANTITY_CHANGED: "“{subject}”: {given} ordered and invoiced; after an edit or refund it is {found}.",
    CheckKey.REFUNDED_BEFORE_ISSUE: "{found} was refunded before issue; the invoice says {given}, as ordered.",
    CheckKey.BUYER_UNKNOWN: "The order names no buyer, so the invoice names none.",
    CheckKey.LETTERS_NOT_SHOWN: "“{subject}” has letters the document's fonts lack; they show as �.",
}

_FIGURES = 30
"""Amounts with more figures are told with their exponent."""


def describe(check: Check) -> str:
    """The check as a sentence for the merchant, in English. Holds text a shopper typed: escape it where it is shown."""
    return SENTENCES[check.key].format(subject=clean(check.subject, 100), given=check.given, found=check.found)


def checks(
    record: OrderRecord,
    order: OrderSnapshot,
    seller: Seller,
    buyer: Buyer,
    lines: tuple[InvoiceLine, ...],
    charges: tuple[InvoiceCharge, ...],
    taxes: tuple[TaxSum, ...],
) -> tuple[Check, ...]:
    """Everything that is odd, the order as a whole first."""
    parts: tuple[Part, ...] = (*lines, *charges)
    return (
        *_sums(order, lines, charges),
        *_discounts(order, lines, charges),
        *_taxes(order, parts, taxes),
        *_afterwards(record, order),
        *_words(seller, buyer, parts),
    )


def _sums(order: OrderSnapshot, lines: tuple[InvoiceLine, ...], charges: tuple[InvoiceCharge, ...]) -> Iterator[Check]:
    subtotal = _sum(line.total for line in lines)
    total = subtotal + _sum(charge.total for charge in charges)
    if not order.prices_include_tax:
        total += order.tax_total
    yield from _differs(CheckKey.TOTAL_DIFFERS, order.total, total)
    yield from _differs(CheckKey.SUBTOTAL_DIFFERS, order.subtotal, subtotal)


def _discounts(
    order: OrderSnapshot, lines: tuple[InvoiceLine, ...], charges: tuple[InvoiceCharge, ...]
) -> Iterator[Check]:
    """Discount and shipping together: what was taken off shipping is in no line, and the shipping total may be the one
    before it. Platforms give that total with tax or without, whatever their other figures do: either is right."""
    shipping = [charge for charge in charges if charge.kind == "shipping"]
    known = {_sum(one.net for one in shipping), _sum(one.gross for one in shipping)}
    off_lines = _sum(line.discount for line in lines)
    off_shipping = order.discount_total - off_lines
    if order.shipping_total - off_shipping in known and off_shipping > 0:
        return
    yield from _differs(CheckKey.DISCOUNT_DIFFERS, order.discount_total, off_lines)
    if order.shipping_total not in known:
        yield from _differs(CheckKey.SHIPPING_DIFFERS, order.shipping_total, _sum(one.total for one in shipping))


def _taxes(order: OrderSnapshot, parts: tuple[Part, ...], taxes: tuple[TaxSum, ...]) -> Iterator[Check]:
    yield from _differs(CheckKey.TAX_OF_PARTS_DIFFERS, order.tax_total, _sum(part.tax for part in parts))
    if taxes:
        yield from _differs(CheckKey.TAX_BY_RATE_DIFFERS, order.tax_total, _sum(tax.amount for tax in taxes))
    for part in parts:
        if part.taxes:
            by_rate = _sum(tax.amount for tax in part.taxes)
            yield from _differs(CheckKey.TAXES_OF_LINE_DIFFER, part.tax, by_rate, part.name)
    for tax in taxes:
        if tax.base is None and tax.amount:
            yield Check(CheckKey.TAX_BASE_UNKNOWN, tax.label, given=_plain(tax.amount))


def _afterwards(record: OrderRecord, order: OrderSnapshot) -> Iterator[Check]:
    for line in order.lines:
        if line.current_quantity is not None:
            yield from _differs(CheckKey.QUANTITY_CHANGED, line.quantity, line.current_quantity, line.name)
    refunded = _sum(refund.amount for refund in record.refunds)
    if refunded:
        yield Check(CheckKey.REFUNDED_BEFORE_ISSUE, given=_plain(order.total), found=_plain(refunded))


def _words(seller: Seller, buyer: Buyer, parts: tuple[Part, ...]) -> Iterator[Check]:
    if not (buyer.name or buyer.company):
        yield Check(CheckKey.BUYER_UNKNOWN)
    shown = (
        *(seller.legal_name, *seller.address.lines, seller.address.city),
        *(buyer.name, buyer.company, *buyer.address.lines, buyer.address.city),
        *(part.name for part in parts),
    )
    yield from (Check(CheckKey.LETTERS_NOT_SHOWN, text) for text in dict.fromkeys(shown) if unprintable(text))


def _differs(key: CheckKey, given: Decimal, found: Decimal, subject: str = "") -> Iterator[Check]:
    if given != found:
        yield Check(key, subject, _plain(given), _plain(found))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _plain(amount: Decimal) -> str:
    return f"{amount:f}" if abs(amount.adjusted()) < _FIGURES else str(amount)
