"""A stand-in of one Shopify shop: the real Admin schema, tokens that rotate, webhooks that retry and get lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from adapters.shopify.twin_api import AdminApi
from adapters.shopify.twin_browser import Browser, Shown, reload_address, with_query
from adapters.shopify.twin_goods import GOODS
from adapters.shopify.twin_oauth import Accounts
from adapters.shopify.twin_settings import Settings
from adapters.shopify.twin_state import Fulfillment, Order
from adapters.shopify.twin_store import Mail, Store
from adapters.shopify.twin_tracking import tracked
from adapters.shopify.twin_webhooks import FAILURES_TO_DELETE, Courier, Sent, Subscription
from adapters.twins import Answered, Asked, Faults, Truth, TwinServer
from connector.domain.clock import Clock


class ShopifyTwin:
    """One shop and the operator's app in it. Amounts of orders are in the customer's currency.

    Ids are the numbers of Shopify's documents, as text.
    """

    platform = "shopify"

    def __init__(
        self, clock: Clock, *, host: str = "demo.myshopify.com", routes: Mapping[str, str] | None = None, **knobs: Any
    ) -> None:
        """`routes`: where its webhooks and its merchant's browser find hosts; `knobs`: fields of `Settings`."""
        self.host = host
        self.base = f"https://{host}"
        self.faults = Faults()
        self.settings = Settings(host=host, **knobs)
        self.accounts = Accounts(self.settings, clock)
        self.courier = Courier(self.settings, self.faults, routes or {})
        self.store = Store(self.settings, clock, self.accounts, self.courier)
        self.api = AdminApi(self.store, self.faults)
        self.browser = Browser(routes or {}, self._own_page)
        self.server = TwinServer(self._answer, self.faults)
        self._grants = 0
        """How often the merchant said yes on the grant page of the code grant."""

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

    @property
    def mails(self) -> Sequence[Mail]:
        """What Shopify itself would have sent customers."""
        return self.store.mails

    @property
    def sent(self) -> Sequence[Sent]:
        """All webhooks that left, with the answers they got."""
        return self.courier.sent

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """Those the API made."""
        return self.courier.subscriptions

    # What the merchant does

    def approve(self, link: str) -> str:
        """Follow the link; where it leads to Shopify's grant page (code grant) say yes there and go where that leads.

        Any other page is an invitation: the app is installed and opened in the admin, where it begins.
        """
        before = self._grants
        shown = self.browser.go(link)
        return shown.address if self._grants > before else self.open_app().address

    def open_app(self, address: str = "", *, id_token: str = "") -> Shown:
        """Open the embedded app in the admin, installing it first where it is not; `id_token` for a stale or forged
        one. A page that asks App Bridge for a fresh token gets one."""
        if self.accounts.installed_at is None:
            self.store.install()
        token = id_token or self.id_token()
        shown = self.browser.go(
            f"{address or self.settings.application_url}?{self.accounts.launch_query(token)}", embedded=True
        )
        again = reload_address(shown)
        return self.browser.go(with_query(again, {"id_token": self.id_token()}), embedded=True) if again else shown

    def id_token(self, *, secret: str = "", age: timedelta = timedelta(0), **claims: object) -> str:
        """As App Bridge gives it; `age` makes a stale one, `secret` or other claims a forged one."""
        return self.accounts.id_token(secret=secret, age=age, **claims)

    def uninstall(self) -> None:
        with self.store.lock:
            self.store.uninstall()

    def grant(self, *scopes: str) -> None:
        """Change what the app may do to exactly this."""
        with self.store.lock:
            self.store.grant(frozenset(scopes))

    def rotate_secret(self, secret: str, *, keep_old: bool = True, signs_with_old: bool = False) -> None:
        """The operator makes a new client secret. Shopify may sign with the old one for up to an hour."""
        old = self.accounts.secrets[:1] if keep_old else []
        self.accounts.secrets = [secret, *old]
        if not signs_with_old:
            self.courier.signs_with = secret

    # What happens to orders

    def place_order(self, **changes: Any) -> str:
        """`email`, `paid`, `locale`, `lines` (as in twin_goods.GOODS), `presentment` and `rate` (its currency and how
        many of it are one of the shop's), `shipping`, and any other field of `twin_state.Order`."""
        with self.store.lock:
            paid = bool(changes.pop("paid", False))
            email, locale = str(changes.pop("email", "anna@people.test")), str(changes.pop("locale", ""))
            lines = changes.pop("lines", GOODS[:2])
            who = self.store.customer(email, locale)
            order = self.store.placed(who, lines, at=self.store.now(), **changes)
            order.locale = locale or order.locale
            self.store.checked_out(order, paid=paid)
            return str(order.id)

    def pay(self, order_id: str) -> None:
        with self.store.lock:
            self.store.pay(self._order(order_id))

    def ship(
        self,
        order_id: str,
        number: str = "",
        carrier: str = "",
        *,
        url: str = "",
        items: Mapping[int, int] | None = None,
        notify: bool = False,
    ) -> str:
        """All that remains at the first location with work; `items`: how many of which line, by place."""
        with self.store.lock:
            order = self._order(order_id)
            works = [work for work in order.fulfillment_orders() if work.status in ("OPEN", "IN_PROGRESS")][:1]
            if not works:
                raise ValueError("nothing of this order is left to send")
            tracking = (tracked(number or None, carrier or None, url or None),) if number or carrier or url else ()
            made = self.store.ship(order, [(work, items or {}) for work in works], tracking, notify=notify)
            return str(made.id)

    def add_tracking(self, fulfillment_id: str, number: str, carrier: str = "", *, notify: bool = False) -> None:
        """One more number for a parcel."""
        with self.store.lock:
            found = self._fulfillment(fulfillment_id)
            self.store.track(found, (*found.tracking, tracked(number, carrier or None, None)), notify=notify)

    def report(self, fulfillment_id: str, status: str, **more: Any) -> str:
        """A carrier's word, one of FulfillmentEventStatus; `more`: fields of `twin_state.Event`."""
        with self.store.lock:
            return str(self.store.report(self._fulfillment(fulfillment_id), status, **more).id)

    def cancel_shipment(self, fulfillment_id: str) -> None:
        with self.store.lock:
            self.store.cancel_fulfillment(self._fulfillment(fulfillment_id))

    def cancel(self, order_id: str, *, reason: str = "CUSTOMER", refund: bool = False) -> None:
        """As in the admin: only what has not been sent can be cancelled."""
        with self.store.lock:
            order = self._order(order_id)
            if any(line.fulfilled for line in order.lines) or order.cancelled_at:
                raise ValueError("Shopify cancels only orders of which nothing was sent")
            self.store.cancel(order, reason, refund=refund)

    def refund(self, order_id: str, amount: Decimal, *, note: str | None = None) -> None:
        with self.store.lock:
            order = self._order(order_id)
            if not 0 < amount <= order.received - order.refunded:
                raise ValueError("more than was paid cannot be refunded")
            self.store.refund(order, amount, note)

    def edit(self, order_id: str, line: Mapping[str, object] = GOODS[2]) -> None:
        """The merchant adds a line to the order."""
        with self.store.lock:
            self.store.add_line(self._order(order_id), line)

    def hold(self, order_id: str, *, held: bool = True) -> None:
        with self.store.lock:
            self.store.annotate(self._order(order_id), lambda order: setattr(order, "held", held))

    def write_note(self, order_id: str, note: str) -> None:
        """The merchant's own note, which an app's `orderUpdate` would overwrite."""
        with self.store.lock:
            self.store.annotate(self._order(order_id), lambda order: setattr(order, "note", note))

    def delete_order(self, order_id: str) -> None:
        with self.store.lock:
            self.store.remove(self._order(order_id))

    def grow(self, orders: int, *, since: datetime) -> None:
        with self.store.lock:
            self.store.grow(orders, since)

    # What the law asks for

    def ask_for_data(self, email: str) -> None:
        """A customer asks what is stored (customers/data_request)."""
        with self.store.lock:
            self.store.ask_for_data(self.store.book.customers[email])

    def redact_customer(self, email: str) -> None:
        """A customer is to be forgotten (customers/redact)."""
        with self.store.lock:
            self.store.redact(self.store.book.customers[email])

    # What the platform does

    def deliver(self) -> int:
        with self.store.lock:
            self.store.redact_shop_if_due()
        return self.courier.deliver(self.store.clock.now())

    def break_subscription(self) -> None:
        """As after eight failures in a row: those the API made are deleted; the TOML file's stay, and what waited for
        them is given up."""
        with self.store.lock:
            for subscription in [*self.courier.subscriptions]:
                subscription.failures = FAILURES_TO_DELETE
                self.courier.forget(subscription)
            self.courier.given_up.update(parcel.topic for parcel in self.courier.waiting)
            self.courier.waiting.clear()

    def lose_refresh_answer(self, times: int = 1) -> None:
        """The next refreshes rotate the tokens and are never answered."""
        self.accounts.lose_answers = times

    def expire_tokens(self) -> None:
        """All access tokens end now, as after their hour."""
        self.accounts.expire()

    # What there is

    def truth(self) -> Mapping[str, Truth]:
        with self.store.lock:
            return {str(order.id): _truth(order) for order in self.store.book.orders.values()}

    def notes(self, order_id: str) -> Sequence[str]:
        """The order's one note, if it has any."""
        note = self._order(order_id).note
        return [note] if note else []

    def tags(self, order_id: str) -> Sequence[str]:
        return self._order(order_id).tags

    def metafields(self, order_id: str) -> Mapping[str, str]:
        """Values by key, whatever their namespace."""
        return {one.key: one.value for one in self._order(order_id).metafields}

    def shipments(self, order_id: str) -> Sequence[Fulfillment]:
        """Also the cancelled ones."""
        return self._order(order_id).fulfillments

    def _order(self, order_id: str) -> Order:
        found = self.store.book.order(int(order_id))
        if found is None:
            raise KeyError(order_id)
        return found

    def _fulfillment(self, fulfillment_id: str) -> Fulfillment:
        found = self.store.book.fulfillment(int(fulfillment_id))
        if found is None:
            raise KeyError(fulfillment_id)
        return found

    def _answer(self, asked: Asked) -> Answered:
        parts = asked.path.strip("/").split("/")
        if asked.host.partition(":")[0] != self.host:
            return Answered(404, b'{"errors":"Not Found"}')
        if asked.method == "POST" and parts[:2] == ["admin", "api"] and parts[3:] == ["graphql.json"]:
            return self.api.answer(asked, parts[2])
        if asked.method == "POST" and asked.path == "/admin/oauth/access_token":
            with self.store.lock:
                return self.accounts.answer(asked)
        return Answered(404, b'{"errors":"Not Found"}')

    def _own_page(self, address: str) -> str | None:
        """The grant page of the code grant, where the merchant says yes: on to the app with a signed query."""
        parts = urlsplit(address)
        if parts.netloc != self.host or parts.path != "/admin/oauth/authorize":
            return None
        query = dict(parse_qsl(parts.query))
        uri = query.get("redirect_uri", "")
        if query.get("client_id") != self.settings.client_id or uri not in self.settings.redirect_urls:
            raise ConnectionError("Oauth error invalid_request: the client id or the redirect_uri is not the app's")
        self._grants += 1
        scopes = frozenset(scope for scope in query.get("scope", "").split(",") if scope)
        given = {"code": self.accounts.code(scopes or frozenset(self.settings.scopes)), "shop": self.host}
        return f"{uri}?{self.accounts.signed({**self._signed_place(), **given, **_state(query)})}"

    def _signed_place(self) -> Mapping[str, str]:
        return self.accounts.place() | {"timestamp": str(int(self.store.clock.now().timestamp()))}


def _state(query: Mapping[str, str]) -> Mapping[str, str]:
    return {"state": query["state"]} if "state" in query else {}


def _truth(order: Order) -> Truth:
    sent = (one for one in order.fulfillments if one.status != "CANCELLED")
    return Truth(
        order_id=str(order.id),
        number=order.name,
        status_word="cancelled" if order.cancelled_at else order.financial_status.lower(),
        total=order.total,
        refunded=order.refunded,
        tracking_numbers=frozenset(one.number for parcel in sent for one in parcel.tracking if one.number),
    )
