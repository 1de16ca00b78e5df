"""What we understood of a delivery, as one JSON object a person can read (`connector inspect`)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.contract import Manifest
from connector.domain.delivery import Delivery, LookAgain, RefundUpdate, ShipmentUpdate, ShopEvent, Subject, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import LineItem, OrderSnapshot, Shipment
from connector.domain.shop import Shop

Described = dict[str, Any]


def read_stored_delivery(platform: str, content: bytes, *, received_at: datetime) -> Delivery:
    """A delivery kept as headers, an empty line and the exact body; a first request line is allowed.

    Raises UnreadableDelivery when there is no empty line after the headers.
    """
    separators = [(content.find(mark), mark) for mark in (b"\r\n\r\n", b"\n\n") if mark in content]
    if not separators:
        raise UnreadableDelivery(
            field="file",
            why="no empty line between headers and body",
            accepted="headers, an empty line, the exact body",
        )
    position, mark = min(separators)
    lines = content[:position].decode("latin-1").splitlines()
    event = ""
    if lines and ":" not in lines[0].split(" ")[0] and lines[0].upper().startswith("POST "):
        event = _event_of_request_line(lines.pop(0))
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Delivery(platform, headers, content[position + len(mark) :], received_at, event)


def _event_of_request_line(line: str) -> str:
    parts = line.split(" ")[1].strip("/").split("/")
    return parts[3] if len(parts) > 3 else ""


def inspect(manifest: Manifest, delivery: Delivery, shop: Shop, answer: bytes | None = None) -> Described:
    """What a delivery says, and with `answer` what the platform's API answer to its hint says.

    Never raises for what a sender can put into a delivery: that comes back as `kind: error` and why.
    """
    try:
        update = manifest.parse(delivery, shop)[0]
        if answer is not None:
            update = manifest.resolve(_as_hint(update), answer, shop)
    except UnreadableDelivery as error:
        return described_error(error)
    return describe(update)


def _as_hint(update: Update) -> LookAgain:
    """The hint an answer belongs to; an answer given for anything else is read as that order's."""
    if isinstance(update, LookAgain):
        return update
    order_id = "" if isinstance(update, ShopEvent) else update.order_id
    return LookAgain(Subject.ORDER, order_id, order_id, "asked for")


def described_error(error: Exception) -> Described:
    """An error in the shape of everything else."""
    return _with_all_fields({"kind": "error", "reason": str(error)})


def describe(update: Update) -> Described:
    """An update as plain JSON values: amounts as decimal strings, moments as ISO 8601 in UTC."""
    if isinstance(update, OrderSnapshot):
        return _with_all_fields(_order(update))
    if isinstance(update, ShipmentUpdate):
        said = {"kind": "shipment", "id": update.order_id, "shipments": [_shipment(update.shipment)]}
        return _with_all_fields(said | {"status": update.shipment.status_word})
    if isinstance(update, RefundUpdate):
        refund = update.refund
        said = {"kind": "refund", "id": update.order_id, "refunded_total": text(refund.amount)}
        return _with_all_fields(said | {"reason": refund.reason or None, "currency": refund.currency or None})
    if isinstance(update, LookAgain):
        return _with_all_fields({"kind": "look_again", "id": update.order_id or None, "reason": update.reason})
    if isinstance(update, ShopEvent):
        said = {"kind": "shop_event", "event": update.kind.value, "order_ids": list(update.order_ids)}
        return _with_all_fields(said | {"reason": update.words or None})
    return _with_all_fields({"kind": "ignored", "id": update.order_id or None, "reason": update.reason})


def _with_all_fields(said: Described) -> Described:
    empty: Described = dict.fromkeys(
        (
            "kind", "id", "number", "status", "currency", "total", "tax_total", "shipping_total", "discount_total",
            "refunded_total", "email", "locale", "placed_at", "lines", "shipments", "reason",
        )
    )  # fmt: skip
    return empty | {"lines": [], "shipments": []} | said


def _order(order: OrderSnapshot) -> Described:
    return {
        "kind": "order",
        "id": order.order_id,
        "number": order.number,
        "status": order.status_word,
        "currency": order.currency,
        "total": text(order.total),
        "tax_total": text(order.tax_total),
        "shipping_total": text(order.shipping_total),
        "discount_total": text(order.discount_total),
        "refunded_total": text(order.refunded_total),
        "email": order.email or None,
        "locale": order.locale or None,
        "placed_at": moment(order.placed_at),
        "lines": [_line(line) for line in order.lines],
        "shipments": [_shipment(shipment) for shipment in order.shipments],
        "reason": "; ".join(order.warnings) or None,
    }


def _line(line: LineItem) -> Described:
    return {"sku": line.sku, "name": line.name, "quantity": quantity(line.quantity), "total": text(line.total)}


def _shipment(shipment: Shipment) -> Described:
    carriers = [one.carrier for one in shipment.tracking if one.carrier]
    numbers = [one.number for one in shipment.tracking]
    return {"id": shipment.shipment_id, "carrier": carriers[0] if carriers else None, "tracking_numbers": numbers}


def text(amount: Decimal) -> str:
    """A decimal without an exponent, with the places it was given."""
    return format(amount, "f")


def quantity(value: Decimal) -> int | str:
    """A whole number where it is one (3 pieces), a decimal string where it is not (1.5 m)."""
    return int(value) if value == value.to_integral_value() else text(value)


def moment(value: datetime) -> str:
    """ISO 8601 in UTC with a Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
