"""Stand-in shops: what they send is their platform's own, and comes from data."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adapters
from connector.demo.stand_ins import StandIn, ago, merged
from webhooks.verification import verify

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=3), VALUES, max_size=4)


def without_nothings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nothings(inner) for name, inner in value.items() if inner is not None}
    return value


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_every_step_is_signed_as_its_platform_signs_and_a_tampered_one_no_longer_fits(platform: str) -> None:
    shop = StandIn(platform, NOW)
    for step in shop.story.steps:
        delivery = shop.delivery(step)
        if step.tampered:
            with pytest.raises(Exception, match="signature does not fit"):
                verify(adapters.manifest(platform).signatures, delivery.headers, delivery.body, shop.secrets)
        else:
            verify(adapters.manifest(platform).signatures, delivery.headers, delivery.body, shop.secrets)


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_no_placeholder_is_left_and_every_copy_of_a_step_is_the_same_news(platform: str) -> None:
    shop = StandIn(platform, NOW)
    key = adapters.manifest(platform).idempotency_key
    for step in shop.story.steps:
        first, second = shop.delivery(step), shop.delivery(step)
        assert b"{{" not in first.body
        assert "{{" not in json.dumps(dict(first.headers))
        if step.fresh_copies:
            assert key(first) == key(second)


@pytest.mark.parametrize("platform", adapters.NAMES)
def test_a_story_goes_forward_in_time(platform: str) -> None:
    moments = [ago(NOW, step.at) for step in StandIn(platform, NOW).story.steps]
    assert moments == sorted(moments)
    assert moments[-1] < NOW


@given(DOCUMENTS, DOCUMENTS)
def test_a_merge_patch_applied_twice_changes_nothing_more(document: Any, patch: Any) -> None:
    once = merged(document, patch)
    assert merged(once, patch) == once


@given(DOCUMENTS)
def test_a_document_as_its_own_patch_leaves_what_is_not_nothing(document: Any) -> None:
    assert merged({}, document) == without_nothings(document)


def test_a_patch_keeps_what_it_does_not_name_and_takes_away_what_it_calls_nothing() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None, "e": [1]}}) == {"a": {"c": 2, "e": [1]}, "d": 3}


def test_a_moment_that_is_not_hours_and_minutes_is_refused() -> None:
    with pytest.raises(ValueError, match="hours and minutes"):
        ago(NOW, "yesterday")
