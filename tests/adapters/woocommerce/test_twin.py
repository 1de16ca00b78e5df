"""The stand-in WooCommerce shop is as unkind over REST as the reference says real ones are."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.twins import Twin
from adapters.woocommerce.twin import WooCommerceTwin
from adapters.woocommerce.twin_desk import Refused
from connector.domain.clock import FixedClock
from tests.adapters.woocommerce.shops import HOST, NOW, Asker, Shop, open_shop

SAMPLES = Path(__file__).parents[3] / "adapters" / "woocommerce" / "samples"


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


def captured(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.http").read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2])


def shape(value: object) -> object:
    """Names in their order and kinds, without the values; of a list its first."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items() if name != "taxes"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_it_is_a_twin() -> None:
    with WooCommerceTwin(FixedClock(NOW), host=HOST) as opened:
        twin: Twin = opened
        assert (twin.platform, twin.base) == ("woocommerce", "https://shop.example")
        assert twin.routes == {HOST: twin.server.address}


class TestDocuments:
    def test_an_order_has_the_shape_of_a_real_one(self, shop: Shop) -> None:
        real = captured("rich_eur_taxes_coupon_fee_shipping-partial_refund__order.updated")
        number = shop.twin.place_order(coupon="WELCOME10", locale="de", customer_id=2, paid=True)
        shop.twin.refund(number, Decimal("7.43"))
        made = shop.ask.get(f"wc/v3/orders/{number}")
        for lines in ("fee_lines", "line_items", "shipping_lines"):
            for line in real[lines]:
                line["meta_data"] = []
        made["shipping_lines"][0]["meta_data"] = []
        real["fee_lines"] = []
        assert list(made) == list(real)
        assert shape(made) == shape(real)

    def test_an_old_versions_order_has_the_shape_of_a_real_old_one(self) -> None:
        real = captured("wc822_blockcheckout_draft_get2__order.updated")
        with open_shop(version="8.2.2", hpos=False) as shop:
            number = shop.twin.open_checkout(meta={"is_vat_exempt": "no"}, items=[("MUG-L", 1)])
            made = shop.ask.get(f"wc/v3/orders/{number}")
        assert list(made) == list(real)
        assert shape(made) == shape(real)
        assert "global_unique_id" not in made["line_items"][0]

    def test_amounts_follow_the_shops_decimals_not_the_currency(self) -> None:
        with open_shop(currency="KWD", decimals=2) as shop:
            number = shop.twin.place_order(items=[("STICKER", 1)], country="KW", email="a@example.test")
            line = shop.ask.get(f"wc/v3/orders/{number}")["line_items"][0]
            assert line["total"] == "1.26"
        with open_shop(currency="JPY", decimals=2) as shop:
            number = shop.twin.place_order(items=[("RECIPES", 506)], country="JP")
            assert shop.ask.get(f"wc/v3/orders/{number}")["total"] == "2530.00"

    def test_a_price_is_an_unrounded_number(self, shop: Shop) -> None:
        number = shop.twin.place_order(items=[("STICKER", 3)], country="GR")
        line = shop.ask("GET", f"wc/v3/orders/{number}").text.partition('"price":')[2]
        assert line.startswith("1.2566666666666666")

    def test_prices_that_include_tax_are_taken_apart(self) -> None:
        with open_shop(prices_include_tax=True) as shop:
            order = shop.ask.get(f"wc/v3/orders/{shop.twin.place_order(items=[('MUG-L', 2)])}")
        assert (order["line_items"][0]["total"], order["cart_tax"]) == ("33.60", "6.38")
        assert order["line_items"][0]["price"] == pytest.approx(16.798319)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        items=st.lists(
            st.tuples(st.sampled_from(["MUG-L", "NOTE", "RECIPES", "STICKER"]), st.integers(1, 9)),
            min_size=1,
            max_size=4,
            unique_by=lambda item: item[0],
        ),
        country=st.sampled_from(["DE", "GR"]),
        coupon=st.sampled_from(["", "WELCOME10"]),
    )
    def test_totals_are_the_sum_of_what_is_printed(
        self, shop: Shop, items: list[tuple[str, int]], country: str, coupon: str
    ) -> None:
        order = shop.ask.get(f"wc/v3/orders/{shop.twin.place_order(items=items, country=country, coupon=coupon)}")
        parts = [*order["line_items"], *order["shipping_lines"]]
        printed = sum(Decimal(part["total"]) + Decimal(part["total_tax"]) for part in parts)
        assert Decimal(order["total"]) == printed
        assert Decimal(order["total_tax"]) == Decimal(order["cart_tax"]) + Decimal(order["shipping_tax"])

    def test_dates_are_said_in_the_shops_time_and_in_gmt_both_without_a_zone(self, shop: Shop) -> None:
        order = shop.ask.get(f"wc/v3/orders/{shop.twin.place_order()}")
        assert (order["date_created"], order["date_created_gmt"]) == ("2026-11-21T21:00:00", "2026-11-21T20:00:00")
        assert (order["date_paid"], order["date_paid_gmt"]) == (None, None)

    def test_a_plugin_may_make_the_number_people_see(self) -> None:
        with open_shop(number_prefix="A-") as shop:
            number = shop.twin.place_order()
            assert shop.ask.get(f"wc/v3/orders/{number}")["number"] == f"A-{number}"
            assert shop.twin.truth()[number].number == f"A-{number}"

    def test_a_plugin_may_have_statuses_of_its_own(self) -> None:
        with open_shop(extra_statuses={"partial-shipped": "Partially shipped"}, trackings="ast") as shop:
            number = shop.twin.place_order(paid=True)
            body = {"tracking_number": "00340", "status_shipped": 2}
            shop.ask("POST", f"wc-ast/v3/orders/{number}/shipment-trackings", body)
            assert shop.ask.get(f"wc/v3/orders/{number}")["status"] == "partial-shipped"
            assert len(shop.ask.get("wc/v3/orders?status=partial-shipped")) == 1
            assert {"slug": "partial-shipped", "name": "Partially shipped"} in shop.ask.get("wc/v3/orders/statuses")

    def test_json_is_ascii_with_escaped_slashes(self, shop: Shop) -> None:
        content = shop.ask("GET", f"wc/v3/orders/{shop.twin.place_order()}").content
        assert content.isascii()
        assert b"https:\\/\\/shop.example\\/wp-json" in content
        assert b"https://" not in content


