"""The few states orders, payments and parcels can be in, whatever a platform calls them."""

from enum import Enum


class OrderState(Enum):
    OPEN = "open"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    """The platform says its part is done; not a word about a parcel."""
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A word we do not know yet: kept, counted and shown, never guessed (P5)."""


class PaymentState(Enum):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether the whole amount was received at some moment (a later refund does not undo that)."""
        return self in {PaymentState.PAID, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED}


class ShipmentStatus(Enum):
    """The one vocabulary of parcels (carriers reference, section 4)."""

    LABEL_CREATED = "label_created"
    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    ATTEMPTED = "attempted"
    EXCEPTION = "exception"
    RETURNING = "returning"
    RETURNED = "returned"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """How far along a parcel is; a lower rank never replaces a higher one (P3)."""
        return _RANKS[self]


_RANKS = {
    ShipmentStatus.UNKNOWN: 0,
    ShipmentStatus.LABEL_CREATED: 1,
    ShipmentStatus.ACCEPTED: 2,
    ShipmentStatus.IN_TRANSIT: 3,
    ShipmentStatus.EXCEPTION: 3,
    ShipmentStatus.OUT_FOR_DELIVERY: 4,
    ShipmentStatus.AVAILABLE_FOR_PICKUP: 4,
    ShipmentStatus.ATTEMPTED: 4,
    ShipmentStatus.RETURNING: 5,
    ShipmentStatus.RETURNED: 6,
    ShipmentStatus.DELIVERED: 7,
    ShipmentStatus.EXPIRED: 8,
    ShipmentStatus.CANCELLED: 9,
}
