"""What a document or an event's name is about, and how a hint at it is written."""

import re

from adapters.reading import Reader
from connector.domain.delivery import LookAgain, Subject

_ENTITY_ID = re.compile(r"[1-9]\d{0,19}", re.ASCII)
_WORDS = (
    ("creditmemo", Subject.CREDIT_NOTE),
    ("credit_memo", Subject.CREDIT_NOTE),
    ("shipment", Subject.SHIPMENT),
    ("invoice", Subject.INVOICE),
    ("order", Subject.ORDER),
)
"""In this order, because every name of a part has `order` in it too (`sales_order_shipment_track_save_after`)."""

_MARKS_OF_ORDERS = frozenset({"increment_id", "items", "state", "grand_total", "customer_email", "order_currency_code"})
_ONLY_CREDIT_MEMOS = frozenset({"adjustment", "adjustment_positive", "adjustment_negative", "creditmemo_status"})
_ONLY_INVOICES = frozenset({"total_qty", "can_void_flag", "is_used_for_refund"})


def subject_of_event(name: str) -> Subject | None:
    """The kind of object an event's name speaks of (`sales.shipment.created`); None when it is none of ours."""
    lowered = name.lower()
    return next((subject for word, subject in _WORDS if word in lowered), None)


def subject_of_document(document: Reader) -> Subject | None:
    """The kind of object a document is, by the fields only that kind has; None when that cannot be said."""
    names = document.document.keys()
    if "order_id" not in names:
        return Subject.ORDER if len(names & _MARKS_OF_ORDERS) > 1 else None
    if names & {"tracks", "track_number"} or ("total_qty" in names and "grand_total" not in names):
        return Subject.SHIPMENT
    if names & _ONLY_CREDIT_MEMOS:
        return Subject.CREDIT_NOTE
    return Subject.INVOICE if names & _ONLY_INVOICES else None


def entity_id(document: Reader, *names: str) -> str:
    """The first of these fields that is there, as Magento's own number of the object; empty when none is.

    Raises UnreadableDelivery for anything but digits: it becomes part of an address.
    """
    for name in names:
        if document.has(name):
            key = document.key(name)
            if not _ENTITY_ID.fullmatch(key):
                raise document.refusal(name, "it is no entity id", "Magento's entity_id, not the number customers see")
            return key
    return ""


def is_part(document: Reader, event: str) -> bool:
    """Whether this is a track or a comment: news about the object `parent_id` names, with an id that leads nowhere."""
    return document.has("parent_id") or any(word in event.lower() for word in ("track", "comment", "history"))


def hint(subject: Subject, document: Reader, reason: str, event: str = "") -> LookAgain:
    """A hint at the object a document is or belongs to; one at an invoice points at its order, as the news is there.

    An order not saved yet has a number and no id: it is then asked for by that number. Raises UnreadableDelivery when
    the document does not say at all which object is meant.
    """
    subject_id = entity_id(document, *(("parent_id",) if is_part(document, event) else ("entity_id", "id")))
    order_id = entity_id(document, "order_id")
    if subject is Subject.ORDER or (subject is Subject.INVOICE and order_id):
        order_id = subject_id if subject is Subject.ORDER and subject_id else order_id
        subject, subject_id = Subject.ORDER, order_id
    if subject_id or order_id:
        return LookAgain(subject, subject_id, order_id, reason)
    number = document.text("increment_id")[:50]
    if not number:
        raise document.refusal("id", "it is missing", f'which {subject.value} is meant: {{"event":"order","id":12}}')
    order_number = number if subject is Subject.ORDER else ""
    return LookAgain(subject, "", "", f"{reason}; only the number {number} is known", order_number)
