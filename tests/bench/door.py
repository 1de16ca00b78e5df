"""Accepted deliveries a second: 10 kB, verified, committed and synced, against empty answers and bare inserts."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg

from tests.bench import deliveries
from tests.bench.places import Place
from tests.bench.programs import ask, free_port, mail_sink, program, wait_for
from tests.bench.report import Figure, Measure, interleaved
from tests.bench.servers import EMPTY_PAGE

CONNECTIONS = (1, 16, 64)
GROUP = 64


@contextlib.contextmanager
def server(kind: str, database_url: str = "", smtp_port: int = 0) -> Iterator[int]:
    """A server process; its port."""
    port = free_port()
    with program("tests.bench.servers", kind, str(port), database_url, str(smtp_port)) as process:
        wait_for(port, process)
        yield port


def measure(found: list[Place], *, rounds: int, size: int) -> Iterator[list[Figure]]:
    """One list of figures for each database."""
    with contextlib.ExitStack() as stack:
        floors = {
            "(a) empty 200, same server": (stack.enter_context(server("empty")), EMPTY_PAGE),
            "empty Flask page, same server": (
                stack.enter_context(server("pages", found[0].new_database())),
                EMPTY_PAGE,
            ),
            "empty Flask page, granian's WSGI": (stack.enter_context(server("granian-flask")), EMPTY_PAGE),
        }
        for place in found:
            yield _on(place, floors, rounds, size)


def _on(place: Place, floors: dict[str, tuple[int, str]], rounds: int, size: int) -> list[Figure]:
    with mail_sink() as (smtp_port, _), contextlib.ExitStack() as stack:
        ours = {
            "door alone": (stack.enter_context(server("web", place.new_database())), deliveries.PATH),
            "door and worker": (
                stack.enter_context(server("serve", place.new_database(), smtp_port)),
                deliveries.PATH,
            ),
        }
        figures = []
        for connections in CONNECTIONS:
            amount = size if connections > 1 else size // 5
            measures: dict[str, Measure] = {
                name: partial(closed_loop, port, path, connections, amount)
                for name, (port, path) in {**floors, **ours}.items()
            }
            measures["(b)"] = partial(bare_inserts, place, min(connections, GROUP), amount)
            figures += _figures(place, connections, interleaved(measures, rounds))
        figures += _at_80_percent(place, ours["door alone"], figures[-6].value, size)
        return figures


def _figures(place: Place, connections: int, seen: dict[str, dict[str, float]]) -> list[Figure]:
    head = f"{place.name} c={connections}"
    empty = seen["(a) empty 200, same server"]["rate"]
    aim = "0.4" if connections > 1 else ""
    alone, both = seen["door alone"], seen["door and worker"]
    figures = [
        Figure(f"{head} {name}", one["rate"], "/s") for name, one in seen.items() if name.startswith("empty Flask")
    ]
    return [
        *figures,
        Figure(f"{head} accepted, door alone", alone["rate"], "/s", "(a)", empty, aim),
        Figure(f"{head} accepted, door alone", alone["rate"], "/s", "(b)", seen["(b)"]["rate"]),
        Figure(f"{head} accepted, door and worker", both["rate"], "/s", "(a)", empty, aim),
        Figure(f"{head} door alone p50", alone["p50"], "ms"),
        Figure(f"{head} door alone p99", alone["p99"], "ms"),
        Figure(f"{head} door and worker p50", both["p50"], "ms"),
        Figure(f"{head} door and worker p99", both["p99"], "ms"),
    ]


def _at_80_percent(place: Place, ours: tuple[int, str], most: float, size: int) -> list[Figure]:
    seen = open_loop(*ours, CONNECTIONS[-1], size, most * 0.8)
    head = f"{place.name} c={CONNECTIONS[-1]} at 80 % ({most * 0.8:,.0f}/s)"
    return [Figure(f"{head} p50", seen["p50"], "ms"), Figure(f"{head} p99", seen["p99"], "ms", aim="< 50 ms")]


def closed_loop(port: int, path: str, connections: int, amount: int) -> dict[str, float]:
    """Deliveries as fast as they are answered; the rate and the latencies in milliseconds."""
    return _asked(port=port, path=path, connections=connections, count=amount)


def open_loop(port: int, path: str, connections: int, amount: int, rate: float) -> dict[str, float]:
    """Deliveries at a fixed rate a second; latencies in milliseconds from when each should have left."""
    return _asked(port=port, path=path, connections=connections, count=amount, rate=rate)


def _asked(**question: object) -> dict[str, float]:
    answer = ask("tests.bench.load", {**question, "first": deliveries.next_ids()})
    if answer["refused"]:
        raise RuntimeError(f"{answer['refused']:.0f} deliveries were refused")
    return answer


def bare_inserts(place: Place, group: int, amount: int) -> dict[str, float]:
    """The same bytes into a bare table, `group` rows in a synced transaction, by the database's own driver."""
    rows = [
        (f"{number:032x}", body) for number, body in enumerate(deliveries.bodies(amount, first=deliveries.next_ids()))
    ]
    groups = [rows[start : start + group] for start in range(0, amount, group)]
    seconds = (_into_postgresql if place.server else _into_sqlite)(place.new_database(), groups)
    return {"rate": amount / seconds}


def _into_sqlite(url: str, groups: list[list[tuple[str, bytes]]]) -> float:
    connection = sqlite3.connect(Path(url.removeprefix("sqlite:///")), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, body BLOB)")
    started = time.perf_counter()
    for group in groups:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO bare VALUES (?, ?)", group)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _into_postgresql(url: str, groups: list[list[tuple[str, bytes]]]) -> float:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, body BYTEA)")
        started = time.perf_counter()
        for group in groups:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("INSERT INTO bare VALUES (%s, %s)", group)
        return time.perf_counter() - started
