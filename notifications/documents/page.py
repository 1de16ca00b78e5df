"""From an invoice to the words on its page: every figure, date and label as text in the customer's language."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from connector.domain.errors import Permanent
from connector.domain.order import Address
from notifications.documents.labels import Labels, labels_for
from notifications.documents.model import Invoice, InvoiceCharge, InvoiceLine
from notifications.documents.printable import LONGEST, printable, showable
from notifications.formatting import Formats, formats

MOST_ROWS = 2000
"""Lines, charges and taxes of one document, together."""

_MOST_CHARACTERS = 200_000
"""Of all lines together; a row's share is cut, with an ellipsis, so that no order can fill memory and time."""

_LONGEST_FACT = 100
_LONGEST_ROW = 3000
_LONG_ROW = 600
"""Characters from which a row may be parted between two pages."""

_CHARGES = frozenset({"shipping", "fee", "duty", "tip", "rounding", "credit"})


class TooLargeForDocument(Permanent):
    """The order has more lines, charges and taxes than a document can hold. Make this invoice by hand."""


def page_content(invoice: Invoice) -> dict[str, Any]:
    """What templates/invoice.typ fills in, as plain JSON values. Raises TooLargeForDocument and LanguageNotPrinted."""
    rows = len(invoice.lines) + len(invoice.charges) + len(invoice.taxes)
    if rows > MOST_ROWS:
        raise TooLargeForDocument(
            f"The order has {rows} lines, charges and taxes; a document holds {MOST_ROWS}. Make this invoice by hand."
        )
    return _Page(invoice, labels_for(invoice.locale), formats(invoice.locale, "UTC")).content()


