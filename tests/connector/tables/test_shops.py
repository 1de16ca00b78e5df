"""Shops are found by what their deliveries carry, and their secrets are sealed (P10)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.errors import WrongSetting
from connector.domain.shop import Shop, Voice
from connector.domain.signing import Secrets
from connector.tables import shops
from connector.tables.shops import Seal
from tests import builders
from tests.together import interleaved

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SEAL = Seal([KEY])
SHOP = builders.shop()
SECRETS = Secrets(("plain-secret-1", "plain-secret-2"), {"path": "-----BEGIN PUBLIC KEY-----"}, ("audience",))


def save(database: Database, shop: Shop = SHOP, secrets: Secrets = SECRETS, seal: Seal = SEAL) -> None:
    with database.write() as connection:
        shops.save(connection, shop, secrets, seal)


def test_a_shop_is_found_by_its_key_its_host_and_its_id(database: Database) -> None:
    save(database)
    with database.read() as connection:
        assert shops.by_key(connection, SHOP.platform, SHOP.key, SEAL) == (SHOP, SECRETS)
        assert shops.by_host(connection, SHOP.platform, SHOP.host, SEAL) == (SHOP, SECRETS)
        assert shops.by_id(connection, SHOP.shop_id) == SHOP


def test_a_key_counts_on_its_own_platform_only(database: Database) -> None:
    save(database)
    with database.read() as connection:
        assert shops.by_key(connection, "other", SHOP.key, SEAL) is None
        assert shops.by_host(connection, "other", SHOP.host, SEAL) is None
        assert shops.by_id(connection, "other") is None


def test_a_shop_saved_again_is_replaced(database: Database) -> None:
    save(database)
    save(database, replace(SHOP, name="New name"), Secrets(("new",)))
    with database.read() as connection:
        assert shops.by_key(connection, SHOP.platform, SHOP.key, SEAL) == (
            replace(SHOP, name="New name"),
            Secrets(("new",)),
        )
        assert len(shops.everyone(connection)) == 1


def test_p10_no_secret_can_be_read_in_the_database(database: Database) -> None:
    save(database)
    with database.read() as connection:
        row = connection.execute(shops.shops.select()).one()
    for word in (b"plain-secret", b"BEGIN PUBLIC", b"audience"):
        assert word not in bytes(row.sealed_secrets) + bytes(row.profile)


def test_p10_keys_rotate_the_newest_seals_and_all_open(database: Database) -> None:
    save(database)
    both, newest = Seal([OTHER_KEY, KEY]), Seal([OTHER_KEY])
    with database.write() as connection:
        assert shops.by_key(connection, SHOP.platform, SHOP.key, both) == (SHOP, SECRETS)
        with pytest.raises(WrongSetting, match="CONNECTOR_SECRET_KEYS"):
            shops.by_key(connection, SHOP.platform, SHOP.key, newest)
        shops.save(connection, SHOP, SECRETS, both)
        assert shops.by_key(connection, SHOP.platform, SHOP.key, newest) == (SHOP, SECRETS)


def test_p10_a_key_that_cannot_be_used_is_refused_without_showing_it() -> None:
    with pytest.raises(WrongSetting, match="connector new-key") as refused:
        Seal(["not-a-key"])
    assert "not-a-key" not in str(refused.value)


def test_a_public_key_joins_the_others(database: Database) -> None:
    save(database)
    with database.write() as connection:
        shops.add_public_key(connection, SHOP.shop_id, "new path", "pem", SEAL)
        found = shops.by_key(connection, SHOP.platform, SHOP.key, SEAL)
    assert found is not None
    assert found[1] == replace(SECRETS, public_keys={"path": "-----BEGIN PUBLIC KEY-----", "new path": "pem"})


def test_all_shops_are_listed_by_name(database: Database) -> None:
    for name in ("b", "c", "a"):
        save(database, replace(SHOP, shop_id=name, key=name, host=name, name=name))
    with database.read() as connection:
        assert [shop.name for shop in shops.everyone(connection)] == ["a", "b", "c"]


def test_what_two_hands_change_of_a_shop_at_the_same_moment_is_both_kept(database: Database) -> None:
    save(database)
    spoken, left = {"shipped": Voice.US}, datetime(2026, 11, 20, tzinfo=UTC)
    interleaved(
        database,
        lambda connection: shops.change(connection, SHOP.shop_id, lambda known: replace(known, voices=spoken)),
        lambda connection: shops.change(connection, SHOP.shop_id, lambda known: replace(known, ended_at=left)),
    )
    with database.read() as connection:
        assert shops.by_id(connection, SHOP.shop_id) == replace(SHOP, voices=spoken, ended_at=left)


def test_two_secrets_that_come_at_the_same_moment_both_count(database: Database) -> None:
    save(database)
    interleaved(
        database,
        lambda connection: shops.add_public_key(connection, SHOP.shop_id, "one", "pem", SEAL),
        lambda connection: shops.add_shared_secrets(connection, SHOP.shop_id, ("brought",), SEAL),
    )
    with database.read() as connection:
        secrets = shops.secrets_of(connection, SHOP.shop_id, SEAL)
    assert secrets.shared == (*SECRETS.shared, "brought")
    assert secrets.public_keys["one"] == "pem"


def test_a_shop_there_is_not_is_not_changed(database: Database) -> None:
    with database.write() as connection:
        assert shops.change(connection, "nobody", lambda known: known) is None
