"""`connector privacy`: customers who want to see or to erase what is kept about them."""

import argparse
import json

from connector.app import build_service
from connector.commands.finding import find_order, find_shop
from connector.commands.parsing import Commands, add, group
from connector.domain.delivery import ShopEventKind
from connector.domain.errors import ConnectorError
from connector.flow.service import Service
from connector.settings import load
from connector.tables import privacy_requests
from connector.tables.privacy_requests import PrivacyRequest

_SAYS = {
    ShopEventKind.DATA_REQUESTED: "a customer wants to see what is kept: give it to the merchant with `privacy export`",
    ShopEventKind.CUSTOMER_REDACTED: "a customer's data is to be erased; it is done by itself",
    ShopEventKind.SHOP_REDACTED: "a shop's data is to be erased; it is done by itself",
}


def register(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the commands."""
    privacy = group(commands, "privacy", "customers who want to see or to erase what is kept about them")
    add(privacy, "list", "list the requests that wait, with the day they have to be done by", _list)
    export = add(privacy, "export", "print all that is kept about the customer of a request, as JSON", _export)
    export.add_argument("shop", help="its id, host or name")
    export.add_argument("request", help="the request's id, as listed")
    export.add_argument("--done", action="store_true", help="the merchant has it: the request is settled")
    erase = add(privacy, "erase", "erase the customer of some orders; issued invoices stay, as the law obliges", _erase)
    erase.add_argument("shop", help="its id, host or name")
    erase.add_argument("order", nargs="+", help="numbers as customers see them, or the platform's ids")


def _list(_: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        waiting = privacy_requests.waiting(connection, service.seal)
    for one in waiting:
        print(f"{one.shop_id}  {one.request_id}  until {one.due_at:%Y-%m-%d}  {_SAYS[one.kind]}")
    if not waiting:
        print("Nobody waits for anything.")
    return 0


def _export(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        shop = find_shop(connection, parsed.shop)
        request = privacy_requests.find(connection, shop.shop_id, parsed.request, service.seal)
    if request is None or request.done_at is not None:
        raise ConnectorError("no such request waits; see `connector privacy list`")
    print(json.dumps(service.erase.handed_out(request), ensure_ascii=False, indent=1))
    if parsed.done:
        _settle(service, request)
    return 0


def _settle(service: Service, request: PrivacyRequest) -> None:
    with service.database.write() as connection:
        privacy_requests.settle(connection, request, "given to the merchant", service.seal, service.clock.now())


def _erase(parsed: argparse.Namespace) -> int:
    service = build_service(load())
    with service.database.read() as connection:
        shop = find_shop(connection, parsed.shop)
        order_ids = tuple(find_order(connection, shop, one).order_id for one in parsed.order)
    print(service.erase.orders(shop.shop_id, order_ids))
    return 0
