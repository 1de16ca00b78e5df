"""How a twin sends webhooks: two kinds of subscriptions, eight more tries in four hours, and nothing in order."""

import itertools
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from adapters.shopify.twin_paper_parts import Paper
from adapters.shopify.twin_papers import encoded
from adapters.shopify.twin_schema import widened
from adapters.shopify.twin_settings import TOPIC_SCOPES, Settings
from adapters.twins import Faults, Postman
from connector.domain.signing import Encoding, HmacSignature
from webhooks.verification import sign

RETRIES = 8
_FIRST_WAIT: timedelta = timedelta(hours=4) / (2**RETRIES - 1)
FAILURES_TO_DELETE = 8
_SIGNATURE = HmacSignature(headers=("x-shopify-hmac-sha256",), encoding=Encoding.BASE64)


@dataclass(slots=True)
class Subscription:
    """One topic and where it goes."""

    typename: ClassVar[str] = "WebhookSubscription"
    topic: str
    uri: str
    id: int = 0
    """0: one of the TOML file, which the API does not show."""
    name: str | None = None
    include_fields: tuple[str, ...] = ()
    created_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    updated_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    failures: int = 0
    """One after the other."""

    @property
    def is_deleted(self) -> bool:
        """Only what the API made is ever deleted (shopify reference, section 2.3)."""
        return bool(self.id) and self.failures >= FAILURES_TO_DELETE


