"""The database: SQLite embedded or PostgreSQL, with one way to read and one way to write."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 in UTC: exact, small, and sorted the same everywhere."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> int | None:
        """Refuses naive moments with ValueError: a moment without a zone is a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, _dialect: sa.Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


class Words(sa.TypeDecorator[str]):
    """Text of any origin that is only shown: what no database can keep is taken out, what is too long is cut.

    So a NUL from a stranger never costs the transaction it came in. Ids are not words: they are kept whole or refused.
    """

    impl = sa.Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        return value.replace("\x00", "").encode("utf-8", "replace").decode()[: self.length]


def insert_into(dialect: str, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, which both databases spell the same."""
    return sqlite_insert(table) if dialect == "sqlite" else postgresql_insert(table)


@cache
def insert_new(dialect: str, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves rows alone that are there already. Built once: building costs more than running it."""
    statement: sa.Insert = insert_into(dialect, table).on_conflict_do_nothing()
    return statement


@cache
def insert_or_replace(dialect: str, table: sa.Table) -> sa.Insert:
    """An INSERT that writes over a row with the same primary key. Built once, too."""
    statement = insert_into(dialect, table)
    keys = list(table.primary_key.columns)
    rest = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    whole: sa.Insert = statement.on_conflict_do_update(index_elements=keys, set_=rest)
    return whole


def is_one_of(column: sa.Column[str], words: Sequence[str]) -> sa.ColumnElement[bool]:
    """`column IN (…)` with the words written into the statement.

    An index over just those rows is not used for parameters: their values are not known when a statement is planned.
    """
    return column.in_(sa.bindparam(None, list(words), expanding=True, literal_execute=True))


class Database:
    """One engine. `write()` is a transaction that may change things, `read()` one that may not.

    Errors name the statement and never its values, which may be people's (P10).
    """

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///path` or `postgresql+psycopg://…`; a missing folder for SQLite is made."""
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._one_writer = threading.Lock()
        if self.is_sqlite:
            self.engine = _sqlite_engine(parsed)
        else:
            self.engine = sa.create_engine(
                parsed,
                pool_size=20,
                max_overflow=20,
                pool_pre_ping=True,
                connect_args={"connect_timeout": 5, "tcp_user_timeout": 20_000},
                hide_parameters=True,
            )

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end, rolled back on any error.

        SQLite has one writer; threads of this process queue at a lock, since waiting for SQLite's own lock means
        sleeping in ever longer steps.
        """
        if not self.is_sqlite:
            with self.engine.begin() as connection:
                yield connection
            return
        with (
            self._one_writer,
            self.engine.connect().execution_options(connector_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view; nothing written in it is kept."""
        with self.engine.connect() as connection:
            yield connection

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`, for statements that are built for one of them."""
        return self.engine.dialect.name

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=40, max_overflow=40, connect_args={"timeout": 30}, hide_parameters=True)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 30000",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("connector_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
