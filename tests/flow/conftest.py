"""Every test of the road runs on both databases."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flow.road import Road


@pytest.fixture
def make_road(database_url: str) -> Iterator[Callable[..., Road]]:
    """Makes a road on an empty database; it is closed at the end."""
    made: list[Road] = []

    def make(**named: Any) -> Road:
        made.append(Road(database_url, **named))
        return made[-1]

    yield make
    for road in made:
        road.close()


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    """A road with one connected shop, a fake platform and a fake channel."""
    return make_road()
