"""What comes in at the door, and what an adapter can make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot, Refund, Shipment

LONGEST_ID = 64
"""Characters our tables keep of a platform's id; no platform we know comes near it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook exactly as received; header names are lower case."""

    platform: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    path_event: str = ""
    """What stood behind the shop key in the address, for platforms that do not name the event in the request."""


@dataclass(frozen=True, slots=True)
class ShipmentUpdate:
    """News about one parcel of an order, without the order around it."""

    order_id: str
    shipment: Shipment
    partial: bool = False
    """True when only status and moments are news (a carrier event): tracking and items then stay as they are known."""


@dataclass(frozen=True, slots=True)
class RefundUpdate:
    """News about one refund of an order, without the order around it."""

    order_id: str
    refund: Refund


class Subject(Enum):
    """What kind of object a hint points at."""

    ORDER = "order"
    SHIPMENT = "shipment"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class LookAgain:
    """A hint that something changed; the truth has to be read from the platform."""

    subject: Subject
    subject_id: str
    """The platform's key of that object; may be empty when only the order is known."""
    order_id: str
    """Empty when the hint does not say which order."""
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Genuine, understood, and no news for anybody."""

    reason: str
    order_id: str = ""


News = OrderSnapshot | ShipmentUpdate | RefundUpdate
"""What can join an order."""

Update = News | LookAgain | Ignored
"""All that an adapter can make of a delivery."""


def refuse_long_ids(updates: tuple[Update, ...]) -> None:
    """Raises UnreadableDelivery for an id our tables cannot keep; cutting it would mix up two orders."""
    for update in updates:
        if isinstance(update, LookAgain | Ignored):
            continue
        for field, value in _ids(update):
            if not 0 < len(value) <= LONGEST_ID:
                raise UnreadableDelivery(
                    field=field,
                    why=f"it has {len(value)} characters",
                    accepted=f"an id of 1 to {LONGEST_ID} characters",
                )


def _ids(update: News) -> Iterator[tuple[str, str]]:
    yield "order id", update.order_id
    if isinstance(update, RefundUpdate):
        yield "refund id", update.refund.refund_id
    elif isinstance(update, ShipmentUpdate):
        yield "parcel id", update.shipment.shipment_id
    else:
        yield from (("refund id", refund.refund_id) for refund in update.refunds)
        yield from (("parcel id", shipment.shipment_id) for shipment in update.shipments)
