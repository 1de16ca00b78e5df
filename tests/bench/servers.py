"""Servers to measure, each in a process of its own: ours, and the floors it is compared with."""

import sys

from flask import Flask
from granian.constants import Interfaces
from granian.server import Server as GranianServer

from connector import memory
from connector.app import build_door, build_service, create_app
from connector.running import Process
from connector.server import Application, HttpProtocol, Scope, WebServer
from tests.bench import deliveries, places

EMPTY_PAGE = "/empty"


class EmptyAnswer:
    """The same server with nothing behind it: reads the body and answers 200."""

    async def __rsgi__(self, _scope: Scope, protocol: HttpProtocol) -> None:
        await protocol()
        protocol.response_bytes(200, [("content-type", "text/plain")], b"")


def empty_pages() -> Flask:
    """A Flask application that answers an empty 200."""
    app = Flask("empty")
    app.add_url_rule(EMPTY_PAGE, "empty", lambda: "", methods=["GET", "POST"])
    return app


def serve(kind: str, port: int, database_url: str, smtp_port: int) -> None:
    """Serve one kind until the process is stopped."""
    if kind == "granian-flask":
        GranianServer(
            "tests.bench.servers:empty_pages", address="127.0.0.1", port=port, interface=Interfaces.WSGI, factory=True
        ).serve()
    elif kind == "empty":
        WebServer(EmptyAnswer(), host="127.0.0.1", port=port, slowest_headers=10).run(lambda: None)  # type: ignore[arg-type]
    else:
        _serve_ours(kind, port, database_url, smtp_port)


def _serve_ours(kind: str, port: int, database_url: str, smtp_port: int) -> None:
    settings = places.settings(database_url, port=port, smtp_port=smtp_port)
    memory.share_arenas()
    service = build_service(settings)
    deliveries.connect_shop(service.database, service.seal)
    if kind == "pages":
        application = Application(build_door(service), empty_pages(), slowest=10, threads=settings.web_threads)
        WebServer(application, host="127.0.0.1", port=port, slowest_headers=10).run(lambda: None)
    else:
        Process(service, work=kind == "serve", pages=create_app(service)).run()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
