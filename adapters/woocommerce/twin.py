"""A stand-in of one WooCommerce shop that speaks its real REST API, grants keys and signs its real webhooks."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, Unpack, cast
from urllib.parse import urljoin, urlsplit

from adapters.twins import Answered, Asked, Cut, Faults, Truth, TwinServer
from adapters.woocommerce.twin_auth import AuthPages
from adapters.woocommerce.twin_desk import Desk
from adapters.woocommerce.twin_documents import encode
from adapters.woocommerce.twin_history import grow
from adapters.woocommerce.twin_orders import Checkout, Note, Order
from adapters.woocommerce.twin_outgoing import Outgoing
from adapters.woocommerce.twin_parcels import Parcel, Parcels, ship_meta
from adapters.woocommerce.twin_rest import Api, Error, php_query
from adapters.woocommerce.twin_rest_orders import OrderRoutes
from adapters.woocommerce.twin_rest_parcels import ParcelRoutes
from adapters.woocommerce.twin_rest_shop import ShopRoutes
from adapters.woocommerce.twin_rest_webhooks import WebhookRoutes
from adapters.woocommerce.twin_site import Key, Knobs, Mail, Site, User
from adapters.woocommerce.twin_webhooks import Hookshot, Webhook
from connector.domain.clock import Clock

HTML = "text/html; charset=UTF-8"
CRITICAL = "<p>There has been a critical error on this website.</p>"
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class Page:
    """Where the merchant's browser was."""

    address: str
    status: int
    text: str


