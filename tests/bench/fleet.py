"""A thousand connected shops and one worker: how fast they can be looked through, how late it is for each, and what
shops that hang cost the others.

The worker runs in a process of its own (this module, with a JSON question as input), the shops in another. Every shop
has an address of its own, so that connections come and go as in life; they are plain, TLS is not in these figures.
"""

import contextlib
import json
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest import mock

import requests
import sqlalchemy as sa

import adapters
from adapters.contract import Manifest
from adapters.http import Answer, Request, Web
from connector import memory
from connector.app import build_service
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.scheduler import Scheduler
from connector.tables import sweeps
from connector.tables.sweeps import Sweep
from tests.bench import connected
from tests.bench.places import Place, settings
from tests.bench.programs import ask, own_megabytes
from tests.bench.report import Figure
from tests.bench.twins import Twins, twins

SHOPS = 1_000
SECONDS = 60.0
"""How long each phase is watched."""
HANGING = (1, 8, 50)
HANG_SECONDS = 600.0
SLOW_SECONDS = 0.3
"""As far-away shops and small servers answer."""
WELL, SLOW = "all well", "slow"
LONGEST = 1_800.0
BARE_CALLS = 500


def drained(place: Place, platform: str, shops: int) -> Iterator[Figure]:
    """All shops due at once: how many sweeps a second one worker makes, beside what their pace asks for."""
    seen = _ask({"do": "drain", "database_url": place.new_database(), "platform": platform, "shops": shops})
    api = adapters.manifest(platform).api
    assert api is not None
    needed = SHOPS / api.pace.alone.total_seconds()
    head = f"{place.name} {platform}, all {shops:,} due at once:"
    yield Figure(f"{head} sweeps", seen["sweeps"], "/s", f"for {SHOPS:,} without webhooks", needed, "> 1")
    yield Figure(f"{head} calls", seen["calls"], "/s", "bare requests loop", seen["bare"])
    yield Figure(f"{head} CPU a sweep", seen["cpu"] * 1000, "ms")


def watched(place: Place, platform: str, shops: int, seconds: float, hanging: Collection[int]) -> Iterator[Figure]:
    """Shops due evenly over their pace, as the platform's own pace is but for fewer shops: then it is that much
    quicker, so that as many sweeps fall due a second. First all well, then all slow, then with some that hang."""
    question = {"do": "watch", "database_url": place.new_database(), "platform": platform, "shops": shops}
    seen = _ask(question | {"seconds": seconds, "hanging": list(hanging)})
    api = adapters.manifest(platform).api
    assert api is not None
    due = SHOPS / api.pace.alone.total_seconds()
    phases = {WELL: WELL, SLOW: f"each answer takes {SLOW_SECONDS} s"} | {str(one): f"{one} hanging" for one in hanging}
    for phase, words in phases.items():
        head = f"{place.name} {platform}, {shops:,} shops, {words}:"
        share = seen[f"{phase}.others"] / shops
        yield Figure(f"{head} sweeps of the others", seen[f"{phase}.rate"], "/s", "fall due", due * share, "1")
        for name in ("p50", "p95", "max"):
            floor = ("", 0.0) if phase == WELL else (WELL, seen[f"{WELL}.{name}"])
            yield Figure(f"{head} lateness {name}", seen[f"{phase}.{name}"], "s", *floor)
        yield Figure(f"{head} CPU of the worker", seen[f"{phase}.cpu"] * 100, "%")
        yield Figure(f"{head} memory", seen[f"{phase}.memory"], "MB")


def _ask(question: dict[str, Any]) -> dict[str, float]:
    return ask("tests.bench.fleet", question, timeout=LONGEST)


