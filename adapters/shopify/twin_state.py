"""What a twin of a Shopify shop knows: orders and all that hangs on them, small enough for tens of thousands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import ClassVar

ROOM = 1000
"""Each order has so many ids for itself and its parts: whose a part is can be told from its id alone."""
FIRST_ROOM = 720_982_911_946_154
"""Ids have 18 digits, as in Shopify's own examples: no float holds them."""
_PLACES = {"JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "JOD": 3, "OMR": 3, "TND": 3}


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-_PLACES.get(currency, 2)), ROUND_HALF_EVEN)


@dataclass(slots=True)
class Address:
    typename: ClassVar[str] = "MailingAddress"
    id: int
    first_name: str
    last_name: str
    address1: str
    city: str
    zip: str
    country: str
    country_code: str
    company: str | None = None
    address2: str | None = None
    province: str | None = None
    province_code: str | None = None
    phone: str | None = None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Customer:
    typename: ClassVar[str] = "Customer"
    id: int
    email: str
    first_name: str
    last_name: str
    locale: str
    created_at: datetime
    address: Address
    phone: str | None = None

    @property
    def display_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Line:
    """Amounts are in the customer's currency."""

    typename: ClassVar[str] = "LineItem"
    order: "Order"
    place: int
    sku: str
    title: str
    variant_title: str | None
    quantity: int
    price: Decimal
    discount: Decimal = Decimal(0)
    requires_shipping: bool = True
    location: int = 0
    current_quantity: int = 0
    fulfilled: int = 0
    refunded: int = 0
    properties: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> int:
        return self.order.room * ROOM + 10 + self.place

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title

    @property
    def remaining(self) -> int:
        """What is still to be sent."""
        return max(self.current_quantity - self.fulfilled, 0)

    @property
    def total(self) -> Decimal:
        """After discounts, for all that was ordered."""
        return self.price * self.quantity - self.discount

    @property
    def tax(self) -> Decimal:
        return self.order.tax_on(self.total)

    def share(self, amount: Decimal, quantity: int) -> Decimal:
        """The part of an amount of the whole line that falls to some of its pieces."""
        return rounded(amount * quantity / self.quantity, self.order.presentment) if self.quantity else Decimal(0)


@dataclass(slots=True)
class Event:
    typename: ClassVar[str] = "FulfillmentEvent"
    fulfillment: "Fulfillment"
    id: int
    status: str
    happened_at: datetime
    created_at: datetime
    message: str | None = None
    estimated_delivery_at: datetime | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    zip: str | None = None
    address1: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    number: str | None
    company: str | None
    url: str | None


@dataclass(slots=True)
class Fulfillment:
    typename: ClassVar[str] = "Fulfillment"
    order: "Order"
    place: int
    created_at: datetime
    updated_at: datetime
    location: int
    lines: tuple[tuple[Line, int], ...]
    tracking: tuple[Tracking, ...] = ()
    status: str = "SUCCESS"
    events: list[Event] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.order.room * ROOM + 300 + self.place

    @property
    def name(self) -> str:
        return f"{self.order.name}.{self.place + 1}"

    def line_id(self, line: Line) -> int:
        """Of a line's part in this parcel."""
        return self.order.room * ROOM + (self.place * 40 + line.place) % ROOM

    @property
    def shipment_status(self) -> str | None:
        """Of the event that happened last."""
        return max(self.events, key=lambda event: (event.happened_at, event.id)).status if self.events else None

    @property
    def display_status(self) -> str:
        if self.status == "CANCELLED":
            return "CANCELED"
        return self.shipment_status or ("FULFILLED" if self.tracking else "MARKED_AS_FULFILLED")

    @property
    def estimated_delivery_at(self) -> datetime | None:
        told = [event.estimated_delivery_at for event in self.events if event.estimated_delivery_at]
        return told[-1] if told else None

    def first_time(self, status: str) -> datetime | None:
        return min((event.happened_at for event in self.events if event.status == status), default=None)


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """The work of one location for one order; all but its place in it follows from the order."""

    typename: ClassVar[str] = "FulfillmentOrder"
    order: "Order"
    location: int

    @property
    def id(self) -> int:
        return self.order.room * ROOM + 100 + self.location

    @property
    def lines(self) -> list[Line]:
        return [line for line in self.order.lines if line.location == self.location]

    @property
    def status(self) -> str:
        if not any(line.remaining for line in self.lines):
            return "CLOSED"
        if self.order.held:
            return "ON_HOLD"
        return "IN_PROGRESS" if any(line.fulfilled for line in self.lines) else "OPEN"


@dataclass(slots=True)
class Transaction:
    typename: ClassVar[str] = "OrderTransaction"
    order: "Order"
    id: int
    kind: str
    status: str
    amount: Decimal
    at: datetime
    parent: "Transaction | None" = None


@dataclass(slots=True)
class Refund:
    typename: ClassVar[str] = "Refund"
    order: "Order"
    id: int
    at: datetime
    note: str | None
    lines: tuple[tuple[Line, int, str], ...] = ()
    """Line, how many, and how they are restocked."""
    shipping: Decimal = Decimal(0)
    adjustment: Decimal = Decimal(0)
    """What was given back beside lines and shipping."""
    transactions: tuple[Transaction, ...] = ()

    def line_id(self, line: Line) -> int:
        """Of a line's part in this refund."""
        return self.order.room * ROOM + (self.id % ROOM * 40 + line.place) % ROOM

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.transactions), Decimal(0))


