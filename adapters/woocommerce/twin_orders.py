"""What a stand-in WooCommerce shop keeps of an order, and how it prices a basket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from adapters.woocommerce.twin_site import Site

ADDRESS = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")


@dataclass(frozen=True, slots=True)
class Product:
    """Something the shop sells; the price is without tax unless the shop's prices include it."""

    product_id: int
    name: str
    sku: str
    price: Decimal
    tax_class: str = ""
    virtual: bool = False
    downloadable: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax of the shop's own country; nobody else pays one."""

    rate_id: int
    code: str
    label: str
    percent: Decimal
    tax_class: str
    on_shipping: bool = False


PRODUCTS = {
    product.sku: product
    for product in (
        Product(11, 'Mug "Größe L" – weiß', "MUG-L", Decimal("19.99")),
        Product(12, "Notebook & pencil", "NOTE", Decimal("12.50"), tax_class="reduced-rate"),
        Product(13, "Recipes (PDF)", "RECIPES", Decimal(5), virtual=True, downloadable=True),
        Product(14, "Sticker", "STICKER", Decimal("1.255")),
    )
}
PRODUCTS_BY_ID = {product.product_id: product for product in PRODUCTS.values()}
RATES = (
    Rate(1, "DE-VAT 19%-1", "VAT 19%", Decimal(19), "", on_shipping=True),
    Rate(3, "DE-VAT 7%-1", "VAT 7%", Decimal(7), "reduced-rate"),
)
COUPONS = {"welcome10": Decimal(10)}
"""Percent off, by code in lower case."""
SHIPPING = Decimal("4.90")

Taxes = tuple[tuple[int, Decimal, Decimal], ...]
"""(rate, of the total, of the subtotal)."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a line costs, without tax, and its taxes."""

    subtotal: Decimal
    total: Decimal
    taxes: Taxes = ()


@dataclass(slots=True)
class Line:
    line_id: int
    product: Product
    quantity: int
    amounts: Amounts


@dataclass(slots=True)
class ShippingLine:
    line_id: int
    title: str
    method: str
    amounts: Amounts


@dataclass(slots=True)
class CouponLine:
    line_id: int
    code: str
    percent: Decimal
    meta_id: int


@dataclass(slots=True)
class Meta:
    meta_id: int
    key: str
    value: object


@dataclass(frozen=True, slots=True)
class RefundLine:
    line_id: int
    line: Line
    quantity: int
    total: Decimal
    taxes: tuple[tuple[int, Decimal], ...]


@dataclass(slots=True)
class Refund:
    refund_id: int
    amount: Decimal
    reason: str
    created: datetime
    paid_back: bool
    kind: str
    lines: tuple[RefundLine, ...] = ()
    meta: list[Meta] = field(default_factory=list)

    @property
    def tax(self) -> Decimal:
        return sum((tax for line in self.lines for _, tax in line.taxes), Decimal())


@dataclass(slots=True)
class Note:
    note_id: int
    words: str
    for_customer: bool
    author: str
    created: datetime


