"""Reads what Shopify says about the connection itself: who left, which rights changed, whose data has to go.

Bodies: shopify reference, section 1.8. What they are is told by their fields, as the topic is not signed; only a shop's
own document needs its topic too, as it says the same whether the shop changed or left.
"""

from datetime import datetime

from adapters.reading import Reader
from adapters.shopify.documents import is_key
from connector.domain.delivery import Ignored, ShopEvent, ShopEventKind
from connector.domain.shop import Shop

FIELDS = ("shop_domain", "myshopify_domain", "previous")
"""Any of these makes a document one of these here."""
_OWN_DOMAIN = ".myshopify.com"


def read_shop_event(document: Reader, topic: str, told_at: datetime, shop: Shop) -> ShopEvent | Ignored:
    """`told_at`: when Shopify says it happened, where the body has no moment of its own (UTC).

    Raises UnreadableDelivery. A body that names another shop was replayed, and means nothing here.
    """
    names = (document.text("shop_domain"), document.text("myshopify_domain"))
    named = next((name.lower() for name in names if name), "")
    if named and shop.host.endswith(_OWN_DOMAIN) and named != shop.host:
        return Ignored("about another shop than it came for")
    if document.has("previous") or document.has("current"):
        return _rights(document)
    if "shop_domain" in document.document:
        return _privacy(document, told_at)
    if topic != "app/uninstalled":
        return Ignored("the shop's own data changed: nothing for anybody")
    if not named:
        return ShopEvent(ShopEventKind.RIGHTS_CHANGED, told_at, words="a shop left, and its name is not signed")
    return ShopEvent(ShopEventKind.UNINSTALLED, told_at)


def _rights(document: Reader) -> ShopEvent:
    granted = ", ".join(document.texts("current"))[:500]
    return ShopEvent(
        ShopEventKind.RIGHTS_CHANGED, document.moment("updated_at"), words=f"the rights are now: {granted}"
    )


def _privacy(document: Reader, told_at: datetime) -> ShopEvent | Ignored:
    if "orders_to_redact" in document.document:
        return _about(document, ShopEventKind.CUSTOMER_REDACTED, "orders_to_redact", told_at)
    if "orders_requested" in document.document or "data_request" in document.document:
        return _about(document, ShopEventKind.DATA_REQUESTED, "orders_requested", told_at)
    if set(document.document) == {"shop_id", "shop_domain"}:
        return ShopEvent(ShopEventKind.SHOP_REDACTED, told_at, request_id=document.key("shop_id"))
    return Ignored("about the shop, in a form that is not known: kept")


def _about(document: Reader, kind: ShopEventKind, orders: str, told_at: datetime) -> ShopEvent:
    customer = document.part("customer")
    return ShopEvent(
        kind,
        told_at,
        order_ids=_keys(document, orders),
        customer_id=customer.key("id") if customer.has("id") else "",
        email=customer.text("email"),
        request_id=document.key("data_request.id") if document.has("data_request.id") else "",
    )


def _keys(document: Reader, name: str) -> tuple[str, ...]:
    """The ids of a list; numbers of 64 bits, of which none may be lost or rounded."""
    listed = Reader({f"{name}[{position}]": one for position, one in enumerate(document.values(name))})
    keys = tuple(listed.key(place) for place in listed.document)
    if not all(map(is_key, keys)):
        raise document.refusal(name, "one of them is no id", "the ids of orders")
    return keys
