"""All we know of one order, and the one rule by which it grows: what is new, and never backwards (P3)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from connector.domain.delivery import News, ShipmentUpdate
from connector.domain.order import OrderSnapshot, Refund, Shipment
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry

Fact = tuple[Tag, str]

_LEFT_THE_SHOP = frozenset(ShipmentStatus) - {
    ShipmentStatus.UNKNOWN,
    ShipmentStatus.LABEL_CREATED,
    ShipmentStatus.CANCELLED,
    ShipmentStatus.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order as known now. `snapshot` is None while only parts (a parcel, a refund) have been heard of."""

    shop_id: str
    order_id: str
    snapshot: OrderSnapshot | None = None
    shipments: tuple[Shipment, ...] = ()
    """In the order they were first heard of."""
    refunds: tuple[Refund, ...] = ()
    facts: frozenset[str] = frozenset()
    """Everything that was ever learned, as `tag|subject`; nothing in it is news again."""
    locale: str = ""
    """The customer's language, fixed with the first snapshot (P9)."""
    locale_source: str = ""

    def knows(self, tag: Tag, subject: str = "") -> bool:
        return f"{tag.value}|{subject}" in self.facts

    def shipment(self, shipment_id: str) -> Shipment | None:
        return next((one for one in self.shipments if one.shipment_id == shipment_id), None)

    def refund(self, refund_id: str) -> Refund | None:
        return next((one for one in self.refunds if one.refund_id == refund_id), None)

    @property
    def parcels(self) -> tuple[Shipment, ...]:
        """The shipments that count: all but cancelled ones."""
        return tuple(one for one in self.shipments if one.status is not ShipmentStatus.CANCELLED)


def has_left(shipment: Shipment) -> bool:
    """Whether a parcel is on its way or further, as far as the platform says so."""
    return shipment.status is not ShipmentStatus.CANCELLED and (
        shipment.shipped_at is not None or shipment.status in _LEFT_THE_SHOP
    )


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an update."""

    record: OrderRecord
    entries: tuple[TimelineEntry, ...]
    outcome: str
    """One phrase for the delivery's own history."""


def apply(record: OrderRecord, update: News, learned_at: datetime) -> Applied:
    """Let an update join the record; the entries are what is new.

    The record that results does not depend on the order in which updates come.
    """
    if isinstance(update, OrderSnapshot):
        grown = _with_snapshot(record, update)
    elif isinstance(update, ShipmentUpdate):
        grown = replace(record, shipments=_with_shipment(record.shipments, update.shipment, partial=update.partial))
    else:
        grown = replace(record, refunds=_with_refund(record.refunds, update.refund))
    if grown == record:
        return Applied(record, (), "nothing new")
    if grown.snapshot is None:
        return Applied(grown, (), "kept until the order itself is known")
    entries = tuple(_news(grown, learned_at))
    facts = grown.facts | {_key(entry.tag, entry.subject) for entry in entries}
    return Applied(replace(grown, facts=facts), entries, "applied")


def _key(tag: Tag, subject: str) -> str:
    return f"{tag.value}|{subject}"


def _with_snapshot(record: OrderRecord, snapshot: OrderSnapshot) -> OrderRecord:
    current = record.snapshot
    if current is not None and _version(snapshot) <= _version(current):
        return record
    shipments = record.shipments
    for shipment in snapshot.shipments:
        shipments = _with_shipment(shipments, shipment)
    if snapshot.shipments_are_complete:
        shipments = _without_missing(shipments, snapshot)
    refunds = record.refunds
    for refund in snapshot.refunds:
        refunds = _with_refund(refunds, refund)
    return replace(record, snapshot=snapshot, shipments=shipments, refunds=refunds)


def _version(snapshot: OrderSnapshot) -> tuple[datetime, int, bytes]:
    """Newer first by the platform's moment; within one second by how far the order is; then by content, so that ties
    end the same whatever came first."""
    progress = sum(
        (
            snapshot.payment.settled,
            snapshot.payment in {PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED},
            snapshot.state in {OrderState.COMPLETED, OrderState.CANCELLED},
            len(snapshot.refunds),
            sum(shipment.status.rank for shipment in snapshot.shipments),
        )
    )
    return snapshot.updated_at, progress, hashlib.sha256(repr(snapshot).encode()).digest()


def _with_shipment(known: tuple[Shipment, ...], news: Shipment, *, partial: bool = False) -> tuple[Shipment, ...]:
    if not any(one.shipment_id == news.shipment_id for one in known):
        return (*known, news)
    return tuple(_merged(one, news, partial=partial) if one.shipment_id == news.shipment_id else one for one in known)


def _merged(known: Shipment, news: Shipment, *, partial: bool) -> Shipment:
    """One parcel from two tellings: the newer one's words, the further one's status, the first one's moments."""
    newer, older = (news, known) if news.updated_at >= known.updated_at else (known, news)
    revived = known.status is ShipmentStatus.CANCELLED and newer is news and news.updated_at > known.updated_at
    further = newer if revived or newer.status.rank >= older.status.rank else older
    words = known if partial or newer is known else news
    rest = news if words is known else known
    return replace(
        words,
        status=further.status,
        status_word=further.status_word,
        updated_at=newer.updated_at,
        shipped_at=_first(known.shipped_at, news.shipped_at),
        delivered_at=_first(known.delivered_at, news.delivered_at),
        estimated_delivery_at=newer.estimated_delivery_at or older.estimated_delivery_at,
        tracking=words.tracking or rest.tracking,
        items=words.items or rest.items,
    )


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


