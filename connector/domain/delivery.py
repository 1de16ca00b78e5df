"""What comes in at the door, and what an adapter can make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot, Refund, Shipment

LONGEST_ID = 64
"""Characters our tables keep of a platform's id; no platform we know comes near it."""


class Source(Enum):
    """How we came by a document."""

    WEBHOOK = "webhook"
    """The platform sent it."""
    SWEEP = "sweep"
    """Found by looking for changes: news in it is a gap that was healed."""
    IMPORT = "import"
    """History, read when the shop was connected."""
    WATCH = "watch"
    """Found by looking at a parcel that has no number yet."""
    HAND = "hand"
    """The merchant said so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One document exactly as received (or read); header names are lower case."""

    platform: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    path_event: str = ""
    """What stood behind the shop key in the address, for platforms that do not name the event in the request; for a
    document we read ourselves `Found.about`."""
    source: Source = Source.WEBHOOK


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
    order_number: str = ""
    """The number people see, where a hint knows only that."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Genuine, understood, and no news for anybody."""

    reason: str
    order_id: str = ""


class ShopEventKind(Enum):
    """What can happen to the connection itself."""

    UNINSTALLED = "uninstalled"
    """The merchant removed us: nothing may be asked or told from now on."""
    RIGHTS_CHANGED = "rights_changed"
    ACCESS_LOST = "access_lost"
    """Whoever connected us may no longer see orders."""
    DATA_REQUESTED = "data_requested"
    """A customer wants to see what is kept; the merchant has to be given it."""
    CUSTOMER_REDACTED = "customer_redacted"
    """A customer's personal data has to go."""
    SHOP_REDACTED = "shop_redacted"
    """All of the shop's data has to go."""


@dataclass(frozen=True, slots=True)
class ShopEvent:
    """News about the connection, not about an order."""

    kind: ShopEventKind
    occurred_at: datetime
    """UTC; a platform may tell it late, when the shop is long connected again."""
    order_ids: tuple[str, ...] = ()
    """Which orders a data request or redaction names."""
    customer_id: str = ""
    email: str = ""
    request_id: str = ""
    """The platform's own name of the request."""
    words: str = ""
    """What it says, for the merchant: the rights there are now, why access is lost."""


News = OrderSnapshot | ShipmentUpdate | RefundUpdate
"""What can join an order."""

Update = News | LookAgain | Ignored | ShopEvent
"""All that an adapter can make of a delivery."""


def refuse_long_ids(updates: tuple[Update, ...]) -> None:
    """Raises UnreadableDelivery for an id our tables cannot keep; cutting it would mix up two orders."""
    for update in updates:
        if isinstance(update, LookAgain | Ignored | ShopEvent):
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
