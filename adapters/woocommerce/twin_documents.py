"""An order, its notes and its refunds as a WooCommerce shop writes them (shapes: woocommerce reference, section 4)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from adapters.woocommerce.twin_orders import (
    ADDRESS,
    RATES,
    Amounts,
    CouponLine,
    Line,
    Meta,
    Note,
    Order,
    Rate,
    Refund,
    RefundLine,
    ShippingLine,
)
from adapters.woocommerce.twin_site import SYMBOLS, Site

Json = dict[str, object]
ORDER_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def encode(document: object) -> bytes:
    """As PHP writes JSON: ASCII, no spaces, slashes escaped."""
    return json.dumps(document, separators=(",", ":")).replace("/", "\\/").encode("ascii")


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes documents for one request; `base` may be another scheme than the shop's own."""

    site: Site
    base: str
    decimals: int | None = None

    def order(self, order: Order) -> Json:
        document = self._head(order) | self._lines(order)
        document["refunds"] = [self._refund_in_order(refund) for refund in order.refunds]
        document |= {
            "payment_url": f"{self.base}/checkout/order-pay/{order.order_id}/?pay_for_order=true&key={order.key}",
            "is_editable": order.status in ("pending", "on-hold", "auto-draft"),
            "needs_payment": order.status in ("pending", "failed", "checkout-draft") and order.total > 0,
            "needs_processing": order.needs_processing,
            "date_created_gmt": self.site.gmt(order.created),
            "date_modified_gmt": self.site.gmt(None if order.undated else order.modified),
            "date_completed_gmt": self.site.gmt(order.completed),
            "date_paid_gmt": self.site.gmt(order.paid),
            "currency_symbol": SYMBOLS.get(order.currency, order.currency),
            "_links": self._order_links(order),
        }
        return document

    def note(self, order: Order, note: Note) -> Json:
        return {
            "id": note.note_id,
            "author": note.author,
            "date_created": self.site.local(note.created),
            "date_created_gmt": self.site.gmt(note.created),
            "note": note.words,
            "customer_note": note.for_customer,
            "_links": self.below_order(order, f"notes/{note.note_id}"),
        }

    def refund(self, order: Order, refund: Refund, *, with_order: bool = False) -> Json:
        """`with_order`: as the list over all orders has it."""
        return {
            "id": refund.refund_id,
            **({"parent_id": order.order_id} if with_order else {}),
            "date_created": self.site.local(refund.created),
            "date_created_gmt": self.site.gmt(refund.created),
            "amount": self._money(refund.amount),
            "reason": refund.reason,
            "refunded_by": self.site.merchant.user_id,
            "refunded_payment": refund.paid_back,
            "meta_data": [_meta(meta) for meta in refund.meta],
            "line_items": [self._refund_line(line) for line in refund.lines],
            "shipping_lines": [],
            "tax_lines": [self._refund_tax_line(refund, rate) for rate in RATES if _refunded_tax(refund, rate)],
            "fee_lines": [],
            "_links": self.below_order(order, f"refunds/{refund.refund_id}"),
        }

    def links(self, path: str, methods: list[str], *, namespace: str = "wc/v3") -> Json:
        """`self` and `collection` of something, below the API's address."""
        own: Json = {"href": f"{self.api}/{namespace}/{path}"}
        if self.site.at_least("10.0"):
            own["targetHints"] = {"allow": methods}
        return {"self": [own], "collection": [{"href": f"{self.api}/{namespace}/{path.rpartition('/')[0]}"}]}

    def below_order(self, order: Order, path: str, *, namespace: str = "wc/v3") -> Json:
        """The links of something that belongs to an order."""
        above = f"orders/{order.order_id}"
        links = self.links(f"{above}/{path}", ["GET", "DELETE"], namespace=namespace)
        return links | {"up": [{"href": f"{self.api}/{namespace}/{above}"}]}

    @property
    def api(self) -> str:
        return f"{self.base}/{self.site.rest_prefix}"

    def _money(self, amount: Decimal) -> str:
        return self.site.money(amount, self.decimals)

    def _tax(self, amounts: Amounts, place: int = 1) -> Decimal:
        """1: of the total; 2: of the subtotal."""
        return self.site.round(sum((tax[1] if place == 1 else tax[2] for tax in amounts.taxes), Decimal()))

    def _head(self, order: Order) -> Json:
        amounts = [line.amounts for line in order.lines]
        shipping = [line.amounts for line in order.shipping_lines]
        cart_tax = sum((self._tax(line) for line in amounts), Decimal())
        shipping_tax = sum((self._tax(line) for line in shipping), Decimal())
        discount = sum((line.subtotal - line.total for line in amounts), Decimal())
        discount_tax = sum((self._tax(line, 2) for line in amounts), Decimal()) - cart_tax
        return {
            "id": order.order_id,
            "parent_id": 0,
            "status": order.status,
            "currency": order.currency,
            "version": order.version,
            "prices_include_tax": order.prices_include_tax,
            "date_created": self.site.local(order.created),
            "date_modified": self.site.local(None if order.undated else order.modified),
            "discount_total": self._money(discount),
            "discount_tax": self._money(discount_tax),
            "shipping_total": self._money(sum((line.total for line in shipping), Decimal())),
            "shipping_tax": self._money(shipping_tax),
            "cart_tax": self._money(cart_tax),
            "total": self._money(order.total),
            "total_tax": self._money(cart_tax + shipping_tax),
            "customer_id": order.customer_id,
            "order_key": order.key,
            "billing": {name: order.billing.get(name, "") for name in (*ADDRESS, "email", "phone")},
            "shipping": {name: order.shipping.get(name, "") for name in (*ADDRESS, "phone")},
            "payment_method": order.payment_method,
            "payment_method_title": order.payment_title,
            "transaction_id": order.transaction_id,
            "customer_ip_address": "" if order.via in ("rest-api", "admin") else "192.0.2.7",
            "customer_user_agent": "" if order.via in ("rest-api", "admin") else "Mozilla/5.0 Shopper",
            "created_via": order.via,
            "customer_note": order.customer_note,
            "date_completed": self.site.local(order.completed),
            "date_paid": self.site.local(order.paid),
            "cart_hash": "",
            "number": f"{self.site.number_prefix}{order.order_id}",
            "meta_data": [_meta(meta) for meta in order.meta],
        }

    def _lines(self, order: Order) -> Json:
        rates = [rate for rate in RATES if any(rate.rate_id == tax[0] for tax in _taxes(order))]
        return {
            "line_items": [self._line(line) for line in order.lines],
            "tax_lines": [
                self._tax_line(order, rate, item_id) for rate, item_id in zip(rates, order.tax_lines, strict=False)
            ],
            "shipping_lines": [self._shipping_line(order, line) for line in order.shipping_lines],
            "fee_lines": [],
            "coupon_lines": [self._coupon_line(order, order.coupon)] if order.coupon else [],
        }

    def _line(self, line: Line) -> Json:
        return self._product(line) | {
            "id": line.line_id,
            "quantity": line.quantity,
            "subtotal": self._money(line.amounts.subtotal),
            "subtotal_tax": self._money(self._tax(line.amounts, 2)),
            "total": self._money(line.amounts.total),
            "total_tax": self._money(self._tax(line.amounts)),
            "taxes": [
                {"id": rate_id, "total": self._fine(total), "subtotal": self._fine(subtotal)}
                for rate_id, total, subtotal in line.amounts.taxes
            ],
            "price": _number(line.amounts.total / line.quantity),
        }

    def _product(self, line: Line) -> Json:
        """The places of a line's fields, with what does not change when some of it is refunded."""
        newer: Json = {"global_unique_id": ""} if self.site.at_least("10.1") else {}
        return {
            "id": 0,
            "name": line.product.name,
            "product_id": line.product.product_id,
            "variation_id": 0,
            "quantity": 0,
            "tax_class": line.product.tax_class,
            "subtotal": "",
            "subtotal_tax": "",
            "total": "",
            "total_tax": "",
            "taxes": [],
            "meta_data": [],
            "sku": line.product.sku,
            **newer,
            "price": 0,
            "image": {"id": "", "src": ""},
            "parent_name": None,
        }

    def _fine(self, tax: Decimal) -> str:
        """A tax of a line: to the cent, or as fine as the block checkout kept it."""
        return self._money(tax) if tax == self.site.round(tax) else f"{tax:f}"

    def _tax_line(self, order: Order, rate: Rate, item_id: int) -> Json:
        def part(lines: Iterable[Line | ShippingLine]) -> Decimal:
            return sum((tax[1] for line in lines for tax in line.amounts.taxes if tax[0] == rate.rate_id), Decimal())

        return {
            "id": item_id,
            "rate_code": rate.code,
            "rate_id": rate.rate_id,
            "label": rate.label,
            "compound": False,
            "tax_total": self._money(part(order.lines)),
            "shipping_tax_total": self._money(part(order.shipping_lines)),
            "rate_percent": _number(rate.percent),
            "meta_data": [],
        }

    def _shipping_line(self, order: Order, line: ShippingLine) -> Json:
        inside = ", ".join(f"{item.product.name} &times; {item.quantity}" for item in order.lines)
        shown = {"key": "Items", "value": inside, "display_key": "Items", "display_value": inside}
        return {
            "id": line.line_id,
            "method_title": line.title,
            "method_id": line.method,
            "instance_id": "1",
            "total": self._money(line.amounts.total),
            "total_tax": self._money(self._tax(line.amounts)),
            "taxes": [
                {"id": rate_id, "total": self._fine(total), "subtotal": ""} for rate_id, total, _ in line.amounts.taxes
            ],
            **({"tax_status": "taxable"} if self.site.at_least("8.7") else {}),
            "meta_data": [{"id": line.line_id * 7, **shown}],
        }

    def _coupon_line(self, order: Order, coupon: CouponLine) -> Json:
        discount = sum((line.amounts.subtotal - line.amounts.total for line in order.lines), Decimal())
        taxes = sum((self._tax(line.amounts, 2) - self._tax(line.amounts) for line in order.lines), Decimal())
        percent = _number(coupon.percent)
        if not self.site.at_least("8.7"):
            kept: object = {"id": 15, "code": coupon.code, "amount": str(percent), "discount_type": "percent"}
            meta, newer = _shown(coupon.meta_id, "coupon_data", kept), {}
        else:
            short = json.dumps([15, coupon.code, "percent", percent], separators=(",", ":"))
            meta = _shown(coupon.meta_id, "coupon_info", short)
            newer = {"discount_type": "percent", "nominal_amount": percent, "free_shipping": False}
        return {
            "id": coupon.line_id,
            "code": coupon.code,
            "discount": self._money(discount),
            "discount_tax": self._money(taxes),
            "meta_data": [meta],
            **newer,
        }

    def _refund_in_order(self, refund: Refund) -> Json:
        document: Json = {
            "id": refund.refund_id,
            "reason": refund.reason,
            "total": f"-{self._money(refund.amount)}",
        }
        if self.site.at_least("10.0"):
            document["total_tax"] = self._money(-refund.tax) if refund.tax else self._money(Decimal())
        return document

    def _refund_line(self, refunded: RefundLine) -> Json:
        total = -refunded.total
        tax = -sum((amount for _, amount in refunded.taxes), Decimal())
        each = refunded.total / refunded.quantity if refunded.quantity else Decimal()
        reference = _shown(refunded.line_id * 7, "_refunded_item_id", str(refunded.line.line_id))
        return self._product(refunded.line) | {
            "id": refunded.line_id,
            "quantity": -refunded.quantity,
            "subtotal": self._money(total),
            "subtotal_tax": self._money(tax),
            "total": self._money(total),
            "total_tax": self._money(tax),
            "taxes": [
                {"id": rate_id, "total": self._money(-amount), "subtotal": self._money(-amount)}
                for rate_id, amount in refunded.taxes
            ],
            "meta_data": [reference],
            "price": _number(each),
        }

    def _refund_tax_line(self, refund: Refund, rate: Rate) -> Json:
        return {
            "id": refund.refund_id * 10 + rate.rate_id,
            "rate_code": rate.code,
            "rate_id": rate.rate_id,
            "label": rate.label,
            "compound": False,
            "tax_total": self._money(-_refunded_tax(refund, rate)),
            "shipping_tax_total": self._money(Decimal()),
            "rate_percent": _number(rate.percent),
            "meta_data": [],
        }

    def _order_links(self, order: Order) -> Json:
        links = self.links(f"orders/{order.order_id}", ORDER_METHODS)
        if self.site.at_least("9.8"):
            templates = f"{self.api}/wc/v3/orders/{order.order_id}/actions/email_templates"
            links["email_templates"] = [{"embeddable": True, "href": templates}]
        if order.customer_id:
            links["customer"] = [{"href": f"{self.api}/wc/v3/customers/{order.customer_id}"}]
        return links


def md5(*parts: object) -> str:
    """The kind of id WordPress and its plugins make of whatever something is about."""
    return hashlib.md5("".join(str(part) for part in parts).encode(), usedforsecurity=False).hexdigest()


def _taxes(order: Order) -> Iterable[tuple[int, Decimal, Decimal]]:
    for amounts in (*(line.amounts for line in order.lines), *(line.amounts for line in order.shipping_lines)):
        yield from amounts.taxes


def _refunded_tax(refund: Refund, rate: Rate) -> Decimal:
    return sum((tax for line in refund.lines for rate_id, tax in line.taxes if rate_id == rate.rate_id), Decimal())


def _meta(meta: Meta) -> Json:
    return {"id": meta.meta_id, "key": meta.key, "value": meta.value}


def _shown(meta_id: int, key: str, value: object) -> Json:
    return {"id": meta_id, "key": key, "value": value, "display_key": key, "display_value": value}


def _number(amount: Decimal) -> int | float:
    """As PHP writes a number: no point where there is no fraction, else all digits of a double."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
