"""All we know of one order, and the one rule by which it grows: what is new, and never backwards (P3)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from connector.domain.delivery import News, RefundUpdate, ShipmentUpdate
from connector.domain.order import OrderSnapshot, Refund, Shipment
from connector.domain.parcel import deciding, merged
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry

_Told = tuple[Tag, str, datetime, dict[str, str]]

_LEFT_THE_SHOP = frozenset(ShipmentStatus) - {
    ShipmentStatus.UNKNOWN,
    ShipmentStatus.LABEL_CREATED,
    ShipmentStatus.CANCELLED,
    ShipmentStatus.EXPIRED,
}
_NOT_CANCELLED = frozenset({OrderState.OPEN, OrderState.ON_HOLD, OrderState.COMPLETED})
"""Without UNKNOWN: a word nobody knows is no reopening (P5)."""


_TOLD_ELSEWHERE = frozenset({ShipmentStatus.UNKNOWN, ShipmentStatus.LABEL_CREATED, ShipmentStatus.DELIVERED})
"""States whose news another fact tells, or that are no news."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The newest list of an order's parcels that named all there were."""

    at: datetime
    shipment_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order as known now. `snapshot` is None while only parts (a parcel, a refund) have been heard of."""

    shop_id: str
    order_id: str
    snapshot: OrderSnapshot | None = None
    shipments: tuple[Shipment, ...] = ()
    """What `tellings` and `listing` come to, by id."""
    refunds: tuple[Refund, ...] = ()
    """The earliest first."""
    facts: frozenset[str] = frozenset()
    """Everything that was ever learned, as `tag|subject`; nothing in it is news again."""
    locale: str = ""
    """The customer's language, fixed with the first snapshot (P9)."""
    locale_source: str = ""
    tellings: tuple[ShipmentUpdate, ...] = ()
    """What was told of parcels and may still decide something."""
    listing: Listing | None = None
    first_cancelled_at: datetime | None = None
    """The oldest document that tells of a cancellation."""
    last_open_at: datetime | None = None
    """The newest document that tells of an order that is not cancelled."""
    heard_at: datetime | None = None
    """When the newest document that changed something came to us, by our own clock."""
    erased: bool = False
    """Whether the customer's personal data had to go; what comes later is kept without it, too."""

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


def apply(record: OrderRecord, update: News, learned_at: datetime, *, watched_since: datetime | None = None) -> Applied:
    """Let an update join the record; the entries are what is new.

    The record that results does not depend on the order in which updates come. `watched_since`: from when on every
    change of the order was told; None: from its first.
    """
    grown = _joined(record, update)
    if grown.snapshot is None:
        outcome = "nothing new" if grown == record else "kept until the order itself is known"
        return Applied(_heard(record, grown, learned_at, watched_since), (), outcome)
    heard: tuple[News, ...] = (update,) if record.snapshot else (update, *reversed(record.tellings))
    entries = tuple(_news(grown, heard, learned_at, _oldest(record, grown, watched_since)))
    facts = grown.facts | {_key(entry.tag, entry.subject) for entry in entries}
    grown = replace(grown, tellings=tuple(_deciding(grown.tellings)), facts=facts)
    outcome = "nothing new" if grown == record else "applied"
    return Applied(_heard(record, grown, learned_at, watched_since), entries, outcome)


def _heard(record: OrderRecord, grown: OrderRecord, now: datetime, watched_since: datetime | None) -> OrderRecord:
    """That nothing is new is worth writing down once for an order that nobody watched for a while."""
    if grown == record and not _was_unwatched(record, watched_since):
        return record
    return replace(grown, heard_at=now)


def _key(tag: Tag, subject: str) -> str:
    return f"{tag.value}|{subject}"


def _joined(record: OrderRecord, update: News) -> OrderRecord:
    """The record with all that the update tells, before anything is forgotten and before it is said what is new."""
    if isinstance(update, RefundUpdate):
        return replace(record, refunds=_with_refunds(record.refunds, (update.refund,)))
    if isinstance(update, ShipmentUpdate):
        return _with_tellings(record, (update,))
    cancelled_at = update.updated_at if update.state is OrderState.CANCELLED and not update.replaced_by else None
    open_at = update.updated_at if update.state in _NOT_CANCELLED else None
    grown = replace(
        record,
        snapshot=_newer(record.snapshot, update),
        refunds=_with_refunds(record.refunds, update.refunds),
        listing=_newer_listing(record.listing, update),
        first_cancelled_at=min((one for one in (record.first_cancelled_at, cancelled_at) if one), default=None),
        last_open_at=max((one for one in (record.last_open_at, open_at) if one), default=None),
    )
    return _with_tellings(grown, tuple(ShipmentUpdate(update.order_id, shipment) for shipment in update.shipments))


