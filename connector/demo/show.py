"""Runs the real service in this process, lets stand-in shops tell it their story, and shows what became of it."""

import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography.fernet import Fernet

import adapters
from connector.app import build_service, create_app
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
from connector.tables import shops

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
        demo = Demo(Path(folder), sink, free_port(port))
        if demo.port != port:
            _say(f"Port {port} is taken; the demo uses {demo.port}.")
        report = demo.run(once=once)
    if report is None:
        return 1 if once else 0
    if once:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if as_json else report.as_text())
    return 0 if report.good else 1


@dataclass(slots=True)
class Demo:
    """One showing, in a folder of its own."""

    folder: Path
    sink: MailSink
    port: int
    report: Report | None = None
    """The figures, once the story has been played to its end."""
    _error: Exception | None = None

    def run(self, *, once: bool) -> Report | None:
        """Play, and unless `once` serve until Ctrl-C; None when it was stopped before the story's end.

        Raises what went wrong while playing.
        """
        now, clock = datetime.now(UTC), StoryClock()
        stand_ins = [StandIn(name, now) for name in adapters.NAMES]
        scenario = Scenario(stand_ins, clock, now)
        clock.begin(scenario.begins)
        fetchers = {shop.platform: shop.answer for shop in stand_ins}
        service = build_service(self._settings(), clock=clock, fetchers=fetchers)
        connect(service, stand_ins)
        pages = create_app(service)
        pages.register_blueprint(demo_pages(Showcase(service, stand_ins, self.sink)))
        process = Process(service, pages=pages)
        stop = process.stop if once else None
        player = threading.Thread(target=self._play, args=(service, scenario, stop), name="stand-in shops")
        process.run(ready=player.start)
        scenario.stop()
        if player.ident is not None:
            player.join()
        if self._error:
            raise self._error
        return self.report

    def _play(self, service: Service, scenario: Scenario, stop: Callable[[], None] | None) -> None:
        begun = time.monotonic()
        if stop is None:
            _say(f"Three stand-in shops tell three days in a few seconds; watch at {self.address}/demo/")
        progress = Progress(scenario.posts, sys.stderr)
        try:
            finished = scenario.play(service, self.address, lambda: progress.show(scenario.sent, len(self.sink.mails)))
            progress.end()
            if finished:
                self.report = measure(service, scenario.shops, self.sink.mails, time.monotonic() - begun)
                if stop is None:
                    _say(invitation(self.report, self.address))
        except requests.ConnectionError:
            progress.end()
            _say("Stopped before the story's end.")
        except Exception as error:
            self._error = error
        finally:
            if stop is not None:
                stop()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def _settings(self) -> Settings:
        return Settings(
            database_url=f"sqlite:///{self.folder / 'demo.db'}",
            secret_keys=(Fernet.generate_key().decode(),),
            host=HOST,
            port=self.port,
            smtp_host=HOST,
            smtp_port=self.sink.port,
            smtp_security="none",
            mail_from="orders@connector.example",
        )


def connect(service: Service, stand_ins: Sequence[StandIn]) -> None:
    """Connect the shops, as their installation would."""
    with service.database.write() as connection:
        for one in stand_ins:
            shops.save(connection, one.shop, one.secrets, service.seal)


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
