"""A shop's history through the real flow: connected, swept, processed; fetching alone; and the same pages read bare.

The service runs in a process of its own (this module, with a JSON question as input), the shop in another.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests
import sqlalchemy as sa

import adapters
from adapters.http import Answer, Request, Web
from connector import memory
from connector.app import build_service
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.scheduler import Scheduler
from connector.tables import connections, inbox, sweeps
from connector.tables.orders import orders as orders_table
from connector.tables.sweeps import SweepKind
from tests.bench import connected
from tests.bench.places import Place, settings
from tests.bench.programs import ask, own_megabytes
from tests.bench.report import Figure
from tests.bench.twins import Stranger, twins

ORDERS = 10_000
LONGEST = 900.0
LOOK_SECONDS = 0.05
STEP = 1_000
"""Orders between two looks at the memory."""


def measure(found: list[Place], *, rounds: int, size: int, orders: int = ORDERS) -> Iterator[list[Figure]]:
    """One list of figures for each platform: an import is long enough to need no rounds."""
    for platform in adapters.NAMES:
        yield list(of_platform(platform, found, orders))


def of_platform(platform: str, found: list[Place], orders: int) -> Iterator[Figure]:
    """Figures of one import on every database, with the platform's shop made anew for each."""
    for place in found:
        with twins(platform, orders=orders) as shops:
            (shop,) = shops.shops
            question = {"database_url": place.new_database(), "shop": shop.offer, "orders": orders}
            question |= {"platform": platform, "host": shop.host, "base": shop.base, "place": shop.place}
            seen = ask("tests.bench.importing", question, timeout=LONGEST)
        head, bare = f"{place.name} {platform}", "bare requests loop, same pages"
        yield Figure(f"{head} import, {seen['orders']:,.0f} orders", seen["rate"], "orders/s", bare, seen["bare"])
        yield Figure(f"{head} fetching alone", seen["fetch"], "orders/s", bare, seen["bare"])
        yield Figure(f"{head} API calls for 100 orders", seen["calls"] / seen["orders"] * 100, "calls")
        yield Figure(f"{head} API calls to connect", seen["all_calls"] - seen["calls"], "calls")
        yield Figure(f"{head} memory at the start", seen["start"], "MB")
        early = f"after {seen['early_at']:,.0f} documents"
        yield Figure(f"{head} memory {early}", seen["early"], "MB")
        yield Figure(f"{head} memory at the end", seen["end"], "MB", early, seen["early"], "flat")
        yield Figure(f"{head} memory at its highest", seen["highest"], "MB")


class RememberingWeb(Web):
    """The way out to platforms, which knows what went along it."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.asked: list[Callable[[], Request]] = []

    def ask(self, make: Callable[[], Request], **named: Any) -> Answer:
        self.asked.append(make)
        return super().ask(make, **named)


def main() -> None:
    """Answer one question: figures of one import."""
    question = json.load(sys.stdin)
    wanted = int(question.pop("orders"))
    shop = Stranger(question["platform"], question["host"], question["base"], question["place"], offer=question["shop"])
    memory.share_arenas()
    web = RememberingWeb(routes={shop.host: shop.place})
    service = build_service(replace(settings(question["database_url"]), mail_from=""), web=web)
    try:
        sys.stdout.write(json.dumps(_imported(service, shop, wanted) | _fetched(service, web, shop)))
    finally:
        service.send_outbox.stop()
        service.stop_asking()
        service.database.close()


def _imported(service: Service, stranger: Stranger, wanted: int) -> dict[str, float]:
    scheduler = Scheduler(service)
    for loop in service.loops:
        loop.start()
    scheduler.start()
    seen = {"start": own_megabytes()[0]}
    shop = connected.offer(service, stranger)
    _wait_until(lambda: _documents(service, shop) is not None)
    began = time.perf_counter()
    seen |= _memory_while(service, shop)
    took = time.perf_counter() - began
    _end(service, scheduler)
    stored = _count(service)
    if stored != wanted:
        raise RuntimeError(f"{stored} of {wanted} orders were imported")
    return seen | {"orders": stored, "rate": stored / took, "all_calls": service.web.calls(stranger.host)}


def _memory_while(service: Service, shop: Shop) -> dict[str, float]:
    """Until the history is read and all of it has joined its orders; memory by thousands of documents."""
    steps: dict[int, float] = {}

    def is_done() -> bool:
        documents = _documents(service, shop) or 0
        steps.setdefault(documents // STEP, own_megabytes()[0])
        return _is_idle(service, shop)

    _wait_until(is_done)
    now, highest = own_megabytes()
    early = 1 if 1 in steps else 0
    return {"early": steps[early], "early_at": early * STEP, "end": now, "highest": highest}


def _documents(service: Service, shop: Shop) -> int | None:
    """How many the history's sweep has read; None before it begins."""
    with service.database.read() as connection:
        sweep = sweeps.of_shop(connection, shop.shop_id).get(SweepKind.HISTORY)
        known = connections.get(connection, shop.shop_id)
    if known is not None and known.problem:
        raise RuntimeError(known.problem)
    return sweep.documents if sweep else None


def _is_idle(service: Service, shop: Shop) -> bool:
    with service.database.read() as connection:
        sweep = sweeps.of_shop(connection, shop.shop_id)[SweepKind.HISTORY]
        waiting = inbox.waiting_counts(connection)
    if any(waiting.get(state) for state in ("review", "dead")) or sweep.problem:
        raise RuntimeError(f"the import went wrong: {waiting} {sweep.problem}")
    return sweep.finished_at is not None and not waiting


def _count(service: Service) -> int:
    with service.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(orders_table)).scalar_one())


def _fetched(service: Service, web: RememberingWeb, stranger: Stranger) -> dict[str, float]:
    """The same history once more, read and thrown away; then the same questions without a look at the answers."""
    with service.database.read() as connection:
        (shop_id,) = connections.everyone(connection)
    shop = service.shops.by_id(shop_id)
    assert shop is not None
    api, store, cursor = service.stores.api(shop), service.stores.open(shop), ""
    web.asked.clear()
    started = time.perf_counter()
    while True:
        page = api.changes(store, service.clock.now() - timedelta(days=90), cursor)
        cursor = page.cursor
        if not cursor:
            break
    fetched = time.perf_counter() - started
    stored = _count(service)
    seen = {"fetch": stored / fetched, "calls": len(web.asked)}
    return seen | {"bare": stored / _read_bare(web.asked, stranger)}


def _read_bare(asked: list[Callable[[], Request]], stranger: Stranger) -> float:
    """Seconds for the same requests, one after the other; each is made anew, as what is signed can be sent once."""
    with requests.Session() as session:
        session.trust_env = False
        started = time.perf_counter()
        for make in asked:
            request = make()
            session.request(
                request.method,
                request.url.replace(f"https://{stranger.host}", stranger.place, 1),
                headers={**request.headers, "Host": stranger.host},
                data=request.body,
                timeout=60,
            ).raise_for_status()
        return time.perf_counter() - started


def _end(service: Service, scheduler: Scheduler) -> None:
    scheduler.stop()
    for loop in service.loops:
        loop.stop()


def _wait_until(is_done: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not is_done():
        if time.monotonic() - started > LONGEST:
            raise RuntimeError("the import does not end")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
