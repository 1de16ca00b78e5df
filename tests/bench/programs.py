"""Other processes of a measurement: servers, the load generator, the mail sink."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

START_SECONDS = 30.0


@contextlib.contextmanager
def program(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m module …` until the block ends; its input and output are pipes."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def ask(module: str, question: Mapping[str, Any], *, timeout: float = 120) -> dict[str, float]:
    """Run a program to its end with a JSON question as input; its output is the JSON answer."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=timeout,
    )
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


@contextlib.contextmanager
def mail_sink(*, telling: bool = False) -> Iterator[tuple[int, IO[str]]]:
    """A mail server in a process of its own: its port and, if it is `telling`, a line (monotonic, ns) for each mail."""
    with program("tests.bench.sink", *(() if telling else ("silent",))) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[str], path: str = "/health") -> float:
    """Wait until a server answers; returns the seconds that took."""
    started = time.monotonic()
    while time.monotonic() - started < START_SECONDS:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            if connection.recv(64).startswith(b"HTTP/1.1 "):
                return time.monotonic() - started
        if process.poll() is not None:
            raise RuntimeError(f"a server of the measurement ended with {process.returncode}")
        time.sleep(0.005)
    raise RuntimeError("a server of the measurement did not start")


def resident_megabytes(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Memory of a process now and at its highest (Linux only; zeros elsewhere)."""
    return _megabytes(process.pid)


def own_megabytes() -> tuple[float, float]:
    """The same of this very process."""
    return _megabytes(os.getpid())


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Processor time a process has used so far (Linux only; zero elsewhere)."""
    path = f"/proc/{process.pid}/stat"
    if not os.path.exists(path):  # noqa: PTH110  # a file of the kernel
        return 0.0
    with open(path, encoding="ascii") as told:  # noqa: PTH123  # same
        user, system = told.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _megabytes(process_id: int) -> tuple[float, float]:
    status = f"/proc/{process_id}/status"
    if not os.path.exists(status):  # noqa: PTH110  # a file of the kernel
        return 0.0, 0.0
    with open(status, encoding="ascii") as lines:  # noqa: PTH123  # same
        found = dict(line.split(":", 1) for line in lines)
    now, highest = (int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, highest
