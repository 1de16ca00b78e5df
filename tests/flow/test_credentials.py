"""Credentials that end: renewed by one worker at a time, never lost, and not forgotten while nobody uses them."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from adapters.contract import Pace, Store
from connector.domain.connection import ConnectionState, Credentials
from connector.domain.errors import Permanent, Retryable
from connector.flow.stores import LEASE, NotConnected, NotNow
from connector.tables import connections
from connector.tables.connections import Vault
from tests.fake_api import ACCESS_LASTS, PACE, FakeApi
from tests.flow.processes import PROJECT, eventually
from tests.flow.renewing_process import platform_in
from tests.flow.road import NOW, Road, service_on

MakeRoad = Callable[..., Road]


@pytest.fixture
def expiring(make_road: MakeRoad) -> Road:
    """A connected shop whose access token ends after an hour."""
    road = make_road(connected=True)
    grant(road)
    return road


def grant(road: Road) -> None:
    fresh = road.api.grant(road.shop.host, road.clock.moment)
    road.there.tokens = {fresh.values["token"]}
    keep(road, fresh)


def keep(road: Road, credentials: Credentials, renew_at: datetime | None = None) -> None:
    service, shop_id = road.service, road.shop.shop_id
    with service.database.write() as connection:
        _, version = connections.open_vault(connection, shop_id, service.seal)
        vault = Vault(credentials)
        assert connections.keep(connection, shop_id, vault, service.seal, version=version, renew_at=renew_at)


def vault(road: Road) -> Vault:
    with road.service.database.read() as connection:
        return connections.open_vault(connection, road.shop.shop_id, road.service.seal)[0]


def token(road: Road) -> str:
    return road.service.stores.open(road.shop).access.credentials.values["token"]


def test_a_token_is_used_until_it_is_about_to_end(expiring: Road) -> None:
    first = token(expiring)
    expiring.clock.moment += ACCESS_LASTS - timedelta(minutes=6)
    assert token(expiring) == first
    expiring.clock.moment += timedelta(minutes=1)
    assert token(expiring) == "access-1"
    assert vault(expiring).credentials.values == {"token": "access-1", "refresh": "refresh-1"}
    assert token(expiring) == "access-1"
    assert expiring.there.renewed == 1


def test_the_pair_is_kept_though_the_answer_to_the_first_try_was_lost(expiring: Road) -> None:
    expiring.there.lose_renewals = 1
    expiring.clock.moment += ACCESS_LASTS + timedelta(minutes=1)
    with pytest.raises(Retryable, match="the connection broke"):
        token(expiring)
    assert vault(expiring).credentials.values["refresh"] == "refresh-0"
    assert token(expiring) == "access-2"
    assert vault(expiring).credentials.values["refresh"] == "refresh-2"


def test_while_the_old_token_lasts_a_failed_renewal_harms_nobody(expiring: Road) -> None:
    expiring.there.fails_at = {"renew": Retryable("away")}
    expiring.clock.moment += ACCESS_LASTS - timedelta(minutes=2)
    assert token(expiring) == "access-0"
    assert expiring.there.calls["renew"] == 1


def test_a_worker_that_died_while_renewing_is_followed_by_another_with_the_same_old_pair(expiring: Road) -> None:
    expiring.clock.moment += ACCESS_LASTS + timedelta(minutes=1)
    with expiring.service.database.write() as connection:
        assert connections.hold_renewal(connection, expiring.shop.shop_id, expiring.clock.moment, LEASE)
    with pytest.raises(NotNow):
        token(expiring)
    expiring.clock.moment += LEASE
    assert token(expiring) == "access-1"


def test_two_threads_make_one_renewal(expiring: Road) -> None:
    expiring.clock.moment += ACCESS_LASTS + timedelta(minutes=1)
    expiring.there.hangs = threading.Event()
    given: list[str] = []

    def use() -> None:
        mine = ""
        while not mine:
            try:
                mine = token(expiring)
            except NotNow:
                waiting.set()
        given.append(mine)

    waiting = threading.Event()
    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert waiting.wait(10)
    expiring.there.hangs.set()
    for thread in threads:
        thread.join(10)
    assert given == ["access-1", "access-1"]
    assert expiring.there.renewed == 1


def test_two_processes_racing_for_a_renewal_lose_no_pair(database_url: str, tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    (tmp_path / "platform.json").write_text(json.dumps({"number": 0}))
    road = Road(database_url, secret_key=key, connected=True)
    keep(road, Credentials({"token": "access-0", "refresh": "refresh-0"}, datetime.now(UTC) - timedelta(hours=1)))
    road.close()
    command = [sys.executable, "-m", "tests.flow.renewing_process", database_url, key, str(tmp_path)]
    racers = [
        subprocess.Popen([*command, name], cwd=PROJECT, stdout=subprocess.PIPE, text=True) for name in ("a", "b", "c")
    ]
    assert eventually(lambda: len(list(tmp_path.glob("ready-*"))) == len(racers), 60)
    (tmp_path / "go").touch()
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert said == ["access-1"] * len(racers)
    assert json.loads((tmp_path / "platform.json").read_text()) == {"number": 1}
    service = service_on(database_url, key, platform_in(tmp_path))
    with service.database.read() as connection:
        kept, _ = connections.open_vault(connection, road.shop.shop_id, service.seal)
    service.database.close()
    assert kept.credentials.values == {"token": "access-1", "refresh": "refresh-1"}


def test_an_offer_that_comes_while_a_pair_is_renewed_is_not_lost_and_neither_is_the_pair(expiring: Road) -> None:
    renew = expiring.api.renew

    def offered_meanwhile(store: Store) -> Credentials:
        fresh = renew(store)
        expiring.offer("newer")
        return fresh

    expiring.api.renew = offered_meanwhile
    expiring.clock.moment += ACCESS_LASTS + timedelta(minutes=1)
    assert token(expiring) == "access-1"
    assert [offer["token"] for offer in vault(expiring).offers] == ["newer"]
    assert vault(expiring).credentials.values["refresh"] == "refresh-1"


def test_p10_a_shop_that_leaves_while_its_pair_is_renewed_keeps_none(expiring: Road) -> None:
    renew = expiring.api.renew

    def leaving(store: Store) -> Credentials:
        fresh = renew(store)
        expiring.service.disconnect.run(expiring.shop.shop_id)
        return fresh

    expiring.api.renew = leaving
    expiring.clock.moment += ACCESS_LASTS - timedelta(minutes=2)
    for _ in range(2):
        with pytest.raises(NotConnected, match="has left"):
            token(expiring)
        assert vault(expiring) == Vault()


def test_a_renewal_refused_for_good_breaks_the_connection_with_the_platforms_sentence(expiring: Road) -> None:
    expiring.there.refresh.clear()
    expiring.clock.moment += ACCESS_LASTS + timedelta(minutes=1)
    with pytest.raises(Permanent, match="open it once"):
        token(expiring)
    assert expiring.connection().state is ConnectionState.BROKEN
    assert "open it once" in expiring.connection().problem
    with pytest.raises(NotNow, match="open it once"):
        token(expiring)
    expiring.offer()
    expiring.there.tokens.add("the token that fits")
    expiring.work()
    assert expiring.connection().state is ConnectionState.CONNECTED


def test_a_refusal_counts_for_nothing_where_another_worker_has_renewed_meanwhile(expiring: Road) -> None:
    fresh = expiring.api.grant(expiring.shop.host, expiring.clock.moment + ACCESS_LASTS)

    def too_late(_store: Store) -> Credentials:
        keep(expiring, fresh)
        raise Permanent("this refresh token was used already")

    expiring.api.renew = too_late
    expiring.clock.moment += ACCESS_LASTS
    assert token(expiring) == fresh.values["token"]
    assert expiring.connection().state is ConnectionState.CONNECTED


def test_credentials_nobody_uses_are_renewed_weekly(make_road: MakeRoad) -> None:
    weekly = Pace(PACE.overlap, PACE.grace, timedelta(days=400), timedelta(days=400), renew_every=timedelta(days=7))
    road = make_road(connected=True, api=FakeApi(weekly))
    there = road.there
    there.prove = lambda store, _offer: road.api.grant(store.access.host, store.clock.now())
    road.offer("again")
    road.work()
    assert road.connection().renew_at == NOW + timedelta(days=7)
    there.fails_at = dict.fromkeys(("probe", "subscribe", "wake", "changes"), Permanent("not asked here"))
    road.later(days=8)
    assert there.renewed == 1
    assert road.connection().renew_at == road.clock.moment + timedelta(days=7)


@pytest.mark.parametrize(
    ("credentials", "every", "expected"),
    [
        (Credentials(), None, None),
        (Credentials(), timedelta(days=7), timedelta(days=7)),
        (Credentials({}, NOW + timedelta(hours=1)), None, timedelta(minutes=55)),
        (Credentials({}, NOW + timedelta(hours=1), NOW + timedelta(days=90)), None, timedelta(days=45)),
        (
            Credentials({}, NOW + timedelta(hours=1), NOW + timedelta(days=90)),
            timedelta(days=7),
            timedelta(days=7),
        ),
        (Credentials({}, None, NOW + timedelta(days=4)), timedelta(days=7), timedelta(days=2)),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_clock_renews_as_early_as_it_must_and_no_earlier(
    make_road: MakeRoad, credentials: Credentials, every: timedelta | None, expected: timedelta | None
) -> None:
    pace = Pace(PACE.overlap, PACE.grace, PACE.with_webhooks, PACE.alone, renew_every=every)
    road = make_road(api=FakeApi(pace))
    wanted = NOW + expected if expected else None
    assert road.service.stores.renew_at(road.shop, credentials) == wanted


def test_a_shop_that_was_never_connected_says_how_to_connect_it(road: Road) -> None:
    with pytest.raises(NotConnected, match="connector shop connect"):
        token(road)


def test_p10_no_secret_is_shown_by_what_holds_it(expiring: Road) -> None:
    shown: list[Any] = [expiring.service.stores.open(expiring.shop), vault(expiring), expiring.connection()]
    assert "access-0" not in repr(shown)
