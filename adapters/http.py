"""The one HTTP client: time limits, no redirects, no private addresses, and errors that say what to do."""

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as HTTPTimeout

from adapters.addresses import Place, read_url
from adapters.transport import CONNECT_SECONDS, Found, Pools, Resolve, Stage, Trip, Way
from connector.domain.clock import Clock, SystemClock
from connector.domain.errors import Permanent, Retryable

LARGEST_ANSWER = 20 * 1024 * 1024
LONGEST_WAIT = timedelta(seconds=10)
"""The longest wait that is kept to between two tries; whoever is asked to wait longer does something else meanwhile."""
LONGEST_PAUSE = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=0.5)
PIECE = 64 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; nothing is added to it but what HTTP itself needs."""

    method: str
    url: str
    """ASCII, with everything encoded that has to be."""
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
    """The way out to platforms, shared by all threads of a process; connections are kept and used again."""

    def __init__(
        self,
        *,
        private_addresses: bool = False,
        plain_http: bool = False,
        ca: str = "",
        routes: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        sleep: Callable[[float], object] | None = None,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """`private_addresses`: the operator allows shops in their own network.

        `plain_http`: the operator allows http:// there, for trying something out; never outside of it.
        `ca`: certificates in PEM that are believed besides the known authorities'.
        `routes`: for stand-ins, host (with its port unless that is 443) -> `http://address:port` that is connected to
        instead; the request itself, its Host header included, stays as it is.
        `trust`: whose certificates are believed; by default the machine's, certifi's and `ca`.
        """
        self.private_addresses = private_addresses
        self._plain_http = plain_http
        self._routes = {name.lower(): read_url(place) for name, place in (routes or {}).items()}
        self._clock = clock or SystemClock()
        self._way = Way(resolve or _resolve)
        self._sleep = self._way.ended.wait if sleep is None else sleep
        self._pools = Pools(self._way, trust or _trust(ca))
        self._counting = threading.Lock()
        self._calls: Counter[str] = Counter()

    def ask(
        self,
        make: Callable[[], Request],
        *,
        tries: int = 1,
        read_seconds: float = 30.0,
        largest: int = LARGEST_ANSWER,
        check: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """Ask once, or up to `tries` times for what may be repeated; `make` is called anew for each try, so that it can
        sign afresh.

        Only https, but for what `plain_http` allows. Every answer below 500 but 429 is returned, redirects included
        (they are never followed). Each piece of the answer may take `read_seconds`, all of it twice as long, and it may
        have `largest` bytes after unpacking. Short waits the other side asks for are kept to between tries; longer ones
        are raised with `after`.
        `check` sees each answer that would be returned, and may raise Retryable for a refusal in disguise (an error
        that comes as 200), which is then tried again like any other.
        Raises Busy (429, 503, or not reached at all), Unanswered, Failed (other 5xx), and Permanent for a private
        address, a broken certificate, an answer that is too large, or a request that cannot be sent as it is.
        """
        step = FIRST_WAIT
        for left in range(tries - 1, -1, -1):
            try:
                return self._try(make, read_seconds, largest, check)
            except Retryable as problem:
                wait = max(step, problem.after or step)
                if not left or wait > LONGEST_WAIT:
                    raise
            self._sleep(wait.total_seconds())
            step *= 2
        raise ValueError("tries must be 1 or more")

    def calls(self, host: str) -> int:
        """How many requests went to a host (with its port unless that is 443) since the process began."""
        return self._calls[host.lower()]

    def close(self) -> None:
        """Break off what is under way, let go of the connections that are kept, and ask nobody any more: Busy, or
        Unanswered for what was asked already, is what everybody hears from now on."""
        self._way.end()
        self._pools.clear()

    def _try(
        self,
        make: Callable[[], Request],
        read_seconds: float,
        largest: int,
        check: Callable[[Answer], object] | None,
    ) -> Answer:
        while True:
            request = make()
            place, trip = _place(request), Trip(read_seconds, time.monotonic() + 2 * read_seconds)
            if self._way.ended.is_set():
                raise Busy("the service is stopping")
            try:
                with self._way.travelling(trip):
                    answer = self._exchange(request, place, trip, largest)
                return self._judged(place.name, answer, check)
            except (HTTPError, OSError) as error:
                if _found_closed(request, trip, error):
                    continue
                raise _problem(place.name, trip, error) from error
            finally:
                self._count(place.name, trip)

    def _exchange(self, request: Request, place: Place, trip: Trip, largest: int) -> Answer:
        response = self._pool(place, trip).urlopen(
            request.method,
            place.target,
            body=request.body or None,
            headers=_headers(request, place.name),
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=CONNECT_SECONDS, read=trip.read_seconds),
            preload_content=False,
        )
        try:
            body = _body(response, place.name, largest)
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    def _pool(self, place: Place, trip: Trip) -> HTTPConnectionPool:
        """The connections to a place, or to the stand-in that the operator put there."""
        route = self._routes.get(place.name)
        trip.at_home = place.scheme != "https" and not route
        if trip.at_home and not self._plain_http:
            raise Permanent(f"only https addresses are asked, and that of {place.name} is not one")
        trip.checked = not (route or self.private_addresses)
        to = route or place
        return self._pools.connection_from_host(to.host, to.port, to.scheme)

    def _judged(self, name: str, answer: Answer, check: Callable[[Answer], object] | None) -> Answer:
        if answer.status != 429 and answer.status < 500:
            if check:
                check(answer)
            return answer
        after = _asked_wait(answer.headers.get("retry-after", ""), self._clock.now())
        if answer.status in (429, 503):
            raise Busy(f"{name} is busy (it answered {answer.status})", after=after)
        raise Failed(f"{name} has an error of its own (it answered {answer.status})", answer, after=after)

    def _count(self, name: str, trip: Trip) -> None:
        if trip.stage >= Stage.ASKING:
            with self._counting:
                self._calls[name] += 1


def get_text(url: str, *, largest: int = LARGEST_ANSWER, web: Web | None = None) -> str:
    """The text at an address.

    Raises Retryable for a side that is away or busy, Permanent for one that refuses, answers too much, redirects, or
    lives at a private address.
    """
    asked = web or Web()
    try:
        answer = asked.ask(lambda: Request("GET", url), read_seconds=10.0, largest=largest)
    finally:
        if web is None:
            asked.close()
    if answer.status != 200:
        raise Permanent(f"{read_url(url).name} answered {answer.status}")
    return answer.body.decode("utf-8", "replace")


def _place(request: Request) -> Place:
    """Where a request goes. Raises Permanent for one that cannot be sent as it is, without repeating what it holds."""
    if not _TOKEN.fullmatch(request.method):
        raise Permanent("a request has no method that could be sent")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Permanent(f"the header {name[:40]!r} holds line breaks or characters that cannot be sent")
    return read_url(request.url)


def _found_closed(request: Request, trip: Trip, error: Exception) -> bool:
    """A kept connection that the other side had closed before it heard us: reading may simply be tried again."""
    late = isinstance(error, (HTTPTimeout, TimeoutError))
    return trip.stage is Stage.ASKING and not trip.fresh and not late and request.method in ("GET", "HEAD")


def _headers(request: Request, name: str) -> dict[str, str]:
    given = {key.lower() for key in request.headers}
    ours = {"Host": name, "User-Agent": "Connector", "Accept-Encoding": "gzip"}
    kept = {key: value for key, value in request.headers.items() if key.lower() != "host"}
    return {key: value for key, value in ours.items() if key == "Host" or key.lower() not in given} | kept


def _body(response: BaseHTTPResponse, name: str, largest: int) -> bytes:
    body = bytearray()
    while piece := response.read(PIECE):
        body += piece
        if len(body) > largest:
            raise Permanent(f"{name} answered with more than {largest} bytes, which is too much")
    return bytes(body)


def _problem(name: str, trip: Trip, error: Exception) -> Retryable | Permanent:
    late = isinstance(error, (HTTPTimeout, TimeoutError))
    refused = _certificate_problem(error)
    if refused:
        return Permanent(
            f"the certificate of {name} is not valid: {refused}. Its owner has to renew or correct it; one of your own "
            "making is believed when CONNECTOR_CA_FILE names it"
        )
    if trip.stage is Stage.LOOKING_UP:
        return Busy(f"{name} has no address right now; check the spelling if this stays")
    if trip.stage is Stage.CONNECTING:
        return Busy(f"{name} could not be reached: " + ("it did not react in time" if late else "no connection"))
    if trip.stage is Stage.SECURING:
        return Busy(f"{name} was reached, but no protected connection (TLS) came about")
    if late:
        return Unanswered(f"{name} did not finish its answer in time")
    return Unanswered(f"{name} broke off before its answer was complete, or answered in a way that cannot be read")


def _certificate_problem(error: BaseException | None) -> str:
    seen = 0
    while error is not None and seen < 8:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        causes = [one for one in error.args if isinstance(one, BaseException)]
        error, seen = (causes[0] if causes else error.__cause__), seen + 1
    return ""


def _asked_wait(text: str, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for: seconds (Shopify writes `2.0`) or a date; an hour at most."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=float(text)), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta(0)), LONGEST_PAUSE)


def _resolve(host: str, port: int) -> Found:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


def _trust(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    if ca:
        context.load_verify_locations(cadata=ca)
    return context
