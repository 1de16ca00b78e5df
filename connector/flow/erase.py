"""Erasing people's data where it has to go, and handing it out where it is asked for (P10)."""

import logging
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
from connector.domain.record import OrderRecord
from connector.domain.shop import Seller, Shop
from connector.flow.disconnect import end_shop
from connector.shop_directory import ShopDirectory
from connector.tables import connections, documents, inbox, orders, privacy_requests, shops, timeline
from connector.tables.privacy_requests import PrivacyRequest
from connector.tables.shops import Seal
from notifications import history, outbox

log = logging.getLogger(__name__)

NOBODY = "no order of this customer was named"
BACK = "the shop is connected again, so its data is needed again"
_NOBODY_THERE = frozenset({ConnectionState.ENDED, ConnectionState.INVITED})
"""Nobody has said yes (again)."""


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
        return sum(self._done(one) for one in waiting if one.kind is not ShopEventKind.DATA_REQUESTED)

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

    def _done(self, request: PrivacyRequest) -> bool:
        """Whether it was carried out; one that fails is tried again at the next turn, and holds up no other."""
        try:
            return self._carry_out(request)
        except Exception:
            about = {"shop_id": request.shop_id, "request_id": request.request_id}
            log.exception("a request to erase could not be carried out", extra=about)
            return False

    def _carry_out(self, request: PrivacyRequest) -> bool:
        now, shop_id = self._clock.now(), request.shop_id
        with self._database.write() as connection:
            if request.kind is ShopEventKind.SHOP_REDACTED:
                outcome = self._shop(connection, shop_id, now)
            else:
                outcome = self._orders(connection, shop_id, request.event.order_ids, now)
                if request.event.email:
                    inbox.blank_mentions(connection, shop_id, request.event.email)
            if not outcome:
                return False
            privacy_requests.settle(connection, request, outcome, self._seal, now)
        self._directory.forget()
        return True

    def _orders(self, connection: sa.Connection, shop_id: str, order_ids: tuple[str, ...], now: datetime) -> str:
        keys = [(shop_id, order_id) for order_id in order_ids]
        if not keys:
            return NOBODY
        orders.lock(self._database, connection, keys)
        known = orders.load(connection, keys)
        # Of one that is not known yet it is remembered too: a delivery that waits may bring it.
        orders.save(self._database, connection, [without_person(known.get(key, OrderRecord(*key))) for key in keys])
        kept = 0
        for _, order_id in keys:
            inbox.blank_order(connection, shop_id, order_id)
            told = timeline.deliveries_of(connection, shop_id, order_id)
            inbox.blank(connection, [(shop_id, delivery_id) for delivery_id in told])
            timeline.erase_order(connection, shop_id, order_id)
            outbox.erase_order(connection, shop_id, order_id)
            kept += documents.restrict(connection, shop_id, now, order_id)
        return f"{len(known)} of {len(keys)} orders erased; {kept} issued documents stay, as the law obliges"

    def _shop(self, connection: sa.Connection, shop_id: str, now: datetime) -> str:
        """Empty while nobody knows whether the shop has left: its connection is just being made, or is broken, which
        the watchdog, or a person who disconnects it, brings to an end."""
        shop = shops.by_id(connection, shop_id)
        if shop is None:
            return "the shop is gone already"
        known = connections.get(connection, shop_id, lock=True)
        if known and known.state is ConnectionState.CONNECTED:
            return BACK
        if known and known.state not in _NOBODY_THERE:
            return ""
        end_shop(connection, shop, self._seal, now, ERASED)
        for table in (inbox, orders, timeline, outbox):
            table.forget_shop(connection, shop_id)
        connections.forget_findings(connection, shop_id)
        kept = documents.restrict(connection, shop_id, now)
        shops.change(connection, shop_id, lambda shop: _tombstone(shop, now))
        for other in privacy_requests.waiting(connection, self._seal):
            if other.shop_id == shop_id:
                privacy_requests.settle(connection, other, "the whole shop was erased", self._seal, now)
        return f"all of the shop's data is erased; {kept} issued documents stay, as the law obliges"

    def _known(self, connection: sa.Connection, shop_id: str, order_id: str) -> dict[str, Any]:
        record = orders.get(connection, shop_id, order_id)
        issued = documents.of_order(connection, shop_id, order_id)
        messages = history.of_order(connection, shop_id, order_id)
        return {
            "order_id": order_id,
            "known": msgspec.to_builtins(record.snapshot, str_keys=True) if record else None,
            "parcels": msgspec.to_builtins(record.shipments, str_keys=True) if record else [],
            "refunds": msgspec.to_builtins(record.refunds, str_keys=True) if record else [],
            "story": msgspec.to_builtins(timeline.of_order(connection, shop_id, order_id), str_keys=True),
            "documents": [{"number": one.number, "issued_at": one.issued_at.isoformat()} for one in issued],
            "messages": [
                {
                    "kind": one.notification.kind,
                    "to": one.notification.recipient,
                    "subject": one.subject,
                    "text": one.text,
                }
                for one in messages
            ],
        }


def _tombstone(shop: Shop, now: datetime) -> Shop:
    """Enough to answer what the platform still sends about a shop that is gone."""
    return replace(shop, name=shop.host, sender="", seller=Seller(), ended_at=shop.ended_at or now)
