"""What every platform's subscriptions promise: ours stand once and come back when lost, and others' stay theirs."""

from collections.abc import Callable

import pytest

from adapters.contract import Store
from connector.domain.connection import Endpoint, Subscribed
from connector.flow.endpoints import endpoint
from connector.tables import shops
from tests.contracts.connected import ADDRESS, Town
from tests.contracts.counterparts import Hook
from tests.contracts.test_connecting import MakeTown, each_platform

THEIRS = "https://another-service.example/hooks"
LOOK_ALIKE = "https://connector.example.com.another-service.example/webhooks/x"


def connected(make_town: MakeTown, platform: str) -> Town:
    """By keys of the merchant's own, where the webhooks are ours to make."""
    return make_town(platform, own_app=True).connect(pasted=True)


def at(town: Town) -> Endpoint:
    with town.service.database.read() as connection:
        secrets = shops.secrets_of(connection, town.shop.shop_id, town.service.seal)
    return endpoint(ADDRESS, town.shop, secrets)


def subscribed(town: Town) -> Subscribed:
    subscribe: Callable[[Store, Endpoint], Subscribed] | None = town.api.subscribe
    assert subscribe is not None
    return subscribe(town.store(), at(town))


def unsubscribed(town: Town) -> None:
    assert town.api.unsubscribe is not None
    town.api.unsubscribe(town.store(), at(town))


def others_may_subscribe(platform: str) -> None:
    if platform == "fake":
        pytest.skip("the fake shop has one place for webhooks, and no other service in it")


@each_platform
def test_subscribing_again_changes_nothing(make_town: MakeTown, platform: str) -> None:
    town = connected(make_town, platform)
    before = town.there.hooks()
    assert before
    assert subscribed(town).repairs == ()
    assert town.there.hooks() == before
    unsubscribed(town)
    unsubscribed(town)
    assert town.there.hooks() == []
    assert len(subscribed(town).repairs) == len(before)
    assert sorted(map(repr, town.there.hooks())) == sorted(map(repr, before))


@each_platform
def test_what_was_switched_off_is_on_again_and_sends(make_town: MakeTown, platform: str) -> None:
    town = connected(make_town, platform)
    before = len(town.there.hooks())
    town.twin.break_subscription()
    assert town.there.hooks() == []
    repairs = subscribed(town).repairs
    assert len(repairs) == before
    assert all(words and words.isprintable() for words in repairs)
    town.twin.place_order(paid=True)
    assert town.hear() > 0
    assert town.differing() == set()


@each_platform
def test_doubles_and_leftovers_of_ours_go_and_strangers_stay(make_town: MakeTown, platform: str) -> None:
    others_may_subscribe(platform)
    town = connected(make_town, platform)
    topic, mine = town.there.topic(), town.there.hooks()
    strangers = [Hook(topic, THEIRS), Hook(topic, LOOK_ALIKE)]
    double = mine[0]
    stale = Hook(topic, town.there.stale_address(at(town).address))
    for hook in (*strangers, double, stale):
        town.there.add_hook(hook.topic, hook.url)
    assert subscribed(town).repairs
    left = town.there.hooks()
    assert sorted(map(repr, left)) == sorted(map(repr, (*mine, *strangers)))
    unsubscribed(town)
    assert sorted(map(repr, town.there.hooks())) == sorted(map(repr, strangers))


@each_platform
def test_what_we_subscribe_to_is_signed_so_that_the_door_opens(make_town: MakeTown, platform: str) -> None:
    town = connected(make_town, platform)
    order_id = town.twin.place_order(paid=True)
    town.hear()
    town.twin.cancel(town.twin.place_order())
    town.twin.ship(order_id, "AA1", "DHL")
    town.hear()
    assert {status for _, status in town.front.heard} == {200}
    assert town.differing() == set()
    assert town.connection.healed == 0


@each_platform
def test_a_call_that_was_lost_midway_leaves_nothing_twice(make_town: MakeTown, platform: str) -> None:
    others_may_subscribe(platform)
    town = connected(make_town, platform)
    mine = town.there.hooks()
    for cut in (1, 2):
        town.twin.break_subscription()
        for _ in range(cut):
            town.twin.faults.cut = 1
            town.later(minutes=21)
        for _ in range(2):
            town.later(hours=7)
        assert town.twin.faults.cut == 0
        assert sorted(map(repr, town.there.hooks())) == sorted(map(repr, mine))
