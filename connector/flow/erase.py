"""Erasing people's data where it has to go, and handing it out where it is asked for (P10)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import ConnectionState
from connector.domain.delivery import ShopEventKind
from connector.domain.erasing import ERASED, without_person
from connector.domain.shop import Seller, Shop
from connector.flow.disconnect import end_shop
from connector.shop_directory import ShopDirectory
from connector.tables import connections, documents, inbox, orders, privacy_requests, shops, timeline
from connector.tables.privacy_requests import PrivacyRequest
from connector.tables.shops import Seal
from notifications import history, outbox

NOBODY = "no order of this customer was named"
BACK = "the shop is connected again, so its data is needed again"


class Erase:
    """Carries out requests to erase; requests to see data wait for the merchant, who has to be given it."""

    def __init__(self, database: Database, directory: ShopDirectory, seal: Seal, clock: Clock) -> None:
        self._database = database
        self._directory = directory
        self._seal = seal
        self._clock = clock

    def run(self) -> int:
        """All requests to erase that wait; returns how many were carried out."""
        with self._database.read() as connection:
            waiting = privacy_requests.waiting(connection, self._seal)
        due = [one for one in waiting if one.kind is not ShopEventKind.DATA_REQUESTED]
        for request in due:
            self._carry_out(request)
        return len(due)

    def orders(self, shop_id: str, order_ids: tuple[str, ...]) -> str:
        """Erase the person from these orders; returns what was done and what had to stay."""
        with self._database.write() as connection:
            return self._orders(connection, shop_id, order_ids, self._clock.now())

    def handed_out(self, request: PrivacyRequest) -> dict[str, Any]:
        """All that is kept about the person of a request, as plain JSON values for the merchant to hand on."""
        with self._database.read() as connection:
            return {
                "request": request.request_id,
                "asked_at": request.asked_at.isoformat(),
                "orders": [self._known(connection, request.shop_id, one) for one in request.event.order_ids],
            }

    def _carry_out(self, request: PrivacyRequest) -> None:
        now = self._clock.now()
        with self._database.write() as connection:
            if request.kind is ShopEventKind.SHOP_REDACTED:
                outcome = self._shop(connection, request.shop_id, now)
            else:
                outcome = self._orders(connection, request.shop_id, request.event.order_ids, now)
            if request.delivery_id:
                inbox.blank(connection, [(request.shop_id, request.delivery_id)])
            privacy_requests.settle(connection, request, outcome, self._seal, now)
        self._directory.forget()

    def _orders(self, connection: sa.Connection, shop_id: str, order_ids: tuple[str, ...], now: datetime) -> str:
        keys = [(shop_id, order_id) for order_id in order_ids]
        if not keys:
            return NOBODY
        orders.lock(self._database, connection, keys)
        known = orders.load(connection, keys)
        orders.save(self._database, connection, [without_person(record) for record in known.values()])
        kept = 0
        for _, order_id in keys:
            inbox.blank_order(connection, shop_id, order_id)
            outbox.erase_order(connection, shop_id, order_id)
            kept += documents.restrict(connection, shop_id, now, order_id)
        return f"{len(known)} of {len(keys)} orders erased; {kept} issued documents stay, as the law obliges"

    def _shop(self, connection: sa.Connection, shop_id: str, now: datetime) -> str:
        shop = shops.by_id(connection, shop_id)
        if shop is None:
            return "the shop is gone already"
        if shop.ended_at is None and _is_connected(connection, shop_id):
            return BACK
        end_shop(connection, shop, self._seal, now, ERASED)
        for table in (inbox, orders, timeline, outbox):
            table.forget_shop(connection, shop_id)
        connections.forget_findings(connection, shop_id)
        kept = documents.restrict(connection, shop_id, now)
        shops.change(connection, shop_id, lambda known: _tombstone(known, now))
        return f"all of the shop's data is erased; {kept} issued documents stay, as the law obliges"

    def _known(self, connection: sa.Connection, shop_id: str, order_id: str) -> dict[str, Any]:
        record = orders.get(connection, shop_id, order_id)
        issued = documents.of_order(connection, shop_id, order_id)
        messages = history.of_order(connection, shop_id, order_id)
        return {
            "order_id": order_id,
            "known": msgspec.to_builtins(record.snapshot, str_keys=True) if record else None,
            "parcels": msgspec.to_builtins(record.shipments, str_keys=True) if record else [],
            "documents": [{"number": one.number, "issued_at": one.issued_at.isoformat()} for one in issued],
            "messages": [
                {"kind": one.notification.kind, "to": one.notification.recipient, "subject": one.subject}
                for one in messages
            ],
        }


def _is_connected(connection: sa.Connection, shop_id: str) -> bool:
    known = connections.get(connection, shop_id)
    return known is not None and known.state is not ConnectionState.ENDED


def _tombstone(shop: Shop, now: datetime) -> Shop:
    """Enough to answer what the platform still sends about a shop that is gone."""
    return replace(shop, name=shop.host, sender="", seller=Seller(), ended_at=shop.ended_at or now)
