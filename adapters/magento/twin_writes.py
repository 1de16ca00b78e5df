"""What the twin's REST API lets be done, with what each act sets off."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.magento.twin_documents import Document
from adapters.magento.twin_errors import Refused, no_such_entity, required
from adapters.magento.twin_papers import track_document
from adapters.magento.twin_reads import Paper
from adapters.magento.twin_routes import Call, Route, route
from adapters.magento.twin_rows import Table
from adapters.magento.twin_sales import Sales

_TRACK_FIELDS = {"order_id", "parent_id", "track_number", "title", "carrier_code", "weight", "qty", "description"}
"""All of them are required (magento reference, section 4)."""


@dataclass(frozen=True, slots=True)
class Writes:
    sales: Sales

    def routes(self) -> list[Route]:
        sales, rights = self.sales, "Magento_Sales::"
        return [
            route("POST orders/:id/comments", f"{rights}comment", self._comment),
            route("POST orders/:id/emails", f"{rights}emails", self._mail_order),
            route("POST order/:id/ship", f"{rights}ship", self._ship),
            route("POST order/:id/invoice", f"{rights}invoice", self._invoice),
            route("POST shipment/track", f"{rights}shipment", self._track),
            route("DELETE shipment/track/:id", f"{rights}shipment", self._untrack),
            route(
                "POST shipment/:id/emails",
                f"{rights}shipment",
                lambda call: self._mail(sales.shipments, call.number, "shipment"),
            ),
            route(
                "POST invoices/:id/emails",
                f"{rights}sales_invoice",
                lambda call: self._mail(sales.invoices, call.number, "invoice"),
            ),
            route(
                "POST creditmemo/:id/emails",
                f"{rights}sales_creditmemo",
                lambda call: self._mail(sales.creditmemos, call.number, "creditmemo"),
            ),
        ]

    def _comment(self, call: Call) -> bool:
        given = parameter(call.body, "statusHistory", "status_history")
        words, notified, visible = _remark(given)
        self.sales.comment(
            call.number, words, notified=notified, visible=visible, status=str(given.get("status") or "")
        )
        return True

    def _mail_order(self, call: Call) -> bool:
        order = self.sales.order(call.number)
        sent = self.sales.mail("order", order)
        if sent:
            self.sales.write(replace(order, email_sent=1))
        return sent

    def _mail(self, table: Table[Paper], number: int, kind: str) -> bool:
        row = table.newest(number)
        if row is None:
            raise no_such_entity()
        sent = self.sales.mail(kind, self.sales.order(row.order_id))
        if sent:
            table.save(number, replace(row, email_sent=1, updated_at=self.sales.now()))
        return sent

    def _ship(self, call: Call) -> str:
        tracks = [
            (str(one.get("track_number") or ""), str(one.get("title") or ""), str(one.get("carrier_code") or ""))
            for one in _objects(call.body, "tracks")
        ]
        shipment = self.sales.ship(call.number, _quantities(call.body), tracks, _note(call.body))
        if _flag(call.body.get("notify")):
            self._mail(self.sales.shipments, shipment.entity_id, "shipment")
        return str(shipment.entity_id)

    def _invoice(self, call: Call) -> str:
        invoice = self.sales.invoice(call.number, _quantities(call.body), _note(call.body))
        if _flag(call.body.get("notify")):
            self._mail(self.sales.invoices, invoice.entity_id, "invoice")
        return str(invoice.entity_id)

    def _track(self, call: Call) -> Document:
        """Only the track's row is written; a shipment it does not fit to is refused without a reason."""
        given = parameter(call.body, "entity")
        shipment = self.sales.shipments.newest(_int(given.get("parent_id")))
        words = [given.get(name) for name in ("track_number", "title", "carrier_code")]
        fits = shipment is not None and shipment.order_id == _int(given.get("order_id"))
        if shipment is None or not fits or not all(words) or not given.keys() >= _TRACK_FIELDS:
            raise Refused(400, "Could not save the shipment tracking.")
        number, title, carrier = (str(word) for word in words)
        more = {name: given.get(name) for name in ("weight", "qty", "description")}
        track = self.sales.add_track(shipment.entity_id, number, title, carrier, **more)
        return track_document(track, shipment)

    def _untrack(self, call: Call) -> bool:
        self.sales.remove_track(call.number)
        return True


def _int(given: object) -> int:
    return int(given) if isinstance(given, int | float | str) and re.fullmatch(r"\d{1,15}", str(given)) else 0


def parameter(body: Mapping[str, object], *names: str) -> Mapping[str, object]:
    """The parameter of one of these names; the first is what Magento calls it."""
    given = next((body[name] for name in names if body.get(name) is not None), None)
    if given is None:
        raise required(names[0])
    return given if isinstance(given, dict) else {}


def _objects(body: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    given = body.get(name)
    if isinstance(given, dict):
        # PHP walks over an object as over a list: {"track_number": …} is then three empty tracks (#9416).
        given = list(given.values())
    return [one if isinstance(one, dict) else {} for one in given] if isinstance(given, list) else []


def _quantities(body: Mapping[str, object]) -> dict[int, int] | None:
    """By order item; None for all that is left."""
    items = _objects(body, "items")
    wanted = {_int(one.get("order_item_id", one.get("orderItemId"))): one.get("qty") for one in items}
    return {item_id: _int(str(qty).partition(".")[0]) for item_id, qty in wanted.items()} if items else None


def _note(body: Mapping[str, object]) -> tuple[str, int, int] | None:
    """The comment that goes with a shipment or an invoice; the customer is mailed it only with the mail about that."""
    given = body.get("comment")
    if not isinstance(given, dict):
        return None
    words, _, visible = _remark(given)
    append = body.get("appendComment", body.get("append_comment"))
    return words, int(_flag(append) and _flag(body.get("notify"))), visible


def _remark(given: Mapping[str, object]) -> tuple[str, int, int]:
    """Words, whether the customer is mailed, whether the customer sees it in the account."""
    notified = given.get("is_customer_notified", given.get("isCustomerNotified"))
    visible = given.get("is_visible_on_front", given.get("isVisibleOnFront"))
    words = given.get("comment")
    return "" if words is None else str(words), int(_flag(notified)), int(_flag(visible))


def _flag(given: object) -> bool:
    """As PHP sees it."""
    return given not in (None, False, 0, "", "0")
