"""The one HTTP client: time limits, no redirects, no private addresses, and errors that say what to do."""

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import requests

from connector.domain.errors import Permanent, Retryable

TIMEOUT = (3.05, 10.0)
"""Seconds to connect, and to wait for each piece of an answer."""
LARGEST_ANSWER = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request; nothing is added to it but what HTTP itself needs."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes = field(repr=False)


class Busy(Retryable):
    """The other side is away, overloaded or in maintenance; nothing was done."""


class Unanswered(Retryable):
    """The request may or may not have been carried out: the connection broke after it was sent."""


class Failed(Retryable):
    """The other side answered with an error of its own (5xx); `answer` holds it."""

    def __init__(self, message: str, answer: Answer, *, after: timedelta | None = None) -> None:
        super().__init__(message, after=after)
        self.answer = answer


class Web:
    """The way out to platforms, shared by all threads of a process."""

    def __init__(self, *, private_addresses: bool = False, routes: Mapping[str, str] | None = None) -> None:
        """`private_addresses`: the operator allows shops in their own network.

        `routes`: for stand-ins, host -> `http://address:port` that is connected to instead; the request itself, its
        Host header included, stays as it is.
        """
        self._private_addresses = private_addresses
        self._routes = dict(routes or {})

    def ask(self, make: Callable[[], Request], *, tries: int = 1, read_seconds: float = 30.0) -> Answer:
        """Ask once, or up to `tries` times for what may be repeated; `make` is called anew for each try, so that it can
        sign afresh.

        Only https. Every answer below 500 but 429 is returned, redirects included (they are never followed). Short
        waits the other side asks for are kept to between tries; longer ones are raised as Busy with `after`. Raises
        Busy (429, 503, or not reached at all), Unanswered, Failed (other 5xx), and Permanent for a private address, a
        broken certificate or an answer that is too large.
        """
        raise NotImplementedError

    def calls(self, host: str) -> int:
        """How many requests went to a host since the process began."""
        raise NotImplementedError


def get_text(url: str, *, largest: int = LARGEST_ANSWER, private_addresses: bool = False) -> str:
    """The text at an address.

    Raises Retryable for a side that is away or busy, Permanent for one that refuses, answers too much, redirects, or
    lives at a private address (unless `private_addresses`).
    """
    if not private_addresses:
        _refuse_private(url)
    try:
        with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
            _check(answer)
            content = answer.raw.read(largest + 1, decode_content=True)
    except requests.RequestException as error:
        raise Retryable(f"{urlsplit(url).hostname} could not be reached: {type(error).__name__}") from error
    if len(content) > largest:
        raise Permanent(f"{urlsplit(url).hostname} answered with more than {largest} bytes")
    return content.decode("utf-8", "replace")


def _check(answer: requests.Response) -> None:
    host = urlsplit(answer.url).hostname
    if answer.status_code in (429, 503) or answer.status_code >= 500:
        raise Retryable(f"{host} answered {answer.status_code}", after=_asked_wait(answer))
    if answer.status_code != 200:
        raise Permanent(f"{host} answered {answer.status_code}")


def _asked_wait(answer: requests.Response) -> timedelta | None:
    asked = answer.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(asked), 3600)) if asked.isdigit() else None


def _refuse_private(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise Permanent("only https addresses are fetched")
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise Retryable(f"{parts.hostname} has no address right now") from error
    for entry in found:
        address = ipaddress.ip_address(entry[4][0])
        if not address.is_global or _wraps_another(address):
            raise Permanent(f"{parts.hostname} is a private address")


def _wraps_another(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """IPv6 forms that lead to an IPv4 address inside them (NAT64, 6to4, Teredo) are not let through."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    nat64 = ipaddress.ip_network("64:ff9b::/96")
    return bool(address.sixtofour or address.teredo or address.ipv4_mapped or address in nat64)
