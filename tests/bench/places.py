"""Empty databases to measure on, and a service on top of them."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

from connector.app import build_service
from connector.flow.service import Service
from connector.settings import Settings
from tests import postgresql
from tests.bench import deliveries

KEY = Fernet.generate_key().decode()
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where databases are made: a folder for SQLite files, or a PostgreSQL server with its safe defaults."""

    name: str
    folder: Path
    server: str = ""

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"bench_{next(_numbers)}"
        if not self.server:
            return f"sqlite:///{self.folder / name}.db"
        with psycopg.connect(self.server.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self.server.rpartition('/')[0]}/{name}"


@contextlib.contextmanager
def places() -> Iterator[list[Place]]:
    """SQLite, and PostgreSQL where it is installed; everything is gone afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connector-bench-")))
        found = [Place("SQLite", folder)]
        if programs := postgresql.find_programs():
            server = stack.enter_context(postgresql.running_server(programs, durable=True))
            found.append(Place("PostgreSQL", folder, server))
        yield found


def settings(database_url: str, *, port: int = 8080, smtp_port: int = 0) -> Settings:
    """Settings as an operator would have them, mail included when there is somebody to take it."""
    return Settings(
        database_url=database_url,
        secret_keys=(KEY,),
        port=port,
        smtp_host="127.0.0.1" if smtp_port else "",
        smtp_port=smtp_port or 25,
        smtp_security="none",
        mail_from="orders@hafen-huegel.example",
        log_level="warning",
    )


@contextlib.contextmanager
def running_service(database_url: str, *, smtp_port: int = 0) -> Iterator[Service]:
    """A service with its shop, its loops not started: the measurement calls its steps itself."""
    service = build_service(settings(database_url, smtp_port=smtp_port))
    try:
        deliveries.connect_shop(service.database, service.seal)
        yield service
    finally:
        service.send_outbox.stop()
        service.database.close()
