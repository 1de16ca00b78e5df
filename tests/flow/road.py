"""The whole road in one process with a fake platform, a fake channel and a clock the test moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet

from connector.app import build_door, build_service
from connector.domain.clock import FixedClock
from connector.domain.delivery import LookAgain
from connector.domain.order import OrderSnapshot
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.flow.look_again import Fetch
from connector.settings import Settings
from connector.tables import documents, inbox, orders, shops, timeline
from connector.tables.documents import Issued
from notifications import history
from notifications.channels.contract import Message
from notifications.history import Said
from tests import fake_platform
from tests.builders import shop as build_shop
from tests.fakes import FakeChannel
from webhooks.endpoints import Answer

NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)


@dataclass
class Road:
    """Post documents with `post`, let the loops' work happen with `work`, then look."""

    database_url: str
    fetch: Fetch | None = None
    shop: Shop = field(default_factory=lambda: build_shop(platform="fake", connected_at=NOW - timedelta(days=10)))
    smtp: bool = True

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.channel = FakeChannel()
        self.service = build_service(
            Settings(database_url=self.database_url, secret_keys=(Fernet.generate_key().decode(),)),
            clock=self.clock,
            channels={"email": self.channel} if self.smtp else {},
            fetchers={"fake": self.fetch} if self.fetch else {},
            manifest={"fake": fake_platform.MANIFEST}.__getitem__,
        )
        self.door = build_door(self.service)
        self.connect(self.shop)

    def connect(self, shop: Shop) -> None:
        """Save a shop with the fake platform's secret."""
        with self.service.database.write() as connection:
            shops.save(connection, shop, fake_platform.SECRETS, self.service.seal)
        self.service.shops.forget()

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
            service.look_again.run,
            service.issue_documents.run,
            service.send_outbox.run,
        )
        while sum(step() for step in steps):
            pass

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
        self.service.database.close()


def never_asked(_shop: Shop, _hint: LookAgain) -> bytes:
    """A platform nobody may ask in this test."""
    raise AssertionError("the platform was asked")
