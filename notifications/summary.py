"""An order, its parcels and its amounts as the customer reads them: cleaned, formatted, in one language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.domain.order import Charge, LineItem, OrderSnapshot, Shipment, Tax
from connector.domain.record import OrderRecord, has_left
from connector.domain.status import OrderState, ShipmentStatus
from notifications.formatting import Formats, carrier_name, clean, typed, web_link
from notifications.wording import Phrases

LISTED = 30
"""A longer list is cut here and says how many more there are; the totals always stay."""


@dataclass(frozen=True, slots=True)
class Item:
    quantity: str
    name: str
    details: tuple[tuple[str, str], ...]
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of products, cut after LISTED; `more` says how many were left out, or is empty."""

    listed: tuple[Item, ...] = ()
    more: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """`url` is empty when there is no address that can be trusted to be a web page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class ParcelPosition:
    """Which of an order's parcels one is. `count` is 0 while it is not known how many there will be."""

    number: int
    count: int
    is_part: bool
    """Whether the order has something that is not in this parcel."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel: where to follow it, what is inside, and what else of the order is still open."""

    title: str
    rows: tuple[Row, ...]
    links: tuple[Link, ...]
    items: Items
    rest: Items
    rest_title: str


def order_items(snapshot: OrderSnapshot, formats: Formats, phrases: Phrases) -> Items:
    """The order's lines as ordered, each with what it cost after discounts."""
    return _items(
        ((line, line.quantity) for line in snapshot.lines),
        formats,
        phrases,
        len(snapshot.lines),
        currency=snapshot.currency,
    )


def totals(record: OrderRecord, snapshot: OrderSnapshot, formats: Formats, phrases: Phrases) -> tuple[Row, ...]:
    """The order's sums exactly as the platform gave them (P6), then what was paid back so far."""

    def row(label: str, amount: Decimal, *, strong: bool = False) -> Row:
        return Row(label, formats.money(amount, snapshot.currency), strong)

    taxes = [(_tax_label(tax, formats, phrases), tax.amount) for tax in snapshot.taxes[:LISTED]]
    if not taxes and snapshot.tax_total:
        taxes = [(phrases["tax"], snapshot.tax_total)]
    rows = [row(phrases["subtotal"], snapshot.subtotal)]
    if snapshot.needs_shipping or snapshot.shipping_total:
        rows.append(row(_shipping_label(snapshot.charges, phrases), snapshot.shipping_total))
    others = [charge for charge in snapshot.charges if charge.kind != "shipping"]
    rows.extend(row(_charge_label(charge, phrases), charge.total) for charge in others[:LISTED])
    if not snapshot.prices_include_tax:
        rows.extend(row(label, amount) for label, amount in taxes)
    rows.append(row(phrases["total"], snapshot.total, strong=True))
    if snapshot.prices_include_tax:
        rows.extend(row(phrases.filled("including", tax=label), amount) for label, amount in taxes)
    if snapshot.discount_total:
        rows.append(row(phrases["discount"], snapshot.discount_total))
    rows.extend(
        row(phrases.filled("refunded_on", date=formats.date(refund.refunded_at)), refund.amount)
        for refund in record.refunds[:LISTED]
    )
    return tuple(rows)


def still_to_leave(record: OrderRecord, snapshot: OrderSnapshot) -> bool:
    """Whether something of the order is known to leave yet; no when the platform did not say enough to know (P5)."""
    if snapshot.state is OrderState.UNKNOWN or not snapshot.needs_shipping:
        return False
    return bool(_not_in(snapshot, record, filter(has_left, record.parcels)))


def parcel_position(record: OrderRecord, snapshot: OrderSnapshot, shipment: Shipment) -> ParcelPosition:
    """Which parcel this is. How many there will be is only said when nothing of the order is outside the known ones."""
    parcels = record.parcels
    number = next((place for place, one in enumerate(parcels, 1) if one.shipment_id == shipment.shipment_id), 1)
    outside = _not_in(snapshot, record, parcels)
    if outside == () and len(parcels) > 1:
        return ParcelPosition(number, len(parcels), is_part=True)
    return ParcelPosition(number, 0, is_part=bool(outside) or len(parcels) > 1)


