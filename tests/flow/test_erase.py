"""People's data goes where it has to go, and nothing comes back; what the law obliges to keep stays (P10)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from connector.database import metadata
from connector.domain.delivery import ShopEvent, ShopEventKind
from connector.flow.erase import BACK, Erase
from connector.links import Links
from connector.tables import connections, documents, privacy_requests, shops
from connector.tables.privacy_requests import PrivacyRequest, Told
from tests.fake_platform import order_document, shipment_document
from tests.flow.road import NOW, Road


def ask(road: Road, kind: ShopEventKind, *order_ids: str) -> None:
    event = ShopEvent(kind, NOW, order_ids, customer_id="7", email="eleni@example.test", request_id="r-1")
    with road.service.database.write() as connection:
        asked = Told(road.shop.shop_id, "", event)
        privacy_requests.record(road.service.database, connection, asked, road.service.seal, NOW)


def eraser(road: Road) -> Erase:
    service = road.service
    return Erase(service.database, service.shops, service.seal, service.clock)


def requests(road: Road) -> list[PrivacyRequest]:
    with road.service.database.read() as connection:
        return privacy_requests.waiting(connection, road.service.seal)


def everything(road: Road) -> str:
    """All the text there is in the database but in issued documents and what is sealed."""
    found: list[str] = []
    hidden = ("content", "sealed", "sealed_secrets")
    with road.service.database.read() as connection:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if column.name not in hidden]
            for row in connection.execute(sa.select(*columns)):
                found += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row]
    return "\n".join(found).lower()


def told(road: Road) -> None:
    road.tell(order_document(), delivery_id="d-1")
    road.tell(order_document(updated_at="2026-11-20T09:40:00Z", shipments=[shipment_document()]), delivery_id="d-2")


def test_p10_an_erased_customer_is_found_nowhere_and_the_books_still_stand(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    assert "eleni" in everything(road)
    (issued,) = road.invoices()
    ask(road, ShopEventKind.CUSTOMER_REDACTED, "1001")
    assert eraser(road).run() == 1
    assert "eleni" not in everything(road)
    record = road.record()
    assert record is not None
    assert record.erased
    assert [one.number for parcel in record.shipments for one in parcel.tracking] == ["erased"]
    assert road.snapshot().email == ""
    assert road.invoices() == [issued]
    assert requests(road) == []


def test_what_comes_later_about_an_erased_order_is_kept_without_the_person(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    ask(road, ShopEventKind.CUSTOMER_REDACTED, "1001")
    eraser(road).run()
    before = len(road.mails)
    road.tell(order_document(updated_at="2026-11-20T10:00:00Z", total="50.00"), delivery_id="d-3")
    assert "eleni" not in everything(road)
    assert len(road.mails) == before


def test_what_waited_to_be_sent_to_an_erased_customer_is_not_sent(make_road: Callable[..., Road]) -> None:
    road = make_road(smtp=False)
    told(road)
    ask(road, ShopEventKind.CUSTOMER_REDACTED, "1001")
    eraser(road).run()
    assert {one.state.value for one in road.said()} == {"withdrawn"}


def test_p8_the_link_to_an_erased_customers_invoice_opens_no_more(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    (issued,) = road.invoices()
    links = Links("", ("key",))
    link = links.document(road.shop.shop_id, issued.series, issued.serial)
    place = links.open_document(link.rpartition("/")[2])
    ask(road, ShopEventKind.CUSTOMER_REDACTED, "1001")
    eraser(road).run()
    with road.service.database.read() as connection:
        assert documents.by_serial(connection, *place) is None


def test_only_the_named_orders_are_erased(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    road.tell(order_document(id="1002", number="F-1002", email="nikos@example.test"), delivery_id="d-4")
    ask(road, ShopEventKind.CUSTOMER_REDACTED, "1001")
    eraser(road).run()
    assert road.snapshot("1002").email == "nikos@example.test"


def test_a_request_told_twice_is_one(make_road: Callable[..., Road]) -> None:
    road = make_road()
    ask(road, ShopEventKind.DATA_REQUESTED, "1001")
    ask(road, ShopEventKind.DATA_REQUESTED, "1001")
    assert len(requests(road)) == 1


def test_a_request_to_see_data_waits_for_the_merchant_with_its_deadline(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    ask(road, ShopEventKind.DATA_REQUESTED, "1001", "unknown")
    assert eraser(road).run() == 0
    (request,) = requests(road)
    assert request.due_at - request.asked_at == timedelta(days=30)
    known, unknown = eraser(road).handed_out(request)["orders"]
    assert known["known"]["email"] == "eleni@example.test"
    assert known["documents"]
    assert {one["to"] for one in known["messages"]} == {"eleni@example.test"}
    assert unknown["known"] is None


def test_a_shop_that_left_is_forgotten_but_for_its_books_and_can_still_be_answered(
    make_road: Callable[..., Road],
) -> None:
    road = make_road()
    told(road)
    with road.service.database.write() as connection:
        shops.change(connection, road.shop.shop_id, lambda known: replace(known, ended_at=NOW))
    ask(road, ShopEventKind.SHOP_REDACTED)
    eraser(road).run()
    assert "eleni" not in everything(road)
    assert "fake0001" not in everything(road)
    assert road.record() is None
    assert len(road.invoices()) == 1
    with road.service.database.read() as connection:
        tombstone = shops.by_id(connection, road.shop.shop_id)
    assert tombstone is not None
    assert tombstone.ended_at is not None
    assert tombstone.seller.legal_name == ""


def test_a_shop_that_is_connected_again_keeps_its_data(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    service = road.service
    with service.database.write() as connection:
        connections.create(connection, road.shop.shop_id, "fake", "https://fake.example.test", service.seal, NOW)
    ask(road, ShopEventKind.SHOP_REDACTED)
    (request,) = requests(road)
    eraser(road).run()
    assert road.record() is not None
    with service.database.read() as connection:
        done = privacy_requests.find(connection, road.shop.shop_id, request.request_id, service.seal)
    assert done is not None
    assert done.outcome == BACK