class Lateness:
    """How late each sweep begins, seen where it is written when it is due and where it is claimed."""

    def __init__(self, service: Service) -> None:
        self._clock = service.clock
        self._lock = threading.Lock()
        self._due: dict[str, datetime] = {}
        self._claim, self._keep = sweeps.claim, sweeps.keep
        self.begun: list[tuple[str, float]] = []
        """Shop and seconds."""
        self.ended: list[str] = []
        """The shop of each sweep that came to its end."""
        with service.database.read() as connection:
            for row in connection.execute(sa.select(sweeps.sweeps.c.shop_id, sweeps.sweeps.c.run_at)):
                self._due[row.shop_id] = row.run_at

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        with mock.patch.object(sweeps, "claim", self._claimed), mock.patch.object(sweeps, "keep", self._kept):
            yield

    def set_due(self, shop_id: str, moment: datetime) -> None:
        with self._lock:
            self._due[shop_id] = moment

    def take(self) -> tuple[list[tuple[str, float]], list[str]]:
        """What began and ended since the last time; what is due and has not begun counts with what it waits so far."""
        now = self._clock.now()
        with self._lock:
            begun, ended = self.begun, self.ended
            self.begun, self.ended = [], []
            late = [(shop_id, (now - due).total_seconds()) for shop_id, due in self._due.items() if due < now]
        return begun + late, ended

    def _claimed(self, connection: sa.Connection, now: datetime, **named: Any) -> list[Sweep]:
        claimed = self._claim(connection, now, **named)
        with self._lock:
            for one in claimed:
                due = self._due.pop(one.shop_id, now)
                self.begun.append((one.shop_id, (now - due).total_seconds()))
        return claimed

    def _kept(self, connection: sa.Connection, held: Sweep) -> bool:
        kept = self._keep(connection, held)
        with self._lock:
            self._due[held.shop_id] = held.run_at
            if held.begun_at is None and not held.failures:
                self.ended.append(held.shop_id)
        return kept


def main() -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    memory.share_arenas()
    platform, shops = question["platform"], question["shops"]
    with twins(platform, shops=shops) as there, _service(question["database_url"], platform, there) as service:
        known = connected.enter(service, there.shops)
        if question["do"] == "drain":
            seen = _drain(service, there)
        else:
            seen = _watch(service, there, known, question["seconds"], question["hanging"])
    sys.stdout.write(json.dumps(seen))


@contextlib.contextmanager
def _service(database_url: str, platform: str, there: Twins) -> Iterator[Service]:
    chosen = replace(settings(database_url), routes=there.routes, mail_from="")
    by_name: dict[str, Manifest] = {platform: _paced(platform, len(there.shops))}
    service = build_service(chosen, manifest=by_name.__getitem__)
    try:
        yield service
    finally:
        service.send_outbox.stop()
        service.database.close()


def _paced(platform: str, shops: int) -> Manifest:
    """The platform, at a pace at which this many shops ask for as much as SHOPS at its own."""
    manifest = adapters.manifest(platform)
    assert manifest.api is not None
    pace = replace(manifest.api.pace, alone=manifest.api.pace.alone * shops / SHOPS)
    return replace(manifest, api=replace(manifest.api, pace=pace))


def _drain(service: Service, there: Twins) -> dict[str, float]:
    """Twice: a stand-in takes its time over the very first question."""
    with _at_work(service):
        _drain_once(service, there)
        seen = _drain_once(service, there)
    return seen | {"bare": _bare_rate(service, there)}


def _drain_once(service: Service, there: Twins) -> dict[str, float]:
    calls, cpu, started, shops = there.calls(), time.process_time(), time.monotonic(), len(there.shops)
    with service.database.write() as connection:
        connection.execute(sa.update(sweeps.sweeps).values(run_at=service.clock.now(), finished_at=None))
    service.asking.nudge()
    while _unfinished(service):
        if time.monotonic() - started > LONGEST:
            raise RuntimeError("the sweeps do not end")
        time.sleep(0.05)
    took, used = time.monotonic() - started, time.process_time() - cpu
    return {"sweeps": shops / took, "calls": (there.calls() - calls) / took, "cpu": used / shops}


def _unfinished(service: Service) -> bool:
    unfinished = sa.select(sweeps.sweeps.c.shop_id).where(sweeps.sweeps.c.finished_at.is_(None)).limit(1)
    with service.database.read() as connection:
        return connection.execute(unfinished).first() is not None


