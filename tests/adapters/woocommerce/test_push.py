"""Writing back: in the best place there is, once however often it is tried, and nobody is mailed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.contract import Store
from adapters.http import Answer, Request
from adapters.woocommerce import MANIFEST
from adapters.woocommerce.push import push_invoice_link, push_note, push_shipment, push_status
from connector.domain.errors import Permanent, Retryable
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.status import ShipmentStatus
from tests.adapters.talking import answered
from tests.adapters.woocommerce.documents import answered as resolved
from tests.adapters.woocommerce.documents import document
from tests.adapters.woocommerce.shop import NOW, FakeShop, error, page

ORDER = "/wp-json/wc/v3/orders/41"
FULFILLMENTS, NOTES = f"{ORDER}/fulfillments", f"{ORDER}/notes"
TRACKINGS = "/wp-json/wc-shipment-tracking/v3/orders/41/shipment-trackings"
SHIPPED = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PARCEL = ShipmentPush("intent-1", "41", "00340434161094015902", "Fahrradbote Köln", "https://bote.example/1")
LINES = [{"id": 59, "quantity": 3}, {"id": 60, "quantity": 1}]

Doing = Callable[[Store], str]


class Written(FakeShop):
    """A shop that keeps what is written into order 41."""

    def __init__(self, *fulfillments: dict[str, Any], meta: list[dict[str, Any]] | None = None) -> None:
        super().__init__()
        self.fulfillments = {one["id"]: one for one in fulfillments}
        self.notes: list[dict[str, Any]] = []
        self.trackings: list[dict[str, Any]] = []
        self.order = document("fulfillment_delete__order.updated", line_items=LINES, meta_data=meta or [])
        self.does(f"GET {ORDER}", lambda _: answered(self.order))
        self.does(f"PUT {ORDER}", self._change)
        self.does(f"GET {NOTES}", lambda _: answered(self.notes))
        self.does(f"POST {NOTES}", lambda request: self._add(self.notes, request))

    def with_fulfillments(self) -> "Written":
        self.does(f"GET {FULFILLMENTS}", lambda _: answered(list(self.fulfillments.values())))
        self.does(f"POST {FULFILLMENTS}", self._fulfill)
        for number in self.fulfillments:
            self.does(f"PUT {FULFILLMENTS}/{number}", self._refulfill)
        return self

    def with_trackings(self) -> "Written":
        self.does(f"GET {TRACKINGS}", lambda _: answered(self.trackings))
        self.does(f"POST {TRACKINGS}", lambda request: self._add(self.trackings, request))
        return self

    def writes(self) -> list[str]:
        return [call for call in self.calls() if not call.startswith("GET")]

    def _add(self, kept: list[dict[str, Any]], request: Request) -> Answer:
        kept.append(json.loads(request.body) | {"id": len(kept) + 1})
        return answered(kept[-1], 201)

    def _fulfill(self, request: Request) -> Answer:
        number = max(self.fulfillments, default=0) + 1
        kept = json.loads(request.body) | {"id": number, "date_deleted": None, "date_updated": "2026-11-25T12:00:00Z"}
        self.fulfillments[number] = kept
        return answered(kept, 201)

    def _refulfill(self, request: Request) -> Answer:
        sent = json.loads(request.body)
        if "_items" not in [entry["key"] for entry in sent["meta_data"]]:
            return answered({"code": 0, "message": "The fulfillment should contain at least one item."}, 400)
        self.fulfillments[int(request.url.rpartition("/")[2])] |= sent
        return answered(sent)

    def _change(self, request: Request) -> Answer:
        for entry in json.loads(request.body)["meta_data"]:
            kept = [one for one in self.order["meta_data"] if one.get("id") == entry.get("id") and "id" in entry]
            if kept:
                kept[0] |= entry
            else:
                self.order["meta_data"].append({"id": 900 + len(self.order["meta_data"])} | entry)
        return answered(self.order)


def fulfillment(number: int, *items: tuple[int, int], deleted: bool = False, **meta: Any) -> dict[str, Any]:
    listed = [{"item_id": line, "qty": quantity} for line, quantity in items]
    fields = {"_items": listed, **meta}
    return {
        "id": number,
        "status": "unfulfilled",
        "is_fulfilled": "0",
        "date_updated": "2026-11-21T20:05:50Z",
        "date_deleted": "2026-11-22 08:00:00" if deleted else None,
        "meta_data": [{"id": 1, "key": key, "value": value} for key, value in fields.items()],
    }


def fields_of(sent: dict[str, Any]) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in sent["meta_data"]}


def test_a_parcel_becomes_a_fulfillment_of_all_that_is_still_to_send() -> None:
    shop = Written(fulfillment(2, (59, 1)), fulfillment(3, (60, 1), deleted=True)).with_fulfillments()
    push_shipment(shop.store(fulfillments="yes"), replace(PARCEL, shipped_at=SHIPPED))
    (sent,) = shop.sent(f"POST {FULFILLMENTS}")
    fields = fields_of(sent)
    assert fields["_items"] == [{"item_id": 59, "qty": 2}, {"item_id": 60, "qty": 1}]
    assert (fields["_shipment_provider"], fields["_provider_name"]) == ("other", "Fahrradbote Köln")
    assert fields["_tracking_url"] == "https://bote.example/1"
    assert fields["_date_fulfilled"] == "2026-11-24T09:30:00Z"
    assert (sent["status"], sent["notify_customer"]) == ("fulfilled", False)
    assert shop.writes() == [f"POST {FULFILLMENTS}"]


def test_what_was_written_is_read_as_the_parcel_it_is() -> None:
    shop = Written().with_fulfillments()
    push_shipment(shop.store(fulfillments="yes"), PARCEL)
    told = resolved({"order": document(id=41), "fulfillments": list(shop.fulfillments.values())}, "41")
    (shipment,) = told.shipments  # type: ignore[union-attr]
    assert shipment.tracking[0].number == PARCEL.number
    assert shipment.tracking[0].carrier == "Fahrradbote Köln"


def test_a_parcel_with_known_items_holds_just_these() -> None:
    shop = Written().with_fulfillments()
    items = (("59", Decimal("2.0")), ("60", Decimal("0.5")), ("61", Decimal(0)))
    push_shipment(shop.store(fulfillments="yes"), replace(PARCEL, items=items, carrier="UPS", url=""))
    fields = fields_of(shop.sent(f"POST {FULFILLMENTS}")[0])
    assert fields["_items"] == [{"item_id": 59, "qty": 2}, {"item_id": 60, "qty": 0.5}]
    assert fields["_shipment_provider"] == "ups"
    assert {"_provider_name", "_tracking_url"}.isdisjoint(fields)
    assert shop.asked(f"GET {ORDER}") == []


def test_a_number_for_a_known_fulfillment_keeps_its_other_fields() -> None:
    """A field that is not sent again is deleted (reference, section 5.1)."""
    shop = Written(fulfillment(2, (59, 1), note="fragile")).with_fulfillments()
    push_shipment(shop.store(fulfillments="yes"), replace(PARCEL, shipment_id="fulfillment-2"))
    fields = fields_of(shop.sent(f"PUT {FULFILLMENTS}/2")[0])
    assert (fields["_items"], fields["note"]) == ([{"item_id": 59, "qty": 1}], "fragile")
    assert fields["_tracking_number"] == PARCEL.number
    assert shop.sent(f"PUT {FULFILLMENTS}/2")[0]["notify_customer"] is False


def test_without_anything_left_to_send_the_number_goes_into_the_shared_field() -> None:
    shop = Written(fulfillment(2, (59, 3), (60, 1), _tracking_number="other")).with_fulfillments()
    push_shipment(shop.store(fulfillments="yes"), PARCEL)
    assert shop.sent(f"POST {FULFILLMENTS}") == []
    assert shop.writes() == [f"POST {NOTES}", f"PUT {ORDER}"]


def test_fulfillments_switched_off_since_are_no_dead_end() -> None:
    shop = Written().with_trackings()
    push_shipment(shop.store(fulfillments="yes", trackings="wc-shipment-tracking/v3"), PARCEL)
    assert shop.writes() == [f"POST {TRACKINGS}"]


def test_a_tracking_plugin_is_given_the_number_without_a_status_that_mails() -> None:
    shop = Written().with_trackings()
    push_shipment(shop.store(trackings="wc-shipment-tracking/v3"), PARCEL)
    (sent,) = shop.sent(f"POST {TRACKINGS}")
    assert sent == {
        "tracking_number": PARCEL.number,
        "custom_tracking_provider": "Fahrradbote Köln",
        "custom_tracking_link": "https://bote.example/1",
        "date_shipped": "2026-11-25",
        "status_shipped": 0,
        "replace_tracking": 0,
    }


def test_a_plugin_that_is_gone_since_is_no_dead_end() -> None:
    shop = Written()
    push_shipment(shop.store(trackings="wc-ast/v3"), PARCEL)
    assert shop.writes() == [f"POST {NOTES}", f"PUT {ORDER}"]


def test_a_number_the_plugin_does_not_take_is_no_dead_end() -> None:
    shop = Written().with_trackings()
    shop.answers(f"POST {TRACKINGS}", error("woocommerce_rest_order_invalid_id", 404))
    push_shipment(shop.store(trackings="wc-shipment-tracking/v3"), replace(PARCEL, number="RR 123/4"))
    assert shop.writes() == [f"POST {TRACKINGS}", f"POST {NOTES}", f"PUT {ORDER}"]


def test_without_a_plugin_the_number_joins_the_field_the_plugins_share() -> None:
    other = {"tracking_number": "OTHER", "tracking_id": "a", "mine": [1]}
    meta = [{"id": 7, "key": "_wc_shipment_tracking_items", "value": [other]}, {"id": 8, "key": "x", "value": "y"}]
    shop = Written(meta=meta)
    push_shipment(shop.store(), replace(PARCEL, shipped_at=SHIPPED))
    (sent,) = shop.sent(f"PUT {ORDER}")
    (entry,) = sent["meta_data"]
    assert (entry["id"], entry["value"][0]) == (7, other)
    assert entry["value"][1]["tracking_number"] == PARCEL.number
    assert entry["value"][1]["date_shipped"] == int(SHIPPED.timestamp())
    told = resolved(document(id=41, meta_data=shop.order["meta_data"]), "41")
    assert {shipment.tracking[0].number for shipment in told.shipments} == {"OTHER", PARCEL.number}  # type: ignore[union-attr]
    assert shop.notes[0]["customer_note"] is False
    assert PARCEL.number in shop.notes[0]["note"]


def test_a_field_that_holds_something_else_is_not_destroyed() -> None:
    shop = Written(meta=[{"id": 7, "key": "_wc_shipment_tracking_items", "value": "a text"}])
    push_shipment(shop.store(), PARCEL)
    assert shop.writes() == [f"POST {NOTES}"]


def _lines(shop: Written) -> tuple[int, ...]:
    meta = {entry["key"]: entry["value"] for entry in shop.order["meta_data"]}
    shared = len(meta.get("_wc_shipment_tracking_items", []))
    invoices = sum(key == "_connector_invoice_url" for key in meta)
    return len(shop.fulfillments), len(shop.trackings), shared, len(shop.notes), invoices


STATUS = StatusPush("intent-2", "41", "fulfillment-2", ShipmentStatus.DELIVERED, NOW, "00340434161094015902")
NOTE = NotePush("intent-3", "41", "Invoice INV-7 was mailed")
LINK = LinkPush("intent-4", "41", "INV-7", "https://c.example.test/i/7")
WITH_ALL = {"fulfillments": "yes", "trackings": "wc-shipment-tracking/v3"}


@pytest.mark.parametrize(
    ("features", "do", "expected"),
    [
        (WITH_ALL, lambda store: push_shipment(store, PARCEL), (1, 0, 0, 0, 0)),
        ({"trackings": "wc-shipment-tracking/v3"}, lambda store: push_shipment(store, PARCEL), (0, 1, 0, 0, 0)),
        ({}, lambda store: push_shipment(store, PARCEL), (0, 0, 1, 1, 0)),
        ({}, lambda store: push_status(store, STATUS), (0, 0, 0, 1, 0)),
        ({}, lambda store: push_note(store, NOTE), (0, 0, 0, 1, 0)),
        ({}, lambda store: push_invoice_link(store, LINK), (0, 0, 0, 0, 1)),
    ],
)
def test_a_try_whose_answer_was_lost_is_repeated_without_doubling(
    features: dict[str, str], do: Doing, expected: tuple[int, ...]
) -> None:
    """P2: each write is carried out and its answer lost once; the tries after it find it."""
    shop = Written().with_fulfillments().with_trackings()
    lost = {call: reply for call, reply in shop.replies.items() if not call.startswith("GET")}

    def lose(call: str, carry_out: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def reply(request: Request) -> Answer:
            carry_out(request)
            shop.replies[call] = carry_out
            return page(504)

        return reply

    for call, carry_out in lost.items():
        shop.does(call, lose(call, carry_out))
    for _ in range(5):
        try:
            told = do(shop.store(**features))
            break
        except Retryable:
            continue
    else:
        raise AssertionError("it never succeeds")
    assert _lines(shop) == expected
    assert do(shop.store(**features))
    assert _lines(shop) == expected
    assert 0 < len(told) <= 200


def test_two_notes_with_the_same_words_are_two() -> None:
    shop = Written()
    push_note(shop.store(), NOTE)
    push_note(shop.store(), replace(NOTE, intent_id="intent-9"))
    assert len(shop.notes) == 2


def test_a_note_is_private_text_whatever_is_in_it() -> None:
    shop = Written()
    push_note(shop.store(), replace(NOTE, words="<script>alert(1)</script>\x00\r\nA & B" + "x" * 5000))
    note = shop.notes[0]
    assert note["customer_note"] is False
    assert note["note"].startswith("&lt;script&gt;alert(1)&lt;/script&gt; A &amp; B")
    assert len(note["note"]) < 1200


def test_where_a_parcel_is_becomes_a_note_and_the_orders_status_stays() -> None:
    shop = Written().with_fulfillments()
    push_status(shop.store(**WITH_ALL), STATUS)
    push_status(shop.store(), replace(STATUS, intent_id="b", words="It is there", status=ShipmentStatus.IN_TRANSIT))
    assert shop.writes() == [f"POST {NOTES}"] * 2
    assert shop.notes[0]["note"].startswith("Parcel 00340434161094015902: delivered [Connector ")
    assert shop.notes[1]["note"].startswith("It is there [")


def test_an_invoice_link_that_stands_there_is_left_and_another_replaces_it() -> None:
    shop = Written()
    push_invoice_link(shop.store(), LINK)
    push_invoice_link(shop.store(), LINK)
    assert len(shop.sent(f"PUT {ORDER}")) == 1
    push_invoice_link(shop.store(), replace(LINK, url="https://c.example.test/i/8"))
    urls = [entry["value"] for entry in shop.order["meta_data"] if entry["key"] == "_connector_invoice_url"]
    assert urls == ["https://c.example.test/i/8"]


def test_nothing_that_is_pushed_mails_moves_money_or_changes_a_status() -> None:
    shop = Written().with_fulfillments().with_trackings()
    for features in (WITH_ALL, {"trackings": "wc-shipment-tracking/v3"}, {}):
        push_shipment(shop.store(**features), PARCEL)
    push_status(shop.store(), STATUS)
    push_note(shop.store(), NOTE)
    push_invoice_link(shop.store(), LINK)
    sent = [(request.url, json.loads(request.body)) for request in shop.web.asked if request.body]
    assert all(body.get("notify_customer", False) is False for _, body in sent)
    assert all(body.get("customer_note", False) is False for _, body in sent)
    assert all("status" not in body for url, body in sent if url.endswith("/orders/41"))
    assert not any("refunds" in url or "actions" in url for url, _ in sent)


@pytest.mark.parametrize("code", ["woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_order_invalid_id"])
def test_an_order_that_is_gone_is_nothing_to_try_again(code: str) -> None:
    shop = Written()
    for call in (f"GET {ORDER}", f"GET {NOTES}", f"GET {FULFILLMENTS}"):
        shop.answers(call, error(code, 404))
    store = shop.store(fulfillments="yes")
    with pytest.raises(Permanent, match="does not exist"):
        push_shipment(store, PARCEL)
    with pytest.raises(Permanent, match="does not exist"):
        push_note(store, NOTE)
    with pytest.raises(Permanent, match="does not exist"):
        push_invoice_link(store, LINK)


def test_the_manifest_offers_all_four() -> None:
    assert MANIFEST.api is not None
    pushes = MANIFEST.api.pushes
    assert None not in (pushes.shipment, pushes.status, pushes.note, pushes.invoice_link)
