"""What can happen to orders in a stand-in WooCommerce shop, with everything that follows: hooks, mails, notes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from adapters.woocommerce import twin_mails
from adapters.woocommerce.twin_orders import (
    COUPONS,
    PRODUCTS,
    Amounts,
    Checkout,
    CouponLine,
    Line,
    Meta,
    Note,
    Order,
    Priced,
    Product,
    Refund,
    RefundLine,
    ShippingLine,
    price,
)
from adapters.woocommerce.twin_site import Site

Hook = Callable[[str, object], None]
"""Something happened: WordPress calls the hook of that name, with its first argument."""

REFUNDING_GATEWAYS = ("card",)
GATEWAYS = {"card": "Credit card", "bacs": "Direct bank transfer", "cod": "Cash on delivery"}


class Refused(Exception):
    """The shop does not do it; the words are WooCommerce's."""


class Desk:
    """The shop's orders. Every method is called with the site's lock held."""

    def __init__(self, site: Site, hook: Hook) -> None:
        self.site = site
        self.orders: dict[int, Order] = {}
        """Drafts and trashed ones too."""
        self.after_payment: Callable[[Order], None] = lambda _order: None
        """What the core feature Fulfillments does when an order is in processing or completed."""
        self._hook = hook

    def visible(self) -> Iterator[Order]:
        """What a shopkeeper calls orders: without drafts and trash."""
        hidden = ("trash", "checkout-draft", "auto-draft")
        return (order for order in self.orders.values() if order.status not in hidden)

    # -- making orders

    def draft(self, wish: Checkout, *, status: str, at: datetime | None = None) -> Order:
        """An order as it is first written; nobody is told yet."""
        items = [(PRODUCTS[sku], quantity) for sku, quantity in wish.items]
        order = self._new(wish, status, at or self.site.now())
        self.fill(order, items, wish.coupon)
        self.orders[order.order_id] = order
        return order

    def fill(self, order: Order, items: Sequence[tuple[Product, int]], coupon: str = "") -> None:
        """Price a basket into an order, with new item numbers."""
        code = coupon.lower()
        percent = COUPONS[code] if code else Decimal()
        country = order.shipping.get("country") or order.billing.get("country", "")
        fine = order.via == "store-api"
        priced = price(self.site, items, country=country, percent=percent, fine=fine)
        order.lines = tuple(
            Line(self.site.next("item"), product, quantity, amounts)
            for (product, quantity), amounts in zip(items, priced.lines, strict=True)
        )
        order.shipping_lines = self._shipping(priced)
        order.tax_lines = tuple(self.site.next("item") for _ in priced.rates)
        order.coupon = CouponLine(self.site.next("item"), code, percent, self.site.next("item_meta")) if code else None
        order.total = priced.total

    def announce(self, order: Order, *, updated_first: bool = False) -> None:
        """A new order is there. Both topics hear of it (woocommerce reference, section 0.10)."""
        hooks = ["woocommerce_new_order", "woocommerce_update_order"]
        for hook in reversed(hooks) if updated_first else hooks:
            self._hook(hook, order.order_id)

    # -- what happens to them

    def save(self, order: Order) -> None:
        """Any save, even of nothing, moves the date and tells order.updated (section 0.14)."""
        order.modified, order.undated = self.site.now(), False
        order.version = self.site.version
        self._hook("woocommerce_update_order", order.order_id)

    def change_status(self, order: Order, status: str, *, by_hand: bool = False) -> None:
        """To a status; the same one again only saves."""
        old, order.status = order.status, status
        now = self.site.now()
        if status in ("processing", "completed") and order.paid is None:
            order.paid = now
        if status == "completed" and order.completed is None:
            order.completed = now
        if old != status:
            self._after_change(order, old, by_hand=by_hand)
        self.save(order)

    def pay(self, order: Order, transaction: str = "") -> None:
        """The payment came in; only an order that waits for one moves."""
        if order.status not in ("pending", "on-hold", "failed", "cancelled", "checkout-draft"):
            return
        order.transaction_id = transaction or order.transaction_id
        order.paid = order.paid or self.site.now()
        self.add_note(order, "Payment complete.")
        self.change_status(order, "processing" if order.needs_processing else "completed")

    def refund(
        self,
        order: Order,
        amount: Decimal,
        reason: str = "",
        *,
        lines: Sequence[tuple[int, int, Decimal, tuple[tuple[int, Decimal], ...]]] = (),
        pay_back: bool = False,
    ) -> Refund:
        """`lines`: (line, quantity, amount, taxes). Raises Refused in WooCommerce's words."""
        remaining = order.total - order.refunded
        if not 0 <= amount <= remaining:
            raise Refused("Invalid refund amount.")
        if pay_back:
            self._pay_back(order)
        refund = self._new_refund(order, amount, reason, lines, paid_back=pay_back)
        order.refunds.insert(0, refund)
        self._mail(order, "customer_refunded_order")
        if remaining == amount:
            self.change_status(order, "refunded")
        else:
            self.save(order)
        self._hook("woocommerce_order_refunded", order.order_id)
        return refund

    def remove_refund(self, order: Order, refund: Refund) -> None:
        order.refunds.remove(refund)
        self.save(order)

    def trash(self, order: Order) -> None:
        order.before_trash, order.status = order.status, "trash"
        order.modified = self.site.now()
        self._hook("woocommerce_trash_order" if self.site.hpos else "wp_trash_post", order.order_id)

    def restore(self, order: Order) -> None:
        """From the list in wp-admin; before 11.0 that sent the mails of the status again (section 3.2)."""
        order.status, order.before_trash = order.before_trash, ""
        order.modified = self.site.now()
        if order.status == "completed" and not self.site.at_least("11.0"):
            self._mail(order, "customer_completed_order")
        self._hook("woocommerce_untrash_order" if self.site.hpos else "untrashed_post", order.order_id)

    def delete(self, order: Order) -> None:
        """For good: no webhook tells it (section 0.13)."""
        del self.orders[order.order_id]

    def add_note(self, order: Order, words: str, *, for_customer: bool = False, author: str = "WooCommerce") -> Note:
        """Notes move no date and tell no webhook; one for the customer is mailed at once (section 5)."""
        note = Note(self.site.next("comment"), words, for_customer, author, self.site.now())
        order.notes.append(note)
        if for_customer:
            self._mail(order, "customer_note")
        return note

    def set_meta(self, order: Order, key: str, value: object, meta_id: int = 0) -> None:
        """None deletes; what is no list or object comes back as text (section 4)."""
        same = [meta for meta in order.meta if (meta.meta_id == meta_id if meta_id else meta.key == key)]
        if value is None:
            order.meta = [meta for meta in order.meta if meta not in same]
            return
        kept = _as_kept(value)
        if not same:
            order.meta.append(Meta(self.site.next("meta"), key, kept))
            return
        same[0].key, same[0].value = key, kept
        order.meta = [meta for meta in order.meta if meta not in same[1:]]

    def edit_address(self, order: Order, kind: str, fields: Mapping[str, str]) -> None:
        """`kind`: billing or shipping."""
        address = order.billing if kind == "billing" else order.shipping
        address.update(fields)

    def tell(self, hook: str, argument: object) -> None:
        """Let a hook of another part of the shop be heard."""
        self._hook(hook, argument)

    def mail(self, order: Order, kind: str) -> None:
        self._mail(order, kind)

    # -- inside

    def _new(self, wish: Checkout, status: str, at: datetime) -> Order:
        number = self.site.next("post")
        names = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
        address = {name: str(getattr(wish, name)) for name in (*names, "phone")}
        order = Order(
            order_id=number,
            key=f"wc_order_{self.site.token('order', number, length=13)}",
            status=status,
            currency=wish.currency or self.site.currency,
            version=self.site.version,
            created=at,
            modified=at,
            billing={**address, "email": wish.email},
            shipping=dict(address),
            lines=(),
            tax_lines=(),
            shipping_lines=(),
            coupon=None,
            prices_include_tax=self.site.prices_include_tax,
            via=wish.via,
            customer_id=wish.customer_id,
            payment_method=wish.payment_method,
            payment_title=GATEWAYS.get(wish.payment_method, wish.payment_method),
            customer_note=wish.customer_note,
        )
        for key, value in {**({"wpml_language": wish.locale} if wish.locale else {}), **wish.meta}.items():
            self.set_meta(order, key, value)
        return order

    def _shipping(self, priced: Priced) -> tuple[ShippingLine, ...]:
        if priced.shipping is None:
            return ()
        amounts: Amounts = priced.shipping
        return (ShippingLine(self.site.next("item"), "Flat rate", "flat_rate", amounts),)

    def _after_change(self, order: Order, old: str, *, by_hand: bool) -> None:
        new = order.status
        if new == "refunded" and order.total > order.refunded:
            rest = order.total - order.refunded
            order.refunds.insert(0, self._new_refund(order, rest, "Order fully refunded.", (), paid_back=False))
        for kind in twin_mails.mails_of_change(old, new):
            self._mail(order, kind)
        names = self.site.statuses
        words = f"Order status changed from {names.get(old, old)} to {names.get(new, new)}."
        self.add_note(order, words, author=self.site.merchant.name if by_hand else "WooCommerce")
        self._hook(f"woocommerce_order_status_{new}", order.order_id)
        self._hook("woocommerce_order_status_changed", order.order_id)
        if new in ("processing", "completed"):
            self.after_payment(order)

    def _mail(self, order: Order, kind: str) -> None:
        if twin_mails.send(self.site, order, kind) and kind != "customer_note" and self.site.at_least("10.0"):
            self.add_note(order, f'Email "{twin_mails.title(kind)}" sent.')

    def _pay_back(self, order: Order) -> None:
        if order.payment_method not in GATEWAYS:
            raise Refused("The payment gateway for this order does not exist.")
        if order.payment_method not in REFUNDING_GATEWAYS:
            raise Refused("The payment gateway for this order does not support automatic refunds.")

    def _new_refund(
        self,
        order: Order,
        amount: Decimal,
        reason: str,
        lines: Sequence[tuple[int, int, Decimal, tuple[tuple[int, Decimal], ...]]],
        *,
        paid_back: bool,
    ) -> Refund:
        by_id = {line.line_id: line for line in order.lines}
        kind = "full" if amount == order.total - order.refunded else "partial"
        return Refund(
            refund_id=self.site.next("post"),
            amount=amount,
            reason=reason,
            created=self.site.now(),
            paid_back=paid_back,
            kind=kind,
            lines=tuple(
                RefundLine(self.site.next("item"), by_id[line_id], quantity, total, taxes)
                for line_id, quantity, total, taxes in lines
                if line_id in by_id
            ),
            meta=[Meta(self.site.next("meta"), "_refund_type", kind)],
        )


def _as_kept(value: object) -> object:
    if isinstance(value, bool):
        return "1" if value else ""
    return value if isinstance(value, list | dict) else str(value)
