"""A service with the fake platform, its pages, and an invited shop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from connector import connecting
from connector.app import build_service, create_app
from connector.domain.clock import FixedClock
from connector.domain.connection import ConnectionState, Findings, Subscribed
from connector.domain.shop import Shop
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import connections, shops, sweeps
from connector.tables.connections import Connection
from connector.tables.sweeps import SweepKind
from tests import fake_platform

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADDRESS = "https://connector.example.test"
HOST = "shop.example.test"


@dataclass
class Desk:
    """The pages of a service, and the shop that is invited to them."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOW)
        given = {
            "database_url": f"sqlite:///{self.folder}/connector.db",
            "secret_keys": (Fernet.generate_key().decode(),),
            "address": ADDRESS,
            "app_ids": ("fake:client-1",),
            "app_secrets": ("fake:the-apps-secret",),
        }
        self.service: Service = build_service(
            Settings(**(given | self.settings)),
            clock=self.clock,
            channels={},
            manifest={name: replace(fake_platform.MANIFEST, name=name) for name in ("fake", "other")}.__getitem__,
        )
        self.flask: Flask = create_app(self.service)
        self.pages: FlaskClient = self.flask.test_client()
        self.shop = self.make_shop(HOST)
        self.nonce = self.invite(self.shop)

    @property
    def link(self) -> str:
        """The invitation's link without our address."""
        return f"/connect/fake/{self.nonce}"

    def make_shop(self, host: str) -> Shop:
        with self.service.database.write() as connection:
            return connecting.find_or_make(connection, "fake", host, f"https://{host}", self.service.seal, NOW)

    def invite(self, shop: Shop) -> str:
        with self.service.database.write() as connection:
            return connecting.invitation(connection, shop, self.service.seal, self.clock.now())

    def connection(self, shop: Shop | None = None) -> Connection:
        with self.service.database.read() as connection:
            found = connections.get(connection, (shop or self.shop).shop_id)
        assert found is not None
        return found

    def offers(self, shop: Shop | None = None) -> list[dict[str, str]]:
        """What is kept for the worker, the newest first."""
        with self.service.database.read() as connection:
            vault, _ = connections.open_vault(connection, (shop or self.shop).shop_id, self.service.seal)
        return [dict(values) for values in vault.offers]

    def shop_named(self, host: str) -> Shop | None:
        with self.service.database.read() as connection:
            found = shops.by_host(connection, "fake", host, self.service.seal)
        return found[0] if found else None

    def stand(
        self,
        state: ConnectionState,
        *,
        problem: str = "",
        findings: Findings | None = None,
        subscribed: Subscribed | None = None,
    ) -> None:
        """Let the connection have come this far."""
        with self.service.database.write() as connection:
            held = connections.get(connection, self.shop.shop_id)
            assert held is not None
            assert connections.advance(
                connection,
                held,
                state=state,
                run_at=NOW,
                problem=problem,
                findings=findings,
                subscribed=subscribed,
            )

    def import_history(self, read: int, *, finished: bool = False, problem: str = "", failures: int = 0) -> None:
        """Let so many past orders have been read."""
        with self.service.database.write() as connection:
            sweeps.begin(connection, self.shop.shop_id, SweepKind.HISTORY, NOW - timedelta(days=90), NOW)
            held = sweeps.of_shop(connection, self.shop.shop_id)[SweepKind.HISTORY]
            finished_at = NOW if finished else None
            sweeps.keep(
                connection, replace(held, documents=read, finished_at=finished_at, problem=problem, failures=failures)
            )


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**settings: Any) -> Desk:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Desk(folder, settings))
        return made[-1]

    yield make
    for desk in made:
        desk.service.database.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
