"""What really happened in the twin's shop, for comparing."""

from collections import defaultdict
from decimal import Decimal

from adapters.magento.twin_rows import Order
from adapters.magento.twin_sales import Sales
from adapters.twins import Truth


def truth_of(sales: Sales) -> dict[str, Truth]:
    """All orders by id, committed or not."""
    numbers: dict[int, set[str]] = defaultdict(set)
    for shipment in sales.shipments.all_rows().values():
        numbers[shipment.order_id].update(track.number for track in shipment.tracks)
    return {
        str(order_id): _truth(order, frozenset(numbers[order_id]))
        for order_id, order in sales.orders.all_rows().items()
    }


def _truth(order: Order, numbers: frozenset[str]) -> Truth:
    return Truth(
        str(order.entity_id),
        order.increment_id,
        order.status or order.state,
        Decimal(order.grand.own) / 100,
        Decimal(order.refunded.own) / 100,
        numbers,
    )
