"""The end of a connection: no credentials are kept, nothing is asked, nobody is told anything more."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import ConnectorError, WrongSetting
from connector.domain.shop import Shop
from connector.flow.endpoints import endpoint
from connector.flow.stores import NotConnected, Stores
from connector.shop_directory import ShopDirectory
from connector.tables import connections, shops, sweeps, watched_parcels
from connector.tables.shops import Seal
from notifications import outbox
from notifications.reasons import Reason

log = logging.getLogger(__name__)

BY_HAND = "disconnected by hand"
LEFT_BEHIND = "The platform could not be tidied up, so it may go on sending webhooks that nobody reads"


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What came of it. The connection has ended in any case."""

    shop: Shop
    cleaned: bool
    """Whether the platform has nothing of us any more."""
    remark: str = ""
    """What is left there and what to do about it, in a sentence."""


class Disconnect:
    """Ends a shop's connection because somebody here wants it to end."""

    def __init__(
        self, database: Database, shops_known: ShopDirectory, stores: Stores, seal: Seal, clock: Clock, *, address: str
    ) -> None:
        """`address`: our public one, which the shop's webhooks go to; empty if there is none."""
        self._database = database
        self._shops = shops_known
        self._stores = stores
        self._seal = seal
        self._clock = clock
        self._address = address

    def run(self, shop_id: str) -> Disconnected:
        """Take back what we put into the platform, if it lets us, and end. May be repeated.

        Raises WrongSetting for a shop there is not. No network call happens inside a transaction.
        """
        with self._database.write() as connection:
            shop = shops.by_id(connection, shop_id)
            # The watchdog would put back what is taken away here.
            connections.keep_off(connection, shop_id, self._clock.now() + connections.LEASE)
        if shop is None:
            raise WrongSetting(f"there is no shop {shop_id}; see `connector shop list`")
        remark = self._cleaned(shop)
        with self._database.write() as connection:
            if shop.ended_at is None:
                end_shop(connection, shop, self._seal, self._clock.now(), BY_HAND)
        self._shops.forget()
        return Disconnected(shop, not remark, remark)

    def _cleaned(self, shop: Shop) -> str:
        """Why something of us is left at the platform; empty when nothing is."""
        try:
            unsubscribe = self._stores.api(shop).unsubscribe
            if unsubscribe is None:
                return ""
            store = self._stores.open(shop, mending=True)
            with self._database.read() as connection:
                secrets = shops.secrets_of(connection, shop.shop_id, self._seal)
            unsubscribe(store, endpoint(self._address, shop, secrets))
        except NotConnected:
            return ""
        except ConnectorError as error:
            return f"{LEFT_BEHIND}: {error}"
        except Exception:
            log.exception("a shop could not be tidied up", extra={"shop_id": shop.shop_id})
            return f"{LEFT_BEHIND}; the log says why."
        return ""


def end_shop(connection: sa.Connection, shop: Shop, seal: Seal, now: datetime, why: str) -> None:
    """End a shop's connection in the transaction at hand; call `ShopDirectory.forget` after its commit.

    What a sender holds and has not begun to hand over is withdrawn too: its next mark finds that it is another's.
    """
    connections.end(connection, shop.shop_id, seal, why)
    shops.change(connection, shop.shop_id, lambda known: replace(known, ended_at=known.ended_at or now))
    outbox.withdraw_shop(connection, shop.shop_id, Reason.ENDED.value)
    watched_parcels.forget_shop(connection, shop.shop_id)
    sweeps.forget(connection, shop.shop_id)
