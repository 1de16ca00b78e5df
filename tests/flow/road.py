"""The whole road in one process with a fake platform, a fake channel and a clock the test moves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cryptography.fernet import Fernet

from adapters.contract import Manifest
from connector import connecting
from connector.app import build_door, build_service
from connector.domain.clock import FixedClock
from connector.domain.delivery import LookAgain
from connector.domain.order import OrderSnapshot
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.flow.by_shop import ShopPool
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import connections, documents, inbox, orders, shops, sweeps, timeline
from connector.tables.connections import Connection
from connector.tables.documents import Issued
from connector.tables.sweeps import Sweep, SweepKind
from notifications import history
from notifications.channels.contract import Message
from notifications.history import Said
from tests import fake_platform
from tests.builders import shop as build_shop
from tests.fake_api import FakeApi, FakeShop
from tests.fake_connect import TOKEN
from tests.fakes import FakeChannel
from webhooks.endpoints import Answer

Fetch = Callable[[Shop, LookAgain], bytes]
NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)


def service_on(database_url: str, secret_key: str, manifest: Manifest) -> Service:
    """A service on a database that is there already, with the machine's own clock."""
    settings = Settings(database_url=database_url, secret_keys=(secret_key,))
    return build_service(settings, channels={}, manifest={manifest.name: manifest}.__getitem__, asking_threads=0)


@dataclass
class Road:
    """Post documents with `post`, let the loops' work happen with `work`, then look."""

    database_url: str
    fetch: Fetch | None = None
    """What the platform answers about a hint; with it, or with `connected`, the shop is connected."""
    shop: Shop = field(default_factory=lambda: build_shop(platform="fake", connected_at=NOW - timedelta(days=10)))
    smtp: bool = True
    connected: bool = False
    address: str = "https://connector.example.test"
    asking_threads: int = 0
    api: FakeApi = field(default_factory=FakeApi)
    secret_key: str = field(default_factory=lambda: Fernet.generate_key().decode())
    history_days: int = 90

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.channel = FakeChannel()
        self.service = build_service(
            Settings(
                database_url=self.database_url,
                secret_keys=(self.secret_key,),
                address=self.address,
                history_days=self.history_days,
            ),
            clock=self.clock,
            channels={"email": self.channel} if self.smtp else {},
            manifest={"fake": self.api.manifest}.__getitem__,
            asking_threads=self.asking_threads,
        )
        self.door = build_door(self.service)
        self.connect(self.shop)
        if self.fetch is not None:
            self.there.answer = partial(self.fetch, self.shop)
        if self.fetch is not None or self.connected:
            self.offer()
            self.work()

    def connect(self, shop: Shop) -> None:
        """Save a shop with the fake platform's secret; it only sends."""
        with self.service.database.write() as connection:
            shops.save(connection, shop, fake_platform.SECRETS, self.service.seal)
        self.service.shops.forget()

    def offer(self, token: str = TOKEN, *, shop: Shop | None = None) -> None:
        """Somebody hands over what the platform gave them for a shop."""
        shop, service = shop or self.shop, self.service
        with service.database.write() as connection:
            base = f"https://{shop.host}"
            found = connecting.find_or_make(connection, "fake", shop.host, base, service.seal, self.clock.now())
            connecting.take_offer(connection, found, {"token": token}, service.seal, self.clock.now())
        service.shops.forget()

    @property
    def there(self) -> FakeShop:
        """The shop as it stands at its platform."""
        return self.api.shops[self.shop.host]

    def connection(self, shop: Shop | None = None) -> Connection:
        with self.service.database.read() as connection:
            found = connections.get(connection, (shop or self.shop).shop_id)
        assert found is not None
        return found

    def sweep(self, kind: SweepKind = SweepKind.CHANGES, shop: Shop | None = None) -> Sweep:
        with self.service.database.read() as connection:
            return sweeps.of_shop(connection, (shop or self.shop).shop_id)[kind]

    def post(self, document: object, *, delivery_id: str = "d-1", shop: Shop | None = None) -> Answer:
        """Through the door and into the inbox, as the server does it."""
        body = fake_platform.encoded(document)
        headers = fake_platform.signed_headers(body, delivery_id=delivery_id)
        return self.post_raw(body, headers, shop=shop)

    def post_raw(self, body: bytes, headers: dict[str, str], *, shop: Shop | None = None) -> Answer:
        """Any bytes under any headers."""
        knock = self.door.knock("POST", f"/webhooks/fake/{(shop or self.shop).key}", "", headers.items())
        if isinstance(knock, Answer):
            return knock
        entered = self.door.enter(knock, body)
        if isinstance(entered, Answer):
            return entered
        written, reply = entered
        written.exception(timeout=10)
        return self.door.written(knock, written, reply)

    def work(self) -> None:
        """All that is due now, until nothing is."""
        service = self.service
        steps: tuple[Callable[[], int], ...] = (
            service.process_inbox.run,
            service.tend_connections.run,
            service.reconcile.run,
            service.watch_parcels.run,
            service.renew_credentials.run,
            service.look_again.run,
            service.issue_documents.run,
            service.send_outbox.run,
        )
        while sum(step() for step in steps):
            self._wait(service.pools)

    def tell(self, document: object, **named: Any) -> None:
        """Post and work."""
        self.clock.moment += timedelta(seconds=1)
        answer = self.post(document, **named)
        assert answer.status == 200, answer
        self.work()

    def later(self, **wait: float) -> None:
        """Move the clock, then work."""
        self.clock.moment += timedelta(**wait)
        self.work()

    @property
    def mails(self) -> list[Message]:
        return self.channel.taken

    def record(self, order_id: str = "1001") -> OrderRecord | None:
        with self.service.database.read() as connection:
            return orders.get(connection, self.shop.shop_id, order_id)

    def snapshot(self, order_id: str = "1001") -> OrderSnapshot:
        """The newest telling of an order that is known."""
        record = self.record(order_id)
        assert record is not None
        assert record.snapshot is not None
        return record.snapshot

    def said(self, order_id: str = "1001") -> list[Said]:
        with self.service.database.read() as connection:
            return history.of_order(connection, self.shop.shop_id, order_id)

    def kinds(self, order_id: str = "1001") -> list[str]:
        """What the customer was sent about an order, in order."""
        return [one.notification.kind for one in self.said(order_id) if one.sent_at]

    def story(self, order_id: str = "1001") -> list[TimelineEntry]:
        with self.service.database.read() as connection:
            return timeline.of_order(connection, self.shop.shop_id, order_id)

    def declined(self, order_id: str = "1001") -> dict[str, str]:
        """Why kinds were not told."""
        found = [entry.details for entry in self.story(order_id) if entry.tag is Tag.MESSAGE_DECLINED]
        return {details["kind"]: details["reason"] for details in found}

    def invoices(self, order_id: str = "1001") -> list[Issued]:
        with self.service.database.read() as connection:
            return documents.of_order(connection, self.shop.shop_id, order_id)

    def inbox_counts(self) -> dict[str, int]:
        with self.service.database.read() as connection:
            return inbox.counts(connection)

    def close(self) -> None:
        self.door.stop()
        self.service.send_outbox.stop()
        self.service.stop_asking()
        self.service.database.close()

    def _wait(self, pools: Sequence[ShopPool]) -> None:
        for pool in pools:
            assert pool.wait()
