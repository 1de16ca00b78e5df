"""An order without the person: what stays is what the shop's books need."""

from collections.abc import Iterable
from dataclasses import replace

from connector.domain.delivery import ShipmentUpdate
from connector.domain.order import LineItem, OrderSnapshot, Refund, Shipment, TrackingNumber
from connector.domain.push import PUSH_NAMES, ShipmentPush
from connector.domain.record import Applied, OrderRecord
from connector.domain.timeline import Tag, TimelineEntry

ERASED = "erased"
_OF_A_DECISION = frozenset({Tag.MESSAGE_PLANNED, Tag.MESSAGE_DECLINED})
"""Their entries are named by what was decided about, those of what became of it by the message's id."""


def without_person(record: OrderRecord) -> OrderRecord:
    """The record without names, addresses, numbers, notes, links, and what the customer chose or wrote.

    Amounts, states, moments and facts stay, so that nothing is told again and the books still add up (P10).
    """
    return replace(
        record,
        snapshot=_snapshot(record.snapshot) if record.snapshot else None,
        shipments=tuple(_shipment(one) for one in record.shipments),
        refunds=tuple(_refund(one) for one in record.refunds),
        tellings=_once(replace(one, shipment=_shipment(one.shipment)) for one in record.tellings),
        facts=frozenset(_fact(one, record.shipments) for one in record.facts),
        erased=True,
    )


def applied_without_person(record: OrderRecord, applied: Applied) -> Applied:
    """The same, for what an update made of the record of somebody who was erased; what is no news without the person
    is none."""
    entries = tuple(map(entry_without_person, applied.entries))
    news = tuple(entry for entry in entries if not record.knows(entry.tag, entry.subject))
    return replace(applied, record=without_person(applied.record), entries=news)


def entry_without_person(entry: TimelineEntry) -> TimelineEntry:
    """A line of the order's story without the numbers of its parcels."""
    if entry.tag is Tag.SHIPMENT_TRACKING:
        details = entry.details | {"numbers": ERASED}
        return replace(entry, subject=_numbered(entry.details.get("shipment", "")), details=details)
    if entry.details.get("kind") == PUSH_NAMES[ShipmentPush]:
        hidden = {name: ERASED for name in ("subject", "outcome") if name in entry.details}
        subject = ERASED if entry.tag in _OF_A_DECISION else entry.subject
        return replace(entry, subject=subject, details=entry.details | hidden)
    return entry


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


def _fact(fact: str, shipments: Iterable[Shipment]) -> str:
    """That a parcel has a number is learned once; which one leads to a door, too."""
    start = f"{Tag.SHIPMENT_TRACKING.value}|"
    if not fact.startswith(start):
        return fact
    mine = (one.shipment_id for one in shipments if fact.startswith(f"{start}{one.shipment_id}:"))
    return start + _numbered(max(mine, key=len, default=""))


def _numbered(shipment_id: str) -> str:
    return f"{shipment_id}:{ERASED}"


def _once(tellings: Iterable[ShipmentUpdate]) -> tuple[ShipmentUpdate, ...]:
    return tuple(dict.fromkeys(tellings))
