"""Deliveries from inbox to outbox, and mails from outbox to a mail server, each by one worker."""

import contextlib
import smtplib
import time
from collections.abc import Callable, Iterator
from functools import partial

import sqlalchemy as sa

from connector.flow.send_outbox import PDF
from connector.flow.service import Service
from connector.tables import documents, orders
from notifications.channels.contract import Attachment
from notifications.channels.mime import compose
from notifications.outbox import outbox
from notifications.rendering import render
from tests.bench import deliveries
from tests.bench.places import Place, running_service
from tests.bench.programs import mail_sink
from tests.bench.report import Figure, interleaved

WARM_UP = 20
"""Templates are compiled and statements built with the first ones; a service does that once a day, not once a mail."""

WITHOUT, ISSUED, ISSUING = "without PDF", "with PDF issued before", "with PDF issued on the way"


def measure(found: list[Place], *, rounds: int, size: int) -> Iterator[list[Figure]]:
    """One list of figures for each database."""
    for place in found:
        yield _on(place, rounds, size)


def _on(place: Place, rounds: int, size: int) -> list[Figure]:
    mails = max(size // 5, 100)
    seen = interleaved(
        {
            "process": lambda: _processed(place, size),
            WITHOUT: lambda: _mailed(place, WITHOUT, mails),
            ISSUED: lambda: _mailed(place, ISSUED, mails // 4),
            ISSUING: lambda: _mailed(place, ISSUING, mails // 4),
        },
        rounds,
    )
    bare = "bare smtplib loop, same bytes"
    return [
        Figure(f"{place.name} inbox to outbox", seen["process"]["rate"], "/s", aim="1,000/s"),
        Figure(f"{place.name} mails {WITHOUT}", seen[WITHOUT]["rate"], "/s", bare, seen[WITHOUT]["bare"], "0.5"),
        Figure(f"{place.name} mails {ISSUED}", seen[ISSUED]["rate"], "/s", bare, seen[ISSUED]["bare"], "0.5"),
        Figure(f"{place.name} mails {ISSUING}", seen[ISSUING]["rate"], "/s", bare, seen[ISSUING]["bare"]),
        Figure(f"{place.name} PDFs issued", seen[ISSUED]["issued"], "/s"),
    ]


def process_all(service: Service) -> int:
    """Let all recorded deliveries join their orders; returns how many."""
    return repeat(service.process_inbox.run)


def _processed(place: Place, size: int) -> dict[str, float]:
    with running_service(place.new_database()) as service:
        deliveries.fill_inbox(service.database, WARM_UP)
        process_all(service)
        deliveries.fill_inbox(service.database, size, first=1 + WARM_UP)
        return {"rate": rate(partial(process_all, service))}


def _mailed(place: Place, how: str, size: int) -> dict[str, float]:
    with mail_sink() as (port, _), running_service(place.new_database(), smtp_port=port) as service:
        _prepare(service, how, WARM_UP, first=1)
        repeat(service.send_outbox.run)
        issued = _prepare(service, how, size, first=1 + WARM_UP)
        mailed = rate(lambda: repeat(service.send_outbox.run))
        return {"rate": mailed, "issued": issued, "bare": _bare(port, _as_sent(service, how), size)}


def _prepare(service: Service, how: str, size: int, *, first: int) -> float:
    """Intents that are due now; returns the rate at which invoices were issued before, 0 for none."""
    deliveries.fill_inbox(service.database, size, first=first)
    process_all(service)
    if how == WITHOUT:
        with service.database.write() as connection:
            connection.execute(sa.update(outbox).where(outbox.c.state == "pending").values(invoice=False))
    return rate(lambda: repeat(service.issue_documents.run)) if how == ISSUED else 0.0


def _as_sent(service: Service, how: str) -> bytes:
    """The bytes of one mail as they went out."""
    with service.database.read() as connection:
        row = connection.execute(sa.select(outbox).where(outbox.c.state == "sent").limit(1)).one()
        record = orders.get(connection, row.shop_id, row.order_id)
    shop = service.shops.by_id(row.shop_id)
    assert record is not None
    assert shop is not None
    with service.database.read() as connection:
        issued = () if how == WITHOUT else documents.of_order(connection, row.shop_id, row.order_id)
    return compose(
        render(
            row.kind,
            row.subject,
            record,
            shop,
            locale=row.locale,
            recipient=row.recipient,
            message_id="bare@hafen-huegel.example",
            thread_id="bare@hafen-huegel.example",
            sender_address=shop.sender,
            created_at=row.created_at,
            attachments=tuple(Attachment(f"{one.number}.pdf", PDF, one.content) for one in issued),
        )
    )


def _bare(port: int, content: bytes, size: int) -> float:
    """The floor: ready bytes, one kept connection, nothing written down."""
    with contextlib.closing(smtplib.SMTP("127.0.0.1", port)) as server:
        started = time.perf_counter()
        for number in range(size):
            server.sendmail("shop@hafen-huegel.example", [f"customer-{number}@example.test"], content)
        return size / (time.perf_counter() - started)


def repeat(step: Callable[[], int], *, most: int | None = None) -> int:
    """Repeat a step until it finds nothing to do, or has done `most`; returns how much it did."""
    total = 0
    while (most is None or total < most) and (done := step()):
        total += done
    return total


def rate(work: Callable[[], int]) -> float:
    """How much a second a piece of work does."""
    started = time.perf_counter()
    return work() / (time.perf_counter() - started)