@dataclass(slots=True)
class Metafield:
    typename: ClassVar[str] = "Metafield"
    owner: "Order"
    id: int
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Order:
    """Amounts are in the customer's currency; `rate` of it are one of the shop's."""

    typename: ClassVar[str] = "Order"
    room: int
    number: int
    created_at: datetime
    updated_at: datetime
    customer: Customer
    currency: str
    presentment: str
    rate: Decimal
    tax_rate: Decimal
    tax_title: str
    taxes_included: bool
    shipping: Decimal
    email: str
    locale: str
    lines: list[Line] = field(default_factory=list)
    indexed_at: datetime | None = None
    """What the search knew before the last change; None: nothing."""
    discount_code: str = ""
    phone: str | None = None
    note: str | None = None
    po_number: str | None = None
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    closed_at: datetime | None = None
    test: bool = False
    original_total: Decimal | None = None
    """As first ordered; None while nothing was edited."""
    held: bool = False
    parts: int = 0
    """How many ids were given to parts that have no number of their own."""
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    metafields: list[Metafield] = field(default_factory=list)
    history: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When, which action, in what words."""

    @property
    def id(self) -> int:
        return self.room * ROOM + 1

    @property
    def name(self) -> str:
        return f"#{self.number}"

    def new_id(self) -> int:
        """For an event, a transaction, a refund, a metafield."""
        self.parts += 1
        return self.room * ROOM + 400 + self.parts

    def fulfillment_orders(self) -> list[FulfillmentOrder]:
        return [FulfillmentOrder(self, location) for location in sorted({line.location for line in self.lines})]

    def tax_on(self, amount: Decimal) -> Decimal:
        base = 1 + self.tax_rate if self.taxes_included else Decimal(1)
        return rounded(amount * self.tax_rate / base, self.presentment)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def discount(self) -> Decimal:
        return sum((line.discount for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return sum((line.tax for line in self.lines), self.tax_on(self.shipping))

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.shipping + (Decimal(0) if self.taxes_included else self.tax)

    @property
    def edited(self) -> bool:
        return self.original_total is not None

    @property
    def current_subtotal(self) -> Decimal:
        return sum((line.share(line.total, line.current_quantity) for line in self.lines), Decimal(0))

    @property
    def current_shipping(self) -> Decimal:
        if self.cancelled_at:
            return Decimal(0)
        return self.shipping - sum((refund.shipping for refund in self.refunds), Decimal(0))

    @property
    def current_tax(self) -> Decimal:
        return self.tax_on(self.current_subtotal) + self.tax_on(self.current_shipping)

    @property
    def current_total(self) -> Decimal:
        return self.current_subtotal + self.current_shipping + (Decimal(0) if self.taxes_included else self.current_tax)

    @property
    def received(self) -> Decimal:
        paid = (one for one in self.transactions if one.kind in ("SALE", "CAPTURE") and one.status == "SUCCESS")
        return sum((one.amount for one in paid), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        return sum((refund.amount for refund in self.refunds), Decimal(0))

    @property
    def outstanding(self) -> Decimal:
        given_away = sum((refund.adjustment for refund in self.refunds), Decimal(0))
        return max(self.current_total - self.received + self.refunded - given_away, Decimal(0))

    @property
    def financial_status(self) -> str:
        if self.refunded:
            return "REFUNDED" if self.refunded >= self.received else "PARTIALLY_REFUNDED"
        if self.received:
            return "PAID" if self.received >= self.current_total else "PARTIALLY_PAID"
        return "VOIDED" if self.cancelled_at else "PENDING"

    @property
    def fulfillment_status(self) -> str:
        """As the admin shows it."""
        if self.held and any(line.remaining for line in self.lines):
            return "ON_HOLD"
        if not any(line.fulfilled for line in self.lines):
            return "UNFULFILLED"
        return "PARTIALLY_FULFILLED" if any(line.remaining for line in self.lines) else "FULFILLED"

    def shop_amount(self, amount: Decimal) -> Decimal:
        """The same in the shop's currency, rounded each by itself: sums of those need not add up."""
        return amount if self.rate == 1 else rounded(amount / self.rate, self.currency)


class Book:
    """All orders, and who is whose."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        """By the number of their room."""
        self.customers: dict[str, Customer] = {}
        """By e-mail address."""

    def room_of(self, number: int) -> Order | None:
        return self.orders.get(number // ROOM)

    def order(self, number: int) -> Order | None:
        found = self.room_of(number)
        return found if found and found.id == number else None

    def fulfillment(self, number: int) -> Fulfillment | None:
        order = self.room_of(number)
        return next((one for one in order.fulfillments if one.id == number), None) if order else None

    def fulfillment_order(self, number: int) -> FulfillmentOrder | None:
        order = self.room_of(number)
        works = order.fulfillment_orders() if order else []
        return next((work for work in works if work.id == number), None)

    def part(self, kind: str, number: int) -> object | None:
        """Any other part by its kind and id."""
        order = self.room_of(number)
        return next((part for part in _parts(order, kind) if part.id == number), None) if order else None


def _parts(order: Order, kind: str) -> Iterator[Line | Refund | Transaction | Metafield | Event]:
    if kind == "LineItem":
        yield from order.lines
    elif kind == "Refund":
        yield from order.refunds
    elif kind == "OrderTransaction":
        yield from order.transactions
    elif kind == "Metafield":
        yield from order.metafields
    elif kind == "FulfillmentEvent":
        for fulfillment in order.fulfillments:
            yield from fulfillment.events
