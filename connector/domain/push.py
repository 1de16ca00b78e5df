"""What we write back to a platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from connector.domain.status import ShipmentStatus


@dataclass(frozen=True, slots=True)
class ShipmentPush:
    """A parcel the shop does not know yet, or a number for a parcel it knows."""

    intent_id: str
    """The same at every try: where a platform lets us leave a mark, this is what we look for before writing again."""
    order_id: str
    number: str
    carrier: str = ""
    """As people write it: `UPS`, `Correos`."""
    url: str = ""
    shipment_id: str = ""
    """The platform's parcel this number belongs to; empty: a new parcel."""
    items: tuple[tuple[str, Decimal], ...] = ()
    """How many of which line are inside; empty: all that is still to be sent."""
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatusPush:
    """Where a parcel is by now."""

    intent_id: str
    order_id: str
    shipment_id: str
    """As the platform's own documents gave it."""
    status: ShipmentStatus
    happened_at: datetime
    number: str = ""
    words: str = ""
    """A sentence for the merchant, without a person's data."""


@dataclass(frozen=True, slots=True)
class NotePush:
    """A line for the merchant in the order's history; the customer never sees it nor is mailed it."""

    intent_id: str
    order_id: str
    words: str


@dataclass(frozen=True, slots=True)
class LinkPush:
    """Where the order's invoice can be had."""

    intent_id: str
    order_id: str
    number: str
    url: str


Push = ShipmentPush | StatusPush | NotePush | LinkPush

PUSH_NAMES: Mapping[type, str] = {
    ShipmentPush: "push_shipment",
    StatusPush: "push_status",
    NotePush: "push_note",
    LinkPush: "push_invoice_link",
}
"""The kind under which each stands in the outbox."""