def _newer(known: OrderSnapshot | None, news: OrderSnapshot) -> OrderSnapshot:
    """By the platform's own moment; within one by how far the order is, then by content: ties end the same whatever
    came first."""
    if known is None or news.updated_at > known.updated_at:
        return news
    return max(known, news, key=_progress) if news.updated_at == known.updated_at else known


def _progress(snapshot: OrderSnapshot) -> tuple[int, bytes]:
    progress = sum(
        (
            snapshot.payment.settled,
            snapshot.payment in {PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED},
            snapshot.state in {OrderState.COMPLETED, OrderState.CANCELLED},
            len(snapshot.refunds),
            sum(shipment.status.rank for shipment in snapshot.shipments),
        )
    )
    return progress, hashlib.sha256(repr(snapshot).encode("utf-8", "surrogatepass")).digest()


def _newer_listing(known: Listing | None, snapshot: OrderSnapshot) -> Listing | None:
    if not snapshot.shipments_are_complete:
        return known
    news = Listing(snapshot.updated_at, tuple(sorted(one.shipment_id for one in snapshot.shipments)))
    return max((one for one in (known, news) if one), key=lambda one: (one.at, one.shipment_ids))


def _with_tellings(record: OrderRecord, news: Iterable[ShipmentUpdate]) -> OrderRecord:
    """What decides nothing any more is kept until the order itself is known, since nothing has been said of it yet."""
    tellings = dict.fromkeys((*record.tellings, *news))
    shipments = (_as_listed(merged(parcel), record.listing) for parcel in _by_parcel(tellings))
    return replace(record, tellings=tuple(tellings), shipments=tuple(shipments))


def _by_parcel(tellings: Iterable[ShipmentUpdate]) -> Iterator[list[ShipmentUpdate]]:
    """By id; the shorter first, so that numbers stand in their order."""
    found: defaultdict[str, list[ShipmentUpdate]] = defaultdict(list)
    for one in tellings:
        found[one.shipment.shipment_id].append(one)
    for shipment_id in sorted(found, key=lambda text: (len(text), text)):
        yield found[shipment_id]


def _deciding(tellings: Iterable[ShipmentUpdate]) -> Iterator[ShipmentUpdate]:
    for parcel in _by_parcel(tellings):
        yield from deciding(parcel)


def _as_listed(shipment: Shipment, listing: Listing | None) -> Shipment:
    """A parcel that a newer, complete list leaves out was taken back by the shop."""
    if listing is None or shipment.shipment_id in listing.shipment_ids or shipment.updated_at >= listing.at:
        return shipment
    return replace(shipment, status=ShipmentStatus.CANCELLED, status_word="no longer listed", updated_at=listing.at)


def _with_refunds(known: tuple[Refund, ...], news: Iterable[Refund]) -> tuple[Refund, ...]:
    """Of two tellings of one refund the one that says more counts, then the earlier one."""
    found = {one.refund_id: one for one in known}
    for one in news:
        found[one.refund_id] = min(found.get(one.refund_id, one), one, key=_most_telling_first)
    return tuple(sorted(found.values(), key=lambda one: (one.refunded_at, one.refund_id)))


def _most_telling_first(refund: Refund) -> tuple[bool, bool, datetime, Decimal, str, str]:
    return (
        not refund.currency,
        not refund.reason,
        refund.refunded_at,
        refund.amount,
        refund.currency,
        refund.reason,
    )


def _oldest(record: OrderRecord, grown: OrderRecord, watched_since: datetime | None) -> datetime | None:
    """The oldest moment at which something may have happened of which the platform does not say when; None when it did
    with the document that first tells it.

    To an order we never heard of that is any time since it was placed, and to one that nobody watched for a while any
    time since it was last heard of: so nothing old becomes news (P4).
    """
    if grown.snapshot and not record.knows(Tag.ORDER_PLACED):
        return grown.snapshot.placed_at
    return record.heard_at if _was_unwatched(record, watched_since) else None


