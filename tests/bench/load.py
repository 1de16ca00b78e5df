"""A load generator in a process of its own: real requests over kept connections, one epoll loop, no client library.

Reads a JSON question from its input and writes a JSON answer. Closed loop: every connection sends its next request
when it has read the answer. Open loop (`rate`): requests leave at fixed moments, and the time a request had to wait for
a free connection counts as latency.
"""

import json
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from tests.bench import deliveries


@dataclass(slots=True)
class Run:
    """One measurement under way."""

    connections: dict[int, socket.socket]
    requests: list[bytes]
    poll: select.epoll = field(default_factory=select.epoll)
    sent_at: dict[int, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    next: int = 0

    def send(self, number: int, counted_from: float) -> None:
        """The next request over one connection; ten kilobytes always fit into its buffer."""
        self.sent_at[number] = counted_from
        self.connections[number].sendall(self.requests[self.next])
        self.next += 1

    def receive(self, number: int) -> None:
        """An answer: it is small and comes in one piece."""
        answer = self.connections[number].recv(65536)
        self.latencies.append(time.perf_counter() - self.sent_at[number])
        if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            self.refused += 1


def closed_loop(run: Run) -> None:
    """All requests, as fast as the answers come."""
    for number in run.connections:
        if run.next < len(run.requests):
            run.send(number, time.perf_counter())
    while len(run.latencies) < len(run.requests):
        for number, _ in run.poll.poll(10):
            run.receive(number)
            if run.next < len(run.requests):
                run.send(number, time.perf_counter())


def open_loop(run: Run, rate: float) -> None:
    """All requests at `rate` a second, whether or not the answers keep up."""
    free, started = deque(run.connections), time.perf_counter()
    while len(run.latencies) < len(run.requests):
        due = started + run.next / rate
        while free and run.next < len(run.requests) and due <= time.perf_counter():
            run.send(free.popleft(), due)
            due = started + run.next / rate
        wait = max(0.0, due - time.perf_counter()) if free and run.next < len(run.requests) else 1.0
        for number, _ in run.poll.poll(wait):
            run.receive(number)
            free.append(number)


def measure(port: int, path: str, connections: int, count: int, first: int, rate: float = 0.0) -> dict[str, float]:
    """`count` genuine deliveries with ids from `first` on; rates in requests a second, latencies in milliseconds."""
    requests = [
        deliveries.request(body, number, path)
        for number, body in enumerate(deliveries.bodies(count, first=first), first)
    ]
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    run = Run({one.fileno(): one for one in opened}, requests)
    for one in opened:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        run.poll.register(one, select.EPOLLIN)
    started = time.perf_counter()
    if rate:
        open_loop(run, rate)
    else:
        closed_loop(run)
    seconds = time.perf_counter() - started
    ordered = sorted(run.latencies)
    return {
        "rate": count / seconds,
        "p50": ordered[count // 2] * 1000,
        "p99": ordered[count * 99 // 100] * 1000,
        "refused": run.refused,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(**json.load(sys.stdin))))
