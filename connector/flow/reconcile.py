"""Looking shops through for what no webhook told: page by page, each page and the place in it committed together."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from adapters.contract import Api, Store
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import ConnectorError, Permanent, Retryable, UnreadableDelivery
from connector.domain.shop import Shop
from connector.flow import sweeping
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.found import record_found
from connector.flow.retry import next_try
from connector.flow.stores import NotConnected, Stores
from connector.flow.sweeping import Course
from connector.observability import Metrics
from connector.tables import connections, inbox, shops, sweeps
from connector.tables.sweeps import Sweep, SweepKind

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Longer than one page takes; begun anew with each page."""
BUDGET_SECONDS = 20.0
"""After this a sweep makes room for other shops and goes on at its next turn."""
INBOX_LATE = timedelta(seconds=2)
"""History waits while the inbox is so far behind: what happens now comes first."""
INBOX_WAIT = timedelta(seconds=1)


class _NoLongerMine(Exception):
    """Another worker holds this sweep, or its shop has left: nothing of the page is kept."""


@dataclass(slots=True)
class _Turn:
    """One claim's work: a sweep of a shop that can be asked."""

    sweep: Sweep
    course: Course
    api: Api
    store: Store
    until: float
    """By the machine's own steady clock, in seconds."""
    before: frozenset[str] = frozenset()
    """What the last page held."""


class Reconcile:
    """Claims due sweeps; many shops are looked through at once, each by one thread."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        pool: ShopPool,
        clock: Clock,
        metrics: Metrics,
        *,
        recorded: Callable[[], None],
        budget_seconds: float = BUDGET_SECONDS,
    ) -> None:
        """`recorded`: called when documents were found, to have them processed at once."""
        self._database = database
        self._stores = stores
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._recorded = recorded
        self._budget_seconds = budget_seconds

    def run(self) -> int:
        """Begin what is due and has room; returns how many sweeps were taken."""
        limit = self._pool.free
        if not limit:
            return 0
        with self._database.write() as connection:
            claimed = sweeps.claim(connection, self._clock.now(), lease=LEASE, limit=limit, busy=self._pool.busy())
        for held in claimed:
            if not self._pool.submit(held.shop_id, partial(self._sweep, held)):
                self._keep(replace(held, run_at=self._clock.now()))
        return len(claimed)

    def _sweep(self, held: Sweep) -> None:
        """Pages until the end or until the time is over. Raises Busy or Unanswered for a platform that is away."""
        with self._database.read() as connection:
            shop = shops.by_id(connection, held.shop_id)
        if shop is None or shop.ended_at is not None:
            return
        turn: _Turn | None = None
        try:
            turn = self._turn(shop, held)
            while self._read_page(turn):
                pass
        except _NoLongerMine:
            return
        except Exception as error:
            self._failed(shop, turn.sweep if turn else held, error)

    def _turn(self, shop: Shop, held: Sweep) -> _Turn:
        with self._database.read() as connection:
            known = connections.get(connection, shop.shop_id)
        if known is None:
            raise NotConnected
        api, store = self._stores.api(shop), self._stores.open(shop)
        sweep = sweeping.started(held, self._clock.now())
        return _Turn(sweep, Course(shop, known, api.pace), api, store, time.monotonic() + self._budget_seconds)

    def _read_page(self, turn: _Turn) -> bool:
        """One page, asked for outside of any transaction and kept in one; whether the next may be read at once."""
        if self._gives_way(turn):
            self._keep(replace(turn.sweep, run_at=self._clock.now() + INBOX_WAIT))
            return False
        page = turn.api.changes(turn.store, turn.sweep.since, turn.sweep.cursor)
        self._pool.answered(turn.course.shop.shop_id)
        now = self._clock.now()
        taken = sweeping.kept(turn.sweep, page, turn.course)
        after = sweeping.after_page(turn.sweep, page, taken, turn.before, turn.course, now)
        ended = after.begun_at is None
        over = self._pool.stopping or time.monotonic() >= turn.until
        if not ended:
            after = replace(after, run_at=now if over else now + LEASE)
        with self._database.write() as connection:
            documents = ((one, sweeping.source(turn.sweep, one, turn.course)) for one in taken)
            new = record_found(self._database, connection, turn.course.shop, documents, self._clock)
            if not sweeps.keep(connection, after):
                raise _NoLongerMine
        turn.sweep, turn.before = after, sweeping.keys(page)
        if new:
            self._recorded()
        return not ended and not over

    def _gives_way(self, turn: _Turn) -> bool:
        """Whether history has to wait for news."""
        if turn.sweep.kind is not SweepKind.HISTORY:
            return False
        with self._database.read() as connection:
            oldest = inbox.oldest_due(connection)
        return oldest is not None and self._clock.now() - oldest > INBOX_LATE

    def _failed(self, shop: Shop, held: Sweep, error: Exception) -> None:
        """Try again later; a platform that refuses us for good breaks the connection until it works again."""
        now = self._clock.now()
        asked = error.after if isinstance(error, Retryable) else None
        run_at = next_try(now, held.failures + 1, asked)
        self._keep(sweeping.after_failure(held, self._words(held, error), run_at, self._stores.api(shop).pace.overlap))
        if isinstance(error, Permanent) and not isinstance(error, UnreadableDelivery | NotConnected):
            self._stores.refused(shop)
        if isinstance(error, Retryable) and is_away(error):
            raise error

    def _words(self, held: Sweep, error: Exception) -> str:
        if isinstance(error, ConnectorError):
            return str(error)
        self._metrics.errors.labels("reconcile").inc()
        log.error("a shop could not be looked through", exc_info=error, extra={"shop_id": held.shop_id})
        return f"the adapter failed: {type(error).__name__}; the log says why"

    def _keep(self, held: Sweep) -> None:
        with self._database.write() as connection:
            sweeps.keep(connection, held)
