"""The inbox keeps each delivery once as it came, and lets one worker at a time have it (P1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.connection import ConnectionState
from connector.domain.delivery import Delivery
from connector.tables import connections, inbox
from connector.tables.inbox import TRANSITIONS, Claimed, InboxState, Outcome, Recorded
from connector.tables.shops import Seal

SEAL = Seal([Fernet.generate_key().decode()])
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=2)
AFTER = NOW + LEASE + timedelta(seconds=1)
BODY = b'{"order": "\x00\xff\xfe"}'


def recorded(name: str = "d1", key: str = "", **changes: object) -> Recorded:
    delivery = Delivery("fake", {"x-topic": "Bestellung ü", "x-empty": ""}, BODY, NOW, "created")
    changed = replace(delivery, **changes)  # type: ignore[arg-type]
    return Recorded("shop-1", name, key or name, changed)


def record(database: Database, *items: Recorded) -> list[bool]:
    with database.write() as connection:
        return inbox.record(database, connection, list(items))


def claim(database: Database, at: datetime = NOW, *, limit: int = 100, waiting: bool = False) -> list[Claimed]:
    with database.write() as connection:
        return inbox.claim(connection, at, lease=LEASE, limit=limit, waiting=waiting)


@pytest.fixture(autouse=True)
def connected(database: Database) -> None:
    """The shop can be asked."""
    with database.write() as connection:
        connections.create(connection, "shop-1", "fake", "https://shop.example.test", SEAL, NOW)
    move_to(database, ConnectionState.CONNECTED)


def move_to(database: Database, after: ConnectionState) -> None:
    with database.write() as connection:
        connections.settle(connection, "shop-1", after, NOW, "", proven=False)


def finish(database: Database, claimed: Claimed, state: InboxState, run_at: datetime = NOW, **named: str) -> None:
    with database.write() as connection:
        outcome = Outcome(claimed, state, named.get("outcome", ""), named.get("order_id", "5001"), run_at)
        inbox.finish(connection, [outcome])


def replay(database: Database, *names: str) -> int:
    with database.write() as connection:
        return inbox.replay(connection, "shop-1", list(names), AFTER)


def state(database: Database) -> InboxState:
    with database.read() as connection:
        (only,) = inbox.counts(connection)
    return InboxState(only)


def brought_to(database: Database, wanted: InboxState) -> Claimed:
    record(database, recorded())
    (claimed,) = claim(database)
    if wanted is not InboxState.CLAIMED:
        finish(database, claimed, wanted)
    return claimed


def test_a_delivery_comes_out_exactly_as_it_came_in(database: Database) -> None:
    record(database, recorded())
    (claimed,) = claim(database)
    assert (claimed.shop_id, claimed.delivery_id, claimed.attempts) == ("shop-1", "d1", 1)
    assert claimed.delivery == recorded().delivery


def test_one_news_is_recorded_once_however_often_it_is_posted(database: Database) -> None:
    assert record(database, recorded("d1", "news")) == [True]
    assert record(database, recorded("d2", "news"), recorded("d3", "other"), recorded("d4", "other")) == [
        False,
        True,
        False,
    ]
    assert [one.delivery_id for one in claim(database)] == ["d1", "d3"]


def test_the_same_news_of_two_shops_is_two_deliveries(database: Database) -> None:
    other = replace(recorded("d1", "news"), shop_id="shop-2")
    assert record(database, recorded("d1", "news"), other) == [True, True]


def test_delivery_ids_are_unique_and_grow_with_time() -> None:
    made = [inbox.new_delivery_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert [one[:14] for one in made] == sorted(one[:14] for one in made)
    assert {len(one) for one in made} == {26}


# The states


def moved(database: Database, claimed: Claimed, before: InboxState, after: InboxState) -> None:
    """Every way there is from one state to the next."""
    if after is InboxState.NEW and before is not InboxState.CLAIMED:
        replay(database, "d1")
    elif after is InboxState.CLAIMED:
        claim(database, AFTER, waiting=before is InboxState.WAITING)
    else:
        finish(database, claimed, after)


@pytest.mark.parametrize(("before", "after"), [(one, other) for one in TRANSITIONS for other in TRANSITIONS[one]])
def test_every_transition_of_the_table_is_possible(database: Database, before: InboxState, after: InboxState) -> None:
    claimed = brought_to(database, before)
    moved(database, claimed, before, after)
    assert state(database) is after


@pytest.mark.parametrize("before", list(InboxState))
def test_no_other_transition_is(database: Database, before: InboxState) -> None:
    claimed = brought_to(database, before)
    steps: list[Callable[[], object]] = [
        lambda: claim(database, AFTER),
        lambda: claim(database, AFTER, waiting=True),
        lambda: replay(database, "d1"),
        lambda: release(database),
        *(partial(finish, database, claimed, after) for after in InboxState),
    ]
    reached = set()
    for step in steps:
        step()
        reached.add(state(database))
        put_back(database, before)
    assert reached == {before} | TRANSITIONS[before]


def release(database: Database) -> None:
    with database.write() as connection:
        inbox.release(connection, NOW)


def put_back(database: Database, wanted: InboxState) -> None:
    """Past all rules, so that the next step starts from the same row."""
    with database.write() as connection:
        connection.execute(sa.update(inbox.inbox).values(state=wanted.value, attempts=1, run_at=NOW))


# Claims


def test_two_workers_never_get_the_same_delivery(database: Database) -> None:
    record(database, *(recorded(f"d{number:02}") for number in range(60)))

    def take(_: int) -> list[str]:
        return [one.delivery_id for _ in range(10) for one in claim(database, limit=5)]

    with ThreadPoolExecutor(4) as pool:
        taken = [one for batch in pool.map(take, range(4)) for one in batch]
    assert len(taken) == len(set(taken)) == 60


def test_the_oldest_are_taken_first_and_no_more_than_asked_for(database: Database) -> None:
    later = NOW + timedelta(seconds=1)
    record(database, recorded("d3", received_at=later), recorded("d1"), recorded("d2"))
    assert [one.delivery_id for one in claim(database, later, limit=2)] == ["d1", "d2"]
    assert [one.delivery_id for one in claim(database, later, limit=2)] == ["d3"]


def test_p1_a_lease_that_ran_out_is_claimed_again_and_the_old_holder_changes_nothing(database: Database) -> None:
    record(database, recorded())
    (first,) = claim(database)
    assert claim(database, NOW + LEASE - timedelta(seconds=1)) == []
    (second,) = claim(database, AFTER)
    assert second.attempts == 2
    finish(database, first, InboxState.DEAD, outcome="the old holder's word")
    assert state(database) is InboxState.CLAIMED
    finish(database, second, InboxState.DONE)
    assert state(database) is InboxState.DONE


def test_a_delivery_given_back_comes_again_when_its_moment_has_come(database: Database) -> None:
    record(database, recorded())
    (claimed,) = claim(database)
    finish(database, claimed, InboxState.NEW, NOW + timedelta(minutes=5))
    assert claim(database, NOW + timedelta(minutes=4)) == []
    assert [one.attempts for one in claim(database, NOW + timedelta(minutes=5))] == [2]


def test_hints_are_taken_only_by_whoever_can_ask(database: Database) -> None:
    brought_to(database, InboxState.WAITING)
    assert claim(database, AFTER) == []
    assert len(claim(database, AFTER, waiting=True)) == 1


def test_hints_of_a_shop_that_cannot_be_asked_wait_and_no_try_is_counted(database: Database) -> None:
    brought_to(database, InboxState.WAITING)
    for unable in (ConnectionState.INVITED, ConnectionState.CONNECTING, ConnectionState.BROKEN):
        move_to(database, unable)
        assert claim(database, AFTER, waiting=True) == []
    move_to(database, ConnectionState.CONNECTED)
    with database.write() as connection:
        assert inbox.claim(connection, AFTER, lease=LEASE, limit=9, waiting=True, busy={"shop-1"}) == []
    assert [one.attempts for one in claim(database, AFTER, waiting=True)] == [2]


def test_at_the_start_of_the_only_process_held_deliveries_are_due_at_once(database: Database) -> None:
    record(database, recorded())
    claim(database)
    with database.write() as connection:
        inbox.release(connection, NOW)
    assert [one.attempts for one in claim(database)] == [2]


# Replay and what people see


def test_a_replay_starts_from_the_beginning_and_takes_only_what_has_ended(database: Database) -> None:
    record(database, recorded("d1"), recorded("d2"), recorded("d3"))
    one, other, _ = claim(database)
    finish(database, one, InboxState.DEAD)
    finish(database, other, InboxState.DONE)
    assert replay(database, "d1", "d2", "d3", "unknown") == 2
    attempts = {claimed.delivery_id: claimed.attempts for claimed in claim(database, AFTER)}
    assert attempts == {"d1": 1, "d2": 1, "d3": 2}


def test_a_replay_touches_no_other_shop(database: Database) -> None:
    brought_to(database, InboxState.DEAD)
    with database.write() as connection:
        assert inbox.replay(connection, "shop-2", ["d1"], NOW) == 0


def test_what_waits_for_people_can_be_found(database: Database) -> None:
    record(database, recorded("d1"), recorded("d2"), recorded("d3"))
    one, other, last = claim(database)
    finish(database, one, InboxState.REVIEW, outcome="line_items: \x00 it is a number \ud800")
    finish(database, other, InboxState.DONE)
    finish(database, last, InboxState.WAITING)
    with database.read() as connection:
        assert [kept.delivery_id for kept in inbox.needing_attention(connection, limit=10)] == ["d1", "d3"]
        assert [kept.outcome for kept in inbox.needing_attention(connection, limit=1)] == [
            "line_items:  it is a number ?"
        ]
        assert inbox.ended_in(connection, "shop-1", InboxState.REVIEW) == ["d1"]
        assert [kept.delivery_id for kept in inbox.of_order(connection, "shop-1", "5001")] == ["d1", "d2", "d3"]
        assert inbox.waiting_counts(connection) == {"review": 1, "waiting": 1}
        assert inbox.counts(connection) == {"review": 1, "waiting": 1, "done": 1}
        assert inbox.oldest_due(connection) is None


def test_a_hostile_address_never_costs_the_group_it_is_written_with(database: Database) -> None:
    assert record(database, recorded("d1", path_event="a\x00b\ud800" * 100), recorded("d2")) == [True, True]
    assert [len(one.delivery.path_event) for one in claim(database)] == [128, 7]


def test_two_doors_that_record_the_same_news_never_wait_for_each_other(database: Database) -> None:
    """Both insert many keys in one transaction; PostgreSQL would end one of two that wait in a circle."""
    delivery = Delivery("fake", {}, b"{}", NOW)
    one = [Recorded("shop-1", f"a{number}", f"key-{number}", delivery) for number in range(200)]
    other = [Recorded("shop-1", f"b{number}", f"key-{number}", delivery) for number in reversed(range(200))]

    def record(items: list[Recorded]) -> int:
        with database.write() as connection:
            return sum(inbox.record(database, connection, items))

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(record, (one, other))) == 200
