"""Starting, feeding and watching the real service in a process of its own."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from tests.stores import PLATFORM, Post

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServiceProcess:
    """One life of the service."""

    def __init__(
        self, database_url: str, smtp_port: int, *, point: str = "never", count: int = 1, hours_ahead: float = 0
    ) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "tests.flow.dying_process", database_url, str(self.port), str(smtp_port)]
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [*command, point, str(count), str(hours_ahead)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._session = requests.Session()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def post(self, key: str, post: Post) -> int:
        """The answer's status; 0 when the service died on it."""
        address = f"http://127.0.0.1:{self.port}/webhooks/{PLATFORM}/{key}"
        try:
            return self._session.post(address, data=post.body, headers=post.headers, timeout=10).status_code
        except requests.RequestException:
            return 0

    def wait_for_death(self, seconds: float = 10.0) -> None:
        """Returns once the process is gone; subprocess.TimeoutExpired if it lives on."""
        self._process.wait(seconds)

    def end(self) -> None:
        """SIGTERM, and the pipe closed."""
        self._process.terminate()
        self._process.wait(20)
        if self._process.stdout:
            self._process.stdout.close()
        self._session.close()


@contextlib.contextmanager
def living(
    database_url: str, smtp_port: int, *, point: str = "never", count: int = 1, hours_ahead: float = 0
) -> Iterator[ServiceProcess]:
    """A service that is ended at the end, if it did not end itself."""
    process = ServiceProcess(database_url, smtp_port, point=point, count=count, hours_ahead=hours_ahead)
    try:
        yield process
    finally:
        process.end()


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something became true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return true()
