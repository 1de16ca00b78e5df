"""What a WooCommerce delivery says, decided by the shape of its signed body; its headers are not signed."""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import msgspec

from adapters.reading import Reader, read_json, read_object
from adapters.woocommerce.orders import read_meta, read_order
from adapters.woocommerce.status import NOT_AN_ORDER
from adapters.woocommerce.tracking import has_fulfillments
from connector.domain.delivery import Delivery, Ignored, LookAgain, ShopEvent, ShopEventKind, Subject, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.shop import Shop

_ACCEPTED = "an order of the REST API v3, as the webhooks that Connector makes send it"
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
"""Names the fields of an object without reading what is in them: the sender waits while this is done."""
_PING = re.compile(rb"webhook_id=\d{1,20}")
_ORDER_ID = re.compile(r"\d{1,20}", re.ASCII)
_CODE = re.compile(r"[a-z0-9_]{1,80}", re.ASCII)
_GONE = "woocommerce_rest_shop_order_invalid_id"
_MAY_NOT_SEE = "woocommerce_rest_cannot_view"
_EXPLANATIONS = {
    _MAY_NOT_SEE: (
        "the WordPress user who made the webhook may not read orders any more; "
        "connect the shop again as a user who manages it"
    ),
    _GONE: "the order was deleted for good before WooCommerce sent it, and which one it was is not said",
}


def idempotency_key(delivery: Delivery) -> str:
    """The hash of the body; for what is no order, whose bytes repeat with every such event, also the delivery id.

    The delivery id alone is the same for different orders of one second and differs for a repeat
    (woocommerce reference, section 0.1).
    """
    body = hashlib.sha256(delivery.body).hexdigest()
    if _is_order_body(delivery.body):
        return body
    delivery_id = delivery.headers.get("x-wc-webhook-delivery-id", "")
    return f"{body}:{hashlib.sha256(delivery_id.encode('utf-8', 'replace')).hexdigest()[:32]}"


def parse(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """The order, or a hint to look at it. With core fulfillments, which are not in the document, it is both.

    Raises UnreadableDelivery for any other shape, and for a signed error object but the one that says why all others
    will come.
    """
    if _PING.fullmatch(delivery.body):
        return (Ignored("the test call of a new webhook"),)
    document = read_object(delivery.body)
    if document.value("code") == _MAY_NOT_SEE and document.has("message"):
        return (ShopEvent(ShopEventKind.ACCESS_LOST, delivery.received_at, words=_EXPLANATIONS[_MAY_NOT_SEE]),)
    if set(document.document) == {"id"}:
        order_id = document.key("id")
        return (LookAgain(Subject.ORDER, order_id, order_id, "the order was moved to the trash"),)
    if set(document.document) == {"action", "arg"}:
        return (_of_action(document),)
    return _with_hint(_of_document(document, None, shop), document)


def read(delivery: Delivery, shop: Shop) -> tuple[Update, ...]:
    """What a document of a sweep says: an order, alone or with what stands beside it (`changes`).

    Raises UnreadableDelivery.
    """
    document = read_object(delivery.body)
    update = _answered(document, shop)
    if not _is_together(document):
        return _with_hint(update, document)
    return (update,) if document.has("fulfillments") else _with_hint(update, document.part("order"))


def resolve(hint: LookAgain, answer: bytes, shop: Shop) -> Update:
    """What the shop's answer says: an order, or `{"order": …, "fulfillments": […]}` of the two requests together.

    An order that is gone is Ignored. Raises UnreadableDelivery for any other error and for the answer to another order.
    """
    document = read_object(answer)
    if document.value("code") == _GONE:
        return Ignored("the order no longer exists in the shop", hint.order_id)
    update = _answered(document, shop)
    if hint.order_id and update.order_id != hint.order_id:
        raise document.refusal("id", "it is another order than the one asked for", hint.order_id)
    return update


def _answered(document: Reader, shop: Shop) -> OrderSnapshot | Ignored:
    """An order of the API, alone or as `order` with `fulfillments` and `refunds` beside it."""
    if not _is_together(document):
        return _of_document(document, None, shop)
    fulfillments = document.items("fulfillments") if document.has("fulfillments") else None
    dates = ((refund.key("id"), refund.moment_if_any("date_created_gmt")) for refund in document.items("refunds"))
    refunded_at = {refund_id: moment for refund_id, moment in dates if moment}
    return _of_document(document.part("order"), fulfillments, shop, refunded_at)


def _is_together(document: Reader) -> bool:
    return "order" in document.document and document.document.keys() <= {"order", "fulfillments", "refunds"}


def _with_hint(update: OrderSnapshot | Ignored, document: Reader) -> tuple[Update, ...]:
    """Core fulfillments stand beside the order: where it has some that are not here, they have to be asked for."""
    if not isinstance(update, OrderSnapshot) or not has_fulfillments(read_meta(document)):
        return (update,)
    reason = "its fulfillments are not in the order document"
    return (update, LookAgain(Subject.SHIPMENT, "", update.order_id, reason))


def _of_action(document: Reader) -> Update:
    """`action.*` webhooks carry the hook's first argument: the order's id, or an empty list for an object."""
    hook, argument = document.text("action")[:80], document.value("arg")
    order_id = str(argument) if isinstance(argument, int | str) else ""
    if not _ORDER_ID.fullmatch(order_id):
        return Ignored(f"{hook} does not say which order it is about")
    return LookAgain(Subject.ORDER, order_id, order_id, f"{hook} happened")


def _of_document(
    document: Reader, fulfillments: list[Reader] | None, shop: Shop, refunded_at: Mapping[str, datetime] | None = None
) -> OrderSnapshot | Ignored:
    if not _is_order(document.document):
        raise _not_an_order(document)
    status = document.key("status")
    if status in NOT_AN_ORDER:
        return Ignored(f"{status}: {NOT_AN_ORDER[status]}", document.key("id"))
    return read_order(document, fulfillments, shop, refunded_at)


def _is_order(document: object) -> bool:
    return isinstance(document, dict) and {"id", "status", "currency", "total", "line_items"} <= document.keys()


def _is_order_body(body: bytes) -> bool:
    with suppress(msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _is_order(_FIELDS.decode(body))
    try:
        return _is_order(read_json(body))
    except UnreadableDelivery:
        return False


def _not_an_order(document: Reader) -> UnreadableDelivery:
    code = document.value("code")
    if not isinstance(code, str) or not {"code", "message"} <= document.document.keys():
        return document.refusal("", "it is neither an order nor a hint at one", _ACCEPTED)
    known = code if _CODE.fullmatch(code) else "with an unusual code"
    why = _EXPLANATIONS.get(code, "look into the shop's log (WooCommerce, Status, Logs)")
    return document.refusal("", f"WooCommerce sent an error instead of the order ({known}): {why}", _ACCEPTED)