def _was_unwatched(record: OrderRecord, watched_since: datetime | None) -> bool:
    return record.heard_at is not None and watched_since is not None and record.heard_at < watched_since


def _news(
    record: OrderRecord, heard: Iterable[News], learned_at: datetime, oldest: datetime | None
) -> Iterator[TimelineEntry]:
    said = set(record.facts)
    for tag, subject, occurred_at, details in _facts(record, heard, oldest):
        if _key(tag, subject) not in said:
            said.add(_key(tag, subject))
            yield TimelineEntry(tag, subject, occurred_at, learned_at, details)


def _facts(record: OrderRecord, heard: Iterable[News], oldest: datetime | None) -> Iterator[_Told]:
    """What each update says by itself, even if newer is known already; then what only all of them say together."""
    snapshot = record.snapshot
    if snapshot is None:
        return
    for update in heard:
        if isinstance(update, OrderSnapshot):
            yield from _order_facts(update, oldest)
            for shipment in update.shipments:
                yield from _shipment_facts(shipment, oldest)
        elif isinstance(update, ShipmentUpdate):
            yield from _shipment_facts(update.shipment, oldest)
    if record.first_cancelled_at and record.last_open_at and record.last_open_at > record.first_cancelled_at:
        yield Tag.ORDER_REOPENED, "", record.last_open_at, {"word": snapshot.status_word}
    for refund in record.refunds:
        details = {"amount": str(refund.amount), "currency": snapshot.currency}
        own = refund.refunded_at if refund.refunded_at != snapshot.updated_at else None
        yield Tag.REFUND_MADE, refund.refund_id, own or oldest or refund.refunded_at, details
    for shipment in record.shipments:
        if shipment.status is ShipmentStatus.CANCELLED:
            yield Tag.SHIPMENT_CANCELLED, shipment.shipment_id, shipment.updated_at, {"word": shipment.status_word}


def _order_facts(snapshot: OrderSnapshot, oldest: datetime | None) -> Iterator[_Told]:
    details = {"word": snapshot.status_word}
    yield Tag.ORDER_PLACED, "", snapshot.placed_at, {"total": str(snapshot.total), "currency": snapshot.currency}
    if snapshot.payment.settled:
        yield Tag.ORDER_PAID, "", snapshot.paid_at or oldest or snapshot.updated_at, details
    if snapshot.state is OrderState.CANCELLED:
        replaced = Tag.ORDER_REPLACED if snapshot.replaced_by else Tag.ORDER_CANCELLED
        when = snapshot.cancelled_at or oldest or snapshot.updated_at
        yield replaced, "", when, {"replaced_by": snapshot.replaced_by}
    if snapshot.state is OrderState.COMPLETED:
        yield Tag.ORDER_COMPLETED, "", snapshot.completed_at or oldest or snapshot.updated_at, details
    if snapshot.state is OrderState.UNKNOWN or snapshot.payment is PaymentState.UNKNOWN:
        yield Tag.STATUS_UNKNOWN, snapshot.status_word, snapshot.updated_at, details


def _shipment_facts(shipment: Shipment, oldest: datetime | None) -> Iterator[_Told]:
    subject, details = shipment.shipment_id, {"word": shipment.status_word}
    if shipment.status is ShipmentStatus.CANCELLED:
        yield Tag.SHIPMENT_CANCELLED, subject, shipment.updated_at, details
    if shipment.status is ShipmentStatus.LABEL_CREATED:
        yield Tag.SHIPMENT_PREPARED, subject, shipment.updated_at, details
    if has_left(shipment):
        yield Tag.SHIPMENT_SHIPPED, subject, shipment.shipped_at or oldest or shipment.updated_at, details
    if has_left(shipment) and shipment.status not in _TOLD_ELSEWHERE:
        yield Tag.SHIPMENT_PROGRESS, f"{subject}:{shipment.status.value}", shipment.updated_at, details
    if shipment.tracking and shipment.status is not ShipmentStatus.CANCELLED:
        numbers = ", ".join(one.number for one in shipment.tracking)
        yield (
            Tag.SHIPMENT_TRACKING,
            f"{subject}:{numbers}",
            shipment.updated_at,
            {"numbers": numbers, "shipment": subject},
        )
    if shipment.status is ShipmentStatus.DELIVERED:
        yield Tag.SHIPMENT_DELIVERED, subject, shipment.delivered_at or oldest or shipment.updated_at, details
