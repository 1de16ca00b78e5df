"""A Magento twin and somebody who may ask it."""

from collections.abc import Iterator

import pytest

from adapters.magento.twin import MagentoTwin
from connector.domain.clock import FixedClock
from tests.adapters.magento.twin_caller import HOST, NOW, Caller


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def twin(clock: FixedClock) -> Iterator[MagentoTwin]:
    with MagentoTwin(clock, host=HOST) as running:
        yield running


@pytest.fixture
def caller(twin: MagentoTwin, clock: FixedClock) -> Caller:
    return Caller(twin, clock)
