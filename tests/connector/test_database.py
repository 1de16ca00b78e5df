"""Two databases behave as one: moments are exact, words cost nothing, writes are whole or not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from connector.database import Database, Moment, Words

NOW = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)
DIALECT = sqlite.dialect()
things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", Moment),
    sa.Column("words", Words(10)),
)


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    with made.write() as connection:
        things.create(connection)
    yield made
    made.close()


def rows(database: Database) -> list[tuple[int, datetime | None, str | None]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(things).order_by(things.c.at))]


def add(database: Database, number: int, at: datetime | None = None, words: str | None = None) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(things).values(number=number, at=at, words=words))


def test_moments_come_back_exactly_in_utc_and_are_sorted(empty: Database) -> None:
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), NOW]
    moments.append(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    for number, moment in enumerate(reversed(moments)):
        add(empty, number, moment.astimezone(timezone(timedelta(0))))
    assert [at for _, at, _ in rows(empty)] == moments
    add(empty, 9, None)
    assert (9, None, None) in rows(empty)


@given(st.datetimes(timezones=st.timezones()))
def test_any_moment_keeps_its_instant(moment: datetime) -> None:
    kept = Moment().process_bind_param(moment, DIALECT)
    assert Moment().process_result_value(kept, DIALECT) == moment.astimezone(UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Moment().process_bind_param(NOW.replace(tzinfo=None), DIALECT)


def test_words_lose_what_no_database_can_keep(empty: Database) -> None:
    add(empty, 1, NOW, "a\x00b\ud800\U0001f600" + "x" * 100)
    assert rows(empty) == [(1, NOW, "ab?\U0001f600xxxxxx")]


@given(st.text() | st.just("\ud800\x00"))
def test_words_are_otherwise_left_as_they_are(text: str) -> None:
    kept = Words().process_bind_param(text, DIALECT)
    assert kept == text.replace("\x00", "").replace("\ud800", "?")


def test_a_write_that_fails_leaves_nothing(empty: Database) -> None:
    def fail() -> None:
        with empty.write() as connection:
            connection.execute(sa.insert(things).values(number=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rows(empty) == []


def test_p10_an_error_does_not_tell_the_values_of_its_statement(empty: Database) -> None:
    add(empty, 1, words="Eleni")
    with pytest.raises(sa.exc.IntegrityError) as failed:
        add(empty, 1, words="Eleni")
    assert "INSERT INTO things" in str(failed.value)
    assert "Eleni" not in str(failed.value)


def test_what_is_written_while_reading_is_not_kept(empty: Database) -> None:
    with empty.read() as connection:
        connection.execute(sa.insert(things).values(number=1))
    assert rows(empty) == []


def test_a_reader_sees_nothing_that_is_not_committed_and_waits_for_nobody(empty: Database) -> None:
    with empty.write() as connection:
        connection.execute(sa.insert(things).values(number=1))
        assert rows(empty) == []
    assert [number for number, *_ in rows(empty)] == [1]


def test_many_writers_lose_nothing(empty: Database) -> None:
    add(empty, 0, NOW)

    def count(_: int) -> None:
        for _ in range(10):
            with empty.write() as connection:
                connection.execute(sa.update(things).values(number=things.c.number + 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, range(6)))
    assert [number for number, *_ in rows(empty)] == [60]


def test_sqlite_makes_its_folder_and_is_durable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/some/where/connector.db")
    with database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
