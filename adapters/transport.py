"""Connections that go only where they may and end in time, whatever the other side does."""

import http.client
import io
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from adapters.addresses import is_public
from connector.domain.errors import Permanent

CONNECT_SECONDS = 3.05
MOST_ADDRESSES = 4
"""How many of a host's addresses are tried, one after the other."""
KEPT_HOSTS = 64
KEPT_CONNECTIONS = 4
"""Idle connections kept open: to how many hosts, and how many to each."""

SocketAddress = tuple[Any, ...]
Found = list[tuple[Any, Any, int, str, SocketAddress]]
Resolve = Callable[[str, int], Found]
"""As `socket.getaddrinfo`: host and port in, what can be connected to out; raises OSError."""

# It writes whole addresses into the log, and they hold what is nobody's business there (P10).
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Stage(IntEnum):
    """How far a request has come."""

    LOOKING_UP = 0
    CONNECTING = 1
    SECURING = 2
    ASKING = 3
    """From here on it may be carried out."""
    ANSWERING = 4
    DELIVERING = 5
    """Its answer's head is read; only the body is left."""


@dataclass(slots=True, eq=False)
class Trip:
    """One try of one request: what it has left, and how far it came."""

    read_seconds: float
    deadline: float
    """On the monotonic clock, for everything together."""
    checked: bool = True
    """Whether the address rule holds for it."""
    at_home: bool = False
    """Whether it travels unprotected, so that it must not leave the operator's own network."""
    stage: Stage = Stage.LOOKING_UP
    fresh: bool = False
    """Whether it made its connection itself, instead of finding one that was kept."""
    sock: socket.socket | None = None
    """What it goes over, once it is connected."""

    def break_off(self) -> None:
        """From another thread: whatever it waits for ends now, and it has no time left for anything more."""
        self.deadline = 0.0
        if self.sock is not None:
            with suppress(OSError):
                # Of the socket itself, also where TLS is spoken: TLS would first take from its reader what that needs.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def left(self) -> float:
        """Seconds the next step may take. Raises TimeoutError."""
        seconds = min(self.read_seconds, self.deadline - time.monotonic())
        if seconds <= 0:
            raise TimeoutError("the time for the whole answer is used up")
        return seconds


class Way:
    """Connects, after looking at the very address it connects to, so that a name cannot change in between."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._here = threading.local()
        self._lock = threading.Lock()
        self._under_way: set[Trip] = set()
        self.ended = threading.Event()
        """Nobody sets out any more."""

    @property
    def trip(self) -> Trip:
        """The trip of this thread."""
        trip: Trip = self._here.trip
        return trip

    @contextmanager
    def travelling(self, trip: Trip) -> Iterator[None]:
        """This is the trip of this thread, until it comes to its end or the way does."""
        self._here.trip = trip
        with self._lock:
            self._under_way.add(trip)
        try:
            if self.ended.is_set():
                trip.break_off()
            yield
        finally:
            with self._lock:
                self._under_way.discard(trip)

    def end(self) -> None:
        """Break off all trips that are under way, and each that begins after this."""
        self.ended.set()
        with self._lock:
            for trip in self._under_way:
                trip.break_off()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connected socket. Raises OSError, and Permanent for a host with any address that is not allowed."""
        trip = self.trip
        trip.fresh, trip.stage = True, Stage.LOOKING_UP
        found = self._resolve(host, port)
        public = [is_public(str(entry[4][0])) for entry in found]
        if trip.at_home and any(public):
            raise Permanent(
                f"{host} is not in your own network, and what is outside of it is asked by https alone: give it as https://"
            )
        if trip.checked and not all(public):
            raise Permanent(
                f"{host} is at a private address, which is not called. If the shop stands in your own network, "
                "set CONNECTOR_PRIVATE_ADDRESSES=yes"
            )
        trip.stage = Stage.CONNECTING
        sock = self._first_that_answers(found)
        trip.stage = Stage.SECURING
        return sock

    def _first_that_answers(self, found: Found) -> socket.socket:
        failure: OSError = socket.gaierror("no address")
        for family, kind, protocol, _name, address in found[:MOST_ADDRESSES]:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(CONNECT_SECONDS, self.trip.left()))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure


class _PacedReader(io.RawIOBase):
    """Reads from a socket, giving each read no more time than the trip has left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, trip: Trip) -> None:
        self._raw = raw
        self._sock = sock
        self._trip = trip

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._trip.left())
        count = self._raw.readinto(buffer)
        if self._trip.stage < Stage.DELIVERING:
            # http.client would take a head that was cut off for a whole one.
            if count == 0:
                raise ConnectionResetError("the answer ended before its head did")
            self._trip.stage = Stage.ANSWERING
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _GuardedConnection(HTTPConnection):
    """Connects along a `Way`, and keeps the trip's time while sending and reading."""

    def __init__(self, *arguments: Any, way: Way, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._way = way

    def _new_conn(self) -> socket.socket:
        return self._way.connect(self._dns_host, self.port)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self._connect_now()
        trip = self._way.trip
        trip.sock = self.sock
        self.sock.settimeout(trip.left())
        trip.stage = Stage.ASKING
        super().send(data)

    def _connect_now(self) -> None:
        try:
            self.connect()
        except ConnectionError as error:
            # urllib3 takes a reset here for one after the request, and would wait for an answer without a connection.
            raise NewConnectionError(self, "the connection broke while it was made") from error

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        response = super().getresponse()
        self._way.trip.stage = Stage.DELIVERING
        return response

    # http.client calls it as it would call a class.
    def response_class(  # type: ignore[override]
        self, sock: socket.socket, *arguments: Any, **named: Any
    ) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *arguments, **named)
        reader: Any = response.fp
        response.fp = io.BufferedReader(_PacedReader(reader.detach(), sock, self._way.trip))
        return response


class _GuardedSecureConnection(_GuardedConnection, HTTPSConnection):
    """The same, with the certificate checked against the host's name."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _GuardedConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _GuardedSecureConnection


class Pools(PoolManager):
    """Kept connections of all threads; nothing of the environment (proxies, netrc) is looked at."""

    def __init__(self, way: Way, trust: ssl.SSLContext) -> None:
        super().__init__(KEPT_HOSTS, maxsize=KEPT_CONNECTIONS, ssl_context=trust)
        self.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self._way = way

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.conn_kw["way"] = self._way
        return pool
