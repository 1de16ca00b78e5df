"""Runs the real service in this process, lets stand-in shops tell it their story, and shows what became of it."""

import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography.fernet import Fernet

import adapters
from connector.app import build_service, create_app
from connector.demo.answers import answered_by
from connector.demo.pages import demo_pages
from connector.demo.progress import Progress
from connector.demo.report import Report, measure
from connector.demo.scenario import Scenario, StoryClock
from connector.demo.showcase import Showcase
from connector.demo.sink import MailSink
from connector.demo.stand_ins import StandIn
from connector.domain.errors import WrongSetting
from connector.flow.service import Service
from connector.observability import configure_logging
from connector.running import Process
from connector.settings import Settings
from connector.tables import connections, shops

HOST = "127.0.0.1"
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
            report = Demo(Path(folder), sink, free).run(once=once)
        except KeyboardInterrupt:  # before the service was there to take it
            report = None
    if report is None:
        return 1 if once else 0
    if once:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if as_json else report.as_text())
    return 0 if report.good else 1


class Demo:
    """One showing: the service, the shops that send to it, and the pages, made ready."""

    def __init__(self, folder: Path, sink: MailSink, port: int) -> None:
        """`folder`: where the database is kept; `sink`: where all mails go, already listening."""
        now, clock = datetime.now(UTC), StoryClock()
        shops_there = [StandIn(name, now) for name in adapters.NAMES]
        self.sink = sink
        self.address = f"http://{HOST}:{port}"
        self.scenario = Scenario(shops_there, clock, now)
        clock.begin(self.scenario.begins)
        self.service = build_service(
            _settings(folder, sink.port, port),
            clock=clock,
            manifest=answered_by(shops_there),
        )
        connect(self.service, shops_there)
        self.showcase = Showcase(self.service, shops_there, sink)
        self.pages = create_app(self.service)
        self.pages.register_blueprint(demo_pages(self.showcase))
        self._report: Report | None = None
        self._error: Exception | None = None

    def run(self, *, once: bool) -> Report | None:
        """Play, and unless `once` serve until Ctrl-C; None when it was stopped before the story's end.

        Raises what went wrong while playing.
        """
        process = Process(self.service, pages=self.pages)
        if not once:
            _say(f"Stand-in shops tell three days of orders in a few seconds; watch at {self.address}/demo/")
        player = threading.Thread(target=self._play, args=(process,), kwargs={"once": once}, name="stand-in shops")
        process.run(ready=player.start)
        self.scenario.stop()
        if player.ident is not None:
            player.join()
        if self._error:
            raise self._error
        return self._report

    def _play(self, process: Process, *, once: bool) -> None:
        """Runs beside the service, in a thread of its own."""
        begun = time.monotonic()
        scenario, sink = self.scenario, self.sink
        progress = Progress(scenario.posts, lambda: (scenario.sent, len(sink.mails)), sys.stderr)
        try:
            if scenario.play(self.service, self.address, progress.show):
                self._report = measure(self.service, scenario.shops, sink.mails, time.monotonic() - begun)
        except requests.ConnectionError:
            _say("\nThe service was stopped before the story's end.")
        except Exception as error:
            self._error = error
        progress.end()
        if once or self._error:
            process.stop()
        elif self._report:
            _say(invitation(self._report, self.address))


def _settings(folder: Path, smtp_port: int, port: int) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder / 'demo.db'}",
        secret_keys=(Fernet.generate_key().decode(),),
        host=HOST,
        port=port,
        smtp_host=HOST,
        smtp_port=smtp_port,
        smtp_security="none",
        mail_from="orders@connector.example",
    )


def connect(service: Service, stand_ins: Sequence[StandIn]) -> None:
    """Connect the shops, as their installation would."""
    with service.database.write() as connection:
        for one in stand_ins:
            shops.save(connection, one.shop, one.secrets, service.seal)
            base, now = f"https://{one.shop.host}", service.clock.now()
            connections.create(connection, one.shop.shop_id, one.platform, base, service.seal, now)
            connections.offer(connection, one.shop.shop_id, {"stand-in": one.platform}, service.seal, now)


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
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise WrongSetting(f"--port: {wanted} to {wanted + PORTS_TO_TRY - 1} are all taken; give another one")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
