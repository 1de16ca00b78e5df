"""Towns for the tests of connecting: closed at the end, whatever happened in them."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.connected import Town, towns

MakeTown = Callable[..., Town]
NEVER_BUSY: dict[str, dict[str, float]] = {"shopify": {"bucket": 1e9}}


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[MakeTown]:
    """Makes a town on an empty database (SQLite without a `database_url`)."""
    with towns(tmp_path) as make:
        yield make


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Any:
    """All that is logged, down to the last detail."""
    caplog.set_level("DEBUG")
    return caplog


@pytest.fixture(scope="session")
def shared_towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Town, str, str]]]:
    """A connected shop of a platform that lives as long as the session, for tests that only read: with the ids of an
    order and of its parcel."""
    known: dict[str, tuple[Town, str, str]] = {}
    with towns(tmp_path_factory.mktemp("shared")) as make:

        def of(platform: str) -> tuple[Town, str, str]:
            if platform not in known:
                town = make(platform, own_app=True, **NEVER_BUSY.get(platform, {})).connect(pasted=True)
                order_id = town.twin.place_order(paid=True, email="eleni@people.test")
                parcel = town.twin.ship(order_id, "AA0", "DHL")
                town.twin.refund(order_id, Decimal("1.00"))
                town.twin.place_order()
                town.hear()
                known[platform] = (town, order_id, parcel)
            return known[platform]

        yield of
