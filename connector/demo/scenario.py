"""The story: some shops' three days in a few seconds, on a clock that is moved from moment to moment."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from connector.demo.stand_ins import StandIn, Step, ago
from connector.flow.service import Service
from connector.tables import documents, inbox
from notifications import outbox

LONGEST_QUIET = 30.0
"""Seconds of real time to wait for the service to come to rest; what is not told by then shows as lost."""


class StoryClock:
    """Runs like any clock, but can be set to a moment; never set backwards."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def begin(self, moment: datetime) -> None:
        """Set it to a moment in the past, before anything has looked at it."""
        self._ahead = moment - datetime.now(UTC)

    def move_to(self, moment: datetime) -> None:
        """Set it forward; a moment that is past already changes nothing."""
        self._ahead = max(self._ahead, moment - datetime.now(UTC))


class Scenario:
    """All shops' steps in the order of their moments."""

    def __init__(self, shops: Sequence[StandIn], clock: StoryClock, now: datetime) -> None:
        self.shops = shops
        self.posts = sum(step.posts for shop in shops for step in shop.story.steps)
        self._clock = clock
        self._now = now
        self._stopped = threading.Event()

    @property
    def sent(self) -> int:
        """How many requests have been answered so far."""
        return sum(len(shop.sent) for shop in self.shops)

    @property
    def begins(self) -> datetime:
        """Just after the shops were connected."""
        return min(shop.shop.connected_at for shop in self.shops)

    def stop(self) -> None:
        """Ask for the end before the next moment, from any thread."""
        self._stopped.set()

    def play(self, service: Service, address: str, happened: Callable[[], None]) -> bool:
        """Send everything; `happened` is called now and then, from several threads. False if it was stopped."""
        for moment, steps in self._moments():
            self._until(moment, service, happened)
            with ThreadPoolExecutor(len(self.shops)) as pool:
                list(pool.map(lambda one: self._send_all(one[0], one[1], address, happened), steps))
            self._rest(service, happened)
            if self._stopped.is_set():
                return False
        self._until(datetime.now(UTC), service, happened)
        return not self._stopped.is_set()

    def _moments(self) -> Iterator[tuple[datetime, list[tuple[StandIn, list[Step]]]]]:
        """Each moment at which something is sent, with each shop's steps in the order of its story."""
        found = {step.at: ago(self._now, step.at) for shop in self.shops for step in shop.story.steps}
        for at, moment in sorted(found.items(), key=lambda one: one[1]):
            yield moment, [(shop, [step for step in shop.story.steps if step.at == at]) for shop in self.shops]

    def _send_all(self, shop: StandIn, steps: list[Step], address: str, happened: Callable[[], None]) -> None:
        for step in steps:
            if not self._stopped.is_set():
                shop.send(step, address)
                happened()

    def _until(self, moment: datetime, service: Service, happened: Callable[[], None]) -> None:
        """Let time pass; what becomes due on the way happens in its own time."""
        while not self._stopped.is_set() and (due := _next_due(service)) is not None and due < moment:
            self._clock.move_to(due + timedelta(seconds=1))
            service.nudge()
            self._rest(service, happened)
            if _next_due(service) == due:
                break
        self._clock.move_to(moment)
        service.nudge()
        self._rest(service, happened)

    def _rest(self, service: Service, happened: Callable[[], None]) -> None:
        """Wait until the service has nothing to do at the clock's moment."""
        until = time.monotonic() + LONGEST_QUIET
        while not self._stopped.is_set() and time.monotonic() < until and not _is_quiet(service):
            happened()
            time.sleep(0.01)
        happened()


def _next_due(service: Service) -> datetime | None:
    with service.database.read() as connection:
        return outbox.oldest_due(connection)


def _is_quiet(service: Service) -> bool:
    with service.database.read() as connection:
        deliveries = inbox.waiting_counts(connection)
        messages = outbox.waiting_counts(connection)
        wanted = documents.waiting_counts(connection)
        due = outbox.oldest_due(connection)
    working = [deliveries.get(state, 0) for state in ("new", "claimed", "waiting")]
    working += [messages.get(state, 0) for state in ("claimed", "handing_over")]
    return not any(working) and not wanted.get("requested") and (due is None or due > service.clock.now())
