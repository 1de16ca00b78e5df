"""Towns for the tests of connecting: closed at the end, whatever happened in them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.connected import Town, towns

MakeTown = Callable[..., Town]


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
