"""An order without the person: what stays is what the shop's books need."""

from dataclasses import replace

from connector.domain.delivery import ShipmentUpdate
from connector.domain.order import LineItem, OrderSnapshot, Refund, Shipment, TrackingNumber
from connector.domain.record import OrderRecord

ERASED = "erased"


def without_person(record: OrderRecord) -> OrderRecord:
    """The record without names, addresses, numbers, notes, links, and what the customer chose or wrote.

    Amounts, states, moments and facts stay, so that nothing is told again and the books still add up (P10).
    """
    return replace(
        record,
        snapshot=_snapshot(record.snapshot) if record.snapshot else None,
        shipments=tuple(_shipment(one) for one in record.shipments),
        refunds=tuple(_refund(one) for one in record.refunds),
        tellings=tuple(replace(one, shipment=_shipment(one.shipment)) for one in _once(record.tellings)),
        erased=True,
    )


def _snapshot(snapshot: OrderSnapshot) -> OrderSnapshot:
    return replace(
        snapshot,
        email="",
        phone="",
        customer_id="",
        billing=None,
        shipping=None,
        customer_note="",
        customer_tax_id="",
        purchase_number="",
        status_url="",
        lines=tuple(_line(one) for one in snapshot.lines),
        refunds=tuple(_refund(one) for one in snapshot.refunds),
        shipments=tuple(_shipment(one) for one in snapshot.shipments),
    )


def _line(line: LineItem) -> LineItem:
    return replace(line, details=())


def _refund(refund: Refund) -> Refund:
    return replace(refund, reason="")


def _shipment(shipment: Shipment) -> Shipment:
    """A tracking number leads to a door; that there was one is a fact that stays."""
    return replace(shipment, tracking=tuple(TrackingNumber(ERASED, one.carrier) for one in shipment.tracking))


def _once(tellings: tuple[ShipmentUpdate, ...]) -> tuple[ShipmentUpdate, ...]:
    return tuple(dict.fromkeys(tellings))