@dataclass(frozen=True, slots=True)
class _Page:
    invoice: Invoice
    labels: Labels
    formats: Formats

    def content(self) -> dict[str, Any]:
        invoice, labels = self.invoice, self.labels
        language, _, region = invoice.locale.partition("-")
        number = printable(invoice.number)
        return {
            "language": language,
            "region": region or None,
            "rtl": self.formats.rtl,
            "colour": invoice.colour,
            "title": f"{labels.invoice} {number}",
            "author": printable(invoice.seller.legal_name),
            "running_head": printable(invoice.seller.legal_name, 60),
            "heading": labels.invoice,
            "number": number,
            "seller": {"name": printable(invoice.seller.legal_name), "lines": list(self._seller())},
            "facts": list(self._facts()),
            "parties": list(self._parties()),
            "caption": self._caption(),
            "columns": self._columns(),
            "rows": [self._row(line) for line in invoice.lines],
            "taxes": {
                "columns": [labels.tax, labels.tax_rate, labels.tax_base, labels.amount],
                "rows": list(self._tax_rows()),
            },
            "sums": list(self._sums()),
            "footer": [
                printable(text, _LONGEST_FACT)
                for text in (invoice.seller.legal_name, invoice.seller.registration)
                if text
            ],
            "page": labels.page,
        }

    def _seller(self) -> Iterator[str]:
        seller = self.invoice.seller
        yield from self._address(seller.address)
        if seller.tax_id:
            yield f"{self.labels.tax_id}: {printable(seller.tax_id)}"
        yield from (printable(text) for text in (seller.email, seller.phone, seller.website) if text)

    def _facts(self) -> Iterator[tuple[str, str]]:
        invoice, labels = self.invoice, self.labels
        facts = (
            (labels.issued_on, self._date(invoice.issued_on)),
            (labels.order, printable(invoice.order_number, _LONGEST_FACT)),
            (labels.ordered_on, self._date(invoice.ordered_on)),
            (labels.purchase_number, printable(invoice.buyer.purchase_number, _LONGEST_FACT)),
            (labels.payment_method, printable(invoice.payment_method, _LONGEST_FACT)),
            (labels.paid_on, self._date(invoice.paid_on)),
        )
        return ((label, words) for label, words in facts if words)

    def _parties(self) -> Iterator[dict[str, Any]]:
        buyer = self.invoice.buyer
        lines = list(self._address(buyer.address))
        if buyer.tax_id:
            lines.append(f"{self.labels.tax_id}: {printable(buyer.tax_id)}")
        if lines:
            yield {"label": self.labels.buyer, "lines": lines}
        if self.invoice.delivery is not None:
            yield {"label": self.labels.delivery, "lines": list(self._address(self.invoice.delivery))}

    def _caption(self) -> str:
        labels = self.labels
        words = labels.prices_include_tax if self.invoice.prices_include_tax else labels.prices_exclude_tax
        return words.format(currency=printable(self.invoice.currency, 12))

    def _columns(self) -> list[str]:
        labels = self.labels
        columns = [labels.item, labels.quantity, labels.unit_price]
        if self._shows_discount:
            columns.append(labels.discount)
        if self._shows_tax:
            columns.append(labels.tax)
        return [*columns, labels.amount]

    def _row(self, line: InvoiceLine) -> dict[str, Any]:
        figures = [
            self.formats.quantity(line.quantity),
            "–" if line.unit_price is None else self.formats.amount(line.unit_price, self.invoice.currency),
        ]
        if self._shows_discount:
            figures.append(self.formats.amount(-line.discount, self.invoice.currency) if line.discount else "–")
        if self._shows_tax:
            figures.append(self._rates(line))
        name, *below = self._texts(line)
        return {
            "name": name,
            "below": below,
            "figures": [*figures, self.formats.amount(line.total, self.invoice.currency)],
            "long": len(name) + sum(map(len, below)) > _LONG_ROW,
        }

    def _texts(self, line: InvoiceLine) -> Iterator[str]:
        """The name and what stands below it, until the row's share of characters is used up."""
        left = min(_LONGEST_ROW, _MOST_CHARACTERS // len(self.invoice.lines))
        number = (f"{self.labels.sku} {line.sku}",) if line.sku else ()
        for text in (line.name, *number, *(f"{label}: {words}" for label, words in line.details)):
            if left <= 0:
                yield "…"
                return
            yield (shown := printable(text, min(LONGEST, left)))
            left -= len(shown)

    @property
    def _shows_discount(self) -> bool:
        return any(line.discount for line in self.invoice.lines)

    @property
    def _shows_tax(self) -> bool:
        return any(line.tax or line.taxes for line in self.invoice.lines)

    def _rates(self, line: InvoiceLine) -> str:
        """`19%`, `5% + 9,975%`, or the amount where the platform names no rate."""
        rates = [self.formats.percent(tax.percent) for tax in line.taxes if tax.percent is not None]
        return (
            " + ".join(rates)
            if rates and len(rates) == len(line.taxes)
            else self.formats.amount(line.tax, self.invoice.currency)
        )

    def _tax_rows(self) -> Iterator[list[str]]:
        for tax in self.invoice.taxes:
            yield [
                printable(tax.label) or self.labels.tax,
                "–" if tax.percent is None else self.formats.percent(tax.percent),
                "–" if tax.base is None else self.formats.amount(tax.base, self.invoice.currency),
                self.formats.amount(tax.amount, self.invoice.currency),
            ]

    def _sums(self) -> Iterator[dict[str, str]]:
        """The column that leads to the total; what is only said beside it has the weight `aside`."""
        invoice, labels = self.invoice, self.labels
        yield self._sum(labels.subtotal, invoice.subtotal)
        for charge in invoice.charges:
            yield self._sum(self._charge(charge), charge.total)
        if not invoice.prices_include_tax:
            yield self._sum(labels.tax_total, invoice.tax_total)
        yield self._sum(labels.total, invoice.total, "total")
        if invoice.prices_include_tax:
            yield self._sum(labels.tax_inside, invoice.tax_total, "aside")
        if invoice.discount_total:
            yield self._sum(labels.discount_taken_off, invoice.discount_total, "aside")
        if invoice.amount_paid is not None:
            yield self._sum(labels.paid, invoice.amount_paid)

    def _sum(self, label: str, amount: Decimal, weight: str = "plain") -> dict[str, str]:
        return {"label": label, "amount": self._money(amount), "weight": weight}

    def _money(self, amount: Decimal) -> str:
        """With the currency's sign; its code where the fonts do not have the sign."""
        words = self.formats.money(amount, self.invoice.currency)
        if showable(words):
            return words
        return f"{self.formats.amount(amount, self.invoice.currency)}\u00a0{printable(self.invoice.currency, 12)}"

    def _charge(self, charge: InvoiceCharge) -> str:
        label = getattr(self.labels, charge.kind) if charge.kind in _CHARGES else ""
        name = printable(charge.name)
        return f"{label}: {name}" if label and name else label or name or self.labels.fee

    def _address(self, address: Address) -> Iterator[str]:
        return (printable(line) for line in self.formats.address(address))

    def _date(self, day: date | None) -> str:
        return "" if day is None else self.formats.date(datetime.combine(day, time(12), UTC))
