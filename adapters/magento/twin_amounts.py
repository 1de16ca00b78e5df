"""What an order of the twin costs: prices without tax, a row's tax after its discount, everything in two currencies."""

from dataclasses import dataclass

from adapters.magento.twin_rows import Line, Order, Pair, StoreView


@dataclass(frozen=True, slots=True)
class LineAmounts:
    price: Pair
    price_incl: Pair
    row: Pair
    row_incl: Pair
    discount: Pair
    tax: Pair

    @property
    def total(self) -> Pair:
        return self.row - self.discount + self.tax


@dataclass(frozen=True, slots=True)
class Totals:
    subtotal: Pair
    subtotal_incl: Pair
    discount: Pair
    tax: Pair
    """With that of shipping."""
    shipping: Pair
    shipping_tax: Pair
    grand: Pair


def line_amounts(line: Line, store: StoreView, quantity: int | None = None) -> LineAmounts:
    """Of a whole row, or of so many pieces of it."""
    count = line.ordered if quantity is None else quantity
    price = store.pair(line.product.cents if line.counts else 0)
    row = price * count
    discount = store.pair(line.discount * count // line.ordered)
    return LineAmounts(
        price=price,
        price_incl=price + price.percent(store.tax),
        row=row,
        row_incl=row + row.percent(store.tax),
        discount=discount,
        tax=(row - discount).percent(store.tax),
    )


def totals(order: Order) -> Totals:
    """Of the whole order."""
    return totals_of(order, tuple((line.item_id, line.ordered) for line in order.lines), order.shipping)


def totals_of(order: Order, items: tuple[tuple[int, int], ...], shipping: Pair) -> Totals:
    """Of some pieces of an order and the shipping that goes with them."""
    lines = {line.item_id: line for line in order.lines}
    parts = [line_amounts(lines[item_id], order.store, count) for item_id, count in items if lines[item_id].adds]
    nothing = Pair()
    subtotal = sum((part.row for part in parts), nothing)
    discount = sum((part.discount for part in parts), nothing)
    shipping_tax = shipping.percent(order.store.tax)
    tax = sum((part.tax for part in parts), nothing) + shipping_tax
    return Totals(
        subtotal=subtotal,
        subtotal_incl=sum((part.row_incl for part in parts), nothing),
        discount=discount,
        tax=tax,
        shipping=shipping,
        shipping_tax=shipping_tax,
        grand=subtotal - discount + tax + shipping,
    )
