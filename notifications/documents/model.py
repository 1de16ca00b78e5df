"""A document as immutable data: what it says, before anybody decides how it looks."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from connector.domain.order import Address, Tax
from connector.domain.shop import Seller


class DocumentKind(Enum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class CheckKey(Enum):
    """What was odd while a document was built. The sentence for each is in checks.py."""

    TOTAL_DIFFERS = "total_differs"
    SUBTOTAL_DIFFERS = "subtotal_differs"
    SHIPPING_DIFFERS = "shipping_differs"
    DISCOUNT_DIFFERS = "discount_differs"
    TAX_OF_PARTS_DIFFERS = "tax_of_parts_differs"
    TAX_BY_RATE_DIFFERS = "tax_by_rate_differs"
    TAXES_OF_LINE_DIFFER = "taxes_of_line_differ"
    TAX_BASE_UNKNOWN = "tax_base_unknown"
    QUANTITY_CHANGED = "quantity_changed"
    REFUNDED_BEFORE_ISSUE = "refunded_before_issue"
    BUYER_UNKNOWN = "buyer_unknown"
    LETTERS_NOT_SHOWN = "letters_not_shown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a merchant should know about a document; the document itself shows the platform's figures (P6)."""

    key: CheckKey
    subject: str = ""
    """Which line, charge or tax is meant, by its name (untrusted text); empty when it is the whole order."""
    given: str = ""
    """What the platform says."""
    found: str = ""
    """What its parts say."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, as the billing address names them; all of it untrusted text."""

    name: str
    company: str
    address: Address
    tax_id: str
    purchase_number: str


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line as ordered. `total` is the platform's figure; net and gross follow from it and from the line's tax."""

    sku: str
    name: str
    details: tuple[tuple[str, str], ...]
    quantity: Decimal
    unit_price: Decimal | None
    """Before discount, with tax inside as `Invoice.prices_include_tax` says; None when no exact figure is short."""
    discount: Decimal
    """Positive when something was taken off; negative when the platform ended above the price it began with."""
    total: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[Tax, ...]


@dataclass(frozen=True, slots=True)
class InvoiceCharge:
    """Something charged beside the lines, of a kind as in `connector.domain.order.Charge`."""

    kind: str
    name: str
    total: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[Tax, ...]


@dataclass(frozen=True, slots=True)
class TaxSum:
    """One rate of the order: the platform's amount, and the sum it was taken of where that can be derived."""

    label: str
    percent: Decimal | None
    base: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """A document ready to be rendered. Amounts are in `currency`, with the platform's own number of places (P6)."""

    kind: DocumentKind
    number: str
    issued_at: datetime
    """Aware, in UTC."""
    issued_on: date
    """In the shop's time zone, as are the other dates."""
    order_number: str
    ordered_on: date
    paid_on: date | None
    payment_method: str
    seller: Seller
    buyer: Buyer
    delivery: Address | None
    """Where the goods go, when that is not the buyer's address."""
    currency: str
    prices_include_tax: bool
    lines: tuple[InvoiceLine, ...]
    charges: tuple[InvoiceCharge, ...]
    taxes: tuple[TaxSum, ...]
    discount_total: Decimal
    """Already taken off the lines' totals, the subtotal and the total."""
    subtotal: Decimal
    tax_total: Decimal
    total: Decimal
    amount_paid: Decimal | None
    """The total, once the platform says that all of it was received; None while that is not so or not known."""
    locale: str
    colour: str
    """The shop's accent, `#rrggbb`."""
    checks: tuple[Check, ...]
