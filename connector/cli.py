"""The command line: serve, work, look, replay; every problem says what to do."""

import argparse
import logging
import sys
from collections.abc import Sequence

from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError

from connector import __version__, memory
from connector.app import build_service
from connector.commands import deliveries, diagnosis, orders, platforms, privacy, reviews, shops, voices
from connector.commands.parsing import add
from connector.demo import run_demo
from connector.domain.errors import ConnectorError
from connector.observability import configure_logging
from connector.running import Process
from connector.settings import Settings, load

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when it could not, 2 for a wrong command line."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except ConnectorError as error:
        print(f"connector: {error}", file=sys.stderr)
        return 1
    except OperationalError as error:
        detail = str(error.__cause__ or type(error).__name__).strip().splitlines()[0]
        print(f"connector: the database did not do it ({detail}); wait a moment and try again", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="connector", description="Order webhooks in; one truthful message per event out."
    )
    parser.add_argument("--version", action="version", version=f"connector {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add(commands, "serve", "take webhooks, do the work and show the pages, all in one process", _serve)
    add(commands, "web", "take webhooks and show the pages only (with PostgreSQL; run `worker` beside it)", _web)
    add(commands, "worker", "do the work only (with PostgreSQL; as many as wanted)", _worker)
    demo = add(commands, "demo", "see it work with three stand-in shops on this machine", _demo)
    demo.add_argument("--once", action="store_true", help="run to the end and print the figures instead of serving")
    demo.add_argument("--json", action="store_true", help="with --once: the figures as JSON")
    demo.add_argument("--port", type=int, default=8090, help="where the pages are served (default: 8090)")
    for theme in (shops, voices, orders, reviews, privacy, deliveries, platforms, diagnosis):
        theme.register(commands)
    add(commands, "new-key", "make a key for CONNECTOR_SECRET_KEYS", _new_key)
    return parser


def _serve(_: argparse.Namespace) -> int:
    return _run_service(web=True, work=True)


def _web(_: argparse.Namespace) -> int:
    return _run_service(web=True, work=False)


def _worker(_: argparse.Namespace) -> int:
    return _run_service(web=False, work=True)


def _run_service(*, web: bool, work: bool) -> int:
    memory.share_arenas()
    settings = load()
    configure_logging(settings.log_level)
    service = build_service(settings)
    if service.database.is_sqlite and not (web and work):
        raise ConnectorError("SQLite belongs to one process: use `connector serve`, or set CONNECTOR_DATABASE_URL")
    if work and not settings.smtp_host:
        log.warning("no mail server is set (CONNECTOR_SMTP_HOST): all mails wait")
    Process(service, web=web, work=work).run(lambda: _say_ready(settings, web=web))
    return 0


def _say_ready(settings: Settings, *, web: bool) -> None:
    log.info("serving at http://%s:%s" if web else "working", *((settings.host, settings.port) if web else ()))


def _demo(parsed: argparse.Namespace) -> int:
    return run_demo(once=parsed.once, as_json=parsed.json, port=parsed.port)


def _new_key(_: argparse.Namespace) -> int:
    print(Fernet.generate_key().decode())
    return 0
