"""What the twin's REST API lets be read: orders, their papers, the shop."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from adapters.magento.twin_documents import Document, note_document, order_document
from adapters.magento.twin_errors import no_such_entity
from adapters.magento.twin_papers import creditmemo_document, invoice_document, shipment_document
from adapters.magento.twin_routes import Call, Route, route
from adapters.magento.twin_rows import Invoice, Note, Order, Row, Shipment, StoreView, Table
from adapters.magento.twin_sales import Sales
from adapters.magento.twin_search import Columns, read_criteria, search
from adapters.magento.twin_stores import store_configs, store_groups, store_views, websites

Paper = TypeVar("Paper", Shipment, Invoice)

_PLAIN = ("entity_id", "increment_id", "store_id", "created_at", "updated_at", "email_sent")
_ORDER_COLUMNS: Columns[Order] = {name: attrgetter(name) for name in (*_PLAIN, "state", "status")} | {
    "customer_email": attrgetter("buyer.email"),
    "customer_id": attrgetter("buyer.customer_id"),
    "order_currency_code": attrgetter("store.currency"),
    "coupon_code": attrgetter("coupon"),
    "relation_child_id": lambda order: order.child and str(order.child[0]),
    "relation_parent_id": lambda order: order.parent and str(order.parent[0]),
}
_SHIPMENT_COLUMNS: Columns[Shipment] = {name: attrgetter(name) for name in (*_PLAIN, "order_id")} | {
    "total_qty": lambda shipment: sum(count for _, count in shipment.items)
}
_INVOICE_COLUMNS: Columns[Invoice] = {name: attrgetter(name) for name in (*_PLAIN, "order_id", "state")} | {
    "grand_total": lambda invoice: invoice.grand.own / 100,
    "invoice_id": attrgetter("of_invoice"),
}


@dataclass(slots=True)
class Limits:
    """Knobs of how lists are given."""

    largest_page: int = 0
    """The shop's input limit; 0: off, as shipped."""
    pages_end: bool = False
    """A page past the end is empty (fixed in some 2.4.x) and not the last one again."""


@dataclass(frozen=True, slots=True)
class Reads:
    sales: Sales
    stores: tuple[StoreView, ...]
    base: str
    timezone: str
    modules: tuple[str, ...]
    limits: Limits

    def routes(self) -> list[Route]:
        sales = self.sales
        return [
            *self._shop_routes(),
            *self._order_routes(),
            *self._papers(("shipments", "shipment", "shipment"), sales.shipments, _SHIPMENT_COLUMNS, shipment_document),
            *self._papers(
                ("invoices", "invoices", "sales_invoice"), sales.invoices, _INVOICE_COLUMNS, invoice_document
            ),
            *self._papers(
                ("creditmemos", "creditmemo", "sales_creditmemo"),
                sales.creditmemos,
                _INVOICE_COLUMNS,
                creditmemo_document,
            ),
        ]

    def _shop_routes(self) -> list[Route]:
        store, timezone = "Magento_Backend::store", self.timezone
        return [
            route("GET store/storeConfigs", store, lambda _: store_configs(self.stores, self.base, timezone)),
            route("GET store/storeViews", store, lambda _: store_views(self.stores)),
            route("GET store/storeGroups", store, lambda _: store_groups(self.stores)),
            route("GET store/websites", store, lambda _: websites()),
            route("GET modules", "Magento_Backend::admin", lambda _: list(self.modules)),
        ]

    def _order_routes(self) -> list[Route]:
        view, orders = "Magento_Sales::actions_view", self.sales.orders
        return [
            route("GET orders", view, lambda call: self._list(call, orders, _ORDER_COLUMNS, order_document)),
            route("GET orders/:id", view, lambda call: order_document(one(orders, call.number))),
            route("GET orders/:id/statuses", view, lambda call: one(orders, call.number).status),
            route("GET orders/:id/comments", view, self._comments),
        ]

    def _papers(
        self,
        names: tuple[str, str, str],
        table: Table[Paper],
        columns: Columns[Paper],
        write: Callable[[Paper, Order], Document],
    ) -> list[Route]:
        """List, one and comments of a kind of document."""
        plural, single, resource = names[0], names[1], f"Magento_Sales::{names[2]}"

        def document(row: Paper) -> Document:
            return write(row, self.sales.order(row.order_id))

        return [
            route(f"GET {plural}", resource, lambda call: self._list(call, table, columns, document)),
            route(f"GET {single}/:id", resource, lambda call: document(one(table, call.number))),
            route(
                f"GET {single}/:id/comments",
                resource,
                lambda call: _listed_notes(one(table, call.number).notes, call.number),
            ),
        ]

    def _list(
        self, call: Call, table: Table[Row], columns: Columns[Row], document: Callable[[Row], Document]
    ) -> Document:
        criteria = read_criteria(call.query, largest_page=self.limits.largest_page)
        rows, count = search(table.rows().values(), columns, criteria, ends=self.limits.pages_end)
        return {
            "items": [document(row) for row in rows],
            "search_criteria": criteria.document(),
            "total_count": count,
        }

    def _comments(self, call: Call) -> Document:
        """An order that is not there has none."""
        order = self.sales.orders.rows().get(call.number)
        return _listed_notes(order.notes if order else (), call.number)


def one(table: Table[Row], number: int) -> Row:
    """A row as readers see it. Raises Refused when there is none."""
    row = table.rows().get(number)
    if row is None:
        raise no_such_entity()
    return row


def _listed_notes(notes: tuple[Note, ...], number: int) -> Document:
    asked = {"field": "parent_id", "value": str(number), "condition_type": "eq"}
    return {
        "items": [note_document(note, number) for note in notes],
        "search_criteria": {"filter_groups": [{"filters": [asked]}]},
        "total_count": len(notes),
    }
