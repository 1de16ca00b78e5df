"""What tests of the flows may ask for besides a road: a town, with a stand-in shop that is really asked."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.connected import Town, towns
from tests.databases import fresh_postgresql_database


@pytest.fixture
def make_town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """Makes a town on an empty database (SQLite without a `database_url`)."""
    with towns(tmp_path) as make:
        yield make


@pytest.fixture
def postgresql_database_url(postgresql_url: str) -> str:
    """An empty database on PostgreSQL."""
    return fresh_postgresql_database(postgresql_url)
