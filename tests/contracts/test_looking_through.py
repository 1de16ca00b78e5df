"""What every platform's list of changes promises: all of it, whatever moves, and nothing that was known before."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from connector.domain.connection import Found
from connector.domain.delivery import LookAgain, News
from connector.domain.record import OrderRecord, apply
from tests.contracts.connected import NOW, Town, as_truth
from tests.contracts.test_connecting import MakeTown, each_platform

MANY = 120
"""More than a page of any platform."""
LONG_AGO = NOW - timedelta(days=30)


def joined(town: Town, found: list[Found]) -> dict[str, OrderRecord]:
    """The orders that documents come to, as the road would join them; what is too large is looked at."""
    records: dict[str, OrderRecord] = {}
    for one in found:
        for update in town.read_found(one):
            if isinstance(update, LookAgain):
                answer = town.api.look(town.store(), update)
                update = town.manifest.resolve(update, answer, town.shop)
            if isinstance(update, News):
                known = records.get(update.order_id, OrderRecord(town.shop.shop_id, update.order_id))
                records[update.order_id] = apply(known, update, NOW).record
    return records


def swept(town: Town, between: Callable[[], None] = lambda: None) -> list[Found]:
    """All pages; `between`: what happens in the shop while one was read and the next is not."""
    found: list[Found] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        page = town.api.changes(town.store(), LONG_AGO, cursor)
        assert all(0 < len(one.key) <= 100 and one.updated_at.utcoffset() == timedelta(0) for one in page.found)
        found, cursor, pages = found + list(page.found), page.cursor, pages + 1
        assert pages < 100, "the pages do not end"
        between()
    return found


def assert_all_is_told(town: Town, found: list[Found]) -> None:
    told = {order_id: as_truth(record) for order_id, record in joined(town, found).items() if record.snapshot}
    assert told == dict(town.twin.truth())


def busy_shop(make_town: MakeTown, platform: str, orders: int) -> Town:
    town = make_town(platform, own_app=True, history_days=0).connect(pasted=True)
    town.twin.grow(orders, since=NOW - timedelta(days=20))
    return town


@each_platform
def test_every_order_is_told_as_it_is(make_town: MakeTown, platform: str) -> None:
    town = busy_shop(make_town, platform, MANY)
    twin = town.twin
    for number in range(4):
        town.pass_by(seconds=7)
        order_id = twin.place_order(paid=number % 2 == 0)
        if number < 2:
            twin.ship(order_id, f"AA{number}", "DHL")
        if number == 2:
            twin.refund(order_id, Decimal("5.00"))
        if number == 3:
            twin.cancel(order_id)
    found = swept(town)
    assert [one.updated_at for one in found if one.about == found[0].about] == sorted(
        one.updated_at for one in found if one.about == found[0].about
    )
    assert_all_is_told(town, found)


@each_platform
def test_nothing_is_skipped_while_orders_move_under_the_pages(make_town: MakeTown, platform: str) -> None:
    town = busy_shop(make_town, platform, MANY)
    moving = iter(sorted(town.twin.truth(), key=int))

    def happens() -> None:
        town.pass_by(seconds=3)
        for order_id, _ in zip(moving, range(20), strict=False):
            town.there.touch(order_id)
        if town.clock.moment < NOW + timedelta(seconds=20):
            town.twin.place_order(paid=True)

    before = set(town.twin.truth())
    found = swept(town, happens)
    assert before <= set(joined(town, found))
    town.pass_by(minutes=1)
    assert_all_is_told(town, found + swept(town))


@each_platform
def test_a_crowd_within_one_second_is_told_whole(make_town: MakeTown, platform: str) -> None:
    town = busy_shop(make_town, platform, 20)
    for order_id in list(town.twin.truth()):
        town.there.touch(order_id)
    for _ in range(130):
        town.twin.place_order()
    assert_all_is_told(town, swept(town))


@each_platform
def test_the_same_version_has_the_same_key_and_another_one_another(make_town: MakeTown, platform: str) -> None:
    town = busy_shop(make_town, platform, 15)
    order_id = town.twin.place_order(paid=True)
    first = swept(town)
    town.pass_by(seconds=5)
    assert [one.key for one in swept(town)] == [one.key for one in first]
    assert len({one.key for one in first}) == len(first)
    town.twin.refund(order_id, Decimal("5.00"))
    changed = {one.key for one in swept(town)} - {one.key for one in first}
    assert changed
    assert all(order_id in joined(town, [one]) for one in swept(town) if one.key in changed)


@each_platform
def test_two_sweeps_of_the_same_stretch_record_nothing_new(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    town.twin.grow(MANY, since=NOW - timedelta(days=20))
    town.pass_by(hours=1)
    town.connect()
    assert town.differing() == set()
    recorded = sum(town.inbox().values())
    for _ in range(8):
        town.later(hours=2)
    assert sum(town.inbox().values()) == recorded
    assert town.connection.healed == 0


@each_platform
def test_an_import_that_dies_at_any_page_goes_on_and_loses_nothing(make_town: MakeTown, platform: str) -> None:
    town = make_town(platform)
    town.twin.grow(MANY, since=NOW - timedelta(days=20))
    town.say_yes()
    for _ in range(400):
        worked = town.work_once()
        town.restart()
        if not worked:
            break
    town.later(minutes=10)
    assert town.differing() == set()
    assert town.channel.taken == []


@each_platform
def test_a_document_read_twice_says_the_same(make_town: MakeTown, platform: str) -> None:
    town = busy_shop(make_town, platform, 5)
    for one in swept(town):
        assert town.read_found(one) == town.read_found(dataclasses.replace(one))
