"""Parcels without a number: taken a shop at a time, by one worker at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.connection import ConnectionState
from connector.tables import connections, watched_parcels
from connector.tables.shops import Seal
from connector.tables.watched_parcels import MOST_AT_ONCE, Watched

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=4)
SEAL = Seal([Fernet.generate_key().decode()])


@pytest.fixture(autouse=True)
def made(database: Database) -> None:
    with database.write() as connection:
        for name in ("a", "b"):
            connections.create(connection, name, "fake", "https://a.example.test", SEAL, NOW)
            connections.settle(connection, name, ConnectionState.CONNECTED, NOW, "", proven=True)


def watch(database: Database, shop_id: str, *names: str, at: datetime = NOW) -> None:
    with database.write() as connection:
        parcels = [Watched(shop_id, name, "1001", NOW) for name in names]
        watched_parcels.watch(database, connection, parcels, at)


def claim(
    database: Database, at: datetime = NOW, *, shops: int = 5, busy: frozenset[str] = frozenset()
) -> dict[str, set[str]]:
    with database.write() as connection:
        found = watched_parcels.claim(connection, at, lease=LEASE, shops=shops, busy=busy)
    return {shop_id: {one.shipment_id for one in parcels} for shop_id, parcels in found.items()}


def test_due_parcels_come_a_shop_at_a_time_and_stay_away_for_the_lease(database: Database) -> None:
    watch(database, "a", "1", "2")
    watch(database, "a", "3", at=NOW + timedelta(hours=1))
    watch(database, "b", "4", at=NOW - timedelta(minutes=1))
    assert claim(database, shops=1) == {"b": {"4"}}
    assert claim(database, busy=frozenset({"a"})) == {}
    assert claim(database) == {"a": {"1", "2"}}
    assert claim(database) == {}
    assert claim(database, NOW + LEASE) == {"a": {"1", "2"}, "b": {"4"}}


def test_no_more_than_one_question_can_name_are_taken(database: Database) -> None:
    watch(database, "a", *(f"{number:03}" for number in range(MOST_AT_ONCE + 5)))
    assert [len(claim(database)["a"]) for _ in range(2)] == [MOST_AT_ONCE, 5]


def test_a_shop_with_very_many_hides_no_other(database: Database) -> None:
    watch(database, "a", *(f"{number:03}" for number in range(200)), at=NOW - timedelta(hours=1))
    watch(database, "b", "1")
    assert set(claim(database, shops=2)) == {"a", "b"}


def test_one_that_is_watched_already_keeps_its_place(database: Database) -> None:
    watch(database, "a", "1")
    watch(database, "a", "1", at=NOW + timedelta(days=1))
    assert claim(database) == {"a": {"1"}}


def test_later_means_later_and_forgotten_means_gone(database: Database) -> None:
    watch(database, "a", "1", "2", "3")
    with database.write() as connection:
        watched_parcels.postpone(connection, [Watched("a", "1", "1001", NOW)], NOW + timedelta(hours=1))
        watched_parcels.forget(connection, "a", ["2"])
    assert claim(database) == {"a": {"3"}}
    with database.write() as connection:
        watched_parcels.forget_shop(connection, "a")
    assert claim(database, NOW + timedelta(days=1)) == {}


def test_parcels_of_a_shop_that_cannot_be_asked_wait(database: Database) -> None:
    watch(database, "a", "1")
    with database.write() as connection:
        connections.break_down(connection, "a", "refused", NOW)
    assert claim(database) == {}
