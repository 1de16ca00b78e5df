"""A credit memo document, as `GET /V1/creditmemo/{id}` and async-events give it, as news about one refund."""

from adapters.magento.status import CREDIT_MEMO_CANCELLED, CREDIT_MEMO_OPEN, CREDIT_MEMO_REFUNDED
from adapters.reading import Reader
from connector.domain.delivery import Ignored, RefundUpdate
from connector.domain.order import Refund

_ESSENTIAL = ("entity_id", "order_id", "grand_total", "created_at", "state")


def missing_refund_fields(memo: Reader) -> list[str]:
    """The fields without which this is not a whole credit memo."""
    return [name for name in _ESSENTIAL if not memo.has(name)]


def refund_update(memo: Reader) -> RefundUpdate | Ignored:
    """A whole credit memo document; the amount is in the order's currency.

    Only a refunded one is a refund. Raises UnreadableDelivery, also for a state Magento does not have.
    """
    state, order_id, number = memo.text("state"), memo.key("order_id"), memo.text("increment_id")
    if state == CREDIT_MEMO_OPEN:
        return Ignored(f"credit memo {number} is open: the money is not on its way yet", order_id)
    if state == CREDIT_MEMO_CANCELLED:
        return Ignored(f"credit memo {number} was cancelled", order_id)
    if state != CREDIT_MEMO_REFUNDED:
        raise memo.refusal("state", "it is no state of a credit memo", "1 open, 2 refunded or 3 cancelled")
    amount = memo.amount("grand_total")
    if amount <= 0:
        return Ignored(f"credit memo {number} gives no money back (store credit, or nothing was paid)", order_id)
    refund = Refund(
        refund_id=memo.key("entity_id"),
        amount=amount,
        refunded_at=memo.moment("created_at"),
        reason=_reason(memo),
        currency=memo.text("order_currency_code"),
    )
    return RefundUpdate(order_id, refund)


def _reason(memo: Reader) -> str:
    """The comments the customer may read; what the shop noted for itself stays with the shop."""
    visible = (entry.text("comment") for entry in memo.items("comments") if entry.flag("is_visible_on_front"))
    return " ".join(words for words in visible if words)
