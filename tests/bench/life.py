"""The embedded service as a whole: from POST to mail when idle, memory under load, and restart."""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator

from tests.bench import deliveries
from tests.bench.places import Place
from tests.bench.programs import ask, free_port, mail_sink, program, resident_megabytes, wait_for
from tests.bench.report import Figure

MAILS = 20


def measure(found: list[Place], *, rounds: int, size: int) -> Iterator[list[Figure]]:
    """One list of figures for each database."""
    for place in found:
        yield [*_idle(place), *_loaded(place, size), *_restarted(place, rounds)]


@contextlib.contextmanager
def service(database_url: str, port: int, smtp_port: int) -> Iterator[subprocess.Popen[str]]:
    """The whole service in one process."""
    with program("tests.bench.servers", "serve", str(port), database_url, str(smtp_port)) as process:
        yield process


def _idle(place: Place) -> list[Figure]:
    """Seconds between a request's first byte and the mail at the sink."""
    port, seconds = free_port(), []
    with mail_sink(telling=True) as (smtp_port, mails), service(place.new_database(), port, smtp_port) as process:
        wait_for(port, process)
        first = deliveries.next_ids()
        for number, body in enumerate(deliveries.bodies(MAILS, first=first), first):
            time.sleep(0.2)
            with socket.create_connection(("127.0.0.1", port)) as connection:
                started = time.monotonic_ns()
                connection.sendall(deliveries.request(body, number))
                connection.recv(65536)
            seconds.append((int(mails.readline()) - started) / 1e9)
    return [
        Figure(f"{place.name} POST to mail with PDF, idle, median", statistics.median(seconds), "s", aim="< 1 s"),
        Figure(f"{place.name} POST to mail with PDF, idle, worst of {MAILS}", max(seconds), "s", aim="< 1 s"),
    ]


def _loaded(place: Place, size: int) -> list[Figure]:
    port = free_port()
    with mail_sink() as (smtp_port, _), service(place.new_database(), port, smtp_port) as process:
        wait_for(port, process)
        idle, _ = resident_megabytes(process)
        ask(
            "tests.bench.load",
            {"port": port, "path": deliveries.PATH, "connections": 64, "count": size, "first": deliveries.next_ids()},
        )
        after, highest = resident_megabytes(process)
    return [
        Figure(f"{place.name} memory at the start", idle, "MB", aim="< 150 MB"),
        Figure(f"{place.name} memory after {size:,} deliveries", after, "MB", aim="< 150 MB"),
        Figure(f"{place.name} memory at its highest", highest, "MB", aim="< 150 MB"),
    ]


def _restarted(place: Place, rounds: int) -> list[Figure]:
    """Killed without warning, then started again on the same database."""
    port, url, seconds = free_port(), place.new_database(), []
    with service(url, port, 0) as process:
        wait_for(port, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    for _ in range(rounds):
        with service(url, port, 0) as process:
            seconds.append(wait_for(port, process))
    return [Figure(f"{place.name} restart to first 200", statistics.median(seconds), "s", aim="< 2 s")]
