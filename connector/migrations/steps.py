"""Taking the schema's steps with Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def take(connection: sa.Connection) -> None:
    """All steps the database has not taken yet, in the transaction at hand."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
