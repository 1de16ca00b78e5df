"""From intents to the shop's own platform: looked at before each write, so that every try may be repeated."""

import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from adapters.contract import Manifest, Pushes, Store
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import Permanent, Retryable
from connector.domain.push import LinkPush, NotePush, Push, ShipmentPush, StatusPush
from connector.domain.shop import Shop
from connector.domain.timeline import TimelineEntry
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.retry import next_try
from connector.flow.send_outbox import TAGS
from connector.flow.stores import Stores
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import sweeps, timeline
from connector.tables.timeline import Learned
from notifications import outbox
from notifications.outbox import Claimed, Mark, OutboxState
from notifications.reasons import Reason
from notifications.writing_back import PLATFORM, SHIPMENT, SWITCHES, as_push

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)
"""Longer than one thing takes with all that is looked at before; begun anew with each."""
LONGEST_RECEIPT = 200


class NoPlace(Permanent):
    """This platform has no place for it."""


class WriteBack:
    """Claims due intents for platforms; each shop's are written one after the other, shops beside each other."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        manifest: Callable[[str], Manifest],
        stores: Stores,
        pool: ShopPool,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._shops = shops
        self._manifest = manifest
        self._stores = stores
        self._pool = pool
        self._clock = clock
        self._metrics = metrics

    def run(self) -> int:
        """Begin what is due and has room; returns how many intents were taken."""
        limit = self._pool.free
        if limit <= 0:
            return 0
        with self._database.write() as connection:
            claimed = outbox.claim(
                connection,
                self._clock.now(),
                lease=LEASE,
                limit=limit,
                channels=(PLATFORM,),
                busy=self._pool.busy(),
            )
        by_shop: defaultdict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_shop[one.notification.shop_id].append(one)
        for shop_id, intents in by_shop.items():
            if not self._pool.submit(shop_id, partial(self._write_all, intents)):
                self._give_back(intents)
        return len(claimed)

    def _write_all(self, intents: list[Claimed]) -> None:
        """All of one shop; a platform that is away is asked once and the rest waits with the first."""
        for place, claimed in enumerate(intents):
            if not self._still_mine(claimed):
                continue
            try:
                after, outcome = self._write(claimed)
            except Retryable as error:
                if not is_away(error):
                    self._postpone(claimed, error)
                    continue
                for late in intents[place:]:
                    self._postpone(late, error)
                raise
            except NoPlace as error:
                after, outcome = OutboxState.WITHDRAWN, str(error)
            except Permanent as error:
                after, outcome = OutboxState.FAILED, str(error)
            except Exception as error:
                self._metrics.errors.labels("write_back").inc()
                log.exception("something could not be written back", extra={"intent_id": claimed.intent_id})
                self._postpone(claimed, Retryable(f"could not be written: {type(error).__name__}; the log says why"))
                continue
            self._finish(claimed, after, outcome)

    def _still_mine(self, claimed: Claimed) -> bool:
        """Hold an intent anew: those before it may have taken long. False for one that another worker holds by now, or
        that was withdrawn, as its shop has left."""
        until = self._clock.now() + LEASE
        return self._mark(Mark(claimed, OutboxState.CLAIMED, OutboxState.CLAIMED, run_at=until))

    def _write(self, claimed: Claimed) -> tuple[OutboxState, str]:
        notification = claimed.notification
        shop = self._shops.by_id(notification.shop_id)
        if shop is None or shop.ended_at is not None:
            return OutboxState.WITHDRAWN, Reason.ENDED.value
        if self._clock.now() > notification.expires_at:
            return OutboxState.WITHDRAWN, Reason.TOO_OLD.value
        if notification.kind in SWITCHES and not shop.writes(notification.kind):
            return OutboxState.WITHDRAWN, Reason.NOT_WRITTEN.value
        return OutboxState.SENT, self._pushed(shop, as_push(claimed.intent_id, notification))[:LONGEST_RECEIPT]

    def _pushed(self, shop: Shop, push: Push) -> str:
        api = self._manifest(shop.platform).api
        if api is None:
            raise Permanent("this shop only sends: nothing can be written there")
        return _carry(api.pushes, self._stores.open(shop), push)

    def _postpone(self, claimed: Claimed, error: Retryable) -> None:
        run_at = next_try(self._clock.now(), claimed.attempts, error.after)
        self._metrics.messages.labels(claimed.notification.kind, "postponed").inc()
        self._mark(Mark(claimed, OutboxState.CLAIMED, OutboxState.PENDING, outcome=str(error), run_at=run_at))

    def _give_back(self, intents: list[Claimed]) -> None:
        for claimed in intents:
            self._mark(Mark(claimed, OutboxState.CLAIMED, OutboxState.PENDING, run_at=self._clock.now()))

    def _finish(self, claimed: Claimed, after: OutboxState, outcome: str) -> None:
        now, notification = self._clock.now(), claimed.notification
        details = {"kind": notification.kind, "subject": notification.subject, "outcome": outcome}
        entry = TimelineEntry(TAGS[after], claimed.intent_id, now, now, details)
        sent_at = now if after is OutboxState.SENT else None
        self._mark(Mark(claimed, OutboxState.CLAIMED, after, outcome=outcome, sent_at=sent_at), entry)
        self._metrics.messages.labels(notification.kind, after.value).inc()

    def _mark(self, mark: Mark, entry: TimelineEntry | None = None) -> bool:
        notification = mark.claimed.notification
        with self._database.write() as connection:
            (done,) = outbox.mark(connection, [mark])
            if not done or entry is None:
                return done
            learned = Learned(notification.shop_id, notification.order_id, mark.claimed.delivery_id, entry)
            timeline.append(self._database, connection, [learned])
            if notification.kind == SHIPMENT and mark.after is OutboxState.SENT:
                # The parcel comes back as the platform's own news, and then the customer is told.
                sweeps.hasten(connection, notification.shop_id, self._clock.now())
        return True


def _carry(pushes: Pushes, store: Store, push: Push) -> str:
    """Raises NoPlace where the platform has none for what we would add of our own, and Permanent where it has none for
    what the merchant asked for."""
    said: str | None = None
    if isinstance(push, ShipmentPush) and pushes.shipment:
        said = pushes.shipment(store, push)
    elif isinstance(push, StatusPush) and pushes.status:
        said = pushes.status(store, push)
    elif isinstance(push, NotePush) and pushes.note:
        said = pushes.note(store, push)
    elif isinstance(push, LinkPush) and pushes.invoice_link:
        said = pushes.invoice_link(store, push)
    if said is None and isinstance(push, ShipmentPush):
        raise Permanent("this platform has no place for tracking numbers from outside")
    if said is None:
        raise NoPlace
    return said
