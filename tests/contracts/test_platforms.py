"""What every platform adapter promises, held against its own recorded deliveries, whole, cut and mutilated."""

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.domain.delivery import Delivery, Ignored, LookAgain, RefundUpdate, ShipmentUpdate, ShopEvent, Update
from connector.domain.errors import UnreadableDelivery, UnverifiedDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.record import OrderRecord, apply
from connector.domain.signing import RsaSignature, Secrets, StaticSecret
from connector.inspection import describe, inspect
from tests.contracts.documents import encoded, json_values, leaves, mutilated, with_text_replaced, written
from tests.contracts.platforms import ADAPTERS, RECEIVED, Platform, Sample, load, names, sample_names
from webhooks.verification import KeyNotYetKnown, is_ping, verify

HOSTILE = '<script>alert(1)</script> & "quotes" \u202egnirts\u202c {{ 7*7 }} \r\nBcc: x@example.test 😀'
UNSIGNED_IDS = re.compile(r"delivery|webhook-id|event-id|request-id|triggered-at")
MONEY_AND_GOODS = (OrderSnapshot, ShipmentUpdate, RefundUpdate)

each_platform = pytest.mark.parametrize("name", names())
each_sample = pytest.mark.parametrize(
    ("name", "stem"), [(name, stem) for name in names() for stem in sample_names(name)]
)
each_answer = pytest.mark.parametrize(
    ("name", "stem"),
    [
        (name, stem)
        for name in names()
        for stem in sample_names(name)
        if name == "fake" or (ADAPTERS / name / "samples" / f"{stem}.answer.json").exists()
    ],
)
few = settings(max_examples=40, deadline=None)


@each_platform
def test_a_manifest_is_complete_and_has_samples(name: str) -> None:
    platform = load(name)
    assert platform.manifest.name == name
    assert platform.samples
    assert platform.manifest.traits.redelivers_for_hours >= 0
    for signature in platform.manifest.signatures:
        headers = signature.signature_headers if isinstance(signature, RsaSignature) else signature.headers
        assert headers == tuple(header.lower() for header in headers)


@each_platform
def test_every_test_a_readme_names_exists(name: str) -> None:
    if name == "fake":
        return
    named = re.findall(r"`(test_\w+)`", (ADAPTERS / name / "README.md").read_text("utf-8"))
    tests = ADAPTERS.parent / "tests" / "adapters" / name
    written = "\n".join(path.read_text("utf-8") for path in tests.glob("test_*.py"))
    assert named
    assert [one for one in named if f"def {one}(" not in written] == []


@each_sample
def test_a_recorded_delivery_is_understood_as_expected(name: str, stem: str) -> None:
    platform, sample = load(name), load(name).samples[stem]
    assert inspect(platform.manifest, sample.delivery, platform.shop) == sample.expected


@each_answer
def test_an_answer_to_a_hint_is_understood_as_expected(name: str, stem: str) -> None:
    platform, sample = load(name), load(name).samples[stem]
    if sample.answer is not None:
        assert inspect(platform.manifest, sample.delivery, platform.shop, sample.answer) == sample.resolved


@each_sample
def test_a_recorded_delivery_holds_with_its_secrets_and_with_nothing_else(name: str, stem: str) -> None:
    platform, sample = load(name), load(name).samples[stem]
    headers, body = sample.delivery.headers, sample.delivery.body
    if is_ping(platform.manifest.ping, headers, body):
        assert not _holds(platform, headers, body, platform.secrets)
        return
    assert _holds(platform, headers, body, platform.secrets)
    assert not _holds(platform, headers, body, Secrets())
    assert not _holds(
        platform, headers, body, Secrets(shared=("another secret",), audiences=platform.secrets.audiences)
    )
    assert not _holds(platform, {}, body, platform.secrets)
    if not _proves_only_the_sender(platform, sample):
        assert not any(_holds(platform, headers, changed, platform.secrets) for changed in _one_byte_changed(body))


@each_platform
@few
@given(body=st.binary(max_size=300))
def test_any_bytes_are_understood_or_refused(name: str, body: bytes) -> None:
    platform = load(name)
    for sample in list(platform.samples.values())[:3]:
        _parse_or_refuse(platform, dataclasses.replace(sample.delivery, body=body))


