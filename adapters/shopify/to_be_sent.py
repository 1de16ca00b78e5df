"""Which lines of an order a parcel takes from where: a fulfilment is made of fulfilment orders of one location."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from adapters.reading import Reader
from adapters.shopify.documents import number_of
from connector.domain.errors import Permanent

Taken = dict[str, object]
"""A `FulfillmentOrderLineItemsInput`."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is left of one line in a fulfilment order."""

    gid: str
    line_id: str
    remaining: int


@dataclass(frozen=True, slots=True)
class Order:
    """A fulfilment order: what is to be sent from one location."""

    gid: str
    status: str
    can_be_sent: bool
    location: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def has_something_left(self) -> bool:
        return any(line.remaining > 0 for line in self.lines)


def read_order(node: Reader) -> Order:
    """A node of `fulfillmentOrders`. Raises UnreadableDelivery."""
    actions = {one.text("action") for one in node.items("supportedActions")}
    location = node.part("assignedLocation")
    return Order(
        gid=node.text("id"),
        status=node.text("status"),
        can_be_sent="CREATE_FULFILLMENT" in actions,
        location=tuple(location.text(name) for name in ("name", "address1", "zip")),
        lines=tuple(
            Line(one.text("id"), number_of(one.text("lineItem.id")), int(one.amount("remainingQuantity")))
            for one in node.items("lineItems.nodes")
        ),
    )


def still_to_send(orders: Iterable[Order], items: tuple[tuple[str, Decimal], ...]) -> list[Taken]:
    """What to take for a parcel with these lines (by order line id), or for one with all that is left.

    Raises Permanent where Shopify has nothing left, holds it back, or where it is not clear which location sends.
    """
    left = [order for order in orders if order.has_something_left]
    ready = sorted((order for order in left if order.can_be_sent), key=lambda order: order.location)
    if not ready:
        raise Permanent(_why_nothing(left))
    places = [list(group) for _, group in groupby(ready, key=lambda order: order.location)]
    if items:
        fitting = (taken for taken in (_taken(place, items) for place in places) if taken)
        found = next(fitting, None)
        if not found:
            raise Permanent("In Shopify not all lines of this parcel are left to be sent from one location")
        return found
    if len(places) > 1:
        raise Permanent("In Shopify this order is sent from several locations: say which lines are in the parcel")
    return [{"fulfillmentOrderId": order.gid} for order in places[0]]


def _why_nothing(left: list[Order]) -> str:
    if any(order.status == "ON_HOLD" for order in left):
        return "Shopify holds this order back: release the hold on the order's page"
    if left:
        return "In Shopify a fulfilment service, or a later date, is set for what is left of this order: send it there"
    return "In Shopify nothing of this order is left to be sent: add the number to the parcel that is there"


def _taken(orders: list[Order], items: tuple[tuple[str, Decimal], ...]) -> list[Taken] | None:
    """What to take from these fulfilment orders for all the items; None when they don't have enough."""
    wanted = dict(items)
    found: list[Taken] = []
    for order in orders:
        lines = []
        for line in order.lines:
            number = min(wanted.get(line.line_id, Decimal(0)), Decimal(line.remaining))
            if number >= 1:
                lines.append({"id": line.gid, "quantity": int(number)})
                wanted[line.line_id] -= int(number)
        if lines:
            found.append({"fulfillmentOrderId": order.gid, "fulfillmentOrderLineItems": lines})
    return None if any(wanted.values()) else found
