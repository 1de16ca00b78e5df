"""From wanted documents to numbered, rendered, unchangeable ones (P7)."""

import logging
import threading
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import OperationalError

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.errors import Permanent, Retryable
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop
from connector.domain.timeline import Tag, TimelineEntry
from connector.links import Links
from connector.observability import Metrics
from connector.shop_directory import ShopDirectory
from connector.tables import documents, orders, timeline
from connector.tables.documents import DocumentState, Issued, Request
from connector.tables.timeline import Learned
from notifications import outbox
from notifications.documents.build import build_invoice
from notifications.documents.pdf import render_pdf
from notifications.kinds import Notification
from notifications.writing_back import decide, invoice_link

log = logging.getLogger(__name__)

AFTER_PROBLEM = timedelta(minutes=15)
MOST_RACES = 20


class _NumberTaken(Exception):
    """Somebody else took the number, or made this very document, in the meantime."""


class IssueDocuments:
    """Gives wanted documents their number and their bytes."""

    def __init__(
        self, database: Database, shops: ShopDirectory, clock: Clock, metrics: Metrics, links: Links | None = None
    ) -> None:
        """`links`: where documents can be had; None while we have no address of our own."""
        self._database = database
        self._shops = shops
        self._clock = clock
        self._metrics = metrics
        self._links = links
        self._one_at_a_time = threading.Lock()

    def run(self) -> int:
        """Make what is due; returns how many were made or blocked."""
        with self._database.read() as connection:
            due = documents.due(connection, self._clock.now(), limit=20)
        return sum(self._is_settled(wanted) for wanted in due)

    def issue(self, wanted: Request) -> Issued | None:
        """The document, made now if it is not there yet; None when it cannot be made, with the problem kept on its row.

        Raises Retryable when it only has to wait: others take each number first, or the database is away.

        The bytes are rendered with the number that is next, outside any transaction; then number and bytes are taken
        together, only if that number is still next. So there are no gaps, and no render while others wait.
        """
        for _ in range(MOST_RACES):
            with self._database.read() as connection:
                found = documents.find(connection, wanted)
                record = orders.get(connection, wanted.shop_id, wanted.order_id)
            if found is None or found[0] is DocumentState.ISSUED:
                return found[1] if found else None
            shop = self._shops.by_id(wanted.shop_id)
            if shop is None or record is None or record.snapshot is None:
                self._block(wanted, "the order or its shop is not known any more")
                return None
            try:
                # Two threads that make documents at once would take each other's number, and render in vain.
                with self._one_at_a_time:
                    return self._keep(self._made(wanted, record, shop), record, shop)
            except _NumberTaken:
                continue
            except OperationalError as error:
                raise Retryable("the database went away while a document was issued") from error
            except Permanent as error:
                self._block(wanted, str(error))
                return None
            except Exception as error:
                self._metrics.errors.labels("issue_documents").inc()
                log.exception("a document could not be made")
                self._block(wanted, f"it could not be rendered ({type(error).__name__}); the log says why")
                return None
        raise Retryable("other workers took each number a document was made with")

    def _is_settled(self, wanted: Request) -> bool:
        try:
            self.issue(wanted)
        except Retryable as error:
            log.warning("a document has to wait", extra={"why": str(error)})
            return False
        return True

    def _made(self, wanted: Request, record: OrderRecord, shop: Shop) -> Issued:
        issued_at = self._clock.now()
        series = f"{shop.invoice_prefix}{issued_at.astimezone(_zone(shop)).year}-"
        with self._database.read() as connection:
            serial = documents.next_serial(connection, shop.shop_id, series)
        number = f"{series}{serial:05d}"
        invoice = build_invoice(record, shop, number=number, issued_at=issued_at, locale=record.locale)
        return Issued(wanted, series, serial, number, record.locale, issued_at, render_pdf(invoice))

    def _keep(self, issued: Issued, record: OrderRecord, shop: Shop) -> Issued:
        details = {"number": issued.number, "sha256": issued.sha256, "kind": issued.request.kind}
        entry = TimelineEntry(Tag.DOCUMENT_ISSUED, issued.number, issued.issued_at, issued.issued_at, details)
        with self._database.write() as connection:
            if not documents.issue(self._database, connection, issued):
                raise _NumberTaken
            timeline.append(self._database, connection, [Learned(record.shop_id, record.order_id, "", entry)])
            outbox.enqueue(self._database, connection, self._link(issued, record, shop), issued.issued_at)
        self._metrics.documents.labels(issued.request.kind, "issued").inc()
        return issued

    def _link(self, issued: Issued, record: OrderRecord, shop: Shop) -> list[tuple[Notification, str]]:
        """The order on the platform leads to the invoice, where the shop wants that."""
        if self._links is None:
            return []
        writing = invoice_link(issued.number, self._links.document(record.shop_id, issued.series, issued.serial))
        decision = decide(record, shop, writing, issued.issued_at)
        return [(decision, "")] if isinstance(decision, Notification) else []

    def _block(self, wanted: Request, problem: str) -> None:
        with self._database.write() as connection:
            documents.block(connection, wanted, problem, self._clock.now() + AFTER_PROBLEM)
        self._metrics.documents.labels(wanted.kind, "blocked").inc()


def _zone(shop: Shop) -> ZoneInfo:
    """The shop's zone; UTC for a name nobody knows."""
    try:
        return ZoneInfo(shop.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
