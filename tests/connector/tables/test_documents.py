"""Documents get gapless numbers, once, and never change (P7)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.database import Database
from connector.tables import documents
from connector.tables.documents import DocumentState, Issued, Request

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SERIES = "LIN-2026-"


def wanted(order_id: object = 5001) -> Request:
    return Request("shop-1", str(order_id))


def request(database: Database, *requests: Request, at: datetime = NOW) -> None:
    with database.write() as connection:
        documents.request(database, connection, requests, at)


def issued(request: Request, serial: int, series: str = SERIES) -> Issued:
    return Issued(request, series, serial, f"{series}{serial:05d}", "el", NOW, f"%PDF {serial} {request}".encode())


def issue(database: Database, one: Issued) -> bool:
    """As the flow does it: kept only if both the number and the document were free."""
    with database.write() as connection:
        taken = documents.issue(database, connection, one)
        if not taken:
            connection.rollback()
        return taken


def next_serial(database: Database, series: str = SERIES) -> int:
    with database.read() as connection:
        return documents.next_serial(connection, "shop-1", series)


def found(database: Database, request: Request) -> tuple[DocumentState, Issued | None, str] | None:
    with database.read() as connection:
        return documents.find(connection, request)


def test_a_document_goes_from_wanted_to_issued(database: Database) -> None:
    assert found(database, wanted()) is None
    request(database, wanted())
    assert found(database, wanted()) == (DocumentState.REQUESTED, None, "")
    assert issue(database, issued(wanted(), 1))
    assert found(database, wanted()) == (DocumentState.ISSUED, issued(wanted(), 1), "")
    assert next_serial(database) == 2


def test_p7_numbers_have_no_gap_and_no_double_under_four_threads(database: Database) -> None:
    requests = [wanted(number) for number in range(24)]
    request(database, *requests)
    start = threading.Barrier(4)

    def work(share: list[Request]) -> None:
        start.wait()
        for one in share:
            while not issue(database, issued(one, next_serial(database))):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, (requests[place::4] for place in range(4))))
    kept = [found(database, one) for one in requests]
    assert sorted(one[1].serial for one in kept if one and one[1]) == list(range(1, 25))
    assert next_serial(database) == 25


def test_p7_four_threads_that_want_the_same_document_make_one(database: Database) -> None:
    request(database, wanted())
    start = threading.Barrier(4)

    def work(_: int) -> bool:
        start.wait()
        return issue(database, issued(wanted(), next_serial(database)))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert next_serial(database) == 2


def test_p7_a_rollback_gives_the_number_back(database: Database) -> None:
    request(database, wanted())

    def crash() -> None:
        with database.write() as connection:
            assert documents.issue(database, connection, issued(wanted(), 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        crash()
    assert next_serial(database) == 1
    assert found(database, wanted()) == (DocumentState.REQUESTED, None, "")


def test_p7_a_number_that_is_not_next_is_not_given(database: Database) -> None:
    request(database, wanted(1), wanted(2))
    assert not issue(database, issued(wanted(1), 2))
    assert issue(database, issued(wanted(1), 1))
    assert not issue(database, issued(wanted(2), 1))
    assert not issue(database, issued(wanted(2), 3))
    assert next_serial(database) == 2


def test_p7_an_issued_document_never_changes(database: Database) -> None:
    request(database, wanted())
    assert issue(database, issued(wanted(), 1))
    assert not issue(database, replace(issued(wanted(), 2), content=b"other bytes"))
    request(database, wanted(), at=NOW + timedelta(days=1))
    with database.write() as connection:
        documents.block(connection, wanted(), "too late", NOW)
    assert found(database, wanted()) == (DocumentState.ISSUED, issued(wanted(), 1), "")
    assert next_serial(database) == 2


def test_p7_the_hash_is_kept_beside_the_bytes(database: Database) -> None:
    request(database, wanted())
    issue(database, issued(wanted(), 1))
    with database.read() as connection:
        kept = connection.execute(documents.documents.select()).one()
    assert kept.sha256 == issued(wanted(), 1).sha256
    assert len(kept.sha256) == 64


def test_a_document_is_issued_only_if_it_is_wanted(database: Database) -> None:
    assert not issue(database, issued(wanted(), 1))
    assert next_serial(database) == 1


def test_every_series_and_every_shop_counts_for_itself(database: Database) -> None:
    other = Request("shop-2", "5001")
    request(database, wanted(1), wanted(2), other)
    assert issue(database, issued(wanted(1), 1))
    assert issue(database, issued(wanted(2), 1, "LIN-2027-"))
    assert issue(database, issued(other, 1))


def test_a_blocked_document_says_why_and_is_due_again(database: Database) -> None:
    request(database, wanted())
    later = NOW + timedelta(minutes=15)
    with database.write() as connection:
        documents.block(connection, wanted(), "the seller's name is missing \x00", later)
        assert documents.due(connection, NOW, limit=10) == []
        assert documents.due(connection, later, limit=10) == [wanted()]
        assert documents.waiting_counts(connection) == {"blocked": 1}
    assert found(database, wanted()) == (DocumentState.BLOCKED, None, "the seller's name is missing ")
    assert issue(database, issued(wanted(), 1))


def test_what_is_due_comes_longest_waiting_first(database: Database) -> None:
    for minutes in (3, 1, 2):
        request(database, wanted(minutes), at=NOW + timedelta(minutes=minutes))
    with database.read() as connection:
        assert documents.due(connection, NOW + timedelta(minutes=5), limit=2) == [wanted(1), wanted(2)]


def test_the_documents_of_an_order_are_listed_in_the_order_of_their_issue(database: Database) -> None:
    note = Request("shop-1", "5001", "credit_note", "refund-1")
    request(database, wanted(), note, wanted(2))
    issue(database, replace(issued(note, 1, "CN-"), issued_at=NOW + timedelta(days=1)))
    issue(database, issued(wanted(), 1))
    with database.read() as connection:
        assert [one.request.kind for one in documents.of_order(connection, "shop-1", "5001")] == [
            "invoice",
            "credit_note",
        ]
        assert documents.counts(connection) == {"issued": 2, "requested": 1}
