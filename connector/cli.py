"""The command line: serve, work, look, replay; every problem says what to do."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

import adapters
from connector import __version__
from connector.app import build_service
from connector.demo import run_demo
from connector.domain.delivery import Delivery
from connector.domain.errors import ConnectorError, UnreadableDelivery, UnverifiedDelivery
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.inspection import described_error, inspect, read_stored_delivery
from connector.observability import configure_logging
from connector.running import Process
from connector.settings import load
from connector.tables import inbox
from webhooks.verification import KeyNotYetKnown, is_ping, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 when it could not, 2 for a wrong command line."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
    except ConnectorError as error:
        print(f"connector: {error}", file=sys.stderr)
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
    _add(commands, "serve", "take webhooks, do the work and show the pages, all in one process", _serve)
    _add(commands, "web", "take webhooks and show the pages only (with PostgreSQL; run `worker` beside it)", _web)
    _add(commands, "worker", "do the work only (with PostgreSQL; as many as wanted)", _worker)
    demo = _add(commands, "demo", "see it work with three stand-in shops on this machine", _demo)
    demo.add_argument("--once", action="store_true", help="run to the end and print the figures instead of serving")
    demo.add_argument("--json", action="store_true", help="with --once: the figures as JSON")
    demo.add_argument("--port", type=int, default=8090, help="where the pages are served (default: 8090)")
    look = _add(commands, "inspect", "say what is understood of a stored delivery, as JSON", _inspect)
    look.add_argument("platform", choices=adapters.NAMES)
    look.add_argument("file", type=Path, help="headers, an empty line, the exact body")
    look.add_argument("--secret", action="append", default=[], help="verify the signature too; may be repeated")
    look.add_argument("--resolve", type=Path, metavar="ANSWER.json", help="the platform's answer to the hint")
    again = _add(commands, "replay", "process deliveries again; nobody is told anything twice or late", _replay)
    again.add_argument("shop", help="the shop's id")
    again.add_argument("delivery", nargs="+", help="delivery ids")
    _add(commands, "new-key", "make a key for CONNECTOR_SECRET_KEYS", _new_key)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str, run: object
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _serve(_: argparse.Namespace) -> int:
    return _run_service(web=True, work=True)


def _web(_: argparse.Namespace) -> int:
    return _run_service(web=True, work=False)


def _worker(_: argparse.Namespace) -> int:
    return _run_service(web=False, work=True)


def _run_service(*, web: bool, work: bool) -> int:
    settings = load()
    configure_logging(settings.log_level)
    service = build_service(settings)
    if service.database.is_sqlite and not (web and work):
        raise ConnectorError("SQLite belongs to one process: use `connector serve`, or set CONNECTOR_DATABASE_URL")
    Process(service, web=web, work=work).run()
    return 0


def _demo(parsed: argparse.Namespace) -> int:
    return run_demo(once=parsed.once, as_json=parsed.json, port=parsed.port)


def _inspect(parsed: argparse.Namespace) -> int:
    manifest = adapters.manifest(parsed.platform)
    shop = Shop("inspect", parsed.platform, "inspect", "inspect", "", datetime.min.replace(tzinfo=UTC))
    try:
        delivery = read_stored_delivery(parsed.platform, parsed.file.read_bytes(), received_at=datetime.now(UTC))
        if parsed.secret and not is_ping(manifest.ping, delivery.headers, delivery.body):
            verify(manifest.signatures, delivery.headers, delivery.body, _secrets(parsed.secret, delivery))
        said = inspect(manifest, delivery, shop, parsed.resolve.read_bytes() if parsed.resolve else None)
    except (UnreadableDelivery, UnverifiedDelivery, KeyNotYetKnown, OSError) as error:
        said = described_error(error)
    print(json.dumps(said, ensure_ascii=False, indent=1))
    return 0


def _secrets(given: list[str], delivery: Delivery) -> Secrets:
    """Every given text as a shared secret and as our name; a PEM as the key under whatever name the delivery uses."""
    pems = [text for text in given if text.lstrip().startswith("-----BEGIN")]
    names = ["", *(value for name, value in delivery.headers.items() if "key" in name)]
    return Secrets(tuple(given), {name: pem for pem in pems for name in names}, tuple(given))


def _replay(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.write() as connection:
        count = inbox.replay(connection, parsed.shop, parsed.delivery, service.clock.now())
    print(f"{count} of {len(parsed.delivery)} put back to the start")
    return 0 if count == len(parsed.delivery) else 1


def _new_key(_: argparse.Namespace) -> int:
    print(Fernet.generate_key().decode())
    return 0
