"""Connections with something to do, each moved on by one step: offered, connecting, connected, broken."""

import logging
from datetime import datetime, timedelta
from functools import partial

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import ConnectionState
from connector.domain.errors import Permanent, Retryable
from connector.domain.shop import Shop
from connector.flow.by_shop import ShopPool, is_away
from connector.flow.look_after import LookAfter, MissingRights
from connector.flow.prove_offers import ProveOffers
from connector.flow.retry import next_try
from connector.flow.stores import NotConnected
from connector.observability import Metrics
from connector.tables import connections, shops
from connector.tables.connections import BROKEN_FOR, LEASE, Connection

log = logging.getLogger(__name__)

LONGEST_BROKEN = timedelta(hours=6)


class TendConnections:
    """Claims connections that are due; each gets a thread of its own for its step."""

    def __init__(
        self,
        database: Database,
        prove: ProveOffers,
        look_after: LookAfter,
        pool: ShopPool,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._prove = prove
        self._look_after = look_after
        self._pool = pool
        self._clock = clock
        self._metrics = metrics

    def run(self) -> int:
        """Begin what is due and has room; returns how many connections were taken."""
        limit = self._pool.free
        if not limit:
            return 0
        now = self._clock.now()
        with self._database.write() as connection:
            claimed = connections.claim(connection, now, lease=LEASE, limit=limit, busy=self._pool.busy())
        for held in claimed:
            if not self._pool.submit(held.shop_id, partial(self._tend, held)):
                self._advance(held, held.state, now, held.problem, failures=held.failures)
        return len(claimed)

    def _tend(self, held: Connection) -> None:
        """One step. Raises Busy or Unanswered for a platform that is away."""
        with self._database.read() as connection:
            shop = shops.by_id(connection, held.shop_id)
        if shop is None or shop.ended_at is not None:
            return
        try:
            self._step(held, shop)
        except Retryable as error:
            self._postpone(held, str(error), error.after)
            if is_away(error):
                raise
        except Permanent as error:
            self._refused(held, error)
        except Exception as error:
            self._metrics.errors.labels("tend_connections").inc()
            log.exception("a connection could not be moved on", extra={"shop_id": held.shop_id})
            self._postpone(held, f"the adapter failed: {type(error).__name__}; the log says why", None)

    def _step(self, held: Connection, shop: Shop) -> None:
        if held.state is ConnectionState.OFFERED:
            self._prove.run(shop)
        elif held.state is ConnectionState.CONNECTED:
            self._look_after.look_again(held, shop)
        else:
            self._look_after.connect(held, shop)

    def _postpone(self, held: Connection, problem: str, after: timedelta | None) -> None:
        """The same step again, later; a broken connection says why it broke and not that it could not be asked."""
        failures = held.failures + 1
        broken = held.state is ConnectionState.BROKEN
        run_at = self._rested(held) if broken else next_try(self._clock.now(), failures, after)
        self._advance(held, held.state, run_at, held.problem if broken else problem, failures=failures)

    def _refused(self, held: Connection, error: Permanent) -> None:
        """A person has to look; whether they did is looked at by and by, so that it heals by itself."""
        state = ConnectionState.INVITED if isinstance(error, NotConnected) else ConnectionState.BROKEN
        findings = error.findings if isinstance(error, MissingRights) else None
        now = self._clock.now()
        with self._database.write() as connection:
            connections.advance(
                connection,
                held,
                state=state,
                run_at=self._rested(held),
                problem=str(error),
                failures=held.failures + 1,
                findings=findings,
                probed_at=now if findings else None,
            )

    def _rested(self, held: Connection) -> datetime:
        wait: timedelta = min(LONGEST_BROKEN, BROKEN_FOR * 2 ** min(held.failures, 10))
        return self._clock.now() + wait

    def _advance(self, held: Connection, state: ConnectionState, run_at: datetime, problem: str, failures: int) -> None:
        with self._database.write() as connection:
            connections.advance(connection, held, state=state, run_at=run_at, problem=problem, failures=failures)
