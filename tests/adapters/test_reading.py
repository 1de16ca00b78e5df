"""Reading documents: exact, tolerant where a platform is, and refusing by path."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reading import LONGEST_TEXT, MOST_ITEMS, Reader, cleaned, read_json, read_object
from connector.domain.errors import UnreadableDelivery

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b'{"a": Infinity}',
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b'{"a":1}x',
        b"1e99999999999999999999",
        b"9" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'["\\ud800", NaN]',
        b'"\\ud800' + b"[" * 100_000,
    ],
)
def test_what_is_not_json_is_refused_and_nothing_else_is_raised(body: bytes) -> None:
    with pytest.raises(UnreadableDelivery):
        read_json(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnreadableDelivery):
        read_json(body)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null"])
def test_a_document_must_be_an_object(body: bytes) -> None:
    with pytest.raises(UnreadableDelivery, match="a JSON object"):
        read_object(body)


def test_a_fraction_is_never_a_float() -> None:
    assert read_object(b'{"a": 15.880}').amount("a") == Decimal("15.880")
    assert str(read_object(b'{"a": 15.880}').amount("a")) == "15.880"
    assert str(read_object(b'{"a": 3.3333333333333335}').amount("a")) == "3.3333333333333335"


def test_of_a_doubled_key_the_last_value_counts() -> None:
    assert read_object(b'{"a": "first", "a": "last"}').text("a") == "last"


def test_half_a_surrogate_pair_and_nul_do_not_cost_the_document() -> None:
    document = read_object(b'{"note": "a\\ud83dz\\u0000!", "whole": "\\ud83d\\ude00", "total": 1.10}')
    assert document.text("note") == "a\ufffdz!"
    assert document.text("whole") == "😀"
    assert str(document.amount("total")) == "1.10"


@given(st.text(st.characters(categories=["Cs", "L", "Cc"])))
def test_cleaned_text_can_always_be_written(words: str) -> None:
    assert "\x00" not in cleaned(words)
    cleaned(words).encode()


def test_strange_text_passes_through_unchanged() -> None:
    words = '<b>&amp;"\r\n\u202eevil\u202c 😀 \u05d0'
    assert Reader({"a": words}).text("a") == words


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**11), max_value=10**11))
def test_an_amount_keeps_its_places_as_text_and_as_number(amount: Decimal) -> None:
    for body in (json.dumps({"a": str(amount)}), f'{{"a": {amount}}}'):
        assert format(read_object(body.encode()).amount("a"), "f") == format(amount, "f")


@given(json_values)
def test_an_amount_is_finite_and_small_or_refused(value: object) -> None:
    try:
        amount = Reader({"a": value}).amount_if_any("a")
    except UnreadableDelivery:
        return
    assert amount is None or len(format(amount, "f")) < 50


@pytest.mark.parametrize("number", ["1e400", "1e999999999", "1" * 16, "1" * 4300, "0.1e-30", "1." + "3" * 40])
def test_a_number_no_sum_can_hold_is_refused(number: str) -> None:
    with pytest.raises(UnreadableDelivery, match=r"^a: "):
        read_object(f'{{"a": {number}}}'.encode()).amount("a")


@pytest.mark.parametrize(
    ("number", "text"), [("1E+2", "100"), ("1.0E-5", "0.000010"), ("0e3", "0"), ("-0.00", "-0.00")]
)
def test_an_exponent_is_written_out(number: str, text: str) -> None:
    assert format(read_object(f'{{"a": {number}}}'.encode()).amount("a"), "f") == text


@pytest.mark.parametrize("value", ["1,50", "NaN", "Infinity", "sNaN", "١٢", "1_000", " 1", True, [], {}, None, ""])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(UnreadableDelivery, match="decimal"):
        Reader({"a": value}).amount("a")


def test_the_whole_path_is_named_and_the_value_is_not() -> None:
    document = Reader({"lines": [{}, {"tax": {"total": "Jörg"}}]})
    line = document.items("lines")[1]
    with pytest.raises(UnreadableDelivery) as caught:
        line.part("tax").amount("total")
    assert caught.value.field == "lines[1].tax.total"
    assert "Jörg" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "", False])
def test_what_is_not_there_is_empty_text(value: object) -> None:
    assert Reader({"a": value}).text("a") == ""
    assert Reader({}).text("a") == ""
    assert Reader({"a": value}).text("a.b.c") == ""


@pytest.mark.parametrize("value", [True, [], {}, ["a"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(UnreadableDelivery, match="a: it is"):
        Reader({"a": value}).text("a")


def test_a_very_long_text_is_cut() -> None:
    assert len(Reader({"a": "x" * 10 * LONGEST_TEXT}).text("a")) == LONGEST_TEXT


@pytest.mark.parametrize("value", [None, "", "  ", True, 1.5, [], {}, "x" * 201, "a\nb", "a\x00", "a\ud800"])
def test_what_is_no_key_is_refused(value: object) -> None:
    with pytest.raises(UnreadableDelivery):
        Reader({"a": value}).key("a")


def test_a_key_is_text_whether_it_came_as_number_or_text() -> None:
    assert Reader({"a": 15}).key("a") == Reader({"a": "15"}).key("a") == "15"


@pytest.mark.parametrize(
    "words",
    [
        "2026-11-21T20:08:37Z",
        "2026-11-21 20:08:37",
        "2026-11-21T21:08:37+01:00",
        "2026-11-21T21:08:37+0100",
        "2026-11-21T20:08:37",
        "2026-11-21 20:08:37 UTC",
        "2026-11-21t20:08:37z",
        "2026-11-21T20:08:37.000000Z",
    ],
)
def test_a_moment_is_aware_and_in_utc(words: str) -> None:
    moment = Reader({"a": words}).moment("a")
    assert moment == datetime(2026, 11, 21, 20, 8, 37, tzinfo=UTC)
    assert moment.tzinfo is UTC


def test_a_moment_without_offset_means_the_zone_that_is_said() -> None:
    moment = Reader({"a": "2026-07-01T12:00:00"}).moment("a", ZoneInfo("Europe/Berlin"))
    assert moment == datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "", False, "0000-00-00 00:00:00", "-0001-11-30T00:00:00"])
def test_a_zero_date_is_no_moment(value: object) -> None:
    assert Reader({"a": value}).moment_if_any("a") is None
    with pytest.raises(UnreadableDelivery, match="missing"):
        Reader({"a": value}).moment("a")


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2026-13-01",
        "2026-02-30T00:00:00Z",
        "20261121",
        "2026-W47",
        "0001-01-01T00:00:00+14:00",
        1795291091,
        "9999-12-31T23:59:59-12:00",
        "2026-11-21T25:00:00",
        [],
        {},
        True,
        "٢٠٢٦-11-21",
    ],
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(UnreadableDelivery, match="ISO 8601"):
        Reader({"a": value}).moment_if_any("a")


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (1, True), ("1", True), ("yes", True), ("False", False), (0, False), ("", False), (None, False)],
)
def test_a_flag_comes_in_many_clothes(value: object, meant: bool) -> None:
    assert Reader({"a": value}).flag("a") is meant


@pytest.mark.parametrize("value", ["maybe", 2, [], Decimal("1.0")])
def test_what_is_no_flag_is_refused(value: object) -> None:
    with pytest.raises(UnreadableDelivery, match="true or false"):
        Reader({"a": value}).flag("a")


def test_php_writes_an_empty_object_as_a_list_and_back() -> None:
    assert Reader({"a": []}).part("a").document == {}
    assert Reader({"a": []}).text("a.b") == ""
    assert Reader({"a": {}}).items("a") == []


def test_a_list_has_a_limit_and_only_objects_where_objects_are_read() -> None:
    with pytest.raises(UnreadableDelivery, match="entries"):
        Reader({"a": [{}] * (MOST_ITEMS + 1)}).items("a")
    with pytest.raises(UnreadableDelivery, match=r"a\[1\]: it is a number"):
        Reader({"a": [{}, 1]}).items("a")
    with pytest.raises(UnreadableDelivery, match="a list"):
        Reader({"a": "text"}).items("a")
    with pytest.raises(UnreadableDelivery, match="an object"):
        Reader({"a": "text"}).part("a")


def test_texts_are_the_words_of_a_list() -> None:
    assert Reader({"a": ["x", "", None, 7]}).texts("a") == ("x", "7")
    with pytest.raises(UnreadableDelivery, match=r"^a\[0\]: it is an object"):
        Reader({"a": [{}]}).texts("a")


def test_has_tells_what_there_is_to_read() -> None:
    assert Reader({"a": 0}).has("a")
    assert not Reader({"a": ""}).has("a")
    assert not Reader({}).has("a.b")
