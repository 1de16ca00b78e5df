"""A stand-in of one Magento 2 shop: its admin, its customers, its REST API with OAuth 1.0a, and what it sends."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self

from adapters.magento.twin_errors import JSON_TYPE, internal_error, php_json
from adapters.magento.twin_events import Events, Pinger
from adapters.magento.twin_history import grow
from adapters.magento.twin_integrations import Integrations
from adapters.magento.twin_knobs import Knobs
from adapters.magento.twin_oauth import OAuth
from adapters.magento.twin_reads import Limits, Reads
from adapters.magento.twin_rest import Rest, event_routes
from adapters.magento.twin_rows import Note, Shipment
from adapters.magento.twin_sales import Mail, Sales
from adapters.magento.twin_subjects import describe
from adapters.magento.twin_truth import truth_of
from adapters.magento.twin_writes import Writes
from adapters.twins import Answered, Asked, Cut, Faults, Postman, Truth, TwinServer
from connector.domain.clock import Clock

CARRIERS = {"ups": "ups", "usps": "usps", "fedex": "fedex", "dhl": "dhl"}
MODULES = ("Magento_Store", "Magento_Sales", "Magento_Webapi", "Magento_Integration", "Magento_Shipping")
ASYNC_MODULES = ("MageOS_AsyncEvents", "MageOS_CommonAsyncEvents")

_HTML = "text/html; charset=UTF-8"
_MAINTENANCE = b"<!doctype html><title>503: Service Temporarily Unavailable</title><h1>Service Temporarily Unavailable"
_GONE = b"<!doctype html><title>404 Not Found</title><h1>Whoops, our bad...</h1>"


class MagentoTwin:
    """See adapters.twins.Twin; `knobs` are those of twin_knobs.Knobs."""

    platform = "magento"

    def __init__(self, clock: Clock, *, host: str, routes: Mapping[str, str] | None = None, **knobs: object) -> None:
        """`routes`: host -> `http://address:port` for its own calls and its merchant's browser. `knobs`: see Knobs."""
        self.knobs = Knobs(**knobs)  # type: ignore[arg-type]  # a wrong name or kind shows in the test that uses it
        self.host, self.base = host, f"https://{host}{self.knobs.path}"
        self.faults = Faults()
        self.maintenance = False
        """Every answer is Magento's 503 page."""
        self.retry_after = 0
        """What a refusal of too many requests asks to wait, seconds; 0: nothing, as Magento itself does."""
        self.limits = Limits(self.knobs.largest_page, self.knobs.pages_end)
        self.commit_lag = timedelta(0)
        """How long the transactions of the shop's people stay open; those of the API are committed at once."""
        self.server = TwinServer(self._answer, self.faults)
        self._clock = clock
        self._lock = threading.RLock()
        self._postman = Postman(routes or {}, timeout=15.0)
        self._events = Events(clock, self._postman, self.faults, self._described, installed=self.knobs.async_events)
        self._sales = Sales(clock, self.knobs.stores, self._events.publish, plain=self.knobs.plain_numbers)
        for state, words in self.knobs.statuses.items():
            self._sales.statuses.setdefault(state, set()).update(words)
        self._oauth = OAuth(clock, scheme="http" if self.knobs.offloader else "https", bearer=self.knobs.bearer)
        self._integrations = Integrations(self._oauth, clock, self.base, routes or {})
        self._rest = self._make_rest()

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)

    @property
    def routes(self) -> Mapping[str, str]:
        return {self.host: self.server.address}

    # System > Extensions > Integrations

    def approve(self, link: str) -> str:
        """The merchant copies both addresses from our page into a new integration, activates and allows it."""
        return self._integrations.approve(link)

    def activate(self, callback_url: str, identity_url: str) -> str:
        """Save and Activate of a new integration. Returns where the popup ended: `success_call_back` when all is well.

        Raises NotActivated when the callback cannot be reached or takes longer than 5 s; its answer does not matter.
        """
        return self._integrations.activate(callback_url, identity_url)

    def reauthorize(self) -> str:
        """The same for the newest integration again: its access token ends, its consumer key stays."""
        return self._integrations.reauthorize()

    def integration_tokens(self) -> dict[str, str]:
        """The four secrets the admin shows for pasting, of an integration without addresses (made if need be)."""
        with self._lock:
            return self._integrations.tokens()

    @property
    def success_call_back(self) -> str:
        """Where the popup must end, byte for byte."""
        return self._integrations.success_call_back

    @property
    def is_authorized(self) -> bool:
        """Whether an integration has its access token."""
        return any(one.is_active for one in self._oauth.integrations)

    def uninstall(self) -> None:
        """The merchant deletes all integrations. Nobody is told, and async-events go on posting."""
        with self._lock:
            self._oauth.integrations.clear()

    revoke = uninstall

    def grant(self, resources: Iterable[str] | None) -> None:
        """Tick these resources of the integration's API tab; None: all."""
        self._rest.granted = None if resources is None else frozenset(resources)

    # What happens in the shop

    def place_order(self, **changes: object) -> str:
        """`kind` (see twin_catalog.KINDS), `store_id`, `email`, `buyer`, `quantity`, `paid`."""
        paid = bool(changes.pop("paid", False))
        with self._transaction():
            order = self._sales.place(**changes)  # type: ignore[arg-type]  # a wrong name shows in the test
            if self.knobs.confirms_orders:
                self._sales.mail("order", order)
            if paid:
                self._sales.invoice(order.entity_id)
        return str(order.entity_id)

    def pay(self, order_id: str) -> None:
        with self._transaction():
            self._sales.invoice(int(order_id))

    def ship(
        self, order_id: str, number: str = "", carrier: str = "", *, items: Mapping[int, int] | None = None
    ) -> str:
        """`items`: how many of which order item; all that is left without it."""
        tracks = [(number, carrier or "Courier", CARRIERS.get(carrier.lower(), "custom"))] if number else []
        with self._transaction():
            return str(self._sales.ship(int(order_id), items, tracks).entity_id)

    def add_track(self, shipment_id: str, number: str, carrier: str = "") -> None:
        """Later, in the admin: the shipment is saved, but its row does not change."""
        with self._transaction():
            code = CARRIERS.get(carrier.lower(), "custom")
            self._sales.add_track(int(shipment_id), number, carrier or "Courier", code)
            self._sales.tell("shipment.saved", int(shipment_id), self._clock.now())

    def cancel(self, order_id: str) -> None:
        with self._transaction():
            self._sales.cancel(int(order_id))

    def refund(self, order_id: str, amount: Decimal) -> None:
        with self._transaction():
            self._sales.refund(int(order_id), amount)

    def edit(self, order_id: str, kind: str = "simple") -> str:
        """Returns the id of the order that takes its place."""
        with self._transaction():
            return str(self._sales.edit(int(order_id), kind).entity_id)

    def comment(self, order_id: str, words: str, *, notify: bool = False, status: str = "") -> None:
        """The merchant writes into the order's history."""
        with self._transaction():
            self._sales.comment(int(order_id), words, notified=int(notify), visible=int(notify), status=status)

    def set_status(self, order_id: str, status: str | None) -> None:
        """Another word for the same state, or none at all (an extension at work)."""
        with self._transaction():
            self._sales.write(replace(self._sales.order(int(order_id)), status=status))

    def hold(self, order_id: str) -> None:
        with self._transaction():
            self._sales.write(replace(self._sales.order(int(order_id)), state="holded", status="holded"))

    def touch(self, order_ids: Iterable[str]) -> None:
        """A mass update: all these orders are saved within one second, and nothing else about them changes."""
        with self._transaction():
            for order_id in order_ids:
                self._sales.write(self._sales.order(int(order_id)))

    def grow(self, orders: int, *, since: datetime) -> None:
        with self._lock:
            grow(self._sales, orders, since, self._clock.now())

    def send_mails(self, on: bool) -> None:
        """Stores > Configuration > Sales Emails."""
        self._sales.sends_mails = on

    # What can be seen

    @property
    def mails(self) -> list[Mail]:
        """What Magento itself mailed to customers."""
        return self._sales.mails

    def notes(self, order_id: str) -> tuple[Note, ...]:
        """The order's history, the newest first."""
        return self._sales.order(int(order_id)).notes

    def items(self, order_id: str) -> Mapping[str, int]:
        """The ids of an order's rows by SKU, for sending a part of it."""
        return {line.product.sku: line.item_id for line in self._sales.order(int(order_id)).lines}

    def shipments(self, order_id: str) -> tuple[Shipment, ...]:
        return self._sales.of_order(int(order_id))

    def truth(self) -> Mapping[str, Truth]:
        with self._lock:
            return truth_of(self._sales)

    # What it sends

    def ping(self, url: str, *, header: str, secret: str, broken: bool = False) -> None:
        """A Mageplaza-like hook posts to `url` at every save, before it is committed, and never again."""
        self._events.pinger = Pinger(url, header, secret, broken)

    def stop_pings(self) -> None:
        """The merchant deletes that hook."""
        self._events.pinger = None

    def deliver(self) -> int:
        return self._events.deliver()

    def break_subscription(self) -> None:
        """Async-events never switch a subscription off; the admin's mass action does."""
        for row in self._events.subscriptions.values():
            row.status = False

    @property
    def dead_letters(self) -> list[str]:
        """Events async-events gave up after all retries."""
        return self._events.dead

    def _make_rest(self) -> Rest:
        knobs = self.knobs
        modules = MODULES + (ASYNC_MODULES if knobs.async_events else ())
        reads = Reads(self._sales, knobs.stores, self.base, knobs.timezone, modules, self.limits)
        events = event_routes(self._events) if knobs.async_events else []
        routes = (*reads.routes(), *Writes(self._sales).routes(), *events)
        return Rest(self._oauth, routes, frozenset(store.code for store in knobs.stores), knobs.granted)

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._lock, self._sales, self.commit_lag)

    def _described(self, event: str, about: int) -> object | None:
        with self._lock:
            return describe(self._sales, event, about)

    def _answer(self, asked: Asked) -> Answered:
        with self._lock:
            trouble = self._trouble(asked)
            if trouble is not None:
                return trouble
            answered = self._serve(asked)
            if asked.method != "GET" and answered.status < 400 and self.faults.take("cut"):
                raise Cut
            return answered

    def _trouble(self, asked: Asked) -> Answered | None:
        if asked.host != self.host:
            return Answered(404, _GONE, content_type=_HTML)
        if self.maintenance:
            return Answered(503, _MAINTENANCE, content_type=_HTML)
        if self.faults.take("throttle"):
            headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
            return Answered(429, php_json({"message": "Too Many Requests"}), headers, JSON_TYPE)
        return internal_error().answered() if self.faults.take("fail") else None

    def _serve(self, asked: Asked) -> Answered:
        path = asked.path.removeprefix(self.knobs.path).removeprefix("/index.php")
        if not asked.path.startswith(self.knobs.path) or not path.startswith(("/rest/", "/oauth/token/")):
            return Answered(404, _GONE, content_type=_HTML)
        if path.startswith("/rest/"):
            self._sales.commit_after(timedelta(0))
            return self._rest.answer(asked, path.removeprefix("/rest"))
        return self._oauth.exchange(asked)


class _Transaction:
    """Something a person does in the shop: one after the other, committed after the lag."""

    def __init__(self, lock: threading.RLock, sales: Sales, lag: timedelta) -> None:
        self._lock, self._sales, self._lag = lock, sales, lag

    def __enter__(self) -> None:
        self._lock.acquire()
        self._sales.commit_after(self._lag)

    def __exit__(self, *_: object) -> None:
        self._sales.commit_after(timedelta(0))
        self._lock.release()
