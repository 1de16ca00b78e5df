"""The demo's stories: in themselves right, whatever the service makes of them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

import adapters
from adapters.stories import Act, Given, Webhooks, ago, story
from notifications.kinds import KINDS
from notifications.wording import LOCALES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_every_order_that_is_expected_is_placed_and_every_one_that_is_placed_is_expected(platform: str) -> None:
    told = story(platform)
    made = {act.makes for act in told.acts if act.makes}
    named = {what.partition(":")[2] for wanted in told.orders.values() for what in (*wanted.told, *wanted.not_told)}
    assert told.orders.keys() <= made
    assert named - {""} <= made
    assert made == told.orders.keys() | (named - {""})
    assert all(act.order in told.orders for act in told.acts if act.order)


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_what_is_expected_is_said_in_words_that_there_are(platform: str) -> None:
    for wanted in story(platform).orders.values():
        assert wanted.language in LOCALES
        assert {what.partition(":")[0] for what in (*wanted.told, *wanted.not_told)} <= KINDS.keys()
        assert not set(wanted.told) & set(wanted.not_told)


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_webhooks_that_wait_leave_with_those_of_an_act_on_the_same_order(platform: str) -> None:
    acts = sorted(story(platform).acts, key=lambda act: ago(NOW, act.at))
    for act, following in pairwise(acts):
        if isinstance(act, Act) and act.webhooks is Webhooks.WAIT:
            assert isinstance(following, Act)
            assert following.order == act.order


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_a_story_ends_before_now_connects_before_its_news_and_gives_one_number_to_us(platform: str) -> None:
    told = story(platform)
    moments = [ago(NOW, act.at) for act in told.acts]
    assert max(moments) < NOW
    assert ago(NOW, told.connects_at) < max(moments)
    assert sum(isinstance(act, Given) for act in told.acts) == 1


def test_a_platform_that_is_not_there_has_no_story() -> None:
    with pytest.raises(KeyError):
        story("nobody")


def test_a_moment_is_so_many_hours_and_minutes_ago_and_nothing_else() -> None:
    assert ago(NOW, "-46:30") == NOW - timedelta(hours=46, minutes=30)
    with pytest.raises(ValueError, match="hours and minutes"):
        ago(NOW, "yesterday")
