"""An order as a platform tells it at one moment, and the parcels and refunds that belong to it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from connector.domain.status import OrderState, PaymentState, ShipmentStatus


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; what a platform leaves out is an empty string."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    lines: tuple[str, ...] = ()
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2, upper case."""
    phone: str = ""
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax of the order, a line or a charge, in the order's currency."""

    label: str
    amount: Decimal
    percent: Decimal | None = None
    """20 means 20 %; None when the platform does not say."""


@dataclass(frozen=True, slots=True)
class LineItem:
    """One line of an order, in the order's currency.

    Whether tax is inside `total` and `subtotal` is said by `OrderSnapshot.prices_include_tax`.
    """

    line_id: str
    sku: str
    name: str
    quantity: Decimal
    """As ordered, before refunds and edits."""
    total: Decimal
    """After discounts, as the platform gives it."""
    subtotal: Decimal
    """Before discounts."""
    tax: Decimal
    taxes: tuple[Tax, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    """What the customer chose or wrote (size, engraving): label and words, both untrusted text."""
    needs_shipping: bool = True
    current_quantity: Decimal | None = None
    """After edits and removals, where the platform tells."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Something charged beside the lines: shipping, a fee, duties, a tip. `total` is after discounts."""

    kind: str
    """`shipping`, `fee`, `duty`, `tip`, `rounding` or `credit` (store credit and gift cards: negative)."""
    name: str
    total: Decimal
    tax: Decimal
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackingNumber:
    """One number a carrier gave; `carrier` and `url` are the platform's words, untrusted."""

    number: str
    carrier: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ShipmentItem:
    """How many of an order line are in a parcel."""

    line_id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Shipment:
    """What left (or will leave) in one go, as the platform tells it at `updated_at`."""

    shipment_id: str
    status: ShipmentStatus
    status_word: str
    """The platform's own word, kept beside ours."""
    updated_at: datetime
    shipped_at: datetime | None = None
    """When it left; None while only a label or a draft exists."""
    delivered_at: datetime | None = None
    estimated_delivery_at: datetime | None = None
    tracking: tuple[TrackingNumber, ...] = ()
    items: tuple[ShipmentItem, ...] = ()
    """Empty when the platform does not say which lines are inside."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, positive, in the order's currency."""

    refund_id: str
    amount: Decimal
    refunded_at: datetime
    reason: str = ""
    currency: str = ""
    """As the platform names it beside the amount; empty when it does not."""


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order as one platform document tells it.

    Moments are aware and in UTC; amounts are as ordered, before refunds.
    """

    order_id: str
    """The platform's own key of the order, as text."""
    number: str
    """As the customer sees it."""
    updated_at: datetime
    """The platform's own version of the document: an older one never overwrites a newer one (P3)."""
    placed_at: datetime
    state: OrderState
    payment: PaymentState
    status_word: str
    """The platform's own word."""
    currency: str
    total: Decimal
    """As ordered, with tax."""
    subtotal: Decimal
    """Sum of the lines after discounts, as the platform counts it; with or without tax as `prices_include_tax` says."""
    tax_total: Decimal
    shipping_total: Decimal
    discount_total: Decimal
    """Positive, whatever sign the platform uses."""
    prices_include_tax: bool
    email: str = ""
    phone: str = ""
    locale: str = ""
    """The platform's word for the customer's language, if it has one (`pt-BR`, `de`, `en_US`); else empty."""
    locale_source: str = ""
    """Where that word stood (`customer_locale`, `meta _wpml_language`, `store view`)."""
    customer_id: str = ""
    billing: Address | None = None
    shipping: Address | None = None
    lines: tuple[LineItem, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    """The order's taxes by rate, shipping and fees included."""
    refunds: tuple[Refund, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    shipments_are_complete: bool = False
    """Whether `shipments` lists all there are, so that one that is missing was taken back."""
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None
    needs_shipping: bool = True
    payment_method: str = ""
    customer_note: str = ""
    customer_tax_id: str = ""
    purchase_number: str = ""
    """The customer's own order number (business customers)."""
    replaced_by: str = ""
    """The order id that replaced this one after an edit; its cancellation is then no news for the customer."""
    test: bool = False
    status_url: str = ""
    """A page of the shop where the customer can see the order; holds a secret, so it is never logged."""
    warnings: tuple[str, ...] = field(default=())
    """What was odd in the document (unknown words, sums that do not add up): shown to the merchant, never hidden."""

    @property
    def refunded_total(self) -> Decimal:
        """The sum of all refunds, with the places of the order's total."""
        zero = self.total - self.total
        return sum((refund.amount for refund in self.refunds), zero)
