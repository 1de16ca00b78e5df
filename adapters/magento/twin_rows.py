"""The rows of a twin's database: small, frozen, and seen by others when their transaction commits."""

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from connector.domain.clock import Clock

Row = TypeVar("Row")

WEBSITE = "Main Website"
GROUP = "Main Website Store"
RATE_ONE = 1_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """An amount in cents, in the shop's base currency and in the order's own."""

    base: int = 0
    own: int = 0

    def __add__(self, other: "Pair") -> "Pair":
        return Pair(self.base + other.base, self.own + other.own)

    def __sub__(self, other: "Pair") -> "Pair":
        return Pair(self.base - other.base, self.own - other.own)

    def __mul__(self, times: int) -> "Pair":
        return Pair(self.base * times, self.own * times)

    def __neg__(self) -> "Pair":
        return Pair(-self.base, -self.own)

    def __bool__(self) -> bool:
        return bool(self.base or self.own)

    def percent(self, hundredths: int) -> "Pair":
        """So many hundredths of a percent of it, rounded half up."""
        return Pair((self.base * hundredths + 5_000) // 10_000, (self.own * hundredths + 5_000) // 10_000)


@dataclass(frozen=True, slots=True)
class StoreView:
    """Where a customer orders: its locale is the customer's language."""

    store_id: int
    code: str
    name: str
    locale: str
    currency: str = "EUR"
    rate: int = RATE_ONE
    """Millionths of its currency for one of the base currency."""
    tax: int = 1900
    """Hundredths of a percent."""

    def pair(self, base: int) -> Pair:
        return Pair(base, (base * self.rate + RATE_ONE // 2) // RATE_ONE)


@dataclass(frozen=True, slots=True)
class Product:
    product_id: int
    sku: str
    name: str
    kind: str
    """`simple`, `virtual`, `configurable`, `bundle` (dynamic price: its children carry the amounts)."""
    cents: int
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """A row of an order; the children of a configurable product or a bundle name their parent."""

    item_id: int
    product: Product
    ordered: int
    parent_id: int = 0
    discount: int = 0
    """Base cents, of the whole row."""
    invoiced: int = 0
    shipped: int = 0
    refunded: int = 0
    canceled: int = 0
    is_bundled: bool = False
    """A child of a bundle, which carries amounts; one of a configurable product carries none."""

    @property
    def counts(self) -> bool:
        """Whether it shows amounts: a bundle's own row repeats those of its children."""
        return not self.parent_id or self.is_bundled

    @property
    def adds(self) -> bool:
        """Whether its amounts are part of the order's."""
        return self.counts and self.product.kind != "bundle"

    @property
    def can_ship(self) -> int:
        if self.parent_id or self.product.kind == "virtual":
            return 0
        return max(self.ordered - self.shipped - self.refunded - self.canceled, 0)

    @property
    def can_invoice(self) -> int:
        return 0 if self.parent_id else max(self.ordered - self.invoiced - self.canceled, 0)


@dataclass(frozen=True, slots=True)
class Buyer:
    first: str
    last: str
    email: str
    street: str
    city: str
    postcode: str
    country: str
    phone: str
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A comment in a document's history."""

    entity_id: int
    comment: str
    created_at: str
    notified: int
    visible: int
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    entity_id: int
    increment_id: str
    store: StoreView
    buyer: Buyer
    lines: tuple[Line, ...]
    shipping: Pair
    created_at: str
    updated_at: str
    state: str = "new"
    status: str | None = "pending"
    notes: tuple[Note, ...] = ()
    """The newest first, as Magento lists them."""
    grand: Pair = field(default_factory=Pair)
    """Its total, kept because it is asked for so often."""
    paid: Pair = field(default_factory=Pair)
    refunded: Pair = field(default_factory=Pair)
    coupon: str | None = None
    parent: tuple[int, str] | None = None
    """Id and number of the order this one was edited from."""
    child: tuple[int, str] | None = None
    edits: int = 0
    email_sent: int | None = None

    @property
    def is_virtual(self) -> bool:
        return all(line.product.kind == "virtual" for line in self.lines)

    @property
    def can_ship(self) -> bool:
        return any(line.can_ship for line in self.lines)

    @property
    def can_invoice(self) -> bool:
        return any(line.can_invoice for line in self.lines)

    @property
    def store_id(self) -> int:
        return self.store.store_id


@dataclass(frozen=True, slots=True)
class Track:
    entity_id: int
    number: str
    title: str
    carrier_code: str
    created_at: str
    weight: float | None = None
    qty: float | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    entity_id: int
    increment_id: str
    order_id: int
    store_id: int
    created_at: str
    updated_at: str
    items: tuple[tuple[int, int], ...]
    """Order item and quantity."""
    tracks: tuple[Track, ...] = ()
    notes: tuple[Note, ...] = ()
    email_sent: int | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice, or with an adjustment or `of_invoice` a credit memo."""

    entity_id: int
    increment_id: str
    order_id: int
    store_id: int
    created_at: str
    updated_at: str
    items: tuple[tuple[int, int], ...]
    shipping: Pair
    grand: Pair
    state: int = 2
    """Invoice: 1 open, 2 paid, 3 canceled. Credit memo: 1 open, 2 refunded, 3 canceled."""
    adjustment: Pair = field(default_factory=Pair)
    of_invoice: int | None = None
    notes: tuple[Note, ...] = ()
    email_sent: int | None = None


class Table(Generic[Row]):
    """Rows by id. What an act writes is at once known to the acts after it, and to readers when it is committed."""

    def __init__(self, clock: Clock) -> None:
        self.lag = timedelta(0)
        """How long a transaction that writes now stays open."""
        self._clock = clock
        self._rows: dict[int, Row] = {}
        self._open: list[tuple[datetime, int, int, Row]] = []
        self._written = 0
        self._last_id = 0

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def save(self, row_id: int, row: Row) -> datetime:
        """Returns when others see it, UTC."""
        seen_at = self._clock.now() + self.lag
        if not self.lag and not any(one == row_id for _, _, one, _ in self._open):
            self._rows[row_id] = row
            return seen_at
        self._written += 1
        # One row's transactions queue behind each other's locks.
        seen_at = max([seen_at, *(at for at, _, one, _ in self._open if one == row_id)])
        bisect.insort(self._open, (seen_at, self._written, row_id, row), key=lambda one: one[:2])
        return seen_at

    def newest(self, row_id: int) -> Row | None:
        """The row as an act finds it, committed or not."""
        for _, _, one, row in reversed(self._open):
            if one == row_id:
                return row
        return self._rows.get(row_id)

    def rows(self) -> Mapping[int, Row]:
        """What readers see now, in the order of ids."""
        now = self._clock.now()
        while self._open and self._open[0][0] <= now:
            _, _, row_id, row = self._open.pop(0)
            is_new = row_id not in self._rows
            self._rows[row_id] = row
            if is_new:
                self._rows = dict(sorted(self._rows.items()))
        return self._rows

    def all_rows(self) -> dict[int, Row]:
        """Every row as an act finds it."""
        return dict(self.rows()) | {row_id: row for _, _, row_id, row in self._open}
