"""Keys that are wanted are due until they are here, and less and less often."""

from datetime import UTC, datetime, timedelta

from connector.database import Database
from connector.tables import sender_keys

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
URL = "https://keys.example.test/1"


def want(database: Database, at: datetime = NOW) -> None:
    with database.write() as connection:
        sender_keys.want(database, connection, "shop-1", URL, "1", at)


def due(database: Database, at: datetime) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        return sender_keys.due(connection, at)


def test_a_key_that_is_wanted_is_due_at_once_and_only_once(database: Database) -> None:
    want(database)
    want(database, NOW + timedelta(hours=1))
    assert due(database, NOW) == [("shop-1", URL, "1")]


def test_a_key_that_cannot_be_fetched_is_tried_again_less_and_less_often(database: Database) -> None:
    want(database)
    waits = []
    for _ in range(9):
        with database.write() as connection:
            sender_keys.postpone(connection, "shop-1", URL, NOW)
        waits.append(next(minute for minute in range(1, 100) if due(database, NOW + timedelta(minutes=minute))))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_key_that_is_here_is_due_no_more(database: Database) -> None:
    want(database)
    with database.write() as connection:
        sender_keys.forget(connection, "shop-1", URL)
    assert due(database, NOW + timedelta(days=1)) == []
