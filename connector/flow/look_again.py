"""From a hint to the platform's answer, which then takes the same road as everything else."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from adapters.contract import Manifest, Store
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.delivery import LookAgain, Subject, Update, refuse_long_ids
from connector.domain.errors import NotThereYet, Permanent, Retryable, UnreadableDelivery
from connector.domain.shop import Shop
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.process_inbox import ProcessInbox, Reading
from connector.flow.retry import next_try
from connector.flow.stores import NotConnected, Stores
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import connections, inbox
from connector.tables.inbox import Claimed, InboxState, Outcome

log = logging.getLogger(__name__)

MOST_QUESTIONS = 30
"""About a day of a platform that is away: the waits grow to an hour."""
MOST_REFUSALS = 3
"""A refusal may be the connection's and not the hint's: meanwhile the watchdog looks which."""
LEASE = timedelta(minutes=8)
"""Longer than a batch takes when each answer comes at the last moment."""
PATIENCE = 4
"""Claims (the first only read the hint) after which an object that is not there is taken for gone."""
BATCH = 10
NOT_CONNECTED = timedelta(hours=1)


@dataclass(slots=True)
class _Asking:
    """One shop's turn: its store, and what has been answered in it."""

    shop: Shop
    manifest: Manifest
    store: Store
    answers: dict[tuple[Subject, str, str, str], Update] = field(default_factory=dict)
    """By the question itself: subject, its id, the order's id and number."""


class LookAgainFlow:
    """Asks platforms about waiting hints, each shop by a thread of its own. Hints of shops nobody can ask go on
    waiting, for all to see."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        manifest: Callable[[str], Manifest],
        stores: Stores,
        process_inbox: ProcessInbox,
        pool: ShopPool,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._shops = shops
        self._manifest = manifest
        self._stores = stores
        self._process_inbox = process_inbox
        self._pool = pool
        self._clock = clock
        self._metrics = metrics

    def run(self) -> int:
        """Begin what is due and has room; returns how many hints were taken.

        The same question is asked once a batch: all of the batch came before the platform was asked.
        """
        if not self._pool.free:
            return 0
        now = self._clock.now()
        with self._database.write() as connection:
            claimed = inbox.claim(connection, now, lease=LEASE, limit=BATCH, waiting=True, busy=self._pool.busy())
        by_shop: defaultdict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_shop[one.shop_id].append(one)
        for shop_id, hints in by_shop.items():
            if not self._pool.submit(shop_id, partial(self._follow_all, hints)):
                self._finish([Outcome(one, InboxState.WAITING, "waits for its turn", run_at=now) for one in hints])
        return len(claimed)

    def _follow_all(self, hints: list[Claimed]) -> None:
        """All of one shop's; a platform that is away is asked once, and the rest waits with the first. Raises Busy or
        Unanswered then."""
        asking: _Asking | None = None
        for place, claimed in enumerate(hints):
            try:
                asking = self._follow(claimed, asking)
            except Retryable as error:
                late = hints[place:] if is_away(error) else [claimed]
                self._finish([self._again(one, str(error), error.after) for one in late])
                if is_away(error):
                    raise
            except UnreadableDelivery as error:
                self._finish([Outcome(claimed, InboxState.REVIEW, f"the platform's answer: {error}")])
            except NotConnected as error:
                later = self._clock.now() + NOT_CONNECTED
                self._finish([Outcome(claimed, InboxState.WAITING, str(error), run_at=later)])
            except Permanent as error:
                self._refused(claimed, error)
            except Exception as error:
                self._metrics.errors.labels("look_again").inc()
                log.exception("a hint could not be followed", extra={"delivery_id": claimed.delivery_id})
                self._finish([self._again(claimed, f"the adapter failed: {type(error).__name__}", None)])

    def _follow(self, claimed: Claimed, asking: _Asking | None) -> _Asking | None:
        """One hint; the store it was asked at, for the next."""
        shop = self._shops.by_id(claimed.shop_id)
        if shop is None:
            raise NotConnected
        found = self._process_inbox.updates(claimed, shop)
        if asking is None and any(isinstance(update, LookAgain) for update in found):
            asking = _Asking(shop, self._manifest(shop.platform), self._stores.open(shop))
        updates = tuple(self._resolved(update, asking, claimed.attempts) for update in found)
        refuse_long_ids(updates)
        self._process_inbox.join([Reading(claimed, shop, updates)])
        return asking

    def _resolved(self, update: Update, asking: _Asking | None, attempts: int) -> Update:
        if not isinstance(update, LookAgain) or asking is None:
            return update
        question = (update.subject, update.subject_id, update.order_id, update.order_number)
        if question not in asking.answers:
            answer = self._answer(asking, update, attempts)
            asking.answers[question] = asking.manifest.resolve(update, answer, asking.shop)
        return asking.answers[question]

    def _answer(self, asking: _Asking, hint: LookAgain, attempts: int) -> bytes:
        """What the platform says; a "no such object" only after some patience: a hint may come before its commit."""
        try:
            return self._stores.api(asking.shop).look(asking.store, hint)
        except NotThereYet as error:
            if attempts < PATIENCE:
                raise
            return error.answer

    def _refused(self, claimed: Claimed, error: Permanent) -> None:
        again = claimed.attempts < MOST_REFUSALS
        with self._database.write() as connection:
            connections.look_soon(connection, claimed.shop_id, self._clock.now())
        self._finish([self._again(claimed, str(error), None) if again else _dead(claimed, str(error))])

    def _again(self, claimed: Claimed, problem: str, after: timedelta | None) -> Outcome:
        if claimed.attempts >= MOST_QUESTIONS:
            return _dead(claimed, f"given up after {claimed.attempts} tries: {problem}")
        asked = max(1, claimed.attempts - 1)  # reading the hint for the first time counted too
        run_at = next_try(self._clock.now(), asked, after)
        return Outcome(claimed, InboxState.WAITING, problem, run_at=run_at)

    def _finish(self, outcomes: list[Outcome]) -> None:
        with self._database.write() as connection:
            inbox.finish(connection, outcomes)


def _dead(claimed: Claimed, problem: str) -> Outcome:
    return Outcome(claimed, InboxState.DEAD, problem)
