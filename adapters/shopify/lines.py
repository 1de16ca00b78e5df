"""Reads what is charged in a Shopify order: the lines, and what stands beside them."""

from collections.abc import Iterator
from decimal import Decimal

from adapters.reading import Reader
from adapters.shopify.documents import Currencies, key_of
from connector.domain.order import Charge, LineItem, Tax

_ZERO = Decimal(0)
_GATEWAY_OF_A_TIP = "tip_payment_gateway"
"""Present, though perhaps null, on the line that is a tip, and on no other."""


def read_lines(order: Reader, currencies: Currencies) -> tuple[LineItem, ...]:
    """The lines as ordered, edits and removals aside; a tip is a charge and no line."""
    return tuple(_line(one, currencies) for one in order.items("line_items") if not _is_tip(one))


def read_charges(order: Reader, currencies: Currencies) -> tuple[Charge, ...]:
    """Shipping, fees, duties, tips and cash rounding, after discounts.

    Names are empty where Shopify has none: the words for them belong to the customer's language.
    """
    return (
        *_shipping(order, currencies),
        *_fees(order, currencies),
        *_duties(order, currencies),
        *_tips(order, currencies),
        *_rounding(order, currencies),
    )


def _line(item: Reader, currencies: Currencies) -> LineItem:
    quantity = item.amount("quantity")
    subtotal = currencies.amount(item, "price") * quantity
    taxes = currencies.taxes(item)
    return LineItem(
        line_id=key_of(item),
        sku=item.text("sku"),
        name=item.text("name") or item.text("title"),
        quantity=quantity,
        total=subtotal - _discounts(item, currencies),
        subtotal=subtotal,
        tax=_sum_of(taxes),
        taxes=taxes,
        details=tuple(_details(item)),
        needs_shipping=item.flag("requires_shipping", default=True),
        current_quantity=item.amount_if_any("current_quantity"),
    )


def _discounts(document: Reader, currencies: Currencies) -> Decimal:
    """Every discount on a line, from the cart, a code or the shop, stands among its allocations."""
    given = [currencies.amount(one, "amount") for one in document.items("discount_allocations")]
    return sum(given, _ZERO)


def _details(item: Reader) -> Iterator[tuple[str, str]]:
    """What the customer chose; names that begin with an underscore are meant for apps, not for people."""
    for one in item.items("properties") if isinstance(item.value("properties"), list) else []:
        words = one.value("value")
        if isinstance(words, str | int | Decimal) and not one.text("name").startswith("_"):
            yield one.text("name"), one.text("value") if not isinstance(words, bool) else str(words).lower()


def _shipping(order: Reader, currencies: Currencies) -> Iterator[Charge]:
    for one in order.items("shipping_lines"):
        if one.flag("is_removed"):
            continue
        total = currencies.told(one, "discounted_price")
        if total is None:
            total = currencies.amount(one, "price") - _discounts(one, currencies)
        yield _charge("shipping", one.text("title"), total, currencies.taxes(one))


def _fees(order: Reader, currencies: Currencies) -> Iterator[Charge]:
    """The API lists fees one by one; a webhook only knows their sum."""
    listed = order.items("additional_fees")
    for one in listed:
        yield _charge("fee", one.text("name"), currencies.amount(one, "price"), currencies.taxes(one))
    total = currencies.told(order, "original_total_additional_fees")
    if total and not listed:
        yield _charge("fee", "", total, ())


def _duties(order: Reader, currencies: Currencies) -> Iterator[Charge]:
    """Duties that are in the prices already (`duties_included`) are no charge beside the lines."""
    total = currencies.told(order, "original_total_duties")
    if total and not order.flag("duties_included"):
        taxes = [
            tax for line in order.items("line_items") for duty in line.items("duties") for tax in currencies.taxes(duty)
        ]
        yield _charge("duty", "", total, tuple(taxes))


def _tips(order: Reader, currencies: Currencies) -> Iterator[Charge]:
    """A tip is a line of its own; only where that is missing the order's sum of tips is used."""
    tips = [one for one in order.items("line_items") if _is_tip(one)]
    for one in tips:
        yield _charge("tip", "", _line(one, currencies).total, currencies.taxes(one))
    total = currencies.told(order, "total_tip_received")
    if total and not tips:
        yield _charge("tip", "", total, ())


def _rounding(order: Reader, currencies: Currencies) -> Iterator[Charge]:
    total = currencies.told(order, "total_cash_rounding_payment_adjustment")
    if total:
        yield _charge("rounding", "", total, ())


def _is_tip(item: Reader) -> bool:
    return _GATEWAY_OF_A_TIP in item.document


def _charge(kind: str, name: str, total: Decimal, taxes: tuple[Tax, ...]) -> Charge:
    return Charge(kind, name, total, _sum_of(taxes), taxes)


def _sum_of(taxes: tuple[Tax, ...]) -> Decimal:
    return sum((tax.amount for tax in taxes), _ZERO)