@dataclass(slots=True)
class Order:
    """An order as the shop keeps it; moments are UTC."""

    order_id: int
    key: str
    status: str
    currency: str
    version: str
    created: datetime
    modified: datetime
    billing: dict[str, str]
    shipping: dict[str, str]
    lines: tuple[Line, ...]
    tax_lines: tuple[int, ...]
    """Item numbers of the tax lines, in the order of `RATES` that apply."""
    shipping_lines: tuple[ShippingLine, ...]
    coupon: CouponLine | None
    prices_include_tax: bool
    via: str
    customer_id: int = 0
    paid: datetime | None = None
    completed: datetime | None = None
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    customer_note: str = ""
    meta: list[Meta] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    """The newest first."""
    notes: list[Note] = field(default_factory=list)
    before_trash: str = ""
    total: Decimal = Decimal()
    undated: bool = False
    """An odd import left no date of change: it is written as none, and no search by dates finds the order."""

    @property
    def email(self) -> str:
        return self.billing.get("email", "")

    @property
    def refunded(self) -> Decimal:
        return sum((refund.amount for refund in self.refunds), Decimal())

    @property
    def needs_processing(self) -> bool:
        """False: nothing has to be done, so a payment completes it."""
        return not all(line.product.virtual and line.product.downloadable for line in self.lines)

    def meta_value(self, key: str) -> object:
        """None when there is none."""
        return next((meta.value for meta in self.meta if meta.key == key), None)


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a customer fills in; every field can be given to `place_order`."""

    email: str = "ada@example.test"
    paid: bool = False
    items: Sequence[tuple[str, int]] = (("MUG-L", 2), ("NOTE", 1))
    """(stock keeping unit, quantity)."""
    first_name: str = "Ada"
    last_name: str = "Weiß"
    company: str = ""
    address_1: str = "Lange Straße 5"
    address_2: str = ""
    city: str = "Berlin"
    state: str = "DE-BE"
    postcode: str = "10117"
    country: str = "DE"
    phone: str = "+49 30 1234"
    coupon: str = ""
    customer_note: str = ""
    customer_id: int = 0
    currency: str = ""
    locale: str = ""
    """Kept as a language plugin keeps it."""
    payment_method: str = "card"
    """`bacs` puts the order on hold until somebody sees the money."""
    via: str = "checkout"
    """`checkout`, `store-api` (the block checkout), `rest-api` or `admin`."""
    meta: Mapping[str, object] = field(default_factory=dict)


def price(site: Site, items: Sequence[tuple[Product, int]], *, country: str, percent: Decimal, fine: bool) -> "Priced":
    """`fine`: taxes as the block checkout keeps them, unrounded."""
    return _priced(tuple(items), country == site.base_country, percent, site.prices_include_tax, site.decimals, fine)


@dataclass(frozen=True, slots=True)
class Priced:
    """A basket's amounts, the same for everybody who buys the same."""

    lines: tuple[Amounts, ...]
    shipping: Amounts | None
    rates: tuple[Rate, ...]
    total: Decimal


@lru_cache(maxsize=1024)
def _priced(
    items: tuple[tuple[Product, int], ...], taxed: bool, percent: Decimal, including: bool, decimals: int, fine: bool
) -> Priced:
    def cents(amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)

    def kept(tax: Decimal) -> Decimal:
        return tax.quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize() if fine else cents(tax)

    def line(product: Product, quantity: int) -> Amounts:
        rates = [rate for rate in RATES if taxed and rate.tax_class == product.tax_class]
        gross = 1 + sum((rate.percent for rate in rates), Decimal()) / 100 if including else Decimal(1)
        subtotal = (product.price / gross * quantity).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        subtotal = subtotal if including else cents(subtotal)
        total = subtotal - cents(subtotal * percent / 100)
        taxes = tuple(
            (rate.rate_id, kept(total * rate.percent / 100), kept(subtotal * rate.percent / 100)) for rate in rates
        )
        return Amounts(subtotal, total, taxes)

    lines = tuple(line(product, quantity) for product, quantity in items)
    shipping = None
    if not all(product.virtual for product, _ in items):
        on_shipping = [rate for rate in RATES if taxed and rate.on_shipping]
        taxes = tuple((rate.rate_id, kept(SHIPPING * rate.percent / 100), Decimal()) for rate in on_shipping)
        shipping = Amounts(SHIPPING, SHIPPING, taxes)
    every = [*lines, *([shipping] if shipping else [])]
    used = {rate_id for amounts in every for rate_id, _, _ in amounts.taxes}
    tax = sum((cents(sum((tax for _, tax, _ in amounts.taxes), Decimal())) for amounts in every), Decimal())
    total = sum((cents(amounts.total) for amounts in every), Decimal()) + tax
    return Priced(lines, shipping, tuple(rate for rate in RATES if rate.rate_id in used), total)
