"""`connector inspect` and `connector replay`: what a delivery says, and processing it again."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import adapters
from connector.app import build_service
from connector.commands.parsing import Commands, add
from connector.domain.delivery import Delivery
from connector.domain.errors import ConnectorError, UnreadableDelivery, UnverifiedDelivery
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.inspection import described_error, inspect, read_stored_delivery
from connector.settings import load
from connector.tables import inbox
from connector.tables.inbox import InboxState
from webhooks.verification import KeyNotYetKnown, is_ping, verify


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    look = add(commands, "inspect", "say what is understood of a stored delivery, as JSON", _inspect)
    look.add_argument("platform", choices=adapters.NAMES)
    look.add_argument("file", type=Path, help="headers, an empty line, the exact body")
    look.add_argument("--secret", action="append", default=[], help="verify the signature too; may be repeated")
    look.add_argument("--resolve", type=Path, metavar="ANSWER.json", help="the platform's answer to the hint")
    again = add(commands, "replay", "process deliveries again; nobody is told anything twice or late", _replay)
    again.add_argument("shop", help="the shop's id (see `connector shop list`)")
    again.add_argument("delivery", nargs="*", help="delivery ids")
    ended = [InboxState.REVIEW.value, InboxState.DEAD.value, InboxState.WAITING.value]
    again.add_argument("--all", choices=ended, help="instead of ids: all of the shop's deliveries in this state")


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
