"""A connection moves on for who holds it, keeps its secrets sealed, and forgets them when it ends (P10)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.connection import (
    ConnectionState,
    Credentials,
    Findings,
    Subscribed,
    Subscription,
    SubscriptionState,
)
from connector.domain.shop import Seller
from connector.tables import connections
from connector.tables.connections import HEARD_PROVES, MOST_OFFERS, SOON, Connection, Vault
from connector.tables.shops import Seal

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=4)
SEAL = Seal([Fernet.generate_key().decode()])
SENDS = Subscribed((Subscription("order.created", SubscriptionState.ACTIVE),), ("order.created was missing",))


@pytest.fixture(autouse=True)
def made(database: Database) -> None:
    with database.write() as connection:
        for name in ("a", "b"):
            connections.create(connection, name, "fake", f"https://{name}.example.test", SEAL, NOW)


def known(database: Database, name: str = "a") -> Connection:
    with database.read() as connection:
        found = connections.get(connection, name)
    assert found is not None
    return found


def offer(database: Database, value: str = "t", name: str = "a") -> None:
    with database.write() as connection:
        connections.offer(connection, name, {"token": value}, SEAL, NOW)


def claim(database: Database, at: datetime = NOW, *, limit: int = 10, busy: frozenset[str] = frozenset()) -> list[str]:
    return [held.shop_id for held in claimed(database, at, limit=limit, busy=busy)]


def claimed(
    database: Database, at: datetime = NOW, *, limit: int = 10, busy: frozenset[str] = frozenset()
) -> list[Connection]:
    with database.write() as connection:
        return connections.claim(connection, at, lease=LEASE, limit=limit, busy=busy)


def settle(database: Database, state: ConnectionState, name: str = "a") -> None:
    with database.write() as connection:
        connections.settle(connection, name, state, NOW, "", proven=True)


def advance(database: Database, held: Connection, **named: object) -> bool:
    given: dict[str, object] = {"state": held.state, "run_at": NOW + timedelta(hours=1)}
    with database.write() as connection:
        return connections.advance(connection, held, **(given | named))  # type: ignore[arg-type]


def test_an_invitation_asks_nothing_of_the_worker(database: Database) -> None:
    assert claim(database) == []
    assert known(database).state is ConnectionState.INVITED


def test_p10_offers_are_sealed_the_newest_first_and_not_endlessly_many(database: Database) -> None:
    for number in range(MOST_OFFERS + 3):
        offer(database, f"token-{number}")
    with database.read() as connection:
        vault, _ = connections.open_vault(connection, "a", SEAL)
        rows = repr(connection.execute(connections.connections.select()).all())
    assert [one["token"] for one in vault.offers] == [f"token-{number}" for number in (7, 6, 5, 4, 3)]
    assert "token-" not in rows


def test_one_worker_at_a_time_has_a_connection(database: Database) -> None:
    offer(database)
    offer(database, name="b")
    assert claim(database, busy=frozenset({"b"})) == ["a"]
    assert claim(database) == ["b"]
    assert claim(database) == []
    assert sorted(claim(database, NOW + LEASE)) == ["a", "b"]


def test_workers_at_the_same_moment_share_what_there_is(database: Database) -> None:
    for name in ("a", "b"):
        offer(database, name=name)
    with ThreadPoolExecutor(4) as pool:
        found = [name for names in pool.map(lambda _: claim(database, limit=1), range(4)) for name in names]
    assert sorted(found) == ["a", "b"]


def test_p3_who_no_longer_holds_a_connection_moves_nothing(database: Database) -> None:
    offer(database)
    (first,) = claimed(database)
    (second,) = claimed(database, NOW + LEASE)
    assert not advance(database, first, problem="late")
    assert advance(database, second, problem="in time")
    assert known(database).problem == "in time"


@pytest.mark.parametrize("meanwhile", ["offered", "ended", "broken"])
def test_p3_what_happened_meanwhile_wins(database: Database, meanwhile: str) -> None:
    settle(database, ConnectionState.CONNECTED)
    (held,) = claimed(database)
    with database.write() as connection:
        if meanwhile == "offered":
            connections.offer(connection, "a", {"token": "new"}, SEAL, NOW)
        elif meanwhile == "ended":
            connections.end(connection, "a", SEAL, "left")
        else:
            connections.break_down(connection, "a", "refused", NOW)
    before = known(database)
    assert not advance(database, held, state=ConnectionState.CONNECTED)
    assert known(database) == before


def test_what_was_found_out_comes_back_as_it_was(database: Database) -> None:
    settle(database, ConnectionState.CONNECTING)
    (held,) = claimed(database)
    findings = Findings(
        name="Marina",
        seller=Seller(legal_name="Marina AE"),
        store_locales=(("1", "el"),),
        features={"hpos": "yes"},
        platform_speaks={"shipped": True},
        missing_rights=("a",),
        notes=("b",),
    )
    for _ in range(2):
        state = ConnectionState.CONNECTING
        assert advance(database, held, state=state, findings=findings, subscribed=SENDS, checked_at=NOW)
    after = known(database)
    assert (after.findings, after.subscribed, after.checked_at, after.repaired) == (findings, SENDS, NOW, 2)


def test_webhooks_are_live_where_they_are_expected_and_came_within_a_day(database: Database) -> None:
    silent = known(database)
    heard = replace(silent, subscribed=SENDS, heard_at=NOW)
    assert heard.webhooks_live(NOW + HEARD_PROVES)
    assert not heard.webhooks_live(NOW + HEARD_PROVES + timedelta(seconds=1))
    assert not replace(heard, heard_at=None).webhooks_live(NOW)
    unable = Subscribed((Subscription("order.created", SubscriptionState.UNAVAILABLE),))
    assert not replace(heard, subscribed=unable).webhooks_live(NOW)


def test_credentials_are_replaced_only_by_who_read_the_newest(database: Database) -> None:
    with database.write() as connection:
        _, version = connections.open_vault(connection, "a", SEAL)
        for token, kept in (("first", True), ("second", False)):
            vault = Vault(Credentials({"token": token}))
            assert connections.keep(connection, "a", vault, SEAL, version=version, renew_at=None) is kept
        vault, _ = connections.open_vault(connection, "a", SEAL)
    assert vault.credentials.values == {"token": "first"}


def test_a_renewal_is_one_workers_until_its_lease_is_over_and_given_back_by_that_one_only(database: Database) -> None:
    with database.write() as connection:
        hold = connections.hold_renewal
        assert hold(connection, "a", NOW, LEASE)
        assert not hold(connection, "a", NOW + LEASE / 2, LEASE)
        assert hold(connection, "a", NOW + LEASE, LEASE)
        connections.let_go(connection, "a", NOW + LEASE)
        assert not hold(connection, "a", NOW + LEASE, LEASE)
        connections.let_go(connection, "a", NOW + 2 * LEASE, renew_at=NOW)
        assert connections.due_for_renewal(connection, NOW, limit=9) == ["a"]
        assert connections.due_for_renewal(connection, NOW, limit=9, busy={"a"}) == []
        assert hold(connection, "a", NOW, LEASE)
        assert connections.due_for_renewal(connection, NOW, limit=9) == []


def test_p10_an_ended_connection_has_no_secrets_no_link_and_nothing_to_do(database: Database) -> None:
    offer(database)
    with database.write() as connection:
        connections.invite(connection, "a", "nonce", NOW + timedelta(days=7))
        connections.end(connection, "a", SEAL, "left")
        vault, _ = connections.open_vault(connection, "a", SEAL)
        assert vault == Vault()
        assert connections.by_nonce(connection, "nonce") is None
        assert connections.due_for_renewal(connection, NOW + timedelta(days=999), limit=9) == []
    assert claim(database, NOW + timedelta(days=999)) == []


def test_a_connection_begun_again_proves_nothing_by_its_past(database: Database) -> None:
    settle(database, ConnectionState.CONNECTED)
    (held,) = claimed(database)
    advance(database, held, subscribed=SENDS, probed_at=NOW, checked_at=NOW)
    with database.write() as connection:
        connections.heard(connection, {"a": NOW})
        connections.end(connection, "a", SEAL, "left")
        connections.begin_again(connection, "a", "https://new.example.test", NOW)
    again = known(database)
    assert (again.state, again.base) == (ConnectionState.INVITED, "https://new.example.test")
    assert (again.heard_at, again.probed_at, again.checked_at) == (None, None, None)
    assert not again.webhooks_live(NOW)


def test_a_gap_is_counted_and_brings_the_watchdog_to_shops_at_work(database: Database) -> None:
    settle(database, ConnectionState.CONNECTED)
    (held,) = claimed(database)
    advance(database, held, run_at=NOW + timedelta(hours=6), subscribed=SENDS)
    with database.write() as connection:
        connections.count_healed(connection, {"a": 2, "b": 1}, NOW)
        connections.count_healed(connection, {"a": 1}, NOW)
    assert (known(database).healed, known(database).run_at) == (3, NOW + SOON)
    assert (known(database, "b").healed, known(database, "b").run_at) == (1, NOW)


def test_what_breaks_was_at_work(database: Database) -> None:
    for state, after in (
        (ConnectionState.INVITED, ConnectionState.INVITED),
        (ConnectionState.OFFERED, ConnectionState.OFFERED),
        (ConnectionState.CONNECTED, ConnectionState.BROKEN),
    ):
        settle(database, state)
        with database.write() as connection:
            connections.break_down(connection, "a", "refused", NOW)
        assert known(database).state is after


def test_at_the_start_of_the_only_process_what_was_on_its_way_is_due_at_once(database: Database) -> None:
    offer(database)
    claim(database)
    with database.write() as connection:
        connections.release(connection, NOW)
    assert claim(database) == ["a"]
