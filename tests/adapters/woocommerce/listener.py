"""Somebody who is called by a stand-in shop: remembers everything, and answers as told."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())


class Listener:
    """A server on a free port; `status` may be changed at any time, and `location` makes it redirect."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.status = 200
        self.location = ""
        self.meanwhile: Callable[[Heard], None] = lambda _heard: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def deliveries(self) -> list[Heard]:
        return [heard for heard in self.heard if b"webhook_id=" not in heard.body]

    @property
    def pings(self) -> list[Heard]:
        return [heard for heard in self.heard if b"webhook_id=" in heard.body]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                heard = Heard(self.command, self.path, list(self.headers.items()), body)
                listener.heard.append(heard)
                listener.meanwhile(heard)
                self.send_response(listener.status)
                if listener.location:
                    self.send_header("Location", listener.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = _take  # noqa: N815  # the names http.server calls

            def log_message(self, *_: object) -> None:
                pass

        return Handler
