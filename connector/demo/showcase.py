"""What the demo's pages show, put together from the tables and the mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

import sqlalchemy as sa

import adapters
from connector.demo.report import intent_of, is_accepted
from connector.demo.sink import MailSink
from connector.demo.stand_ins import Sent, StandIn
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import TimelineEntry
from connector.flow.service import Service
from connector.story import says_more, sentence
from connector.tables import documents, inbox, orders, timeline
from connector.tables.documents import Issued
from connector.tables.inbox import Kept
from notifications import history
from notifications.formatting import Formats, formats
from notifications.history import Said
from notifications.outbox import OutboxState

PAGE_SIZE = 25
MOST_SHOWN = 100
LOOK_STATES = (OutboxState.REVIEW, OutboxState.FAILED)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order in a list."""

    shop: Shop
    record: OrderRecord
    last: str
    """The newest line of its timeline, as a sentence."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One kept delivery with what the sender knows of it."""

    kept: Kept
    sent: Sent | None
    times: int


@dataclass(frozen=True, slots=True)
class OrderStory:
    """Everything about one order."""

    shop: Shop
    record: OrderRecord
    entries: list[TimelineEntry]
    messages: list[Said]
    documents: list[Issued]
    deliveries: list[Arrived]


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as it arrived, with the intent it was made from."""

    mail: EmailMessage
    said: Said
    shop: Shop


class Showcase:
    """Reads; changes nothing."""

    written: Formats = formats("en", "UTC")
    """How the pages themselves write amounts and dates."""

    def __init__(
        self, service: Service, stand_ins: Sequence[StandIn], sink: MailSink, *, page_size: int = PAGE_SIZE
    ) -> None:
        self.stand_ins = stand_ins
        self._page_size = page_size
        self._service = service
        self._sink = sink
        self._shops = {one.shop.shop_id: one.shop for one in stand_ins}

    def shop(self, shop_id: str) -> Shop | None:
        return self._shops.get(shop_id)

    @staticmethod
    def platform(shop: Shop) -> str:
        """The platform's name as people write it."""
        return adapters.manifest(shop.platform).title

    def counts(self) -> dict[str, int]:
        """What has happened so far, by what it is."""
        answers = [sent.status for one in self.stand_ins for sent in one.sent]
        with self._service.database.read() as connection:
            kept = sum(inbox.counts(connection).values())
            issued = documents.counts(connection).get("issued", 0)
            known = sum(orders.count(connection, shop_id) for shop_id in self._shops)
        accepted = sum(map(is_accepted, answers))
        return {
            "deliveries sent": len(answers),
            "duplicates among them": max(0, accepted - kept),
            "refused": len(answers) - accepted,
            "orders": known,
            "mails": len(self._sink.mails),
            "invoices": issued,
        }

    def order_lines(self, page: int) -> tuple[list[OrderLine], bool]:
        """A page of all shops' orders, newest first, and whether another page follows. Pages count from 1."""
        end = page * self._page_size
        with self._service.database.read() as connection:
            pages = [orders.newest(connection, shop_id, limit=end + 1) for shop_id in self._shops]
            known = sorted((record for found in pages for record in found), key=_placed_at, reverse=True)
            lines = [self._line(connection, record) for record in known[end - self._page_size : end]]
        return lines, len(known) > end

    def order(self, shop_id: str, order_id: str) -> OrderStory | None:
        """One order with all that belongs to it; None for one nobody has told of."""
        shop = self.shop(shop_id)
        with self._service.database.read() as connection:
            record = orders.get(connection, shop_id, order_id)
            if shop is None or record is None:
                return None
            return OrderStory(
                shop=shop,
                record=record,
                entries=timeline.of_order(connection, shop_id, order_id),
                messages=history.of_order(connection, shop_id, order_id),
                documents=documents.of_order(connection, shop_id, order_id),
                deliveries=[self._arrived(kept) for kept in inbox.of_order(connection, shop_id, order_id)],
            )

    def document(self, shop_id: str, order_id: str, number: str) -> Issued | None:
        """An issued document by its number."""
        with self._service.database.read() as connection:
            issued = documents.of_order(connection, shop_id, order_id)
        return next((one for one in issued if one.number == number), None)

    def letters(self) -> list[Letter]:
        """Every mail in the mailbox that belongs to a known intent, oldest first."""
        found = (self._letter(mail) for mail in self._sink.mails)
        return [letter for letter in found if letter]

    def letter(self, shop_id: str, intent_id: str) -> Letter | None:
        """The mail of one intent; None while it has not arrived."""
        mails = (mail for mail in self._sink.mails if intent_of(mail) == intent_id)
        found = (self._letter(mail) for mail in mails)
        return next((letter for letter in found if letter and letter.shop.shop_id == shop_id), None)

    def to_look_at(self) -> list[Arrived]:
        """Deliveries that were kept and not understood, or wait for their platform's answer."""
        with self._service.database.read() as connection:
            return [self._arrived(kept) for kept in inbox.needing_attention(connection, limit=MOST_SHOWN)]

    def refused(self) -> list[tuple[Shop, Sent]]:
        """Deliveries the service did not believe, as the shops saw it."""
        return [(one.shop, sent) for one in self.stand_ins for sent in one.sent if not is_accepted(sent.status)]

    def odd_orders(self) -> list[tuple[OrderLine, list[str]]]:
        """Orders with words nobody knows or sums that do not add up, and what was odd."""
        with self._service.database.read() as connection:
            records = [
                record for shop_id in self._shops for record in orders.newest(connection, shop_id, limit=MOST_SHOWN)
            ]
            return [
                (self._line(connection, record), list(record.snapshot.warnings))
                for record in records
                if record.snapshot and record.snapshot.warnings
            ]

    def unsent(self) -> list[Said]:
        """Mails that a person has to decide about."""
        with self._service.database.read() as connection:
            found = [
                said
                for shop_id in self._shops
                for record in orders.newest(connection, shop_id, limit=MOST_SHOWN)
                for said in history.of_order(connection, shop_id, record.order_id)
            ]
        return [said for said in found if said.state in LOOK_STATES]

    def _line(self, connection: sa.Connection, record: OrderRecord) -> OrderLine:
        shop = self._shops[record.shop_id]
        entries = timeline.of_order(connection, record.shop_id, record.order_id)
        facts = [entry for entry in entries if not entry.tag.value.startswith(("message:", "document:"))]
        newest = max(filter(says_more, facts), key=lambda entry: entry.occurred_at, default=None)
        return OrderLine(shop, record, sentence(newest, self.written, parcel_ids(record)) if newest else "")

    def _arrived(self, kept: Kept) -> Arrived:
        sent = [
            sent
            for one in self.stand_ins
            for sent in one.sent
            if one.shop.shop_id == kept.shop_id and sent.idempotency_key == kept.idempotency_key
        ]
        return Arrived(kept, sent[0] if sent else None, len(sent))

    def _letter(self, mail: EmailMessage) -> Letter | None:
        with self._service.database.read() as connection:
            for shop_id, shop in self._shops.items():
                said = history.find(connection, shop_id, intent_of(mail))
                if said:
                    return Letter(mail, said, shop)
        return None


def parcel_ids(record: OrderRecord) -> list[str]:
    """The order's shipments, taken-back ones too, in the order they were heard of."""
    return [one.shipment_id for one in record.shipments]


def _placed_at(record: OrderRecord) -> datetime:
    return record.snapshot.placed_at if record.snapshot else datetime.min.replace(tzinfo=UTC)
