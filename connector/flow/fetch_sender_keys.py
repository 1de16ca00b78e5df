"""Public keys that deliveries named, fetched by the clock and never while a sender waits."""

import logging
from collections.abc import Callable

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import ConnectorError
from connector.shop_directory import ShopDirectory
from connector.tables import sender_keys, shops
from connector.tables.shops import Seal

log = logging.getLogger(__name__)

Download = Callable[[str], str]
"""The text at an https address; raises Retryable or Permanent."""


class FetchSenderKeys:
    """Keys are asked for by the door, which answers "try again" until they are here."""

    def __init__(
        self, database: Database, directory: ShopDirectory, seal: Seal, download: Download, clock: Clock
    ) -> None:
        self._database = database
        self._directory = directory
        self._seal = seal
        self._download = download
        self._clock = clock

    def run(self) -> int:
        """Fetch what is due; returns how many keys came."""
        with self._database.read() as connection:
            due = sender_keys.due(connection, self._clock.now())
        return sum(self._fetch(shop_id, url, path) for shop_id, url, path in due)

    def _fetch(self, shop_id: str, url: str, path: str) -> bool:
        try:
            pem = self._download(url)
        except ConnectorError as error:
            log.warning("a sender's public key could not be fetched", extra={"url": url, "why": str(error)})
            with self._database.write() as connection:
                sender_keys.postpone(connection, shop_id, url, self._clock.now())
            return False
        with self._database.write() as connection:
            shops.add_public_key(connection, shop_id, path, pem, self._seal)
            sender_keys.forget(connection, shop_id, url)
        self._directory.forget()
        return True
