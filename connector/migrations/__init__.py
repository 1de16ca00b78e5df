"""The schema's history: one file a step, applied at the start of the service."""

from importlib import import_module

import sqlalchemy as sa

from connector.database import Database, metadata
from connector.tables import (
    connections,
    documents,
    inbox,
    orders,
    privacy_requests,
    sender_keys,
    shops,
    sweeps,
    timeline,
    watched_parcels,
)
from notifications import outbox

OWNERS = (
    connections,
    documents,
    inbox,
    orders,
    outbox,
    privacy_requests,
    sender_keys,
    shops,
    sweeps,
    timeline,
    watched_parcels,
)
"""The modules whose tables make the schema; each has added its own to the metadata by being imported."""
NEWEST = "0002"
"""The last step's revision; a test holds it equal to the folder's."""

_ONE_MIGRATOR = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('connector migrations', 0))")
_VERSION = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
"""Alembic's own table."""


def migrate(database: Database) -> None:
    """Bring the database to the newest schema. Several processes may do so at once; one works, the others wait.

    An empty database gets the newest schema at once; a test holds that equal to taking all steps. Alembic is loaded
    only when there is a step to take: it would be a tenth of the service's memory for nothing.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(_ONE_MIGRATOR)
        version = _version(connection)
        if version is None:
            _create(connection)
        elif version != NEWEST:
            import_module("connector.migrations.steps").take(connection)


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar()


def _create(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(sa.insert(_VERSION).values(version_num=NEWEST))
