"""What happens in a twin's shop: customers order, the merchant ships and refunds, carriers report, webhooks follow."""

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.shopify.twin_goods import CUSTOMERS, GOODS, customer
from adapters.shopify.twin_oauth import Accounts
from adapters.shopify.twin_paper_parts import Paper
from adapters.shopify.twin_papers import Papers
from adapters.shopify.twin_settings import Settings
from adapters.shopify.twin_state import (
    FIRST_ROOM,
    Book,
    Customer,
    Event,
    Fulfillment,
    FulfillmentOrder,
    Line,
    Order,
    Refund,
    Tracking,
    Transaction,
)
from adapters.shopify.twin_webhooks import Courier
from connector.domain.clock import Clock

REDACT_AFTER = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail the platform itself would have sent a customer."""

    order_id: str
    kind: str
    """`order_confirmation`, `shipping_confirmation`, `shipping_update`, `out_for_delivery`, `delivered`, `invoice`."""
    to: str


class Store:
    """One shop: its book, its app's installation, and its webhooks. All acts hold `lock`."""

    def __init__(self, settings: Settings, clock: Clock, accounts: Accounts, courier: Courier) -> None:
        self.settings = settings
        self.clock = clock
        self.accounts = accounts
        self.courier = courier
        self.papers = Papers(settings)
        self.book = Book()
        self.mails: list[Mail] = []
        self.lock = threading.RLock()
        self.changes = 0
        """Counts what changed any order: whatever was sorted before is stale."""
        self._redact_at: datetime | None = None
        self._places = itertools.count()

    def now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    def placed(
        self,
        who: Customer,
        lines: Iterable[Mapping[str, object]],
        *,
        at: datetime,
        presentment: str = "",
        rate: Decimal = Decimal(1),
        shipping: Decimal = Decimal("4.90"),
        **more: object,
    ) -> Order:
        """An order in the book, without a word to anybody."""
        settings, place = self.settings, next(self._places)
        order = Order(
            room=FIRST_ROOM + place,
            number=1001 + place,
            created_at=at,
            updated_at=at,
            customer=who,
            currency=settings.currency,
            presentment=presentment or settings.currency,
            rate=rate,
            tax_rate=settings.tax_rate,
            tax_title=settings.tax_title,
            taxes_included=settings.taxes_included,
            shipping=shipping,
            email=who.email,
            locale=who.locale,
        )
        order.lines = [Line(order=order, place=number, **line) for number, line in enumerate(lines)]  # type: ignore[arg-type]
        for line in order.lines:
            line.current_quantity = line.quantity
        for name, value in more.items():
            if not hasattr(order, name):
                raise TypeError(f"a Shopify order has no {name!r}")
            setattr(order, name, value)
        self.book.orders[order.room] = order
        self.changes += 1
        return order

    def checked_out(self, order: Order, *, paid: bool) -> None:
        """The customer is through: what a checkout sets off."""
        self._note(order, "confirmed", f"{order.customer.display_name} placed this order")
        topics = ["orders/create", "orders/updated"]
        if paid:
            self._pay(order)
            topics.insert(1, "orders/paid")
        self.mails.append(Mail(str(order.id), "order_confirmation", order.email))
        self._tell_order(order, *topics)

    def pay(self, order: Order) -> None:
        if order.outstanding and not order.cancelled_at:
            transaction = self._pay(order)
            self.touch(order)
            self._tell_order(order, "orders/paid", "orders/updated", also=self._transaction_news(transaction))

    def ship(
        self,
        order: Order,
        works: Iterable[tuple[FulfillmentOrder, Mapping[int, int]]],
        tracking: tuple[Tracking, ...],
        *,
        notify: bool,
    ) -> Fulfillment:
        """A parcel; `works`: of which work how many of which line (by place; empty: all that remains)."""
        lines = [part for work, wanted in works for part in _taken(work, wanted)]
        now = self.now()
        made = Fulfillment(order, len(order.fulfillments), now, now, lines[0][0].location, tuple(lines), tracking)
        for line, quantity in lines:
            line.fulfilled += quantity
        order.fulfillments.append(made)
        self._note(order, "fulfillment_success", f"{sum(quantity for _, quantity in lines)} items were fulfilled")
        done = order.fulfillment_status == "FULFILLED"
        if done and self.settings.auto_archive and order.financial_status == "PAID":
            order.closed_at = now
        if notify:
            self.mails.append(Mail(str(order.id), "shipping_confirmation", order.email))
        self.touch(order)
        topic = "orders/fulfilled" if done else "orders/partially_fulfilled"
        news = {"fulfillments/create": self.papers.fulfillment(made)}
        self._tell_order(order, topic, "orders/updated", also=news)
        return made

    def track(self, fulfillment: Fulfillment, tracking: tuple[Tracking, ...], *, notify: bool) -> None:
        """Other tracking numbers instead of those before."""
        fulfillment.tracking = tracking
        if notify:
            self.mails.append(Mail(str(fulfillment.order.id), "shipping_update", fulfillment.order.email))
        self._changed(fulfillment)

    def cancel_fulfillment(self, fulfillment: Fulfillment) -> None:
        fulfillment.status = "CANCELLED"
        for line, quantity in fulfillment.lines:
            line.fulfilled -= quantity
        fulfillment.order.closed_at = None
        self._changed(fulfillment)

    def report(self, fulfillment: Fulfillment, status: str, **more: object) -> Event:
        """A carrier's (or an app's) word about a parcel."""
        now, order = self.now(), fulfillment.order
        happened = more.pop("happened_at", None) or now
        made = Event(fulfillment, order.new_id(), status, happened, now, **more)  # type: ignore[arg-type]
        fulfillment.events.append(made)
        fulfillment.updated_at = now
        event = self.courier.new_event()
        if self.settings.events_touch_orders:
            self.touch(order)
            self._tell("orders/updated", self.papers.order(order), order, event)
        self._tell("fulfillment_events/create", self.papers.event(made), order, event)
        self._tell("fulfillments/update", self.papers.fulfillment(fulfillment), order, event)
        return made

    def cancel(self, order: Order, reason: str, *, refund: bool) -> None:
        """Whatever was not sent goes back to stock, which Shopify writes as a refund, also when it has no money."""
        order.cancelled_at, order.cancel_reason = self.now(), reason
        lines = tuple((line, line.remaining, "CANCEL") for line in order.lines if line.remaining)
        self._refund(order, lines, order.received - order.refunded if refund else Decimal(0), shipping=refund)
        self._note(order, "cancelled", "This order was canceled")
        self.touch(order)
        news = {"refunds/create": self.papers.refund(order.refunds[-1])}
        self._tell_order(order, "orders/cancelled", "orders/updated", also=news)

    def refund(self, order: Order, amount: Decimal, note: str | None) -> Refund:
        """All that is left to refund takes back the lines too; less is money only, a discrepancy."""
        whole = amount == order.received
        lines = tuple((line, line.current_quantity, _restock(line)) for line in order.lines) if whole else ()
        made = self._refund(order, lines, amount, shipping=whole, note=note)
        self.touch(order)
        self._tell_order(order, "orders/updated", also={"refunds/create": self.papers.refund(made)})
        return made

    def add_line(self, order: Order, line: Mapping[str, object]) -> Line:
        """The merchant edits the order."""
        added = Line(order=order, place=len(order.lines), **line)  # type: ignore[arg-type]
        added.current_quantity = added.quantity
        order.original_total = order.original_total or order.total
        order.lines.append(added)
        self.touch(order)
        paper = self.papers.edit(order, order.new_id(), added, self.now())
        self._tell_order(order, "orders/updated", also={"orders/edited": paper})
        return added

    def annotate(self, order: Order, change: Callable[[Order], object]) -> None:
        """Any smaller change of an order, which is an update like the others."""
        change(order)
        self.touch(order)
        self._tell_order(order, "orders/updated")

    def remove(self, order: Order) -> None:
        """The merchant deletes it; nothing but its id is told."""
        self._tell("orders/delete", {"id": order.id}, order, self.courier.new_event())
        del self.book.orders[order.room]
        self.changes += 1

    def install(self) -> None:
        """The merchant says yes on Shopify's own grant screen (managed installation)."""
        self.accounts.install(frozenset(self.settings.scopes))
        self._redact_at = None

    def uninstall(self) -> None:
        if self.accounts.installed_at is None:
            return
        now = self.clock.now()
        scopes = self.accounts.scopes
        self.courier.tell(
            "app/uninstalled",
            self.papers.shop(),
            at=now,
            event=self.courier.new_event(),
            about=0,
            scopes=scopes,
        )
        self.courier.subscriptions.clear()
        self.accounts.end()
        self._redact_at = now + REDACT_AFTER

    def grant(self, scopes: frozenset[str]) -> None:
        """The merchant (or a new release of the app) changes what the app may do."""
        before, self.accounts.scopes = self.accounts.scopes, scopes
        paper: Paper = {
            "id": 1,
            "shop_id": f"gid://shopify/Shop/{self.settings.shop_id}",
            "previous": sorted(before),
            "current": sorted(scopes),
            "updated_at": self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        self._tell_app("app/scopes_update", paper)

    def ask_for_data(self, who: Customer) -> None:
        paper = self._person(who) | {"data_request": {"id": 9_000 + len(self.courier.sent)}}
        self._tell_app("customers/data_request", paper | {"orders_requested": self._orders_of(who)})

    def redact(self, who: Customer) -> None:
        """Later of ten days after the request and two months after the last order, which the twin leaves out."""
        self._tell_app("customers/redact", self._person(who) | {"orders_to_redact": self._orders_of(who)})

    def redact_shop_if_due(self) -> None:
        if self._redact_at is not None and self.clock.now() >= self._redact_at:
            self._redact_at = None
            self._tell_app("shop/redact", {"shop_id": self.settings.shop_id, "shop_domain": self.settings.host})

    def touch(self, order: Order) -> None:
        """It changed now; the search may hear of it later."""
        now = self.now()
        if now - order.updated_at >= self.settings.search_lag:
            order.indexed_at = order.updated_at
        order.updated_at = now
        self.changes += 1

    def indexed(self, order: Order) -> datetime | None:
        """When the search thinks the order changed; None: it has not heard of it."""
        if self.settings.search_lag and self.now() - order.updated_at < self.settings.search_lag:
            return order.indexed_at
        return order.updated_at

    def customer(self, email: str, locale: str = "") -> Customer:
        if email not in self.book.customers:
            place = len(self.book.customers)
            self.book.customers[email] = customer(place, email, locale or self.settings.locale, self.now())
        return self.book.customers[email]

    def grow(self, count: int, since: datetime) -> None:
        """History: most orders paid and sent, some not, some refunded or cancelled."""
        now = self.now()
        step = (now - since) / max(count, 1)
        for number in range(count):
            at = (since + step * number).replace(microsecond=0)
            who = self.customer(f"customer{number % CUSTOMERS}@people.test", ("de", "en", "fr", "el")[number % 4])
            goods = [{**GOODS[(number + more) % len(GOODS)]} for more in range(1 + number % 3)]
            order = self.placed(who, goods, at=at)
            self._live(order, number, now)

    def _live(self, order: Order, number: int, now: datetime) -> None:
        def later(hours: int) -> datetime:
            return min(order.created_at + timedelta(hours=hours), now)

        if number % 25 == 24:
            order.cancelled_at, order.cancel_reason = later(3), "CUSTOMER"
            for line in order.lines:
                line.current_quantity = 0
            order.updated_at = later(3)
            return
        order.transactions.append(_sale(order, order.created_at))
        if number % 5 == 4:
            return
        lines = tuple((line, line.quantity) for line in order.lines)
        tracking = (Tracking(f"JJD{order.number:012d}", "DHL", f"https://dhl.test/{order.number}"),)
        order.fulfillments.append(Fulfillment(order, 0, later(20), later(20), 0, lines, tracking))
        for line in order.lines:
            line.fulfilled = line.quantity
        order.closed_at = order.updated_at = later(20)
        if number % 20 == 1:
            self._refund(order, (), Decimal("5.00"), shipping=False, at=later(40))
            order.updated_at = later(40)

    def _pay(self, order: Order) -> Transaction:
        made = _sale(order, self.now(), order.outstanding)
        order.transactions.append(made)
        self._note(order, "sale_success", "A payment was processed")
        return made

    def _refund(
        self,
        order: Order,
        lines: tuple[tuple[Line, int, str], ...],
        amount: Decimal,
        *,
        shipping: bool,
        note: str | None = None,
        at: datetime | None = None,
    ) -> Refund:
        made = Refund(order, order.new_id(), at or self.now(), note, lines, order.shipping if shipping else Decimal(0))
        if amount:
            paid = next(one for one in order.transactions if one.kind == "SALE" and one.status == "SUCCESS")
            made.transactions = (Transaction(order, order.new_id(), "REFUND", "SUCCESS", amount, made.at, paid),)
            made.adjustment = Decimal(0) if lines else amount
        for line, quantity, _ in lines:
            line.current_quantity -= quantity
            line.refunded += quantity
        order.transactions.extend(made.transactions)
        order.refunds.append(made)
        return made

    def _changed(self, fulfillment: Fulfillment) -> None:
        fulfillment.updated_at = self.now()
        self.touch(fulfillment.order)
        news = {"fulfillments/update": self.papers.fulfillment(fulfillment)}
        self._tell_order(fulfillment.order, "orders/updated", also=news)

    def _transaction_news(self, transaction: Transaction) -> Mapping[str, Paper]:
        return {"order_transactions/create": self.papers.transaction(transaction)}

    def _note(self, order: Order, action: str, words: str) -> None:
        order.history.append((self.now(), action, words))

    def _tell_order(self, order: Order, *topics: str, also: Mapping[str, Paper] | None = None) -> None:
        event, paper = self.courier.new_event(), self.papers.order(order)
        for topic, news in (also or {}).items():
            self._tell(topic, news, order, event)
        for topic in topics:
            self._tell(topic, paper, order, event)

    def _tell(self, topic: str, paper: Paper, order: Order, event: str) -> None:
        if self.accounts.installed_at is not None:
            at, scopes = self.clock.now(), self.accounts.scopes
            self.courier.tell(topic, paper, at=at, event=event, about=order.id, scopes=scopes)

    def _tell_app(self, topic: str, paper: Paper) -> None:
        event = self.courier.new_event()
        self.courier.tell(topic, paper, at=self.clock.now(), event=event, about=0, scopes=self.accounts.scopes)

    def _person(self, who: Customer) -> Paper:
        person = {"id": who.id, "email": who.email, "phone": who.phone}
        return {"shop_id": self.settings.shop_id, "shop_domain": self.settings.host, "customer": person}

    def _orders_of(self, who: Customer) -> list[int]:
        return [order.id for order in self.book.orders.values() if order.customer is who]


def _sale(order: Order, at: datetime, amount: Decimal | None = None) -> Transaction:
    return Transaction(order, order.new_id(), "SALE", "SUCCESS", order.total if amount is None else amount, at)


def _taken(work: FulfillmentOrder, wanted: Mapping[int, int]) -> Iterable[tuple[Line, int]]:
    for line in work.lines:
        quantity = wanted.get(line.place, 0) if wanted else line.remaining
        if quantity:
            yield line, quantity


def _restock(line: Line) -> str:
    return "NO_RESTOCK" if line.fulfilled else "CANCEL"
