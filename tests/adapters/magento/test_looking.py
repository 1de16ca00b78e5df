"""Following a hint to the document it points at."""

import json
from typing import Any

import pytest

from adapters.http import Answer, Request
from adapters.magento.looking import look
from connector.domain.delivery import LookAgain, Subject
from connector.domain.errors import NotThereYet, Permanent
from tests.adapters.magento.papers import COMMERCE, credit_memo, encoded, order, parsed, shipment, track
from tests.adapters.magento.shops import Answering, asked, error, route, searched

GONE = error("The entity that was requested doesn't exist. Verify the entity and try again.", 404)
ORDERS = [order(), order(entity_id=8, increment_id="000000008")]
SHIPMENTS = [
    shipment(),
    shipment(entity_id=62, tracks=[track(parent_id=62)]),
    shipment(entity_id=63, updated_at="2026-11-20 17:00:00"),
]
MEMOS = [credit_memo(), credit_memo(entity_id=72, increment_id="000000072")]


def shelf(request: Request) -> Answer:
    kind, _, key = route(request).partition("/")
    rows = {"orders": ORDERS, "shipment": SHIPMENTS, "shipments": SHIPMENTS, "creditmemo": MEMOS, "creditmemos": MEMOS}
    if not key:
        return searched(request, rows[kind])
    found = [row for row in rows.get(kind, []) if str(row["entity_id"]) == key]
    return Answer(200, {}, encoded(found[0])) if found else GONE


def looked(hint: LookAgain, answer: Answering = shelf) -> tuple[dict[str, Any], list[str]]:
    shop, requests = asked(answer)
    return json.loads(look(shop, hint)), [route(request) for request in requests]


def test_each_kind_of_object_is_asked_for_at_its_own_route() -> None:
    assert looked(LookAgain(Subject.ORDER, "7", "7", ""))[1] == ["orders/7"]
    assert looked(LookAgain(Subject.ORDER, "", "7", ""))[1] == ["orders/7"]
    assert looked(LookAgain(Subject.SHIPMENT, "61", "7", ""))[1] == ["shipment/61"]
    assert looked(LookAgain(Subject.CREDIT_NOTE, "71", "", ""))[1] == ["creditmemo/71"]
    answer, routes = looked(LookAgain(Subject.INVOICE, "41", "", ""), lambda _: Answer(200, {}, b'{"entity_id":41}'))
    assert (answer["entity_id"], routes) == (41, ["invoices/41"])


def test_an_order_not_saved_yet_is_asked_for_by_its_number() -> None:
    hint = parsed(COMMERCE, {"eventName": "sales_order_place_before", "data": {"order": {"increment_id": "000000008"}}})
    assert isinstance(hint, LookAgain)
    answer, _ = looked(hint)
    assert [one["entity_id"] for one in answer["items"]] == [8]


def test_a_track_without_its_parcel_leads_to_the_parcel_that_changed_last() -> None:
    answer, routes = looked(LookAgain(Subject.SHIPMENT, "", "7", "a track was saved"))
    assert answer["entity_id"] == 62
    assert routes == ["shipments", "shipment/62"]


def test_a_refund_without_its_id_is_the_last_one_of_the_order() -> None:
    answer, _ = looked(LookAgain(Subject.CREDIT_NOTE, "", "7", ""))
    assert [one["entity_id"] for one in answer["items"]] == [72]


@pytest.mark.parametrize(
    "hint",
    [
        LookAgain(Subject.ORDER, "9000", "9000", ""),
        LookAgain(Subject.ORDER, "", "", "", "15"),
        LookAgain(Subject.SHIPMENT, "", "9000", ""),
    ],
)
def test_what_is_not_there_may_not_be_committed_yet(hint: LookAgain) -> None:
    shop, _ = asked(shelf)
    with pytest.raises(NotThereYet) as caught:
        look(shop, hint)
    assert caught.value.after is not None
    assert json.loads(caught.value.answer)


@pytest.mark.parametrize("key", ["../customers/1", "7?fields=x", "٧", "7/comments"])
def test_an_id_that_is_no_number_is_not_asked_for(key: str) -> None:
    shop, requests = asked(shelf)
    with pytest.raises(Permanent):
        look(shop, LookAgain(Subject.ORDER, key, "", ""))
    assert requests == []


def test_a_hint_at_nothing_is_refused() -> None:
    shop, _ = asked(shelf)
    with pytest.raises(Permanent, match="does not say which shipment"):
        look(shop, LookAgain(Subject.SHIPMENT, "", "", "ping"))
