"""`connector order`: what the merchant says by hand about an order, and its whole story."""

import argparse
from datetime import datetime
from decimal import Decimal, InvalidOperation

import sqlalchemy as sa

from connector.app import build_service
from connector.commands.finding import find_order, find_shop
from connector.commands.parsing import Commands, Run, add, group
from connector.domain.errors import ConnectorError
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.status import ShipmentStatus
from connector.flow import by_hand
from connector.flow.service import Service
from connector.settings import load
from connector.story import sentence
from connector.tables import inbox, timeline
from connector.tables.inbox import Recorded
from notifications import outbox, writing_back
from notifications.formatting import Formats
from notifications.kinds import Declined
from notifications.reasons import sentence as reason_sentence

LONGEST_NUMBER = 100
_TOLD_BY_HAND = [
    status.value
    for status in ShipmentStatus
    if status not in (ShipmentStatus.UNKNOWN, ShipmentStatus.CANCELLED, ShipmentStatus.LABEL_CREATED)
]


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    order = group(commands, "order", "an order's story, and what you know of it that the shop does not")
    _add(order, "show", "tell an order's whole story, and why each message was or was not sent", _show)
    ship = _add(order, "ship", "give the shop a parcel with its tracking number; the customer hears of it once", _ship)
    ship.add_argument("number", help="the tracking number")
    ship.add_argument("--carrier", default="", help="as people write it: UPS, Correos")
    ship.add_argument("--url", default="", help="where the parcel can be followed (https)")
    ship.add_argument("--parcel", default="", help="the platform's parcel the number belongs to; none: a new parcel")
    ship.add_argument("--item", action="append", default=[], metavar="LINE=QUANTITY", help="none: all that is left")
    status = _add(order, "status", "say how far a parcel has come; customer and shop are told", _status)
    status.add_argument("parcel", help="the platform's id of the parcel (see `connector order show`)")
    status.add_argument("status", choices=_TOLD_BY_HAND)


def _add(order: "Commands[argparse.ArgumentParser]", name: str, says: str, run: Run) -> argparse.ArgumentParser:
    parser = add(order, name, says, run)
    parser.add_argument("shop", help="its id, host or name")
    parser.add_argument("order", help="its number as customers see it, or the platform's id")
    return parser


def _show(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        shop = find_shop(connection, parsed.shop)
        record = find_order(connection, shop, parsed.order)
        story = timeline.of_order(connection, shop.shop_id, record.order_id)
    print(f"Order {record.snapshot.number if record.snapshot else record.order_id} of {shop.name}")
    parcels = [one.shipment_id for one in record.shipments]
    written = Formats("en", shop.timezone)
    for entry in story:
        print(f"  {entry.learned_at:%Y-%m-%d %H:%M} UTC  {sentence(entry, written, parcels)}")
    for parcel in record.shipments:
        numbers = ", ".join(f"{one.carrier} {one.number}".strip() for one in parcel.tracking)
        print(f"  parcel {parcel.shipment_id}: {parcel.status.value.replace('_', ' ')} {numbers}".rstrip())
    return 0


def _ship(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    _check_ship(parsed)
    now = service.clock.now()
    with service.database.write() as connection:
        shop, record = _named(connection, parsed)
        service.stores.api(shop)
        items = [_item(one, record) for one in parsed.item]
        writing = writing_back.parcel(parsed.number, parsed.carrier, parsed.url, parsed.parcel, items, now)
        decision = writing_back.decide(record, shop, writing, now, ordered=True)
        if isinstance(decision, Declined):
            raise ConnectorError(reason_sentence(decision.reason))
        outbox.enqueue(service.database, connection, [(decision, "")], now)
    print("The shop gets it within a minute while `connector serve` runs, and then the customer is told.")
    return 0


def _check_ship(parsed: argparse.Namespace) -> None:
    if not parsed.number.strip() or len(parsed.number) > LONGEST_NUMBER or not parsed.number.isprintable():
        raise ConnectorError(f"number: accepted is a tracking number of up to {LONGEST_NUMBER} characters")
    if parsed.url and not parsed.url.startswith("https://"):
        raise ConnectorError("--url: accepted is an https address")


def _item(given: str, record: OrderRecord) -> tuple[str, Decimal]:
    line_id, _, quantity = given.partition("=")
    lines = {line.line_id: line.name for line in record.snapshot.lines} if record.snapshot else {}
    if line_id not in lines:
        there = ", ".join(f"{key} ({name})" for key, name in lines.items())
        raise ConnectorError(f"--item: the order has no line {line_id!r}; it has {there}")
    try:
        count = Decimal(quantity)
    except InvalidOperation:
        raise ConnectorError("--item: accepted is LINE=QUANTITY, such as 11=2") from None
    if not count.is_finite() or count <= 0:
        raise ConnectorError("--item: the quantity has to be more than nothing")
    return line_id, count


def _status(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    now = service.clock.now()
    with service.database.write() as connection:
        shop, record = _named(connection, parsed)
        if record.shipment(parsed.parcel) is None:
            there = ", ".join(one.shipment_id for one in record.shipments) or "none yet"
            raise ConnectorError(f"the order has no parcel {parsed.parcel!r}; it has {there}")
        _record(service, connection, shop, record, parsed, now)
    print("Noted. The customer and the shop are told while `connector serve` runs, as far as that is switched on.")
    return 0


def _record(
    service: Service,
    connection: sa.Connection,
    shop: Shop,
    record: OrderRecord,
    parsed: argparse.Namespace,
    now: datetime,
) -> None:
    status = ShipmentStatus(parsed.status)
    delivery = by_hand.parcel_status(shop.platform, record.order_id, parsed.parcel, status, now, now)
    key = f"hand:{record.order_id}:{parsed.parcel}:{status.value}:{now.timestamp()}"[:128]
    inbox.record(service.database, connection, [Recorded(shop.shop_id, inbox.new_delivery_id(), key, delivery)])


def _named(connection: sa.Connection, parsed: argparse.Namespace) -> tuple[Shop, OrderRecord]:
    shop = find_shop(connection, parsed.shop)
    return shop, find_order(connection, shop, parsed.order)
