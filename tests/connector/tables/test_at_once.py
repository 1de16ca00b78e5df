"""Connections keep what several hands write at the same moment (P1)."""

from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
from cryptography.fernet import Fernet

from connector.database import Database
from connector.domain.connection import Credentials
from connector.tables import connections
from connector.tables.connections import Vault
from connector.tables.shops import Seal
from tests.together import interleaved

NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
SEAL = Seal([Fernet.generate_key().decode()])
FRESH = Credentials({"token": "fresh"}, NOW + timedelta(hours=1))


def create(connection: sa.Connection) -> None:
    connections.create(connection, "s", "fake", "https://fake.example.test", SEAL, NOW)


def renew(connection: sa.Connection) -> None:
    """As the worker keeps a new pair, of which the platform takes no older one any more."""
    vault, version = connections.open_vault(connection, "s", SEAL, lock=True)
    kept = Vault(FRESH, vault.offers)
    assert connections.keep(connection, "s", kept, SEAL, version=version, renew_at=None)


def offer(connection: sa.Connection, given: str) -> None:
    connections.offer(connection, "s", {"token": given}, SEAL, NOW)


def vault_of(database: Database) -> Vault:
    with database.read() as connection:
        return connections.open_vault(connection, "s", SEAL)[0]


def test_p1_an_offer_that_comes_while_credentials_are_renewed_does_not_bring_the_old_ones_back(
    database: Database,
) -> None:
    with database.write() as connection:
        create(connection)
    interleaved(database, renew, partial(offer, given="new"))
    assert vault_of(database).credentials == FRESH
    assert [one["token"] for one in vault_of(database).offers] == ["new"]


def test_p1_of_two_offers_at_the_same_moment_none_is_lost(database: Database) -> None:
    with database.write() as connection:
        create(connection)
    interleaved(database, partial(offer, given="one"), partial(offer, given="two"))
    assert [one["token"] for one in vault_of(database).offers] == ["two", "one"]


def test_two_who_make_a_connection_at_the_same_moment_make_one(database: Database) -> None:
    interleaved(database, create, create)
    assert vault_of(database) == Vault()
