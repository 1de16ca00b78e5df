"""The stand-in WooCommerce shop keeps parcels as the core feature and the tracking plugins do, oddities included."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapters.woocommerce.shops import Shop, open_shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop(fulfillments=True) as opened:
        yield opened


@pytest.fixture
def ast() -> Iterator[Shop]:
    with open_shop(trackings="ast") as opened:
        yield opened


def meta_of(shop: Shop, order: str) -> dict[str, Any]:
    return {meta["key"]: meta["value"] for meta in shop.ask.get(f"wc/v3/orders/{order}")["meta_data"]}


def parcel(
    shop: Shop, order: str, *, quantity: int = 2, status: str = "fulfilled", **more: object
) -> dict[str, object]:
    line = shop.twin.order(order).lines[0].line_id
    items = {"key": "_items", "value": [{"item_id": line, "qty": quantity}]}
    return {"status": status, "meta_data": [items, {"key": "_tracking_number", "value": "1Z1"}], **more}


class TestFulfillments:
    def test_they_are_off_in_a_fresh_shop_and_were_not_there_before_10_1(self) -> None:
        for there, version in ((False, "11.0.1"), (True, "8.2.2")):
            with open_shop(fulfillments=there, version=version) as shop:
                number = shop.twin.place_order()
                assert shop.ask.error("GET", f"wc/v3/orders/{number}/fulfillments") == (404, "rest_no_route")

    def test_the_answer_says_true_and_the_list_says_one(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        path = f"wc/v3/orders/{number}/fulfillments"
        made = shop.ask("POST", path, parcel(shop, number))
        assert (made.status_code, made.json()["is_fulfilled"], made.json()["entity_id"]) == (201, True, number)
        assert [meta["key"] for meta in made.json()["meta_data"]] == ["_items", "_tracking_number", "_date_fulfilled"]
        (listed,) = shop.ask.get(path)
        assert (listed["is_fulfilled"], listed["date_updated"]) == ("1", "2026-11-21T20:00:00Z")

    def test_the_orders_status_stays_and_its_meta_tells_how_far_it_is(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        path = f"wc/v3/orders/{number}/fulfillments"
        assert "_fulfillment_status" not in meta_of(shop, number)
        shop.ask("POST", path, parcel(shop, number))
        assert meta_of(shop, number)["_fulfillment_status"] == "partially_fulfilled"
        shop.twin.ship(number, "00340", "DHL")
        assert meta_of(shop, number)["_fulfillment_status"] == "fulfilled"
        assert shop.twin.truth()[number].status_word == "processing"
        assert shop.twin.truth()[number].tracking_numbers == {"1Z1", "00340"}

    def test_it_is_told_by_one_webhook(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        shop.subscribe("order.updated")
        shop.subscribe("action.woocommerce_fulfillment_after_create")
        shop.ask("POST", f"wc/v3/orders/{number}/fulfillments", parcel(shop, number))
        shop.twin.deliver()
        told = [heard.body for heard in shop.listener.deliveries]
        assert len(told) == 2
        assert told[1] == b'{"action":"woocommerce_fulfillment_after_create","arg":[]}'

    def test_nobody_counts_what_is_inside(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        body = parcel(shop, number, quantity=99)
        assert shop.ask("POST", f"wc/v3/orders/{number}/fulfillments", body).status_code == 201

    def test_an_update_deletes_what_is_not_sent(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        path = f"wc/v3/orders/{number}/fulfillments"
        one = f"{path}/{shop.ask('POST', path, parcel(shop, number)).json()['id']}"
        answer = shop.ask("PUT", one, {"meta_data": [{"key": "_tracking_number", "value": "1Z2"}]})
        assert answer.status_code == 400
        assert answer.json() == {
            "code": 0,
            "message": "The fulfillment should contain at least one item.",
            "data": {"status": 400},
        }
        assert shop.twin.truth()[number].tracking_numbers == {"1Z1"}
        items = parcel(shop, number)["meta_data"][0]  # type: ignore[index]
        changed = shop.ask("PUT", one, {"meta_data": [items]}).json()
        assert [meta["key"] for meta in changed["meta_data"]] == ["_items", "_date_fulfilled"]
        assert shop.twin.truth()[number].tracking_numbers == frozenset()

    @pytest.mark.parametrize("items", [[], "1", [{"item_id": "7", "qty": 1}], [{"item_id": 7, "qty": 0}], [7]])
    def test_items_that_are_none_are_refused(self, shop: Shop, items: object) -> None:
        number = shop.twin.place_order(paid=True)
        body = {"status": "fulfilled", "meta_data": [{"key": "_items", "value": items}]}
        assert shop.ask.error("POST", f"wc/v3/orders/{number}/fulfillments", body) == (400, 0)

    def test_the_customer_is_mailed_only_when_told_so(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        path = f"wc/v3/orders/{number}/fulfillments"
        shop.ask("POST", path, parcel(shop, number, notify_customer=False))
        assert not shop.twin.mails
        made = shop.ask("POST", path, parcel(shop, number, notify_customer=True)).json()
        shop.ask("PUT", f"{path}/{made['id']}", parcel(shop, number, notify_customer=True))
        shop.ask("DELETE", f"{path}/{made['id']}?notify_customer=True")
        assert [mail.kind for mail in shop.twin.mails] == [
            "customer_fulfillment_created",
            "customer_fulfillment_updated",
            "customer_fulfillment_deleted",
        ]

    def test_downloads_are_fulfilled_by_themselves(self, shop: Shop) -> None:
        number = shop.twin.place_order(items=[("RECIPES", 1)], paid=True)
        assert meta_of(shop, number) == {"_auto_fulfill_processed": "1", "_fulfillment_status": "fulfilled"}

    def test_errors_have_the_codes_of_this_feature(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        code = "woocommerce_rest_order_invalid_id"
        assert shop.ask("GET", "wc/v3/orders/9999/fulfillments").json()["data"] == {"status": "404"}
        assert shop.ask.error("GET", "wc/v3/orders/9999/fulfillments") == (404, code)
        assert shop.ask.error("GET", f"wc/v3/orders/{number}/fulfillments/7") == (400, 0)
        assert shop.ask.error("POST", f"wc/v3/orders/{number}/fulfillments", {"status": "fulfilled"}) == (
            400,
            "rest_missing_callback_param",
        )

    def test_an_unknown_carrier_goes_by_other(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        made = shop.twin.ship(number, "X1", "Bicycle Bros")
        (shipped,) = shop.twin.shipments(number)
        assert (shipped.parcel_id, shipped.number, shipped.carrier) == (made, "X1", "Bicycle Bros")


class TestAdvancedShipmentTracking:
    ALIASES = ("wc-ast/v3", "wc-shipment-tracking/v3", "wc/v1", "wc/v2", "wc/v3")

    def test_without_the_plugin_there_is_no_route(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        assert shop.ask.error("GET", f"wc/v3/orders/{number}/shipment-trackings") == (404, "rest_no_route")

    def test_it_answers_at_all_its_addresses(self, ast: Shop) -> None:
        number = ast.twin.place_order()
        for alias in self.ALIASES:
            assert ast.ask.get(f"{alias}/orders/{number}/shipment-trackings") == []
        assert ast.ask.get(f"wc/v3/orders/{number}/shipment-trackings/providers") == []
        assert "wc-ast/v3" in ast.ask.get("")["namespaces"]

    def test_an_unknown_carrier_is_taken_and_comes_out_empty_with_todays_date(self, ast: Shop) -> None:
        number = ast.twin.place_order(paid=True)
        body = {"tracking_provider": "dhl-de", "tracking_number": "00340", "date_shipped": "2026-11-01"}
        answer = ast.ask("POST", f"wc-ast/v3/orders/{number}/shipment-trackings", body)
        made = answer.json()
        assert (answer.status_code, made["tracking_provider"], made["tracking_link"]) == (201, "", "")
        assert made["date_shipped"] == "2026-11-21"
        (kept,) = meta_of(ast, number)["_wc_shipment_tracking_items"]
        assert (kept["tracking_provider"], kept["tracking_id"]) == ("dhl-de", made["tracking_id"])
        assert ast.twin.truth()[number].status_word == "processing"

    def test_status_shipped_completes_and_mails(self, ast: Shop) -> None:
        number = ast.twin.place_order(paid=True)
        body = {"tracking_number": "00340", "status_shipped": 1}
        ast.ask("POST", f"wc-ast/v3/orders/{number}/shipment-trackings", body)
        assert ast.twin.truth()[number].status_word == "completed"
        assert ast.twin.mails[-1].kind == "customer_completed_order"

    def test_the_same_number_again_is_one_more_unless_replaced(self, ast: Shop) -> None:
        path = f"wc-ast/v3/orders/{ast.twin.place_order()}/shipment-trackings"
        for _ in range(2):
            ast.ask("POST", path, {"tracking_number": "00340"})
        assert len(ast.ask.get(path)) == 2
        ast.ask("POST", path, {"tracking_number": "00340", "replace_tracking": 1})
        assert len(ast.ask.get(path)) == 1

    def test_special_characters_and_no_number_are_refused(self, ast: Shop) -> None:
        path = f"wc-ast/v3/orders/{ast.twin.place_order()}/shipment-trackings"
        assert ast.ask("POST", path, {"tracking_number": "00/340"}).status_code == 404
        assert ast.ask.error("POST", path, {}) == (400, "rest_missing_callback_param")

    def test_what_is_written_as_meta_is_listed_and_can_be_deleted(self, ast: Shop) -> None:
        number = ast.twin.place_order(paid=True)
        mails = len(ast.twin.mails)
        item = {
            "tracking_id": "abc",
            "tracking_number": "Z9",
            "custom_tracking_link": "https://x.example/",
            "date_shipped": "1",
        }
        body = {"meta_data": [{"key": "_wc_shipment_tracking_items", "value": [item]}]}
        ast.ask("PUT", f"wc/v3/orders/{number}", body)
        path = f"wc-ast/v3/orders/{number}/shipment-trackings"
        assert ast.ask.get(path)[0]["tracking_link"] == "https://x.example/"
        assert ast.twin.truth()[number].tracking_numbers == {"Z9"}
        assert len(ast.twin.mails) == mails
        assert ast.ask("DELETE", f"{path}/abc").json()["tracking_number"] == "Z9"
        assert "_wc_shipment_tracking_items" not in meta_of(ast, number)

    def test_the_shopkeeper_ships_through_it(self, ast: Shop) -> None:
        number = ast.twin.place_order(paid=True)
        made = ast.twin.ship(number, "00340", "dhl-de")
        (shipped,) = ast.twin.shipments(number)
        assert (shipped.parcel_id, shipped.number, shipped.where) == (made, "00340", "tracking")


def test_the_official_plugin_knows_carriers_and_keeps_the_date() -> None:
    with open_shop(trackings="official") as shop:
        number = shop.twin.place_order()
        path = f"wc-shipment-tracking/v3/orders/{number}/shipment-trackings"
        body = {"tracking_provider": "UPS", "tracking_number": "1Z/1", "date_shipped": "2026-11-01"}
        made = shop.ask("POST", path, body).json()
        assert (made["tracking_provider"], made["tracking_link"]) == ("UPS", "https://ups.example/track?n=1Z/1")
        assert made["date_shipped"] == "2026-11-01"
        assert "United States (US)" in shop.ask.get(f"{path}/providers")
        assert shop.ask.error("GET", f"wc-ast/v3/orders/{number}/shipment-trackings") == (404, "rest_no_route")


def test_without_any_plugin_a_parcel_is_meta_and_completes_the_order() -> None:
    with open_shop() as shop:
        number = shop.twin.place_order(paid=True)
        assert shop.twin.ship(number, "00340", "DHL") == "00340"
        assert meta_of(shop, number) == {"_tracking_number": "00340", "_tracking_provider": "DHL"}
        assert shop.twin.truth()[number].status_word == "completed"
