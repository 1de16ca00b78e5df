"""Each platform's twin as the suite handles it: what a merchant pastes there, and what of us stands there."""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Protocol

import adapters
from adapters.contract import Manifest
from adapters.magento.twin import MagentoTwin
from adapters.magento.twin_events import Subscription as MagentoSubscription
from adapters.shopify.twin import ShopifyTwin
from adapters.shopify.twin_webhooks import Subscription as ShopifySubscription
from adapters.twins import Answered, Asked, Cut, Twin
from adapters.woocommerce.twin import WooCommerceTwin
from connector.domain.clock import Clock
from connector.domain.connection import App
from tests.contracts.fake_twin import FakeTwin
from tests.fake_connect import TOKEN

HOME = "https://connector.example.com"


@dataclass(frozen=True)
class Hook:
    """A webhook as the shop's owner sees it."""

    topic: str
    url: str


class OpenTwin(Twin, Protocol):
    """A twin with its server."""

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Counterpart(ABC):
    """A platform's twin."""

    twin: OpenTwin
    answers_over_http = True
    gives_tokens_once = False
    """What was handed over can be exchanged a single time."""
    tells_parcels_apart = False
    """Parcels and refunds are documents of their own, which stand in no order."""

    @property
    def manifest(self) -> Manifest:
        return adapters.manifest(self.twin.platform)

    def app(self) -> App:
        """The operator's app there."""
        return App()

    @contextmanager
    def answering(self, answer: Callable[[Asked], Answered]) -> Iterator[None]:
        """Something stands in front of the shop and answers for it."""
        server = self.twin.server
        genuine, server._answer = server._answer, answer
        try:
            yield
        finally:
            server._answer = genuine

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody answers: each connection is closed at once."""

        def hang_up(_: Asked) -> Answered:
            raise Cut

        with self.answering(hang_up):
            yield

    def back_again(self) -> None:
        """The shop lets us in again, as far as new keys do not."""
        return

    @abstractmethod
    def keys(self) -> Mapping[str, str]:
        """What the merchant copies from the shop's pages."""

    @abstractmethod
    def wrong_keys(self) -> Mapping[str, str]:
        """Of the right form, and unknown there."""

    @abstractmethod
    def hooks(self) -> list[Hook]:
        """All that are switched on."""

    @abstractmethod
    def add_hook(self, topic: str, url: str) -> None:
        """Somebody else, or an older life of ours, made this one."""

    def public_words(self) -> set[str]:
        """What stands among the credentials and is no secret."""
        return set()

    def parcels(self, order_id: str) -> int:
        """How many the shop has of an order."""
        return len(self.twin.shipments(order_id))  # type: ignore[attr-defined]  # of every real twin

    def events(self, order_id: str) -> list[str]:
        """What the shop was told of where an order's parcels are."""
        return self.notes(order_id)

    def fields(self, order_id: str) -> dict[str, str]:
        """Hidden fields of an order, as far as there are some."""
        return {}

    def notes(self, order_id: str) -> list[str]:
        """What stands in the order's history."""
        return [_words(note) for note in self.twin.notes(order_id)]  # type: ignore[attr-defined]  # same

    @property
    def mails(self) -> int:
        """How many mails the platform itself sent."""
        return len(self.twin.mails)  # type: ignore[attr-defined]  # same

    def is_finished(self, order_id: str) -> bool:
        """Whether the shop has put an order aside, where its status does not say that."""
        return False

    def shown_after(self, lag: timedelta) -> None:
        """From now on what happens is seen by the API only after a while."""
        raise NotImplementedError

    def touch(self, order_id: str) -> None:
        """An order moves to the end of the changes, and little else about it changes."""
        self.twin.pay(order_id)

    def stale_address(self, address: str) -> str:
        """Where we lived once."""
        return f"{address.rpartition('/')[0]}/the-key-of-an-earlier-life"

    def topic(self) -> str:
        """One of those we subscribe to."""
        return self.hooks()[0].topic


class FakeCounterpart(Counterpart):
    answers_over_http = False

    def __init__(self, clock: Clock, routes: Mapping[str, str], *, host: str = "shop.fake.example", **_: Any) -> None:
        self.twin: FakeTwin = FakeTwin(clock, host=host, routes=routes)

    @property
    def manifest(self) -> Manifest:
        return self.twin.manifest

    def keys(self) -> Mapping[str, str]:
        return {"token": TOKEN}

    def wrong_keys(self) -> Mapping[str, str]:
        return {"token": "a token that fits nowhere"}

    def back_again(self) -> None:
        self.twin.shop.tokens.add(TOKEN)

    def hooks(self) -> list[Hook]:
        endpoint = self.twin.shop.endpoint
        return [Hook(topic, endpoint.address if endpoint else "") for topic in sorted(self.twin.shop.topics)]

    def add_hook(self, topic: str, url: str) -> None:
        raise NotImplementedError("the fake shop has one place for webhooks")

    def parcels(self, order_id: str) -> int:
        return len(self.twin.shop.orders[order_id]["shipments"])