@dataclass(frozen=True, slots=True)
class Parcel:
    """A webhook on its way; body and address stay what they were at first."""

    due: datetime
    subscription: Subscription
    address: str
    topic: str
    about: int
    webhook_id: str
    event_id: str
    triggered_at: datetime
    body: bytes
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What left the twin, for assertions."""

    topic: str
    webhook_id: str
    address: str
    status: int | None
    """None: nobody answered."""
    body: bytes = field(repr=False)


def retry_wait(tries: int) -> timedelta:
    """After so many tries: doubling, four hours in all (shopify reference, section 2.3)."""
    return _FIRST_WAIT * (1 << (tries - 1))


class Courier:
    """Queues webhooks when something happens and sends them when told to."""

    def __init__(self, settings: Settings, faults: Faults, routes: Mapping[str, str]) -> None:
        self.subscriptions: list[Subscription] = []
        """Those made by the API."""
        self.sent: list[Sent] = []
        self.given_up: Counter[str] = Counter()
        """Webhooks that will never arrive, by topic."""
        self.waiting: list[Parcel] = []
        self.signs_with = settings.client_secret
        self._settings = settings
        self._faults = faults
        self._postman = Postman(routes, timeout=5.0)
        self._numbers = itertools.count(1)
        self._left = 0
        self._lock = threading.RLock()
        """Held while the queue changes, never while something is sent."""

    def tell(self, topic: str, paper: Paper, *, at: datetime, event: str, about: int, scopes: frozenset[str]) -> None:
        """Queue a topic's webhooks for every subscription that may have it. `about`: which order, for bursts."""
        if self._may(topic, scopes):
            for subscription in self._subscribed(topic):
                self._queue(subscription, topic, paper, at=at, event=event, about=about)

    def new_event(self) -> str:
        """The id shared by all webhooks of one thing that happened."""
        return self._uuid()

    def deliver(self, now: datetime) -> int:
        """Send what is due; returns how many were answered 2xx."""
        with self._lock:
            due = [parcel for parcel in self.waiting if parcel.due <= now]
            self.waiting = [parcel for parcel in self.waiting if parcel.due > now]
        if self._faults.reorder:
            due.reverse()
        return sum(self._send(parcel, now) for parcel in due)

    def forget(self, subscription: Subscription) -> None:
        """What still waits for a subscription that is gone never leaves."""
        with self._lock:
            gone = [parcel for parcel in self.waiting if parcel.subscription is subscription]
            self.given_up.update(parcel.topic for parcel in gone)
            self.waiting = [parcel for parcel in self.waiting if parcel.subscription is not subscription]
        self.subscriptions = [one for one in self.subscriptions if one is not subscription]

    def subscribe(self, subscription: Subscription) -> Subscription:
        made = replace(subscription, id=1_300_000_000_000 + next(self._numbers))
        self.subscriptions.append(made)
        return made

    def _may(self, topic: str, scopes: frozenset[str]) -> bool:
        return may_subscribe(topic, scopes, self._settings.approved)

    def _subscribed(self, topic: str) -> Iterator[Subscription]:
        yield from (one for one in self.subscriptions if one.topic == topic)
        if topic in self._settings.topics:
            yield Subscription(topic, self._settings.webhook_address, name=self._settings.subscription_name or None)

    def _queue(
        self, subscription: Subscription, topic: str, paper: Paper, *, at: datetime, event: str, about: int
    ) -> None:
        body = encoded(_only(paper, subscription.include_fields) if subscription.include_fields else paper)
        parcel = Parcel(at, subscription, subscription.uri, topic, about, self._uuid(), event, at, body)
        with self._lock:
            if topic == "orders/updated":
                self.waiting = [one for one in self.waiting if not self._swallows(parcel, one)]
            self.waiting.append(parcel)

    def _swallows(self, newer: Parcel, older: Parcel) -> bool:
        """Bursts of updates are coalesced (shopify reference, section 2.3)."""
        same = (older.topic, older.about, older.address) == (newer.topic, newer.about, newer.address)
        return same and not older.tries and newer.triggered_at - older.triggered_at < self._settings.coalesce

    def _send(self, parcel: Parcel, now: datetime) -> bool:
        if self._faults.silent or parcel.subscription.is_deleted or self._is_lost(parcel):
            self.given_up[parcel.topic] += 1
            return False
        arrived = self._post(parcel)
        if self._faults.duplicate:
            self._post(parcel)
        if arrived:
            parcel.subscription.failures = 0
        else:
            self._missed(parcel, now)
        return arrived

    def _is_lost(self, parcel: Parcel) -> bool:
        if parcel.tries or not self._faults.lose_every:
            return False
        self._left += 1
        return self._left % self._faults.lose_every == 0

    def _missed(self, parcel: Parcel, now: datetime) -> None:
        subscription, tries = parcel.subscription, parcel.tries + 1
        subscription.failures += 1
        if tries > RETRIES:
            self.given_up[parcel.topic] += 1
        else:
            with self._lock:
                self.waiting.append(replace(parcel, tries=tries, due=now + retry_wait(tries)))
        if subscription.is_deleted:
            self.forget(subscription)

    def _post(self, parcel: Parcel) -> bool:
        status = self._postman.post(parcel.address, self._headers(parcel), parcel.body)
        self.sent.append(Sent(parcel.topic, parcel.webhook_id, parcel.address, status, parcel.body))
        return status is not None and 200 <= status < 300

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": parcel.topic,
            "X-Shopify-Hmac-Sha256": sign(_SIGNATURE, parcel.body, self.signs_with),
            "X-Shopify-Shop-Domain": self._settings.host,
            "X-Shopify-API-Version": self._settings.webhook_version,
            "X-Shopify-Webhook-Id": parcel.webhook_id,
            "X-Shopify-Event-Id": parcel.event_id,
            "X-Shopify-Triggered-At": parcel.triggered_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return headers | ({"X-Shopify-Name": parcel.subscription.name} if parcel.subscription.name else {})

    def _uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self._settings.host}/{next(self._numbers)}"))


def may_subscribe(topic: str, scopes: frozenset[str], approved: frozenset[str]) -> bool:
    """Whether scopes and approvals reach for a topic (shopify reference, sections 1.5 to 1.7)."""
    scope = TOPIC_SCOPES.get(topic.partition("/")[0])
    if scope is None:
        return True
    return scope in widened(scopes) and "data" in approved


def _only(paper: Paper, fields: tuple[str, ...]) -> Paper:
    """The named fields, by dotted paths."""
    found: Paper = {}
    for path in fields:
        name, _, rest = path.partition(".")
        if name in paper:
            found[name] = _narrowed(paper[name], rest, found.get(name)) if rest else paper[name]
    return found


def _narrowed(value: object, path: str, before: object) -> object:
    if isinstance(value, list):
        old = before if isinstance(before, list) else [None] * len(value)
        return [_narrowed(one, path, earlier) for one, earlier in zip(value, old, strict=True)]
    if not isinstance(value, dict):
        return value
    return (before if isinstance(before, dict) else {}) | _only(value, (path,))