def _bare_rate(service: Service, there: Twins) -> float:
    """Calls a second of one thread that asks shop after shop the first question of a sweep and looks at nothing."""
    sampled = there.shops[:: max(1, len(there.shops) // BARE_CALLS)]
    with service.database.read() as connection:
        known = {sweep: service.shops.by_id(sweep) for sweep in connection.execute(_IDS).scalars()}
    by_host = {shop.host: shop for shop in known.values() if shop}
    made = [(one, _first_question(service, by_host[one.host])) for one in sampled]
    with requests.Session() as session:
        session.trust_env = False
        started = time.perf_counter()
        for one, request in made:
            session.request(
                request.method,
                request.url.replace(f"https://{one.host}", one.place, 1),
                headers={**request.headers, "Host": one.host},
                data=request.body,
                timeout=60,
            ).raise_for_status()
        return len(made) / (time.perf_counter() - started)


_IDS = sa.select(sweeps.sweeps.c.shop_id)


class _Noticed(Exception):
    """A question was about to be asked."""

    def __init__(self, request: Request) -> None:
        super().__init__("asked")
        self.request = request


class _NoticingWeb(Web):
    def ask(self, make: Any, **_named: Any) -> Answer:
        raise _Noticed(make())


def _first_question(service: Service, shop: Shop) -> Request:
    store = replace(service.stores.open(shop), web=_NoticingWeb())
    try:
        service.stores.api(shop).changes(store, service.clock.now(), "")
    except _Noticed as noticed:
        return noticed.request
    raise RuntimeError("a sweep asks nothing")


def _watch(service: Service, there: Twins, shops: list[Shop], seconds: float, hanging: list[int]) -> dict[str, float]:
    api = service.manifest(there.shops[0].platform).api
    assert api is not None
    connected.spread_sweeps(service, api.pace.alone)
    seen: dict[str, float] = {}
    lateness = Lateness(service)
    with lateness.watching(), _at_work(service):
        time.sleep(min(5.0, seconds / 10))  # first statements and connections are made once a day, not once a minute
        seen |= _phase(WELL, lateness, shops, seconds)
        there.hang([shop.host for shop in shops], SLOW_SECONDS)
        seen |= _phase(SLOW, lateness, shops, seconds)
        there.hang([shop.host for shop in shops], 0)
        for number in hanging:
            _let_hang(service, there, shops[:number], lateness)
            seen |= _phase(str(number), lateness, shops[number:], seconds)
    return seen


def _let_hang(service: Service, there: Twins, shops: list[Shop], lateness: Lateness) -> None:
    """The worst that can happen: all of them are due at this very moment."""
    there.hang([shop.host for shop in shops], HANG_SECONDS)
    now = service.clock.now()
    with service.database.write() as connection:
        for shop in shops:
            connected.set_due(connection, shop.shop_id, now)
            lateness.set_due(shop.shop_id, now)


def _phase(name: str, lateness: Lateness, others: list[Shop], seconds: float) -> dict[str, float]:
    """Figures of the others, each behind the phase's name."""
    lateness.take()
    ids, cpu, started = {shop.shop_id for shop in others}, time.process_time(), time.monotonic()
    time.sleep(seconds)
    took, used = time.monotonic() - started, time.process_time() - cpu
    begun, ended = lateness.take()
    late = sorted(wait for shop_id, wait in begun if shop_id in ids)
    seen = {
        "p50": late[len(late) // 2],
        "p95": late[len(late) * 95 // 100],
        "max": late[-1],
        "rate": sum(shop_id in ids for shop_id in ended) / took,
        "cpu": used / took,
        "others": len(ids),
        "memory": own_megabytes()[0],
    }
    return {f"{name}.{what}": value for what, value in seen.items()}


@contextlib.contextmanager
def _at_work(service: Service) -> Iterator[None]:
    scheduler = Scheduler(service)
    for loop in service.loops:
        loop.start()
    scheduler.start()
    try:
        yield
    finally:
        scheduler.stop()
        for loop in service.loops:
            loop.stop()


if __name__ == "__main__":
    main()
