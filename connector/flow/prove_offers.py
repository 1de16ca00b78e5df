"""What somebody handed over for a shop is proven against that very shop; the first that holds is kept."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from adapters.contract import Connect, Manifest, Offer, Store
from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.connection import ConnectionState, Credentials
from connector.domain.errors import Permanent
from connector.domain.shop import Shop
from connector.flow.stores import Stores
from connector.tables import connections, shops
from connector.tables.connections import Vault
from connector.tables.shops import Seal

_Offers = tuple[Mapping[str, str], ...]


class ProveOffers:
    """Proves a shop's offers, the newest first."""

    def __init__(
        self, database: Database, manifest: Callable[[str], Manifest], stores: Stores, seal: Seal, clock: Clock
    ) -> None:
        self._database = database
        self._manifest = manifest
        self._stores = stores
        self._seal = seal
        self._clock = clock

    def run(self, shop: Shop) -> None:
        """Afterwards the connection goes on with what holds, or is back where it was with a sentence why not.

        Raises Retryable while the platform is away: the offers stay. No network call happens inside a transaction.
        """
        connect = self._manifest(shop.platform).connect
        store = self._stores.blank(shop)
        with self._database.read() as connection:
            vault, _ = connections.open_vault(connection, shop.shop_id, self._seal)
        proven, problem = _first_that_holds(connect, store, vault.offers, shop)
        with self._database.write() as connection:
            self._settle(connection, shop, connect, vault.offers, proven, problem)

    def _settle(
        self,
        connection: sa.Connection,
        shop: Shop,
        connect: Connect | None,
        tried: _Offers,
        proven: Credentials | None,
        problem: str,
    ) -> None:
        """An offer that came meanwhile is proven next; one that is the same as a tried one is not tried again, since
        many can be used once only."""
        vault, version = connections.open_vault(connection, shop.shop_id, self._seal, lock=True)
        known = connections.get(connection, shop.shop_id)
        if known is None or known.state is ConnectionState.ENDED:
            return
        rest = tuple(offer for offer in vault.offers if offer not in tried)
        credentials = proven or vault.credentials
        renew_at = self._stores.renew_at(shop, proven) if proven else known.renew_at
        connections.keep(
            connection, shop.shop_id, Vault(credentials, rest), self._seal, version=version, renew_at=renew_at
        )
        if proven and connect and connect.signs_with:
            shops.add_shared_secrets(connection, shop.shop_id, connect.signs_with(proven), self._seal)
        state = _next_state(rest, credentials)
        connections.settle(connection, shop.shop_id, state, self._clock.now(), problem, proven=proven is not None)


def _first_that_holds(
    connect: Connect | None, store: Store, offers: _Offers, shop: Shop
) -> tuple[Credentials | None, str]:
    """The credentials of the newest offer that holds, or why the newest one does not."""
    if connect is None:
        return None, "shops of this platform cannot be connected; they can only send"
    problem = "nothing was handed over"
    for number, values in enumerate(offers):
        try:
            return connect.prove(store, Offer(values, shop.host)), ""
        except Permanent as error:
            problem = problem if number else str(error)
    return None, problem


def _next_state(rest: _Offers, credentials: Credentials) -> ConnectionState:
    """Where there are credentials the connection is looked at again: what held before may hold still."""
    if rest:
        return ConnectionState.OFFERED
    return ConnectionState.CONNECTING if credentials.values else ConnectionState.INVITED
