import json
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from adapters.magento.twin import MagentoTwin
from adapters.magento.twin_errors import Refused
from adapters.twins import Twin
from connector.domain.clock import FixedClock
from tests.adapters.magento.twin_caller import HOST, Caller, criteria, ids


def stamp(clock: FixedClock) -> str:
    return clock.moment.strftime("%Y-%m-%d %H:%M:%S")


def later(clock: FixedClock, seconds: float = 60) -> str:
    clock.moment += timedelta(seconds=seconds)
    return stamp(clock)


def track(**changes: object) -> dict[str, Any]:
    entity = {"order_id": 1, "parent_id": 1, "track_number": "X1", "title": "Courier", "carrier_code": "custom"}
    return {"entity": entity | {"weight": 0, "qty": 1, "description": ""} | changes}


def note(words: str, **changes: object) -> dict[str, Any]:
    return {"statusHistory": {"comment": words, "is_customer_notified": 0, "is_visible_on_front": 0} | changes}


def test_it_is_a_twin(twin: MagentoTwin) -> None:
    made: Twin = twin
    assert made.routes == {HOST: twin.server.address}


# Documents


def test_a_configurable_product_is_a_parent_with_amounts_and_a_child_without(twin: MagentoTwin, caller: Caller) -> None:
    parent, child, _ = caller.get(f"orders/{twin.place_order(kind='configurable')}")["items"]
    assert (parent["row_total"], parent["product_type"]) == (98, "configurable")
    assert (child["row_total"], child["base_price"], child["price"]) == (0, 0, 49)
    assert child["parent_item_id"] == parent["item_id"]
    assert child["parent_item"] == parent


def test_the_children_of_a_dynamic_bundle_carry_what_its_own_row_repeats(twin: MagentoTwin, caller: Caller) -> None:
    order = caller.get(f"orders/{twin.place_order(kind='bundle')}")
    bundle, *children = order["items"]
    assert bundle["row_total"] == sum(child["row_total"] for child in children) == order["subtotal"]


def test_a_virtual_order_is_shipped_nowhere(twin: MagentoTwin, caller: Caller) -> None:
    order = caller.get(f"orders/{twin.place_order(kind='virtual')}")
    assert (order["is_virtual"], order["shipping_amount"]) == (1, 0)
    assert "shipping_assignments" not in order["extension_attributes"]
    assert "shipping_description" not in order


def test_the_orders_discount_is_negative_and_a_rows_is_not(twin: MagentoTwin, caller: Caller) -> None:
    order = caller.get(f"orders/{twin.place_order(kind='discounted')}")
    assert order["discount_amount"] == pytest.approx(-sum(item["discount_amount"] for item in order["items"]))
    assert order["discount_amount"] < 0
    assert order["coupon_code"] == "HARBOUR10"


@pytest.mark.parametrize("kind", ["simple", "configurable", "virtual", "bundle", "discounted", "free", "mixed"])
@pytest.mark.parametrize("store_id", [1, 3, 4])
def test_an_orders_sums_agree_in_both_currencies(twin: MagentoTwin, caller: Caller, kind: str, store_id: int) -> None:
    order = caller.get(f"orders/{twin.place_order(kind=kind, store_id=store_id)}")
    for base in ("", "base_"):
        parts = ("subtotal", "discount_amount", "tax_amount", "shipping_amount")
        assert order[f"{base}grand_total"] == pytest.approx(sum(order[f"{base}{part}"] for part in parts))


def test_a_store_view_has_its_language_and_its_currency(twin: MagentoTwin, caller: Caller) -> None:
    order = caller.get(f"orders/{twin.place_order(store_id=4)}")
    assert order["store_name"] == "Main Website\nMain Website Store\nUS Dollar"
    assert (order["order_currency_code"], order["base_currency_code"]) == ("USD", "EUR")
    assert order["grand_total"] > order["base_grand_total"]
    configs = {one["id"]: one for one in caller.get("store/storeConfigs")}
    assert [configs[number]["locale"] for number in (1, 2, 3, 4)] == ["de_DE", "en_GB", "el_GR", "en_US"]
    assert configs[1]["secure_base_url"] == f"https://{HOST}/"


def test_numbers_are_unique_only_within_a_store_view_where_the_shop_dropped_the_prefix(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, plain_numbers=True) as twin:
        orders = [twin.place_order(store_id=store_id) for store_id in (1, 2)]
        assert {twin.truth()[order].number for order in orders} == {"000000001"}


def test_a_fields_value_is_absent_and_not_null(twin: MagentoTwin, caller: Caller) -> None:
    order = twin.place_order()
    twin.set_status(order, None)
    assert "status" not in caller.get(f"orders/{order}")
    assert "email_sent" not in caller.get(f"orders/{order}")


