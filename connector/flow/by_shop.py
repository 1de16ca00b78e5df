"""Work that asks platforms, shop by shop: one shop's trouble holds one thread for a while, and then none."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from adapters.http import Busy, Unanswered
from connector.domain.clock import Clock
from connector.domain.errors import Retryable
from connector.observability import Metrics

log = logging.getLogger(__name__)

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
WAITS_AFTER = 0.25
"""Seconds without an answer after which work is taken for waiting: it keeps its thread, which costs next to nothing,
and gives back its place. So shops that hang, however many at once, hold up the others for no longer than this."""
MOST_WAITING = 100
"""Threads of one pool that may wait so."""
INLINE_ROOM = 20
"""How many pieces of work are taken at once where there are no threads."""


class Rests:
    """Shops that are left alone for a while, because their platform did not answer; of this process, and shared by all
    its pools."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, tuple[datetime, timedelta]] = {}

    def begin(self, shop_id: str, asked: timedelta | None = None) -> None:
        """Twice as long as the last time, unless the platform itself asked for a wait. A shop whose rest was not over
        when its last piece of work came back rests no longer for it."""
        now = self._clock.now()
        with self._lock:
            until, before = self._until.get(shop_id, (now, timedelta()))
            if until > now:
                return
            wait = min(max(before * 2, FIRST_REST), LONGEST_REST)
            self._until[shop_id] = (now + (asked or wait), before if asked else wait)

    def end(self, shop_id: str) -> None:
        """The platform answered."""
        with self._lock:
            self._until.pop(shop_id, None)

    def resting(self) -> set[str]:
        """Whom to leave alone right now."""
        now = self._clock.now()
        with self._lock:
            return {shop_id for shop_id, (until, _) in self._until.items() if until > now}


class ShopPool:
    """Threads for one kind of work; never two pieces of it for one shop at once in this process, and whoever only waits
    for an answer takes no place."""

    def __init__(
        self,
        name: str,
        threads: int,
        rests: Rests,
        metrics: Metrics,
        *,
        done: Callable[[], None] = lambda: None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`threads`: places for work that goes on, besides what waits; 0 does the work in the caller, for tests.
        `done`: called when there is room again. `steady`: seconds, of a clock that nobody sets."""
        self.name = name
        self._places = threads or INLINE_ROOM
        self._rests = rests
        self._metrics = metrics
        self._done = done
        self._executor = ThreadPoolExecutor(threads + MOST_WAITING, name) if threads else None
        self._steady = steady
        self._changed = threading.Condition()
        self._at_work: dict[str, float] = {}
        """By shop: when its work began, or last had an answer."""
        self._alarm: threading.Timer | None = None
        self._stopping = False

    @property
    def free(self) -> int:
        """How many more pieces of work would begin at once."""
        with self._changed:
            waits = self._steady() - WAITS_AFTER
            waiting = min(sum(since <= waits for since in self._at_work.values()), MOST_WAITING)
            return 0 if self._stopping else max(0, self._places + waiting - len(self._at_work))

    @property
    def stopping(self) -> bool:
        """Whether long work should come to an end at its next good place."""
        return self._stopping

    def busy(self) -> set[str]:
        """Ids of the shops whose work cannot begin now: they are at work, or at rest."""
        with self._changed:
            at_work = set(self._at_work)
        return at_work | self._rests.resting()

    def submit(self, shop_id: str, work: Callable[[], object]) -> bool:
        """Do this for a shop as soon as there is a thread; False (and nothing done) while that shop has work here
        already, or when the pool ends.

        Work that raises Busy or Unanswered says that the platform is away: the shop rests. Work that returns says that
        it is there. What else it raises is logged and counted.
        """
        with self._changed:
            if self._stopping or shop_id in self._at_work:
                return False
            self._at_work[shop_id] = self._steady()
        if self._executor is None:
            self._run(shop_id, work)
        else:
            self._executor.submit(self._run, shop_id, work)
            self._set_alarm()
        return True

    def answered(self, shop_id: str) -> None:
        """Work that goes on for long says that its platform answered: from here on it works, and takes a place."""
        with self._changed:
            if shop_id in self._at_work:
                self._at_work[shop_id] = self._steady()

    def wait(self, timeout: float = 60.0) -> bool:
        """Whether all work came to its end within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._at_work, timeout)

    def stop(self, timeout: float = 30.0) -> None:
        """Take nothing more and let what has begun end, within so many seconds; what has not begun is dropped."""
        with self._changed:
            self._stopping = True
        if self._executor:
            self._executor.shutdown(wait=False)
        self.wait(timeout)

    def _set_alarm(self) -> None:
        """Where there is no room left, there is some as soon as all who took it are known to wait, and nobody ends."""
        with self._changed:
            if self._alarm is None and not self.free:
                self._alarm = threading.Timer(WAITS_AFTER, self._ring)
                self._alarm.daemon = True
                self._alarm.start()

    def _ring(self) -> None:
        with self._changed:
            self._alarm = None
        self._done()

    def _run(self, shop_id: str, work: Callable[[], object]) -> None:
        try:
            if not self._stopping:
                work()
                self._rests.end(shop_id)
        except (Busy, Unanswered) as error:
            self._rests.begin(shop_id, error.after)
        except Exception:
            self._metrics.errors.labels(self.name).inc()
            log.exception("work for a shop failed; it will be tried again", extra={"shop_id": shop_id})
        finally:
            with self._changed:
                self._at_work.pop(shop_id, None)
                self._changed.notify_all()
            self._done()


def stop_all(pools: Sequence[ShopPool], timeout: float = 30.0) -> None:
    """Stop pools together, within so many seconds for all of them."""
    deadline = time.monotonic() + timeout
    for pool in pools:
        pool.stop(0)
    for pool in pools:
        pool.wait(max(0.0, deadline - time.monotonic()))


def is_away(error: Retryable) -> bool:
    """Whether this says that the whole platform does not answer, and not only that one question has no answer yet."""
    return isinstance(error, Busy | Unanswered)