class ShopifyCounterpart(Counterpart):
    gives_tokens_once = True

    def __init__(self, clock: Clock, routes: Mapping[str, str], *, own_app: bool = False, **knobs: Any) -> None:
        home = f"{HOME}/connect/shopify/app"
        given: dict[str, Any] = {
            "host": "demo.myshopify.com",
            "application_url": home,
            "redirect_urls": (f"{home}/callback",),
            "webhook_address": f"{HOME}/webhooks/shopify",
        }
        if own_app:
            given |= {"public_app": False, "topics": ()}
        self.own_app = own_app
        self.twin: ShopifyTwin = ShopifyTwin(clock, routes=routes, **(given | knobs))
        if own_app:
            self.twin.store.install()

    def app(self) -> App:
        app = self.twin.settings
        return App() if self.own_app else App(app.client_id, (app.client_secret,))

    def keys(self) -> Mapping[str, str]:
        return {"client_id": self.twin.settings.client_id, "client_secret": self.twin.settings.client_secret}

    def wrong_keys(self) -> Mapping[str, str]:
        return {"access_token": "shpat_00000000000000000000000000000000"}

    def back_again(self) -> None:
        self.twin.store.install()

    def public_words(self) -> set[str]:
        return {self.twin.settings.client_id}

    def shown_after(self, lag: timedelta) -> None:
        self.twin.settings.search_lag = lag

    def touch(self, order_id: str) -> None:
        self.twin.write_note(order_id, "moved")

    def is_finished(self, order_id: str) -> bool:
        order = self.twin.store.book.order(int(order_id))
        return order is not None and order.closed_at is not None

    def hooks(self) -> list[Hook]:
        return [Hook(one.topic, one.uri) for one in self.twin.subscriptions]

    def add_hook(self, topic: str, url: str) -> None:
        self.twin.courier.subscribe(ShopifySubscription(topic, url))

    def fields(self, order_id: str) -> dict[str, str]:
        return dict(self.twin.metafields(order_id))

    def events(self, order_id: str) -> list[str]:
        parcels = self.twin.shipments(order_id)
        return [f"{parcel.id} {event.status} {event.happened_at}" for parcel in parcels for event in parcel.events]


class WooCommerceCounterpart(Counterpart):
    def __init__(
        self,
        clock: Clock,
        routes: Mapping[str, str],
        *,
        own_app: bool = False,
        host: str = "laden.example",
        **knobs: Any,
    ) -> None:
        self.twin: WooCommerceTwin = WooCommerceTwin(clock, host=host, routes=routes, **knobs)

    def fields(self, order_id: str) -> dict[str, str]:
        return {one.key: str(one.value) for one in self.twin.order(order_id).meta}

    def touch(self, order_id: str) -> None:
        self.twin.set_status(order_id, "on-hold")

    def keys(self) -> Mapping[str, str]:
        made = self.twin.make_key()
        return {"consumer_key": made.consumer_key, "consumer_secret": made.consumer_secret}

    def wrong_keys(self) -> Mapping[str, str]:
        return {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}

    def hooks(self) -> list[Hook]:
        return [Hook(one.topic, one.delivery_url) for one in self.twin.webhooks if one.status == "active"]

    def add_hook(self, topic: str, url: str) -> None:
        key = self.twin.make_key()
        pair = base64.b64encode(f"{key.consumer_key}:{key.consumer_secret}".encode()).decode()
        headers = {"host": self.twin.host, "authorization": f"Basic {pair}", "content-type": "application/json"}
        wanted = {"topic": topic, "delivery_url": url, "status": "active", "secret": "theirs"}
        path = f"{self.twin.base.removeprefix(f'https://{self.twin.host}')}/wp-json/wc/v3/webhooks"
        answered = self.twin.server.answer(Asked("POST", path, "", headers, json.dumps(wanted).encode()))
        assert answered.status == 201, answered.body


class MagentoCounterpart(Counterpart):
    gives_tokens_once = True
    tells_parcels_apart = True

    def __init__(
        self,
        clock: Clock,
        routes: Mapping[str, str],
        *,
        own_app: bool = False,
        host: str = "shop.example.com",
        **knobs: Any,
    ) -> None:
        self.twin: MagentoTwin = MagentoTwin(clock, host=host, routes=routes, **({"async_events": True} | knobs))

    def shown_after(self, lag: timedelta) -> None:
        self.twin.commit_lag = lag

    def touch(self, order_id: str) -> None:
        self.twin.touch([order_id])

    def stale_address(self, address: str) -> str:
        """Other shops of the same Magento may be ours too, so that only what leads to this very one is."""
        return f"{address}/an.event.of.an.earlier.life"

    def keys(self) -> Mapping[str, str]:
        return self.twin.integration_tokens()

    def wrong_keys(self) -> Mapping[str, str]:
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return {name: letter * 32 for name, letter in zip(names, "abcd", strict=True)}

    def hooks(self) -> list[Hook]:
        rows = self.twin._events.subscriptions.values()
        return [Hook(row.event_name, row.recipient_url) for row in rows if row.status]

    def add_hook(self, topic: str, url: str) -> None:
        rows = self.twin._events.subscriptions
        moment = self.twin._clock.now()
        rows[1_000 + len(rows)] = MagentoSubscription(1_000 + len(rows), topic, url, "theirs", moment)


def counterpart(platform: str, clock: Clock, routes: Mapping[str, str], **knobs: Any) -> Counterpart:
    """A platform's twin in a fresh shop. `own_app`: the operator has no app there. Other `knobs` are the twin's."""
    kinds: Mapping[str, Callable[..., Counterpart]] = {
        "fake": FakeCounterpart,
        "shopify": ShopifyCounterpart,
        "woocommerce": WooCommerceCounterpart,
        "magento": MagentoCounterpart,
    }
    return kinds[platform](clock, routes, **knobs)


def _words(note: object) -> str:
    return note if isinstance(note, str) else str(getattr(note, "words", "") or getattr(note, "comment", ""))
