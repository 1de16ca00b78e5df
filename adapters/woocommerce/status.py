"""WooCommerce's words for an order, as tables with remarks; a word that is not in them is never guessed."""

from connector.domain.status import OrderState, PaymentState

NOT_AN_ORDER = {
    "checkout-draft": "a checkout that was opened and not finished",
    "auto-draft": "an order somebody in the shop began to write",
    "trash": "the order lies in the shop's trash",
}
"""Statuses of what no customer should hear of."""

ORDER_STATES = {
    "pending": OrderState.OPEN,  # placed, payment awaited
    "on-hold": OrderState.ON_HOLD,  # placed, the shop waits for the money to arrive (bank transfer, cheque)
    "processing": OrderState.OPEN,  # to be packed; paid, but for cash on delivery
    "completed": OrderState.COMPLETED,
    "cancelled": OrderState.CANCELLED,
    "refunded": OrderState.OPEN,  # paid back in full; whether it had been completed or cancelled before is not said
    "failed": OrderState.OPEN,  # the payment failed; the customer may still pay
    # Words of shipment plugins (Advanced Shipment Tracking, ParcelPanel); by themselves they name no parcel.
    "partial-shipped": OrderState.OPEN,
    "updated-tracking": OrderState.OPEN,
    "ready-pickup": OrderState.OPEN,
    "shipped": OrderState.COMPLETED,
    "pickup": OrderState.COMPLETED,  # "Picked up"
    "delivered": OrderState.COMPLETED,
}

UNPAID = {
    "cancelled": PaymentState.VOIDED,  # nothing will be paid any more
    "failed": PaymentState.FAILED,
}
"""What "no money came" means for a status; in every other one it is still awaited."""

PAID_WITHOUT_A_DATE = frozenset({"completed", "refunded"})
"""WooCommerce dates every payment; imported orders can be through with everything and have no date."""

SAYS_IT_LEFT = frozenset({"completed", "shipped", "partial-shipped", "delivered"})
"""With one of these, a tracking number without a date of its own is of a parcel that has left."""


def order_state(word: str) -> OrderState:
    """Our state for a status without its `wc-` prefix; UNKNOWN for a word of a plugin we do not know."""
    return ORDER_STATES.get(word, OrderState.UNKNOWN)
