"""Magento's words for where an order stands and what was paid, as tables; a word not in them stays unknown (P5)."""

from decimal import Decimal

from adapters.magento.amounts import amount_or_zero
from adapters.reading import Reader
from connector.domain.status import OrderState, PaymentState

STATES = {
    "new": OrderState.OPEN,  # placed, nothing done yet
    "pending_payment": OrderState.OPEN,  # the customer is (or was) at the payment provider
    "payment_review": OrderState.OPEN,  # the provider or the shop looks for fraud
    "processing": OrderState.OPEN,  # something was invoiced or shipped
    "holded": OrderState.ON_HOLD,  # the shop paused it; it comes back to the state before
    "complete": OrderState.COMPLETED,  # all invoiced and all shipped
    "closed": OrderState.COMPLETED,  # nothing left to do because the money went back
    "canceled": OrderState.CANCELLED,
}
"""The fixed list of states (`state`); shops add statuses below them, never states."""

STATUSES = {
    "pending": "new",
    "pending_payment": "pending_payment",
    "pending_paypal": "pending_payment",
    "payment_review": "payment_review",
    "fraud": "payment_review",
    "processing": "processing",
    "holded": "holded",
    "complete": "complete",
    "closed": "closed",
    "canceled": "canceled",
}
"""The state a stock status belongs to, for documents that tell only the status. A shop's own status is not in it."""

CREDIT_MEMO_OPEN = "1"
CREDIT_MEMO_REFUNDED = "2"
CREDIT_MEMO_CANCELLED = "3"


def state_word(order: Reader) -> str:
    """The order's state in Magento's word; taken from a stock status where the state is absent, else empty."""
    return order.text("state") or STATUSES.get(order.text("status"), "")


def order_state(order: Reader) -> OrderState:
    """Where the order stands."""
    return STATES.get(state_word(order), OrderState.UNKNOWN)


def payment_state(order: Reader) -> PaymentState:
    """What was paid, by the amounts in the order's currency; Magento has no word for it.

    An amount that is absent is an amount of which nothing happened (magento reference, section 5).
    """
    state = state_word(order)
    paid, refunded = amount_or_zero(order, "total_paid"), amount_or_zero(order, "total_refunded")
    if refunded > 0:
        return _refunded(order, paid, refunded)
    if 0 < paid < order.amount("grand_total"):
        return PaymentState.PARTIALLY_PAID
    if paid > 0 or _nothing_is_due(order, state):
        return PaymentState.PAID
    if state == "canceled":
        return PaymentState.VOIDED
    if amount_or_zero(order, "payment.amount_authorized") > 0:
        return PaymentState.AUTHORIZED
    return PaymentState.PENDING if state in STATES or order.has("total_due") else PaymentState.UNKNOWN


def _refunded(order: Reader, paid: Decimal, refunded: Decimal) -> PaymentState:
    if refunded >= (paid or order.amount("grand_total")):
        return PaymentState.REFUNDED
    return PaymentState.PARTIALLY_PAID if 0 < paid < order.amount("grand_total") else PaymentState.PARTIALLY_REFUNDED


def _nothing_is_due(order: Reader, state: str) -> bool:
    """A free order is never paid in money; it counts as paid once the shop works on it."""
    due = order.amount_if_any("total_due")
    return due is not None and due == 0 and state in {"processing", "complete", "closed"}
