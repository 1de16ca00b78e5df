"""The composition root: settings in, the service and its pages out."""

import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

import adapters
from adapters import http
from adapters.contract import Manifest
from connector import __version__
from connector.database import Database
from connector.domain.clock import Clock, SystemClock
from connector.domain.errors import WrongSetting
from connector.flow.fetch_sender_keys import FetchSenderKeys
from connector.flow.issue_documents import IssueDocuments
from connector.flow.look_again import Fetch, LookAgainFlow
from connector.flow.measure import Measure
from connector.flow.process_inbox import ProcessInbox
from connector.flow.recover import Recover
from connector.flow.send_outbox import SendOutbox
from connector.flow.service import Service
from connector.flow.shop_events import ShopEvents
from connector.links import Links
from connector.migrations import migrate
from connector.observability import Metrics
from connector.settings import Settings
from connector.shop_directory import ShopDirectory
from connector.tables.shops import Seal
from connector.worker import Loop
from notifications.channels.contract import Channel
from notifications.channels.email import EmailChannel
from notifications.channels.smtp import SmtpSettings
from webhooks.endpoints import Door

SQLITE_BATCH = 20
"""Deliveries in one transaction where the door waits for that transaction to end."""
POSTGRESQL_BATCH = 50
"""Where nobody waits, and each statement is a round trip."""
LARGEST_SENDER_KEY = 16 * 1024


def build_service(
    settings: Settings,
    *,
    clock: Clock | None = None,
    channels: Mapping[str, Channel] | None = None,
    fetchers: Mapping[str, Fetch] | None = None,
    manifest: Callable[[str], Manifest] = adapters.manifest,
) -> Service:
    """Put the parts together on a database brought to the newest schema. Tests hand in other parts.

    Raises WrongSetting for settings that do not work together or a database that cannot be reached.
    """
    if not settings.secret_keys:
        raise WrongSetting("CONNECTOR_SECRET_KEYS is missing; make one with `connector new-key` and keep it safe")
    clock = clock or SystemClock()
    metrics, seal = Metrics(), Seal(settings.secret_keys)
    database = _ready_database(settings)
    shops = ShopDirectory(database, seal)
    process_inbox = ProcessInbox(
        database,
        shops,
        manifest,
        clock,
        metrics,
        ShopEvents(database, seal),
        tracking_wait=timedelta(minutes=settings.tracking_wait_minutes),
        batch=SQLITE_BATCH if database.is_sqlite else POSTGRESQL_BATCH,
    )
    look_again = LookAgainFlow(database, shops, manifest, fetchers or {}, process_inbox, clock, metrics)
    links = Links(settings.address, settings.secret_keys)
    issue_documents = IssueDocuments(database, shops, clock, metrics, links if settings.address else None)
    send_outbox = SendOutbox(
        database,
        shops,
        _channels(settings) if channels is None else channels,
        issue_documents,
        clock,
        metrics,
        sender=settings.mail_from,
        connections=settings.smtp_connections,
    )
    send = Loop("send", (issue_documents.run, send_outbox.run), metrics)

    def process_and_nudge() -> int:
        done = process_inbox.run()
        if done:
            send.nudge()
        return done

    return Service(
        settings=settings,
        clock=clock,
        database=database,
        metrics=metrics,
        seal=seal,
        manifest=manifest,
        shops=shops,
        process_inbox=process_inbox,
        look_again=look_again,
        issue_documents=issue_documents,
        send_outbox=send_outbox,
        recover=Recover(database, clock),
        fetch_sender_keys=FetchSenderKeys(database, shops, seal, _download_key, clock),
        measure=Measure(database, clock, metrics),
        loops=(Loop("process", (process_and_nudge,), metrics), Loop("look again", (look_again.run,), metrics), send),
    )


def build_door(service: Service) -> Door:
    """The door of a service; what it records wakes the service's loops at once."""
    return Door(
        service.database,
        service.shops,
        service.settings,
        service.clock,
        service.metrics,
        recorded=service.nudge,
        manifest=service.manifest,
    )


def create_app(service: Service) -> Flask:
    """The pages: for now what operators and their monitoring ask."""
    app = Flask("connector")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024

    @app.get("/health")
    def health() -> Response:
        """The process is alive."""
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @app.get("/ready")
    def ready() -> Response:
        """The process can do its work: the database answers."""
        try:
            with service.database.read() as connection:
                connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            return Response("the database does not answer\n", 503, content_type="text/plain; charset=utf-8")
        return Response("ready\n", content_type="text/plain; charset=utf-8")

    @app.get("/metrics")
    def metrics() -> Response:
        """Prometheus' own format; no shop, no order and no person is named in it."""
        token = service.settings.metrics_token
        sent = request.headers.get("Authorization", "")
        if token and not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            return Response("a bearer token is needed (CONNECTOR_METRICS_TOKEN)\n", 401)
        return Response(generate_latest(service.metrics.registry), content_type=CONTENT_TYPE_LATEST)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        response.headers["Server"] = f"connector/{__version__}"
        return response

    return app


def _ready_database(settings: Settings) -> Database:
    database = Database(settings.database_url)
    try:
        migrate(database)
    except SQLAlchemyError as error:
        detail = str(error.__cause__ or type(error).__name__).strip().splitlines()[0]
        raise WrongSetting(f"CONNECTOR_DATABASE_URL: the database cannot be used: {detail}") from error
    return database


def _channels(settings: Settings) -> dict[str, Channel]:
    if not settings.smtp_host:
        return {}
    smtp = SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    return {EmailChannel.name: EmailChannel(smtp)}


def _download_key(url: str) -> str:
    return http.get_text(url, largest=LARGEST_SENDER_KEY)
