"""The stand-in WooCommerce shop sends, loses, doubles and switches off webhooks as the reference says real ones do."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.woocommerce.twin_webhooks import signature
from tests.adapters.woocommerce.listener import Heard
from tests.adapters.woocommerce.shops import NOW, OURS, Shop, open_shop

SAMPLES = Path(__file__).parents[3] / "adapters" / "woocommerce" / "samples"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as opened:
        yield opened


def status_of(shop: Shop, webhook: int) -> str:
    return str(shop.ask.get(f"wc/v3/webhooks/{webhook}")["status"])


def news(heard: Heard) -> tuple[str, Any]:
    return heard["X-WC-Webhook-Topic"], json.loads(heard.body)


class TestSubscribing:
    def test_the_ping_comes_unsigned_before_the_answer(self, shop: Shop) -> None:
        heard_in_time: list[bool] = []
        shop.listener.meanwhile = lambda _heard: heard_in_time.append(True)
        number = shop.subscribe("order.created")
        (ping,) = shop.listener.heard
        assert heard_in_time == [True]
        assert ping.body == f"webhook_id={number}".encode()
        assert [name for name, _ in ping.headers] == [
            "Host",
            "User-Agent",
            "Accept",
            "Accept-Encoding",
            "Connection",
            "Content-Length",
            "Content-Type",
        ]
        assert ping["User-Agent"] == "WooCommerce/11.0.1 Hookshot (WordPress/7.1)"
        assert ping["Content-Type"] == "application/x-www-form-urlencoded"

    def test_whoever_is_pinged_may_ask_the_shop_meanwhile(self, shop: Shop) -> None:
        asked: list[int] = []
        shop.listener.meanwhile = lambda _heard: asked.append(shop.ask("GET", "").status_code)
        shop.subscribe("order.created")
        assert asked == [200]

    def test_a_ping_nobody_answers_changes_nothing(self, shop: Shop) -> None:
        body = {"topic": "order.created", "delivery_url": "https://nobody.example/x", "secret": "s"}
        answer = shop.ask("POST", "wc/v3/webhooks", body)
        assert (answer.status_code, answer.json()["status"]) == (201, "active")

    def test_no_answer_tells_the_secret_or_the_failures(self, shop: Shop) -> None:
        made = shop.ask.get(f"wc/v3/webhooks/{shop.subscribe('order.updated')}")
        assert set(made) == {
            *("id", "name", "status", "topic", "resource", "event", "hooks", "delivery_url"),
            *("date_created", "date_created_gmt", "date_modified", "date_modified_gmt", "_links"),
        }
        assert made["hooks"] == ["woocommerce_update_order", "woocommerce_order_refunded"]

    def test_there_are_no_topics_for_payment_and_completion(self, shop: Shop) -> None:
        body = {"topic": "order.paid", "delivery_url": f"https://{OURS}/x"}
        code = "woocommerce_rest_shop_webhook_invalid_topic"
        assert shop.ask.error("POST", "wc/v3/webhooks", body) == (400, code)

    def test_an_address_that_is_none_is_refused(self, shop: Shop) -> None:
        body = {"topic": "order.created", "delivery_url": "ftp://connector.example/x"}
        code = "woocommerce_rest_shop_webhook_invalid_delivery_url"
        assert shop.ask.error("POST", "wc/v3/webhooks", body) == (400, code)

    def test_a_topic_in_capitals_becomes_a_ghost(self, shop: Shop) -> None:
        ghost = shop.ask.get(f"wc/v3/webhooks/{shop.subscribe('ORDER.CREATED')}")
        assert (ghost["topic"], ghost["hooks"], ghost["status"]) == ("", [], "active")
        shop.twin.place_order()
        assert shop.twin.deliver() == 0

    def test_before_10_9_unknown_pairs_were_ghosts_too(self, shop: Shop) -> None:
        body = {"topic": "order.published", "delivery_url": f"https://{OURS}/x"}
        assert shop.ask("POST", "wc/v3/webhooks", body).status_code == 400
        with open_shop(version="8.2.2") as old:
            assert old.ask("POST", "wc/v3/webhooks", body).status_code == 201

    def test_a_misspelt_action_is_taken(self, shop: Shop) -> None:
        assert shop.subscribe("action.woocommerce_nonsense")

    def test_lists_hold_ten_unless_asked_for_more(self, shop: Shop) -> None:
        for place in range(11):
            shop.subscribe("order.created", f"/{place}")
        assert len(shop.ask.get("wc/v3/webhooks")) == 10
        assert len(shop.ask.get("wc/v3/webhooks?per_page=100")) == 11

    def test_the_same_twice_delivers_twice(self, shop: Shop) -> None:
        shop.subscribe("order.deleted")
        shop.subscribe("order.deleted")
        shop.twin.trash(shop.twin.place_order())
        assert shop.twin.deliver() == 2

    def test_only_deletion_by_force_deletes(self, shop: Shop) -> None:
        path = f"wc/v3/webhooks/{shop.subscribe('order.created')}"
        assert shop.ask.error("DELETE", path) == (501, "woocommerce_rest_trash_not_supported")
        assert shop.ask("DELETE", f"{path}?force=true").status_code == 200
        assert shop.ask("GET", path).status_code == 400

    def test_a_new_address_is_pinged(self, shop: Shop) -> None:
        path = f"wc/v3/webhooks/{shop.subscribe('order.created')}"
        shop.ask("PUT", path, {"delivery_url": f"https://{OURS}/elsewhere"})
        assert [ping.path for ping in shop.listener.pings] == ["/hooks", "/elsewhere"]
        shop.ask("PUT", path, {"name": "other"})
        assert len(shop.listener.pings) == 2

    def test_a_status_in_capitals_switches_off(self, shop: Shop) -> None:
        number = shop.subscribe("order.created")
        shop.ask("PUT", f"wc/v3/webhooks/{number}", {"status": "ACTIVE"})
        assert status_of(shop, number) == "disabled"


class TestWhatIsSent:
    def test_headers_come_by_name_and_in_order_as_from_a_real_shop(self, shop: Shop) -> None:
        real = (SAMPLES / "guest_min__order.created.http").read_text().partition("\n\n")[0].splitlines()
        shop.subscribe("order.created")
        shop.twin.place_order()
        shop.twin.deliver()
        (heard,) = shop.listener.deliveries
        assert [name for name, _ in heard.headers] == [line.partition(":")[0] for line in real]
        assert heard["X-WC-Webhook-Source"] == "https://shop.example/"
        assert (heard["X-WC-Webhook-Event"], heard["Content-Type"]) == ("created", "application/json")

    def test_the_body_is_the_order_as_rest_tells_it_and_signed(self, shop: Shop) -> None:
        shop.subscribe("order.created", secret="k&amp;y")
        number = shop.twin.place_order()
        shop.twin.deliver()
        (heard,) = shop.listener.deliveries
        assert heard.body == shop.ask("GET", f"wc/v3/orders/{number}").content
        digest = hmac.digest(b"k&y", heard.body, hashlib.sha256)
        assert heard["X-WC-Webhook-Signature"] == base64.b64encode(digest).decode()

    def test_real_signatures_come_out_the_same(self) -> None:
        head, _, body = (SAMPLES / "guest_min__order.created.http").read_bytes().partition(b"\n\n")
        signed = next(line for line in head.decode().splitlines() if line.startswith("X-WC-Webhook-Signature: "))
        shared = json.loads((SAMPLES / "secrets.json").read_text())["shared"][0]
        assert f"X-WC-Webhook-Signature: {signature(shared, body)}" == signed

    @given(st.text(max_size=40).filter(lambda text: "&" not in text))
    def test_a_secret_without_entities_signs_as_it_is(self, secret: str) -> None:
        expected = base64.b64encode(hmac.digest(secret.encode(), b"{}", "sha256")).decode()
        assert signature(secret, b"{}") == expected

    def test_only_the_entities_wordpress_knows_are_decoded_once(self) -> None:
        once = base64.b64encode(hmac.digest(b"&lt;'\"", b"{}", "sha256")).decode()
        assert signature("&amp;lt;&#039;&quot;", b"{}") == once
        plain = base64.b64encode(hmac.digest(b"&euro;", b"{}", "sha256")).decode()
        assert signature("&euro;", b"{}") == plain

    def test_what_is_told_is_what_is_true_when_the_queue_runs(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.subscribe("order.updated")
        number = shop.twin.place_order()
        shop.twin.pay(number)
        shop.twin.set_status(number, "completed")
        shop.twin.refund(number, Decimal("1.00"))
        assert shop.twin.deliver() == 2
        assert [(topic, body["status"]) for topic, body in map(news, shop.listener.deliveries)] == [
            ("order.created", "completed"),
            ("order.updated", "completed"),
        ]

    def test_an_order_made_by_rest_is_told_twice_in_the_same_words(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.subscribe("order.updated")
        shop.ask("POST", "wc/v3/orders", {"line_items": [{"sku": "NOTE"}]})
        shop.twin.deliver()
        created, updated = shop.listener.deliveries
        assert created.body == updated.body

    def test_the_block_checkout_updates_before_it_creates(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.subscribe("order.updated")
        shop.twin.place_order(via="store-api")
        shop.twin.deliver()
        assert [topic for topic, _ in map(news, shop.listener.deliveries)] == ["order.updated", "order.created"]

    def test_an_old_block_checkout_creates_a_draft_and_then_only_updates(self) -> None:
        with open_shop(version="8.2.2", hpos=False) as shop:
            shop.subscribe("order.created")
            shop.subscribe("order.updated")
            shop.twin.open_checkout()
            shop.twin.deliver()
            told = [
                (topic, body["status"], body["billing"]["email"]) for topic, body in map(news, shop.listener.heard[2:])
            ]
            assert told == [("order.created", "checkout-draft", ""), ("order.updated", "checkout-draft", "")]
            assert shop.twin.truth() == {}

    def test_an_order_that_is_gone_is_told_as_a_signed_error(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.twin.force_delete(shop.twin.place_order())
        shop.twin.deliver()
        (heard,) = shop.listener.deliveries
        error = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
        assert news(heard) == ("order.created", error)

    def test_an_owner_without_rights_is_told_as_a_signed_error(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.twin.demote()
        shop.twin.place_order()
        shop.twin.deliver()
        assert news(shop.listener.deliveries[0])[1] == {
            "code": "woocommerce_rest_cannot_view",
            "message": "Sorry, you cannot view this resource.",
            "data": {"status": 403},
        }

    def test_the_trash_is_told_by_number_and_deletion_not_at_all(self, shop: Shop) -> None:
        shop.subscribe("order.deleted")
        shop.subscribe("order.restored")
        number = shop.twin.place_order()
        shop.twin.trash(number)
        shop.twin.deliver()
        shop.twin.restore(number)
        shop.twin.deliver()
        shop.twin.force_delete(number)
        shop.twin.deliver()
        told = [(topic, body["id"], len(body) > 1) for topic, body in map(news, shop.listener.deliveries)]
        assert told == [("order.deleted", int(number), False), ("order.restored", int(number), True)]

    def test_notes_tell_nothing_and_an_empty_write_does(self, shop: Shop) -> None:
        shop.subscribe("order.updated")
        number = shop.twin.place_order()
        shop.twin.deliver()
        shop.twin.note(number, "Look", for_customer=True)
        assert shop.twin.deliver() == 0
        shop.ask("PUT", f"wc/v3/orders/{number}", {})
        assert shop.twin.deliver() == 1

    def test_an_action_names_its_first_argument(self, shop: Shop) -> None:
        shop.subscribe("action.woocommerce_order_status_completed")
        number = shop.twin.place_order()
        shop.twin.set_status(number, "completed")
        shop.twin.deliver()
        body = {"action": "woocommerce_order_status_completed", "arg": int(number)}
        assert news(shop.listener.deliveries[0]) == ("action.woocommerce_order_status_completed", body)

    def test_three_orders_in_one_second_share_a_delivery_id(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        for _ in range(3):
            shop.twin.place_order()
        shop.twin.deliver()
        shop.clock.moment += timedelta(seconds=1)
        shop.twin.place_order()
        shop.twin.deliver()
        ids = [heard["X-WC-Webhook-Delivery-ID"] for heard in shop.listener.deliveries]
        assert (len(ids), len(set(ids)), len(set(ids[:3]))) == (4, 2, 1)

    def test_a_process_that_does_not_know_of_tls_says_http(self) -> None:
        with open_shop(cron_scheme="http") as shop:
            shop.subscribe("order.created")
            shop.twin.place_order()
            shop.twin.deliver()
            (heard,) = shop.listener.deliveries
            assert heard["X-WC-Webhook-Source"] == "http://shop.example/"
            assert b"http:\\/\\/shop.example\\/checkout" in heard.body


class TestFailing:
    def orders(self, shop: Shop, count: int) -> int:
        for _ in range(count):
            shop.twin.place_order()
        return shop.twin.deliver()

    def test_nothing_is_tried_again(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.listener.status = 500
        assert self.orders(shop, 1) == 0
        shop.listener.status = 200
        assert (shop.twin.waiting, shop.twin.deliver()) == (0, 0)

    def test_the_seventh_failure_in_a_row_switches_off(self, shop: Shop) -> None:
        number = shop.subscribe("order.created")
        shop.listener.status = 500
        self.orders(shop, 6)
        assert status_of(shop, number) == "active"
        self.orders(shop, 1)
        assert status_of(shop, number) == "disabled"
        assert shop.twin.webhooks[0].failure_count == 6

    def test_switched_on_again_the_very_next_failure_switches_off(self, shop: Shop) -> None:
        number = shop.subscribe("order.created")
        shop.twin.break_subscription()
        assert status_of(shop, number) == "disabled"
        assert self.orders(shop, 1) == 0
        shop.ask("PUT", f"wc/v3/webhooks/{number}", {"status": "active"})
        shop.listener.status = 500
        self.orders(shop, 1)
        assert status_of(shop, number) == "disabled"

    def test_one_success_starts_the_count_anew(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.listener.status = 500
        self.orders(shop, 6)
        shop.listener.status = 200
        self.orders(shop, 1)
        assert shop.twin.webhooks[0].failure_count == 0

    @pytest.mark.parametrize(("status", "failures"), [(204, 0), (301, 0), (302, 0), (303, 1), (307, 1), (404, 1)])
    def test_a_redirect_passes_though_nobody_follows(self, shop: Shop, status: int, failures: int) -> None:
        shop.subscribe("order.created")
        shop.listener.status, shop.listener.location = status, f"https://{OURS}/there"
        self.orders(shop, 1)
        assert shop.twin.webhooks[0].failure_count == failures
        assert {heard.path for heard in shop.listener.heard} == {"/hooks"}

    def test_a_ping_answered_202_is_followed_by_pings_for_ever(self, shop: Shop) -> None:
        shop.listener.status = 202
        shop.subscribe("order.created")
        assert self.orders(shop, 2) == 2
        assert len(shop.listener.pings) == 3
        shop.listener.status = 200
        self.orders(shop, 2)
        assert len(shop.listener.pings) == 4

    @pytest.mark.parametrize("url", [f"https://{OURS}:9706/x", "https://127.0.0.1/x", f"https://a:b@{OURS}/x"])
    def test_other_ports_and_private_hosts_are_active_and_never_reached(self, shop: Shop, url: str) -> None:
        body = {"topic": "order.created", "delivery_url": url, "secret": "s"}
        assert shop.ask("POST", "wc/v3/webhooks", body).json()["status"] == "active"
        assert self.orders(shop, 1) == 0
        assert (shop.listener.heard, shop.twin.webhooks[0].failure_count) == ([], 1)


class TestTheQueue:
    def test_a_quiet_shop_sits_on_its_news_until_somebody_comes_by(self) -> None:
        with open_shop(cron="visits") as shop:
            shop.subscribe("order.created")
            shop.clock.moment += MINUTE
            shop.twin.place_order()
            shop.clock.moment += 150 * MINUTE
            assert (shop.twin.deliver(), shop.twin.waiting) == (0, 1)
            shop.ask("GET", "")
            assert shop.twin.deliver() == 1

    def test_a_visit_helps_once_a_minute(self) -> None:
        with open_shop(cron="visits") as shop:
            shop.subscribe("order.created")
            shop.twin.place_order()
            shop.twin.visit()
            assert shop.twin.deliver() == 0
            shop.clock.moment += MINUTE
            assert shop.ask.page("/wp-cron.php?doing_wp_cron").status_code == 200
            assert shop.twin.deliver() == 1

    def test_hours_of_changes_to_one_order_are_one_delivery(self) -> None:
        with open_shop(cron="visits") as shop:
            shop.subscribe("order.updated")
            number = shop.twin.place_order()
            for _ in range(5):
                shop.clock.moment += timedelta(seconds=10)
                shop.twin.note(number, "Look")
                shop.ask("PUT", f"wc/v3/orders/{number}", {})
            assert shop.twin.waiting == 1

    def test_what_was_queued_before_it_was_switched_off_still_leaves(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.twin.place_order()
        shop.twin.break_subscription()
        assert shop.twin.deliver() == 1
        assert shop.twin.webhooks[0].status == "disabled"

    def test_what_was_queued_for_a_deleted_webhook_is_gone(self, shop: Shop) -> None:
        number = shop.subscribe("order.created")
        shop.twin.place_order()
        shop.ask("DELETE", f"wc/v3/webhooks/{number}?force=true")
        assert shop.twin.deliver() == 0


class TestFaults:
    def test_every_third_is_lost(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.set_fault(lose_every=3)
        for _ in range(7):
            shop.twin.place_order()
        assert shop.twin.deliver() == 5
        assert shop.twin.webhooks[0].failure_count == 0

    def test_silence_loses_all_without_a_word(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.set_fault(silent=True)
        shop.twin.place_order()
        assert (shop.twin.deliver(), shop.listener.deliveries) == (0, [])
        shop.set_fault(silent=False)
        assert shop.twin.deliver() == 0

    def test_duplicates_are_the_same_to_the_last_byte(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.set_fault(duplicate=True)
        shop.twin.place_order()
        shop.twin.deliver()
        first, second = shop.listener.deliveries
        assert (first.body, first.headers) == (second.body, second.headers)

    def test_reordered_news_comes_last_first(self, shop: Shop) -> None:
        shop.subscribe("order.created")
        shop.set_fault(reorder=True)
        placed = [int(shop.twin.place_order()) for _ in range(3)]
        shop.twin.deliver()
        assert [news(heard)[1]["id"] for heard in shop.listener.deliveries] == placed[::-1]


def test_moments_are_the_clocks(shop: Shop) -> None:
    assert shop.twin.site.now() == NOW
