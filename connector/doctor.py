"""Looks everywhere for what is wrong, and says it in plain words with what to do."""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from adapters.addresses import is_at_home
from connector import shop_commands
from connector.domain.connection import ConnectionState
from connector.domain.shop import Shop, Voice
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import connections, inbox, privacy_requests, shops, sweeps
from connector.tables.connections import Connection
from connector.tables.sweeps import SweepKind
from notifications import outbox
from notifications.kinds import KINDS

LATE = timedelta(minutes=10)
LITTLE_ROOM = 500 * 1024 * 1024
SOON = timedelta(days=7)
SILENCE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong."""

    where: str
    wrong: str
    do: str


def diagnose(service: Service) -> list[Diagnosis]:
    """All that is wrong; empty when nothing is."""
    return [*_settings(service.settings), *_queues(service), *_requests(service), *_shops(service)]


def _settings(settings: Settings) -> Iterator[Diagnosis]:
    if not settings.address:
        yield Diagnosis(
            "settings",
            "Connector has no public address, so no shop can send webhooks here and no link leads here",
            "Set CONNECTOR_ADDRESS to the https address your reverse proxy answers at.",
        )
    elif is_at_home(urlsplit(settings.address).hostname or ""):
        yield Diagnosis(
            "settings",
            f"CONNECTOR_ADDRESS ({settings.address}) is in your own network: platforms and merchants elsewhere cannot "
            "reach it, and customers cannot open links to it",
            "Fine for trying it out; for real shops set it to the public https address your reverse proxy answers at.",
        )
    if settings.plain_http:
        yield Diagnosis(
            "settings",
            "CONNECTOR_PLAIN_HTTP=yes: shops in your own network may be spoken with unprotected, so others there can "
            "read customers' data",
            "Only for trying it out. Take it away before real customers' orders come in.",
        )
    if not settings.smtp_host:
        yield Diagnosis("mail", "no mail server is set: all mails wait", "Set CONNECTOR_SMTP_HOST.")
    elif not _answers(settings.smtp_host, settings.smtp_port):
        yield Diagnosis(
            "mail",
            f"{settings.smtp_host}:{settings.smtp_port} does not answer",
            "Check CONNECTOR_SMTP_HOST and CONNECTOR_SMTP_PORT, and whether a firewall is between.",
        )
    if settings.mail_from.endswith("@localhost"):
        yield Diagnosis(
            "mail", f"mails come from {settings.mail_from}, which nobody accepts", "Set CONNECTOR_MAIL_FROM."
        )
    yield from _room(settings)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=5):
            return True
    except OSError:
        return False


def _room(settings: Settings) -> Iterator[Diagnosis]:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    free = shutil.disk_usage(url.database).free
    if free < LITTLE_ROOM:
        yield Diagnosis(
            "database", f"only {free // 1024 // 1024} MB are left on its disk", "Make room, or move the database."
        )


def _queues(service: Service) -> Iterator[Diagnosis]:
    now = service.clock.now()
    with service.database.read() as connection:
        received, planned = inbox.waiting_counts(connection), outbox.waiting_counts(connection)
        oldest = [moment for moment in (inbox.oldest_due(connection), outbox.oldest_due(connection)) if moment]
    if oldest and now - min(oldest) > LATE:
        minutes = int((now - min(oldest)).total_seconds() // 60)
        yield Diagnosis(
            "work",
            f"something waits for {minutes} minutes",
            "Is `connector serve` (or a worker) running? If it is, look into its log.",
        )
    for state, says in (("review", "could not be understood"), ("dead", "were given up")):
        if received.get(state):
            yield Diagnosis(
                "inbox",
                f"{received[state]} deliveries {says}",
                f"Look at why in the log; after it is mended: connector replay SHOP --all {state}",
            )
    undecided = planned.get("review", 0) + planned.get("failed", 0)
    if undecided:
        yield Diagnosis("outbox", f"{undecided} messages wait for a person's decision", "See `connector review list`.")


def _requests(service: Service) -> Iterator[Diagnosis]:
    now = service.clock.now()
    with service.database.read() as connection:
        due = [one for one in privacy_requests.waiting(connection, service.seal) if one.due_at - now < SOON]
    if due:
        yield Diagnosis(
            "privacy",
            f"{len(due)} requests have to be answered by {due[0].due_at:%Y-%m-%d}",
            "See `connector privacy list`.",
        )


def _shops(service: Service) -> Iterator[Diagnosis]:
    with service.database.read() as connection:
        everyone, known = shops.everyone(connection), connections.everyone(connection)
    if not everyone:
        yield Diagnosis("shops", "there is no shop yet", "Connect one with `connector shop connect`.")
    for shop in everyone:
        if shop.ended_at is None:
            yield from _shop(service, shop, known.get(shop.shop_id))


def _shop(service: Service, shop: Shop, known: Connection | None) -> Iterator[Diagnosis]:
    for text in shop_commands.advice(shop):
        yield Diagnosis(shop.name, text, "Give it with `connector shop set`.")
    if all(shop.voice(kind) is Voice.SHADOW for kind in KINDS):
        yield Diagnosis(
            shop.name,
            "Connector only watches: no customer is told anything yet",
            "When you like what you see, switch it on with `connector voice set`.",
        )
    if known is not None:
        yield from _connection(service, shop, known)


def _connection(service: Service, shop: Shop, known: Connection) -> Iterator[Diagnosis]:
    now = service.clock.now()
    if known.state is ConnectionState.BROKEN:
        yield Diagnosis(shop.name, "the connection is broken", known.problem)
    elif known.state is ConnectionState.INVITED:
        yield Diagnosis(shop.name, "the merchant has not said yes yet", known.problem or "Open the invitation's link.")
    elif known.problem:
        yield Diagnosis(shop.name, known.problem, "It is tried again by itself; look with `connector shop check`.")
    for remark in sorted({one.remark for one in known.subscribed.subscriptions if one.remark and not known.heard_at}):
        yield Diagnosis(
            shop.name, f"no webhook has come yet: {remark}", "Until one does, changes are found by looking for them."
        )
    for right in known.findings.missing_rights:
        yield Diagnosis(shop.name, "a right is missing", right)
    for kind in KINDS:
        if shop.speaks(kind) and known.findings.platform_speaks.get(kind):
            yield Diagnosis(
                shop.name,
                f"customers get two mails about {kind.replace('_', ' ')}: ours and the platform's",
                f"connector voice set {shop.shop_id} us {kind} --switch-platform",
            )
    if known.subscribed.sends and known.heard_at and now - known.heard_at > SILENCE and known.healed:
        yield Diagnosis(
            shop.name,
            f"no webhook has come since {known.heard_at:%Y-%m-%d %H:%M} UTC; changes are found by looking",
            "Look whether a firewall or a security plugin of the shop holds them back.",
        )
    yield from _sweeping(service, shop)


def _sweeping(service: Service, shop: Shop) -> Iterator[Diagnosis]:
    with service.database.read() as connection:
        changes = sweeps.of_shop(connection, shop.shop_id).get(SweepKind.CHANGES)
    if changes and changes.failures and changes.problem:
        yield Diagnosis(
            shop.name,
            f"its changes cannot be read: {changes.problem}",
            "It is tried again by itself; look with `connector shop check`.",
        )
