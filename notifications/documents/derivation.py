"""What an invoice needs and no platform says: unit prices and tax bases, each only where it fits the given figures."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connector.domain.order import Tax
from notifications.documents.model import InvoiceCharge, InvoiceLine, TaxSum

Part = InvoiceLine | InvoiceCharge

_EXTRA_PLACES = 4
"""How many places more than the amount a unit price may have (0.0125 each makes 1.25 a hundred)."""


def places(amount: Decimal) -> int:
    """How many decimal places the platform wrote."""
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def unit_price(amount: Decimal, quantity: Decimal) -> Decimal | None:
    """The price that times `quantity` is exactly `amount`, or None when a few decimal places cannot say it."""
    if quantity <= 0:
        return None
    for extra in range(_EXTRA_PLACES + 1):
        try:
            price = (amount / quantity).quantize(Decimal(1).scaleb(-places(amount) - extra))
        except InvalidOperation:
            return None
        if price * quantity == amount:
            return price
    return None


def tax_sums(taxes: Sequence[Tax], parts: Sequence[Part]) -> tuple[TaxSum, ...]:
    """The order's taxes as given, each with the sum it was taken of: the net of the parts that bear it, or for a
    compound tax their net with the other taxes, where one of the two explains the amount.

    Each part may have been rounded by itself, so a base fits when it explains the amount to within one unit of the last
    place for each part (woocommerce reference, section 4).
    """
    same = _matching(taxes)
    return tuple(
        TaxSum(tax.label, tax.percent, _base(tax, _bearing(tax, taxes, parts, same)), tax.amount) for tax in taxes
    )


@dataclass(frozen=True, slots=True)
class _Borne:
    """What one part has to do with one tax."""

    net: Decimal
    amount: Decimal
    other_taxes: Decimal


def _matching(taxes: Sequence[Tax]) -> Callable[[Tax], Hashable]:
    """What tells the order's taxes apart: the label when it is enough, else label and percent."""
    labels = Counter(tax.label for tax in taxes)
    if max(labels.values(), default=0) <= 1:
        return lambda tax: tax.label
    return lambda tax: (tax.label, tax.percent)


def _bearing(
    tax: Tax, taxes: Sequence[Tax], parts: Sequence[Part], same: Callable[[Tax], Hashable]
) -> tuple[_Borne, ...]:
    """Every part that bears this tax; nothing when two taxes cannot be told apart."""
    if len(taxes) == 1 and not any(part.taxes for part in parts):
        return tuple(_Borne(part.net, part.tax, Decimal(0)) for part in parts if part.tax)
    if sum(same(other) == same(tax) for other in taxes) > 1:
        return ()
    return tuple(
        _Borne(part.net, one.amount, part.tax - one.amount)
        for part in parts
        for one in part.taxes
        if same(one) == same(tax)
    )


def _base(tax: Tax, bearing: Sequence[_Borne]) -> Decimal | None:
    tolerance = Decimal(1).scaleb(-places(tax.amount)) * (len(bearing) + 1)
    if not bearing or abs(sum(one.amount for one in bearing) - tax.amount) > tolerance:
        return None
    net = sum((one.net for one in bearing), Decimal(0))
    compound = net + sum(one.other_taxes for one in bearing)
    for base in (net, compound):
        if tax.percent is None or abs(base * tax.percent / 100 - tax.amount) <= tolerance:
            return _without_idle_zeros(base, places(tax.amount))
    return None


def _without_idle_zeros(amount: Decimal, at_least: int) -> Decimal:
    """107.9000 as 107.90 where two places are usual; the value stays."""
    while places(amount) > at_least and amount.as_tuple().digits[-1] == 0:
        amount = amount.quantize(Decimal(1).scaleb(1 - places(amount)))
    return amount
