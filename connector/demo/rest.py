"""Lets time pass for the running service: from due moment to due moment, each time until nothing is left to do."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from connector.database import Moment
from connector.demo.story_clock import StoryClock
from connector.domain.connection import ConnectionState
from connector.flow.service import Service
from connector.tables.connections import AT_WORK, connections
from connector.tables.documents import documents
from connector.tables.inbox import inbox
from connector.tables.sweeps import SweepKind, sweeps
from connector.tables.watched_parcels import watched_parcels
from notifications.outbox import outbox

LONGEST_QUIET = 30.0
"""Seconds of real time to wait for the service to come to rest; what is not told by then shows as lost."""
LOOK = 0.01
"""Seconds of real time between two looks."""
LOOKS_TO_NUDGE = 20
FRESH = timedelta(minutes=35)
"""A parcel without a number is looked at again before its mail goes out without one."""
_MOMENT = timedelta(seconds=1)


class Rest:
    """Waits for a service whose loops run in other threads."""

    def __init__(
        self, service: Service, clock: StoryClock, stopped: threading.Event, happened: Callable[[], None]
    ) -> None:
        """`stopped`: waiting ends at once when it is set. `happened`: called now and then while waiting."""
        self._service = service
        self._clock = clock
        self._stopped = stopped
        self._happened = happened

    def wait(self) -> None:
        """Until nothing is left to do at the clock's moment: twice in a row, since who has taken up work may not have
        begun it yet."""
        self._service.nudge()
        until, looks, quiet = time.monotonic() + LONGEST_QUIET, 0, 0
        while quiet < 2 and time.monotonic() < until and not self._stopped.is_set():
            quiet = quiet + 1 if self._is_quiet() else 0
            looks += 1
            if looks % LOOKS_TO_NUDGE == 0:
                self._service.nudge()
            self._happened()
            time.sleep(LOOK)
        self._happened()

    def pass_to(self, moment: datetime) -> None:
        """Let time pass; what becomes due on the way is done at its own time."""
        due = self._next_due()
        while due is not None and due < moment and not self._stopped.is_set():
            self._clock.move_to(due + _MOMENT)
            self.wait()
            after = self._next_due()
            if after == due:
                break
            due = after
        self._clock.move_to(moment)
        self.wait()

    def _next_due(self) -> datetime | None:
        """What a mail waits for, and what has to be tried again; shops are looked through whenever time stops."""
        fresh = watched_parcels.c.since > self._clock.now() - FRESH
        wanted = (
            (outbox.c.run_at, outbox.c.state == "pending"),
            (inbox.c.run_at, inbox.c.state.in_(("new", "waiting"))),
            (watched_parcels.c.run_at, fresh),
            (sweeps.c.run_at, sweeps.c.failures > 0),
            (connections.c.run_at, connections.c.failures > 0),
        )
        with self._service.database.read() as connection:
            moments = [connection.execute(sa.select(sa.func.min(at)).where(which)).scalar() for at, which in wanted]
        return min((moment for moment in moments if moment is not None), default=None)

    def _is_quiet(self) -> bool:
        now = self._clock.now()
        with self._service.database.read() as connection:
            due = connection.execute(_ANYTHING_DUE, {"now": now}).scalar()
        return not due and all(pool.wait(0) for pool in self._service.pools)


def _due() -> Iterator[sa.ColumnElement[bool]]:
    """What there may be to do at the moment `now`, table by table."""
    now = sa.bindparam("now", type_=Moment)
    yield sa.or_(inbox.c.state == "claimed", sa.and_(inbox.c.state.in_(("new", "waiting")), inbox.c.run_at <= now))
    yield sa.or_(
        outbox.c.state.in_(("claimed", "handing_over")), sa.and_(outbox.c.state == "pending", outbox.c.run_at <= now)
    )
    yield documents.c.state == "requested"
    at_work = connections.c.state.in_([state.value for state in AT_WORK])
    on_its_way = connections.c.state.in_([ConnectionState.OFFERED.value, ConnectionState.CONNECTING.value])
    yield sa.or_(on_its_way, sa.and_(at_work, connections.c.run_at <= now), connections.c.renew_at <= now)
    under_way = sa.and_(sweeps.c.kind == SweepKind.HISTORY.value, sweeps.c.finished_at.is_(None))
    yield sa.or_(under_way, sweeps.c.run_at <= now)
    yield watched_parcels.c.run_at <= now


_ANYTHING_DUE = sa.select(sa.or_(*(sa.exists().where(one) for one in _due())))