@each_platform
@few
@given(document=json_values)
def test_any_json_is_understood_or_refused(name: str, document: object) -> None:
    platform = load(name)
    for sample in list(platform.samples.values())[:3]:
        _parse_or_refuse(platform, dataclasses.replace(sample.delivery, body=encoded(document)))


@each_platform
@few
@given(data=st.data())
def test_a_mutilated_sample_is_understood_or_refused(name: str, data: st.DataObject) -> None:
    platform = load(name)
    sample = platform.samples[data.draw(st.sampled_from(sorted(platform.samples)))]
    body = data.draw(mutilated(sample.delivery.body))
    _parse_or_refuse(platform, dataclasses.replace(sample.delivery, body=body))


@each_platform
@few
@given(data=st.data())
def test_a_mutilated_answer_is_understood_or_refused(name: str, data: st.DataObject) -> None:
    platform = load(name)
    answered = {stem: sample for stem, sample in platform.samples.items() if sample.answer is not None}
    if not answered:
        pytest.skip("no answers are recorded")
    sample = answered[data.draw(st.sampled_from(sorted(answered)))]
    hint = platform.manifest.parse(sample.delivery, platform.shop)[-1]
    assert isinstance(hint, LookAgain)
    with suppress(UnreadableDelivery):
        _check(platform.manifest.resolve(hint, data.draw(mutilated(sample.answer or b"")), platform.shop))


@each_platform
@pytest.mark.parametrize("opening", [b"[", b'{"id":', b'[{"data":'])
def test_very_deep_json_is_refused_cleanly(name: str, opening: bytes) -> None:
    platform = load(name)
    for sample in platform.samples.values():
        delivery = dataclasses.replace(sample.delivery, body=opening * 100_000)
        platform.manifest.idempotency_key(delivery)
        with pytest.raises(UnreadableDelivery):
            platform.manifest.parse(delivery, platform.shop)


@each_platform
def test_a_large_order_is_understood_like_a_small_one(name: str) -> None:
    platform = load(name)
    for sample, document in _orders(platform):
        document["connector_test_padding"] = [{"words": "x" * 100} for _ in range(3_000)]
        large = dataclasses.replace(sample.delivery, body=encoded(document))
        assert len(large.body) > 300_000
        assert inspect(platform.manifest, large, platform.shop)["lines"] == sample.expected["lines"]


@each_platform
def test_what_a_stranger_typed_passes_through_unchanged_but_can_always_be_written(name: str) -> None:
    platform = load(name)
    for sample, document in _orders(platform):
        typed = sample.expected["lines"][0]["name"]
        for words, kept in ((HOSTILE, HOSTILE), ("a\x00b\ud800c", "ab\ufffdc")):
            body = encoded(with_text_replaced(document, typed, words))
            lines = inspect(platform.manifest, dataclasses.replace(sample.delivery, body=body), platform.shop)["lines"]
            assert kept in lines[0]["name"]


@each_platform
def test_the_platforms_money_keeps_its_places_p6(name: str) -> None:
    platform = load(name)
    for sample, document in _orders(platform):
        texts = {written(value) for value in leaves(document) if isinstance(value, str | int | float | Decimal)}
        assert sample.expected["total"] in texts
        assert sample.expected["currency"] in texts


@each_platform
def test_the_same_news_has_one_key_whatever_its_delivery_is_called(name: str) -> None:
    platform = load(name)
    for sample in platform.samples.values():
        update = _first_update(platform, sample.delivery)
        if isinstance(update, MONEY_AND_GOODS):
            renamed = {
                key: "fresh" if UNSIGNED_IDS.search(key) else word for key, word in sample.delivery.headers.items()
            }
            again = dataclasses.replace(sample.delivery, headers=renamed)
            assert platform.manifest.idempotency_key(again) == platform.manifest.idempotency_key(sample.delivery)


@each_platform
def test_different_news_has_different_keys(name: str) -> None:
    platform = load(name)
    keys: dict[str, bytes] = {}
    for sample in platform.samples.values():
        body = sample.delivery.body
        assert keys.setdefault(platform.manifest.idempotency_key(sample.delivery), body) == body


