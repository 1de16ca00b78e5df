"""The door: who knocks, is it genuine, and only then into the inbox; knows nothing of the web server around it."""

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import parse_qs

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from adapters.contract import Manifest
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.delivery import Delivery
from connector.domain.errors import UnverifiedDelivery
from connector.domain.shop import Shop
from connector.domain.signing import Reply, Secrets, StaticSecret
from connector.group_commit import GroupCommit
from connector.observability import Metrics
from connector.settings import Settings
from connector.shop_directory import ShopDirectory
from connector.tables import inbox, sender_keys
from connector.tables.inbox import Recorded
from webhooks.limits import RefusalLimit
from webhooks.verification import KeyNotYetKnown, is_ping, verify

log = logging.getLogger(__name__)

PREFIX = "/webhooks/"
_NOT_KEPT = frozenset({"authorization", "proxy-authorization", "cookie", "connection", "accept-encoding", "accept"})
_LONGEST_CHALLENGE = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender reads."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as far as its headers: enough to know whether its body is worth reading."""

    manifest: Manifest
    shop: Shop
    secrets: Secrets
    path_event: str
    headers: Mapping[str, str]
    client: str
    """Whom a refusal is counted for; empty when that cannot be told."""


class Door:
    """Takes webhooks. Every refusal is counted with its reason and answered with one that a person can act on."""

    def __init__(
        self,
        database: Database,
        shops: ShopDirectory,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
        *,
        recorded: Callable[[], None],
        manifest: Callable[[str], Manifest],
    ) -> None:
        """`recorded` is called after each commit, from the committing thread."""
        self.largest = settings.largest_delivery_bytes
        self._database = database
        self._shops = shops
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._manifest = manifest
        self._limit = RefusalLimit(settings.refusals_per_minute, client_header=settings.client_header)
        self._inbox: GroupCommit[Recorded, bool] = GroupCommit(
            database, self._write, name="inbox-writer", committed=recorded
        )

    def knock(
        self, method: str, path: str, query: str, headers: Iterable[tuple[str, str]], *, peer: str = ""
    ) -> Knock | Answer:
        """Look at a request before its body: an Answer ends it here. `peer`: the other end as `address:port`."""
        sent = _joined(headers)
        client = self._limit.client(peer, sent)
        if self._limit.is_over(client):
            return self.refuse("any", "too many refusals", 429, "Refused too often; wait a minute.", retry_after=60)
        parts = _parts(path)
        try:
            manifest = self._manifest(parts[0])
            found = self._shop(manifest, parts, sent)
        except KeyError:
            self._limit.count(client)
            return self.refuse("unknown", "unknown platform", 404, "There is no such platform here.")
        except SQLAlchemyError:
            log.exception("shops cannot be looked up")
            return self.refuse("any", "storage", 503, "Not now; please try again.", retry_after=30)
        if found is None or len(parts) > 3:
            self._limit.count(client)
            return self.refuse(manifest.name, "unknown shop", 404, "No shop is connected at this address.")
        if method == "GET":
            return self._challenge(manifest, query)
        if method != "POST":
            return self.refuse(manifest.name, "method", 405, "Webhooks come by POST.")
        event = parts[2][:128] if len(parts) > 2 else ""
        return self._body_is_welcome(sent) or Knock(manifest, *found, event, sent, client)

    def enter(self, knock: Knock, body: bytes) -> "Answer | tuple[Future[bool], Reply]":
        """Verify the whole request.

        A genuine one is on its way into the inbox: the reply may be given once the future is done, and not before (P1).
        """
        manifest, shop = knock.manifest, knock.shop
        if is_ping(manifest.ping, knock.headers, body):
            self._metrics.accepted.labels(manifest.name, "ping").inc()
            assert manifest.ping is not None  # noqa: S101  # for mypy: is_ping looked
            return _as_answer(manifest.ping.reply)
        try:
            reply = verify(manifest.signatures, knock.headers, body, knock.secrets)
        except UnverifiedDelivery as error:
            self._limit.count(knock.client)
            return self.refuse(manifest.name, "signature", 401, str(error))
        except KeyNotYetKnown as error:
            self._want_key(shop, error.url)
            return self.refuse(manifest.name, "key not here yet", 503, str(error), retry_after=60)
        left_out = _not_kept(manifest)
        kept = {name: value for name, value in knock.headers.items() if name not in left_out}
        delivery = Delivery(manifest.name, kept, body, self._clock.now(), knock.path_event)
        item = Recorded(shop.shop_id, inbox.new_delivery_id(), manifest.idempotency_key(delivery), delivery)
        return self._inbox.submit(item), reply

    def written(self, knock: Knock, written: "Future[bool]", reply: Reply) -> Answer:
        """The answer after the commit; 503 when it failed, so that the sender tries again."""
        error = written.exception()
        if error is not None:
            log.error("deliveries could not be written: %s", error)
            return self.refuse(knock.manifest.name, "storage", 503, "The delivery could not be kept.", retry_after=30)
        self._metrics.accepted.labels(knock.manifest.name, "new" if written.result() else "known").inc()
        return _as_answer(reply)

    def refuse(self, platform: str, reason: str, status: int, says: str, *, retry_after: int = 0) -> Answer:
        """Count a refusal and say it."""
        self._metrics.refused.labels(platform, reason).inc()
        headers = (("retry-after", str(retry_after)),) if retry_after else ()
        return Answer(status, says.encode(), headers=headers)

    def stop(self) -> None:
        """Commit what is on its way."""
        self._inbox.stop()

    def is_quick(self, path: str, headers: Iterable[tuple[str, str]]) -> bool:
        """Whether `knock` can answer from memory: when it asks the database, no other request should wait for that."""
        parts = _parts(path)
        try:
            sent = _joined(headers) if len(parts) == 1 else {}
            kind, name = _shop_name(self._manifest(parts[0]), parts, sent)
        except KeyError:
            return True
        return self._shops.remembers(kind, parts[0], name)

    def _shop(self, manifest: Manifest, parts: list[str], headers: Mapping[str, str]) -> tuple[Shop, Secrets] | None:
        kind, name = _shop_name(manifest, parts, headers)
        if kind == "key":
            return self._shops.by_key(manifest.name, name)
        found = self._shops.by_host(manifest.name, name) if name else None
        if found is None:
            return None
        # The header that names the shop is not signed, but the app's own secret covers all its shops.
        return found[0], Secrets(self._settings.app_secrets_of(manifest.name))

    def _challenge(self, manifest: Manifest, query: str) -> Answer:
        asked = parse_qs(query).get(manifest.challenge.parameter, [""])[0] if manifest.challenge else ""
        if not asked or len(asked) > _LONGEST_CHALLENGE or not asked.isascii() or not asked.isprintable():
            return self.refuse(manifest.name, "method", 405, "This address is alive. Webhooks come by POST.")
        return Answer(200, asked.encode(), headers=(("x-content-type-options", "nosniff"),))

    def _body_is_welcome(self, headers: Mapping[str, str]) -> Answer | None:
        if headers.get("content-encoding", "identity") != "identity":
            return self.refuse("any", "encoding", 415, "Send the body as it is, without Content-Encoding.")
        announced = headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit():
            return self.refuse("any", "length", 400, "Content-Length is not a number.")
        if int(announced) > self.largest:
            return self.refuse("any", "size", 413, f"The body may have {self.largest} bytes at most.")
        return None

    def _want_key(self, shop: Shop, url: str) -> None:
        path = "/" + url.split("/", 3)[3]
        with self._database.write() as connection:
            sender_keys.want(self._database, connection, shop.shop_id, url, path, self._clock.now())

    def _write(self, connection: sa.Connection, items: list[Recorded]) -> list[bool]:
        return inbox.record(self._database, connection, items)


def _parts(path: str) -> list[str]:
    """Platform, shop key and event, as far as the address holds them."""
    return path[len(PREFIX) :].strip("/").split("/")


def _shop_name(manifest: Manifest, parts: list[str], headers: Mapping[str, str]) -> tuple[str, str]:
    """By what the shop is known: the key in the address, or the host that an app's delivery names in a header."""
    if len(parts) > 1 and parts[1]:
        return "key", parts[1]
    named = next((headers[name] for name in manifest.shop_headers if name in headers), "")
    return "host", (manifest.shop_host(named) if manifest.shop_host and named else None) or ""


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; one sent twice is joined, so that a second signature cannot hide behind the first."""
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


def _not_kept(manifest: Manifest) -> frozenset[str]:
    """Headers that hold a secret, or say nothing about the delivery."""
    secret = {name for one in manifest.signatures if isinstance(one, StaticSecret) for name in one.headers}
    return _NOT_KEPT | secret


def _as_answer(reply: Reply) -> Answer:
    return Answer(reply.status, reply.body, reply.content_type)
