"""Which deliveries WooCommerce sends, and what each is worth."""

import json
from datetime import UTC, datetime

import pytest

from adapters.woocommerce import MANIFEST
from adapters.woocommerce.webhooks import read as adapter_read
from connector.domain.delivery import Delivery, Ignored, LookAgain, ShopEvent, ShopEventKind, Source, Subject, Update
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.signing import HmacSignature, Secrets
from tests.adapters.woocommerce.documents import (
    RECEIVED,
    RICH,
    SHOP,
    answered,
    delivered,
    document,
    order,
    read,
    recorded,
)
from webhooks.verification import is_ping, sign, verify

GONE = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}


def test_a_secret_is_freed_of_html_entities_before_it_signs() -> None:
    body = recorded(f"{RICH}__order.created").body
    (signature,) = MANIFEST.signatures
    assert isinstance(signature, HmacSignature)
    headers = {"x-wc-webhook-signature": sign(signature, body, "a&b'c")}
    reply = verify(MANIFEST.signatures, headers, body, Secrets(shared=("a&amp;b&#039;c",)))
    assert (reply.status, reply.body) == (200, b"")


def test_the_ping_is_an_unsigned_form_and_is_answered_with_exactly_200() -> None:
    ping = recorded("ping")
    assert MANIFEST.ping is not None
    assert is_ping(MANIFEST.ping, ping.headers, ping.body)
    assert MANIFEST.ping.reply.status == 200
    assert isinstance(read(ping.body), Ignored)


@pytest.mark.parametrize("body", [b"webhook_id=17&x=1", b"webhook_id=a", b"webhook_id=17\n", b"webhook_id"])
def test_only_the_ping_itself_is_taken_for_it(body: bytes) -> None:
    with pytest.raises(UnreadableDelivery):
        read(body)


def test_created_and_updated_with_the_same_bytes_are_one_piece_of_news() -> None:
    created, updated = recorded(f"{RICH}__order.created"), recorded(f"{RICH}__order.updated")
    assert created.body == updated.body
    assert MANIFEST.idempotency_key(created) == MANIFEST.idempotency_key(updated)


def test_a_delivery_id_shared_by_two_orders_loses_neither() -> None:
    one, other = delivered(document(id=15), "same"), delivered(document(id=16), "same")
    assert MANIFEST.idempotency_key(one) != MANIFEST.idempotency_key(other)


@pytest.mark.parametrize("body", [{"action": "woocommerce_order_refunded", "arg": 15}, {"id": 23}, GONE])
def test_what_repeats_its_bytes_is_told_apart_by_delivery(body: object) -> None:
    first, second, again = delivered(body, "d-1"), delivered(body, "d-2"), delivered(body, "d-1")
    assert MANIFEST.idempotency_key(first) != MANIFEST.idempotency_key(second)
    assert MANIFEST.idempotency_key(first) == MANIFEST.idempotency_key(again)


def test_the_unsigned_topic_decides_nothing() -> None:
    genuine = recorded("to_trash-trash__order.deleted")
    headers = {**genuine.headers, "x-wc-webhook-topic": "order.created", "x-wc-webhook-event": "created"}
    renamed = delivered(genuine.body)
    assert MANIFEST.parse(renamed, SHOP) == MANIFEST.parse(genuine, SHOP)
    assert "x-wc-webhook-topic" in headers
    assert MANIFEST.parse(type(genuine)("woocommerce", headers, genuine.body, genuine.received_at), SHOP) == (
        LookAgain(Subject.ORDER, "23", "23", "the order was moved to the trash"),
    )


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft", "trash"])
def test_what_is_no_order_yet_or_any_more_is_ignored(status: str) -> None:
    update = read(document(status=status))
    assert isinstance(update, Ignored)
    assert update.order_id == "15"
    assert status in update.reason


@pytest.mark.parametrize("argument", [[], {}, None, "abc", True, 1.5, -3, "", "²", "1" * 300])
def test_an_action_about_an_object_names_no_order(argument: object) -> None:
    assert isinstance(read({"action": "woocommerce_fulfillment_after_create", "arg": argument}), Ignored)