def parcel(
    record: OrderRecord, snapshot: OrderSnapshot, shipment: Shipment, formats: Formats, phrases: Phrases
) -> Parcel | None:
    """The parcel and, after it left or was delivered, the products that have not come as far yet.

    None when the platform told nothing about it that a customer could use.
    """
    lines = {line.line_id: line for line in snapshot.lines}
    inside = [(lines[item.line_id], item.quantity) for item in shipment.items if item.line_id in lines]
    delivered = shipment.status is ShipmentStatus.DELIVERED
    as_far = [
        one
        for one in record.parcels
        if one.shipment_id == shipment.shipment_id
        or (one.status is ShipmentStatus.DELIVERED if delivered else has_left(one))
    ]
    rest = _not_in(snapshot, record, as_far) or ()
    if not (shipment.tracking or shipment.estimated_delivery_at or inside or rest):
        return None
    return Parcel(
        title=_parcel_title(parcel_position(record, snapshot, shipment), phrases),
        rows=_parcel_rows(shipment, formats, phrases),
        links=tuple(
            Link(phrases.filled("track", number=clean(one.number, 60)), web_link(one.url))
            for one in shipment.tracking[:LISTED]
            if one.number.strip() and web_link(one.url)
        ),
        items=_items(inside, formats, phrases, len(inside)),
        rest=_items(rest, formats, phrases, len(rest)),
        rest_title=phrases["not_delivered" if delivered else "still_to_come"],
    )


def _items(
    lines: Iterable[tuple[LineItem, Decimal]], formats: Formats, phrases: Phrases, count: int, currency: str = ""
) -> Items:
    listed = tuple(
        Item(
            formats.quantity(quantity),
            clean(line.name) or clean(line.sku) or "?",
            tuple((typed(label, 60), typed(words)) for label, words in line.details[:LISTED] if words.strip()),
            formats.money(line.total, currency) if currency else "",
        )
        for (line, quantity), _ in zip(lines, range(LISTED), strict=False)
    )
    return Items(listed, phrases.plural("and_more", count - LISTED) if count > LISTED else "")


def _tax_label(tax: Tax, formats: Formats, phrases: Phrases) -> str:
    label = clean(tax.label, 60) or phrases["tax"]
    return label if tax.percent is None or "%" in label else f"{label} ({formats.percent(tax.percent)})"


def _shipping_label(charges: Sequence[Charge], phrases: Phrases) -> str:
    names = clean(", ".join(charge.name for charge in charges if charge.kind == "shipping" and charge.name), 80)
    return f"{phrases['shipping']} ({names})" if names else phrases["shipping"]


def _charge_label(charge: Charge, phrases: Phrases) -> str:
    kind, name = phrases.texts.get(charge.kind, phrases["fee"]), clean(charge.name, 80)
    return f"{kind} ({name})" if name else kind


def _parcel_title(position: ParcelPosition, phrases: Phrases) -> str:
    if position.count:
        return phrases.filled("parcel_of", number=str(position.number), count=str(position.count))
    if position.number > 1:
        return phrases.filled("parcel_number", number=str(position.number))
    return phrases["parcel"]


def _parcel_rows(shipment: Shipment, formats: Formats, phrases: Phrases) -> tuple[Row, ...]:
    rows = []
    for tracking in shipment.tracking[:LISTED]:
        rows.append(Row(phrases["carrier"], carrier_name(tracking.carrier)))
        rows.append(Row(phrases["tracking_number"], clean(tracking.number, 60)))
    if shipment.estimated_delivery_at and shipment.status is not ShipmentStatus.DELIVERED:
        rows.append(Row(phrases["expected"], formats.date(shipment.estimated_delivery_at)))
    return tuple(row for row in rows if row.value)


def _not_in(
    snapshot: OrderSnapshot, record: OrderRecord, parcels: Iterable[Shipment]
) -> tuple[tuple[LineItem, Decimal], ...] | None:
    """What of the order is in none of these parcels; None when the platform did not say enough to know (P5)."""
    if snapshot.state in {OrderState.COMPLETED, OrderState.CANCELLED}:
        return ()
    wanted = [line for line in snapshot.lines if line.needs_shipping]
    if record.refunds and any(line.current_quantity is None for line in wanted):
        return None
    packed: dict[str, Decimal] = {}
    for one in parcels:
        if not one.items:
            return None
        for item in one.items:
            packed[item.line_id] = packed.get(item.line_id, Decimal()) + item.quantity
    missing = (
        (
            line,
            (line.quantity if line.current_quantity is None else line.current_quantity) - packed.get(line.line_id, 0),
        )
        for line in wanted
    )
    return tuple((line, quantity) for line, quantity in missing if quantity > 0)
