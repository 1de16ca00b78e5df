"""The past of a twin's shop, made fast: orders of all kinds, most of them billed and sent, nobody told."""

from datetime import datetime, timedelta
from decimal import Decimal

from adapters.magento.twin_sales import Sales

KIND_CYCLE = ("simple", "configurable", "single", "simple", "virtual", "discounted", "simple", "bundle", "single")


def grow(sales: Sales, orders: int, since: datetime, now: datetime) -> None:
    """So many orders, evenly from `since` to `now`; what follows an order follows within a day, if it is over."""
    sales.silent = True
    try:
        for place in range(orders):
            _one(sales, place, since + (now - since) * place / orders, now)
    finally:
        sales.silent, sales.moment = False, None


def _one(sales: Sales, place: int, at: datetime, now: datetime) -> None:
    stores = sorted(sales.stores)
    sales.moment = at
    order = sales.place(KIND_CYCLE[place % len(KIND_CYCLE)], store_id=stores[place % len(stores)])
    number = order.entity_id
    if at + timedelta(days=1) > now:
        return
    sales.moment = at + timedelta(hours=1)
    if place % 33 == 0:
        sales.cancel(number)
        return
    grand = sales.invoice(number).grand
    sales.moment = at + timedelta(hours=20)
    if not order.is_virtual and place % 20:
        sales.ship(number, None, [(f"JD{place:012d}", "DHL", "dhl")] if place % 7 else [])
    if place % 50 == 1:
        sales.refund(number, Decimal(grand.own) / 100)
