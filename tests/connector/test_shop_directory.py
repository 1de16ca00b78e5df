"""The door asks the database once in a while, not for every delivery."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.shop_directory import ShopDirectory
from connector.tables import shops
from connector.tables.shops import Seal
from tests import builders

SEAL = Seal([Fernet.generate_key().decode()])
SHOP = builders.shop()
SECRETS = Secrets(("one",))


def save(database: Database, shop: Shop = SHOP, secrets: Secrets = SECRETS) -> None:
    with database.write() as connection:
        shops.save(connection, shop, secrets, SEAL)


@pytest.fixture
def asked(database: Database) -> Callable[[], int]:
    """How often the database was asked since the last time."""
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *arguments: statements.append(str(arguments[2])))

    def count() -> int:
        found = sum(statement.startswith("SELECT shops.") for statement in statements)
        statements.clear()
        return found

    return count


def test_a_shop_is_found_by_key_host_and_id(database: Database) -> None:
    save(database)
    directory = ShopDirectory(database, SEAL)
    assert directory.by_key(SHOP.platform, SHOP.key) == (SHOP, SECRETS)
    assert directory.by_host(SHOP.platform, SHOP.host) == (SHOP, SECRETS)
    assert directory.by_id(SHOP.shop_id) == SHOP


def test_a_key_and_a_host_of_the_same_text_are_not_mixed_up(database: Database) -> None:
    save(database, replace(SHOP, key="same", host="one"))
    save(database, replace(SHOP, shop_id="shop-2", key="two", host="same"))
    directory = ShopDirectory(database, SEAL)
    found = [directory.by_key(SHOP.platform, "same"), directory.by_host(SHOP.platform, "same")]
    assert [one[0].shop_id if one else None for one in found] == ["shop-1", "shop-2"]


def test_what_was_found_is_not_asked_for_again_for_some_seconds(database: Database, asked: Callable[[], int]) -> None:
    save(database)
    directory = ShopDirectory(database, SEAL, seconds=60)
    asked()
    for _ in range(5):
        directory.by_key(SHOP.platform, SHOP.key)
    assert asked() == 1


def test_a_change_counts_once_the_seconds_are_over_and_at_once_after_forget(database: Database) -> None:
    save(database)
    quick, slow = ShopDirectory(database, SEAL, seconds=0), ShopDirectory(database, SEAL, seconds=60)
    for directory in (quick, slow):
        directory.by_key(SHOP.platform, SHOP.key)
    save(database, secrets=Secrets(("two", "one")))
    assert quick.by_key(SHOP.platform, SHOP.key) == (SHOP, Secrets(("two", "one")))
    assert slow.by_key(SHOP.platform, SHOP.key) == (SHOP, SECRETS)
    slow.forget()
    assert slow.by_key(SHOP.platform, SHOP.key) == (SHOP, Secrets(("two", "one")))


def test_strangers_are_not_remembered_so_that_a_new_shop_is_known_at_once(database: Database) -> None:
    directory = ShopDirectory(database, SEAL, seconds=60)
    assert directory.by_key(SHOP.platform, SHOP.key) is None
    assert directory.by_id(SHOP.shop_id) is None
    save(database)
    assert directory.by_key(SHOP.platform, SHOP.key) == (SHOP, SECRETS)
