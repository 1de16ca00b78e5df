"""Orders, their notes and their refunds over the REST API of a stand-in WooCommerce shop."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import cast

from adapters.twins import Answered
from adapters.woocommerce.twin_desk import Desk, Refused
from adapters.woocommerce.twin_documents import Json
from adapters.woocommerce.twin_orders import (
    ADDRESS,
    PRODUCTS,
    PRODUCTS_BY_ID,
    Checkout,
    Order,
    Product,
    Refund,
)
from adapters.woocommerce.twin_rest import EDIT, Call, Error, Route, fields, listed, paged, reply

NOT_LISTED = ("trash", "auto-draft")
MOST_IN_A_BATCH = 100
UNMODELLED = ("line_items", "shipping_lines", "fee_lines", "coupon_lines")


class OrderRoutes:
    """`/wc/v3/orders…` and `/wc/v3/refunds`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        orders, one = "/wc/v3/orders", r"/wc/v3/orders/(?P<id>[\d]+)"
        notes = r"/wc/v3/orders/(?P<order_id>[\d]+)/notes"
        refunds = r"/wc/v3/orders/(?P<order_id>[\d]+)/refunds"
        return [
            Route(("GET",), orders, self.list),
            Route(("POST",), orders, self.create),
            Route(EDIT, f"{orders}/batch", self.batch),
            Route(("GET",), f"{orders}/statuses", self.statuses, lambda site: site.at_least("9.6")),
            Route(("GET",), one, self.read),
            Route(EDIT, one, self.update),
            Route(("DELETE",), one, self.delete),
            Route(("GET",), notes, self.list_notes),
            Route(("POST",), notes, self.create_note),
            Route(("GET",), rf"{notes}/(?P<id>[\d]+)", self.read_note),
            Route(("DELETE",), rf"{notes}/(?P<id>[\d]+)", self.delete_note),
            Route(("GET",), refunds, self.list_refunds),
            Route(("POST",), refunds, self.create_refund),
            Route(("GET",), rf"{refunds}/(?P<id>[\d]+)", self.read_refund),
            Route(("DELETE",), rf"{refunds}/(?P<id>[\d]+)", self.delete_refund),
            Route(("GET",), "/wc/v3/refunds", self.all_refunds, lambda site: site.at_least("9.0")),
        ]

    # -- orders

    def list(self, call: Call) -> Answered:
        """With WooCommerce's idea of dates and pages (woocommerce reference, sections 0.16 and 6)."""
        statuses = call.choices("status", "any", ("any", "trash", *_writable(call)))
        tests = [_status_test(call, statuses), *_moment_tests(call), *_id_tests(call)]
        key = _sort_key(call.choice("orderby", "date", ("date", "id", "include", "title", "slug", "modified")), call)
        newest_first = call.choice("order", "desc", ("asc", "desc")) == "desc"
        call.integer("per_page", 10, 1, 100)
        call.integer("page", 1, 1, None)
        call.checked()
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        found = [order for order in self._desk.orders.values() if all(test(order) for test in tests)]
        found.sort(key=key, reverse=newest_first)
        writer = call.writer
        return paged(call, found, lambda order: writer.order(cast("Order", order)))

    def read(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        return reply(fields(call, [call.writer.order(self._order(call))])[0])

    def create(self, call: Call) -> Answered:
        _check_body(call)
        call.may("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
        order = self._create(call)
        headers = {"Location": f"{call.writer.api}/wc/v3/orders/{order.order_id}"}
        return reply(fields(call, [call.writer.order(order)])[0], 201, headers)

    def update(self, call: Call) -> Answered:
        _check_body(call)
        call.may("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource.")
        order = self._order(call, missing=400)
        self._update(order, call)
        return reply(fields(call, [call.writer.order(order)])[0])

    def delete(self, call: Call) -> Answered:
        """To the trash, or for good: only the first is told by a webhook (section 0.13)."""
        call.may("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
        order = self._order(call)
        document = call.writer.order(order)
        self._delete(order, for_good=call.flag("force"))
        return reply(document)

    def batch(self, call: Call) -> Answered:
        """At most 100 in all, an error beside what worked, and no undoing (section 2)."""
        words = "Sorry, you are not allowed to batch manipulate this resource."
        call.may("woocommerce_rest_cannot_batch", words)
        parts = {name: _several(call.get(name)) for name in ("create", "update", "delete")}
        if sum(len(part) for part in parts.values()) > MOST_IN_A_BATCH:
            words = f"Unable to accept more than {MOST_IN_A_BATCH} items for this request."
            raise Error("woocommerce_rest_request_entity_too_large", words, 413)
        answers: Json = {}
        for name, work in (
            ("create", self._batch_create),
            ("update", self._batch_update),
            ("delete", self._batch_delete),
        ):
            if parts[name]:
                answers[name] = [_tried(call, item, work) for item in parts[name]]
        return reply(answers)

    def statuses(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        return reply([{"slug": slug, "name": name} for slug, name in call.site.statuses.items()])

    # -- notes

    def list_notes(self, call: Call) -> Answered:
        kind = call.choice("type", "any", ("any", "customer", "internal"))
        call.checked()
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        order = self._order(call, code="woocommerce_rest_shop_order_invalid_id", words="Invalid order ID.")
        wanted = [note for note in order.notes if kind == "any" or note.for_customer == (kind == "customer")]
        wanted.sort(key=lambda note: note.note_id)
        wanted.sort(key=lambda note: note.created, reverse=True)
        return reply(fields(call, [call.writer.note(order, note) for note in wanted]))

    def create_note(self, call: Call) -> Answered:
        call.required("note")
        call.typed("note", str, "string")
        call.checked()
        call.may("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
        order = self._order(call, code="woocommerce_rest_order_invalid_id", words="Invalid order ID.")
        author = call.user.name if call.user and call.flag("added_by_user") else "WooCommerce"
        note = self._desk.add_note(order, call.text("note"), for_customer=call.flag("customer_note"), author=author)
        where = f"{call.writer.api}/wc/v3/orders/{order.order_id}/notes/{note.note_id}"
        return reply(call.writer.note(order, note), 201, {"Location": where})

    def read_note(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        order, place = self._note(call)
        return reply(call.writer.note(order, order.notes[place]))

    def delete_note(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
        if not call.flag("force"):
            raise Error("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
        order, place = self._note(call)
        return reply(call.writer.note(order, order.notes.pop(place)))

    # -- refunds

    def list_refunds(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        order = self._desk.orders.get(call.number("order_id"))
        writer = call.writer
        found = order.refunds if order else []
        return paged(call, found, lambda refund: writer.refund(cast("Order", order), cast("Refund", refund)))

    def all_refunds(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        pairs = [(order, refund) for order in self._desk.orders.values() for refund in order.refunds]
        pairs.sort(key=lambda pair: (pair[1].created, pair[1].refund_id), reverse=True)
        writer = call.writer

        def write(pair: object) -> Json:
            order, refund = cast("tuple[Order, Refund]", pair)
            return writer.refund(order, refund, with_order=True)

        return paged(call, pairs, write)

    def create_refund(self, call: Call) -> Answered:
        """Moves real money unless told not to; its own errors are HTTP 500 with a bare number (section 5)."""
        call.typed("amount", str, "string")
        call.checked()
        call.may("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources.")
        order = self._desk.orders.get(call.number("order_id"))
        if order is None:
            raise Error("woocommerce_rest_invalid_order_id", "Invalid order ID.", 500, data=404)
        lines = _refund_lines(call.get("line_items"))
        amount = _refund_amount(call, lines)
        pay_back = call.get("api_refund") is not False
        try:
            refund = self._desk.refund(order, amount, call.text("reason"), lines=lines, pay_back=pay_back)
        except Refused as error:
            raise Error("woocommerce_rest_cannot_create_order_refund", str(error), 500, data=500) from error
        return reply(call.writer.refund(order, refund), 201)

    def read_refund(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource.")
        order, refund = self._refund(call)
        return reply(call.writer.refund(order, refund))

    def delete_refund(self, call: Call) -> Answered:
        call.may("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource.")
        order, refund = self._refund(call)
        document = call.writer.refund(order, refund)
        self._desk.remove_refund(order, refund)
        return reply(document)

    # -- inside

    def _order(
        self,
        call: Call,
        *,
        missing: int = 404,
        code: str = "woocommerce_rest_shop_order_invalid_id",
        words: str = "Invalid ID.",
    ) -> Order:
        order = self._desk.orders.get(call.number("order_id" if "order_id" in call.parts else "id"))
        if order is None:
            raise Error(code, words, missing)
        return order

    def _note(self, call: Call) -> tuple[Order, int]:
        order = self._order(call, code="woocommerce_rest_order_invalid_id", words="Invalid order ID.")
        for place, note in enumerate(order.notes):
            if note.note_id == call.number("id"):
                return order, place
        raise Error("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)

    def _refund(self, call: Call) -> tuple[Order, Refund]:
        order = self._desk.orders.get(call.number("order_id"))
        for refund in order.refunds if order else ():
            if order and refund.refund_id == call.number("id"):
                return order, refund
        raise Error("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)

    def _create(self, call: Call) -> Order:
        if call.get("id"):
            raise Error("woocommerce_rest_shop_order_exists", "Cannot create existing shop_order.", 400)
        wish = replace(NOBODY, payment_method=call.text("payment_method"))
        order = self._desk.draft(wish, status="pending")
        self._write(order, call)
        self._desk.fill(order, _items(call.get("line_items")))
        self._desk.announce(order)
        if call.text("status") not in ("", "pending"):
            self._desk.change_status(order, call.text("status"))
        if call.get("set_paid") is True:
            self._desk.pay(order, call.text("transaction_id"))
        return order

    def _update(self, order: Order, call: Call) -> None:
        unmodelled = [name for name in UNMODELLED if call.get(name) is not None]
        if unmodelled:
            raise NotImplementedError(f"changing {unmodelled} of an order is not modelled")
        self._write(order, call)
        status = call.text("status")
        if status and order.status == "trash":
            # Restores it, and tells nobody (section 0.13).
            order.status, order.modified = status, call.site.now()
            return
        if status:
            self._desk.change_status(order, status)
        else:
            self._desk.save(order)
        if call.get("set_paid") is True and order.status in ("pending", "failed"):
            self._desk.pay(order, call.text("transaction_id"))

    def _write(self, order: Order, call: Call) -> None:
        for kind in ("billing", "shipping"):
            given = call.get(kind)
            if isinstance(given, dict):
                names = (*ADDRESS, "phone", *(("email",) if kind == "billing" else ()))
                self._desk.edit_address(order, kind, {name: str(given[name]) for name in names if name in given})
        for meta in _several(call.get("meta_data")):
            self._desk.set_meta(order, str(meta.get("key", "")), meta.get("value"), _whole(meta.get("id")))
        order.customer_note = call.text("customer_note") or order.customer_note
        order.payment_method = call.text("payment_method") or order.payment_method
        order.payment_title = call.text("payment_method_title") or order.payment_title
        order.transaction_id = call.text("transaction_id") or order.transaction_id
        order.currency = call.text("currency") or order.currency

    def _delete(self, order: Order, *, for_good: bool) -> None:
        if for_good:
            self._desk.delete(order)
        elif order.status == "trash":
            words = "The shop_order has already been deleted."
            raise Error("woocommerce_rest_already_trashed", words, 410)
        else:
            self._desk.trash(order)

    def _batch_create(self, call: Call) -> Json:
        _check_body(call)
        return call.writer.order(self._create(call))

    def _batch_update(self, call: Call) -> Json:
        _check_body(call)
        order = self._order(call, missing=400)
        self._update(order, call)
        return call.writer.order(order)

    def _batch_delete(self, call: Call) -> Json:
        order = self._order(call)
        document = call.writer.order(order)
        self._delete(order, for_good=True)
        return document


NOBODY = Checkout(
    via="rest-api",
    items=(),
    email="",
    first_name="",
    last_name="",
    address_1="",
    city="",
    state="",
    postcode="",
    country="",
    phone="",
)
"""An order made by REST knows of its customer only what it is given."""

Test = Callable[[Order], bool]


def _status_test(call: Call, statuses: list[str]) -> Test:
    """`any` leaves the trash out, and, where orders are posts, a checkout's drafts too."""
    hidden = NOT_LISTED if call.site.hpos else (*NOT_LISTED, "checkout-draft")
    if "any" in statuses:
        return lambda order: order.status not in hidden
    return lambda order: order.status in statuses


def _moment_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    for name, field, later in (
        ("after", "created", True),
        ("before", "created", False),
        ("modified_after", "modified", True),
        ("modified_before", "modified", False),
    ):
        written = call.moment(name)
        if written is not None:
            tests.append(_moment_test(call, written, field, later=later))
    return tests


def _moment_test(call: Call, written: datetime, field: str, *, later: bool) -> Test:
    """Strictly before or after. Unless the orders have tables of their own and are asked in the shop's time, a zone is
    turned into the shop's own time first, whatever column it is then compared with (section 0.16)."""
    zone, gmt = call.site.zone, call.flag("dates_are_gmt")
    if call.site.hpos and not gmt:
        edge = written if written.tzinfo else written.replace(tzinfo=zone)
    else:
        naive = written.astimezone(zone).replace(tzinfo=None) if written.tzinfo else written
        edge = naive.replace(tzinfo=UTC if gmt else zone)
    edge = edge.astimezone(UTC)
    if later:
        return lambda order: not order.undated and cast("datetime", getattr(order, field)) > edge
    return lambda order: not order.undated and cast("datetime", getattr(order, field)) < edge


def _id_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    included = {int(one) for one in call.listed("include") if one.isdigit()}
    excluded = {int(one) for one in call.listed("exclude") if one.isdigit()}
    if included:
        tests.append(lambda order: order.order_id in included)
    if excluded:
        tests.append(lambda order: order.order_id not in excluded)
    search = call.text("search").lower()
    if search:
        tests.append(
            lambda order: search in f"{order.order_id} {order.email} {' '.join(order.billing.values())}".lower()
        )
    customer = call.integer("customer", None, 0, None)
    if customer is not None:
        tests.append(lambda order: order.customer_id == customer)
    return tests


def _sort_key(name: str, call: Call) -> Callable[[Order], tuple[object, ...]]:
    if name == "modified":
        return lambda order: (not order.undated, order.modified, order.order_id)
    if name == "date":
        return lambda order: (order.created, order.order_id)
    if name == "include":
        places = {one: -place for place, one in enumerate(call.listed("include"))}
        return lambda order: (places.get(str(order.order_id), 0),)
    return lambda order: (order.order_id,)


def _check_body(call: Call) -> None:
    """Raises Error for a status the shop does not have (`wc-` before it counts as unknown) and for wrong types."""
    status = call.get("status")
    writable = _writable(call)
    if status is not None and status not in writable:
        call.refuse("status", "rest_not_in_enum", f"status is not one of {listed(writable)}.")
    for name, kind, word in (
        ("billing", dict, "object"),
        ("shipping", dict, "object"),
        ("meta_data", list, "array"),
        ("line_items", list, "array"),
        ("set_paid", bool, "boolean"),
        ("customer_note", str, "string"),
        ("transaction_id", str, "string"),
    ):
        call.typed(name, kind, word)
    billing = call.get("billing")
    email = billing.get("email") if isinstance(billing, dict) else None
    if email is not None and "@" not in str(email):
        call.refuse("billing", "rest_invalid_email", "Invalid email address.")
    call.checked()


def _writable(call: Call) -> tuple[str, ...]:
    return ("auto-draft", *call.site.statuses)


def _tried(call: Call, item: Json, work: Callable[[Call], Json]) -> Json:
    number = _whole(item.get("id"))
    one = Call(call.site, call.method, call.route, {}, item, call.user, {"id": str(number)})
    try:
        return work(one)
    except Error as error:
        return {"id": number, "error": error.document}


def _several(value: object) -> list[Json]:
    if not isinstance(value, list):
        return []
    return [one if isinstance(one, dict) else {"id": one} for one in value]


def _items(value: object) -> list[tuple[Product, int]]:
    items = []
    for line in _several(value):
        product = PRODUCTS.get(str(line.get("sku", ""))) or PRODUCTS_BY_ID.get(_whole(line.get("product_id")))
        if product is None:
            words = "Product ID or SKU is required."
            raise Error("woocommerce_rest_required_product_reference", words, 400)
        items.append((product, _whole(line.get("quantity")) or 1))
    return items


RefundLines = list[tuple[int, int, Decimal, tuple[tuple[int, Decimal], ...]]]


def _refund_lines(value: object) -> RefundLines:
    return [
        (
            _whole(line.get("id")),
            _whole(line.get("quantity")),
            _amount(line.get("refund_total")),
            tuple(
                (_whole(tax.get("id")), _amount(tax.get("refund_total"))) for tax in _several(line.get("refund_tax"))
            ),
        )
        for line in _several(value)
    ]


def _refund_amount(call: Call, lines: RefundLines) -> Decimal:
    if call.get("amount") is not None:
        return _amount(call.get("amount"))
    return sum((total + sum(tax for _, tax in taxes) for _, _, total, taxes in lines), Decimal())


def _amount(value: object) -> Decimal:
    try:
        return Decimal(str(value or 0))
    except InvalidOperation:
        return Decimal()


def _whole(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 0
