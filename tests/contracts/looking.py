"""Looking into a town's database from outside."""

import sqlalchemy as sa

from connector.database import metadata
from tests.contracts.connected import Town

HIDDEN = ("content", "sealed", "sealed_secrets")
"""Issued documents, which the law obliges to keep, and what nobody can read."""


def everything(town: Town) -> str:
    """All the text that can be read there."""
    found: list[str] = []
    with town.service.database.read() as connection:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if column.name not in HIDDEN]
            for row in connection.execute(sa.select(*columns)):
                found += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(found)
