"""Deciding what a platform should be told: pure, explained, and nothing it told us itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from connector.domain.push import LinkPush, NotePush, Push, ShipmentPush, StatusPush
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.status import ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from notifications.kinds import Declined, Notification
from notifications.reasons import Reason

PLATFORM = "platform"
"""The channel that leads back to the shop's own platform."""
AGE_LIMIT = timedelta(days=14)
"""After this a platform is not told any more (P4)."""
SHIPMENT = "push_shipment"
STATUS = "push_status"
NOTE = "push_note"
INVOICE_LINK = "push_invoice_link"
SWITCHES: Mapping[str, str] = {
    STATUS: "tell the platform where parcels are",
    NOTE: "write into the order's history what the customer was told",
    INVOICE_LINK: "put a link to the invoice on the order",
}
"""What is written back only where the merchant switched it on. A number the merchant enters goes there at once."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One thing to write back to one order's platform."""

    kind: str
    subject: str
    """What makes it one of its kind: the number, the parcel and its status, the message it tells of."""
    details: Mapping[str, str]
    reason: Reason


def plan_pushes(
    record: OrderRecord, entries: Sequence[TimelineEntry], shop: Shop, now: datetime
) -> list[Notification | Declined]:
    """One decision for each step of a parcel that did not come from the platform."""
    return [
        decide(record, shop, _of_step(entry), now)
        for entry in entries
        if entry.tag in (Tag.SHIPMENT_PROGRESS, Tag.SHIPMENT_DELIVERED)
    ]


def decide(
    record: OrderRecord, shop: Shop, writing: Writing, now: datetime, *, ordered: bool = False
) -> Notification | Declined:
    """The intent to write something back, if the shop wants it; `ordered`: the merchant asked for it this moment."""
    if shop.ended_at is not None or not (ordered or shop.writes(writing.kind)):
        why_not = Reason.ENDED if shop.ended_at else Reason.NOT_WRITTEN
        return Declined(record.order_id, writing.kind, writing.subject, why_not.value)
    return Notification(
        shop_id=record.shop_id,
        order_id=record.order_id,
        kind=writing.kind,
        subject=writing.subject,
        recipient=shop.platform,
        channel=PLATFORM,
        locale=record.locale,
        run_at=now,
        expires_at=now + AGE_LIMIT,
        reason=writing.reason.value,
        details=tuple(sorted(writing.details.items())),
    )


def parcel(
    number: str, carrier: str, url: str, shipment_id: str, items: Sequence[tuple[str, Decimal]], shipped_at: datetime
) -> Writing:
    """A tracking number the merchant enters; `items` as in `ShipmentPush`, `shipped_at` in UTC."""
    details = {
        "number": number,
        "carrier": carrier,
        "url": url,
        "shipment_id": shipment_id,
        "items": json.dumps([[line, str(quantity)] for line, quantity in items]),
        "shipped_at": shipped_at.isoformat(),
    }
    return Writing(SHIPMENT, f"{shipment_id}:{number}"[:128], details, Reason.ADDED_BY_HAND)


def note(about: str, words: str) -> Writing:
    """A line for the merchant; `about`: what it is one line about, such as an intent's id."""
    return Writing(NOTE, about, {"words": words}, Reason.TOLD_CUSTOMER)


def invoice_link(number: str, url: str) -> Writing:
    """Where an invoice can be had."""
    return Writing(INVOICE_LINK, number, {"number": number, "url": url}, Reason.INVOICED)


def as_push(intent_id: str, notification: Notification) -> Push:
    """What an intent asks the adapter to write. Raises KeyError for a kind nobody writes back."""
    details = dict(notification.details)
    order_id = notification.order_id
    match notification.kind:
        case "push_shipment":
            items = tuple((line, Decimal(quantity)) for line, quantity in json.loads(details["items"]))
            shipped_at = datetime.fromisoformat(details["shipped_at"])
            return ShipmentPush(
                intent_id=intent_id,
                order_id=order_id,
                number=details["number"],
                carrier=details["carrier"],
                url=details["url"],
                shipment_id=details["shipment_id"],
                items=items,
                shipped_at=shipped_at,
            )
        case "push_status":
            status, happened_at = ShipmentStatus(details["status"]), datetime.fromisoformat(details["happened_at"])
            return StatusPush(
                intent_id, order_id, details["shipment_id"], status, happened_at, details["number"], details["words"]
            )
        case "push_note":
            return NotePush(intent_id, order_id, details["words"])
        case "push_invoice_link":
            return LinkPush(intent_id, order_id, details["number"], details["url"])
        case _:
            raise KeyError(notification.kind)


def _of_step(entry: TimelineEntry) -> Writing:
    shipment_id, status = _parcel_and_status(entry)
    details = {
        "shipment_id": shipment_id,
        "status": status,
        "happened_at": entry.occurred_at.isoformat(),
        "number": "",
        "words": f"Parcel {shipment_id}: {status.replace('_', ' ')}",
    }
    return Writing(STATUS, f"{shipment_id}:{status}"[:128], details, Reason.MOVED_ON)


def _parcel_and_status(entry: TimelineEntry) -> tuple[str, str]:
    """The subject of a parcel's progress holds its status; that it was delivered is a fact of its own."""
    if entry.tag is Tag.SHIPMENT_DELIVERED:
        return entry.subject, ShipmentStatus.DELIVERED.value
    shipment_id, _, status = entry.subject.rpartition(":")
    return shipment_id, status
