"""Shopify's words for payments and parcels, and what they mean here."""

from connector.domain.status import PaymentState, ShipmentStatus

PAYMENTS = {
    "pending": PaymentState.PENDING,
    "authorized": PaymentState.AUTHORIZED,
    "partially_paid": PaymentState.PARTIALLY_PAID,
    "paid": PaymentState.PAID,
    "partially_refunded": PaymentState.PARTIALLY_REFUNDED,
    "refunded": PaymentState.REFUNDED,
    "voided": PaymentState.VOIDED,  # the authorisation was released; the order itself may well be open
    "expired": PaymentState.FAILED,  # authorised, and not captured before the provider's deadline
}
"""`financial_status` (shopify reference, data 2026-07; `displayFinancialStatus` in the schema 2026-10)."""

FULFILLMENTS = {
    "success": ShipmentStatus.UNKNOWN,  # the shop says it left; where it is, only a carrier can tell
    "pending": ShipmentStatus.LABEL_CREATED,  # waits for a fulfilment service; deprecated, still sent
    "open": ShipmentStatus.LABEL_CREATED,  # the service works on it; deprecated, still sent
    "cancelled": ShipmentStatus.CANCELLED,
    "error": ShipmentStatus.CANCELLED,  # the request to the service went wrong: nothing left the house
    "failure": ShipmentStatus.CANCELLED,  # same
}
"""A fulfilment's own `status` (shopify reference, section 3.1)."""

EVENTS = {
    "label_purchased": ShipmentStatus.LABEL_CREATED,
    "label_printed": ShipmentStatus.LABEL_CREATED,
    "confirmed": ShipmentStatus.LABEL_CREATED,  # Shopify's word for "no other information"
    "carrier_picked_up": ShipmentStatus.ACCEPTED,
    "in_transit": ShipmentStatus.IN_TRANSIT,
    "delayed": ShipmentStatus.IN_TRANSIT,  # still on its way; the word stays beside it
    "out_for_delivery": ShipmentStatus.OUT_FOR_DELIVERY,
    "ready_for_pickup": ShipmentStatus.AVAILABLE_FOR_PICKUP,
    "attempted_delivery": ShipmentStatus.ATTEMPTED,
    "failure": ShipmentStatus.EXCEPTION,  # also lost and returned: Shopify has no words for those
    "delivered": ShipmentStatus.DELIVERED,
}
"""All eleven words of a fulfilment event (shopify reference, section 3.1; carriers reference, section 4)."""

EVENT_WORDS = {
    ShipmentStatus.LABEL_CREATED: "CONFIRMED",  # claims the least of the three that mean this
    ShipmentStatus.ACCEPTED: "CARRIER_PICKED_UP",
    ShipmentStatus.IN_TRANSIT: "IN_TRANSIT",
    ShipmentStatus.OUT_FOR_DELIVERY: "OUT_FOR_DELIVERY",
    ShipmentStatus.AVAILABLE_FOR_PICKUP: "READY_FOR_PICKUP",
    ShipmentStatus.ATTEMPTED: "ATTEMPTED_DELIVERY",
    ShipmentStatus.EXCEPTION: "FAILURE",
    ShipmentStatus.RETURNING: "FAILURE",
    ShipmentStatus.RETURNED: "FAILURE",
    ShipmentStatus.DELIVERED: "DELIVERED",
}
"""What is written as a fulfilment event; for what is left out Shopify has no word (shopify reference, section 3.1)."""

HAPPENS_ONCE = frozenset({"CONFIRMED", "CARRIER_PICKED_UP", "IN_TRANSIT", "READY_FOR_PICKUP", "DELIVERED"})
"""A second one of these says nothing new, whoever wrote the first: Shopify adds its own for some carriers."""

DISPLAYED = EVENTS | {
    "label_voided": ShipmentStatus.CANCELLED,
    "not_delivered": ShipmentStatus.EXCEPTION,
}
"""A fulfilment's `shipment_status`, and the API's `displayStatus` for it.

`picked_up` is left out on purpose: the schema does not say by whom.
"""

NO_NEWS_OF_A_CARRIER = frozenset({"fulfilled", "marked_as_fulfilled", "submitted", "canceled"})
"""What `displayStatus` says when it only repeats the fulfilment's own `status`."""

ONLY_A_LABEL = frozenset({"label_purchased", "label_printed"})


def payment(word: str) -> PaymentState:
    """UNKNOWN for a word that is not in the table."""
    return PAYMENTS.get(word, PaymentState.UNKNOWN)


def event(word: str) -> ShipmentStatus:
    """UNKNOWN for a word that is not in the table."""
    return EVENTS.get(word, ShipmentStatus.UNKNOWN)


def is_known(status: str, shipment_status: str) -> bool:
    """Whether both of a fulfilment's words are in the tables."""
    return status in FULFILLMENTS and (not shipment_status or shipment_status in DISPLAYED)


def parcel(status: str, shipment_status: str) -> tuple[ShipmentStatus, str]:
    """A fulfilment's two words as one status and the word it comes from: a carrier's word counts unless it all fell
    through."""
    own = FULFILLMENTS.get(status, ShipmentStatus.UNKNOWN)
    if shipment_status and own is not ShipmentStatus.CANCELLED:
        return DISPLAYED.get(shipment_status, ShipmentStatus.UNKNOWN), shipment_status
    return own, status