@each_platform
@few
@given(body=st.binary(max_size=100), word=st.text(max_size=400))
def test_a_key_is_short_whatever_comes(name: str, body: bytes, word: str) -> None:
    platform = load(name)
    for sample in list(platform.samples.values())[:3]:
        headers = dict.fromkeys(sample.delivery.headers, word)
        for candidate in (body, sample.delivery.body):
            key = platform.manifest.idempotency_key(Delivery(name, headers, candidate, RECEIVED, word))
            assert 0 < len(key) <= 128
            key.encode()


@each_platform
def test_an_order_ends_the_same_in_whatever_order_its_news_comes_p3(name: str) -> None:
    platform = load(name)
    by_order: dict[str, list[Any]] = {}
    for sample in platform.samples.values():
        update = _first_update(platform, sample.delivery)
        if isinstance(update, MONEY_AND_GOODS) and update not in by_order.setdefault(update.order_id, []):
            by_order[update.order_id].append(update)
    for order_id, updates in by_order.items():
        endings = [_ending(order_id, shuffled) for shuffled in itertools.islice(_orderings(updates), 40)]
        assert all(ending == endings[0] for ending in endings)


def _holds(platform: Platform, headers: Any, body: bytes, secrets: Secrets) -> bool:
    try:
        verify(platform.manifest.signatures, headers, body, secrets)
    except (UnverifiedDelivery, KeyNotYetKnown):
        return False
    return True


def _proves_only_the_sender(platform: Platform, sample: Sample) -> bool:
    return any(
        isinstance(signature, StaticSecret) and any(header in sample.delivery.headers for header in signature.headers)
        for signature in platform.manifest.signatures
    )


def _one_byte_changed(body: bytes) -> Iterator[bytes]:
    for position in (0, len(body) // 2, len(body) - 1):
        yield body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
    yield body + b" "
    yield body[:-1]


def _parse_or_refuse(platform: Platform, delivery: Delivery) -> None:
    platform.manifest.idempotency_key(delivery)
    try:
        updates = platform.manifest.parse(delivery, platform.shop)
    except UnreadableDelivery as error:
        str(error).encode()
        return
    assert updates
    for update in updates:
        _check(update)


def _check(update: Update) -> None:
    """Whatever was understood can be stored, shown and applied."""
    json.dumps(describe(update), ensure_ascii=False).encode()
    for value in _values(update):
        if isinstance(value, datetime):
            assert value.tzinfo is not None
            assert value.utcoffset() == timedelta(0)
        elif isinstance(value, Decimal):
            assert value.is_finite()
            assert len(format(value, "f")) < 60
        elif isinstance(value, str):
            assert "\x00" not in value
            value.encode()
    if not isinstance(update, LookAgain | Ignored | ShopEvent):
        apply(OrderRecord("shop-1", update.order_id), update, RECEIVED)


def _values(value: object) -> Iterator[object]:
    """Every value inside a dataclass."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _values(getattr(value, field.name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from _values(inner)
    elif not isinstance(value, Enum):
        yield value


def _first_update(platform: Platform, delivery: Delivery) -> Update | None:
    try:
        return platform.manifest.parse(delivery, platform.shop)[0]
    except UnreadableDelivery:
        return None


def _orders(platform: Platform) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """The samples that are one order with lines, with their documents to change."""
    found = False
    for sample in platform.samples.values():
        if sample.expected["kind"] == "order" and sample.expected["lines"]:
            document = json.loads(sample.delivery.body, parse_float=Decimal)
            if isinstance(document, dict):
                found = True
                yield sample, document
    if not found:
        pytest.skip("no delivery of this platform holds one whole order")


def _orderings(updates: list[Any]) -> Iterator[list[Any]]:
    """As recorded, backwards, each one last, and then the others."""
    yield updates
    yield updates[::-1]
    for position in range(len(updates)):
        yield [*updates[:position], *updates[position + 1 :], updates[position]]
    for permutation in itertools.permutations(updates):
        yield list(permutation)


def _ending(order_id: str, updates: list[Any]) -> object:
    """What is known of an order in the end; a parcel that was taken back may also never have been heard of."""
    record = OrderRecord("shop-1", order_id)
    learned_at = datetime(2026, 12, 1, tzinfo=UTC)
    for update in updates:
        record = apply(record, update, learned_at).record
    assert all(apply(record, update, learned_at).entries == () for update in updates)
    parcels = {parcel.shipment_id: (parcel.status, parcel.tracking) for parcel in record.parcels}
    return record.snapshot, parcels, {refund.refund_id: refund.amount for refund in record.refunds}
