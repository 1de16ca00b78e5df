"""Four senders, told apart by the header that was verified; only one of them is believed as data."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.magento.webhooks import ASYNC_EVENTS, IO_EVENTS
from connector.domain.delivery import Ignored, LookAgain, Subject
from connector.domain.errors import UnreadableDelivery, UnverifiedDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.signing import Secrets
from tests.adapters.magento.papers import (
    ASYNC,
    COMMERCE,
    IO,
    MANIFEST,
    NOW,
    PING,
    credit_memo,
    delivery,
    encoded,
    order,
    parsed,
    shipment,
    shop,
    signed,
)
from webhooks.verification import KeyNotYetKnown, sign, sign_rsa, verify

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
KEY_PATH = "/prod/keys/pub-key-abc_DEF-1.pem"
SECRETS = Secrets(shared=("s3cret",), public_keys={KEY_PATH: PEM}, audiences=("client-1",))
EVENT = encoded({"recipient_client_id": "client-1", "event_id": "e-1"})


def verified(headers: Mapping[str, str], body: bytes, secrets: Secrets = SECRETS) -> bytes:
    """The reply's body."""
    return verify(MANIFEST.signatures, headers, body, secrets).body


def io_headers(body: bytes, path: str = KEY_PATH) -> dict[str, str]:
    return {"x-adobe-digital-signature-2": sign_rsa(IO_EVENTS, body, KEY), "x-adobe-public-key2-path": path}


def test_async_events_sign_the_raw_bytes_in_hex() -> None:
    body = b'{"data":{"a":"caf\\u00e9 \\/ tea"}}'
    headers = {"x-magento-signature": sign(ASYNC_EVENTS, body, "s3cret")}
    assert verified(headers, body) == b""
    with pytest.raises(UnverifiedDelivery):
        verified(headers, body.replace(b"\\/", b"/"))


def test_a_fixed_secret_comes_in_its_own_header_or_as_basic_or_bearer() -> None:
    basic = "Basic " + base64.b64encode(b"anyone:s3cret").decode()
    for headers in ({"x-connector-secret": "s3cret"}, {"authorization": basic}, {"authorization": "Bearer s3cret"}):
        assert verified(headers, b"{}") == b""
    with pytest.raises(UnverifiedDelivery):
        verified({"x-connector-secret": "guess"}, b"{}")


def test_adobes_key_signs_for_everybody_so_the_body_must_name_us() -> None:
    verified(io_headers(EVENT), EVENT)
    for stranger in (encoded({"recipient_client_id": "client-2"}), encoded([{"recipientclientid": "client-1"}, {}])):
        with pytest.raises(UnverifiedDelivery):
            verified(io_headers(stranger), stranger)


def test_adobes_keys_come_only_from_its_own_folder() -> None:
    with pytest.raises(KeyNotYetKnown) as unknown:
        verified(io_headers(EVENT, "/prod/keys/pub-key-other.pem"), EVENT)
    assert unknown.value.url == "https://static.adobeioevents.com/prod/keys/pub-key-other.pem"
    for path in ("/prod/keys/../pub-key-x.pem", "//evil.example/prod/keys/pub-key-x.pem", "/prod/keys/pub-key-x.pem\n"):
        with pytest.raises(UnverifiedDelivery):
            verified(io_headers(EVENT, path), EVENT)


def test_a_commerce_webhook_gets_the_answer_a_checkout_waits_for() -> None:
    headers = {"x-adobe-commerce-webhook-signature": sign_rsa(IO_EVENTS, base64.b64encode(b"{}"), KEY)}
    reply = verify(MANIFEST.signatures, headers, b"{}", SECRETS)
    assert (reply.status, reply.body, reply.content_type) == (200, b'{"op":"success"}', "application/json")


def test_adobes_question_at_registration_is_answered() -> None:
    assert MANIFEST.challenge is not None
    assert MANIFEST.challenge.parameter == "challenge"


def test_only_async_events_are_believed_as_data() -> None:
    assert isinstance(parsed(ASYNC, {"data": order()}), OrderSnapshot)
    for headers in (PING, COMMERCE, {"authorization": "checked-before"}, {}):
        assert isinstance(parsed(headers, {"data": order()}, "sales.order.created"), LookAgain)


def test_a_signed_document_may_come_without_its_envelope() -> None:
    assert parsed(ASYNC, order()) == signed(order())


def test_a_post_is_read_as_what_its_verified_header_says_whatever_other_headers_it_has() -> None:
    assert isinstance(parsed(IO | PING, {"type": "x.sales_order_save_after", "data": order()}), LookAgain)
    assert isinstance(parsed(PING | ASYNC, {"data": order()}), OrderSnapshot)


def test_the_document_tells_what_it_is_even_at_an_address_for_another_event() -> None:
    memo = signed(credit_memo(), "sales.order.created")
    assert signed(credit_memo()) == memo
    assert signed(shipment(), "sales.order.created") == signed(shipment())


def test_an_invoice_is_a_hint_at_its_order() -> None:
    invoice = {"entity_id": 41, "increment_id": "41", "order_id": 7, "total_qty": 1, "grand_total": 9, "state": 2}
    assert signed(invoice) == LookAgain(Subject.ORDER, "7", "7", "invoice 41 was made or paid")


def test_events_that_are_not_about_orders_are_ignored() -> None:
    assert isinstance(signed({"id": 3, "email": "mira@example.test"}, "customer.created"), Ignored)
    with pytest.raises(UnreadableDelivery, match="no document we know"):
        signed({"id": 3, "email": "mira@example.test"})


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":[1]}', b'{"data":[]}', b'{"data":"x"}', b'{"order":{}}'])
def test_a_signed_body_without_a_document_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableDelivery):
        MANIFEST.parse(delivery(ASYNC, body), shop())


def test_the_same_document_is_the_same_news() -> None:
    body = encoded({"data": order()})
    first = delivery(ASYNC, body)
    later = replace(first, received_at=NOW + timedelta(hours=1), headers=ASYNC | {"x-request-id": "2"})
    assert MANIFEST.idempotency_key(first) == MANIFEST.idempotency_key(later)
    assert MANIFEST.idempotency_key(first) != MANIFEST.idempotency_key(replace(first, body=body + b" "))


@pytest.mark.parametrize("headers", [PING, COMMERCE])
def test_a_ping_means_look_again_each_time_though_its_bytes_repeat(headers: dict[str, str]) -> None:
    first = delivery(headers, b'{"event":"order","id":7}')
    soon = replace(first, received_at=NOW + timedelta(milliseconds=20))
    later = replace(first, received_at=NOW + timedelta(minutes=2))
    assert len({MANIFEST.idempotency_key(one) for one in (first, soon, later)}) == 3


def test_pings_at_addresses_of_different_events_are_different_news() -> None:
    keys = {MANIFEST.idempotency_key(delivery(PING, b'{"id":7}', event)) for event in ("order", "shipment", "\ud800")}
    assert len(keys) == 3


def test_adobes_events_are_known_by_the_ids_in_the_signed_body() -> None:
    def key(document: object, header: str = "1") -> str:
        return MANIFEST.idempotency_key(delivery(IO | {"x-adobe-event-id": header}, encoded(document)))

    assert key({"event_id": "a", "time": "1"}) == key({"eventid": "a", "time": "2"}, "2")
    assert key({"event_id": "a"}) != key({"event_id": "b"})
    assert key([{"event_id": "a"}, {"event_id": "b"}]) != key({"event_id": "a"})
    assert key({"time": "1"}) != key({"time": "2"})
    assert key("no event") != key([])
