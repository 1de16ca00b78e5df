"""Deciding what to tell: pure, explained, and never about the past (P3, P4, P11)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connector.domain.record import OrderRecord, has_left
from connector.domain.shop import Shop, Voice
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from notifications.kinds import KINDS, Declined, Kind, Notification
from notifications.reasons import Reason

EMAIL = "email"
_OF_A_PARCEL_ON_ITS_WAY = frozenset({"shipped", "tracking_added"})
LONGEST_ADDRESS = 254
"""RFC 5321, section 4.5.3.1.3, without the angle brackets."""

_KIND_OF_FACT = {kind.fact: kind for kind in KINDS.values() if kind.fact is not Tag.SHIPMENT_TRACKING}
_REASONS = {
    "order_received": Reason.PLACED,
    "payment_received": Reason.PAID,
    "shipped": Reason.SHIPPED,
    "tracking_added": Reason.TRACKING_ADDED,
    "delivered": Reason.DELIVERED,
    "cancelled": Reason.CANCELLED,
    "refunded": Reason.REFUNDED,
}

_UNSPOKEN = {
    Voice.PLATFORM: Reason.PLATFORM_SPEAKS,
    Voice.SHADOW: Reason.SHADOW,
    Voice.NOBODY: Reason.SILENT,
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
    again with an earlier `run_at`, and "tracking_added" with it: whichever of the two is too late tells nothing
    (`told_once`).
    """
    occasions = [_Occasion(record, shop, kind, subject, entry, now) for kind, entry, subject in _found(record, entries)]
    return _told_once([_decide(occasion, tracking_wait) for occasion in occasions])


def told_once(
    decision: Notification | Declined, announced: Callable[[Notification], str | None]
) -> Notification | Declined:
    """Of one parcel "shipped" is told once, and its number once, also when one of them is learned late.

    `announced`: the reason with which a "shipped" intent has gone out, or is on its way; None when it has not. A parcel
    whose "shipped" had no number, or whose order was announced as a whole, gets "tracking_added" when its number comes.
    """
    if isinstance(decision, Declined) or not decision.subject or decision.kind not in _OF_A_PARCEL_ON_ITS_WAY:
        return decision
    whole = announced(replace(decision, kind="shipped", subject="")) is not None
    if decision.kind == "shipped" and not whole:
        return decision
    if decision.kind == "shipped" and decision.reason == Reason.SHIPPED.value:
        return replace(decision, kind="tracking_added", reason=Reason.TRACKING_ADDED.value)
    without = announced(replace(decision, kind="shipped")) == Reason.SHIPPED_WITHOUT_TRACKING.value
    if decision.kind == "tracking_added" and (whole or without):
        return decision
    return Declined(decision.order_id, decision.kind, decision.subject, Reason.TOLD_TOGETHER.value)


