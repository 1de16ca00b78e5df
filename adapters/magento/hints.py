"""Senders whose words are no data: they say where to look, and the truth is read from the shop."""

from adapters.magento.subjects import hint, subject_of_document, subject_of_event
from adapters.reading import MOST_ITEMS, Reader, read_json, read_object
from connector.domain.delivery import Ignored, LookAgain, Subject
from connector.domain.errors import UnreadableDelivery

_OBJECTS = ("creditmemo", "shipment", "invoice", "order")
"""Under which names a Commerce Webhook's `data` holds the object; a part stands beside its order."""


def ping(body: bytes, path_event: str) -> LookAgain | Ignored:
    """A call that proves only who sent it: `{"event":"order","id":12}`, or whatever template the merchant wrote.

    Raises UnreadableDelivery when it does not say which object changed.
    """
    if not body.strip():
        raise UnreadableDelivery(
            field="body",
            why="it is empty, as after an error in the webhook's template (see the module's log in Magento)",
            accepted='{"event":"order","id":{{item.entity_id}}}',
        )
    document = read_object(body)
    value = document.part("data") if isinstance(document.value("data"), dict) else document
    event = document.text("event") or path_event
    subject = subject_of_event(event) if event else subject_of_document(value) or Subject.ORDER
    if subject is None:
        return Ignored(f"the event {event[:100]} is not about orders")
    return hint(subject, value, f"ping about {_article(subject)}", event)


def io_events(body: bytes) -> tuple[LookAgain | Ignored, ...]:
    """Adobe I/O Events, one or a batch; they carry only the fields somebody subscribed to.

    Raises UnreadableDelivery.
    """
    return tuple(_io_event(event) for event in events_of(body))


def events_of(body: bytes) -> list[Reader]:
    """The CloudEvents in a body, at least one. Raises UnreadableDelivery."""
    document = read_json(body)
    events = document if isinstance(document, list) else [document]
    if not events or len(events) > MOST_ITEMS or not all(isinstance(event, dict) for event in events):
        raise UnreadableDelivery(
            field="body", why="it is no list of events", accepted=f"a CloudEvent, or 1 to {MOST_ITEMS} of them"
        )
    return [Reader(event, f"[{position}]") for position, event in enumerate(events) if isinstance(event, dict)]


def commerce_webhook(body: bytes) -> LookAgain | Ignored:
    """An Adobe Commerce Webhook: called before the shop commits, so nothing in it is true yet.

    Raises UnreadableDelivery.
    """
    document = read_object(body)
    event = document.text("eventName")
    data = document.part("data") if isinstance(document.value("data"), dict) else document
    value = next((data.part(name) for name in _OBJECTS if isinstance(data.value(name), dict)), data)
    subject = subject_of_event(event) or subject_of_document(value)
    if subject is None or not any(value.has(name) for name in ("entity_id", "id", "order_id", "increment_id")):
        return Ignored(f"the webhook {event[:100] or 'without a name'} names no order")
    return hint(subject, value, f"webhook {event[:100]} before the shop's commit", event)


def _io_event(event: Reader) -> LookAgain | Ignored:
    if event.has("validationUrl"):
        return Ignored("Adobe asks to confirm this address: register it again, the challenge will be answered")
    name = event.text("type").rpartition(".")[2]
    subject = subject_of_event(name)
    if subject is None:
        return Ignored(f"the event {name[:100] or 'without a type'} is not about orders")
    data = event.part("data")
    value = data.part("value") if data.has("value") else data
    return hint(subject, value, f"I/O event {name[:100]}", name)


def _article(subject: Subject) -> str:
    return f"{'an' if subject.value[0] in 'aeiou' else 'a'} {subject.value.replace('_', ' ')}"
