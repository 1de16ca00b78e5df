"""One row an order, found by shop and id, kept away from other workers while it grows."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from connector.database import Database
from connector.domain.record import OrderRecord
from connector.tables import orders
from tests import builders


def known(order_id: str = "5001", shop_id: str = "shop-1", **changes: object) -> OrderRecord:
    values = {"shipments": (builders.shipment(),), "refunds": (builders.refund(),), **changes}
    return builders.record(order_id=order_id, shop_id=shop_id, facts=frozenset({"order:placed|"}), **values)


def save(database: Database, *records: OrderRecord) -> None:
    with database.write() as connection:
        orders.save(database, connection, records)


def get(database: Database, order_id: str = "5001", shop_id: str = "shop-1") -> OrderRecord | None:
    with database.read() as connection:
        return orders.get(connection, shop_id, order_id)


def test_a_record_comes_back_as_it_was_kept(database: Database) -> None:
    save(database, known())
    assert get(database) == known()
    assert get(database, "unknown") is None


def test_a_grown_record_takes_the_place_of_the_old_one(database: Database) -> None:
    save(database, known(snapshot=None))
    save(database, known(), known("5002"))
    assert get(database) == known()
    with database.read() as connection:
        assert orders.count(connection, "shop-1") == 2


def test_two_shops_may_have_orders_of_the_same_id(database: Database) -> None:
    save(database, known(), known(shop_id="shop-2", snapshot=None))
    assert get(database) == known()
    assert get(database, shop_id="shop-2") == known(shop_id="shop-2", snapshot=None)


def test_many_are_loaded_at_once_and_unknown_ones_are_left_out(database: Database) -> None:
    save(database, known("1"), known("2"))
    wanted = [("shop-1", "1"), ("shop-1", "2"), ("shop-1", "3"), ("shop-2", "1")]
    with database.read() as connection:
        assert set(orders.load(connection, wanted)) == {("shop-1", "1"), ("shop-1", "2")}


def test_a_shops_orders_come_newest_first_in_pages(database: Database) -> None:
    at = builders.PLACED
    for number in range(4):
        snapshot = builders.order_snapshot(placed_at=at + timedelta(hours=number))
        save(database, known(str(number), snapshot=snapshot))
    with database.read() as connection:
        pages = [orders.newest(connection, "shop-1", limit=2, offset=place) for place in (0, 2, 4)]
    assert [[record.order_id for record in page] for page in pages] == [["3", "2"], ["1", "0"], []]


def test_a_number_no_database_can_keep_costs_nothing(database: Database) -> None:
    save(database, known(snapshot=builders.order_snapshot(number="\x00" + "9" * 300)))
    assert get(database) is not None


def test_a_locked_order_waits_for_the_one_who_has_it_and_nobody_waits_in_a_circle(database: Database) -> None:
    keys = [("shop-1", str(number)) for number in range(5)]
    together = threading.Barrier(2)
    inside: list[int] = []
    most: list[int] = []

    def work(wanted: list[orders.OrderKey]) -> None:
        together.wait()
        for _ in range(10):
            with database.write() as connection:
                orders.lock(database, connection, wanted)
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (keys, keys[::-1])))
    assert max(most) == 1
