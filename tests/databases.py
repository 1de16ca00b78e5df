"""Empty databases for tests: a SQLite file, or a database of its own on the shared PostgreSQL server."""

import secrets

import sqlalchemy as sa
from sqlalchemy.engine import make_url


def fresh_postgresql_database(server_url: str) -> str:
    """The URL of a new, empty database on this server."""
    name = f"test_{secrets.token_hex(6)}"
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)
