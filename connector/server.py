"""One process on one port: webhooks straight from the event loop, pages through Flask in a few threads."""

import asyncio
import io
import logging
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import uvloop
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from webhooks.endpoints import PREFIX, Answer, Door

log = logging.getLogger(__name__)

LARGEST_PAGE_REQUEST = 64 * 1024
PAGES_AT_ONCE = 64
"""Bodies of the largest kind that are read at the same time; those of webhooks have room of their own, so that nobody
who is slow with a page's can hold them up."""
WEBHOOKS_AT_ONCE = 8
MOST_CONNECTIONS = 4096

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Headers(Protocol):
    """Granian's request headers."""

    def items(self) -> list[tuple[str, str]]: ...


class Scope(Protocol):
    """Granian's request without its body (RSGI)."""

    proto: str
    method: str
    path: str
    query_string: str
    client: str
    server: str
    scheme: str
    http_version: str
    headers: Headers


class HttpProtocol(Protocol):
    """Granian's body and answer (RSGI)."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> Any: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class BodyRefused(Exception):
    """The body is too large, too slow or incomplete."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Room:
    """Memory for bodies that are being read; only from the server's loop."""

    def __init__(self, largest: int, at_once: int) -> None:
        """`largest`: bytes one body may have; `at_once`: how many such bodies there is room for."""
        self.largest = largest
        self._left = largest * at_once

    def take(self, size: int) -> bool:
        """Whether there was room for so many bytes."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """A body that has been dealt with."""
        self._left += size


class Application:
    """The RSGI application: the door for webhooks, Flask for pages."""

    def __init__(self, door: Door, pages: Wsgi, *, slowest: float, threads: int) -> None:
        """`slowest`: seconds a sender may take for its body."""
        self._door = door
        self._pages = pages
        self._slowest = slowest
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pages")
        self._webhook_room = Room(door.largest, WEBHOOKS_AT_ONCE)
        self._page_room = Room(LARGEST_PAGE_REQUEST, PAGES_AT_ONCE)
        self._finished: deque[asyncio.Future[None]] = deque()
        self._telling = False

    async def __rsgi__(self, scope: Scope, protocol: HttpProtocol) -> None:
        if scope.proto != "http":
            return
        take = self._webhook if scope.path.startswith(PREFIX) else self._page
        try:
            answer = await take(scope, protocol)
        except BodyRefused as error:
            answer = error.answer
        except ProtocolClosed:
            return
        except Exception:
            log.exception("a request failed")
            answer = Answer(500, b"Something went wrong here; it has been logged.")
        headers = [("content-type", answer.content_type), *answer.headers]
        with suppress(ProtocolClosed):
            protocol.response_bytes(answer.status, headers, answer.body)

    async def _webhook(self, scope: Scope, protocol: HttpProtocol) -> Answer:
        door = self._door
        headers = scope.headers.items()
        look = partial(door.knock, scope.method, scope.path, scope.query_string, headers, peer=scope.client)
        quick = door.is_quick(scope.path, headers)
        knock = look() if quick else await asyncio.get_running_loop().run_in_executor(self._threads, look)
        if isinstance(knock, Answer):
            return knock
        body = await self._body(knock.headers.get("content-length"), protocol, self._webhook_room)
        entered = door.enter(knock, body)
        if isinstance(entered, Answer):
            return entered
        written, reply = entered
        await self._done(written)
        return door.written(knock, written, reply)

    def _done(self, written: "Future[bool]") -> "asyncio.Future[None]":
        """Done when `written` is. The writer finishes many at once, so the loop is woken once for all of them."""
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()

        def finished(_: "Future[bool]") -> None:
            self._finished.append(waiting)
            if not self._telling and not loop.is_closed():
                self._telling = True
                loop.call_soon_threadsafe(self._tell)

        written.add_done_callback(finished)
        return waiting

    def _tell(self) -> None:
        self._telling = False
        while self._finished:
            waiting = self._finished.popleft()
            if not waiting.done():
                waiting.set_result(None)

    async def _page(self, scope: Scope, protocol: HttpProtocol) -> Answer:
        announced = dict(scope.headers.items()).get("content-length")
        body = await self._body(announced, protocol, self._page_room) if scope.method == "POST" else b""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _through_wsgi, self._pages, scope, body)

    async def _body(self, announced: str | None, protocol: HttpProtocol, room: Room) -> bytes:
        """The whole body, within its size, its time, and the room there is; raises BodyRefused."""
        largest = room.largest
        size = int(announced) if announced else largest
        if size > largest:
            raise BodyRefused(self._door.refuse("any", "size", 413, f"The body may have {largest} bytes at most."))
        if not room.take(size):
            raise BodyRefused(self._door.refuse("any", "room", 503, "Too much at once.", retry_after=5))
        try:
            async with asyncio.timeout(self._slowest):
                if announced is None:
                    return await self._chunked(protocol, largest)
                body = await protocol()
        except TimeoutError:
            raise BodyRefused(self._door.refuse("any", "slow", 408, "The body took too long.")) from None
        finally:
            room.give_back(size)
        if len(body) != size:
            raise BodyRefused(self._door.refuse("any", "incomplete", 400, "The body is not as long as announced."))
        return body

    async def _chunked(self, protocol: HttpProtocol, largest: int) -> bytes:
        """A body without an announced length. The server ends a whole one with one empty piece and a broken one with
        two, so anything after the first empty piece means that part is missing."""
        pieces, size, ended = [], 0, False
        async for piece in protocol:
            if ended:
                raise BodyRefused(self._door.refuse("any", "incomplete", 400, "The body broke off."))
            ended = not piece
            size += len(piece)
            if size > largest:
                raise BodyRefused(self._door.refuse("any", "size", 413, f"The body may have {largest} bytes at most."))
            pieces.append(bytes(piece))
        return b"".join(pieces)


class WebServer:
    """Granian in this very process, on the main thread."""

    def __init__(self, application: Application, *, host: str, port: int, slowest_headers: float) -> None:
        """`slowest_headers`: seconds a client may take for its headers, or stay silent on an open connection."""
        self._place = (host, port)
        self._server = Server(
            application,
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=MOST_CONNECTIONS,
            backpressure=MOST_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=int(slowest_headers * 1000)),
            log_enabled=False,
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`, SIGTERM or SIGINT; requests at hand are finished.

        `ready` is called once requests are taken.
        """
        uvloop.run(self._run(ready))

    def stop(self) -> None:
        """Stop from any thread; does nothing when it is not running."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._server.stop)

    async def _run(self, ready: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(name, self._server.stop)
        announcing = self._loop.create_task(self._announce(ready))
        await self._server.serve()
        announcing.cancel()

    async def _announce(self, ready: Callable[[], None]) -> None:
        """Knock until the door opens: the server itself does not say when it listens."""
        while True:
            try:
                _, writer = await asyncio.open_connection(*self._place)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return ready()


def _through_wsgi(pages: Wsgi, scope: Scope, body: bytes) -> Answer:
    """One request through a WSGI application, answered whole."""
    said: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        said["status"], said["headers"] = int(status.split(" ", 1)[0]), headers

    result = pages(_environment(scope, body), start_response)
    try:
        content = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close:
            close()
    headers = [(name.lower(), value) for name, value in said["headers"]]
    content_type = dict(headers).get("content-type", "text/plain; charset=utf-8")
    rest = tuple(one for one in headers if one[0] not in ("content-type", "content-length"))
    return Answer(said["status"], b"" if scope.method == "HEAD" else content, content_type, rest)


def _environment(scope: Scope, body: bytes) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environment: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in _unmistakable(scope.headers.items()):
        key = name.upper().replace("-", "_")
        environment[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    environment.pop("HTTP_CONTENT_LENGTH", None)
    return environment


def _unmistakable(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Headers as WSGI can tell them apart: one sent twice is joined in its order, and one with an underscore is left
    out, since it would pass for that of the same name with a dash, which a proxy in front of us may have written."""
    joined: dict[str, str] = {}
    for name, value in headers:
        if "_" not in name:
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined.items()
