"""What happens in the twin's shop: orders, invoices, parcels, refunds, and how a state follows from them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.magento.twin_amounts import totals, totals_of
from adapters.magento.twin_catalog import BUYERS, KINDS, SHIPPING_CENTS
from adapters.magento.twin_errors import Refused, no_such_entity
from adapters.magento.twin_rows import (
    Buyer,
    Invoice,
    Line,
    Note,
    Order,
    Pair,
    Product,
    Shipment,
    StoreView,
    Table,
    Track,
)
from adapters.magento.twin_rules import (
    STATE_STATUSES,
    chosen,
    counted,
    events,
    in_progress,
    refuse_shipment,
    settled,
    with_children,
)
from connector.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail Magento itself sent to the customer."""

    kind: str
    """`order`, `order_comment`, `shipment`, `invoice`, `creditmemo`."""
    order_id: str
    to: str
    at: datetime
    """UTC."""


class Sales:
    """The sales tables of one shop and the acts on them; every act is one transaction."""

    def __init__(
        self, clock: Clock, stores: tuple[StoreView, ...], tell: Callable[[str, int, datetime], None], *, plain: bool
    ) -> None:
        """`tell`: an event's name, what it is about, and when its transaction commits. `plain`: the numbers of every
        store view begin at 000000001, so that two orders may have one number."""
        self.orders: Table[Order] = Table(clock)
        self.shipments: Table[Shipment] = Table(clock)
        self.invoices: Table[Invoice] = Table(clock)
        self.creditmemos: Table[Invoice] = Table(clock)
        self.mails: list[Mail] = []
        self.sends_mails = True
        self.statuses = {state: set(words) for state, words in STATE_STATUSES.items()}
        self.stores = {store.store_id: store for store in stores}
        self.silent = False
        """History in the making: nobody is told."""
        self.moment: datetime | None = None
        """What the clock said when the history that is being made happened."""
        self._clock = clock
        self._tell = tell
        self._plain = plain
        self._numbers: Counter[tuple[str, int]] = Counter()
        self._ids: Counter[str] = Counter()
        self._shipment_of_track: dict[int, int] = {}

    @property
    def tables(self) -> tuple[Table[Order], Table[Shipment], Table[Invoice], Table[Invoice]]:
        return self.orders, self.shipments, self.invoices, self.creditmemos

    def commit_after(self, lag: timedelta) -> None:
        """How long the transactions that begin from now on stay open."""
        for table in self.tables:
            table.lag = lag

    def now(self) -> str:
        """As Magento writes a moment: UTC, whole seconds, no zone."""
        return (self.moment or self._clock.now()).strftime("%Y-%m-%d %H:%M:%S")

    def order(self, order_id: int) -> Order:
        """As an act finds it. Raises Refused when there is none."""
        order = self.orders.newest(order_id)
        if order is None:
            raise no_such_entity()
        return order

    def shipment(self, shipment_id: int) -> Shipment:
        """As an act finds it. Raises Refused when there is none."""
        shipment = self.shipments.newest(shipment_id)
        if shipment is None:
            raise no_such_entity()
        return shipment

    def of_order(self, order_id: int) -> tuple[Shipment, ...]:
        """An order's parcels as they stand, committed or not."""
        return tuple(one for one in self.shipments.all_rows().values() if one.order_id == order_id)

    def place(
        self, kind: str = "simple", *, store_id: int = 1, email: str = "", buyer: Buyer | None = None, quantity: int = 1
    ) -> Order:
        """A customer orders."""
        entity_id = self.orders.next_id()
        store = self.stores[store_id]
        buyer = buyer or BUYERS[entity_id % len(BUYERS)]
        lines = tuple(self._lines(kind, quantity))
        virtual = all(line.product.kind == "virtual" for line in lines)
        now = self.now()
        order = Order(
            entity_id,
            self._number("order", store_id),
            store,
            replace(buyer, email=email) if email else buyer,
            lines,
            store.pair(0 if virtual or kind == "free" else SHIPPING_CENTS),
            now,
            now,
            coupon={"discounted": "HARBOUR10", "free": "GIFT"}.get(kind),
        )
        return self.write(_summed(order))

    def write(self, order: Order) -> Order:
        """Save an order: its `updated_at` moves, its state follows from its rows, and whoever listens is told."""
        before = self.orders.newest(order.entity_id)
        saved = replace(settled(order), updated_at=self.now())
        seen_at = self.orders.save(saved.entity_id, saved)
        for event in events(before, saved):
            self.tell(event, saved.entity_id, seen_at)
        return saved

    def tell(self, event: str, about: int, at: datetime) -> None:
        if not self.silent:
            self._tell(event, about, at)

    def invoice(
        self, order_id: int, wanted: Mapping[int, int] | None = None, note: tuple[str, int, int] | None = None
    ) -> Invoice:
        """Bill all that is left, or so many of some rows; the money counts as received. Raises Refused."""
        order = self.order(order_id)
        if order.state not in ("new", "processing", "pending_payment") or not order.can_invoice:
            words = f"An invoice cannot be created when an order has a status of {order.status}."
            raise Refused(400, f"Invoice Document Validation Error(s):\n{words}")
        items = chosen(order, wanted, lambda line: line.can_invoice)
        if not items:
            words = "The invoice can't be created without products. Add products and try again."
            raise Refused(400, f"Invoice Document Validation Error(s):\n{words}")
        items = with_children(order, items)
        is_first = not any(line.invoiced for line in order.lines)
        sums = totals_of(order, items, order.shipping if is_first else Pair())
        lines = counted(order, items, "invoiced")
        is_last = not any(line.can_invoice for line in lines)
        grand = order.grand - order.paid if is_last else sums.grand
        now = self.now()
        row = Invoice(
            self.invoices.next_id(),
            self._number("invoice", order.store_id),
            order_id,
            order.store_id,
            now,
            now,
            items,
            sums.shipping,
            grand,
            notes=self._notes(note),
        )
        seen_at = self.invoices.save(row.entity_id, row)
        self.tell("sales.invoice.created", row.entity_id, seen_at)
        self.tell("sales.invoice.paid", row.entity_id, seen_at)
        self.write(replace(in_progress(order), lines=lines, paid=order.paid + grand))
        return row

    def ship(
        self,
        order_id: int,
        wanted: Mapping[int, int] | None = None,
        tracks: Iterable[tuple[str, str, str]] = (),
        note: tuple[str, int, int] | None = None,
    ) -> Shipment:
        """Send all that is left, or so many of some rows, with tracks (number, title, carrier code) and a comment
        (words, notified, visible). Raises Refused."""
        order = self.order(order_id)
        tracks = tuple(tracks)
        items = chosen(order, wanted, lambda line: line.can_ship)
        refuse_shipment(order, items, tracks)
        now, shipment_id = self.now(), self.shipments.next_id()
        row = Shipment(
            shipment_id,
            self._number("shipment", order.store_id),
            order_id,
            order.store_id,
            now,
            now,
            items,
            tuple(self._track(shipment_id, *track) for track in tracks),
            self._notes(note),
        )
        seen_at = self.shipments.save(row.entity_id, row)
        shipped = replace(in_progress(order), lines=counted(order, items, "shipped"))
        self.tell("sales.shipment.created", row.entity_id, seen_at)
        if not shipped.can_ship:
            self.tell("sales.order.shipped", order_id, seen_at)
        self.write(shipped)
        return row

    def add_track(self, shipment_id: int, number: str, title: str, carrier_code: str, **more: object) -> Track:
        """A number for a parcel that left: only the track's own row is written, nobody's `updated_at` moves."""
        shipment = self.shipment(shipment_id)
        track = replace(self._track(shipment_id, number, title, carrier_code), **more)  # type: ignore[arg-type]
        self.shipments.save(shipment_id, replace(shipment, tracks=(*shipment.tracks, track)))
        return track

    def remove_track(self, track_id: int) -> None:
        """Nothing happens when there is none, as in Magento."""
        shipment_id = self._shipment_of_track.pop(track_id, None)
        if shipment_id is not None:
            shipment = self.shipment(shipment_id)
            left = tuple(track for track in shipment.tracks if track.entity_id != track_id)
            self.shipments.save(shipment_id, replace(shipment, tracks=left))

    def refund(self, order_id: int, amount: Decimal) -> Invoice:
        """Give back so much of the order's money: all of it by its rows, less as an adjustment. Raises Refused."""
        order = self.order(order_id)
        cents = int(amount * 100)
        left = order.paid - order.refunded
        if not 0 < cents <= left.own:
            raise Refused(400, "The most money available to refund is %1.", [str(Decimal(left.own) / 100)])
        whole = cents == order.paid.own and not order.refunded
        base = left.base if cents == left.own else cents * 1_000_000 // order.store.rate
        grand = Pair(base, cents)
        items = tuple((line.item_id, line.invoiced) for line in order.lines if line.invoiced) if whole else ()
        now = self.now()
        row = Invoice(
            self.creditmemos.next_id(),
            self._number("creditmemo", order.store_id),
            order_id,
            order.store_id,
            now,
            now,
            items,
            order.shipping if whole else Pair(),
            grand,
            adjustment=Pair() if whole else grand,
        )
        seen_at = self.creditmemos.save(row.entity_id, row)
        self.tell("sales.creditmemo.created", row.entity_id, seen_at)
        self.write(replace(order, lines=counted(order, items, "refunded"), refunded=order.refunded + grand))
        return row

    def cancel(self, order_id: int) -> Order:
        """Raises Refused for an order that was billed, shipped or is done with."""
        order = self.order(order_id)
        if order.state not in ("new", "processing", "pending_payment") or order.paid:
            raise Refused(400, "You have not canceled the item.")
        lines = tuple(line if line.parent_id else replace(line, canceled=line.ordered) for line in order.lines)
        return self.write(replace(order, lines=lines, state="canceled", status="canceled"))

    def edit(self, order_id: int, kind: str = "simple") -> Order:
        """The shop changes an order: it is canceled, and a new one with the suffix -1 takes its place."""
        old = self.order(order_id)
        first, edits = old.increment_id.partition("-")[0], old.edits + 1
        entity_id, now = self.orders.next_id(), self.now()
        new = replace(
            old,
            entity_id=entity_id,
            increment_id=f"{first}-{edits}",
            lines=tuple(self._lines(kind, 1)),
            created_at=now,
            state="new",
            status="pending",
            notes=(),
            coupon=None,
            parent=(old.entity_id, old.increment_id),
            child=None,
            edits=edits,
        )
        canceled = self.cancel(order_id)
        new = self.write(_summed(new))
        self.write(replace(canceled, child=(entity_id, new.increment_id), edits=edits))
        return new

    def comment(self, order_id: int, words: str, *, notified: int = 0, visible: int = 0, status: str = "") -> Note:
        """A line in an order's history. The order is saved with it. Raises Refused for a status of another state."""
        order = self.order(order_id)
        if status and status not in self.statuses.get(order.state, ()):
            message = 'Unable to add comment: The status "%1" is not part of the order status history.'
            raise Refused(400, message, [status])
        status = status or order.status or ""
        note = Note(self._id("note"), words, self.now(), notified, visible, status)
        self.write(replace(order, notes=(note, *order.notes), status=status or None))
        if notified:
            self.mail("order_comment", order)
        return note

    def mail(self, kind: str, order: Order) -> bool:
        """Whether Magento sent it: its mails can be switched off."""
        if self.sends_mails:
            self.mails.append(Mail(kind, str(order.entity_id), order.buyer.email, self._clock.now()))
        return self.sends_mails

    def _lines(self, kind: str, quantity: int) -> Iterable[Line]:
        share = {"discounted": 10, "free": 100}.get(kind, 0)
        for product, count, below in KINDS[kind]:
            parent = self._line(product, count * quantity, share)
            yield parent
            for child in below:
                line = self._line(child, count * quantity, 0)
                yield replace(line, parent_id=parent.item_id, is_bundled=product.kind == "bundle")

    def _line(self, product: Product, count: int, share: int) -> Line:
        return Line(self._id("item"), product, count, discount=product.cents * count * share // 100)

    def _notes(self, note: tuple[str, int, int] | None) -> tuple[Note, ...]:
        return (Note(self._id("note"), note[0], self.now(), note[1], note[2]),) if note else ()

    def _track(self, shipment_id: int, number: str, title: str, carrier_code: str) -> Track:
        track = Track(self._id("track"), number, title, carrier_code, self.now())
        self._shipment_of_track[track.entity_id] = shipment_id
        return track

    def _id(self, kind: str) -> int:
        self._ids[kind] += 1
        return self._ids[kind]

    def _number(self, kind: str, store_id: int) -> str:
        self._numbers[kind, store_id] += 1
        prefix = "" if self._plain or store_id == 1 else str(store_id)
        return f"{prefix}{self._numbers[kind, store_id]:09d}"


def _summed(order: Order) -> Order:
    return replace(order, grand=totals(order).grand)
