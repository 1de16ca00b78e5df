"""What a Shopify delivery says, decided by the shape of its signed body; the topic is an unsigned header."""

import hashlib
import re
from datetime import datetime

from adapters.reading import Reader, read_object
from adapters.shopify import lifecycle
from adapters.shopify.answers import as_webhook, cut_lists
from adapters.shopify.documents import key_of, kind_of
from adapters.shopify.orders import read_order
from adapters.shopify.refunds import read_refund
from adapters.shopify.tracking import read_event, read_fulfillment
from connector.domain.delivery import Delivery, Ignored, LookAgain, Subject, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.shop import Shop

PREFIXES = ("x-shopify-", "shopify-")
"""The Events preview names its headers without the `x-` (shopify reference, section 2.1)."""

_TOPIC = re.compile(r"[a-z_]{1,50}/[a-z_]{1,50}")
_SHOP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")
_CARRIES_ITS_VERSION = frozenset({"orders", "fulfillments", "fulfillment_events", "refunds"})
_BY_FIELD = {
    "order_edit": "OrderEdit",
    **dict.fromkeys(lifecycle.FIELDS, "Shop"),
    "fulfillment_id": "FulfillmentEvent",
    "refund_line_items": "Refund",
    "tracking_numbers": "Fulfillment",
    "financial_status": "Order",
}
_BY_TOPIC = {
    "orders": "Order",
    "fulfillments": "Fulfillment",
    "fulfillment_events": "FulfillmentEvent",
    "refunds": "Refund",
    "returns": "Return",
    "order_transactions": "OrderTransaction",
}


def headers(name: str) -> tuple[str, ...]:
    """A header's name under both prefixes."""
    return tuple(prefix + name for prefix in PREFIXES)


def idempotency_key(delivery: Delivery) -> str:
    """One text for one piece of news, however often it is posted.

    Orders, parcels and refunds carry their own version, so their bytes are the key: a stranger's replay under a fresh,
    unsigned webhook id is no new delivery. Everything else can say the same words twice and mean it (a return closed
    again, an app uninstalled again): there the webhook id tells a retry from news. The event id is shared by several
    topics and never asked (shopify reference, section 2.1).
    """
    topic = _topic(delivery)
    name = topic if topic.partition("/")[0] in _CARRIES_ITS_VERSION else _header(delivery, "webhook-id")
    return hashlib.sha256(name.encode("utf-8", "backslashreplace") + b"\0" + delivery.body).hexdigest()


def shop_host(value: str) -> str | None:
    """The shop domain header as `Shop.host`; None for anything but `<name>.myshopify.com`."""
    host = value.strip().lower()
    return host if _SHOP_NAME.fullmatch(host) else None


def parse(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a genuine delivery says. Raises UnreadableDelivery. Topics: shopify reference, section 2.5."""
    document, topic = read_object(delivery.body), _topic(delivery)
    if document.document and _kind(document, topic) == "Shop":
        return (lifecycle.read_shop_event(document, topic, _told_at(delivery), shop),)
    return (_understood(document, topic, shop),)


def resolve(hint: LookAgain, answer: bytes, shop: Shop) -> Update:
    """What the answer to order.graphql says, or an order document of the REST form `{"order": …}`.

    Parts the app may not see are left out and named in the warnings; the rest counts (shopify reference, section 4).
    """
    document = read_object(answer)
    order = document.part("data.order")
    if order.document:
        notices = (*_withheld(document), *(f"only the first page of {name} was read" for name in cut_lists(order)))
        return read_order(as_webhook(order), shop, notices)
    if document.has("order"):
        return read_order(document.part("order"), shop)
    if document.has("errors") or not _is_told_to_be_gone(document):
        codes = ", ".join(_codes(document)) or "no order in it"
        raise UnreadableDelivery(field="answer", why=codes, accepted="an answer with the order; ask again")
    return Ignored("the order no longer exists in the shop", hint.order_id)


def _is_told_to_be_gone(document: Reader) -> bool:
    return any("order" in part.document for part in (document, document.part("data")))


def _withheld(document: Reader) -> tuple[str, ...]:
    paths = dict.fromkeys(".".join(one.texts("path"))[:200] for one in document.items("errors"))
    return tuple(f"Shopify left out {path or 'something'}" for path in list(paths)[:50])


def _codes(document: Reader) -> list[str]:
    """The error codes of an answer, in its order, each once; short words only."""
    errors = document.items("errors") if isinstance(document.value("errors"), list) else []
    codes = (one.text("extensions.code") or one.text("message") for one in errors)
    return list(dict.fromkeys(code[:60] for code in codes if code))[:5]


def _header(delivery: Delivery, name: str) -> str:
    return next((delivery.headers[one] for one in headers(name) if delivery.headers.get(one)), "")


def _told_at(delivery: Delivery) -> datetime:
    """When Shopify says it happened, at the latest when it came; this header is not signed."""
    try:
        told = Reader({"at": _header(delivery, "triggered-at")}).moment_if_any("at")
    except UnreadableDelivery:
        told = None
    return min(told or delivery.received_at, delivery.received_at)


def _topic(delivery: Delivery) -> str:
    topic = _header(delivery, "topic").strip().lower()
    return topic if _TOPIC.fullmatch(topic) else ""


def _understood(document: Reader, topic: str, shop: Shop) -> Update:
    if not document.document:
        return Ignored(f"an empty body says nothing ({topic or 'no topic'})")
    match _kind(document, topic):
        case "Order":
            return _order(document, topic, shop)
        case "Fulfillment":
            return read_fulfillment(document)
        case "FulfillmentEvent":
            return _event(document, topic)
        case "Refund":
            return read_refund(document)
        case "Return":
            return _return(document)
        case "OrderTransaction":
            return _hint(document.key("order_id"), "a payment of the order changed")
        case "OrderEdit":
            return _hint(document.key("order_edit.order_id"), "the order was edited")
        case _:
            return Ignored(f"not about an order ({topic or 'no topic'}): kept; handled by the connection")


def _kind(document: Reader, topic: str) -> str:
    """By what the body says it is, then by a field only one kind has, and by the topic only where both are silent."""
    by_field = (kind for field, kind in _BY_FIELD.items() if field in document.document)
    return kind_of(document) or next(by_field, _BY_TOPIC.get(topic.partition("/")[0], ""))


def _hint(order_id: str, reason: str) -> LookAgain:
    return LookAgain(Subject.ORDER, order_id, order_id, reason)


def _order(document: Reader, topic: str, shop: Shop) -> Update:
    """The whole order, or a hint where the subscription leaves its amounts out."""
    if document.has("total_price") or document.has("total_price_set"):
        return read_order(document, shop)
    order_id = key_of(document)
    if topic == "orders/delete" and not document.has("updated_at"):
        return Ignored("the shop deleted the order", order_id)
    return _hint(order_id, "the order was told without its amounts")


def _event(document: Reader, topic: str) -> Update:
    """A deleted event has the shape of a new one: only here the topic decides, and only to look for ourselves."""
    if topic == "fulfillment_events/delete":
        return _hint(document.key("order_id"), "a tracking event was taken back")
    return read_event(document)


def _return(document: Reader) -> Update:
    """Some returns name their order as an object, some as a number, and returns/update does not name it at all."""
    reason = "a return of the order changed"
    if document.has("order.id") or document.has("order.admin_graphql_api_id"):
        return _hint(key_of(document.part("order")), reason)
    if document.has("order_id"):
        return _hint(document.key("order_id"), reason)
    return Ignored("a return changed and does not say of which order")
