"""A process from start to graceful stop: web, work, or both."""

import signal
import threading
from collections.abc import Callable

from flask import Flask

from connector.app import build_door, create_app
from connector.flow.service import Service
from connector.scheduler import Scheduler
from connector.server import Application, WebServer


class Process:
    """What `connector serve`, `web` and `worker` run."""

    def __init__(self, service: Service, *, web: bool = True, work: bool = True, pages: Flask | None = None) -> None:
        """`pages`: other pages than the service's own."""
        settings = service.settings
        self._service = service
        self._web = web
        self._work = work
        self._stopped = threading.Event()
        self._scheduler = Scheduler(service)
        self._door = build_door(service)
        application = Application(
            self._door,
            pages or create_app(service),
            slowest=settings.slowest_request_seconds,
            threads=settings.web_threads,
        )
        self._server = WebServer(
            application, host=settings.host, port=settings.port, slowest_headers=settings.slowest_request_seconds
        )

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop`, SIGTERM or SIGINT. What is at hand is finished; what is not is due at the next start."""
        if self._service.database.is_sqlite:
            self._service.recover.start_alone()
        elif self._work:
            self._service.recover.run()
        if self._work:
            for loop in self._service.loops:
                loop.start()
            self._scheduler.start()
        try:
            self._serve(ready)
        finally:
            self._wind_down()

    def stop(self) -> None:
        """Ask for the end, from any thread."""
        self._stopped.set()
        self._server.stop()

    def _serve(self, ready: Callable[[], None]) -> None:
        if self._web:
            self._server.run(ready)
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stopped.set())
        ready()
        self._stopped.wait()

    def _wind_down(self) -> None:
        self._door.stop()
        self._service.send_outbox.wind_down()
        if self._work:
            # First, since jobs may wait for an answer too; from here on nobody finds a thread for a new question.
            self._service.stop_asking()
            self._scheduler.stop()
            for loop in self._service.loops:
                loop.stop()
        self._service.send_outbox.stop()
        self._service.database.close()
