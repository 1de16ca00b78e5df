"""The schema's history ends in exactly the tables the code speaks of, on both databases."""

import importlib
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import connector.migrations
import connector.tables
import notifications.outbox  # noqa: F401  # adds its table to the metadata
from connector.database import Database, metadata
from connector.migrations import migrate, steps

for module in pkgutil.iter_modules(connector.tables.__path__):
    importlib.import_module(f"connector.tables.{module.name}")  # each adds its tables to the metadata
NEWEST = ScriptDirectory(str(Path(connector.migrations.__file__).parent)).get_current_head()


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


def differences(database: Database) -> list[object]:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def version(database: Database) -> str | None:
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


def test_from_nothing_to_exactly_the_tables_of_the_code(empty: Database) -> None:
    migrate(empty)
    assert differences(empty) == []
    assert version(empty) == NEWEST


def take_all_steps(database: Database) -> None:
    with database.write() as connection:
        steps.take(connection)


def test_all_steps_lead_from_nothing_to_exactly_the_tables_of_the_code(empty: Database) -> None:
    take_all_steps(empty)
    assert differences(empty) == []
    assert version(empty) == NEWEST
    migrate(empty)
    assert differences(empty) == []


def test_a_database_that_has_some_steps_taken_gets_the_rest(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(empty)
    taken: list[sa.Connection] = []
    monkeypatch.setattr(steps, "take", taken.append)
    monkeypatch.setattr(connector.migrations, "NEWEST", "a later one")
    migrate(empty)
    assert len(taken) == 1


def test_every_module_with_tables_is_named() -> None:
    modules = {f"connector.tables.{module.name}" for module in pkgutil.iter_modules(connector.tables.__path__)}
    assert {owner.__name__ for owner in connector.migrations.OWNERS} == modules | {"notifications.outbox"}


def test_the_step_that_is_said_to_be_the_newest_is_the_newest() -> None:
    assert connector.migrations.NEWEST == NEWEST


def test_a_missing_column_would_be_noticed(empty: Database) -> None:
    migrate(empty)
    with empty.write() as connection:
        connection.exec_driver_sql("ALTER TABLE orders DROP COLUMN record")
    assert differences(empty) != []


def test_the_indexes_hold_only_the_rows_that_wait(empty: Database) -> None:
    migrate(empty)
    found = {index["name"]: index for table in tables(empty) for index in sa.inspect(empty.engine).get_indexes(table)}
    for name in ("ix_inbox_due", "ix_outbox_due", "ix_documents_due", "ix_inbox_attention", "ix_outbox_attention"):
        options = found[name]["dialect_options"]
        assert any(str(key).endswith("_where") for key in options), name


def test_running_it_again_changes_nothing(empty: Database) -> None:
    migrate(empty)
    migrate(empty)
    assert differences(empty) == []


def test_several_processes_may_start_at_once(empty: Database) -> None:
    others = [Database(empty.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    with ThreadPoolExecutor(1 if empty.is_sqlite else 3) as pool:
        list(pool.map(migrate, others))
    for one in others:
        one.close()
    assert differences(empty) == []


def test_every_step_can_be_taken_back(empty: Database) -> None:
    migrate(empty)
    config = Config()
    config.set_main_option("script_location", str(Path(connector.migrations.__file__).parent))
    with empty.write() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert tables(empty) == {"alembic_version"}
    migrate(empty)
    assert differences(empty) == []
