"""The command line: serve, work, look, replay; every problem says what to do."""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

import adapters
from connector import __version__, memory, shop_commands
from connector.app import build_service
from connector.demo import run_demo
from connector.domain.delivery import Delivery
from connector.domain.errors import ConnectorError, UnreadableDelivery, UnverifiedDelivery
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.inspection import described_error, inspect, read_stored_delivery
from connector.observability import configure_logging
from connector.running import Process
from connector.settings import Settings, load
from connector.tables import inbox, shops
from connector.tables.inbox import InboxState
from notifications import history
from notifications.outbox import OutboxState
from webhooks.verification import KeyNotYetKnown, is_ping, verify

log = logging.getLogger(__name__)


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
    again.add_argument("shop", help="the shop's id (see `connector shop list`)")
    again.add_argument("delivery", nargs="*", help="delivery ids")
    ended = [InboxState.REVIEW.value, InboxState.DEAD.value, InboxState.WAITING.value]
    again.add_argument("--all", choices=ended, help="instead of ids: all of the shop's deliveries in this state")
    _add_review_commands(commands)
    _add_shop_commands(commands)
    _add(commands, "new-key", "make a key for CONNECTOR_SECRET_KEYS", _new_key)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, says: str, run: object
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=says, description=says[0].upper() + says[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _add_review_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    review = commands.add_parser("review", help="messages a person must decide about")
    actions = review.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "list", "list what may or may not have arrived, and what was refused", _review_list)
    decision = _add(actions, "decide", "say what happens to one of them", _review_decide)
    decision.add_argument("shop", help="the shop's id")
    decision.add_argument("message", help="the message's id, as listed")
    decision.add_argument(
        "decision", choices=("again", "sent"), help="send it (again), or: it is known to have arrived"
    )


def _review_list(_: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        found = history.needing_decision(connection, limit=200)
    for said in found:
        about = said.notification
        print(f"{about.shop_id}  {said.intent_id}  order {about.order_id}  {about.kind}  {said.state.value}")
        print(f"    {said.outcome}")
    if not found:
        print("Nothing waits for a decision.")
    return 0


def _review_decide(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    after = OutboxState.PENDING if parsed.decision == "again" else OutboxState.SENT
    with service.database.write() as connection:
        said = history.find(connection, parsed.shop, parsed.message)
        if said is None:
            raise ConnectorError("there is no such message; see `connector review list`")
        try:
            done = history.decide(connection, said, after, service.clock.now())
        except ValueError as error:
            raise ConnectorError(f"{error}; see `connector review list`") from error
    print("done" if done else "it has moved on meanwhile")
    return 0 if done else 1


def _add_shop_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    shop = commands.add_parser("shop", help="shops whose webhooks are taken")
    actions = shop.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "list", "list the shops with their webhook addresses", _shop_list)
    new = _add(actions, "add", "let a shop's webhooks in; prints the address to enter there", _shop_add)
    new.add_argument("platform", choices=adapters.NAMES)
    new.add_argument("host", help="the platform's own name of the shop, such as shop.example.com")
    new.add_argument("--name", required=True, help="as customers know it")
    new.add_argument("--secret", action="append", default=[], help="the webhook secret; made if there is none")
    for option, says in shop_commands.OPTIONS.items():
        new.add_argument(f"--{option}", default="", help=says)


def _shop_add(parsed: argparse.Namespace) -> int:
    options = {name: getattr(parsed, name.replace("-", "_")) for name in shop_commands.OPTIONS}
    service = build_service(load())
    shop, secrets = shop_commands.new_shop(
        parsed.platform, parsed.host, parsed.name, parsed.secret, options, service.clock.now()
    )
    with service.database.write() as connection:
        if shops.by_host(connection, shop.platform, shop.host, service.seal):
            raise ConnectorError(f"{shop.host} is there already; see `connector shop list`")
        shops.save(connection, shop, secrets, service.seal)
    print(f"shop      {shop.shop_id}\naddress   {_address(shop)}")
    if not parsed.secret:
        print(f"secret    {secrets.shared[0]}")
    for advice in shop_commands.advice(shop):
        print(f"note      {advice}")
    return 0


def _shop_list(_: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        found = shops.everyone(connection)
    for shop in found:
        print(f"{shop.shop_id}  {shop.platform:12}  {shop.name}  {_address(shop)}")
    if not found:
        print("There are no shops yet. Add one with: connector shop add PLATFORM HOST --name NAME")
    return 0


def _address(shop: Shop) -> str:
    return f"<your address>/webhooks/{shop.platform}/{shop.key}"


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
    if bool(parsed.delivery) == bool(parsed.all):
        raise ConnectorError("name delivery ids, or use --all with a state")
    service = build_service(load())
    with service.database.write() as connection:
        state = InboxState(parsed.all) if parsed.all else None
        wanted = inbox.ended_in(connection, parsed.shop, state) if state else parsed.delivery
        count = inbox.replay(connection, parsed.shop, wanted, service.clock.now())
    print(f"{count} of {len(wanted)} put back to the start")
    return 0 if count == len(wanted) else 1


def _new_key(_: argparse.Namespace) -> int:
    print(Fernet.generate_key().decode())
    return 0