def test_an_action_carries_the_order_id() -> None:
    assert read({"action": "woocommerce_order_refunded", "arg": 15}) == LookAgain(
        Subject.ORDER, "15", "15", "woocommerce_order_refunded happened"
    )


def test_a_signed_error_says_what_to_do() -> None:
    with pytest.raises(UnreadableDelivery, match="deleted for good"):
        read(GONE)
    with pytest.raises(UnreadableDelivery, match="with an unusual code"):
        read({"code": "<b>Jörg</b>", "message": ""})


def test_a_webhook_whose_owner_lost_the_rights_tells_that_access_is_lost() -> None:
    event = read(recorded("webhook_owner_without_rights__order.created").body)
    assert isinstance(event, ShopEvent)
    assert (event.kind, event.occurred_at) == (ShopEventKind.ACCESS_LOST, RECEIVED)
    assert "connect the shop again" in event.words


def _swept(body: object) -> tuple[Update, ...]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return adapter_read(Delivery("woocommerce", {}, content, RECEIVED, "order", Source.SWEEP), SHOP)


def test_a_document_of_a_sweep_is_an_order_with_what_stands_beside_it() -> None:
    order_alone = document("fulfillment_create_fulfilled_notify__order.updated")
    told, hint = _swept(order_alone)
    assert isinstance(told, OrderSnapshot)
    assert isinstance(hint, LookAgain)
    assert _swept({"order": order_alone, "refunds": []})[1:] == (hint,)
    (whole,) = _swept({"order": order_alone, "fulfillments": []})
    assert isinstance(whole, OrderSnapshot)
    assert whole.shipments_are_complete


def test_a_refund_has_its_own_date_where_the_api_told_it() -> None:
    refunded = document(f"{RICH}-partial_refund__order.updated")
    refund_id = refunded["refunds"][0]["id"]
    dates = [{"id": refund_id, "date_created_gmt": "2026-11-20T08:00:00"}, {"id": 999, "date_created_gmt": None}]
    (told,) = _swept({"order": refunded, "refunds": dates})
    assert isinstance(told, OrderSnapshot)
    assert told.refunds[0].refunded_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [{}, {"order": {}}, {"order": document(), "x": 1}, {"order": [], "refunds": [1]}, b"["]
)
def test_a_document_of_a_sweep_that_is_none_is_refused(body: object) -> None:
    with pytest.raises(UnreadableDelivery):
        _swept(body)


@pytest.mark.parametrize("body", [{}, [], {"id": 1, "status": "x"}, {"order": document()}, {"code": []}, {"id": None}])
def test_any_other_shape_is_refused(body: object) -> None:
    with pytest.raises(UnreadableDelivery):
        read(body)


def test_with_core_fulfillments_the_order_is_told_and_looked_at_again() -> None:
    told, hint = MANIFEST.parse(recorded("fulfillment_create_fulfilled_notify__order.updated"), SHOP)
    assert isinstance(told, OrderSnapshot)
    assert not told.shipments_are_complete
    assert isinstance(hint, LookAgain)
    assert hint.order_id == "41"


def test_an_answer_is_the_order_of_the_hint() -> None:
    assert answered(document()) == order()
    with pytest.raises(UnreadableDelivery, match="another order"):
        answered(document(), order_id="16")
    with pytest.raises(UnreadableDelivery, match="another order"):
        answered({"order": document(status="trash"), "fulfillments": []}, order_id="16")


def test_an_order_that_is_gone_is_no_error() -> None:
    assert answered(GONE) == Ignored("the order no longer exists in the shop", "15")


def test_any_other_error_answer_is_one() -> None:
    with pytest.raises(UnreadableDelivery, match="woocommerce_rest_authentication_error"):
        answered({"code": "woocommerce_rest_authentication_error", "message": "Consumer secret is invalid."})
