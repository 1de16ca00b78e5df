"""Whole documents: those an event signs and those the API answers with, as what they say."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.magento.messages import error_message
from adapters.magento.orders import missing_fields, order_email, order_snapshot
from adapters.magento.refunds import missing_refund_fields, refund_update
from adapters.magento.subjects import hint, is_part, subject_of_document, subject_of_event
from adapters.magento.tracking import missing_shipment_fields, shipment_update
from adapters.reading import Reader, read_object
from connector.domain.delivery import Ignored, LookAgain, Subject, Update
from connector.domain.shop import Shop

_NOT_THERE = ("doesn't exist", "does not exist", "no such entity")


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of document: which fields it must have, and what a whole one says."""

    missing: Callable[[Reader], list[str]]
    read: Callable[[Reader, Shop], Update]


def _read_invoice(invoice: Reader, _shop: Shop) -> Update:
    """An invoice changes its order's amounts; only the order says what was paid in all."""
    reason = f"invoice {invoice.text('increment_id')[:50]} was made or paid"
    return hint(Subject.INVOICE, invoice, reason)


_KINDS = {
    Subject.ORDER: _Kind(missing_fields, order_snapshot),
    Subject.SHIPMENT: _Kind(missing_shipment_fields, lambda document, _shop: shipment_update(document)),
    Subject.CREDIT_NOTE: _Kind(missing_refund_fields, lambda document, _shop: refund_update(document)),
    Subject.INVOICE: _Kind(lambda _document: [], _read_invoice),
}


def signed_document(document: Reader, event: str, shop: Shop) -> Update:
    """What a document says whose bytes the shop signed. `event`: its name in our address, empty when not there.

    A document that is not whole (a partial save gives such) is a hint at its object. Raises UnreadableDelivery.
    """
    subject = subject_of_document(document) or subject_of_event(event)
    if subject is None and event and not event.startswith("sales."):
        return Ignored(f"the event {event[:100]} is not about orders")
    if subject is None:
        raise document.refusal("", "it is no document we know", "an order, shipment, invoice or credit memo")
    if is_part(document, ""):
        return hint(subject, document, "a track or a comment came alone")
    missing = _KINDS[subject].missing(document)
    if subject is Subject.ORDER and not order_email(document):
        missing.append("customer_email")
    if missing:
        return hint(subject, document, f"the document came without {', '.join(missing)}")
    return _KINDS[subject].read(document, shop)


def resolve(asked: LookAgain, answer: bytes, shop: Shop) -> Update:
    """What the REST API's answer to a hint says: a document, a list of exactly one, or an error message.

    Raises UnreadableDelivery, and nothing else.
    """
    document = read_object(answer)
    if document.has("message") and not document.has("entity_id"):
        return _of_error(document, asked)
    if document.has("total_count") or document.has("search_criteria"):
        found = document.items("items")
        if not found:
            return Ignored(f"the shop knows no such {asked.subject.value}", asked.order_id)
        if len(found) > 1:
            raise document.refusal("items", f"there are {len(found)} of them", "a list of exactly one")
        document = found[0]
    kind = _KINDS[subject_of_document(document) or asked.subject]
    for name in kind.missing(document):
        raise document.refusal(name, "it is missing", "the whole document, as GET answers it")
    return kind.read(document, shop)


def _of_error(document: Reader, asked: LookAgain) -> Ignored:
    """Magento's errors are a template and its parameters; a thing that is not there is an answer, the rest is not."""
    message = error_message(document)
    if any(words in message.lower() for words in _NOT_THERE):
        return Ignored(f"the shop says: {message}", asked.order_id)
    raise document.refusal("answer", f"the shop says: {message}", "the object itself")
