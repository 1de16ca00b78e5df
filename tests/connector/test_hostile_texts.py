"""Whatever a genuine delivery holds, it ends in a state a person can see, on both databases."""

import json

import pytest

from connector.domain.delivery import LONGEST_ID
from connector.tables.inbox import InboxState
from notifications.outbox import OutboxState
from tests.fake_platform import order_document, refund_document, shipment_document, signed_headers
from tests.flow.road import Road

LONG = "7" * (LONGEST_ID + 1)


@pytest.mark.parametrize(
    "document",
    [
        order_document(id=LONG),
        order_document(shipments=[shipment_document(id=LONG)]),
        order_document(refunds=[refund_document(id=LONG)]),
    ],
    ids=["order", "parcel", "refund"],
)
def test_an_id_longer_than_its_column_goes_to_review_at_once_and_holds_up_nobody(
    road: Road, document: dict[str, object]
) -> None:
    road.post(document, delivery_id="d-0")
    road.tell(order_document(id="1002", number="F-1002"))
    assert road.inbox_counts() == {InboxState.REVIEW.value: 1, InboxState.DONE.value: 1}
    assert road.kinds("1002") == ["order_received"]


def test_ids_as_long_as_their_columns_go_all_the_way(road: Road) -> None:
    longest = "7" * LONGEST_ID
    road.tell(order_document(id=longest))
    parcel = shipment_document(id=longest, numbers=["N" * 300])
    road.tell(order_document(id=longest, updated_at="2026-11-20T09:31:00Z", shipments=[parcel]))
    assert [one.state for one in road.said(longest)] == [OutboxState.SENT, OutboxState.SENT]


@pytest.mark.parametrize("poison", ["\x00", "a\x00b", "\ud800", "\x00" * 2000, "x" * 20_000, "\u202e‮<b>"])
def test_no_text_costs_a_delivery(road: Road, poison: str) -> None:
    line = {"id": "1", "sku": poison, "name": poison, "quantity": 2, "total": "43.00"}
    parcel = shipment_document(status=poison, numbers=[f"N{poison}"], carrier=poison)
    document = order_document(
        number=f"F{poison}", state=poison, payment=poison, locale=poison, lines=[line], shipments=[parcel]
    )
    body = json.dumps(document).encode()
    road.post_raw(body, signed_headers(body))
    road.work()
    assert road.inbox_counts() == {InboxState.DONE.value: 1}
    assert {one.state for one in road.said()} == {OutboxState.SENT}


@pytest.mark.parametrize("email", ["", "nobody", f"{'a' * 400}@example.test", "a b@example.test"])
def test_p11_an_address_nothing_can_be_sent_to_is_declined_and_says_so(road: Road, email: str) -> None:
    road.tell(order_document(email=email))
    assert road.declined()["order_received"] == "no_address"
    assert road.inbox_counts() == {InboxState.DONE.value: 1}
