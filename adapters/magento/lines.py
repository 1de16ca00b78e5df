"""The order's rows as lines: what carries the money is a line, once, without tax and after discounts."""

from dataclasses import dataclass
from decimal import Decimal

from adapters.magento.amounts import NOTHING, amount_or_zero, is_close
from adapters.magento.taxes import by_the_orders_rate, order_taxes, row_taxes
from adapters.reading import Reader
from connector.domain.order import LineItem, Tax


@dataclass(frozen=True, slots=True)
class Row:
    """One row of `items` with its amounts in the order's currency; what is absent is zero."""

    item: Reader
    row_id: str
    parent_id: str
    price: Decimal
    quantity: Decimal
    row_total: Decimal
    discount: Decimal
    compensation: Decimal
    """The part of the discount that was tax, where catalog prices include tax."""
    tax: Decimal

    @property
    def carries_money(self) -> bool:
        return self.row_total + self.discount > 0


def line_items(order: Reader) -> tuple[LineItem, ...]:
    """The lines of an order document, net of tax (`prices_include_tax` is false for them).

    Raises UnreadableDelivery for a row without id or quantity.
    """
    rows = [_row(item) for item in order.items("items")]
    subtotal = order.amount_if_any("subtotal")
    counted = _counted(rows, subtotal)
    discounted = _are_discounted(counted, subtotal)
    names = {row.row_id: row.item for row in rows}
    by_row, by_order = row_taxes(order), order_taxes(order)

    def taxes(row: Row) -> tuple[Tax, ...]:
        percent = row.item.amount_if_any("tax_percent")
        return by_row.get(row.row_id) or by_the_orders_rate(row.tax, percent, by_order)

    return tuple(
        _line(row, names.get(row.parent_id), taxes(row), is_discounted=is_discounted)
        for row, is_discounted in zip(counted, discounted, strict=True)
    )


def _row(item: Reader) -> Row:
    return Row(
        item=item,
        row_id=item.key("item_id"),
        parent_id=item.text("parent_item_id"),
        price=amount_or_zero(item, "price"),
        quantity=item.amount("qty_ordered"),
        row_total=amount_or_zero(item, "row_total"),
        discount=abs(amount_or_zero(item, "discount_amount")),
        compensation=amount_or_zero(item, "discount_tax_compensation_amount"),
        tax=amount_or_zero(item, "tax_amount"),
    )


def _counted(rows: list[Row], subtotal: Decimal | None) -> list[Row]:
    """The rows that are lines: without children, or with a bundle's children in place of the bundle.

    A bundle with a dynamic price repeats its children's sum on its own row; the children know their taxes and
    discounts, so they are the lines, unless only the bundle's own row fits the order's subtotal.
    """
    parents = {row.row_id for row in rows}
    tops = [row for row in rows if row.parent_id not in parents]
    children: dict[str, list[Row]] = {}
    for row in rows:
        if row.parent_id in parents:
            children.setdefault(row.parent_id, []).append(row)
    spread = [line for top in tops for line in _spread(top, children.get(top.row_id, []))]
    if spread != tops and not _fits(spread, subtotal) and _fits(tops, subtotal):
        return tops
    return spread


def _spread(top: Row, children: list[Row]) -> list[Row]:
    is_bundle = top.item.text("product_type") == "bundle"
    return children if is_bundle and any(child.carries_money for child in children) else [top]


def _fits(rows: list[Row], subtotal: Decimal | None) -> bool:
    """Whether the rows add up to the order's subtotal, which is always before discounts."""
    return subtotal is not None and (
        is_close(_before(rows, True), subtotal) or is_close(_before(rows, False), subtotal)
    )


def _are_discounted(rows: list[Row], subtotal: Decimal | None) -> list[bool]:
    """For each row whether its `row_total` is already after discounts: stock shops write it before.

    The order's subtotal decides for all rows; where it fits neither way, each row's own price does.
    """
    if subtotal is not None and is_close(_before(rows, False), subtotal):
        return [False] * len(rows)
    if subtotal is not None and is_close(_before(rows, True), subtotal):
        return [True] * len(rows)
    return [_looks_discounted(row) for row in rows]


def _before(rows: list[Row], are_discounted: bool) -> Decimal:
    return sum((row.row_total + (row.discount if are_discounted else 0) for row in rows), NOTHING)


def _looks_discounted(row: Row) -> bool:
    full = row.price * row.quantity
    return abs(row.row_total + row.discount - full) < abs(row.row_total - full)


def _line(row: Row, parent: Reader | None, taxes: tuple[Tax, ...], *, is_discounted: bool) -> LineItem:
    item = row.item
    return LineItem(
        line_id=row.row_id,
        sku=item.text("sku"),
        name=item.text("name"),
        quantity=row.quantity,
        total=row.row_total if is_discounted else _less(row.row_total, row.discount - row.compensation),
        subtotal=_less(row.row_total, -row.discount) if is_discounted else row.row_total,
        tax=row.tax,
        taxes=taxes,
        details=((parent.text("name"), parent.text("sku")),) if parent else (),
        needs_shipping=not item.flag("is_virtual"),
        current_quantity=row.quantity - amount_or_zero(item, "qty_canceled") - amount_or_zero(item, "qty_refunded"),
    )


def _less(amount: Decimal, deduction: Decimal) -> Decimal:
    """The amount as it was written when nothing is taken off."""
    return amount - deduction if deduction else amount
