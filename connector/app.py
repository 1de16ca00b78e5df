"""The composition root: settings in, the service and its pages out."""

import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

import adapters
from adapters import http
from adapters.contract import Manifest
from adapters.http import Web
from connector import __version__
from connector.assets import shared_files
from connector.database import Database
from connector.domain.clock import Clock, SystemClock
from connector.domain.errors import WrongSetting
from connector.flow.by_shop import Rests, ShopPool
from connector.flow.disconnect import Disconnect
from connector.flow.erase import Erase
from connector.flow.fetch_sender_keys import FetchSenderKeys
from connector.flow.issue_documents import IssueDocuments
from connector.flow.look_after import LookAfter
from connector.flow.look_again import LookAgainFlow
from connector.flow.measure import Measure
from connector.flow.process_inbox import ProcessInbox
from connector.flow.prove_offers import ProveOffers
from connector.flow.reconcile import Reconcile
from connector.flow.recover import Recover
from connector.flow.renew_credentials import RenewCredentials
from connector.flow.send_outbox import SendOutbox
from connector.flow.service import Service
from connector.flow.shop_events import ShopEvents
from connector.flow.stores import Stores
from connector.flow.tend_connections import TendConnections
from connector.flow.watch_parcels import WatchParcels
from connector.flow.write_back import WriteBack
from connector.install.pages import install_pages
from connector.links import Links
from connector.migrations import migrate
from connector.observability import Metrics
from connector.portal import document_pages
from connector.settings import Settings
from connector.shop_directory import ShopDirectory
from connector.tables.shops import Seal
from connector.worker import Bell, Loop
from notifications.channels.contract import Channel
from notifications.channels.email import EmailChannel
from notifications.channels.smtp import SmtpSettings
from webhooks.endpoints import Door
from webhooks.limits import RefusalLimit

SQLITE_BATCH = 20
"""Deliveries in one transaction where the door waits for that transaction to end."""
POSTGRESQL_BATCH = 50
"""Where nobody waits, and each statement is a round trip."""
ASKING_THREADS = 8
LARGEST_SENDER_KEY = 16 * 1024


def build_service(
    settings: Settings,
    *,
    clock: Clock | None = None,
    channels: Mapping[str, Channel] | None = None,
    manifest: Callable[[str], Manifest] = adapters.manifest,
    web: Web | None = None,
    asking_threads: int = ASKING_THREADS,
) -> Service:
    """Put the parts together on a database brought to the newest schema. Tests hand in other parts.

    `asking_threads`: how many shops are asked at the same time for each kind of question; 0: one after the other, in
    whatever thread runs the flow.

    Raises WrongSetting for settings that do not work together or a database that cannot be reached.
    """
    if not settings.secret_keys:
        raise WrongSetting("CONNECTOR_SECRET_KEYS is missing; make one with `connector new-key` and keep it safe")
    clock = clock or SystemClock()
    metrics, seal = Metrics(), Seal(settings.secret_keys)
    database = _ready_database(settings)
    shops = ShopDirectory(database, seal)
    web = web or Web(
        private_addresses=settings.private_addresses,
        plain_http=settings.plain_http,
        ca=settings.ca,
        routes=settings.places(),
        clock=clock,
    )
    stores = Stores(database, manifest, seal, web, clock, settings.app)
    news, questions = Bell(), Bell()
    pool = partial(ShopPool, threads=asking_threads, rests=Rests(clock), metrics=metrics)
    hints, pushes = pool("look again", done=news.ring), pool("write back", done=news.ring)
    tended, swept, watched, renewed = (
        pool(name, done=questions.ring) for name in ("connections", "reconcile", "parcels", "credentials")
    )
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
    look_again = LookAgainFlow(database, shops, manifest, stores, process_inbox, hints, clock, metrics)
    write_back = WriteBack(database, shops, manifest, stores, pushes, clock, metrics)
    look_after = LookAfter(
        database, shops, stores, seal, clock, address=settings.address, history=timedelta(days=settings.history_days)
    )
    prove = ProveOffers(database, manifest, stores, seal, clock)
    tend_connections = TendConnections(database, prove, look_after, tended, clock, metrics)
    reconcile = Reconcile(database, stores, swept, clock, metrics, recorded=news.ring)
    watch_parcels = WatchParcels(database, stores, watched, clock, metrics, recorded=news.ring)
    renew_credentials = RenewCredentials(database, stores, renewed, clock)
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
    ask = Loop("ask", (look_again.run, write_back.run), metrics)
    send = Loop("send", (issue_documents.run, send_outbox.run), metrics)

    def process_and_nudge() -> int:
        done = process_inbox.run()
        if done:
            send.nudge()
            ask.nudge()
        return done

    process = Loop("process", (process_and_nudge,), metrics)
    asking = Loop(
        "connections", (tend_connections.run, reconcile.run, watch_parcels.run, renew_credentials.run), metrics
    )
    news.wakes(process, ask, send)
    questions.wakes(asking)
    return Service(
        settings=settings,
        clock=clock,
        database=database,
        metrics=metrics,
        seal=seal,
        manifest=manifest,
        shops=shops,
        web=web,
        links=links,
        stores=stores,
        pools=(hints, pushes, tended, swept, watched, renewed),
        process_inbox=process_inbox,
        look_again=look_again,
        issue_documents=issue_documents,
        send_outbox=send_outbox,
        write_back=write_back,
        tend_connections=tend_connections,
        reconcile=reconcile,
        watch_parcels=watch_parcels,
        renew_credentials=renew_credentials,
        disconnect=Disconnect(database, shops, stores, seal, clock, address=settings.address),
        erase=Erase(database, shops, seal, clock),
        recover=Recover(database, clock),
        fetch_sender_keys=FetchSenderKeys(database, shops, seal, partial(_download_key, web), clock),
        measure=Measure(database, clock, metrics),
        road=(process, ask, send),
        asking=asking,
    )


def build_door(service: Service) -> Door:
    """The door of a service; what it records wakes the service's loops at once."""
    return Door(
        service.database,
        service.shops,
        service.settings,
        service.clock,
        service.metrics,
        recorded=service.news,
        manifest=service.manifest,
    )


def create_app(service: Service) -> Flask:
    """The pages: connecting a shop, and what operators and their monitoring ask."""
    app = Flask("connector", static_folder=None)
    # A doubled slash is a wrong address, and no redirect to whatever the Host header says.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.register_blueprint(shared_files())
    app.register_blueprint(install_pages(service))
    settings = service.settings
    limit = RefusalLimit(settings.refusals_per_minute, client_header=settings.client_header)
    app.register_blueprint(document_pages(service.database, service.links, limit))

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


def _download_key(web: Web, url: str) -> str:
    return http.get_text(url, largest=LARGEST_SENDER_KEY, web=web)
