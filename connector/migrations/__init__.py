"""The schema's history: one file a step, applied at the start of the service."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from connector.database import Database

_ONE_MIGRATOR = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('connector migrations', 0))")


def migrate(database: Database) -> None:
    """Bring the database to the newest schema. Several processes may do so at once; one works, the others wait."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(_ONE_MIGRATOR)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
