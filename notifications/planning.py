"""Deciding what to tell: pure, explained, and never about the past (P3, P4, P11)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.domain.record import OrderRecord, has_left
from connector.domain.shop import Shop
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from notifications.kinds import KINDS, Declined, Kind, Notification
from notifications.reasons import Reason

EMAIL = "email"

_KIND_OF_FACT = {kind.fact: kind for kind in KINDS.values()}
_REASONS = {
    "order_received": Reason.PLACED,
    "payment_received": Reason.PAID,
    "shipped": Reason.SHIPPED,
    "delivered": Reason.DELIVERED,
    "cancelled": Reason.CANCELLED,
    "refunded": Reason.REFUNDED,
}


@dataclass(frozen=True, slots=True)
class _Occasion:
    """One new fact that one kind of message tells of."""

    record: OrderRecord
    shop: Shop
    kind: Kind
    subject: str
    entry: TimelineEntry
    now: datetime


def plan(
    record: OrderRecord,
    entries: Sequence[TimelineEntry],
    shop: Shop,
    now: datetime,
    *,
    tracking_wait: timedelta,
) -> list[Notification | Declined]:
    """One decision for each new entry that a kind tells of.

    `tracking_wait`: how long "shipped" waits for a tracking number. When the number comes, the same intent comes out
    again with an earlier `run_at`.
    """
    occasions = [_Occasion(record, shop, kind, subject, entry, now) for kind, entry, subject in _found(record, entries)]
    return _told_once([_decide(occasion, tracking_wait) for occasion in occasions])


def no_longer(notification: Notification, record: OrderRecord, now: datetime) -> Reason | None:
    """Why a planned message must not go out any more, looking at what is known just before it is sent."""
    if now > notification.expires_at:
        return Reason.TOO_OLD
    snapshot = record.snapshot
    cancelled = snapshot is not None and snapshot.state is OrderState.CANCELLED
    refunded = snapshot is not None and snapshot.payment is PaymentState.REFUNDED
    if notification.kind == "cancelled" and not cancelled and not refunded:
        return Reason.REOPENED
    if notification.kind in {"order_received", "payment_received"} and cancelled:
        return Reason.ALREADY_CANCELLED
    if notification.kind == "shipped":
        return _shipped_no_longer(notification, record)
    return None


def _shipped_no_longer(notification: Notification, record: OrderRecord) -> Reason | None:
    if not notification.subject:
        return Reason.PARCEL_TELLS if any(has_left(parcel) for parcel in record.parcels) else None
    shipment = record.shipment(notification.subject)
    if shipment is None or shipment.status is ShipmentStatus.CANCELLED:
        return Reason.TAKEN_BACK
    if shipment.status is ShipmentStatus.DELIVERED:
        return Reason.ALREADY_DELIVERED
    return None


def _found(record: OrderRecord, entries: Sequence[TimelineEntry]) -> Iterator[tuple[Kind, TimelineEntry, str]]:
    shipped = KINDS["shipped"]
    announced = {entry.subject for entry in entries if entry.tag is Tag.SHIPMENT_SHIPPED}
    for entry in entries:
        if entry.tag in _KIND_OF_FACT:
            yield _KIND_OF_FACT[entry.tag], entry, entry.subject
        elif entry.tag is Tag.SHIPMENT_TRACKING:
            shipment_id = entry.subject.rpartition(":")[0]
            if shipment_id not in announced and record.knows(Tag.SHIPMENT_SHIPPED, shipment_id):
                yield shipped, entry, shipment_id
        elif entry.tag is Tag.ORDER_COMPLETED and not any(has_left(parcel) for parcel in record.parcels):
            yield shipped, entry, ""
        elif entry.tag is Tag.ORDER_REPLACED:
            yield KINDS["cancelled"], entry, ""


def _decide(occasion: _Occasion, tracking_wait: timedelta) -> Notification | Declined:
    record, kind, entry = occasion.record, occasion.kind, occasion.entry
    why_not = _why_not(occasion)
    if why_not:
        return Declined(record.order_id, kind.name, occasion.subject, why_not.value)
    wait, reason = _wait(occasion, tracking_wait)
    return Notification(
        shop_id=record.shop_id,
        order_id=record.order_id,
        kind=kind.name,
        subject=occasion.subject,
        recipient=record.snapshot.email if record.snapshot else "",
        channel=EMAIL,
        locale=record.locale,
        run_at=occasion.now + wait,
        expires_at=entry.occurred_at + kind.age_limit + wait,
        reason=reason.value,
        invoice=kind.carries_invoice,
    )


def _told_once(decisions: list[Notification | Declined]) -> list[Notification | Declined]:
    """One moment, one message: "order received" tells the payment learned with it, "cancelled" tells the refund."""
    planned = {one.kind for one in decisions if isinstance(one, Notification)}
    paid_at_once = {"order_received", "payment_received"} <= planned
    cancelled_with_refund = {"cancelled", "refunded"} <= planned

    def settled(one: Notification | Declined) -> Notification | Declined:
        if isinstance(one, Declined):
            return one
        if paid_at_once and one.kind == "order_received":
            return replace(one, invoice=True)
        if (paid_at_once and one.kind == "payment_received") or (cancelled_with_refund and one.kind == "refunded"):
            return Declined(one.order_id, one.kind, one.subject, Reason.TOLD_TOGETHER.value)
        return one

    return [settled(one) for one in decisions]


def _why_not(occasion: _Occasion) -> Reason | None:
    kind, entry, shop = occasion.kind, occasion.entry, occasion.shop
    snapshot = occasion.record.snapshot
    if kind.name in shop.silent_kinds:
        return Reason.SILENT
    if entry.occurred_at < shop.connected_at:
        return Reason.BEFORE_CONNECTION
    if occasion.now - entry.occurred_at > kind.age_limit:
        return Reason.TOO_OLD
    if entry.tag is Tag.ORDER_REPLACED:
        return Reason.REPLACED
    if snapshot is None or not snapshot.email:
        return Reason.NO_ADDRESS
    if kind.name in {"order_received", "payment_received"} and snapshot.state is OrderState.CANCELLED:
        return Reason.ALREADY_CANCELLED
    return _why_not_shipped(occasion.record, occasion.subject) if kind.name == "shipped" else None


def _why_not_shipped(record: OrderRecord, subject: str) -> Reason | None:
    shipment = record.shipment(subject)
    if shipment and shipment.status is ShipmentStatus.DELIVERED:
        return Reason.ALREADY_DELIVERED
    if not subject and record.snapshot and not record.snapshot.needs_shipping:
        return Reason.NOTHING_TO_SHIP
    return None


def _wait(occasion: _Occasion, tracking_wait: timedelta) -> tuple[timedelta, Reason]:
    kind, subject = occasion.kind, occasion.subject
    shipment = occasion.record.shipment(subject) if subject else None
    if kind.name != "shipped" or (shipment and shipment.tracking):
        return timedelta(0), _REASONS[kind.name]
    return tracking_wait, Reason.SHIPPED_WITHOUT_TRACKING if subject else Reason.COMPLETED
