"""What every test may ask for, and what happens when the machine cannot provide it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from connector.database import Database
from connector.migrations import migrate
from tests import chromium, postgresql
from tests.databases import fresh_postgresql_database
from tests.flow.road import Road

REQUIRE_ALL = "CONNECTOR_TEST_REQUIRE_ALL"


def unavailable(reason: str) -> NoReturn:
    """Skip visibly on a person's machine; fail where everything must be there, as in continuous integration."""
    if os.environ.get(REQUIRE_ALL):
        pytest.fail(f"{reason} ({REQUIRE_ALL} is set, so this is a failure and not a skip)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of an empty PostgreSQL server that lives as long as the test session."""
    programs = postgresql.find_programs()
    if programs is None:
        unavailable(postgresql.INSTALL_HINT)
    with postgresql.running_server(programs) as url:
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Path of the system's Chromium."""
    return chromium.find_chromium() or unavailable(chromium.INSTALL_HINT)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/connector.db"
    return fresh_postgresql_database(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database at the newest schema."""
    made = Database(database_url)
    migrate(made)
    yield made
    made.close()


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
