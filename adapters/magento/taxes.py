"""An order's taxes by rate: for the whole order, for its rows, and for what is charged beside them."""

from collections.abc import Iterable
from decimal import Decimal

from adapters.magento.amounts import amount_or_zero
from adapters.reading import Reader
from connector.domain.order import Tax


def order_taxes(order: Reader) -> tuple[Tax, ...]:
    """The taxes of the whole order, shipping and fees included, in the order's currency."""
    attributes = order.part("extension_attributes")
    return _taxes(attributes.items("applied_taxes") or attributes.items("taxes"))


def row_taxes(order: Reader) -> dict[str, tuple[Tax, ...]]:
    """The taxes of each row that has any, by the row's id."""
    by_row: dict[str, tuple[Tax, ...]] = {}
    for entry in order.items("extension_attributes.item_applied_taxes"):
        row_id = entry.text("item_id")
        if row_id and entry.text("type") in {"product", ""}:
            by_row[row_id] = by_row.get(row_id, ()) + _taxes(entry.items("applied_taxes"))
    return by_row


def shipping_taxes(order: Reader) -> tuple[Tax, ...]:
    """The taxes on shipping."""
    entries = order.items("extension_attributes.item_applied_taxes")
    applied = (entry.items("applied_taxes") for entry in entries if entry.text("type") == "shipping")
    return tuple(tax for listed in applied for tax in _taxes(listed))


def by_the_orders_rate(amount: Decimal, percent: Decimal | None, taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
    """An amount of tax whose rate is not listed, under the order's rate of that percent; its only rate for None.

    Where no rate or several fit, the amount keeps no label: which one it is would be a guess (P5).
    """
    if not amount:
        return ()
    fitting = [tax for tax in taxes if percent in {None, tax.percent}]
    if len(fitting) == 1:
        return (Tax(fitting[0].label, amount, fitting[0].percent),)
    return (Tax("", amount, percent),)


def _taxes(entries: Iterable[Reader]) -> tuple[Tax, ...]:
    return tuple(
        Tax(entry.text("title") or entry.text("code"), amount_or_zero(entry, "amount"), entry.amount_if_any("percent"))
        for entry in entries
    )
