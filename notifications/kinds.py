"""The kinds of message there are: one row a kind."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.timeline import Tag


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message to the customer."""

    name: str
    fact: Tag
    """The fact it tells."""
    age_limit: timedelta
    """Older facts are not told any more (P4)."""
    carries_invoice: bool = False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("order_received", Tag.ORDER_PLACED, timedelta(hours=48)),
        Kind("payment_received", Tag.ORDER_PAID, timedelta(hours=72), carries_invoice=True),
        Kind("shipped", Tag.SHIPMENT_SHIPPED, timedelta(days=5)),
        Kind("tracking_added", Tag.SHIPMENT_TRACKING, timedelta(days=14)),
        Kind("delivered", Tag.SHIPMENT_DELIVERED, timedelta(hours=48)),
        Kind("cancelled", Tag.ORDER_CANCELLED, timedelta(hours=72)),
        Kind("refunded", Tag.REFUND_MADE, timedelta(days=7)),
    )
}


@dataclass(frozen=True, slots=True)
class Notification:
    """An intent to tell one person one thing once, over one channel."""

    shop_id: str
    order_id: str
    kind: str
    subject: str
    """Which parcel or refund; empty when the order itself is meant."""
    recipient: str
    channel: str
    locale: str
    run_at: datetime
    """UTC; not before this moment."""
    expires_at: datetime
    """UTC; not after this moment, whatever the cause of the delay (P4)."""
    reason: str
    """Why it is sent, in words for the merchant (P11)."""
    invoice: bool = False
    """Whether the order's invoice goes with it."""
    details: tuple[tuple[str, str], ...] = ()
    """What a message to a platform says, by name: no mail needs it, since its words come from the order."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A decision not to tell something, and why (P11)."""

    order_id: str
    kind: str
    subject: str
    reason: str
