"""The same figures with few and with many orders already stored, which should be the same figures."""

import time
from collections.abc import Iterator
from functools import partial

import sqlalchemy as sa

from connector.database import Database, metadata
from connector.flow.service import Service
from tests.bench import deliveries, road
from tests.bench.door import CONNECTIONS, closed_loop, server
from tests.bench.places import Place, running_service
from tests.bench.programs import mail_sink
from tests.bench.report import Figure, Measure, interleaved

FEW, MANY = 10_000, 1_000_000
KEPT_BYTES = 400
"""Bodies, records, mails and documents of the stored orders are cut to this: a million whole ones are 40 GB, and a
request reads them by key or not at all."""

_FILLED = ("inbox", "inbox_bytes", "orders", "timeline", "outbox", "messages", "documents")
_CUT = frozenset({"body", "record", "html", "text", "content"})
_NUMBERED = frozenset({"order_id", "delivery_id", "idempotency_key", "intent_id", "number"})
_PIECE = 50_000


def measure(found: list[Place], *, rounds: int, size: int, many: int = MANY) -> Iterator[list[Figure]]:
    """One list of figures for each database."""
    for place in found:
        yield _on(place, rounds, size, many)


def fill(service: Service, orders: int) -> None:
    """Copies of one order that has gone the whole road, with all its rows."""
    deliveries.fill_inbox(service.database, 1, first=900_000_000)
    road.process_all(service)
    while service.issue_documents.run() + service.send_outbox.run():
        pass
    with service.database.read() as connection:
        found = [(table, row._mapping) for table in _tables() for row in connection.execute(sa.select(table))]
    for start in range(0, orders, _PIECE):
        with service.database.write() as connection:
            for table, row in found:
                connection.execute(_copies(service.database, table, row, range(start, min(start + _PIECE, orders))))
    with service.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _tables() -> list[sa.Table]:
    return [metadata.tables[name] for name in _FILLED]


def _copies(database: Database, table: sa.Table, row: sa.RowMapping, numbers: range) -> sa.Insert:
    """INSERT … SELECT of one row under other ids; the database makes the numbers, so no row crosses the wire."""
    number: sa.ColumnElement[int]
    if database.is_sqlite:
        first = sa.select(sa.literal(numbers.start).label("n")).cte("numbers", recursive=True)
        series = first.union_all(sa.select(first.c.n + 1).where(first.c.n < numbers.stop - 1))
        number = series.c.n
    else:
        number = sa.func.generate_series(numbers.start, numbers.stop - 1).column_valued("n")
    copied = [_copied(column, row[column.name], number) for column in table.columns]
    return sa.insert(table).from_select(table.columns.keys(), sa.select(*copied))


def _copied(column: sa.Column[object], value: object, number: sa.ColumnElement[int]) -> sa.ColumnElement[object]:
    if isinstance(value, str) and column.name in _NUMBERED:
        return sa.type_coerce(sa.literal(value[:24] + "-") + sa.cast(number, sa.String), column.type)
    if column.name == "serial":
        return sa.type_coerce(number + 1_000, column.type)
    kept = value[:KEPT_BYTES] if isinstance(value, bytes) and column.name in _CUT else value
    return sa.literal(kept, column.type)


def _on(place: Place, rounds: int, size: int, many: int) -> list[Figure]:
    urls: dict[str, str] = {}
    seconds = 0.0
    with mail_sink() as (smtp_port, _):
        for name, orders in (("few", FEW), ("many", many)):
            urls[name] = place.new_database()
            started = time.perf_counter()
            with running_service(urls[name], smtp_port=smtp_port) as service:
                fill(service, orders)
            seconds = time.perf_counter() - started
        measures: dict[str, Measure] = {name: partial(_road, url, smtp_port, size) for name, url in urls.items()}
        seen = interleaved(measures, rounds)
    accepted = _accepted(urls, rounds, size)
    head, few = f"{place.name}, {many:,} orders stored:", f"with {FEW:,}"
    return [
        Figure(
            f"{head} accepted c={CONNECTIONS[-1]}", accepted["many"]["rate"], "/s", few, accepted["few"]["rate"], "0.8"
        ),
        Figure(f"{head} inbox to outbox", seen["many"]["process"], "/s", few, seen["few"]["process"], "0.8"),
        Figure(f"{head} mails with PDF", seen["many"]["mails"], "/s", few, seen["few"]["mails"], "0.8"),
        Figure(f"{head} restart to first 200", accepted["many"]["restart"], "s", few, accepted["few"]["restart"]),
        Figure(f"{head} filling took", seconds, "s"),
    ]


def _road(url: str, smtp_port: int, size: int) -> dict[str, float]:
    with running_service(url, smtp_port=smtp_port) as service:
        deliveries.fill_inbox(service.database, size, first=deliveries.next_ids())
        process = road.rate(partial(road.process_all, service))
        mails = road.rate(lambda: road.repeat(service.send_outbox.run, most=size // 20))
        with service.database.write() as connection:
            for name in ("outbox", "documents"):
                table = metadata.tables[name]
                connection.execute(sa.delete(table).where(table.c.state.in_(("pending", "requested"))))
    return {"process": process, "mails": mails}


def _accepted(urls: dict[str, str], rounds: int, size: int) -> dict[str, dict[str, float]]:
    def once(url: str) -> dict[str, float]:
        started = time.perf_counter()
        with server("web", url) as port:
            restart = time.perf_counter() - started
            return {**closed_loop(port, deliveries.PATH, CONNECTIONS[-1], size), "restart": restart}

    return interleaved({name: partial(once, url) for name, url in urls.items()}, rounds)
