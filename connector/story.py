"""Timeline entries as sentences for people: one table, read wherever a timeline is shown (P11)."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from connector.domain.timeline import Tag, TimelineEntry
from notifications.formatting import Formats, clean
from notifications.reasons import sentence as reason_sentence

SENTENCES: Mapping[Tag, str] = {
    Tag.ORDER_PLACED: "The customer placed the order: {total}.",
    Tag.ORDER_PAID: "The order is paid.",
    Tag.ORDER_COMPLETED: "The shop completed the order.",
    Tag.ORDER_CANCELLED: "The order was cancelled.",
    Tag.ORDER_REOPENED: "The order is open again.",
    Tag.ORDER_REPLACED: "The order was edited; order {replaced_by} takes its place.",
    Tag.ORDER_EDITED: "The order was edited.",
    Tag.REFUND_MADE: "{amount} was given back.",
    Tag.SHIPMENT_PREPARED: "Parcel {parcel} is being prepared.",
    Tag.SHIPMENT_SHIPPED: "Parcel {parcel} left.",
    Tag.SHIPMENT_TRACKING: "Parcel {parcel} has the tracking number {numbers}.",
    Tag.SHIPMENT_DELIVERED: "Parcel {parcel} was delivered.",
    Tag.SHIPMENT_CANCELLED: "The shop took parcel {parcel} back.",
    Tag.SHIPMENT_PROGRESS: "Parcel {parcel}: {progress}.",
    Tag.MESSAGE_PLANNED: "Mail “{kind}” will be sent. {reason}",
    Tag.MESSAGE_DECLINED: "No mail “{kind}”. {reason}",
    Tag.MESSAGE_SENT: "Mail “{kind}” was handed to the mail server.",
    Tag.MESSAGE_FAILED: "Mail “{kind}” could not be sent: {outcome}",
    Tag.MESSAGE_REVIEW: "Mail “{kind}” may or may not have arrived, a person has to look: {outcome}",
    Tag.MESSAGE_WITHDRAWN: "Mail “{kind}” was not sent after all. {outcome}",
    Tag.DOCUMENT_ISSUED: "{document} {number} was issued.",
    Tag.STATUS_UNKNOWN: "The platform says “{word}”, which nobody here knows: it is kept, and nothing was guessed.",
}
"""What each tag says. In braces: a detail of the entry, or one of `_PARTS`."""

DOCUMENT_NAMES: Mapping[str, str] = {"invoice": "Invoice", "credit_note": "Credit note"}

LONGEST_DETAIL = 200


def sentence(entry: TimelineEntry, written: Formats) -> str:
    """One entry as a plain sentence; amounts are written as `written` writes them. It still has to be escaped."""
    parts = {name: make(entry, written) for name, make in _PARTS.items()}
    details = {name: clean(value, LONGEST_DETAIL) for name, value in entry.details.items()}
    return SENTENCES[entry.tag].format_map(_Known(details | parts)).strip()


def kind_name(kind: str) -> str:
    """A kind of message as people read it: `payment_received` is "payment received"."""
    return clean(kind.replace("_", " "), LONGEST_DETAIL)


class _Known(dict[str, str]):
    """Details that older entries may not have yet are empty."""

    def __missing__(self, name: str) -> str:
        return ""


def _money(name: str) -> Callable[[TimelineEntry, Formats], str]:
    def made(entry: TimelineEntry, written: Formats) -> str:
        try:
            return written.money(Decimal(entry.details.get(name, "")), entry.details.get("currency", ""))
        except InvalidOperation:
            return clean(entry.details.get(name, ""), LONGEST_DETAIL)

    return made


def _parcel(entry: TimelineEntry, _: Formats) -> str:
    """The parcel's id; some subjects hold a second part behind it."""
    holds_more = entry.tag in (Tag.SHIPMENT_TRACKING, Tag.SHIPMENT_PROGRESS)
    return clean(entry.subject.rpartition(":")[0] if holds_more else entry.subject, LONGEST_DETAIL)


def _progress(entry: TimelineEntry, _: Formats) -> str:
    """Where a parcel is; a platform that only says that it left knows no more."""
    word = entry.subject.rpartition(":")[2]
    return "on its way, and the platform says no more" if word == "unknown" else kind_name(word)


def _outcome(entry: TimelineEntry, _: Formats) -> str:
    return clean(reason_sentence(entry.details.get("outcome", "")), LONGEST_DETAIL)


_PARTS: Mapping[str, Callable[[TimelineEntry, Formats], str]] = {
    "total": _money("total"),
    "amount": _money("amount"),
    "parcel": _parcel,
    "progress": _progress,
    "kind": lambda entry, _: kind_name(entry.details.get("kind", "")),
    "reason": lambda entry, _: clean(reason_sentence(entry.details.get("reason", "")), LONGEST_DETAIL),
    "outcome": _outcome,
    "document": lambda entry, _: DOCUMENT_NAMES.get(entry.details.get("kind", ""), "Document"),
}
