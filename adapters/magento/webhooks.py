"""The four senders of Magento news: how each signs, what each may be believed, and when two of its posts are one."""

import hashlib
from collections.abc import Callable
from datetime import UTC

from adapters.magento.documents import signed_document
from adapters.magento.hints import commerce_webhook, events_of, io_events, ping
from adapters.reading import read_object
from connector.domain.delivery import Delivery, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.shop import Shop
from connector.domain.signing import Encoding, HmacSignature, Reply, RsaSignature, SignedMessage, StaticSecret

ASYNC_EVENTS = HmacSignature(headers=("x-magento-signature",), encoding=Encoding.HEX)
"""Mage-OS async-events (magento reference, section 2)."""

IO_EVENTS = RsaSignature(
    signature_headers=("x-adobe-digital-signature-1", "x-adobe-digital-signature-2"),
    key_path_headers=("x-adobe-public-key1-path", "x-adobe-public-key2-path"),
    key_host="https://static.adobeioevents.com",
    key_path_pattern=r"^/prod/keys/pub-key-[\w-]+\.pem$",
    audience_fields=("recipient_client_id", "recipientclientid"),
)
"""Adobe I/O Events; Adobe's key signs for every customer, so the body has to name us."""

COMMERCE_WEBHOOKS = RsaSignature(
    signature_headers=("x-adobe-commerce-webhook-signature",),
    message=SignedMessage.BASE64_OF_BODY,
    reply=Reply(body=b'{"op":"success"}', content_type="application/json"),
)
"""Adobe Commerce Webhooks: the shop waits for this very answer, a checkout may hang on it."""

STATIC_SECRET = StaticSecret(headers=("x-connector-secret", "authorization"))
"""Mageplaza Webhook, and anything else that can send one fixed header."""

SIGNATURES = (ASYNC_EVENTS, IO_EVENTS, COMMERCE_WEBHOOKS, STATIC_SECRET)
"""What proves most comes first; a post is read as what its first header says it is, as it was verified."""


def parse(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a genuine delivery says; only a batch of Adobe I/O Events says more than one thing.

    Data is believed only from async-events, whose signature covers it. Raises UnreadableDelivery, and nothing else.
    """
    sender = _sender(delivery)
    if sender is ASYNC_EVENTS:
        body = read_object(delivery.body)
        document = body.part("data") if body.has("data") else body
        return (signed_document(document, delivery.path_event, shop),)
    if sender is IO_EVENTS:
        return io_events(delivery.body)
    if sender is COMMERCE_WEBHOOKS:
        return (commerce_webhook(delivery.body),)
    return (ping(delivery.body, delivery.path_event),)


def idempotency_key(delivery: Delivery) -> str:
    """The same text for the same news: by the document, by Adobe's event ids, by the moment for mere pings.

    A ping repeats with the very same bytes and means "look again" each time: taking it for known would lose a change
    that came after the last look. Waiting pings about one object are answered by one question all the same.
    """
    return _KEYS.get(_sender(delivery), _key_of_ping)(delivery)


def _sender(delivery: Delivery) -> HmacSignature | RsaSignature | StaticSecret | None:
    for signature in SIGNATURES:
        names = signature.signature_headers if isinstance(signature, RsaSignature) else signature.headers
        if any(name in delivery.headers for name in names):
            return signature
    return None


def _key_of_document(delivery: Delivery) -> str:
    return f"document:{hashlib.sha256(delivery.body).hexdigest()}"


def _key_of_events(delivery: Delivery) -> str:
    """The ids stand in the body, which is signed; the header that repeats them is not."""
    try:
        ids = [
            next((event.text(name) for name in ("event_id", "eventid", "id") if event.has(name)), "")
            for event in events_of(delivery.body)
        ]
    except UnreadableDelivery:
        return _key_of_document(delivery)
    if not all(ids):
        return _key_of_document(delivery)
    joined = "\n".join(ids).encode()
    return f"events:{hashlib.sha256(joined).hexdigest()}"


def _key_of_ping(delivery: Delivery) -> str:
    moment = delivery.received_at.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")
    said = delivery.path_event.encode("utf-8", "surrogatepass") + b"\n" + delivery.body
    return f"ping:{moment}:{hashlib.sha256(said).hexdigest()}"


_KEYS: dict[HmacSignature | RsaSignature | StaticSecret | None, Callable[[Delivery], str]] = {
    ASYNC_EVENTS: _key_of_document,
    IO_EVENTS: _key_of_events,
}
