"""People's data goes where it has to go, and nothing comes back; what the law obliges to keep stays (P10)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from connector import connecting
from connector.database import metadata
from connector.domain.connection import ConnectionState, Findings
from connector.domain.delivery import ShopEvent, ShopEventKind
from connector.domain.errors import Permanent
from connector.domain.shop import Seller
from connector.domain.timeline import Tag
from connector.flow.erase import BACK, Erase
from connector.links import Links
from connector.tables import documents, inbox, orders, privacy_requests, shops
from connector.tables.inbox import InboxState
from connector.tables.privacy_requests import PrivacyRequest, Told
from notifications import history, outbox, writing_back
from notifications.kinds import Notification
from notifications.outbox import OutboxState
from tests.fake_platform import order_document, refund_document, shipment_document
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


def erased(road: Road, *order_ids: str) -> None:
    ask(road, ShopEventKind.CUSTOMER_REDACTED, *order_ids)
    assert eraser(road).run() == 1


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
    assert "fake0001" not in everything(road)
    assert [entry.details["numbers"] for entry in road.story() if entry.tag is Tag.SHIPMENT_TRACKING] == ["erased"]
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
    road.offer()
    road.work()
    ask(road, ShopEventKind.SHOP_REDACTED)
    (request,) = requests(road)
    eraser(road).run()
    assert road.record() is not None
    with service.database.read() as connection:
        done = privacy_requests.find(connection, road.shop.shop_id, request.request_id, service.seal)
    assert done is not None
    assert done.outcome == BACK


def test_p10_a_document_from_before_that_comes_after_is_not_kept_either(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    erased(road, "1001")
    road.tell(order_document(updated_at="2026-11-20T09:35:00Z", total="48.00"), delivery_id="late")
    assert "eleni" not in everything(road)
    story = road.story()
    for place in range(2):  # the same parcel again, in words of its own each time
        parcel = shipment_document(updated_at=f"2026-11-21T14:0{place}:00Z")
        road.tell({"type": "shipment", "order_id": "1001", "shipment": parcel}, delivery_id=f"p-{place}")
    assert "fake0001" not in everything(road)
    assert road.story() == story


def test_p10_an_order_that_is_to_be_erased_and_is_not_known_yet_comes_without_its_person(
    make_road: Callable[..., Road],
) -> None:
    road = make_road()
    road.post(order_document(shipments=[shipment_document()]))
    erased(road, "1001")
    road.work()
    assert road.snapshot().total > 0
    for word in ("eleni", "fake0001"):
        assert word not in everything(road)
    assert road.mails == []


def test_p10_what_could_not_be_read_is_searched_for_the_person_too(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    road.tell({"type": "puzzle", "email": "eleni@example.test"}, delivery_id="d-9")
    road.tell({"type": "puzzle", "email": "nikos@example.test"}, delivery_id="d-10")
    erased(road, "1001")
    assert "eleni" not in everything(road)
    assert "nikos" in everything(road)


def test_p10_a_delivery_that_told_of_several_orders_is_emptied_for_each_of_them(make_road: Callable[..., Road]) -> None:
    road = make_road()
    road.tell([order_document(id="1002", number="2", email="nikos@example.test"), order_document()])
    erased(road, "1001")
    assert "eleni" not in everything(road)


def test_p10_the_number_a_merchant_gave_the_platform_goes_with_the_customer(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    with road.service.database.write() as connection:
        record = orders.get(connection, road.shop.shop_id, "1001")
        assert record is not None
        parcel = writing_back.parcel("HAND0007", "Courier", "", "S1", (), NOW)
        intent = writing_back.decide(record, road.shop, parcel, NOW, ordered=True)
        assert isinstance(intent, Notification)
        outbox.enqueue(road.service.database, connection, [(intent, "")], NOW)
    assert road.service.write_back.run() == 1
    assert "hand0007" in everything(road)
    erased(road, "1001")
    assert "hand0007" not in everything(road)


def test_what_was_refused_for_good_is_not_sent_again_once_its_customer_is_erased(
    make_road: Callable[..., Road],
) -> None:
    road = make_road()
    road.channel.fails_before = Permanent("no such mailbox")
    told(road)
    erased(road, "1001")
    with road.service.database.write() as connection:
        said = history.needing_decision(connection, limit=10)
        with pytest.raises(ValueError, match="erased"):
            history.decide(connection, said[0], OutboxState.PENDING, NOW)


def test_a_request_that_cannot_be_carried_out_holds_up_no_other(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road()
    told(road)
    with road.service.database.write() as connection:
        for number, kind in enumerate((ShopEventKind.SHOP_REDACTED, ShopEventKind.CUSTOMER_REDACTED)):
            event = ShopEvent(kind, NOW, ("1001",), request_id=str(number))
            asked = Told(road.shop.shop_id, "", event)
            privacy_requests.record(road.service.database, connection, asked, road.service.seal, NOW)
    monkeypatch.setattr(shops, "by_id", None)
    assert eraser(road).run() == 1
    monkeypatch.undo()
    assert [one.kind for one in requests(road)] == [ShopEventKind.SHOP_REDACTED]
    assert "eleni" not in everything(road)


def test_p10_a_request_is_told_by_its_own_row_alone_and_its_delivery_is_emptied_at_once(
    make_road: Callable[..., Road],
) -> None:
    road = make_road()
    for number in ("1", "2"):  # told twice, in deliveries of their own
        road.tell({"type": "asks", "kind": "data_requested", "email": "maria@example.test", "n": number})
    assert len(requests(road)) == 1
    assert requests(road)[0].event.email == "maria@example.test"
    assert "maria" not in everything(road)


def test_all_that_is_kept_of_a_customer_is_handed_out(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    road.tell({"type": "refund", "order_id": "1001", "refund": refund_document()}, delivery_id="d-5")
    ask(road, ShopEventKind.DATA_REQUESTED, "1001")
    (known,) = eraser(road).handed_out(requests(road)[0])["orders"]
    assert known["refunds"][0]["reason"] == "Damaged"
    assert all(one["text"] for one in known["messages"] if one["subject"])
    assert "order:placed" in {one["tag"] for one in known["story"]}
    json.dumps(known)


def test_p10_of_a_shop_that_is_erased_not_even_its_merchant_is_left(make_road: Callable[..., Road]) -> None:
    road = make_road()
    road.there.findings = Findings(name="Marina", seller=Seller(legal_name="Kostas Rigas", email="kostas@example.test"))
    road.offer()
    road.work()
    road.service.disconnect.run(road.shop.shop_id)
    for kind, number in ((ShopEventKind.DATA_REQUESTED, "1"), (ShopEventKind.SHOP_REDACTED, "2")):
        with road.service.database.write() as connection:
            asked = Told(road.shop.shop_id, "", ShopEvent(kind, NOW, ("1001",), request_id=number))
            privacy_requests.record(road.service.database, connection, asked, road.service.seal, NOW)
    eraser(road).run()
    assert "kostas" not in everything(road)
    assert requests(road) == []


def test_p10_what_a_shop_that_left_still_sends_is_not_kept(make_road: Callable[..., Road]) -> None:
    road = make_road(connected=True)
    road.service.disconnect.run(road.shop.shop_id)
    told(road)
    assert road.inbox_counts() == {"ignored": 2}
    assert "eleni" not in everything(road)


def test_p10_a_shop_that_was_only_invited_again_is_erased_all_the_same(make_road: Callable[..., Road]) -> None:
    road = make_road(connected=True)
    told(road)
    road.service.disconnect.run(road.shop.shop_id)
    with road.service.database.write() as connection:
        connecting.find_or_make(connection, "fake", road.shop.host, "https://x.test", road.service.seal, NOW)
    ask(road, ShopEventKind.SHOP_REDACTED)
    assert eraser(road).run() == 1
    assert "eleni" not in everything(road)
    assert road.connection().state is ConnectionState.ENDED


def test_whether_a_broken_connection_is_one_that_left_is_waited_for(make_road: Callable[..., Road]) -> None:
    road = make_road(connected=True)
    told(road)
    road.there.tokens.clear()
    road.later(days=1)
    assert road.connection().state is ConnectionState.BROKEN
    ask(road, ShopEventKind.SHOP_REDACTED)
    assert eraser(road).run() == 0
    assert len(requests(road)) == 1
    road.service.disconnect.run(road.shop.shop_id)
    assert eraser(road).run() == 1
    assert "eleni" not in everything(road)


def test_a_delivery_that_was_emptied_while_it_waited_is_no_riddle_for_anybody(make_road: Callable[..., Road]) -> None:
    road = make_road()
    told(road)
    road.tell({"type": "hint", "order_id": "1001"}, delivery_id="d-7")
    erased(road, "1001")
    with road.service.database.write() as connection:
        waiting = inbox.ended_in(connection, road.shop.shop_id, InboxState.WAITING)
        inbox.replay(connection, road.shop.shop_id, waiting, road.clock.now())
    road.work()
    assert road.inbox_counts() == {"done": 2, "ignored": 1}
