"""Writing back: once, even when an answer was lost, and without a mail or a word to the customer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.contract import Store
from adapters.http import Answer, Request, Unanswered
from adapters.magento.push import carrier_code, mark, push_invoice_link, push_note, push_shipment, push_status
from connector.domain.errors import Permanent
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.status import ShipmentStatus
from tests.adapters.magento.papers import row, shipment, track
from tests.adapters.magento.shops import asked, error, not_allowed, route, searched, sent
from tests.adapters.talking import answered

NUMBER = "1Z999AA10123456784"


class Desk:
    """A shop one can write to; `cut` loses so many answers after the thing was done."""

    def __init__(self, cut: int = 0) -> None:
        self.shipments: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.cut = cut

    def __call__(self, request: Request) -> Answer:
        answer = self._done(request)
        if request.method == "POST" and self.cut:
            self.cut -= 1
            raise Unanswered("cut")
        return answer

    def _done(self, request: Request) -> Answer:
        asked_for = (request.method, route(request))
        if asked_for == ("GET", "shipments"):
            return searched(request, self.shipments)
        if asked_for == ("GET", "orders/7"):
            return answered(
                {
                    "items": [
                        row(11, product_type="configurable", price=1, tax_amount=0),
                        row(12, product_type="simple", parent_item_id=11, price=1, tax_amount=0),
                        row(13, product_type="simple", price=1, tax_amount=0),
                    ]
                }
            )
        if asked_for == ("GET", "orders/7/comments"):
            return answered({"items": self.comments, "search_criteria": [], "total_count": len(self.comments)})
        if asked_for == ("POST", "orders/7/comments"):
            self.comments.append(sent(request)["statusHistory"])
            return answered(True)
        if asked_for == ("POST", "shipment/track"):
            wanted = sent(request)["entity"]
            next(one for one in self.shipments if one["entity_id"] == wanted["parent_id"])["tracks"].append(wanted)
            return answered({**wanted, "entity_id": 31})
        assert asked_for == ("POST", "order/7/ship"), asked_for
        self.shipments.append(shipment(entity_id=61 + len(self.shipments), tracks=sent(request)["tracks"]))
        return answered(str(self.shipments[-1]["entity_id"]))


def parcel(**changes: Any) -> ShipmentPush:
    sample: dict[str, Any] = {"intent_id": "intent-1", "order_id": "7", "number": NUMBER, "carrier": "UPS Standard"}
    return ShipmentPush(**(sample | changes))


def writes(requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.method != "GET"]


def test_a_parcel_is_made_without_a_mail_of_magentos() -> None:
    shop, requests = asked(desk := Desk())
    assert push_shipment(shop, parcel()) == "parcel 61 was made"
    assert sent(writes(requests)[0]) == {
        "items": [],
        "notify": False,
        "appendComment": False,
        "tracks": [{"track_number": NUMBER, "title": "UPS Standard", "carrier_code": "ups"}],
    }
    assert len(desk.shipments) == 1


def test_a_parcel_whose_answer_was_lost_is_not_made_twice() -> None:
    shop, _ = asked(desk := Desk(cut=1))
    with pytest.raises(Unanswered):
        push_shipment(shop, parcel())
    assert "already" in push_shipment(shop, parcel())
    assert len(desk.shipments) == 1


def test_a_number_that_is_there_is_recognised_with_other_blanks_and_dashes() -> None:
    desk = Desk()
    desk.shipments = [shipment(tracks=[track(track_number="1z 999-AA1 0123456784")])]
    shop, requests = asked(desk)
    assert push_shipment(shop, parcel()) == "parcel 61 has this number already"
    assert writes(requests) == []


def test_numbers_of_other_letters_are_not_taken_for_the_same() -> None:
    desk = Desk()
    desk.shipments = [shipment(tracks=[track(track_number="ΑΒΓ")])]
    shop, _ = asked(desk)
    assert push_shipment(shop, parcel(number="ΔΕΖ")) == "parcel 62 was made"


def test_a_number_for_a_known_parcel_becomes_its_track() -> None:
    desk = Desk(cut=1)
    desk.shipments = [shipment()]
    shop, requests = asked(desk)
    with pytest.raises(Unanswered):
        push_shipment(shop, parcel(shipment_id="61"))
    assert "already" in push_shipment(shop, parcel(shipment_id="61"))
    entity = sent(writes(requests)[0])["entity"]
    assert entity == {
        "order_id": 7,
        "parent_id": 61,
        "weight": 0,
        "qty": 1,
        "description": "",
        "track_number": NUMBER,
        "title": "UPS Standard",
        "carrier_code": "ups",
    }
    assert len(desk.shipments[0]["tracks"]) == 1


def test_a_number_for_a_parcel_that_is_gone_is_not_added() -> None:
    shop, requests = asked(Desk())
    with pytest.raises(Permanent, match="no parcel 61"):
        push_shipment(shop, parcel(shipment_id="61"))
    assert writes(requests) == []


def test_a_configurable_product_is_shipped_by_its_parent_row() -> None:
    shop, requests = asked(Desk())
    push_shipment(shop, parcel(items=(("12", Decimal(1)), ("13", Decimal("0.5")))))
    assert sent(writes(requests)[0])["items"] == [
        {"order_item_id": 11, "qty": 1},
        {"order_item_id": 13, "qty": 0.5},
    ]


def test_a_line_the_order_does_not_have_makes_no_parcel() -> None:
    shop, requests = asked(Desk())
    with pytest.raises(Permanent, match="no line 99"):
        push_shipment(shop, parcel(items=(("99", Decimal(1)),)))
    assert writes(requests) == []


CARRIERS = [
    ("UPS", "ups"),
    ("usps", "usps"),
    ("FedEx Ground", "fedex"),
    ("DHL Paket", "dhl"),
    ("Correos", "custom"),
    ("Upside Parcels", "custom"),
    ("", "custom"),
]


@pytest.mark.parametrize(("carrier", "code"), CARRIERS)
def test_only_magentos_own_carriers_have_a_code(carrier: str, code: str) -> None:
    assert carrier_code(carrier) == code


def comments() -> list[Any]:
    moment = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
    return [
        (push_note, NotePush("intent-2", "7", "Two\nlines")),
        (
            push_status,
            StatusPush("intent-3", "7", "61", ShipmentStatus.OUT_FOR_DELIVERY, moment, NUMBER),
        ),
        (push_invoice_link, LinkPush("intent-4", "7", "INV-12", "https://connector.example.com/i/abc")),
    ]


@pytest.mark.parametrize(("write", "push"), comments())
def test_a_comment_is_for_the_merchant_alone_and_written_once(write: Any, push: Any) -> None:
    shop, requests = asked(desk := Desk(cut=1))
    with pytest.raises(Unanswered):
        write(shop, push)
    assert write(shop, push) == "the comment is there already"
    assert len(desk.comments) == 1
    written = desk.comments[0]
    assert (written["is_customer_notified"], written["is_visible_on_front"], written["parent_id"]) == (0, 0, 7)
    assert "status" not in written
    assert written["comment"].endswith(mark(push.intent_id))
    assert "\n" not in written["comment"]
    assert len(writes(requests)) == 1


def test_a_status_says_where_the_parcel_is() -> None:
    shop, _ = asked(desk := Desk())
    push_status(shop, comments()[1][1])
    assert desk.comments[0]["comment"].startswith(f"Parcel {NUMBER}: out for delivery (2026-11-21 09:05 UTC)")


def test_two_intents_with_the_same_words_are_two_comments() -> None:
    shop, _ = asked(desk := Desk())
    push_note(shop, NotePush("one", "7", "the same"))
    push_note(shop, NotePush("two", "7", "the same"))
    assert len(desk.comments) == 2


def test_an_order_is_never_written_itself() -> None:
    """Saving half an order leaves it without its total and its customer (magento reference, section 4)."""
    shop, requests = asked(Desk())
    push_shipment(shop, parcel(items=(("13", Decimal(1)),)))
    for write, push in comments():
        write(shop, push)
    assert {route(request) for request in writes(requests)} == {"order/7/ship", "orders/7/comments"}


def refused(answer: Answer) -> Store:
    def say(request: Request) -> Answer:
        return answer if request.method == "POST" else answered({"items": [], "total_count": 0})

    return asked(say)[0]


def test_a_refusal_says_why_and_what_to_click() -> None:
    with pytest.raises(Permanent, match="Actions > Ship"):
        push_shipment(refused(not_allowed("Magento_Sales::ship")), parcel())
    with pytest.raises(Permanent, match="does not allow a shipment"):
        push_shipment(refused(error("The order does not allow a shipment to be created.", 400)), parcel())
    with pytest.raises(Permanent, match="Actions > Comment"):
        push_note(refused(not_allowed("Magento_Sales::comment")), NotePush("i", "7", "words"))
    with pytest.raises(Permanent, match="did not take"):
        push_note(refused(answered(False)), NotePush("i", "7", "words"))
    with pytest.raises(Permanent, match="without its id"):
        push_shipment(refused(answered({})), parcel())


@pytest.mark.parametrize("key", ["", "7/comments", "x", "²"])
def test_ids_that_are_no_numbers_are_not_written_to(key: str) -> None:
    shop, requests = asked(Desk())
    for write, push in [(push_shipment, parcel(order_id=key)), (push_note, NotePush("i", key, "w"))]:
        with pytest.raises(Permanent):
            write(shop, push)  # type: ignore[operator]
    assert requests == []
