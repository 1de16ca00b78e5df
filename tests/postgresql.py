"""A throw-away PostgreSQL server for tests and benchmarks: made empty, reached over 127.0.0.1 only, gone afterwards."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

INSTALL_HINT = "PostgreSQL's initdb and postgres are missing; on Debian and Ubuntu: apt-get install postgresql"
START_TIMEOUT = 30.0
SPEED_OVER_SAFETY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_programs() -> Path | None:
    """Return the folder with initdb and postgres: the PATH's, else the newest that Debian keeps off the PATH."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in installed), key=_major_version, default=None)


@contextlib.contextmanager
def running_server(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """Start an empty server and yield its URL; `durable` keeps the safe defaults, for honest benchmarks."""
    with _owned_folder() as folder:
        data = folder / "data"
        _as_owner([programs / "initdb", "--pgdata", data, *_INITDB_OPTIONS]).check_returncode()
        port = _free_port()
        with _server_process(programs, data, port, {} if durable else SPEED_OVER_SAFETY) as server:
            url = f"postgresql://connector@127.0.0.1:{port}/postgres"
            _wait_until_it_answers(url, server, data / "server.log")
            yield url.replace("postgresql://", "postgresql+psycopg://")


_INITDB_OPTIONS = ("--username=connector", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")


def _major_version(programs: Path) -> int:
    found = re.match(r"\d+", programs.parent.name)
    return int(found.group()) if found else 0


def _owner() -> dict[str, Any]:
    """PostgreSQL refuses to run as root, so root becomes the user that its package made."""
    if os.geteuid() != 0:
        return {}
    postgres = pwd.getpwnam("postgres")
    return {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}


def _as_owner(command: Sequence[str | Path]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd="/", **_owner())


@contextlib.contextmanager
def _owned_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="connector-postgresql-"))
    try:
        if owner := _owner():
            os.chown(folder, owner["user"], owner["group"])
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _server_process(
    programs: Path, data: Path, port: int, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    settings = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", **settings}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (data / "server.log").open("wb") as log:
        server: subprocess.Popen[bytes] = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            **_owner(),
        )
        try:
            yield server
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown: it does not wait for clients
            server.wait(timeout=START_TIMEOUT)


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return