def test_the_bytes_are_phps(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(buyer=None, email="o/neill@example.com")
    text = caller.ask("GET", "/rest/V1/orders/1").text
    assert r"o\/neill@example.com" in text
    assert text.isascii()


def test_an_edited_order_is_canceled_and_succeeded_by_one_with_a_suffix(twin: MagentoTwin, caller: Caller) -> None:
    old = twin.place_order()
    new = twin.edit(old)
    before, after = caller.get(f"orders/{old}"), caller.get(f"orders/{new}")
    assert (before["state"], before["relation_child_id"]) == ("canceled", new)
    assert before["total_due"] == before["grand_total"]
    assert (after["increment_id"], after["original_increment_id"]) == ("000000001-1", "000000001")
    assert after["relation_parent_real_id"] == "000000001"
    assert caller.get(f"orders/{twin.edit(new)}")["increment_id"] == "000000001-2"


# States


@pytest.mark.parametrize(
    ("acts", "wanted"),
    [
        ("", "pending"),
        ("pay", "processing"),
        ("ship", "processing"),
        ("pay ship", "complete"),
        ("ship pay", "complete"),
        ("cancel", "canceled"),
        ("pay ship refund", "closed"),
        ("pay refund", "closed"),
    ],
)
def test_the_state_follows_from_what_was_billed_sent_and_given_back(twin: MagentoTwin, acts: str, wanted: str) -> None:
    order = twin.place_order()
    for act in acts.split():
        more = (twin.truth()[order].total,) if act == "refund" else ()
        getattr(twin, act)(order, *more)
    assert twin.truth()[order].status_word == wanted


def test_a_paid_virtual_order_is_complete(twin: MagentoTwin) -> None:
    order = twin.place_order(kind="virtual", paid=True)
    assert twin.truth()[order].status_word == "complete"


def test_part_of_the_money_goes_back_as_an_adjustment(twin: MagentoTwin, caller: Caller) -> None:
    order = twin.place_order(paid=True)
    twin.refund(order, Decimal("5.50"))
    truth = twin.truth()[order]
    assert (truth.status_word, truth.refunded) == ("processing", Decimal("5.50"))
    memo = caller.get("creditmemo/1")
    assert (memo["grand_total"], memo["adjustment_positive"], memo["items"]) == (5.5, 5.5, [])
    assert caller.get(f"orders/{order}")["total_refunded"] == 5.5


def test_more_than_was_paid_does_not_go_back(twin: MagentoTwin) -> None:
    with pytest.raises(Refused):
        twin.refund(twin.place_order(), Decimal(1))


def test_a_shipped_and_paid_order_is_not_canceled(twin: MagentoTwin) -> None:
    order = twin.place_order(paid=True)
    with pytest.raises(Refused):
        twin.cancel(order)


# Writing


def test_shipping_over_the_api_makes_a_parcel_and_answers_its_id_as_text(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(paid=True)
    tracks = [{"track_number": "1Z9", "title": "UPS", "carrier_code": "ups"}]
    said = caller.post("order/1/ship", {"items": [], "notify": False, "tracks": tracks})
    assert said.text == '"1"'
    assert [one["track_number"] for one in caller.get("shipment/1")["tracks"]] == ["1Z9"]
    assert twin.truth()["1"].status_word == "complete"
    assert twin.mails == []


def test_shipping_again_ships_what_is_left_and_then_nothing_more(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    mug = caller.get("orders/1")["items"][1]
    part = {"items": [{"order_item_id": mug["item_id"], "qty": 1}]}
    assert caller.post("order/1/ship", part).json == "1"
    assert caller.post("order/1/ship").json == "2"
    assert [item["qty"] for item in caller.get("shipment/2")["items"]] == [1, 1]
    said = caller.post("order/1/ship")
    message = (
        "Shipment Document Validation Error(s):\nThe order does not allow a shipment to be created."
        "\nYou can't create a shipment without products."
    )
    assert (said.status, said.json) == (400, {"message": message})


def test_a_child_of_a_configurable_product_is_not_shipped_by_itself(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(kind="configurable")
    child = caller.get("orders/1")["items"][1]
    said = caller.post("order/1/ship", {"items": [{"order_item_id": child["item_id"], "qty": 1}]})
    assert "You can't create a shipment without products." in said.json["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"tracks": [{"title": "UPS", "carrier_code": "ups"}]}, "Please enter a tracking number."),
        ({"tracks": {"track_number": "1Z9", "title": "UPS"}}, "Please enter a tracking number."),
    ],
)
def test_a_track_needs_a_number(twin: MagentoTwin, caller: Caller, body: object, words: str) -> None:
    twin.place_order()
    assert words in caller.post("order/1/ship", body).json["message"]


def test_a_virtual_order_cannot_be_shipped(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(kind="virtual")
    said = caller.post("order/1/ship")
    assert "A shipment cannot be created when an order has a status of pending" in said.json["message"]


def test_a_shipments_comment_is_kept_even_when_nobody_is_mailed(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    caller.post("order/1/ship", {"comment": {"comment": "mark-1", "is_visible_on_front": 0}})
    assert [one["comment"] for one in caller.get("shipment/1")["comments"]] == ["mark-1"]


def test_a_track_added_later_moves_nobodys_updated_at(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    twin.place_order()
    twin.ship("1")
    before = caller.get("shipment/1")["updated_at"]
    later(clock)
    said = caller.post("shipment/track", track())
    assert (said.status, said.json["track_number"], said.json["created_at"]) == (200, "X1", stamp(clock))
    assert caller.get("shipment/1")["updated_at"] == caller.get("orders/1")["updated_at"] == before
    assert ids(caller.get(f"shipments?{criteria(('updated_at', 'gt', before))}")) == []


def test_the_same_track_twice_is_two_tracks(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.ship("1")
    for _ in range(2):
        caller.post("shipment/track", track())
    numbers = [one["entity_id"] for one in caller.get("shipment/1")["tracks"]]
    assert len(numbers) == 2
    assert caller.ask("DELETE", f"/rest/V1/shipment/track/{numbers[0]}").text == "true"
    assert [one["entity_id"] for one in caller.get("shipment/1")["tracks"]] == numbers[1:]
    assert caller.ask("DELETE", "/rest/V1/shipment/track/999").text == "true"


@pytest.mark.parametrize("changes", [{"order_id": 2}, {"parent_id": 9}, {"track_number": ""}])
def test_a_track_that_does_not_fit_is_refused_without_a_reason(
    twin: MagentoTwin, caller: Caller, changes: dict[str, object]
) -> None:
    twin.place_order()
    twin.ship("1")
    said = caller.post("shipment/track", track(**changes))
    assert (said.status, said.json) == (400, {"message": "Could not save the shipment tracking."})


def test_a_track_needs_all_its_fields(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.ship("1")
    entity = track()["entity"]
    entity.pop("weight")
    assert caller.post("shipment/track", {"entity": entity}).status == 400


def test_a_comment_saves_the_order_too(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    twin.place_order()
    moment = later(clock)
    assert caller.post("orders/1/comments", note("Mail sent")).text == "true"
    assert caller.get("orders/1")["updated_at"] == moment
    assert caller.get("orders/1")["status_histories"][0]["comment"] == "Mail sent"
    assert [one.comment for one in twin.notes("1")] == ["Mail sent"]
    assert caller.get("orders/1/comments")["total_count"] == 1
    assert twin.mails == []


def test_a_comment_may_only_set_a_status_of_the_orders_state(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, statuses={"new": ("awaiting_stock",)}) as twin:
        caller = Caller(twin, clock)
        twin.place_order()
        said = caller.post("orders/1/comments", note("Done", status="complete"))
        message = 'Unable to add comment: The status "%1" is not part of the order status history.'
        assert (said.status, said.json) == (400, {"message": message, "parameters": ["complete"]})
        assert caller.post("orders/1/comments", note("Wait", status="awaiting_stock")).status == 200
        assert twin.truth()["1"].status_word == "awaiting_stock"


def test_only_who_asks_for_it_makes_magento_mail(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    caller.post("orders/1/comments", note("Hello", is_customer_notified=1))
    caller.post("order/1/ship", {"notify": True})
    caller.post("order/1/invoice", {"notify": True, "capture": True})
    caller.post("shipment/1/emails")
    caller.post("orders/1/emails")
    assert [mail.kind for mail in twin.mails] == ["order_comment", "shipment", "invoice", "shipment", "order"]


def test_mails_that_are_switched_off_are_answered_false(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.send_mails(on=False)
    assert caller.post("orders/1/emails").text == "false"
    assert twin.mails == []


def test_an_order_that_is_billed_is_not_billed_again(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(paid=True)
    said = caller.post("order/1/invoice", {"capture": False})
    assert said.status == 400
    assert said.json["message"].endswith("An invoice cannot be created when an order has a status of processing.")


def test_invoices_in_parts_add_up_to_the_order(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order(kind="discounted")
    item = caller.get("orders/1")["items"][0]["item_id"]
    caller.post("order/1/invoice", {"items": [{"order_item_id": item, "qty": 1}]})
    assert caller.get("orders/1")["state"] == "processing"
    caller.post("order/1/invoice")
    order = caller.get("orders/1")
    assert order["total_paid"] == order["grand_total"]
    assert order["total_due"] == 0
    sums = [one["grand_total"] for one in caller.get(f"invoices?{criteria(('order_id', 'eq', '1'))}")["items"]]
    assert sum(sums) == pytest.approx(order["grand_total"])


def test_parameters_that_are_missing_are_named(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    assert caller.post("orders/1/comments", {"comment": "x"}).json["parameters"] == {"fieldName": "statusHistory"}
    assert caller.post("shipment/track", {}).json["parameters"] == {"fieldName": "entity"}


def test_a_body_that_is_no_json_is_refused(twin: MagentoTwin, caller: Caller) -> None:
    path = "/rest/V1/orders/1/comments"
    headers = caller.signed("POST", path) | {"Host": HOST, "Content-Type": "application/json"}
    answer = requests.post(twin.server.address + path, data=b"{", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"message": "Decoding error."})


# Time


def test_a_row_is_seen_when_its_transaction_commits(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    twin.commit_lag = timedelta(seconds=45)
    slow, written = twin.place_order(), stamp(clock)
    twin.commit_lag = timedelta(0)
    later(clock, 10)
    twin.place_order()
    assert ids(caller.get("orders?searchCriteria=")) == [2]
    assert caller.ask("GET", f"/rest/V1/orders/{slow}").status == 404
    later(clock, 35)
    assert ids(caller.get(f"orders?{criteria(sort=('updated_at', 'entity_id'))}")) == [1, 2]
    assert caller.get(f"orders/{slow}")["updated_at"] == written


def test_an_order_under_change_is_read_as_it_was(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    twin.place_order()
    twin.commit_lag = timedelta(seconds=5)
    twin.pay("1")
    twin.ship("1", "JD1", "DHL")
    assert caller.get("orders/1")["state"] == "new"
    later(clock, 5)
    assert caller.get("orders/1")["state"] == "complete"


def test_a_mass_update_saves_many_orders_in_one_second(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    orders = [twin.place_order() for _ in range(5)]
    moment = later(clock)
    twin.touch(orders)
    assert caller.get(f"orders?{criteria(('updated_at', 'eq', moment), size=2)}")["total_count"] == 5


# Trouble


def test_too_many_requests_are_refused_and_nothing_is_done(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.faults.throttle, twin.retry_after = 1, 7
    headers = caller.signed("GET", "/rest/V1/orders/1")
    said = caller.ask("GET", "/rest/V1/orders/1", headers=headers)
    assert (said.status, said.json, said.headers["retry-after"]) == (429, {"message": "Too Many Requests"}, "7")
    assert caller.ask("GET", "/rest/V1/orders/1", headers=headers).status == 200


def test_an_error_of_its_own_does_nothing(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.faults.fail = 1
    assert caller.post("order/1/ship").status == 500
    assert twin.shipments("1") == ()


def test_maintenance_is_a_page(twin: MagentoTwin, caller: Caller) -> None:
    twin.maintenance = True
    said = caller.ask("GET", "/rest/V1/orders/1")
    assert said.status == 503
    assert said.text.startswith("<!doctype html>")


def test_a_write_may_be_carried_out_and_never_answered(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    twin.faults.cut = 1
    with pytest.raises(requests.ConnectionError):
        caller.post("order/1/ship")
    assert len(twin.shipments("1")) == 1
    assert caller.get("shipments?searchCriteria=")["total_count"] == 1


def test_another_host_is_not_this_shop(twin: MagentoTwin, caller: Caller) -> None:
    answer = requests.get(twin.server.address + "/rest/V1/orders/1", timeout=5)
    assert answer.status_code == 404


def test_a_shop_may_live_below_a_path(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, path="/shop") as twin:
        caller = Caller(twin, clock)
        twin.place_order()
        headers = caller.signed("GET", "/rest/V1/orders/1")
        assert caller.ask("GET", "/shop/rest/V1/orders/1", headers=headers).status == 200
        assert caller.ask("GET", "/rest/V1/orders/1").status == 404


# History


def test_a_long_history_is_made_and_paged_fast(twin: MagentoTwin, caller: Caller, clock: FixedClock) -> None:
    began = time.perf_counter()
    twin.grow(1_000, since=clock.moment - timedelta(days=90))
    grown = time.perf_counter() - began
    began = time.perf_counter()
    answer = caller.get(f"orders?{criteria(size=100, page=5, sort=('updated_at', 'entity_id'))}")
    paged = time.perf_counter() - began
    assert (len(answer["items"]), answer["total_count"]) == (100, 1_000)
    assert grown < 5
    assert paged < 2
    assert len(twin.truth()) == 1_000
    assert twin.mails == []


def test_history_holds_orders_of_every_state(twin: MagentoTwin, clock: FixedClock) -> None:
    twin.grow(200, since=clock.moment - timedelta(days=30))
    truth = twin.truth().values()
    assert {one.status_word for one in truth} == {"pending", "processing", "complete", "closed", "canceled"}
    assert json.dumps(sorted(one.order_id for one in truth))
    assert all(one.updated_at <= stamp(clock) for one in twin._sales.orders.rows().values())
