"""Runs the real service in this process, connects stand-in shops to it, plays their days, and shows what came of it."""

import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet

import adapters
from connector.app import build_service, create_app
from connector.demo.pages import demo_pages
from connector.demo.player import Player, beginning
from connector.demo.progress import Progress
from connector.demo.report import Report, measure
from connector.demo.shopfront import Shopfront
from connector.demo.showcase import Showcase
from connector.demo.sink import MailSink
from connector.demo.story_clock import StoryClock
from connector.domain.errors import WrongSetting
from connector.observability import configure_logging
from connector.running import Process
from connector.settings import Settings

HOST = "127.0.0.1"
ADDRESS = "https://connector.example"
"""Where the shops are told the service is."""
PORTS_TO_TRY = 50
HIGHEST_PORT = 65_535


def run_demo(*, once: bool, as_json: bool, port: int) -> int:
    """Play the story and serve the pages until Ctrl-C, or with `once` print the figures and end.

    1 when something that must be told was not, or was told twice, or the story could not be played to its end. Only
    the figures go to standard output.
    """
    configure_logging("error")
    with tempfile.TemporaryDirectory(prefix="connector-demo-") as folder, MailSink() as sink:
        free = free_port(port)
        if free != port:
            _say(f"Port {port} is taken; the demo uses {free}.")
        try:
            with Demo(Path(folder), sink, free) as demo:
                report = demo.run(once=once)
        except KeyboardInterrupt:  # before the service was there to take it
            report = None
    if report is None:
        return 1 if once else 0
    if once:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if as_json else report.as_text())
    return 0 if report.good else 1


class Demo:
    """One showing: the service, the shops that connect to it, and the pages, made ready; the shops serve while it is
    entered."""

    def __init__(self, folder: Path, sink: MailSink, port: int) -> None:
        """`folder`: where the database is kept; `sink`: where all mails go, already listening."""
        now, clock = datetime.now(UTC), StoryClock()
        self.sink = sink
        self.address = f"http://{HOST}:{port}"
        self.places = [Shopfront(name, clock, ADDRESS, HOST, port) for name in adapters.NAMES]
        clock.begin(beginning(self.places, now))
        self.service = build_service(_settings(folder, sink.port, port, self.places), clock=clock)
        self.player = Player(self.places, self.service, clock, now)
        self.showcase = Showcase(self.service, self.places, sink)
        self.pages = create_app(self.service)
        self.pages.register_blueprint(demo_pages(self.showcase))
        self._serving = ExitStack()
        self._report: Report | None = None
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        for place in self.places:
            self._serving.enter_context(place)
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.close()

    def run(self, *, once: bool) -> Report | None:
        """Play, and unless `once` serve until Ctrl-C; None when it was stopped before the story's end.

        Raises what went wrong while playing.
        """
        process = Process(self.service, pages=self.pages)
        if not once:
            _say(f"Three shops connect and live through three days in a few seconds; watch at {self.address}/demo/")
        player = threading.Thread(target=self._play, args=(process,), kwargs={"once": once}, name="the shops")
        process.run(ready=player.start)
        self.player.stop()
        if player.ident is not None:
            player.join()
        if self._error:
            raise self._error
        return self._report

    def _play(self, process: Process, *, once: bool) -> None:
        """Runs beside the service, in a thread of its own."""
        begun = time.monotonic()
        player, sink = self.player, self.sink
        progress = Progress(player.acts, lambda: (player.played, player.sent, len(sink.mails)), sys.stderr)
        try:
            if player.play(progress.show):
                self._report = measure(self.service, player.places, sink.mails, time.monotonic() - begun)
        except Exception as error:
            if is_free(self.service.settings.port):
                _say("\nThe service was stopped before the story's end.")
            else:
                self._error = error
        progress.end()
        if once or self._error:
            process.stop()
        elif self._report:
            _say(invitation(self._report, self.address))


def _settings(folder: Path, smtp_port: int, port: int, places: Sequence[Shopfront]) -> Settings:
    apps = [(place.platform, place.story.app) for place in places if place.story.app.client_id]
    routes = {host: address for place in places for host, address in place.twin.routes.items()}
    return Settings(
        database_url=f"sqlite:///{folder / 'demo.db'}",
        secret_keys=(Fernet.generate_key().decode(),),
        host=HOST,
        port=port,
        address=ADDRESS,
        app_ids=tuple(f"{platform}:{app.client_id}" for platform, app in apps),
        app_secrets=tuple(f"{platform}:{secret}" for platform, app in apps for secret in app.secrets),
        routes=tuple(f"{host}={address}" for host, address in routes.items()),
        smtp_host=HOST,
        smtp_port=smtp_port,
        smtp_security="none",
        mail_from="orders@connector.example",
    )


def invitation(report: Report, address: str) -> str:
    """What a person can look at now."""
    return (
        f"\n{report.as_text()}\n\n"
        f"Open {address}/demo/ to see every order's timeline and why each mail was or was not sent,\n"
        f"the mails in {report.languages} languages as customers read them, the invoices, and what needs a person.\n"
        "Nothing has left this machine: the shops, the customers and the mailbox are part of the demo.\n"
        "Time ran fast, so half an hour of waiting for a tracking number took no time.\n"
        "Ctrl-C ends the demo and forgets everything."
    )


def free_port(wanted: int) -> int:
    """The port, or the next one that nobody uses. Raises WrongSetting when there is none or it is not a port."""
    for port in range(wanted, wanted + PORTS_TO_TRY):
        if not 0 < port <= HIGHEST_PORT:
            raise WrongSetting(f"--port: {port} is not a port; give one from 1 to {HIGHEST_PORT}")
        if is_free(port):
            return port
    raise WrongSetting(f"--port: {wanted} to {wanted + PORTS_TO_TRY - 1} are all taken; give another one")


def is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
