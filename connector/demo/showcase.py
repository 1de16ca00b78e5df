"""What the demo's pages show, put together from the tables and the mailbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

import sqlalchemy as sa

import adapters
from connector.demo.report import all_messages, intent_of
from connector.demo.shopfront import Lived, Shopfront
from connector.demo.sink import MailSink
from connector.demo.wire import Sent
from connector.domain.delivery import Source
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop, Voice
from connector.domain.timeline import TimelineEntry
from connector.flow.service import Service
from connector.story import says_more, sentence
from connector.tables import connections, documents, inbox, orders, sweeps, timeline
from connector.tables.connections import Connection
from connector.tables.documents import Issued
from connector.tables.inbox import Kept
from connector.tables.sweeps import Sweep, SweepKind
from notifications import history
from notifications.formatting import Formats, formats
from notifications.history import Said
from notifications.kinds import KINDS
from notifications.outbox import OutboxState
from notifications.writing_back import PLATFORM

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
    written: list[Said]
    """What the shop was told about it."""
    lived: list[Lived]
    """What happened in the shop itself."""
    documents: list[Issued]
    deliveries: list[Arrived]
    looks: int
    """How often the shop was looked through and told nothing new of it."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who speaks about one kind of message."""

    kind: str
    voice: Voice
    platform_mails: bool | None
    """Whether the platform mails it itself; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class ShopStory:
    """Everything about one shop's connection."""

    place: Shopfront
    shop: Shop
    connection: Connection
    sweeps: Mapping[SweepKind, Sweep]
    orders: int
    api_calls: int
    voices: tuple[Spoken, ...]
    written: tuple[Said, ...]
    """What was written back to it."""


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
        self, service: Service, places: Sequence[Shopfront], sink: MailSink, *, page_size: int = PAGE_SIZE
    ) -> None:
        self.places = places
        self._page_size = page_size
        self._service = service
        self._sink = sink

    @property
    def _shops(self) -> dict[str, Shop]:
        """Those that were invited, by id."""
        found = (place.shop(self._service) for place in self.places)
        return {shop.shop_id: shop for shop in found if shop}

    def shop(self, shop_id: str) -> Shop | None:
        return self._shops.get(shop_id)

    @staticmethod
    def platform(shop: Shop) -> str:
        """The platform's name as people write it."""
        return adapters.manifest(shop.platform).title

    def counts(self) -> dict[str, int]:
        """What has happened so far, by what it is."""
        sent = [one for place in self.places for one in place.sent]
        accepted = sum(one.accepted for one in sent)
        keys = sum(len({one.idempotency_key for one in place.sent if one.accepted}) for place in self.places)
        with self._service.database.read() as connection:
            issued = documents.counts(connection).get("issued", 0)
            known = sum(orders.count(connection, shop_id) for shop_id in self._shops)
            healed = sum(one.healed for one in connections.everyone(connection).values())
        return {
            "webhooks": len(sent),
            "duplicates among them": accepted - keys,
            "refused": len(sent) - accepted,
            "gaps healed": healed,
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
            told, said = inbox.of_order(connection, shop_id, order_id), history.of_order(connection, shop_id, order_id)
            news = [kept for kept in told if not _tells_nothing(kept)]
            return OrderStory(
                shop=shop,
                record=record,
                entries=timeline.of_order(connection, shop_id, order_id),
                messages=[one for one in said if one.notification.channel != PLATFORM],
                written=[one for one in said if one.notification.channel == PLATFORM],
                lived=[one for place in self.places if place.shop_id == shop_id for one in place.lived_by(order_id)],
                documents=documents.of_order(connection, shop_id, order_id),
                deliveries=[self._arrived(kept) for kept in news],
                looks=len(told) - len(news),
            )

    def shop_story(self, shop_id: str) -> ShopStory | None:
        """One shop with all that is known of its connection; None for one that was not invited."""
        place = next((place for place in self.places if place.shop_id == shop_id), None)
        shop = self.shop(shop_id)
        with self._service.database.read() as connection:
            known = connections.get(connection, shop_id)
            swept, count = sweeps.of_shop(connection, shop_id), orders.count(connection, shop_id)
        if place is None or shop is None or known is None:
            return None
        mailed = known.findings.platform_speaks
        said = all_messages(self._service, [place])
        return ShopStory(
            place=place,
            shop=shop,
            connection=known,
            sweeps=swept,
            orders=count,
            api_calls=sum(self._service.web.calls(host) for host in place.twin.routes),
            voices=tuple(Spoken(kind, shop.voice(kind), mailed.get(kind)) for kind in KINDS),
            written=tuple(one for one in said if one.notification.channel == PLATFORM),
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
        found = [(place.shop(self._service), sent) for place in self.places for sent in place.sent if not sent.accepted]
        return [(shop, sent) for shop, sent in found if shop]

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
            for place in self.places
            for sent in place.sent
            if place.shop_id == kept.shop_id and sent.idempotency_key == kept.idempotency_key and not sent.forged
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


def _tells_nothing(kept: Kept) -> bool:
    """Whether it was found by ourselves, and known already."""
    return kept.delivery.source is not Source.WEBHOOK and kept.outcome == "nothing new"


def _placed_at(record: OrderRecord) -> datetime:
    return record.snapshot.placed_at if record.snapshot else datetime.min.replace(tzinfo=UTC)
