"""A sweep is one worker's at a time, one a shop, and moves on only for who holds it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.connection import ConnectionState
from connector.tables import connections, sweeps
from connector.tables.shops import Seal
from connector.tables.sweeps import NEVER, Sweep, SweepKind

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=5)
SEAL = Seal([Fernet.generate_key().decode()])
NAMES = ("a", "b", "c")


@pytest.fixture(autouse=True)
def made(database: Database) -> None:
    with database.write() as connection:
        for name in NAMES:
            connections.create(connection, name, "fake", "https://a.example.test", SEAL, NOW)
            connections.settle(connection, name, ConnectionState.CONNECTED, NOW, "", proven=True)
            sweeps.begin(connection, name, SweepKind.CHANGES, NOW, NOW)


def claim(
    database: Database, at: datetime = NOW, *, limit: int = 10, busy: frozenset[str] = frozenset()
) -> list[Sweep]:
    with database.write() as connection:
        return sweeps.claim(connection, at, lease=LEASE, limit=limit, busy=busy)


def keep(database: Database, held: Sweep) -> bool:
    with database.write() as connection:
        return sweeps.keep(connection, held)


def test_who_holds_a_sweep_keeps_others_away_until_the_lease_is_over(database: Database) -> None:
    assert {held.shop_id for held in claim(database, busy=frozenset({"b"}))} == {"a", "c"}
    assert {held.shop_id for held in claim(database)} == {"b"}
    assert claim(database, NOW + LEASE / 2) == []
    assert len(claim(database, NOW + LEASE)) == 3


def test_workers_at_the_same_moment_share_what_there_is(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = [held.shop_id for part in pool.map(lambda _: claim(database, limit=1), range(4)) for held in part]
    assert sorted(found) == list(NAMES)


def test_a_place_is_kept_and_comes_back_as_it_was(database: Database) -> None:
    (held, *_) = claim(database, limit=1)
    there = replace(
        held,
        watermark=NOW + timedelta(hours=1),
        since=NOW,
        cursor="next|" + "x" * 5_000,
        newest=NOW,
        run_at=NOW + timedelta(hours=2),
        failures=3,
        documents=70,
        pages=7,
        problem="away",
        begun_at=NOW,
        finished_at=NOW,
    )
    assert keep(database, there)
    with database.read() as connection:
        assert sweeps.of_shop(connection, held.shop_id) == {SweepKind.CHANGES: there}


def test_p3_who_no_longer_holds_a_sweep_moves_nothing(database: Database) -> None:
    (first, *_) = claim(database)
    second = next(held for held in claim(database, NOW + LEASE) if held.shop_id == first.shop_id)
    assert not keep(database, replace(first, cursor="old"))
    assert keep(database, replace(second, cursor="new"))


def test_p3_neither_does_who_held_it_before_its_shop_left_and_came_again(database: Database) -> None:
    for _ in range(3):
        (held,) = claim(database, busy=frozenset({"b", "c"}))
        with database.write() as connection:
            sweeps.forget(connection, "a")
            sweeps.begin(connection, "a", SweepKind.CHANGES, NOW, NOW)
        claim(database, busy=frozenset({"b", "c"}))
        assert not keep(database, held)
        with database.write() as connection:
            sweeps.hasten(connection, "a", NOW)


def test_changes_come_before_history_and_never_both_at_once(database: Database) -> None:
    with database.write() as connection:
        sweeps.begin(connection, "a", SweepKind.HISTORY, NOW - timedelta(days=90), NOW - timedelta(minutes=1))
    others = frozenset({"b", "c"})
    assert [held.kind for held in claim(database, busy=others)] == [SweepKind.CHANGES]
    (history,) = claim(database, busy=others)
    assert history.kind is SweepKind.HISTORY
    keep(database, replace(history, run_at=NEVER))
    with database.write() as connection:
        sweeps.hasten(connection, "a", NOW)
    assert [held.kind for held in claim(database, busy=others)] == [SweepKind.CHANGES]


@pytest.mark.parametrize("state", set(ConnectionState) - {ConnectionState.CONNECTED})
def test_a_shop_that_cannot_be_asked_is_not_looked_through(database: Database, state: ConnectionState) -> None:
    with database.write() as connection:
        connections.settle(connection, "a", state, NOW, "", proven=False)
    assert {held.shop_id for held in claim(database)} == {"b", "c"}


def test_at_the_start_of_the_only_process_what_was_under_way_is_due_at_once(database: Database) -> None:
    (held,) = claim(database, limit=1)
    keep(database, replace(held, begun_at=NOW, cursor="on", run_at=NOW + LEASE))
    claim(database)
    with database.write() as connection:
        sweeps.release(connection, NOW)
    assert [one.shop_id for one in claim(database)] == [held.shop_id]