def no_longer(notification: Notification, record: OrderRecord, shop: Shop, now: datetime) -> Reason | None:
    """Why a planned message must not go out any more, looking at what is known just before it is sent."""
    if now > notification.expires_at:
        return Reason.TOO_OLD
    if not shop.speaks(notification.kind):
        return not_ours(notification.kind, shop)
    if record.snapshot and record.snapshot.email and not same_address(notification.recipient, record.snapshot.email):
        return Reason.ADDRESS_CHANGED
    return _untrue(notification.kind, notification.subject, record)


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same mailbox for all that is known: capitals make no difference."""
    return one.lower() == other.lower()


def _untrue(kind: str, subject: str, record: OrderRecord) -> Reason | None:
    """What is known by now that speaks against telling something; asked when it is planned and again before sending."""
    snapshot = record.snapshot
    if snapshot is None:
        return None
    cancelled, payment = snapshot.state is OrderState.CANCELLED, snapshot.payment
    if kind == "cancelled" and not cancelled and payment is not PaymentState.REFUNDED:
        return Reason.REOPENED
    if kind in {"order_received", "payment_received", *_OF_A_PARCEL_ON_ITS_WAY} and cancelled:
        return Reason.ALREADY_CANCELLED
    if kind == "payment_received" and not payment.settled and payment is not PaymentState.UNKNOWN:
        return Reason.UNPAID
    if kind == "shipped" and not subject:
        return Reason.PARCEL_TELLS if any(has_left(parcel) for parcel in record.parcels) else None
    return _parcel_untrue(kind, subject, record) if kind in {"delivered", *_OF_A_PARCEL_ON_ITS_WAY} else None


def _parcel_untrue(kind: str, subject: str, record: OrderRecord) -> Reason | None:
    shipment = record.shipment(subject)
    if shipment is None or shipment.status is ShipmentStatus.CANCELLED:
        return Reason.TAKEN_BACK
    if kind in _OF_A_PARCEL_ON_ITS_WAY and shipment.status is ShipmentStatus.DELIVERED:
        return Reason.ALREADY_DELIVERED
    return None


def _found(record: OrderRecord, entries: Sequence[TimelineEntry]) -> Iterator[tuple[Kind, TimelineEntry, str]]:
    shipped = KINDS["shipped"]
    announced = {entry.subject for entry in entries if entry.tag is Tag.SHIPMENT_SHIPPED}
    for entry in entries:
        if entry.tag in _KIND_OF_FACT:
            yield _KIND_OF_FACT[entry.tag], entry, entry.subject
        elif entry.tag is Tag.SHIPMENT_TRACKING:
            shipment_id = entry.details["shipment"]
            if shipment_id not in announced and record.knows(Tag.SHIPMENT_SHIPPED, shipment_id):
                left = replace(entry, occurred_at=_left_at(record, shipment_id))
                yield shipped, left, shipment_id
                yield KINDS["tracking_added"], left, shipment_id
        elif entry.tag is Tag.ORDER_COMPLETED and not any(has_left(parcel) for parcel in record.parcels):
            yield shipped, entry, ""
        elif entry.tag is Tag.ORDER_REPLACED:
            yield KINDS["cancelled"], entry, ""


def _left_at(record: OrderRecord, shipment_id: str) -> datetime:
    """When a parcel left; the oldest possible moment if nobody says. Its number may be young, and it gone long ago."""
    shipment, snapshot = record.shipment(shipment_id), record.snapshot
    left_at = shipment.shipped_at if shipment else None
    return left_at or (snapshot.placed_at if snapshot else datetime.min.replace(tzinfo=UTC))


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
    if shop.voice(kind.name) in (Voice.PLATFORM, Voice.NOBODY):
        return not_ours(kind.name, shop)
    if entry.occurred_at < shop.connected_at:
        return Reason.BEFORE_CONNECTION
    if occasion.now - entry.occurred_at > kind.age_limit:
        return Reason.TOO_OLD
    if entry.tag is Tag.ORDER_REPLACED:
        return Reason.REPLACED
    if snapshot is None or not _is_usable(snapshot.email):
        return Reason.NO_ADDRESS
    if kind.name == "shipped" and not occasion.subject and not snapshot.needs_shipping:
        return Reason.NOTHING_TO_SHIP
    # What only a switch keeps back comes last: the shadow shows what would really have been sent.
    return _untrue(kind.name, occasion.subject, occasion.record) or not_ours(kind.name, shop)


def not_ours(kind: str, shop: Shop) -> Reason | None:
    """Why this kind is not for us to tell; None when it is."""
    return Reason.ENDED if shop.ended_at else _UNSPOKEN.get(shop.voice(kind))


def _is_usable(address: str) -> bool:
    """Whether this can be an e-mail address at all; the channel looks closer."""
    local, _, domain = address.rpartition("@")
    return bool(local and domain) and len(address) <= LONGEST_ADDRESS and address.isprintable() and " " not in address


def _wait(occasion: _Occasion, tracking_wait: timedelta) -> tuple[timedelta, Reason]:
    kind, subject = occasion.kind, occasion.subject
    shipment = occasion.record.shipment(subject) if subject else None
    if kind.name != "shipped" or (shipment and shipment.tracking):
        return timedelta(0), _REASONS[kind.name]
    return tracking_wait, Reason.SHIPPED_WITHOUT_TRACKING if subject else Reason.COMPLETED
