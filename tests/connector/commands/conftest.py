"""A folder of its own, settings from the environment, and a stand-in shop to connect to."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

import adapters
from adapters.woocommerce.twin import WooCommerceTwin
from connector.app import build_service
from connector.cli import main
from connector.domain.clock import SystemClock
from connector.settings import load

PLATFORM = adapters.NAMES[1]
HOST = "shop.example"


@dataclass
class Desk:
    """An operator at the command line, and the shop they speak of."""

    twin: WooCommerceTwin
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, status: int = 0) -> str:
        """What a command says; its errors too."""
        self.capsys.readouterr()
        assert main(list(arguments)) == status, self.capsys.readouterr()
        said = self.capsys.readouterr()
        return said.out + said.err

    def connect(self, *options: str) -> str:
        """Connect the shop by pasted keys; returns what was said."""
        key = self.twin.make_key()
        Path("keys.json").write_text(
            json.dumps({"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}), encoding="utf-8"
        )
        return self.run("shop", "connect", PLATFORM, f"https://{HOST}", "--credentials", "keys.json", *options)

    def work(self) -> None:
        """What `connector serve` would do until nothing is due."""
        service = build_service(load(), asking_threads=0)
        flows = (service.reconcile, service.process_inbox, service.look_again, service.write_back, service.send_outbox)
        while sum(flow.run() for flow in flows):
            pass
        service.send_outbox.stop()
        service.database.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with WooCommerceTwin(SystemClock(), host=HOST) as twin:
        monkeypatch.setenv("CONNECTOR_SECRET_KEYS", Fernet.generate_key().decode())
        monkeypatch.setenv("CONNECTOR_ADDRESS", "https://connector.example")
        monkeypatch.setenv("CONNECTOR_ROUTES", " ".join(f"{host}={place}" for host, place in twin.routes.items()))
        twin.grow(25, since=datetime.now(UTC) - timedelta(days=20))
        yield Desk(twin, capsys)
    root.handlers[:], root.level = handlers, level
