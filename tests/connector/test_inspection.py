"""What we understood of a delivery, in one shape for every kind of update, and why when we did not."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import Ignored, LookAgain, RefundUpdate, ShipmentUpdate, Subject
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import TrackingNumber
from connector.inspection import describe, described_error, inspect, moment, quantity, read_stored_delivery, text
from tests import builders
from tests.fake_platform import MANIFEST, encoded, order_document

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SHOP = builders.shop(platform="fake")
FIELDS = [
    "kind", "id", "number", "status", "currency", "total", "tax_total", "shipping_total", "discount_total",
    "refunded_total", "email", "locale", "placed_at", "lines", "shipments", "reason",
]  # fmt: skip


def stored(content: bytes) -> tuple[dict[str, str], bytes, str]:
    delivery = read_stored_delivery("fake", content, received_at=NOW)
    return dict(delivery.headers), delivery.body, delivery.path_event


@pytest.mark.parametrize("mark", [b"\n", b"\r\n"])
def test_headers_and_the_exact_body_are_read_with_either_line_ending(mark: bytes) -> None:
    body = b'{"a": 1}\r\n\r\nmore\n\n\x00\xff '
    content = mark.join([b"X-Topic: order: made", b"  other :  x ", b"", body])
    assert stored(content) == ({"x-topic": "order: made", "other": "x"}, body, "")


def test_a_request_line_is_allowed_and_its_event_is_kept() -> None:
    content = b"POST /webhooks/fake/key/order-placed HTTP/1.1\nHost: x:8080\n\n{}"
    assert stored(content) == ({"host": "x:8080"}, b"{}", "order-placed")
    assert stored(b"POST / HTTP/1.1\n\n{}") == ({}, b"{}", "")


def test_an_empty_body_and_no_headers_are_a_delivery_too() -> None:
    assert stored(b"A: b\n\n") == ({"a": "b"}, b"", "")
    assert stored(b"\n\nbody") == ({}, b"body", "")


def test_a_file_without_an_empty_line_is_refused() -> None:
    with pytest.raises(UnreadableDelivery, match="no empty line between headers and body"):
        stored(b"a: b\n{}")


@given(st.binary())
def test_any_file_is_a_delivery_or_refused(content: bytes) -> None:
    with suppress(UnreadableDelivery):
        stored(content)


def test_every_kind_of_update_has_the_same_fields() -> None:
    updates = (
        builders.order_snapshot(),
        ShipmentUpdate("5001", builders.shipment()),
        RefundUpdate("5001", builders.refund()),
        LookAgain(Subject.ORDER, "5001", "5001", "it was edited"),
        Ignored("a draft"),
    )
    described = [describe(update) for update in updates]
    assert [one["kind"] for one in described] == ["order", "shipment", "refund", "look_again", "ignored"]
    assert [list(one) for one in described] == [FIELDS] * 5
    assert list(described_error(ValueError("no"))) == FIELDS


def test_an_order_is_described_with_its_amounts_as_they_were_written() -> None:
    refunds = (builders.refund(amount=Decimal("2.50")), builders.refund(refund_id="2", amount=Decimal("1.00")))
    order = describe(builders.order_snapshot(refunds=refunds, shipments=(builders.shipment(),), warnings=("a", "b")))
    assert (order["total"], order["refunded_total"], order["placed_at"]) == ("148.80", "3.50", "2026-11-20T09:30:00Z")
    assert order["lines"][0] == {
        "sku": "LIN-M-SAND",
        "name": "Linen shirt Marina",
        "quantity": 2,
        "total": "88.00",
    }
    assert order["shipments"] == [{"id": "parcel-1", "carrier": "ELTA", "tracking_numbers": ["RR123456785GR"]}]
    assert (order["email"], order["reason"]) == ("eleni@example.com", "a; b")


def test_what_is_not_there_is_null() -> None:
    order = describe(builders.minimal_snapshot())
    assert (order["email"], order["locale"], order["reason"], order["shipments"]) == (None, None, None, [])
    parcel = describe(ShipmentUpdate("1", builders.shipment(tracking=(TrackingNumber("N1"),))))
    assert parcel["shipments"] == [{"id": "parcel-1", "carrier": None, "tracking_numbers": ["N1"]}]


def test_values_are_written_plainly() -> None:
    assert [text(Decimal(value)) for value in ("1E+3", "15.880", "0E-8")] == ["1000", "15.880", "0.00000000"]
    assert [quantity(Decimal(value)) for value in ("3.0000", "1.5")] == [3, "1.5"]
    assert moment(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-11-20T09:30:00Z"


def test_what_cannot_be_understood_comes_back_as_an_error_with_its_place() -> None:
    delivery = read_stored_delivery("fake", b"a: b\n\n" + encoded(order_document(total="many")), received_at=NOW)
    said = inspect(MANIFEST, delivery, SHOP)
    assert said["kind"] == "error"
    assert said["reason"].startswith("total: ")


def test_an_answer_is_read_as_that_of_the_hint_or_of_the_order() -> None:
    hint = read_stored_delivery("fake", b"a: b\n\n" + encoded({"type": "hint", "order_id": "1001"}), received_at=NOW)
    order = read_stored_delivery("fake", b"a: b\n\n" + encoded(order_document()), received_at=NOW)
    answer = encoded(order_document(number="F-9"))
    assert inspect(MANIFEST, hint, SHOP)["kind"] == "look_again"
    assert inspect(MANIFEST, hint, SHOP, answer)["number"] == "F-9"
    assert inspect(MANIFEST, order, SHOP, answer)["number"] == "F-9"
    assert inspect(MANIFEST, hint, SHOP, b"no json")["kind"] == "error"
