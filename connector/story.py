"""Timeline entries as sentences for people: one table, read wherever a timeline is shown (P11)."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from connector.domain.status import ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from notifications.formatting import Formats, clean
from notifications.reasons import sentence as reason_sentence
from notifications.writing_back import INVOICE_LINK, NOTE, SHIPMENT, STATUS

SENTENCES: Mapping[Tag, str] = {
    Tag.ORDER_PLACED: "The customer placed the order: {total}.",
    Tag.ORDER_PAID: "The order is paid.",
    Tag.ORDER_COMPLETED: "The shop completed the order.",
    Tag.ORDER_CANCELLED: "The order was cancelled.",
    Tag.ORDER_REOPENED: "The order is open again.",
    Tag.ORDER_REPLACED: "The order was edited; order {replaced_by} takes its place.",
    Tag.ORDER_EDITED: "The order was edited.",
    Tag.REFUND_MADE: "{amount} was given back.",
    Tag.SHIPMENT_PREPARED: "{parcel} is being prepared.",
    Tag.SHIPMENT_SHIPPED: "{parcel} left.",
    Tag.SHIPMENT_TRACKING: "{parcel} has the tracking number {numbers}.",
    Tag.SHIPMENT_DELIVERED: "{parcel} was delivered.",
    Tag.SHIPMENT_CANCELLED: "{parcel} was taken back by the shop.",
    Tag.SHIPMENT_PROGRESS: "{parcel} is {progress}.",
    Tag.MESSAGE_PLANNED: "Mail “{kind}” was planned. {reason}",
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

_PROGRESS: Mapping[str, str] = {
    ShipmentStatus.ACCEPTED.value: "with the carrier",
    ShipmentStatus.IN_TRANSIT.value: "on its way",
    ShipmentStatus.AVAILABLE_FOR_PICKUP.value: "waiting to be picked up",
    ShipmentStatus.ATTEMPTED.value: "back with the carrier after nobody was there",
    ShipmentStatus.EXCEPTION.value: "held up",
    ShipmentStatus.RETURNING.value: "on its way back to the shop",
    ShipmentStatus.RETURNED.value: "back at the shop",
    ShipmentStatus.EXPIRED.value: "no longer followed by the carrier",
    ShipmentStatus.UNKNOWN.value: "on its way, and the platform says no more",
}
"""What to say after "the parcel is"; other words of ours fit as they are."""

_WRITTEN_BACK: Mapping[Tag, str] = {
    Tag.MESSAGE_PLANNED: "The shop will be given {what}. {reason}",
    Tag.MESSAGE_DECLINED: "The shop was not given {what}. {reason}",
    Tag.MESSAGE_SENT: "The shop was given {what}: {outcome}",
    Tag.MESSAGE_FAILED: "The shop could not be given {what}: {outcome}",
    Tag.MESSAGE_WITHDRAWN: "The shop was not given {what} after all. {outcome}",
}
"""The same tags where the message is for the platform."""

_WRITINGS: Mapping[str, str] = {
    SHIPMENT: "the parcel with its tracking number",
    STATUS: "the news of where the parcel is",
    NOTE: "a note of what the customer was told",
    INVOICE_LINK: "the link to the invoice",
}

LONGEST_DETAIL = 200


def sentence(entry: TimelineEntry, written: Formats, parcels: Sequence[str] = ()) -> str:
    """One entry as a plain sentence; amounts are written as `written` writes them. It still has to be escaped.

    `parcels`: the shipment ids of the order in their order, so that they can be called first, second and so on.
    """
    details = {name: clean(value, LONGEST_DETAIL) for name, value in entry.details.items()}
    parts = {name: make(entry, written) for name, make in _PARTS.items()}
    what = _WRITINGS.get(entry.details.get("kind", ""))
    if what and entry.tag in _WRITTEN_BACK:
        return _WRITTEN_BACK[entry.tag].format_map(_Known(details | parts | {"what": what})).strip()
    return SENTENCES[entry.tag].format_map(_Known(details | parts | {"parcel": _parcel(entry, parcels)})).strip()


def says_more(entry: TimelineEntry) -> bool:
    """Whether an entry adds to the others: that a parcel left, and that it was delivered, has a line of its own."""
    said_elsewhere = {ShipmentStatus.UNKNOWN.value, ShipmentStatus.DELIVERED.value}
    return entry.tag is not Tag.SHIPMENT_PROGRESS or entry.subject.rpartition(":")[2] not in said_elsewhere


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


def _parcel(entry: TimelineEntry, parcels: Sequence[str]) -> str:
    """What a parcel is called: by its place among the order's parcels, else by the platform's id."""
    shipment_id = _shipment_id(entry)
    if shipment_id not in parcels:
        return f"Parcel {clean(shipment_id, LONGEST_DETAIL)}"
    return "The parcel" if len(parcels) == 1 else f"Parcel {parcels.index(shipment_id) + 1} of {len(parcels)}"


def _shipment_id(entry: TimelineEntry) -> str:
    """Some subjects hold more behind the parcel's id; a stranger's tracking number may hold colons of its own."""
    if entry.tag is Tag.SHIPMENT_TRACKING:
        return entry.subject.removesuffix(f":{entry.details.get('numbers', '')}")
    return entry.subject.rpartition(":")[0] if entry.tag is Tag.SHIPMENT_PROGRESS else entry.subject


def _progress(entry: TimelineEntry, _: Formats) -> str:
    word = entry.subject.rpartition(":")[2]
    return _PROGRESS.get(word, kind_name(word))


def _outcome(entry: TimelineEntry, _: Formats) -> str:
    return clean(reason_sentence(entry.details.get("outcome", "")), LONGEST_DETAIL)


_PARTS: Mapping[str, Callable[[TimelineEntry, Formats], str]] = {
    "total": _money("total"),
    "amount": _money("amount"),
    "progress": _progress,
    "kind": lambda entry, _: kind_name(entry.details.get("kind", "")),
    "reason": lambda entry, _: clean(reason_sentence(entry.details.get("reason", "")), LONGEST_DETAIL),
    "outcome": _outcome,
    "document": lambda entry, _: DOCUMENT_NAMES.get(entry.details.get("kind", ""), "Document"),
}
