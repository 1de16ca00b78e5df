"""An order's timeline: facts as they were learned, and what was decided about each."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class Tag(Enum):
    """What an entry says, as data; the sentence is made when somebody reads it."""

    ORDER_PLACED = "order:placed"
    ORDER_PAID = "order:paid"
    ORDER_COMPLETED = "order:completed"
    ORDER_CANCELLED = "order:cancelled"
    ORDER_REOPENED = "order:reopened"
    ORDER_REPLACED = "order:replaced"
    ORDER_EDITED = "order:edited"
    REFUND_MADE = "refund:made"
    SHIPMENT_PREPARED = "shipment:prepared"
    SHIPMENT_SHIPPED = "shipment:shipped"
    SHIPMENT_TRACKING = "shipment:tracking"
    SHIPMENT_DELIVERED = "shipment:delivered"
    SHIPMENT_CANCELLED = "shipment:cancelled"
    SHIPMENT_PROGRESS = "shipment:progress"
    MESSAGE_PLANNED = "message:planned"
    MESSAGE_DECLINED = "message:declined"
    MESSAGE_SENT = "message:sent"
    MESSAGE_FAILED = "message:failed"
    MESSAGE_REVIEW = "message:review"
    MESSAGE_WITHDRAWN = "message:withdrawn"
    DOCUMENT_ISSUED = "document:issued"
    STATUS_UNKNOWN = "status:unknown"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an order's story; never changed, never deleted. (tag, subject) is said once per order."""

    tag: Tag
    subject: str
    """Which one: a shipment id, a refund id, a kind of message; empty when the order itself is meant."""
    occurred_at: datetime
    """UTC, when it happened as far as the platform tells."""
    learned_at: datetime
    """UTC, when we learned of it."""
    details: dict[str, str] = field(default_factory=dict)
    """Facts for the sentence (amounts, words, whys). No names, no addresses."""
