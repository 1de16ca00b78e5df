"""Whatever shops call themselves and their orders, the operator can name each."""

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from connector.commands.finding import find_order, find_shop
from connector.database import Database
from connector.domain.errors import ConnectorError
from connector.domain.record import OrderRecord
from connector.domain.signing import Secrets
from connector.tables import orders, shops
from connector.tables.shops import Seal
from tests import builders

SEAL = Seal([Fernet.generate_key().decode()])
SHOP = builders.shop()


def test_a_shop_that_calls_itself_by_anothers_id_does_not_stand_in_its_way(database: Database) -> None:
    namesake = replace(SHOP, shop_id="other", key="other", host="other.test", name=SHOP.shop_id)
    with database.write() as connection:
        for shop in (SHOP, namesake):
            shops.save(connection, shop, Secrets(), SEAL)
        assert find_shop(connection, SHOP.shop_id) == SHOP
        assert find_shop(connection, "other.test") == namesake
        shops.save(connection, replace(namesake, name=SHOP.host), Secrets(), SEAL)
        with pytest.raises(ConnectorError, match=f"{SHOP.shop_id}, other|other, {SHOP.shop_id}"):
            find_shop(connection, SHOP.host)


def test_of_two_orders_with_one_number_each_is_found_by_its_own_id(database: Database) -> None:
    with database.write() as connection:
        for order_id in ("5", "7"):
            snapshot = builders.order_snapshot(order_id=order_id, number="5")
            orders.save(database, connection, [OrderRecord(SHOP.shop_id, order_id, snapshot)])
        assert find_order(connection, SHOP, "7").order_id == "7"
        assert find_order(connection, SHOP, "5").order_id == "5"
