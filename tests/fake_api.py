"""The fake platform's shops as they can be asked: a test sets what is in them and how they misbehave."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.contract import Api, Manifest, Offer, Pace, Store
from connector.domain.connection import (
    Credentials,
    Endpoint,
    Findings,
    Found,
    Page,
    Subscribed,
    Subscription,
    SubscriptionState,
)
from connector.domain.delivery import LookAgain
from connector.domain.errors import Permanent, Retryable
from tests import fake_platform
from tests.fake_connect import CONNECT, TOKEN
from tests.fake_platform import encoded

PACE = Pace(
    overlap=timedelta(minutes=5),
    grace=timedelta(minutes=2),
    with_webhooks=timedelta(hours=1),
    alone=timedelta(minutes=10),
)
TOPICS = ("order.created", "order.updated")
ACCESS_LASTS = timedelta(hours=1)


@dataclass
class FakeShop:
    """One shop: what is in it, who may ask, and what goes wrong there."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    parcels: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Documents of type `shipment`, by the parcel's id."""
    findings: Findings = field(default_factory=Findings)
    page_size: int = 10
    topics: set[str] = field(default_factory=set)
    """What is subscribed to."""
    endpoint: Endpoint | None = None
    calls: Counter[str] = field(default_factory=Counter)
    fails: Exception | None = None
    """Raised by every call until it is taken away."""
    fails_at: dict[str, Exception] = field(default_factory=dict)
    """Raised by the calls of this name until it is taken away."""
    hangs: threading.Event | None = None
    """Every call waits for it."""
    lead: Callable[[str, Page], Page] = lambda _cursor, page: page
    """What becomes of a page on its way."""
    answer: Callable[[LookAgain], Any] | None = None
    """What a hint is answered; without it the order itself."""
    prove: Callable[[Store, Offer], Credentials] = CONNECT.prove
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    """Access tokens that hold."""
    refresh: set[str] = field(default_factory=set)
    """Refresh tokens that hold: an old one until the new one is used for the first time."""
    lose_renewals: int = 0
    """So many renewals are carried out and never answered."""
    renewed: int = 0

    def put(self, document: dict[str, Any]) -> dict[str, Any]:
        """An order is placed or changes."""
        self.orders[document["id"]] = document
        return document

    def begin(self, name: str) -> None:
        self.calls[name] += 1
        if self.hangs:
            assert self.hangs.wait(30)
        error = self.fails_at.get(name) or self.fails
        if error:
            raise error


class FakeApi:
    """All shops of the fake platform, by host, and the manifest that asks them."""

    def __init__(self, pace: Pace = PACE, renew: Callable[[Store], Credentials] | None = None) -> None:
        self.renew = renew or self._renew
        """May be replaced by a test at any time."""
        self.shops: defaultdict[str, FakeShop] = defaultdict(FakeShop)
        self._lock = threading.Lock()
        self.api = Api(
            probe=self._probe,
            look=self._look,
            changes=self._changes,
            read=lambda delivery, shop: fake_platform.MANIFEST.parse(delivery, shop),
            pace=pace,
            subscribe=self._subscribe,
            unsubscribe=self._unsubscribe,
            renew=lambda store: self.renew(store),
            parcels=self._parcels,
            wake=self._wake,
        )

    @property
    def manifest(self) -> Manifest:
        connect = replace(CONNECT, prove=self._prove, signs_with=self._signs_with)
        return replace(fake_platform.MANIFEST, api=self.api, connect=connect)

    def _at(self, store: Store, name: str) -> FakeShop:
        """The shop that is asked. Raises Permanent for a token that does not hold there."""
        shop = self.shops[store.access.host]
        shop.begin(name)
        if store.access.credentials.values.get("token") not in shop.tokens:
            raise Permanent("The shop does not know this token. In Settings > API make a new one")
        return shop

    def _prove(self, store: Store, offer: Offer) -> Credentials:
        shop = self.shops[store.access.host]
        shop.begin("prove")
        return shop.prove(store, offer)

    def _signs_with(self, credentials: Credentials) -> tuple[str, ...]:
        own = credentials.values.get("app_secret")
        return (own,) if own else ()

    def _probe(self, store: Store) -> Findings:
        return self._at(store, "probe").findings

    def _look(self, store: Store, hint: LookAgain) -> bytes:
        shop = self._at(store, "look")
        if shop.answer:
            found = shop.answer(hint)
            return found if isinstance(found, bytes) else encoded(found)
        try:
            return encoded(shop.orders[hint.order_id or hint.subject_id])
        except KeyError:
            raise Retryable("there is no such order yet") from None

    def _changes(self, store: Store, since: datetime, cursor: str) -> Page:
        shop = self._at(store, "changes")
        rows = sorted((document["updated_at"], name) for name, document in shop.orders.items())
        after = tuple(cursor.split("|")) if cursor else ("", "")
        wanted = [row for row in rows if _moment(row[0]) >= since and row > after]
        found = tuple(_found(shop.orders[name]) for _, name in wanted[: shop.page_size])
        more = len(wanted) > shop.page_size
        return shop.lead(cursor, Page(found, "|".join(wanted[shop.page_size - 1]) if more else ""))

    def _subscribe(self, store: Store, endpoint: Endpoint) -> Subscribed:
        shop = self._at(store, "subscribe")
        shop.endpoint = endpoint
        repairs = tuple(f"{topic} was missing and is there again" for topic in TOPICS if topic not in shop.topics)
        shop.topics |= set(TOPICS)
        return Subscribed(tuple(Subscription(topic, SubscriptionState.ACTIVE) for topic in TOPICS), repairs)

    def _unsubscribe(self, store: Store, _endpoint: Endpoint) -> None:
        self._at(store, "unsubscribe").topics.clear()

    def _renew(self, store: Store) -> Credentials:
        """The old refresh token goes on holding until the new access token is used; the old access token ends by its
        own time."""
        shop = self.shops[store.access.host]
        shop.begin("renew")
        with self._lock:
            if store.access.credentials.values.get("refresh") not in shop.refresh:
                raise Permanent("The app was opened too long ago: open it once in the shop's admin")
            shop.renewed += 1
            fresh = self.grant(store.access.host, store.clock.now())
            if shop.lose_renewals:
                shop.lose_renewals -= 1
                raise Retryable("the connection broke")
        return fresh

    def grant(self, host: str, now: datetime) -> Credentials:
        """A new pair that holds at a shop for ACCESS_LASTS, as its platform would give it."""
        shop = self.shops[host]
        token, refresh = f"access-{shop.renewed}", f"refresh-{shop.renewed}"
        shop.tokens.add(token)
        shop.refresh.add(refresh)
        return Credentials({"token": token, "refresh": refresh}, now + ACCESS_LASTS, now + timedelta(days=90))

    def _wake(self, store: Store) -> None:
        self._at(store, "wake")

    def _parcels(self, store: Store, ids: tuple[str, ...]) -> tuple[Found, ...]:
        shop = self._at(store, "parcels")
        return tuple(
            Found(
                f"{name}:{shop.parcels[name]['shipment']['updated_at']}", "shipment", encoded(shop.parcels[name]), NOW
            )
            for name in ids
            if name in shop.parcels
        )


NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)


def _moment(words: str) -> datetime:
    return datetime.fromisoformat(words)


def _found(document: dict[str, Any]) -> Found:
    key = f"{document['id']}:{document['updated_at']}:{document['state']}"
    return Found(key, "order", encoded(document), _moment(document["updated_at"]))
