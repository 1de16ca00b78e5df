"""Who sends what: shops with their secrets, remembered for a few seconds so that the door need not ask the database."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from connector.database import Database
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.tables import shops
from connector.tables.shops import Seal

_Found = tuple[Shop, Secrets] | None
_MOST_REMEMBERED = 20_000


class ShopDirectory:
    """Shops by key, by host and by id. What it says may be `seconds` old; changes made elsewhere count after that."""

    def __init__(self, database: Database, seal: Seal, *, seconds: float = 5.0) -> None:
        self._database = database
        self._seal = seal
        self._seconds = seconds
        self._remembered: dict[tuple[str, ...], tuple[float, tuple[Shop, Secrets]]] = {}

    def by_key(self, platform: str, key: str) -> _Found:
        """The shop whose webhook address holds this key."""
        return self._find(
            ("key", platform, key), lambda connection: shops.by_key(connection, platform, key, self._seal)
        )

    def by_host(self, platform: str, host: str) -> _Found:
        """The shop with this platform name."""
        return self._find(
            ("host", platform, host), lambda connection: shops.by_host(connection, platform, host, self._seal)
        )

    def by_id(self, shop_id: str) -> Shop | None:
        """A shop we hold rows of; None once it is gone."""

        def ask(connection: sa.Connection) -> _Found:
            shop = shops.by_id(connection, shop_id)
            return (shop, Secrets()) if shop else None

        found = self._find(("id", shop_id), ask)
        return found[0] if found else None

    def remembers(self, kind: str, platform: str, name: str) -> bool:
        """Whether `by_key` (kind "key") or `by_host` ("host") would answer without asking the database."""
        remembered = self._remembered.get((kind, platform, name))
        return remembered is not None and remembered[0] > time.monotonic()

    def forget(self) -> None:
        """Ask the database again from now on."""
        self._remembered.clear()

    def _find(self, name: tuple[str, ...], ask: Callable[[sa.Connection], _Found]) -> _Found:
        remembered = self._remembered.get(name)
        if remembered and remembered[0] > time.monotonic():
            return remembered[1]
        with self._database.read() as connection:
            found = ask(connection)
        if found:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[name] = (time.monotonic() + self._seconds, found)
        return found
