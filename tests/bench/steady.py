"""API calls of a shop in its everyday life, counted over a day that is played by a clock: alone, and with webhooks."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

import adapters
from adapters.contract import Api, Manifest, Store
from adapters.http import Web
from adapters.twins import Answered, Asked, Faults, TwinServer
from connector.app import build_door, build_service
from connector.domain.clock import FixedClock
from connector.flow.service import Service
from connector.tables import connections, inbox, sweeps, watched_parcels
from tests.bench import connected
from tests.bench.places import Place, settings
from tests.bench.report import Figure
from tests.bench.twins import Twin, make, stranger
from webhooks.endpoints import Answer, Door

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OURS = "connector.example.test"
ORDER_EVERY = timedelta(minutes=6)
SHIPPED_AFTER = timedelta(minutes=3)
QUEUES_RUN = timedelta(minutes=1)
"""How often platforms look what they have to send."""
SETTLING = timedelta(minutes=30)
"""Before the count begins: connecting asks much, and once."""

KINDS = {
    "changes": "sweeps",
    "probe": "watchdog",
    "subscribe": "watchdog",
    "wake": "watchdog",
    "look": "hints",
    "parcels": "parcels",
    "renew": "credentials",
}


def measure(place: Place, *, hours: int) -> Iterator[Figure]:
    """Calls an hour for every platform; the floor is one call a sweep at the platform's own pace."""
    for platform in adapters.NAMES:
        for webhooks in (False, True):
            counted = Day(platform, place.new_database(), webhooks=webhooks).count(hours)
            api = adapters.manifest(platform).api
            assert api is not None
            pace = api.pace.with_webhooks if webhooks else api.pace.alone
            kinds = ", ".join(f"{name} {count / hours:.1f}" for name, count in sorted(counted.items()) if count)
            yield Figure(
                f"{platform} {'with webhooks' if webhooks else 'alone'} ({kinds})",
                counted.total() / hours,
                "calls/h",
                "one call a sweep",
                timedelta(hours=1) / pace,
            )


@dataclass
class Day:
    """One shop with ten orders an hour, each sent a while later, and the service that is connected to it."""

    platform: str
    database_url: str
    webhooks: bool
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    calls: Counter[str] = field(default_factory=Counter)

    def count(self, hours: int) -> Counter[str]:
        """API calls by what they are for."""
        with contextlib.ExitStack() as stack:
            front = stack.enter_context(Front())
            twin = make(self.platform, self.clock, "steady", {OURS: front.address}, webhooks=self.webhooks)
            stack.enter_context(twin)
            service = self._service(twin)
            stack.callback(_close, service)
            front.door = build_door(service)
            stack.callback(front.door.stop)
            connected.offer(service, stranger(twin))
            self._play(service, twin, NOON + SETTLING)
            self.calls.clear()
            before = twin.server.calls.total()
            self._play(service, twin, NOON + SETTLING + timedelta(hours=hours))
            _check(service, twin, self.calls.total(), twin.server.calls.total() - before)
        return self.calls

    def _service(self, twin: Twin) -> Service:
        web = Web(routes=twin.routes, clock=self.clock, sleep=lambda _seconds: None)
        manifest = adapters.manifest(self.platform)
        assert manifest.api is not None
        counted = replace(manifest, api=self._counted(manifest.api, web))
        chosen = replace(settings(self.database_url), address=f"https://{OURS}" if self.webhooks else "", mail_from="")
        by_name: dict[str, Manifest] = {self.platform: counted}
        return build_service(chosen, clock=self.clock, web=web, manifest=by_name.__getitem__, asking_threads=0)

    def _counted(self, api: Api, web: Web) -> Api:
        def counting(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
            def asked(store: Store, *arguments: Any) -> Any:
                before = web.calls(store.access.host)
                try:
                    return ask(store, *arguments)
                finally:
                    self.calls[KINDS[name]] += web.calls(store.access.host) - before

            return asked

        there = {name: ask for name in KINDS if (ask := getattr(api, name)) is not None}
        counted: dict[str, Any] = {name: counting(name, ask) for name, ask in there.items()}
        return replace(api, **counted)

    def _play(self, service: Service, twin: Twin, until: datetime) -> None:
        """Moment after moment at which something happens or is due."""
        sent: list[tuple[datetime, Callable[[], object]]] = []
        next_order = self.clock.moment
        while self.clock.moment < until:
            now = self.clock.moment
            if next_order <= now:
                sent.append((now + SHIPPED_AFTER, partial(_ship, twin, twin.place_order(paid=True))))
                next_order = now + ORDER_EVERY
            while sent and sent[0][0] <= now:
                sent.pop(0)[1]()
            if self.webhooks:
                twin.deliver()
            _work(service)
            upcoming = [next_order, *(moment for moment, _ in sent[:1]), *_due(service)]
            if self.webhooks:
                upcoming.append(now + QUEUES_RUN)
            self.clock.moment = max(now + timedelta(seconds=1), min(upcoming))


class Front:
    """Our public address, as a shop reaches it."""

    door: Door

    def __init__(self) -> None:
        self._server = TwinServer(self._answer, Faults())

    @property
    def address(self) -> str:
        return self._server.address

    def __enter__(self) -> "Front":
        self._server.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._server.__exit__(*details)

    def _answer(self, asked: Asked) -> Answered:
        knock = self.door.knock(asked.method, asked.path, asked.query, asked.headers.items())
        said = knock if isinstance(knock, Answer) else None
        if not isinstance(knock, Answer):
            entered = self.door.enter(knock, asked.body)
            if isinstance(entered, Answer):
                said = entered
            else:
                written, reply = entered
                written.exception(timeout=10)
                said = self.door.written(knock, written, reply)
        assert said is not None
        return Answered(said.status, said.body, dict(said.headers), said.content_type)


def _ship(twin: Twin, order_id: str) -> None:
    twin.ship(order_id, f"JD{int(order_id):012d}"[-14:], "DHL")


def _work(service: Service) -> None:
    flows = (
        service.process_inbox,
        service.tend_connections,
        service.reconcile,
        service.watch_parcels,
        service.renew_credentials,
        service.look_again,
    )
    while sum(flow.run() for flow in flows):
        pass


def _due(service: Service) -> list[datetime]:
    """The next moment of each table by which something is asked."""
    tables = (sweeps.sweeps, connections.connections, watched_parcels.watched_parcels)
    with service.database.read() as connection:
        found = [connection.execute(sa.select(sa.func.min(table.c.run_at))).scalar() for table in tables]
        found.append(inbox.oldest_due(connection))
    return [moment for moment in found if moment is not None]


def _check(service: Service, twin: Twin, counted: int, taken: int) -> None:
    """A figure of a shop that was not at work would mean nothing."""
    with service.database.read() as connection:
        (known,) = connections.everyone(connection).values()
        waiting = inbox.waiting_counts(connection)
    if known.problem or waiting or counted != taken:
        raise RuntimeError(f"the day went wrong: {known.problem} {waiting}, {counted} calls of {taken}; {twin.host}")


def _close(service: Service) -> None:
    service.send_outbox.stop()
    service.stop_asking()
    service.database.close()
