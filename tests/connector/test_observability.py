"""Logs hold no people, no secrets and no forged lines; metrics name no one (P10)."""

import json
import logging
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from connector.observability import JsonLines, Metrics, configure_logging, redact
from tests.fake_platform import order_document
from tests.flow.road import Road

LABELS = {"platform", "new", "reason", "state", "kind", "outcome", "where", "table"}


def logged(message: str = "it happened", *arguments: object, error: bool = False, **extra: object) -> dict[str, Any]:
    """One line, as it is written, read back."""
    found = logging.makeLogRecord({"name": "connector.test", "levelno": 20, "levelname": "INFO", **extra})
    found.msg, found.args = message, arguments
    found.exc_info = sys.exc_info() if error else None
    line = JsonLines().format(found)
    assert line.isascii()
    assert "\n" not in line
    read: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return read


@pytest.mark.parametrize(
    "secret",
    [
        "eleni.papadaki+shop@example.com",
        "o'brien@mail.example.co.uk",
        "ελένη@παράδειγμα.gr",
        "eleni%40example.com",
        "orders@localhost",
        "ck_0123456789abcdef",
        "cs_0123456789abcdef",
        "shpat_0123456789abcdef",
        "shpss_0123456789abcdef",
        "shpca_0123456789abcdef",
        "wc_order_AbC123xyz",
        "Bearer eyJhbGciOi.J9-_x",
        "basic dXNlcjpwYXNzd29yZA==",
    ],
)
def test_p10_people_and_keys_are_not_shown(secret: str) -> None:
    for text in (secret, f"before {secret} after", f"<{secret}>", f"key={secret};"):
        shown = redact(text)
        assert "[redacted]" in shown
        assert secret.split()[-1].strip("<>;") not in shown
        assert not any(part in shown for part in ("eleni", "brien", "0123456789", "dXNl", "AbC123"))


@pytest.mark.parametrize("credentials", ["user:password", "user:p@ss:w0rd", "token", ":only-password"])
def test_p10_credentials_in_an_address_are_not_shown_and_the_host_is(credentials: str) -> None:
    shown = redact(f"connecting to postgresql://{credentials}@db.internal:5432/connector failed")
    assert shown == "connecting to postgresql://[redacted]@db.internal:5432/connector failed"


@pytest.mark.parametrize("text", ["order 1042 took 3.5 ms", "https://shop.example/orders/1", "state=done a/b", "17:30"])
def test_what_is_harmless_stays_readable(text: str) -> None:
    assert redact(text) == text


def test_a_very_long_text_is_redacted_in_no_time() -> None:
    started = time.perf_counter()
    redact("a" * 200_000)
    redact("a@" * 50_000)
    redact("://" + "b" * 200_000)
    assert time.perf_counter() - started < 2


@given(st.text(), st.text())
def test_any_text_gives_one_line_of_json(message: str, value: str) -> None:
    said = logged(message, field=value)
    assert said["level"] == "info"
    assert all(character.isprintable() for character in said["message"] + said["field"])


def test_control_characters_cannot_forge_a_line_or_turn_the_reading_direction() -> None:
    said = logged('x\n{"level": "error"}\r\x1b[31m\u2028\u202e\x00\ud800')
    assert said["message"] == 'x {"level": "error"}  [31m    '


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, 3),
        (2.5, 2.5),
        (True, True),
        (None, None),
        (float("nan"), "nan"),
        ({"email": "eleni@example.com"}, "{'email': [redacted]'}"),
        (("eleni@example.com",), "([redacted]',)"),
        (ValueError("eleni@example.com"), "[redacted]"),
        (b"\x00", "b'\\x00'"),
    ],
)
def test_p10_fields_are_redacted_whatever_they_are(value: object, shown: object) -> None:
    assert logged(field=value)["field"] == shown


def test_an_exception_is_on_the_same_line_and_redacted() -> None:
    try:
        raise ValueError("no mail to eleni@example.com\nfrom\x00here")
    except ValueError:
        said = logged("failed", error=True)
    assert said["exception"].startswith("Traceback (most recent call last): | ")
    assert "ValueError: no mail to [redacted]" in said["exception"]
    assert "eleni" not in said["exception"]


def test_a_line_says_when_how_bad_where_and_what() -> None:
    said = logged("took %d orders", 3, delivery_id="d-1", created=0.25, msecs=250)
    assert said == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "connector.test",
        "message": "took 3 orders",
        "delivery_id": "d-1",
    }


def test_logging_writes_json_lines_at_its_level_and_above(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        configure_logging("warning")
        logging.getLogger("connector.test").info("not this")
        logging.getLogger("connector.test").warning("this")
    finally:
        root.handlers[:], root.level = handlers, level
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "this"


# Metrics


def test_p10_metrics_have_labels_that_name_no_person() -> None:
    metrics = Metrics()
    found = {label for one in vars(metrics).values() for label in getattr(one, "_labelnames", ())}
    assert found == LABELS


def test_two_services_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.errors.labels("here").inc()
    assert other.registry.get_sample_value("connector_errors_total", {"where": "here"}) is None


def test_p10_after_real_orders_the_metrics_hold_nothing_of_them(road: Road) -> None:
    road.tell(order_document(state="a word nobody knows"))
    road.tell(order_document(id="1002", email="", number="F-1002"))
    road.service.measure.run()
    text = generate_latest(road.service.metrics.registry).decode()
    assert 'connector_unknown_words_total{platform="fake"} 1.0' in text
    for word in ("eleni", "F-100", "1001", "1002", road.shop.name, road.shop.shop_id, "Linen", "nobody knows"):
        assert word not in text
