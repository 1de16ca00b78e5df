"""The schema's history: one file a step, applied at the start of the service."""

from importlib import import_module

import sqlalchemy as sa

from connector.database import Database

NEWEST = "0001"
"""The last step's revision; a test holds it equal to the folder's."""

_ONE_MIGRATOR = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('connector migrations', 0))")
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def migrate(database: Database) -> None:
    """Bring the database to the newest schema. Several processes may do so at once; one works, the others wait.

    Alembic is loaded only when there is a step to take: it would be a tenth of the service's memory for nothing.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(_ONE_MIGRATOR)
        if _version(connection) != NEWEST:
            import_module("connector.migrations.steps").take(connection)


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar()