def _without_missing(known: tuple[Shipment, ...], snapshot: OrderSnapshot) -> tuple[Shipment, ...]:
    """A parcel the platform listed before and lists no more was taken back by the shop."""
    listed = {shipment.shipment_id for shipment in snapshot.shipments}
    return tuple(
        one
        if one.shipment_id in listed or one.updated_at >= snapshot.updated_at
        else replace(
            one, status=ShipmentStatus.CANCELLED, status_word="no longer listed", updated_at=snapshot.updated_at
        )
        for one in known
    )


def _with_refund(known: tuple[Refund, ...], news: Refund) -> tuple[Refund, ...]:
    if any(one.refund_id == news.refund_id for one in known):
        return known
    return (*known, news)


def _news(record: OrderRecord, learned_at: datetime) -> Iterator[TimelineEntry]:
    for tag, subject, occurred_at, details in _facts(record):
        if not record.knows(tag, subject):
            yield TimelineEntry(tag, subject, occurred_at, learned_at, details)


def _facts(record: OrderRecord) -> Iterator[tuple[Tag, str, datetime, dict[str, str]]]:
    snapshot = record.snapshot
    if snapshot is None:
        return
    yield Tag.ORDER_PLACED, "", snapshot.placed_at, {"total": str(snapshot.total), "currency": snapshot.currency}
    yield from _order_facts(record, snapshot)
    for refund in record.refunds:
        details = {"amount": str(refund.amount), "currency": snapshot.currency}
        own = refund.refunded_at if refund.refunded_at != snapshot.updated_at else None
        yield Tag.REFUND_MADE, refund.refund_id, _moment(record, own, refund.refunded_at), details
    for shipment in record.shipments:
        yield from _shipment_facts(record, shipment)


def _order_facts(record: OrderRecord, snapshot: OrderSnapshot) -> Iterator[tuple[Tag, str, datetime, dict[str, str]]]:
    details = {"word": snapshot.status_word}
    if snapshot.payment.settled:
        yield Tag.ORDER_PAID, "", _moment(record, snapshot.paid_at, snapshot.updated_at), details
    if snapshot.state is OrderState.CANCELLED:
        replaced = Tag.ORDER_REPLACED if snapshot.replaced_by else Tag.ORDER_CANCELLED
        when = _moment(record, snapshot.cancelled_at, snapshot.updated_at)
        yield replaced, "", when, {"replaced_by": snapshot.replaced_by}
    elif record.knows(Tag.ORDER_CANCELLED):
        yield Tag.ORDER_REOPENED, "", snapshot.updated_at, details
    if snapshot.state is OrderState.COMPLETED:
        yield Tag.ORDER_COMPLETED, "", _moment(record, snapshot.completed_at, snapshot.updated_at), details
    if snapshot.state is OrderState.UNKNOWN or snapshot.payment is PaymentState.UNKNOWN:
        yield Tag.STATUS_UNKNOWN, snapshot.status_word, snapshot.updated_at, details


def _shipment_facts(record: OrderRecord, shipment: Shipment) -> Iterator[tuple[Tag, str, datetime, dict[str, str]]]:
    subject, details = shipment.shipment_id, {"word": shipment.status_word}
    if shipment.status is ShipmentStatus.CANCELLED:
        yield Tag.SHIPMENT_CANCELLED, subject, shipment.updated_at, details
    if shipment.status is ShipmentStatus.LABEL_CREATED:
        yield Tag.SHIPMENT_PREPARED, subject, shipment.updated_at, details
    if has_left(shipment):
        yield Tag.SHIPMENT_SHIPPED, subject, _moment(record, shipment.shipped_at, shipment.updated_at), details
        yield Tag.SHIPMENT_PROGRESS, f"{subject}:{shipment.status.value}", shipment.updated_at, details
    if shipment.tracking and shipment.status is not ShipmentStatus.CANCELLED:
        numbers = ", ".join(one.number for one in shipment.tracking)
        yield Tag.SHIPMENT_TRACKING, f"{subject}:{numbers}", shipment.updated_at, {"numbers": numbers}
    if shipment.status is ShipmentStatus.DELIVERED:
        yield Tag.SHIPMENT_DELIVERED, subject, _moment(record, shipment.delivered_at, shipment.updated_at), details


def _moment(record: OrderRecord, told: datetime | None, document: datetime) -> datetime:
    """When something happened, also if the platform does not say.

    For an order we knew: with the document that first tells it. For one we never heard of it may be any time since it
    was placed, so that oldest moment is taken, and nothing old becomes news (P4).
    """
    if told or record.knows(Tag.ORDER_PLACED) or record.snapshot is None:
        return told or document
    return record.snapshot.placed_at
