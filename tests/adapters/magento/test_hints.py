"""Pings, I/O events and Commerce Webhooks only say where to look."""

from typing import Any

import pytest

from connector.domain.delivery import Ignored, LookAgain, Subject
from connector.domain.errors import UnreadableDelivery
from tests.adapters.magento.papers import COMMERCE, IO, MANIFEST, PING, delivery, encoded, order, parsed, shop, track


def looked_at(headers: dict[str, str], document: object, event: str = "") -> tuple[Subject, str, str]:
    update = parsed(headers, document, event)
    assert isinstance(update, LookAgain), update
    return update.subject, update.subject_id, update.order_id


PINGS: list[tuple[dict[str, Any], str, tuple[Subject, str, str]]] = [
    ({"event": "order", "id": 7}, "", (Subject.ORDER, "7", "7")),
    ({"id": "7", "increment_id": "000000007", "status": "processing"}, "", (Subject.ORDER, "7", "7")),
    ({"id": 61}, "new_shipment", (Subject.SHIPMENT, "61", "")),
    ({"event": "shipment", "id": 61, "order_id": 7}, "", (Subject.SHIPMENT, "61", "7")),
    ({"event": "new_creditmemo", "id": 71}, "", (Subject.CREDIT_NOTE, "71", "")),
    ({"event": "invoice", "id": 41}, "", (Subject.INVOICE, "41", "")),
    ({"event": "invoice", "id": 41, "order_id": 7}, "", (Subject.ORDER, "7", "7")),
    ({"event": "new_order_comment", "id": 900, "parent_id": 7}, "", (Subject.ORDER, "7", "7")),
    ({"event": "new_order_comment", "id": 900, "order_id": 7}, "", (Subject.ORDER, "7", "7")),
]


@pytest.mark.parametrize(("document", "event", "expected"), PINGS)
def test_a_ping_points_at_an_object(document: dict[str, Any], event: str, expected: tuple[Subject, str, str]) -> None:
    assert looked_at(PING, document, event) == expected


def test_an_empty_ping_says_that_the_template_failed() -> None:
    with pytest.raises(UnreadableDelivery, match="template"):
        MANIFEST.parse(delivery(PING, b" \n"), shop())


@pytest.mark.parametrize("key", ["000000007", "../../V1/customers/1", "7?fields=x", "-1", "1e3", True, {}, 7.5, "٧"])
def test_an_id_is_a_number_because_it_becomes_part_of_an_address(key: object) -> None:
    with pytest.raises(UnreadableDelivery, match="id"):
        parsed(PING, {"event": "order", "id": key})


def test_a_ping_without_an_id_is_refused_with_an_example() -> None:
    with pytest.raises(UnreadableDelivery, match='"event":"order"'):
        parsed(PING, {"event": "order", "id": None})


def test_a_ping_about_something_else_is_ignored() -> None:
    assert isinstance(parsed(PING, {"event": "product", "id": 4}), Ignored)


def io_event(code: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"com.adobe.commerce.observer.{code}", "event_id": code, "data": {"key": "k", "value": value}}


IO_EVENTS: list[tuple[str, dict[str, Any], tuple[Subject, str, str]]] = [
    ("sales_order_save_commit_after", {"entity_id": "7", "grand_total": "1.0"}, (Subject.ORDER, "7", "7")),
    ("sales_order_shipment_save_after", {"entity_id": "61", "order_id": "7"}, (Subject.SHIPMENT, "61", "7")),
    ("sales_order_shipment_track_save_after", track(), (Subject.SHIPMENT, "61", "7")),
    ("sales_order_shipment_track_save_after", {"entity_id": "31", "order_id": "7"}, (Subject.SHIPMENT, "", "7")),
    ("sales_order_creditmemo_save_after", {"entity_id": "71", "order_id": "7"}, (Subject.CREDIT_NOTE, "71", "7")),
    ("sales_order_invoice_save_after", {"entity_id": "41", "order_id": "7"}, (Subject.ORDER, "7", "7")),
    ("sales_order_status_history_save_after", {"entity_id": "900", "parent_id": "7"}, (Subject.ORDER, "7", "7")),
    ("sales_order_save_after", {"increment_id": "000000007"}, (Subject.ORDER, "", "")),
]


@pytest.mark.parametrize(("code", "value", "expected"), IO_EVENTS)
def test_an_io_event_points_at_an_object(code: str, value: dict[str, Any], expected: tuple[Subject, str, str]) -> None:
    assert looked_at(IO, io_event(code, value)) == expected


def test_a_batch_says_one_thing_for_each_event() -> None:
    batch = [io_event(code, value) for code, value, _ in IO_EVENTS] + [io_event("customer_save_after", {})]
    updates = MANIFEST.parse(delivery(IO, encoded(batch)), shop())
    assert len(updates) == len(batch)
    assert isinstance(updates[-1], Ignored)


@pytest.mark.parametrize("body", [b"[]", b"3", b"[1]", b"null", b'[{"data":[1]}, []]'])
def test_a_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableDelivery):
        MANIFEST.parse(delivery(IO, body), shop())


def test_adobes_request_to_confirm_by_link_is_ignored() -> None:
    assert isinstance(parsed(IO, {"validationUrl": "https://csm.adobe.io/x"}), Ignored)


def test_a_commerce_webhook_points_at_the_order_it_interrupts() -> None:
    document = {"eventName": "observer.sales_order_save_before", "subject": [], "data": {"order": order()}}
    assert looked_at(COMMERCE, document) == (Subject.ORDER, "7", "7")
    assert looked_at(COMMERCE, {"order": {"entity_id": 7, "state": "new", "items": []}}) == (Subject.ORDER, "7", "7")


def test_an_order_not_saved_yet_is_known_by_its_number_only() -> None:
    update = parsed(COMMERCE, {"eventName": "sales_order_place_before", "data": {"order": {"increment_id": "15"}}})
    assert isinstance(update, LookAgain)
    assert (update.order_id, update.order_number) == ("", "15")
    assert update.reason.endswith("only the number 15 is known")


def test_the_number_of_a_parcel_is_not_that_of_its_order() -> None:
    update = parsed(PING, {"event": "shipment", "increment_id": "000000061"})
    assert isinstance(update, LookAgain)
    assert update.order_number == ""


def test_a_commerce_webhook_about_anything_else_is_ignored() -> None:
    assert isinstance(parsed(COMMERCE, {"eventName": "plugin.checkout.place_order", "cartId": 3}), Ignored)