class WooCommerceTwin:
    """See `adapters.twins.Twin`; what is special about WooCommerce is below its acts."""

    platform: str = "woocommerce"

    def __init__(
        self, clock: Clock, *, host: str, routes: Mapping[str, str] | None = None, **knobs: Unpack[Knobs]
    ) -> None:
        """`routes`: how the shop's own calls find hosts: host -> `http://127.0.0.1:port`. Knobs: `twin_site.Knobs`."""
        self.site = Site(clock, host=host, **knobs)
        self.host = host
        self.base = self.site.base
        self.faults = Faults()
        self.server = TwinServer(self._answer, self.faults)
        self.pages: list[Page] = []
        """Every page of the last `approve`, in order."""
        self._outgoing = Outgoing(routes or {}, self.site.home)
        self._hookshot = Hookshot(self.site, self._outgoing, self.faults)
        self._desk = self._hookshot.desk = Desk(self.site, self._hookshot.hook)
        self._parcels = Parcels(self.site, self._desk)
        self._desk.after_payment = self._parcels.after_payment
        self._auth = AuthPages(self.site, self._outgoing)
        shop = ShopRoutes()
        parts = (OrderRoutes(self._desk), WebhookRoutes(self._hookshot), ParcelRoutes(self._desk, self._parcels), shop)
        shop.listed = [route for part in parts for route in part.routes()]
        self._api = Api(self.site, shop.listed)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)

    @property
    def routes(self) -> Mapping[str, str]:
        """The shop's own host -> the server's address."""
        return {self.site.host: self.server.address}

    # -- what the merchant does

    def approve(self, link: str, *, clicks: int = 1, deny: bool = False) -> str:
        """Open a link as the merchant who is logged in, and press Approve (so often) or Deny on WooCommerce's page.

        Redirects are followed to the shop itself and to hosts with a route. Returns the last address; `pages` holds
        what was seen there.
        """
        self.pages = []
        here = link
        for _ in range(MOST_PAGES):
            page, onward = self._open(here)
            self.pages.append(page)
            button = _button(page.text, "wc-auth-deny" if deny else "wc-auth-approve")
            if onward is None and button and self._is_ours(here):
                onward = button
                for _ in range(0 if deny else clicks - 1):
                    self._open(button)
            if onward is None or not (self._is_ours(onward) or urlsplit(onward).netloc in self._outgoing.routes):
                return onward or here
            here = onward
        return here

    def make_key(self, permissions: str = "read_write", *, user: User | None = None) -> Key:
        """A key made by hand in Settings > Advanced > REST API, to be pasted."""
        with self.site.lock:
            number = self.site.next("key")
            made = Key(
                number,
                user or self.site.merchant,
                "By hand",
                permissions,
                f"ck_{self.site.token('key', number, length=40)}",
                f"cs_{self.site.token('secret', number, length=40)}",
            )
            self.site.keys.append(made)
        return made

    def uninstall(self) -> None:
        """The merchant deletes the keys; the webhooks stay, as nothing ties them to keys (reference, section 1)."""
        with self.site.lock:
            self.site.keys.clear()

    def demote(self, *, manages: bool = False) -> None:
        """The user whose keys and webhooks these are loses (or gets back) the right to manage the shop."""
        self.site.merchant.manages = manages

    def break_subscription(self) -> None:
        """What seven failures in a row do: every webhook is switched off, its counter stays at six."""
        with self.site.lock:
            for webhook in self._hookshot.webhooks.values():
                webhook.status, webhook.failure_count = "disabled", 6

    # -- what happens in the shop

    def place_order(self, **changes: object) -> str:
        """A customer orders through `via` (see `Checkout` for all changes). With the block checkout of versions before
        10.9 that is a draft first (section 0.11)."""
        self._hookshot.visited()
        wish = Checkout(**cast("dict[str, Any]", changes))
        with self.site.lock:
            if wish.via == "store-api" and not self.site.at_least("10.9"):
                order = self._open_checkout(wish)
            else:
                order = self._desk.draft(wish, status="pending")
                self._desk.announce(order, updated_first=wish.via == "store-api")
            self._finish(order, wish)
        return str(order.order_id)

    def open_checkout(self, **changes: object) -> str:
        """Somebody opens the block checkout of an old version and goes no further: a draft without an address."""
        self._hookshot.visited()
        wish = Checkout(**{**cast("dict[str, Any]", changes), "via": "store-api", "email": ""})
        with self.site.lock:
            return str(self._open_checkout(wish).order_id)

    def import_oddly(self, **changes: object) -> str:
        """A migration writes an order past WooCommerce: no hook, no mail, and no date of change (section 6)."""
        with self.site.lock:
            order = self._desk.draft(Checkout(**cast("dict[str, Any]", changes)), status="completed")
            order.undated = True
        return str(order.order_id)

    def pay(self, order_id: str) -> None:
        self._hookshot.visited()
        with self.site.lock:
            self._desk.pay(self._order(order_id), f"tx-{order_id}")

    def ship(self, order_id: str, number: str = "", carrier: str = "", *, notify: bool = False) -> str:
        """The merchant packs what is left: as a core fulfillment where that is on (the order's status stays), through
        the tracking plugin where one is there, else as plain meta; the last two complete the order."""
        with self.site.lock:
            order = self._order(order_id)
            if self.site.fulfillments:
                meta = ship_meta(self._parcels.pending(order) or list(order.lines), number, carrier)
                made = self._parcels.create(order, "fulfilled", meta, notify=notify)
                parcel = str(made.fulfillment_id)
            elif self.site.trackings == "none":
                self._desk.set_meta(order, "_tracking_number", number or None)
                self._desk.set_meta(order, "_tracking_provider", carrier or None)
                self._desk.change_status(order, "completed", by_hand=True)
                parcel = number
            else:
                given: dict[str, object] = {"tracking_number": number, "status_shipped": "1"}
                item = self._parcels.add_tracking(order, given | {"tracking_provider": carrier})
                if self.site.trackings == "official":
                    self._desk.change_status(order, "completed", by_hand=True)
                parcel = str(item["tracking_id"])
        self._hookshot.visited()
        return parcel

    def cancel(self, order_id: str) -> None:
        self.set_status(order_id, "cancelled")

    def set_status(self, order_id: str, status: str) -> None:
        """The merchant picks a status in wp-admin, whose next page wakes the queue."""
        with self.site.lock:
            self._desk.change_status(self._order(order_id), status, by_hand=True)
        self._hookshot.visited()

    def refund(self, order_id: str, amount: Decimal) -> None:
        """By hand, of an amount alone. Raises `twin_desk.Refused`."""
        with self.site.lock:
            self._desk.refund(self._order(order_id), amount, "As agreed")
        self._hookshot.visited()

    def trash(self, order_id: str) -> None:
        with self.site.lock:
            self._desk.trash(self._order(order_id))
        self._hookshot.visited()

    def restore(self, order_id: str) -> None:
        with self.site.lock:
            self._desk.restore(self._order(order_id))
        self._hookshot.visited()

    def force_delete(self, order_id: str) -> None:
        """Emptying the trash: no webhook tells it."""
        with self.site.lock:
            self._desk.delete(self._order(order_id))

    def edit_address(self, order_id: str, kind: str = "shipping", **fields: str) -> None:
        """`kind`: billing or shipping."""
        with self.site.lock:
            order = self._order(order_id)
            self._desk.edit_address(order, kind, fields)
            self._desk.save(order)
        self._hookshot.visited()

    def note(self, order_id: str, words: str, *, for_customer: bool = False) -> None:
        with self.site.lock:
            order = self._order(order_id)
            self._desk.add_note(order, words, for_customer=for_customer, author=self.site.merchant.name)

    def switch_mail(self, kind: str, on: bool) -> None:
        """One of WooCommerce's own mails (`customer_completed_order`) on or off."""
        self.site.options[f"email_{kind}", "enabled"] = "yes" if on else "no"

    def visit(self) -> None:
        """Somebody opens a page of the shop."""
        self._hookshot.visited()

    def grow(self, orders: int, *, since: datetime) -> None:
        with self.site.lock:
            grow(self.site, self._desk, orders, since=since)

    # -- what can be looked at

    def truth(self) -> Mapping[str, Truth]:
        with self.site.lock:
            return {str(order.order_id): self._truth(order) for order in self._desk.visible()}

    @property
    def mails(self) -> Sequence[Mail]:
        """What WooCommerce itself mailed to customers."""
        return self.site.mails

    @property
    def webhooks(self) -> Sequence[Webhook]:
        return list(self._hookshot.webhooks.values())

    @property
    def waiting(self) -> int:
        """How many deliveries are in the queue."""
        return len(self._hookshot.queue)

    def order(self, order_id: str) -> Order:
        """The shop's own record."""
        return self._order(order_id)

    def notes(self, order_id: str) -> Sequence[Note]:
        """The oldest first."""
        return list(self._order(order_id).notes)

    def shipments(self, order_id: str) -> Sequence[Parcel]:
        return list(self._parcels.all_of(self._order(order_id)))

    def deliver(self) -> int:
        """Run the queue: all of it with `cron="system"`; with `cron="visits"` what was there when somebody last came
        by, which helps once a minute (section 3.5)."""
        return self._hookshot.deliver()

    # -- inside

    def _order(self, order_id: str) -> Order:
        return self._desk.orders[int(order_id)]

    def _truth(self, order: Order) -> Truth:
        numbers = frozenset(parcel.number for parcel in self._parcels.all_of(order) if parcel.number)
        return Truth(
            order_id=str(order.order_id),
            number=f"{self.site.number_prefix}{order.order_id}",
            status_word=order.status,
            total=order.total,
            refunded=order.refunded,
            tracking_numbers=numbers,
        )

    def _open_checkout(self, wish: Checkout) -> Order:
        order = self._desk.draft(wish, status="checkout-draft")
        self._desk.announce(order)
        return order

    def _finish(self, order: Order, wish: Checkout) -> None:
        if wish.paid:
            self._desk.pay(order, f"tx-{order.order_id}")
        elif wish.payment_method == "bacs":
            self._desk.change_status(order, "on-hold")
        elif order.status == "checkout-draft":
            self._desk.change_status(order, "pending")

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).netloc in (self.site.host, self.site.own_host)

    def _open(self, url: str) -> tuple[Page, str | None]:
        """(what the browser shows, where it is sent on)."""
        parts = urlsplit(url)
        if self._is_ours(url):
            asked = Asked("GET", parts.path or "/", parts.query, {"host": parts.netloc}, b"")
            answered = self._page(asked, self.site.merchant)
            page = Page(url, answered.status, answered.body.decode("utf-8", "replace"))
            return page, answered.headers.get("Location")
        headers = (("Host", parts.netloc), ("User-Agent", "Mozilla/5.0 Merchant"), ("Connection", "close"))
        answer = self._outgoing.send("GET", url, headers, timeout=self.site.delivery_timeout)
        if answer is None:
            return Page(url, 0, ""), None
        onward = urljoin(url, answer.location) if 300 <= answer.status < 400 and answer.location != url else None
        return Page(url, answer.status, answer.body.decode("utf-8", "replace")), onward

    def _answer(self, asked: Asked) -> Answered:
        self._hookshot.visited()
        route = self._route(asked)
        if route is None:
            return self._page(asked, self._visitor(asked))
        if self.site.firewall:
            text = "<html><body><h1>Your access to this site has been limited</h1></body></html>"
            return Answered(self.site.firewall, text.encode(), {}, HTML)
        if self.faults.take("throttle"):
            return Answered(429, b"<html><body>Too Many Requests</body></html>", {"Retry-After": "2"}, HTML)
        if self.faults.take("fail"):
            data: dict[str, object] = {"status": 500}
            document = {"code": "internal_server_error", "message": CRITICAL, "data": data, "additional_errors": []}
            return Answered(500, encode(document))
        answered = self._rest(asked, route)
        if asked.method not in ("GET", "HEAD") and self.faults.take("cut"):
            raise Cut
        return answered

    def _rest(self, asked: Asked, route: str) -> Answered:
        """Pings leave before the answer does, and without the lock: a receiver may ask us meanwhile."""
        to_ping: list[Webhook] = []
        try:
            with self.site.lock:
                call = self._api.call(asked, route)
                to_ping = call.to_ping
                answered = self._api.answer(call)
        except Error as error:
            answered = Answered(error.status, encode(error.document), error.headers)
        for webhook in to_ping:
            self._hookshot.ping(webhook)
        return self._with_headers(answered)

    def _with_headers(self, answered: Answered) -> Answered:
        api = f'<{self.site.home}/{self.site.rest_prefix}/>; rel="https://api.w.org/"'
        links = ", ".join(filter(None, (api, answered.headers.get("Link"))))
        headers = {
            "X-Robots-Tag": "noindex",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
            **answered.headers,
            "Link": links,
        }
        return Answered(answered.status, answered.body, headers, answered.content_type)

    def _route(self, asked: Asked) -> str | None:
        """The API's route a request names; None for a page."""
        path, prefix = self._below(asked.path), self.site.rest_prefix
        if not prefix:
            named = php_query(asked.query).get("rest_route")
            return str(named) if named else None
        if path == f"/{prefix}" or path.startswith(f"/{prefix}/"):
            return path.removeprefix(f"/{prefix}").rstrip("/") or "/"
        return None

    def _below(self, path: str) -> str:
        return path.removeprefix(self.site.path) or "/" if path.startswith(self.site.path) else ""

    def _visitor(self, asked: Asked) -> User | None:
        return self.site.merchant if "wordpress_logged_in" in asked.headers.get("cookie", "") else None

    def _page(self, asked: Asked, user: User | None) -> Answered:
        path, query = self._below(asked.path), php_query(asked.query)
        auth = re.fullmatch(r"/wc-auth/v1/([\w-]+)/?", path) if self.site.rest_prefix else None
        named = auth[1] if auth else query.get("wc-auth-route") if path == "/" else None
        if named:
            return self._auth.answer(str(named), query, user)
        if path == "/wp-cron.php":
            return Answered(200, b"", {}, HTML)
        if path != "/":
            return Answered(404, b"<html><body>Page not found</body></html>", {}, HTML)
        prefix = self.site.rest_prefix
        api = f"{self.site.home}/{prefix}/" if prefix else f"{self.site.home}/index.php?rest_route=/"
        text = f"<html><head><title>{html.escape(self.site.title)}</title></head><body></body></html>"
        return Answered(200, text.encode(), {"Link": f'<{api}>; rel="https://api.w.org/"'}, HTML)


def _button(text: str, name: str) -> str | None:
    found = re.search(rf'<a href="([^"]+)" class="{name}"', text)
    return html.unescape(found[1]) if found else None
