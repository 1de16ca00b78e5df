"""Timeline entries as sentences: every tag has words, and no detail can break them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.status import ShipmentStatus
from connector.domain.timeline import Tag, TimelineEntry
from connector.story import SENTENCES, says_more, sentence
from notifications.formatting import formats
from notifications.reasons import Reason

WRITTEN = formats("en", "UTC")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def entry(tag: Tag, subject: str = "", **details: str) -> TimelineEntry:
    return TimelineEntry(tag, subject, NOW, NOW, details)


def test_every_tag_has_a_sentence() -> None:
    assert SENTENCES.keys() == set(Tag)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            entry(Tag.ORDER_PLACED, total="1234.500", currency="KWD"),
            "The customer placed the order: KWD\u00a01,234.500.",
        ),
        (entry(Tag.REFUND_MADE, "7", amount="12.50", currency="EUR"), "€12.50 was given back."),
        (entry(Tag.SHIPMENT_SHIPPED, "p2"), "Parcel 2 of 3 left."),
        (entry(Tag.SHIPMENT_SHIPPED, "other"), "Parcel other left."),
        (entry(Tag.SHIPMENT_TRACKING, "p1:A:1", numbers="A:1"), "Parcel 1 of 3 has the tracking number A:1."),
        (entry(Tag.SHIPMENT_PROGRESS, "p3:in_transit"), "Parcel 3 of 3 is on its way."),
        (
            entry(Tag.MESSAGE_DECLINED, "x:", kind="payment_received", reason=Reason.TOO_OLD.value),
            "No mail “payment received”. It happened too long ago to be news.",
        ),
        (
            entry(Tag.MESSAGE_WITHDRAWN, "id", kind="shipped", outcome=Reason.TAKEN_BACK.value),
            "Mail “shipped” was not sent after all. The shop took the parcel back.",
        ),
        (entry(Tag.DOCUMENT_ISSUED, "A-1", number="A-1", kind="invoice"), "Invoice A-1 was issued."),
    ],
)
def test_an_entry_is_told_with_its_details(told: TimelineEntry, words: str) -> None:
    assert sentence(told, WRITTEN, ["p1", "p2", "p3"]) == words


def test_an_only_parcel_needs_no_number() -> None:
    assert sentence(entry(Tag.SHIPMENT_DELIVERED, "p1"), WRITTEN, ["p1"]) == "The parcel was delivered."


@given(st.sampled_from(Tag), st.text(max_size=30), st.dictionaries(st.text(max_size=8), st.text(max_size=30)))
def test_whatever_the_details_are_there_is_one_line_to_show(tag: Tag, subject: str, details: dict[str, str]) -> None:
    words = sentence(TimelineEntry(tag, subject, NOW, NOW, details), WRITTEN)
    assert words
    assert "\n" not in words


@pytest.mark.parametrize("status", ShipmentStatus)
def test_progress_that_another_line_tells_is_not_told_again(status: ShipmentStatus) -> None:
    told_elsewhere = status in {ShipmentStatus.UNKNOWN, ShipmentStatus.DELIVERED}
    assert says_more(entry(Tag.SHIPMENT_PROGRESS, f"p1:{status.value}")) is not told_elsewhere
    assert says_more(entry(Tag.SHIPMENT_SHIPPED, "p1"))
