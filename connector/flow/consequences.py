"""What follows from an order's growth, as pure rules."""

from dataclasses import replace
from datetime import datetime, timedelta

from connector.database import EPOCH
from connector.domain.delivery import Source
from connector.domain.order import OrderSnapshot, Shipment
from connector.domain.record import OrderRecord, has_left
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.tables.timeline import Learned
from notifications.kinds import KINDS, Declined, Notification
from notifications.outbox import Claimed
from notifications.planning import same_address
from notifications.wording import choose_locale

WATCHED_FOR = timedelta(days=7)
"""How long a parcel may stay without a number and still get one."""


def is_gap(source: Source, before: OrderRecord, after: OrderRecord) -> bool:
    """Whether looking for changes found what a webhook should have told: a fact, or a newer version that says something
    else.

    That only a document's date moved is none: our own notes do that. Nor is it one that a platform writes the same
    version differently in its API.
    """
    if source is not Source.SWEEP:
        return False
    return after.facts != before.facts or (
        _version(after) > _version(before) and _substance(before) != _substance(after)
    )


def untracked(record: OrderRecord, now: datetime) -> list[Shipment]:
    """Parcels that have left not long ago and have no number yet."""
    return [
        shipment
        for shipment in record.parcels
        if has_left(shipment)
        and not shipment.tracking
        and now - (shipment.shipped_at or shipment.updated_at) < WATCHED_FOR
    ]


def _version(record: OrderRecord) -> datetime:
    return record.snapshot.updated_at if record.snapshot else EPOCH


def _substance(record: OrderRecord) -> tuple[object, ...]:
    """All of a record but the dates of its documents."""
    moment = EPOCH
    snapshot = record.snapshot and _undated(record.snapshot, moment)
    parcels = tuple(replace(one, updated_at=moment) for one in record.shipments)
    return (snapshot, parcels, record.refunds)


def _undated(snapshot: OrderSnapshot, moment: datetime) -> OrderSnapshot:
    """When it was paid, cancelled and completed a platform may tell in its API alone; that it was is a fact. What was
    odd in a document is no news of the order."""
    return replace(
        snapshot,
        updated_at=moment,
        paid_at=None,
        cancelled_at=None,
        completed_at=None,
        shipments=(),
        refunds=(),
        warnings=(),
    )


def with_language(record: OrderRecord, shop: Shop) -> OrderRecord:
    """Fix the customer's language with the first snapshot (P9); it never changes after that."""
    if record.locale or record.snapshot is None:
        return record
    locale, source = choose_locale(record.snapshot, shop)
    return replace(record, locale=locale, locale_source=source)


def has_moved(before: OrderRecord, after: OrderRecord) -> bool:
    """Whether the customer's address is another one now; one that is only missing may be hidden for the moment."""
    if before.snapshot is None or after.snapshot is None or not after.snapshot.email:
        return False
    return not same_address(before.snapshot.email, after.snapshot.email)


def as_withdrawn(claimed: Claimed, why: str, now: datetime) -> Learned:
    notification = claimed.notification
    details = {"kind": notification.kind, "subject": notification.subject, "outcome": why}
    entry = TimelineEntry(Tag.MESSAGE_WITHDRAWN, claimed.intent_id, now, now, details)
    return Learned(notification.shop_id, notification.order_id, claimed.delivery_id, entry)


def as_entry(decision: Notification | Declined, now: datetime) -> TimelineEntry:
    planned = isinstance(decision, Notification)
    return TimelineEntry(
        Tag.MESSAGE_PLANNED if planned else Tag.MESSAGE_DECLINED,
        f"{decision.kind}:{decision.subject}",
        now,
        now,
        {"kind": decision.kind, "subject": decision.subject, "reason": decision.reason},
    )


def wants_invoice(record: OrderRecord, entries: tuple[TimelineEntry, ...], shop: Shop) -> bool:
    """On payment, where we tell of it; never for the time before the shop was connected (P4), never a real number for
    a test order, and none while we only watch."""
    test = record.snapshot is not None and record.snapshot.test
    ours = any(
        shop.speaks(kind.name) for kind in KINDS.values() if kind.carries_invoice or kind.fact is Tag.ORDER_PLACED
    )
    return (
        not test
        and ours
        and any(entry.tag is Tag.ORDER_PAID and entry.occurred_at >= shop.connected_at for entry in entries)
    )
