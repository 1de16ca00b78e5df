"""A shop on its way in: made once, invited, offered; and one that ended begins again without its past."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from connector import connecting
from connector.database import Database
from connector.domain.connection import ConnectionState
from connector.domain.errors import WrongSetting
from connector.domain.shop import Shop, Voice
from connector.tables import connections, shops
from connector.tables.connections import Connection
from connector.tables.shops import Seal

NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
SEAL = Seal([Fernet.generate_key().decode()])
HOST, BASE = "shop.example.test", "https://shop.example.test/store"


def make(database: Database, now: datetime = NOW, base: str = BASE, name: str = "", **options: str) -> Shop:
    given = {option.replace("_", "-"): value for option, value in options.items()}
    with database.write() as connection:
        return connecting.find_or_make(connection, "fake", HOST, base, SEAL, now, name, given)


def known(database: Database, shop: Shop) -> Connection:
    with database.read() as connection:
        found = connections.get(connection, shop.shop_id)
    assert found is not None
    return found


def end(database: Database, shop: Shop) -> None:
    with database.write() as connection:
        connections.end(connection, shop.shop_id, SEAL, "uninstalled")
        shops.change(connection, shop.shop_id, lambda known: replace(known, ended_at=NOW))


def test_p4_a_new_shop_begins_in_shadow_with_a_key_and_a_secret_nobody_guesses(database: Database) -> None:
    shop = make(database, name="Marina", country="gr")
    assert (shop.name, shop.country, shop.connected_at) == ("Marina", "GR", NOW)
    assert shop.default_voice is Voice.SHADOW
    with database.read() as connection:
        found = shops.by_key(connection, "fake", shop.key, SEAL)
    assert found is not None
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32,}", words) for words in (shop.key, *found[1].shared))
    assert known(database, shop).state is ConnectionState.INVITED
    assert known(database, shop).base == BASE


def test_the_same_shop_is_found_again_with_its_connection(database: Database) -> None:
    first = make(database, name="Marina")
    again = make(database, now=NOW + timedelta(days=1), name="Other words")
    assert again == first
    with database.read() as connection:
        assert len(shops.everyone(connection)) == 1


def test_a_shop_that_only_sent_until_now_keeps_its_voice_and_gets_a_connection(database: Database) -> None:
    first = make(database)
    live = replace(first, default_voice=Voice.US)
    with database.write() as connection:
        shops.change(connection, live.shop_id, lambda _: live)
        connection.execute(connections.connections.delete())
    assert make(database).default_voice is Voice.US
    assert known(database, live).state is ConnectionState.INVITED


def test_p4_a_shop_that_ended_begins_again_now_and_in_shadow(database: Database) -> None:
    shop = make(database)
    end(database, shop)
    later = NOW + timedelta(days=30)
    again = make(database, now=later, base=BASE + "/new")
    assert (again.shop_id, again.key) == (shop.shop_id, shop.key)
    assert (again.connected_at, again.ended_at, again.default_voice) == (later, None, Voice.SHADOW)
    assert known(database, again).state is ConnectionState.INVITED
    assert known(database, again).base == BASE + "/new"


def test_a_shop_that_moved_is_asked_at_its_new_address(database: Database) -> None:
    shop = make(database)
    make(database, base=BASE + "/moved")
    assert known(database, shop).base == BASE + "/moved"


def test_an_option_that_cannot_be_used_is_refused(database: Database) -> None:
    with pytest.raises(WrongSetting, match="two letters"):
        make(database, country="Greece")


def test_an_invitation_leads_to_its_shop_and_ends_the_older_one(database: Database) -> None:
    shop = make(database)
    with database.write() as connection:
        first = connecting.invitation(connection, shop, SEAL, NOW)
        second = connecting.invitation(connection, shop, SEAL, NOW)
        assert connections.by_nonce(connection, first) is None
        found = connections.by_nonce(connection, second)
    assert found is not None
    assert (found.shop_id, found.invited_until) == (shop.shop_id, NOW + timedelta(days=7))


def test_p10_neither_an_invitation_nor_an_offer_can_be_read_in_the_database(database: Database) -> None:
    shop = make(database)
    with database.write() as connection:
        nonce = connecting.invitation(connection, shop, SEAL, NOW)
        assert connecting.take_offer(connection, shop, {"token": "plain-token"}, SEAL, NOW)
        row = connection.execute(connections.connections.select()).one()
    everything = repr(tuple(row)).encode()
    assert nonce.encode() not in everything
    assert b"plain-token" not in everything


def test_an_offer_waits_for_the_worker_and_a_second_click_adds_nothing(database: Database) -> None:
    shop = make(database)
    with database.write() as connection:
        for token in ("a", "b", "b"):
            connecting.take_offer(connection, shop, {"token": token}, SEAL, NOW)
        vault, _ = connections.open_vault(connection, shop.shop_id, SEAL)
    assert [offer["token"] for offer in vault.offers] == ["b", "a"]
    assert known(database, shop).state is ConnectionState.OFFERED


def test_nothing_is_offered_to_a_shop_that_ended(database: Database) -> None:
    shop = make(database)
    end(database, shop)
    with database.write() as connection:
        assert not connecting.take_offer(connection, shop, {"token": "late"}, SEAL, NOW)
    assert known(database, shop).state is ConnectionState.ENDED


def test_two_clicks_at_the_same_moment_make_one_shop(database: Database) -> None:
    made: list[Shop] = []
    start = threading.Barrier(4)

    def click() -> None:
        start.wait(10)
        made.append(make(database))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({shop.shop_id for shop in made}) == 1
    assert len(made) == 4