class TestAuthentication:
    def test_without_a_key_it_looks_like_a_missing_right(self, shop: Shop) -> None:
        with Asker(shop.twin, None) as ask:
            answer = ask("GET", "wc/v3/orders")
        assert answer.status_code == 401
        assert answer.json() == {
            "code": "woocommerce_rest_cannot_view",
            "message": "Sorry, you cannot list resources.",
            "data": {"status": 401},
        }

    def test_an_unknown_key_looks_like_a_missing_right_too(self, shop: Shop) -> None:
        shop.twin.uninstall()
        assert shop.ask.error("GET", "wc/v3/orders") == (401, "woocommerce_rest_cannot_view")

    def test_a_wrong_secret_is_named(self, shop: Shop) -> None:
        key = shop.twin.make_key()
        key.consumer_secret = "cs_other"
        answer = requests.get(
            f"{shop.twin.server.address}/wp-json/wc/v3/orders", auth=(key.consumer_key, "cs_wrong"), timeout=5
        )
        assert (answer.status_code, answer.json()["message"]) == (401, "Consumer secret is invalid.")
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")

    def test_a_read_only_key_lists_webhooks_and_writes_nothing(self, shop: Shop) -> None:
        with Asker(shop.twin, shop.twin.make_key("read")) as ask:
            assert ask("GET", "wc/v3/webhooks").status_code == 200
            answer = ask("POST", "wc/v3/orders", {})
        assert (answer.status_code, answer.json()["message"]) == (
            401,
            "The API key provided does not have write permissions.",
        )

    def test_a_write_only_key_does_not_read(self, shop: Shop) -> None:
        with Asker(shop.twin, shop.twin.make_key("write")) as ask:
            assert ask("GET", "wc/v3/orders").json()["message"].endswith("read permissions.")

    def test_a_user_without_rights_is_forbidden(self, shop: Shop) -> None:
        shop.twin.demote()
        assert shop.ask.error("GET", "wc/v3/orders") == (403, "woocommerce_rest_cannot_view")

    def test_keys_in_the_query_win_over_the_header(self, shop: Shop) -> None:
        good, bad = shop.twin.make_key(), "consumer_key=ck_nobody&consumer_secret=cs_nobody"
        query = f"consumer_key={good.consumer_key}&consumer_secret={good.consumer_secret}"
        assert shop.ask("GET", f"wc/v3/orders?{bad}").status_code == 401
        with Asker(shop.twin, None) as ask:
            assert ask("GET", f"wc/v3/orders?{query}").status_code == 200

    def test_a_host_that_strips_the_header_leaves_the_query(self, shop: Shop) -> None:
        shop.twin.site.strips_authorization = True
        key = shop.twin.make_key()
        query = f"consumer_key={key.consumer_key}&consumer_secret={key.consumer_secret}"
        assert shop.ask("GET", "wc/v3/orders").status_code == 401
        assert shop.ask("GET", f"wc/v3/orders?{query}").status_code == 200

    def test_behind_a_proxy_that_hides_tls_keys_are_ignored(self, shop: Shop) -> None:
        shop.twin.site.is_ssl = False
        assert shop.ask.error("GET", "wc/v3/orders") == (401, "woocommerce_rest_cannot_view")

    @pytest.mark.parametrize("status", [403, 406, 503])
    def test_a_firewall_answers_in_html(self, shop: Shop, status: int) -> None:
        shop.twin.site.firewall = status
        answer = shop.ask("GET", "wc/v3/orders")
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=UTF-8")

    def test_plain_permalinks_know_no_keys(self) -> None:
        with open_shop(rest_prefix="") as shop:
            assert shop.ask("GET", "wc/v3/orders").status_code == 404
            answer = shop.ask.page("/?rest_route=/wc/v3/orders")
            assert (answer.status_code, answer.json()["code"]) == (401, "woocommerce_rest_cannot_view")
            assert "rest_route=/" in shop.ask.page("/").headers["Link"]

    def test_an_unknown_route_and_a_wrong_method_are_the_same_to_it(self, shop: Shop) -> None:
        assert shop.ask.error("GET", "wc/v3/nothing") == (404, "rest_no_route")
        assert shop.ask.error("DELETE", "wc/v3/orders") == (404, "rest_no_route")
        assert shop.ask.error("GET", "wc/v3/fulfillments/providers") == (404, "rest_no_route")

    def test_a_body_that_is_no_json_is_refused(self, shop: Shop) -> None:
        headers = {"Content-Type": "application/json"}
        answer = shop.ask("POST", "wc/v3/orders", data=b"{", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_json")


class TestTheShopItself:
    def test_the_index_is_public_and_tells_time_zone_and_namespaces(self, shop: Shop) -> None:
        with Asker(shop.twin, None) as ask:
            index = ask.get("")
        assert (index["home"], index["gmt_offset"], index["timezone_string"]) == (
            "https://shop.example",
            "1",
            "Europe/Berlin",
        )
        assert "wc/v3" in index["namespaces"]
        assert "wc-ast/v3" not in index["namespaces"]
        assert r"/wc/v3/orders/(?P<id>[\d]+)" in index["routes"]
        assert not any("fulfillments" in route for route in index["routes"])

    def test_the_home_page_says_where_the_api_is(self, shop: Shop) -> None:
        assert shop.ask.page("/").headers["Link"] == '<https://shop.example/wp-json/>; rel="https://api.w.org/"'

    def test_a_shop_in_a_folder_lives_there_alone(self) -> None:
        with open_shop(path="/store") as shop:
            assert shop.twin.base == "https://shop.example/store"
            assert shop.ask("GET", "").status_code == 404
            assert shop.ask.page("/store/wp-json/").json()["url"] == "https://shop.example/store"

    def test_system_status_tells_version_decimals_and_storage(self, shop: Shop) -> None:
        status = shop.ask.get("wc/v3/system_status?_fields=environment.version,settings")
        assert status["environment"] == {"version": "11.0.1"}
        assert (status["settings"]["number_of_decimals"], status["settings"]["HPOS_enabled"]) == (2, True)
        assert "active_plugins" not in status

    def test_a_mail_is_switched_off_by_rest_and_stays_silent(self, shop: Shop) -> None:
        path = "wc/v3/settings/email_customer_processing_order/enabled"
        assert shop.ask.get(path)["value"] == "yes"
        assert shop.ask("PUT", path, {"value": "no"}).json()["value"] == "no"
        shop.twin.place_order(paid=True)
        assert not shop.twin.mails

    def test_a_checkbox_takes_yes_and_no_only(self, shop: Shop) -> None:
        path = "wc/v3/settings/email_customer_note/enabled"
        assert shop.ask.error("PUT", path, {"value": True}) == (400, "rest_setting_value_invalid")

    def test_unknown_settings_are_named(self, shop: Shop) -> None:
        assert shop.ask.error("GET", "wc/v3/settings/nothing") == (404, "rest_setting_setting_group_invalid")
        assert shop.ask.error("GET", "wc/v3/settings/general/nothing") == (404, "rest_setting_setting_invalid")
        assert shop.ask.error("GET", "wc/v3/settings/email_customer_invoice/enabled") == (
            404,
            "rest_setting_setting_invalid",
        )

    def test_an_old_version_has_fewer_mails(self) -> None:
        with open_shop(version="8.2.2") as shop:
            groups = [group["id"] for group in shop.ask.get("wc/v3/settings")]
        assert "email_customer_completed_order" in groups
        assert "email_customer_failed_order" not in groups


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


class TestLists:
    def test_a_page_holds_one_to_a_hundred(self, shop: Shop) -> None:
        for size in ("0", "101", "many"):
            assert shop.ask.error("GET", f"wc/v3/orders?per_page={size}") == (400, "rest_invalid_param")

    def test_past_the_end_there_is_nothing_and_no_error(self, shop: Shop) -> None:
        shop.twin.grow(3, since=NOW - minutes(30))
        answer = shop.ask("GET", "wc/v3/orders?per_page=2&page=9")
        assert (answer.status_code, answer.json(), answer.headers["X-WP-Total"]) == (200, [], "3")
        assert answer.headers["X-WP-TotalPages"] == "2"

    def test_pages_tell_of_each_other(self, shop: Shop) -> None:
        shop.twin.grow(25, since=NOW - minutes(30))
        first = shop.ask("GET", "wc/v3/orders")
        assert len(first.json()) == 10
        assert first.links["next"]["url"] == "https://shop.example/wp-json/wc/v3/orders?page=2"
        assert set(shop.ask("GET", "wc/v3/orders?page=3").links) == {"https://api.w.org/", "prev"}

    def test_modified_after_is_strict_and_knows_whole_seconds(self, shop: Shop) -> None:
        number = int(shop.twin.place_order())
        found = "wc/v3/orders?dates_are_gmt=true&_fields=id&modified_after=2026-11-21T"
        assert shop.ask.get(f"{found}20:00:00") == []
        assert shop.ask.get(f"{found}19:59:59.999") == [{"id": number}]

    def test_without_dates_are_gmt_a_moment_is_the_shops_own(self, shop: Shop) -> None:
        shop.twin.place_order()
        assert len(shop.ask.get("wc/v3/orders?modified_after=2026-11-21T20:59:59")) == 1
        assert shop.ask.get("wc/v3/orders?modified_after=2026-11-21T21:00:00") == []

    @pytest.mark.parametrize("hpos", [True, False])
    @pytest.mark.parametrize("written", ["2026-11-21T19:30:00Z", "2026-11-21T20:30:00%2B01:00"])
    def test_with_dates_are_gmt_a_zone_loses_an_hour_of_orders_in_berlin(self, hpos: bool, written: str) -> None:
        with open_shop(hpos=hpos) as shop:
            shop.twin.place_order()
            assert shop.ask.get(f"wc/v3/orders?dates_are_gmt=true&modified_after={written}") == []
            assert len(shop.ask.get("wc/v3/orders?dates_are_gmt=true&modified_after=2026-11-21T19:30:00")) == 1

    @pytest.mark.parametrize("written", ["2026-11-21", "1795291141", "2026-11-21T20:30:00+01:00", "soon"])
    def test_a_date_alone_a_number_and_a_bare_plus_are_refused(self, shop: Shop, written: str) -> None:
        answer = shop.ask("GET", f"wc/v3/orders?modified_after={written}")
        assert (answer.status_code, answer.json()["data"]["params"]) == (400, {"modified_after": "Invalid date."})

    def test_any_leaves_out_the_trash(self, shop: Shop) -> None:
        kept, thrown = int(shop.twin.place_order()), shop.twin.place_order()
        shop.twin.trash(thrown)
        assert [order["id"] for order in shop.ask.get("wc/v3/orders?status=any")] == [kept]
        assert [order["id"] for order in shop.ask.get("wc/v3/orders?status=trash")] == [int(thrown)]

    def test_an_unknown_status_is_refused(self, shop: Shop) -> None:
        assert shop.ask.error("GET", "wc/v3/orders?status=wc-processing") == (400, "rest_invalid_param")

    def test_rows_of_one_second_come_by_id_in_the_same_direction(self, shop: Shop) -> None:
        placed = [int(shop.twin.place_order()) for _ in range(3)]
        listed = shop.ask.get("wc/v3/orders?orderby=modified&order=asc&_fields=id")
        assert [order["id"] for order in listed] == placed
        assert [order["id"] for order in shop.ask.get("wc/v3/orders?_fields=id")] == placed[::-1]

    def test_rows_move_while_pages_are_read(self, shop: Shop) -> None:
        placed = []
        for _ in range(4):
            placed.append(int(shop.twin.place_order()))
            shop.clock.moment += minutes(1)
        page = "wc/v3/orders?orderby=modified&order=asc&per_page=2&_fields=id&page="
        first = shop.ask.get(f"{page}1")
        shop.twin.pay(str(placed[0]))
        second = shop.ask.get(f"{page}2")
        assert [order["id"] for order in first + second] == [placed[0], placed[1], placed[3], placed[0]]

    def test_include_takes_numbers_with_commas_and_still_pages_by_ten(self, shop: Shop) -> None:
        shop.twin.grow(15, since=NOW - minutes(30))
        every = ",".join(str(one["id"]) for one in shop.ask.get("wc/v3/orders?per_page=100&_fields=id"))
        assert len(shop.ask.get(f"wc/v3/orders?include={every}")) == 10
        assert len(shop.ask.get(f"wc/v3/orders?include={every[:7]}")) == 2

    def test_an_odd_import_has_no_date_and_no_search_by_dates_finds_it(self, shop: Shop) -> None:
        number = shop.twin.import_oddly()
        assert shop.ask.get("wc/v3/orders?modified_after=2020-01-01T00:00:00") == []
        (listed,) = shop.ask.get("wc/v3/orders?orderby=modified&_fields=id,date_modified_gmt")
        assert listed == {"id": int(number), "date_modified_gmt": None}

    def test_fields_trim_each_order(self, shop: Shop) -> None:
        shop.twin.place_order(paid=True)
        assert shop.ask.get("wc/v3/orders?_fields=status,billing.email") == [
            {"status": "processing", "billing": {"email": "ada@example.test"}}
        ]


class TestOrders:
    def test_an_order_that_is_gone_is_an_invalid_id(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        shop.twin.force_delete(number)
        code = "woocommerce_rest_shop_order_invalid_id"
        assert shop.ask.error("GET", f"wc/v3/orders/{number}") == (404, code)
        assert shop.ask.error("PUT", f"wc/v3/orders/{number}", {}) == (400, code)

    @pytest.mark.parametrize("status", ["trash", "wc-completed", "shipped"])
    def test_a_status_the_shop_does_not_have_is_refused(self, shop: Shop, status: str) -> None:
        number = shop.twin.place_order()
        assert shop.ask.error("PUT", f"wc/v3/orders/{number}", {"status": status}) == (400, "rest_invalid_param")

    def test_meta_comes_back_as_text_but_lists_survive_and_null_deletes(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        meta = [{"key": "gift", "value": True}, {"key": "list", "value": [{"a": 1}]}, {"key": "gone", "value": "x"}]
        shop.ask("PUT", f"wc/v3/orders/{number}", {"meta_data": meta})
        body = {"meta_data": [{"key": "gone", "value": None}]}
        kept = shop.ask("PUT", f"wc/v3/orders/{number}", body).json()["meta_data"]
        assert {one["key"]: one["value"] for one in kept} == {"gift": "1", "list": [{"a": 1}]}

    def test_the_same_status_again_mails_nobody(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        for _ in range(2):
            shop.ask("PUT", f"wc/v3/orders/{number}", {"status": "completed"})
        assert [mail.kind for mail in shop.twin.mails] == ["customer_processing_order", "customer_completed_order"]
        assert shop.twin.mails[1].subject == "Your order from Example Shop is on its way!"

    def test_downloads_alone_are_complete_when_paid(self, shop: Shop) -> None:
        assert shop.twin.order(shop.twin.place_order(items=[("RECIPES", 1)], paid=True)).status == "completed"

    def test_an_order_made_by_rest_costs_what_its_products_cost(self, shop: Shop) -> None:
        body = {
            "line_items": [{"sku": "MUG-L", "quantity": 2}],
            "billing": {"country": "DE", "email": "a@example.test"},
        }
        answer = shop.ask("POST", "wc/v3/orders", body | {"set_paid": True, "payment_method": "card"})
        assert (answer.status_code, answer.json()["status"], answer.json()["total"]) == (201, "processing", "53.41")
        assert answer.headers["Location"] == f"https://shop.example/wp-json/wc/v3/orders/{answer.json()['id']}"

    def test_a_batch_answers_200_with_errors_inside_and_is_not_undone(self, shop: Shop) -> None:
        number = int(shop.twin.place_order())
        update = [{"id": 9999, "status": "completed"}, {"id": number, "status": "completed"}]
        answer = shop.ask("POST", "wc/v3/orders/batch", {"update": update})
        assert answer.status_code == 200
        first, second = answer.json()["update"]
        assert (first["error"]["code"], second["status"]) == ("woocommerce_rest_shop_order_invalid_id", "completed")

    def test_a_batch_of_more_than_a_hundred_is_too_large(self, shop: Shop) -> None:
        body = {"delete": list(range(1, 102))}
        code = "woocommerce_rest_request_entity_too_large"
        assert shop.ask.error("POST", "wc/v3/orders/batch", body) == (413, code)

    def test_a_status_on_a_trashed_order_restores_it(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        shop.twin.trash(number)
        assert number not in shop.twin.truth()
        shop.ask("PUT", f"wc/v3/orders/{number}", {"status": "processing"})
        assert shop.twin.truth()[number].status_word == "processing"

    def test_throwing_away_twice_is_gone(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        assert shop.ask("DELETE", f"wc/v3/orders/{number}").json()["status"] == "pending"
        code = "woocommerce_rest_already_trashed"
        assert shop.ask.error("DELETE", f"wc/v3/orders/{number}") == (410, code)


class TestNotesAndRefunds:
    def test_a_note_for_the_customer_is_mailed_and_another_is_not(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        for body in ({"note": "Look"}, {"note": "Hello", "customer_note": True}):
            assert shop.ask("POST", f"wc/v3/orders/{number}/notes", body).status_code == 201
        assert [mail.kind for mail in shop.twin.mails] == ["customer_note"]
        assert [note["note"] for note in shop.ask.get(f"wc/v3/orders/{number}/notes?type=customer")] == ["Hello"]

    def test_a_note_moves_no_date(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        shop.clock.moment += minutes(1)
        shop.ask("POST", f"wc/v3/orders/{number}/notes", {"note": "Look"})
        assert shop.ask.get(f"wc/v3/orders/{number}")["date_modified_gmt"] == "2026-11-21T20:00:00"

    def test_a_note_needs_words(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        path = f"wc/v3/orders/{number}/notes"
        assert shop.ask.error("POST", path, {}) == (400, "rest_missing_callback_param")

    def test_a_refund_shrinks_no_total_and_moves_the_date(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        shop.clock.moment += minutes(1)
        shop.ask("POST", f"wc/v3/orders/{number}/refunds", {"amount": "7.43", "reason": "Torn", "api_refund": False})
        order = shop.ask.get(f"wc/v3/orders/{number}")
        assert order["refunds"][0] | {"id": 0} == {"id": 0, "reason": "Torn", "total": "-7.43", "total_tax": "0.00"}
        assert (order["total"], order["date_modified_gmt"]) == ("66.79", "2026-11-21T20:01:00")
        assert shop.twin.truth()[number].refunded == Decimal("7.43")
        assert shop.ask.get("wc/v3/refunds")[0]["parent_id"] == int(number)

    def test_a_refund_of_all_changes_the_status_and_mails(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        shop.twin.refund(number, shop.twin.truth()[number].total)
        assert shop.twin.truth()[number].status_word == "refunded"
        assert shop.twin.mails[-1].kind == "customer_refunded_order"
        with pytest.raises(Refused, match="Invalid refund amount"):
            shop.twin.refund(number, Decimal(1))

    def test_an_amount_is_text(self, shop: Shop) -> None:
        path = f"wc/v3/orders/{shop.twin.place_order()}/refunds"
        assert shop.ask.error("POST", path, {"amount": 1.0}) == (400, "rest_invalid_param")

    def test_business_errors_are_500_with_a_bare_number(self, shop: Shop) -> None:
        path = f"wc/v3/orders/{shop.twin.place_order(payment_method='bacs')}/refunds"
        answer = shop.ask("POST", path, {"amount": "1.00"})
        assert (answer.status_code, answer.json()["data"]) == (500, 500)
        assert "does not support automatic refunds" in answer.json()["message"]
        answer = shop.ask("POST", path, {"amount": "1000.00", "api_refund": False})
        assert answer.json()["message"] == "Invalid refund amount."
        assert shop.ask("POST", "wc/v3/orders/9999/refunds", {"amount": "1.00"}).json()["data"] == 404

    def test_a_refund_of_lines_knows_its_amount_and_its_tax(self, shop: Shop) -> None:
        number = shop.twin.place_order(paid=True)
        line = shop.twin.order(number).lines[0].line_id
        tax = [{"id": 1, "refund_total": 3.8}]
        body = {"line_items": [{"id": line, "quantity": 1, "refund_total": 19.99, "refund_tax": tax}]}
        made = shop.ask("POST", f"wc/v3/orders/{number}/refunds", body | {"api_refund": False}).json()
        assert (made["amount"], made["line_items"][0]["total"], made["line_items"][0]["quantity"]) == (
            "23.79",
            "-19.99",
            -1,
        )
        assert shop.ask.get(f"wc/v3/orders/{number}")["refunds"][0]["total_tax"] == "-3.80"

    def test_the_list_of_all_refunds_came_with_9_0(self) -> None:
        with open_shop(version="8.2.2") as shop:
            assert shop.ask.error("GET", "wc/v3/refunds") == (404, "rest_no_route")


class TestFaults:
    def test_a_throttled_call_says_when_to_come_back(self, shop: Shop) -> None:
        shop.set_fault(throttle=1)
        answer = shop.ask("GET", "wc/v3/orders")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert shop.ask("GET", "wc/v3/orders").status_code == 200

    def test_a_failed_call_has_done_nothing(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        shop.set_fault(fail=1)
        answer = shop.ask("POST", f"wc/v3/orders/{number}/notes", {"note": "Look"})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_server_error")
        assert not shop.twin.notes(number)

    def test_a_cut_call_has_been_carried_out(self, shop: Shop) -> None:
        number = shop.twin.place_order()
        shop.set_fault(cut=1)
        assert shop.ask("GET", f"wc/v3/orders/{number}").status_code == 200
        with pytest.raises(requests.ConnectionError):
            shop.ask("POST", f"wc/v3/orders/{number}/notes", {"note": "Look"})
        assert [note.words for note in shop.twin.notes(number)] == ["Look"]


class TestHistory:
    def test_ten_thousand_orders_come_fast_silent_and_spread(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        began = time.perf_counter()
        shop.twin.grow(10_000, since=NOW - timedelta(days=90))
        assert time.perf_counter() - began < 5
        assert (shop.twin.deliver(), len(shop.twin.mails)) == (0, 0)
        path = "wc/v3/orders?per_page=100&orderby=modified&order=asc"
        began = time.perf_counter()
        answer = shop.ask("GET", path)
        assert time.perf_counter() - began < 1
        assert answer.headers["X-WP-TotalPages"] == "100"
        oldest = datetime.fromisoformat(answer.json()[0]["date_modified_gmt"]).replace(tzinfo=UTC)
        assert oldest == NOW - timedelta(days=90)
        assert len(shop.twin.truth()) == 10_000
