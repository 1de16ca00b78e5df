"""The end of a connection: no credentials are kept, nothing is asked, nobody is told anything more."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from connector.domain.shop import Shop
from connector.tables import connections, shops, sweeps, watched_parcels
from connector.tables.shops import Seal
from notifications import outbox
from notifications.reasons import Reason


def end_shop(connection: sa.Connection, shop: Shop, seal: Seal, now: datetime, why: str) -> None:
    """End a shop's connection in the transaction at hand; call `ShopDirectory.forget` after its commit.

    What a sender holds and has not begun to hand over is withdrawn too: its next mark finds that it is another's.
    """
    shops.save_profile(connection, replace(shop, ended_at=now))
    connections.end(connection, shop.shop_id, seal, why)
    sweeps.forget(connection, shop.shop_id)
    watched_parcels.forget_shop(connection, shop.shop_id)
    outbox.withdraw_shop(connection, shop.shop_id, Reason.ENDED.value)
