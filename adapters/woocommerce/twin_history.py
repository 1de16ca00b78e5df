"""Years of orders in a moment, for a stand-in WooCommerce shop."""

from datetime import datetime

from adapters.woocommerce.twin_desk import Desk
from adapters.woocommerce.twin_orders import Checkout, Meta, Order, Refund
from adapters.woocommerce.twin_site import Site

BASKETS = (
    (("MUG-L", 2), ("NOTE", 1)),
    (("MUG-L", 1),),
    (("NOTE", 3), ("STICKER", 2)),
    (("RECIPES", 1),),
)
STATUSES = ("completed", "completed", "processing", "completed", "refunded", "on-hold", "cancelled")
COUNTRIES = ("DE", "DE", "GR", "BR", "KW")
LOCALES = ("de", "en", "el", "pt-br", "ar")


def grow(site: Site, desk: Desk, orders: int, *, since: datetime) -> None:
    """So many orders spread evenly from `since` to now; no webhook, no mail, no note."""
    now = site.now()
    step = (now - since) / max(orders, 1)
    for place in range(orders):
        _one(site, desk, place, (since + step * place).replace(microsecond=0))


def _one(site: Site, desk: Desk, place: int, at: datetime) -> Order:
    kind = place % len(COUNTRIES)
    wish = Checkout(
        email=f"customer{place}@example.test",
        items=BASKETS[place % len(BASKETS)],
        country=COUNTRIES[kind],
        state="",
        locale=LOCALES[kind],
    )
    order = desk.draft(wish, status=STATUSES[place % len(STATUSES)], at=at)
    if order.status in ("completed", "processing", "refunded"):
        order.paid = at
    if order.status in ("completed", "refunded"):
        order.completed = at
    if order.status == "refunded":
        meta = [Meta(site.next("meta"), "_refund_type", "full")]
        refund = Refund(site.next("post"), order.total, "Returned", at, paid_back=False, kind="full", meta=meta)
        order.refunds.append(refund)
    return order
