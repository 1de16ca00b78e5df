"""From recorded deliveries to orders, timelines, intents and wanted documents, committed together."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from adapters.contract import Manifest
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.delivery import Ignored, LookAgain, News, ShopEvent, Source, Update, refuse_long_ids
from connector.domain.erasing import applied_without_person
from connector.domain.errors import UnreadableDelivery
from connector.domain.record import OrderRecord, apply
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.flow import by_hand
from connector.flow.consequences import (
    as_entry,
    as_withdrawn,
    has_moved,
    is_gap,
    untracked,
    wants_invoice,
    with_language,
)
from connector.flow.heard import Heard
from connector.flow.retry import next_try
from connector.flow.shop_events import ShopEvents
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import connections, documents, inbox, orders, timeline, watched_parcels
from connector.tables.inbox import Claimed, InboxState, Outcome
from connector.tables.timeline import Learned
from notifications import outbox
from notifications.kinds import Notification
from notifications.planning import plan, told_once
from notifications.reasons import Reason
from notifications.writing_back import plan_pushes

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 8
FIRST_LOOK = timedelta(minutes=15)
"""After which a parcel without a number is looked at again."""
GONE = "the shop is no longer connected"
EMPTIED = "what it said was erased"


@dataclass(frozen=True, slots=True)
class Reading:
    """A claimed delivery with what it says."""

    claimed: Claimed
    shop: Shop
    updates: tuple[Update, ...]


@dataclass(slots=True)
class _Batch:
    """What one transaction will write."""

    connection: sa.Connection
    records: dict[orders.OrderKey, OrderRecord]
    changed: dict[orders.OrderKey, OrderRecord] = field(default_factory=dict)
    learned: list[Learned] = field(default_factory=list)
    intents: list[tuple[Notification, str]] = field(default_factory=list)
    wanted: list[documents.Request] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    moved: list[OrderRecord] = field(default_factory=list)
    """Orders whose customer has another address now."""
    healed: Counter[str] = field(default_factory=Counter)
    """Gaps, by shop: news that no webhook brought."""
    ended: bool = False
    """Whether a shop has left."""
    left: set[str] = field(default_factory=set)
    """Ids of shops that have left by now, whatever was known when their deliveries were read."""
    blanked: list[Claimed] = field(default_factory=list)
    """Deliveries about a person whose data had to go."""

    def copied(self) -> "_Batch":
        """What it holds now, whatever is added to it after this."""
        return replace(self, **{name: copy(getattr(self, name)) for name in _GROWING})


_GROWING = ("changed", "learned", "intents", "wanted", "outcomes", "moved", "healed", "left", "blanked")


class ProcessInbox:
    """Claims recorded deliveries and lets them join the road."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        manifest: Callable[[str], Manifest],
        clock: Clock,
        metrics: Metrics,
        shop_events: ShopEvents,
        *,
        tracking_wait: timedelta,
        batch: int,
    ) -> None:
        self._database = database
        self._shops = shops
        self._manifest = manifest
        self._clock = clock
        self._metrics = metrics
        self._shop_events = shop_events
        self._heard = Heard(database)
        self._tracking_wait = tracking_wait
        self._batch = batch

    def run(self) -> int:
        """One batch; returns how many deliveries it took."""
        with self._database.write() as connection:
            claimed = inbox.claim(connection, self._clock.now(), lease=LEASE, limit=self._batch)
        read = [self._read(one) for one in claimed]
        self.join([one for one in read if isinstance(one, Reading)], [one for one in read if isinstance(one, Outcome)])
        return len(claimed)

    def join(self, readings: list[Reading], outcomes: Iterable[Outcome] = ()) -> None:
        """Let readings join their orders, in one transaction; if that fails, each on its own, so that one bad delivery
        holds up no other."""
        try:
            self._commit(readings, list(outcomes))
        except Exception:
            if len(readings) <= 1:
                self._metrics.errors.labels("process_inbox").inc()
                log.exception("a delivery could not join its order")
                self._give_back(readings, "could not be written; the log says why")
                return
            self._commit([], list(outcomes))
            for reading in readings:
                self.join([reading])

    def _read(self, claimed: Claimed) -> Reading | Outcome:
        shop = self._shops.by_id(claimed.shop_id)
        if shop is None:
            return Outcome(claimed, InboxState.IGNORED, GONE)
        try:
            updates = self.updates(claimed, shop)
            refuse_long_ids(updates)
        except UnreadableDelivery as error:
            return Outcome(claimed, InboxState.REVIEW, str(error))
        except Exception as error:
            self._metrics.errors.labels("parse").inc()
            log.exception("an adapter failed", extra={"delivery_id": claimed.delivery_id})
            return self._again(claimed, f"the adapter failed: {type(error).__name__}")
        return Reading(claimed, shop, updates)

    def updates(self, claimed: Claimed, shop: Shop) -> tuple[Update, ...]:
        """What a document says: each source has its own form. Of a shop that has left only its own events count."""
        delivery = claimed.delivery
        if not delivery.body and not delivery.headers:
            return (Ignored(EMPTIED),)
        manifest = self._manifest(delivery.platform)
        if delivery.source is Source.HAND:
            updates: tuple[Update, ...] = by_hand.read(delivery)
        elif delivery.source is Source.WEBHOOK or manifest.api is None:
            updates = manifest.parse(delivery, shop)
        else:
            updates = manifest.api.read(delivery, shop)
        if shop.ended_at is None:
            return updates
        return tuple(one for one in updates if isinstance(one, ShopEvent)) or (Ignored(GONE),)

    def _commit(self, readings: list[Reading], outcomes: list[Outcome]) -> None:
        if not readings and not outcomes:
            return
        now = self._clock.now()
        keys = {(one.shop.shop_id, key) for one in readings for key in _order_ids(one.updates)}
        with self._database.write() as connection:
            orders.lock(self._database, connection, keys)
            batch = _Batch(connection, orders.load(connection, keys) if keys else {}, outcomes=outcomes)
            batch.left = connections.left_among(connection, {one.shop.shop_id for one in readings})
            for reading in readings:
                batch = self._with_one(batch, reading, now)
            self._write(connection, batch, now)
        if batch.ended:
            self._shops.forget()
        self._count(batch)
        self._heard.note([reading.claimed for reading in readings], now)

    def _with_one(self, batch: _Batch, reading: Reading, now: datetime) -> _Batch:
        """The batch with everything of one delivery, or (if it fails) with nothing of it and another try later."""
        before = batch.copied()
        try:
            batch.outcomes.append(self._take_in(batch, reading, now))
        except Exception as error:
            self._metrics.errors.labels("apply").inc()
            log.exception("an update could not be applied", extra={"delivery_id": reading.claimed.delivery_id})
            before.outcomes.append(self._again(reading.claimed, f"could not be applied: {type(error).__name__}"))
            return before
        return batch

    def _take_in(self, batch: _Batch, reading: Reading, now: datetime) -> Outcome:
        claimed, said, order_id, state = reading.claimed, [], "", InboxState.IGNORED
        for update in reading.updates:
            if isinstance(update, ShopEvent):
                state = InboxState.DONE
                said.append(self._shop_events.take(batch.connection, reading.shop, update, claimed.delivery_id, now))
                batch.ended = True
                batch.left |= connections.left_among(batch.connection, {reading.shop.shop_id})
                continue
            if reading.shop.shop_id in batch.left or reading.shop.ended_at is not None:
                batch.blanked.append(claimed)
                return Outcome(claimed, InboxState.IGNORED, GONE)
            order_id = order_id or update.order_id
            if isinstance(update, Ignored):
                said.append(update.reason)
            elif isinstance(update, LookAgain):
                state = InboxState.WAITING
                said.append(update.reason)
            else:
                state = InboxState.DONE if state is InboxState.IGNORED else state
                said.append(self._apply(batch, reading, update, now))
        return Outcome(claimed, state, "; ".join(said), order_id[:64], now)

    def _apply(self, batch: _Batch, reading: Reading, update: News, now: datetime) -> str:
        key = (reading.shop.shop_id, update.order_id)
        record = batch.changed.get(key) or batch.records.get(key) or OrderRecord(*key)
        applied = apply(record, update, now, watched_since=reading.shop.connected_at)
        if record.erased:
            applied = applied_without_person(record, applied)
            batch.blanked.append(reading.claimed)
        if applied.record == record:
            return applied.outcome
        grown = with_language(applied.record, reading.shop)
        batch.changed[key] = grown
        if has_moved(record, grown):
            batch.moved.append(grown)
        if is_gap(reading.claimed.delivery.source, record, grown):
            batch.healed[reading.shop.shop_id] += 1
        self._learn(batch, reading, grown, applied.entries, now)
        return applied.outcome

    def _learn(
        self, batch: _Batch, reading: Reading, record: OrderRecord, entries: tuple[TimelineEntry, ...], now: datetime
    ) -> None:
        delivery_id = reading.claimed.delivery_id
        planned = plan(record, entries, reading.shop, now, tracking_wait=self._tracking_wait)
        decisions = [told_once(decision, partial(outbox.announced, batch.connection)) for decision in planned]
        if reading.claimed.delivery.source is Source.HAND:
            decisions += plan_pushes(record, entries, reading.shop, now)
        told = [*entries, *(as_entry(decision, now) for decision in decisions)]
        batch.learned += [Learned(record.shop_id, record.order_id, delivery_id, entry) for entry in told]
        batch.intents += [(one, delivery_id) for one in decisions if isinstance(one, Notification)]
        if wants_invoice(record, entries, reading.shop):
            batch.wanted.append(documents.Request(record.shop_id, record.order_id))

    def _write(self, connection: sa.Connection, batch: _Batch, now: datetime) -> None:
        orders.save(self._database, connection, batch.changed.values())
        timeline.append(self._database, connection, batch.learned)
        documents.request(self._database, connection, batch.wanted, now)
        readdressed = [one for record in batch.moved for one in self._readdressed(connection, record, now)]
        wanted = [one for one in readdressed + batch.intents if one[0].shop_id not in batch.left]
        outbox.enqueue(self._database, connection, wanted, now)
        self._watch(connection, batch, now)
        connections.count_healed(connection, batch.healed, now)
        inbox.finish(connection, batch.outcomes)
        inbox.blank(connection, [(one.shop_id, one.delivery_id) for one in batch.blanked])

    def _watch(self, connection: sa.Connection, batch: _Batch, now: datetime) -> None:
        """Parcels without a number, where the platform will not say when there is one."""
        silent = {
            outcome.claimed.shop_id
            for outcome in batch.outcomes
            if (api := self._manifest(outcome.claimed.delivery.platform).api) is not None and api.parcels is not None
        }
        found = [
            watched_parcels.Watched(record.shop_id, shipment.shipment_id, record.order_id, now)
            for record in batch.changed.values()
            if record.shop_id in silent
            for shipment in untracked(record, now)
        ]
        watched_parcels.watch(self._database, connection, found, now + FIRST_LOOK)

    def _readdressed(
        self, connection: sa.Connection, record: OrderRecord, now: datetime
    ) -> list[tuple[Notification, str]]:
        """What still waited for the old address, meant for the new one (P8)."""
        why, recipient = Reason.ADDRESS_CHANGED.value, record.snapshot.email if record.snapshot else ""
        waited = outbox.withdraw_waiting(connection, record.shop_id, record.order_id, why)
        entries = [as_withdrawn(one, why, now) for one in waited]
        timeline.append(self._database, connection, entries)
        return [(replace(one.notification, recipient=recipient), one.delivery_id) for one in waited]

    def _again(self, claimed: Claimed, problem: str) -> Outcome:
        if claimed.attempts >= MOST_ATTEMPTS:
            return Outcome(claimed, InboxState.DEAD, f"given up after {claimed.attempts} tries: {problem}")
        later = next_try(self._clock.now(), claimed.attempts)
        return Outcome(claimed, InboxState.NEW, problem, run_at=later)

    def _give_back(self, readings: list[Reading], problem: str) -> None:
        with self._database.write() as connection:
            inbox.finish(connection, [self._again(reading.claimed, problem) for reading in readings])

    def _count(self, batch: _Batch) -> None:
        for outcome in batch.outcomes:
            claimed = outcome.claimed
            self._metrics.processed.labels(claimed.delivery.platform, outcome.state.value).inc()
            log.info(
                "delivery %s",
                outcome.state.value,
                extra={"delivery_id": claimed.delivery_id, "shop_id": claimed.shop_id, "outcome": outcome.outcome},
            )
        platforms = {outcome.claimed.delivery_id: outcome.claimed.delivery.platform for outcome in batch.outcomes}
        for learned in batch.learned:
            entry = learned.entry
            if entry.tag is Tag.STATUS_UNKNOWN:
                self._metrics.unknown_words.labels(platforms[learned.delivery_id]).inc()
            elif entry.tag in (Tag.MESSAGE_PLANNED, Tag.MESSAGE_DECLINED):
                self._metrics.decisions.labels(entry.details["kind"], entry.details["reason"]).inc()


def _order_ids(updates: tuple[Update, ...]) -> set[str]:
    return {update.order_id for update in updates if not isinstance(update, Ignored | LookAgain | ShopEvent)}
