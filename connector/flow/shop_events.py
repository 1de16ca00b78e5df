"""News about a connection itself: who left, what may be asked, whose data has to go."""

from datetime import datetime

import sqlalchemy as sa

from connector.database import Database
from connector.domain.delivery import ShopEvent, ShopEventKind
from connector.domain.shop import Shop
from connector.flow.disconnect import end_shop
from connector.tables import connections, inbox, privacy_requests
from connector.tables.shops import Seal

LEFT = "the merchant removed Connector from the shop"


class ShopEvents:
    """Takes an event in, in the transaction of the delivery that told it; what takes longer is done by the clock."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    def take(self, connection: sa.Connection, shop: Shop, event: ShopEvent, delivery_id: str, now: datetime) -> str:
        """What became of it, in words for the delivery's own history."""
        match event.kind:
            case ShopEventKind.UNINSTALLED:
                return self._leave(connection, shop, event, now)
            case ShopEventKind.RIGHTS_CHANGED:
                connections.hasten(connection, shop.shop_id, now)
                return "the rights changed; the connection is looked at again"
            case ShopEventKind.ACCESS_LOST:
                connections.break_down(connection, shop.shop_id, event.words, now)
                return "access is lost; the connection says what to do"
            case _:
                told = privacy_requests.Told(shop.shop_id, delivery_id, event)
                privacy_requests.record(self._database, connection, told, self._seal, now)
                # Whom it is about is sealed now, and stands nowhere else.
                inbox.blank(connection, [(shop.shop_id, delivery_id)])
                return "kept as a privacy request"

    def _leave(self, connection: sa.Connection, shop: Shop, event: ShopEvent, now: datetime) -> str:
        """An event from before the shop was connected (again) was only told late (shopify reference, section 1.8)."""
        if shop.ended_at is not None:
            return "the shop had left already"
        if event.occurred_at < self._since(connection, shop):
            return "told late: the shop was connected again since"
        end_shop(connection, shop, self._seal, now, LEFT)
        return LEFT

    def _since(self, connection: sa.Connection, shop: Shop) -> datetime:
        """When the merchant last said yes, proven or about to be."""
        known = connections.get(connection, shop.shop_id)
        if known is None:
            return shop.connected_at
        vault, _ = connections.open_vault(connection, shop.shop_id, self._seal)
        return max(moment for moment in (shop.connected_at, known.proven_at, vault.offered_at) if moment)
