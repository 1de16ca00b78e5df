"""A service that is asked to end does so in time, whatever platforms do meanwhile; what was at hand is due again."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography.fernet import Fernet

import adapters
from connector import connecting
from connector.app import build_service
from connector.domain.connection import ConnectionState
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import connections
from tests.flow.processes import PROJECT, eventually, free_port

PLATFORM = adapters.NAMES[1]
HOST = "shop.example"
LONGEST_SECONDS = 10
"""What `docker stop` grants before it kills."""
SERVE = "import sys; from connector.cli import main; sys.exit(main(['serve']))"


@contextmanager
def silent_shop() -> Iterator[socket.socket]:
    """It takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        yield listener


def offered(database_url: str, key: str) -> Service:
    """A shop somebody has just handed keys over for; the first step is to ask it."""
    service = build_service(Settings(database_url=database_url, secret_keys=(key,)), channels={})
    now = datetime.now(UTC)
    keys = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}
    with service.database.write() as connection:
        shop = connecting.find_or_make(connection, PLATFORM, HOST, f"https://{HOST}", service.seal, now)
        connecting.take_offer(connection, shop, keys, service.seal, now)
    return service


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=1).ok
    except requests.ConnectionError:
        return False


def test_a_service_ends_within_seconds_while_a_platform_hangs(tmp_path: Path) -> None:
    database_url, key = f"sqlite:///{tmp_path}/connector.db", Fernet.generate_key().decode()
    service = offered(database_url, key)
    with silent_shop() as listener:
        port = free_port()
        environment = {
            "CONNECTOR_DATABASE_URL": database_url,
            "CONNECTOR_SECRET_KEYS": key,
            "CONNECTOR_PORT": str(port),
            "CONNECTOR_ROUTES": f"{HOST}=http://127.0.0.1:{listener.getsockname()[1]}",
        }
        command = [sys.executable, "-c", SERVE]
        with subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True) as process:
            asked, _ = listener.accept()
            with asked:
                asked.recv(1)
                assert eventually(lambda: answers(port))
                process.terminate()
                begun = time.monotonic()
                _, said = process.communicate(timeout=90)
            took = time.monotonic() - begun
    assert process.returncode == 0
    assert took < LONGEST_SECONDS
    assert '"level": "error"' not in said
    with service.database.read() as connection:
        (known,) = connections.everyone(connection).values()
    assert known.state is ConnectionState.OFFERED
    service.database.close()
