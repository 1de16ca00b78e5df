"""How an order's state follows from its rows, and what the validators of invoices and shipments refuse."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from adapters.magento.twin_errors import Refused
from adapters.magento.twin_rows import Line, Order

Items = tuple[tuple[int, int], ...]
"""Order items and how many of each."""

STATE_STATUSES: Mapping[str, tuple[str, ...]] = {
    "new": ("pending",),
    "processing": ("processing", "fraud"),
    "complete": ("complete",),
    "closed": ("closed",),
    "canceled": ("canceled",),
    "holded": ("holded",),
    "payment_review": ("payment_review", "fraud"),
    "pending_payment": ("pending_payment",),
}
"""Which statuses a comment may set while an order is in a state; a shop's own ones are added to a twin."""


def settled(order: Order) -> Order:
    """The state that follows from what was billed, sent and given back (source: Order/Handler/State)."""
    if order.state in ("canceled", "holded") or order.can_invoice:
        return order
    refundable = order.paid != order.refunded if order.grand else not any(line.refunded for line in order.lines)
    if order.state in ("processing", "complete") and not refundable and not order.can_ship:
        return replace(order, state="closed", status="closed")
    if order.state == "processing" and not order.can_ship:
        return replace(order, state="complete", status="complete")
    return order


def events(before: Order | None, after: Order) -> Iterable[str]:
    """Which events the common async-events module has for this save."""
    if before is None:
        yield "sales.order.created"
    elif before.state != after.state:
        yield "sales.order.updated"
    due, was_due = _due(after), before is None or _due(before)
    if was_due and not due:
        yield "sales.order.paid"
    if after.state == "canceled" and (before is None or before.state != "canceled"):
        yield "sales.order.cancelled"
    yield "order.saved"


def _due(order: Order) -> bool:
    return order.grand.base != order.paid.base


def in_progress(order: Order) -> Order:
    """What a first invoice or shipment makes of a new order."""
    if order.state not in ("new", "pending_payment"):
        return order
    return replace(order, state="processing", status="processing")


def chosen(order: Order, wanted: Mapping[int, int] | None, left: Callable[[Line], int]) -> Items:
    """So many of each row as were asked for and are left; all that is left when nothing was asked for."""
    return tuple(
        (line.item_id, min(left(line), wanted[line.item_id]) if wanted else left(line))
        for line in order.lines
        if left(line) and (not wanted or wanted.get(line.item_id, 0) > 0)
    )


def with_children(order: Order, items: Items) -> Items:
    """The same, with the rows below each."""
    counts = dict(items)
    return tuple(
        (line.item_id, counts[line.parent_id or line.item_id])
        for line in order.lines
        if (line.parent_id or line.item_id) in counts
    )


def counted(order: Order, items: Items, what: str) -> tuple[Line, ...]:
    """The order's rows when so many more of them are invoiced, shipped or refunded."""
    counts = dict(items)
    return tuple(
        replace(line, **{what: getattr(line, what) + counts[line.item_id]}) if line.item_id in counts else line
        for line in order.lines
    )


def refuse_shipment(order: Order, items: Items, tracks: Iterable[tuple[str, str, str]]) -> None:
    """What the validators of a shipment say (source: Sales/Model/Order/Validation, Shipment/Validation)."""
    found = []
    if order.is_virtual or order.state in ("payment_review", "holded", "canceled"):
        found.append(f"A shipment cannot be created when an order has a status of {order.status}")
    elif not order.can_ship:
        found.append("The order does not allow a shipment to be created.")
    if not items:
        found.append("You can't create a shipment without products.")
    found += ["Please enter a tracking number." for number, _, _ in tracks if not number]
    if found:
        raise Refused(400, "\n".join(["Shipment Document Validation Error(s):", *found]))
