"""What connected shops cost: a day of one, a thousand of them at once, some that hang, and nothing at all."""

from collections.abc import Iterator
from dataclasses import dataclass

import adapters
from tests.bench import fleet, idle, steady
from tests.bench.places import Place
from tests.bench.report import Figure


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    shops: int = fleet.SHOPS
    hanging: tuple[int, ...] = fleet.HANGING
    seconds: float = fleet.SECONDS
    """For each phase with a thousand shops, half of it where nothing happens."""
    hours: int = 24
    """Of a shop's day; played by a clock."""


SMALL = Extent(shops=60, hanging=(8,), seconds=4, hours=1)


def measure(found: list[Place], *, rounds: int, size: int, extent: Extent = Extent()) -> Iterator[list[Figure]]:
    """Several lists of figures; phases that are compared follow each other in one run of one process."""
    yield list(steady.measure(found[0], hours=extent.hours))
    for place in found:
        for platform in adapters.NAMES if place is found[0] else (busiest(),):
            yield list(fleet.drained(place, platform, extent.shops))
        yield list(fleet.watched(place, busiest(), extent.shops, extent.seconds, extent.hanging))
        yield list(idle.measure(place, shops=(0, 3, extent.shops), seconds=extent.seconds / 2))


def busiest() -> str:
    """The platform that is asked most often while no webhooks come."""
    pace = {name: api.pace.alone for name in adapters.NAMES if (api := adapters.manifest(name).api)}
    return min(pace, key=lambda name: pace[name])
