"""Deciding what a platform should be told: pure, explained, and nothing it told us itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from notifications.kinds import Declined, Notification
from notifications.planning import not_ours
from notifications.reasons import Reason

PLATFORM = "platform"
"""The channel that leads back to the shop's own platform."""
AGE_LIMIT = timedelta(days=14)
"""After this a platform is not told any more (P4)."""
PUSH_SHIPMENT = "push_shipment"
PUSH_STATUS = "push_status"
PUSH_NOTE = "push_note"
PUSH_INVOICE_LINK = "push_invoice_link"
PUSH_KINDS = (PUSH_SHIPMENT, PUSH_STATUS, PUSH_NOTE, PUSH_INVOICE_LINK)

_PROGRESS = (Tag.SHIPMENT_PROGRESS, Tag.SHIPMENT_DELIVERED)


def plan_pushes(
    record: OrderRecord, entries: Sequence[TimelineEntry], shop: Shop, now: datetime
) -> list[Notification | Declined]:
    """One decision for each step of a parcel that did not come from the platform."""
    found: list[Notification | Declined] = []
    for entry in entries:
        if entry.tag not in _PROGRESS:
            continue
        shipment_id, status = _parcel_and_status(entry)
        details = {"shipment_id": shipment_id, "status": status, "happened_at": entry.occurred_at.isoformat()}
        subject = f"{shipment_id}:{status}"
        found.append(push(record, shop, PUSH_STATUS, subject, details, Reason.MOVED_ON, now))
    return found


def push(
    record: OrderRecord,
    shop: Shop,
    kind: str,
    subject: str,
    details: dict[str, str],
    reason: Reason,
    now: datetime,
    *,
    ordered: bool = False,
) -> Notification | Declined:
    """The intent to write one thing back, if that is wanted; `ordered`: the merchant asked for it this moment."""
    why_not = Reason.ENDED if shop.ended_at else None if ordered else not_ours(kind, shop)
    if why_not:
        return Declined(record.order_id, kind, subject, why_not.value)
    return Notification(
        shop_id=record.shop_id,
        order_id=record.order_id,
        kind=kind,
        subject=subject,
        recipient=shop.platform,
        channel=PLATFORM,
        locale=record.locale,
        run_at=now,
        expires_at=now + AGE_LIMIT,
        reason=reason.value,
        details=tuple(sorted(details.items())),
    )


def _parcel_and_status(entry: TimelineEntry) -> tuple[str, str]:
    """The subject of a parcel's progress holds its status; that it was delivered is a fact of its own."""
    if entry.tag is Tag.SHIPMENT_DELIVERED:
        return entry.subject, "delivered"
    shipment_id, _, status = entry.subject.rpartition(":")
    return shipment_id, status
