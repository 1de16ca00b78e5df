"""Orders as Magento's REST service writes them, put together from rows only when somebody asks.

Shapes: recorded answers of a shop and the official 2.4.9 schema (magento reference, sections 4 and 5). A field
without a value is absent unless the schema requires it; then it is null.
"""

from collections.abc import Mapping

from adapters.magento.twin_amounts import LineAmounts, Totals, line_amounts, totals, totals_of
from adapters.magento.twin_rows import GROUP, RATE_ONE, WEBSITE, Buyer, Line, Note, Order, Pair, StoreView

Document = dict[str, object]

PAYMENT_TITLE = "Bank Transfer Payment"
PAYMENT_METHOD = "banktransfer"
SHIPPING_TITLE = "Flat Rate - Fixed"
SHIPPING_METHOD = "flatrate_flatrate"
BASE_CURRENCY = "EUR"


def number(cents: int) -> int | float:
    """An amount as PHP's json_encode writes it: 5 and not 5.0."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def put(document: Document, name: str, pair: Pair) -> None:
    """An amount under its own name and under `base_…`."""
    document[f"base_{name}"] = number(pair.base)
    document[name] = number(pair.own)


def order_document(order: Order) -> Document:
    """As `GET /V1/orders/:id` gives it."""
    sums = totals(order)
    document = _head(order) | _money(order, sums) | _links(order)
    lines = [line_document(line, order) for line in order.lines]
    by_id = {line.item_id: document for line, document in zip(order.lines, lines, strict=True)}
    for line, shown in zip(order.lines, lines, strict=True):
        if line.parent_id:
            shown["parent_item"] = by_id[line.parent_id]
    document["items"] = lines
    document["billing_address"] = address_document(order, "billing")
    document["payment"] = _payment(order, sums)
    document["status_histories"] = [note_document(note, order.entity_id) for note in order.notes]
    document["extension_attributes"] = _extension(order, sums, lines)
    return document


def line_document(line: Line, order: Order) -> Document:
    """A row of an order, without the parent it may have."""
    amounts = line_amounts(line, order.store)
    document = _line_head(line, order)
    for name, pair in _line_money(line, order.store, amounts).items():
        put(document, name, pair)
    if line.parent_id:
        document["parent_item_id"] = line.parent_id
    if not line.counts:
        document["price"] = number(order.store.pair(line.product.cents).own)
    if line.product.kind == "configurable":
        chosen = [{"option_id": "93", "option_value": 5477}, {"option_id": "152", "option_value": 5593}]
        document["product_option"] = {"extension_attributes": {"configurable_item_options": chosen}}
    return document


def address_document(order: Order, kind: str) -> Document:
    buyer: Buyer = order.buyer
    document: Document = {
        "address_type": kind,
        "city": buyer.city,
        "country_id": buyer.country,
        "email": buyer.email,
        "entity_id": 2 * order.entity_id + (0 if kind == "billing" else -1),
        "firstname": buyer.first,
        "lastname": buyer.last,
        "parent_id": order.entity_id,
        "postcode": buyer.postcode,
        "street": [buyer.street],
        "telephone": buyer.phone,
    }
    return document if kind == "billing" else document | {"customer_address_id": 0}


def note_document(note: Note, parent_id: int) -> Document:
    """A comment of an order; one of another document has no name and no status."""
    document: Document = {
        "comment": note.comment,
        "created_at": note.created_at,
        "entity_id": note.entity_id,
        "is_customer_notified": note.notified,
        "is_visible_on_front": note.visible,
        "parent_id": parent_id,
    }
    return document | ({"entity_name": "order", "status": note.status} if note.status else {})


def _head(order: Order) -> Document:
    buyer = order.buyer
    document: Document = {
        "base_currency_code": BASE_CURRENCY,
        "base_to_global_rate": 1,
        "base_to_order_rate": order.store.rate / RATE_ONE if order.store.rate != RATE_ONE else 1,
        "billing_address_id": 2 * order.entity_id,
        "created_at": order.created_at,
        "customer_email": buyer.email,
        "customer_group_id": 1 if buyer.customer_id else 0,
        "customer_is_guest": 0 if buyer.customer_id else 1,
        "customer_note_notify": 1,
        "entity_id": order.entity_id,
        "global_currency_code": BASE_CURRENCY,
        "increment_id": order.increment_id,
        "is_virtual": int(order.is_virtual),
        "order_currency_code": order.store.currency,
        "protect_code": f"{order.entity_id * 0x9E3779B97F4A7C15 % (1 << 128):032x}",
        "quote_id": order.entity_id + 100,
        "state": order.state,
        "store_currency_code": BASE_CURRENCY,
        "store_id": order.store_id,
        "store_name": f"{WEBSITE}\n{GROUP}\n{order.store.name}",
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
        "total_item_count": sum(1 for line in order.lines if not line.parent_id),
        "total_qty_ordered": sum(line.ordered for line in order.lines if not line.parent_id),
        "updated_at": order.updated_at,
        "weight": sum(line.product.weight * line.ordered for line in order.lines if not line.parent_id),
    }
    if order.status:
        document["status"] = order.status
    if not order.is_virtual:
        document["shipping_description"] = SHIPPING_TITLE
    if buyer.customer_id:
        document |= {"customer_id": buyer.customer_id}
        document |= {"customer_firstname": buyer.first, "customer_lastname": buyer.last}
    return document


def _links(order: Order) -> Document:
    """What is there only for some orders."""
    document: Document = {}
    if order.coupon:
        document |= {"coupon_code": order.coupon, "discount_description": order.coupon, "applied_rule_ids": "1"}
    if order.parent:
        document["relation_parent_id"], document["relation_parent_real_id"] = str(order.parent[0]), order.parent[1]
        document["original_increment_id"] = order.increment_id.partition("-")[0]
    if order.edits:
        document["edit_increment"] = order.edits
    if order.child:
        document["relation_child_id"], document["relation_child_real_id"] = str(order.child[0]), order.child[1]
    if order.email_sent:
        document["email_sent"] = order.email_sent
    return document


def _money(order: Order, sums: Totals) -> Document:
    document: Document = {}
    nothing = Pair()
    shown = {
        "discount_amount": -sums.discount,
        "discount_tax_compensation_amount": nothing,
        "grand_total": sums.grand,
        "shipping_amount": sums.shipping,
        "shipping_discount_amount": nothing,
        "shipping_incl_tax": sums.shipping + sums.shipping_tax,
        "shipping_tax_amount": sums.shipping_tax,
        "subtotal": sums.subtotal,
        "subtotal_incl_tax": sums.subtotal_incl,
        "tax_amount": sums.tax,
    }
    # An order that was canceled still says that all of it is due (recorded).
    shown["total_due"] = sums.grand - order.paid
    if order.state == "canceled":
        shown |= {"total_canceled": sums.grand, "subtotal_canceled": sums.subtotal, "tax_canceled": sums.tax}
        shown |= {"shipping_canceled": sums.shipping, "discount_canceled": sums.discount}
    if any(line.invoiced for line in order.lines):
        done = totals_of(order, tuple((line.item_id, line.invoiced) for line in order.lines), order.shipping)
        shown |= {"total_invoiced": order.paid, "total_paid": order.paid, "subtotal_invoiced": done.subtotal}
        shown |= {"tax_invoiced": done.tax, "shipping_invoiced": done.shipping}
    if order.refunded:
        shown |= {"total_refunded": order.refunded, "total_offline_refunded": order.refunded}
    for name, pair in shown.items():
        put(document, name, pair)
    document["base_shipping_discount_tax_compensation_amnt"] = 0
    document["shipping_discount_tax_compensation_amount"] = 0
    return document


def _line_head(line: Line, order: Order) -> Document:
    product = line.product
    document: Document = {
        "created_at": order.created_at,
        "discount_percent": 0 if not line.discount else 10,
        "free_shipping": 0,
        "is_qty_decimal": 0,
        "is_virtual": int(product.kind == "virtual"),
        "item_id": line.item_id,
        "name": product.name,
        "no_discount": 0,
        "order_id": order.entity_id,
        "product_id": product.product_id,
        "product_type": product.kind,
        "qty_canceled": line.canceled,
        "qty_invoiced": line.invoiced,
        "qty_ordered": line.ordered,
        "qty_refunded": line.refunded,
        "qty_shipped": line.shipped,
        "quote_item_id": line.item_id + 1_000,
        "row_weight": product.weight * line.ordered,
        "sku": product.sku,
        "store_id": order.store_id,
        "tax_percent": order.store.tax / 100 if line.counts else 0,
        "updated_at": order.updated_at,
    }
    return document if product.kind == "virtual" else document | {"weight": product.weight}


def _line_money(line: Line, store: StoreView, amounts: LineAmounts) -> Mapping[str, Pair]:
    done = line_amounts(line, store, line.invoiced)
    back = line_amounts(line, store, line.refunded)
    return {
        "amount_refunded": back.row,
        "discount_amount": amounts.discount,
        "discount_invoiced": done.discount,
        "discount_tax_compensation_amount": Pair(),
        "original_price": amounts.price,
        "price": amounts.price,
        "price_incl_tax": amounts.price_incl,
        "row_invoiced": done.row,
        "row_total": amounts.row,
        "row_total_incl_tax": amounts.row_incl,
        "tax_amount": amounts.tax,
        "tax_invoiced": done.tax,
    }


def _payment(order: Order, sums: Totals) -> Document:
    document: Document = {
        "account_status": None,
        "additional_information": [PAYMENT_TITLE],
        "cc_exp_year": "0",
        "cc_last4": None,
        "cc_ss_start_month": "0",
        "cc_ss_start_year": "0",
        "entity_id": order.entity_id,
        "method": PAYMENT_METHOD,
        "parent_id": order.entity_id,
    }
    put(document, "amount_ordered", sums.grand)
    put(document, "shipping_amount", sums.shipping)
    if order.paid:
        put(document, "amount_paid", order.paid)
    return document


def _extension(order: Order, sums: Totals, lines: list[Document]) -> Document:
    document: Document = {
        "payment_additional_info": [{"key": "method_title", "value": PAYMENT_TITLE}],
        "applied_taxes": _applied_taxes(order, sums),
        "item_applied_taxes": [],
    }
    if not order.is_virtual:
        document["shipping_assignments"] = [{"shipping": _shipping(order, sums), "items": lines}]
    return document


def _applied_taxes(order: Order, sums: Totals) -> list[Document]:
    if not sums.tax:
        return []
    percent = order.store.tax / 100
    rate = {"code": f"VAT {percent:g}", "title": f"VAT {percent:g} %", "percent": percent}
    tax: Document = {"code": rate["code"], "title": rate["title"], "percent": percent}
    put(tax, "amount", sums.tax)
    return [tax | {"extension_attributes": {"rates": [rate]}}]


def _shipping(order: Order, sums: Totals) -> Document:
    total: Document = {}
    put(total, "shipping_amount", sums.shipping)
    put(total, "shipping_discount_amount", Pair())
    put(total, "shipping_incl_tax", sums.shipping + sums.shipping_tax)
    put(total, "shipping_tax_amount", sums.shipping_tax)
    total["base_shipping_discount_tax_compensation_amnt"] = 0
    total["shipping_discount_tax_compensation_amount"] = 0
    return {"address": address_document(order, "shipping"), "method": SHIPPING_METHOD, "total": total}
