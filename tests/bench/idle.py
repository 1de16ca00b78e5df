"""What the service costs while nothing happens: with no shop, with a few, and with a thousand of them connected."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import adapters
from connector.app import build_service
from tests.bench import connected
from tests.bench.life import service
from tests.bench.places import Place, settings
from tests.bench.programs import cpu_seconds, free_port, resident_megabytes, wait_for
from tests.bench.report import Figure
from tests.bench.twins import twins

SHOPS = (0, 3, 1_000)
SETTLING = 5.0
"""Seconds in which a service that was just started still finds its feet."""


def measure(place: Place, *, shops: Sequence[int] = SHOPS, seconds: float = 30.0) -> Iterator[Figure]:
    """Processor time of the whole service in one process; so many connected shops, of which none is due."""
    first = 0.0
    for count in shops:
        used, memory = _idle(place, count, seconds)
        head, floor = f"{place.name}, idle, {count:,} shops:", ("no shop", first) if count else ("", 0.0)
        first = first or used
        yield Figure(f"{head} CPU", used, "%", *floor, aim="~0 %")
        yield Figure(f"{head} memory", memory, "MB")


def _idle(place: Place, shops: int, seconds: float) -> tuple[float, float]:
    """Share of one processor in percent, and megabytes at the end."""
    url = place.new_database()
    if shops:
        _connect(url, shops)
    port = free_port()
    with service(url, port, 0) as process:
        wait_for(port, process)
        time.sleep(min(SETTLING, seconds))
        before, started = cpu_seconds(process), time.monotonic()
        time.sleep(seconds)
        used = (cpu_seconds(process) - before) / (time.monotonic() - started)
        return used * 100, resident_megabytes(process)[0]


def _connect(url: str, shops: int) -> None:
    with twins(adapters.NAMES[1], shops=shops) as there:
        made = build_service(replace(settings(url), routes=there.routes, mail_from=""))
        try:
            connected.enter(made, there.shops)
        finally:
            made.send_outbox.stop()
            made.stop_asking()
            made.database.close()
