"""Every test of the road runs on both databases."""

from pathlib import Path

import pytest

from tests.databases import fresh_postgresql_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/connector.db"
    return fresh_postgresql_database(request.getfixturevalue("postgresql_url"))
