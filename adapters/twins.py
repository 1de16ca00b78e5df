"""What the platforms' twins share: a server on this machine, faults on demand, and a postman for webhooks."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import requests

LARGEST_REQUEST = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the twin's server got it."""

    method: str
    path: str
    query: str
    """As sent, not decoded."""
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def host(self) -> str:
        return self.headers.get("host", "")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the twin says."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=UTF-8"


class Cut(Exception):
    """Close the connection without an answer; what was asked for has been done."""


@dataclass(slots=True)
class Faults:
    """Misbehaviour on demand: set a field, and it happens."""

    lose_every: int = 0
    """Every so many webhooks one vanishes on its way, as a platform's queue loses them; 0: none."""
    silent: bool = False
    """No webhook leaves at all, and nobody is told."""
    duplicate: bool = False
    """Each webhook is delivered twice."""
    reorder: bool = False
    """Webhooks that wait together leave in the opposite order."""
    throttle: int = 0
    """So many API calls are refused as the platform refuses too many."""
    fail: int = 0
    """So many API calls end in the platform's server error, with nothing done."""
    cut: int = 0
    """So many API calls that change something are carried out and never answered."""
    hang_seconds: float = 0.0
    """Every API call waits so long first."""

    def take(self, name: str) -> bool:
        """Whether this fault happens now; counts it down."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(frozen=True, slots=True)
class Truth:
    """An order as it stands in the twin, for comparing; nothing of it went through the code under test."""

    order_id: str
    number: str
    status_word: str
    total: Decimal
    refunded: Decimal
    tracking_numbers: frozenset[str]


class TwinServer:
    """A twin's HTTP server on a free port of this machine; one thread a connection."""

    def __init__(self, answer: Callable[[Asked], Answered], faults: Faults) -> None:
        self.calls: Counter[str] = Counter()
        """By method and path without its query."""
        self.faults = faults
        self._answer = answer
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="twin", daemon=True)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fileno(self) -> int:
        """Readable when somebody wants to connect: for who serves many twins by one thread, with `accept`."""
        return self._server.fileno()

    def accept(self) -> None:
        """Take one connection; the twin need not be entered for it."""
        self._server.handle_request()

    def answer(self, asked: Asked) -> Answered:
        """The twin's word, after whatever delay was ordered. Raises Cut."""
        self.calls[f"{asked.method} {asked.path}"] += 1
        if self.faults.hang_seconds:
            time.sleep(self.faults.hang_seconds)
        return self._answer(asked)


@dataclass(frozen=True, slots=True)
class Reply:
    """How whoever listens answered a webhook."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names."""


class Postman:
    """Carries webhooks from a twin to whoever listens; hosts are found by `routes`, as in `adapters.http.Web`."""

    def __init__(self, routes: Mapping[str, str], *, timeout: float = 15.0) -> None:
        """`routes`: host -> `http://address:port`. A host without a route is not reached."""
        self._routes = dict(routes)
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        """The status of the answer, redirects not followed; None when there was none."""
        reply = self.carry(url, headers, body)
        return reply.status if reply else None

    def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """The answer with its headers, redirects not followed; None when there was none."""
        parts = urlsplit(url)
        place = self._routes.get(parts.netloc)
        if place is None:
            return None
        target = place + parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            answer = self._session.post(
                target,
                data=body,
                headers={**headers, "Host": parts.netloc},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()})


class Twin(Protocol):
    """A stand-in of one shop on a platform, as shopkeeper, customer and platform act in it.

    Made as `Twin(clock, host=..., routes=...)`, used as a context manager. It strictly keeps to what its platform does
    (reference) and is written without a look at our client. Everything the acts change is what its API tells from then
    on, and queues webhooks that `deliver` sends.
    """

    platform: str
    host: str
    """The platform's name of the shop."""
    base: str
    """The https address the shop is known by; `routes` leads from its host to the server."""
    server: TwinServer
    faults: Faults

    @property
    def routes(self) -> Mapping[str, str]:
        """This twin's own host(s) -> the server's address, for `adapters.http.Web`."""
        ...

    def approve(self, link: str) -> str:
        """What the merchant does in the browser after being sent to `link` (or, where the platform begins, in its own
        pages, with `link` as the invitation's page): says yes. Returns the last address the browser ended at."""
        ...

    def uninstall(self) -> None:
        """The merchant throws us out, as the platform does it."""
        ...

    def place_order(self, **changes: object) -> str:
        """A customer orders; returns the order's id. `changes`: `email` and `paid`, and what else the twin knows."""
        ...

    def pay(self, order_id: str) -> None: ...

    def ship(self, order_id: str, number: str = "", carrier: str = "") -> str:
        """Returns the parcel's id as the platform's documents give it."""
        ...

    def cancel(self, order_id: str) -> None: ...

    def refund(self, order_id: str, amount: Decimal) -> None: ...

    def truth(self) -> Mapping[str, Truth]:
        """All orders there are (trashed and draft ones left out), by id."""
        ...

    def deliver(self) -> int:
        """Send the webhooks that are due by the twin's clock; returns how many arrived (were answered 2xx)."""
        ...

    def break_subscription(self) -> None:
        """Whatever this platform does to a webhook that failed too often: disabled, deleted."""
        ...

    def grow(self, orders: int, *, since: datetime) -> None:
        """Make so many orders spread evenly from `since` to now, fast and without webhooks: history."""
        ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False


def _handler(twin: TwinServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _take(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), LARGEST_REQUEST)
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, path, query, headers, self.rfile.read(length))
            try:
                answered = twin.answer(asked)
            except Cut:
                self.close_connection = True
                return
            except Exception as error:  # a twin's own mistake must be seen in the test that uses it
                answered = Answered(599, f"the twin failed: {error!r}".encode())
            self._say(answered)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _take  # noqa: N815  # the names http.server calls

        def _say(self, answered: Answered) -> None:
            head = [f"HTTP/1.1 {answered.status} .", f"Content-Length: {len(answered.body)}"]
            head.append(f"Content-Type: {answered.content_type}")
            head += [f"{name}: {value}" for name, value in answered.headers.items()]
            content = b"" if self.command == "HEAD" else answered.body
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
