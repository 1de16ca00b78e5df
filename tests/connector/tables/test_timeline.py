"""A timeline only grows, says everything once, and keeps the order in which things were learned."""

from dataclasses import replace
from datetime import timedelta

from connector.database import Database
from connector.domain.timeline import Tag, TimelineEntry
from connector.tables import timeline
from connector.tables.timeline import Learned
from tests.builders import PLACED

ENTRY = TimelineEntry(Tag.ORDER_PLACED, "", PLACED, PLACED + timedelta(hours=1), {"total": "1.00"})


def append(database: Database, *entries: TimelineEntry, order_id: str = "5001") -> None:
    with database.write() as connection:
        timeline.append(database, connection, [Learned("shop-1", order_id, "delivery-1", one) for one in entries])


def story(database: Database, order_id: str = "5001") -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_order(connection, "shop-1", order_id)


def test_an_entry_comes_back_as_it_was_learned(database: Database) -> None:
    append(database, ENTRY)
    assert story(database) == [ENTRY]
    assert story(database, "5002") == []


def test_what_was_said_is_not_said_again_and_not_changed(database: Database) -> None:
    append(database, ENTRY)
    append(database, replace(ENTRY, details={"total": "2.00"}, learned_at=PLACED + timedelta(days=1)))
    append(database, ENTRY, ENTRY)
    assert story(database) == [ENTRY]


def test_a_story_is_told_as_it_was_learned_not_as_it_happened(database: Database) -> None:
    tags = [Tag.SHIPMENT_SHIPPED, Tag.ORDER_PLACED, Tag.ORDER_PAID]
    together = [replace(ENTRY, tag=tag, occurred_at=PLACED - timedelta(hours=place)) for place, tag in enumerate(tags)]
    earlier = replace(ENTRY, tag=Tag.STATUS_UNKNOWN, learned_at=PLACED)
    append(database, *together)
    append(database, earlier)
    assert [entry.tag for entry in story(database)] == [Tag.STATUS_UNKNOWN, *tags]


def test_a_subject_of_any_length_and_any_characters_is_kept_as_far_as_it_fits(database: Database) -> None:
    append(database, replace(ENTRY, subject="parcel-1:\x00" + "N" * 400), replace(ENTRY, subject="\ud800"))
    assert {entry.subject for entry in story(database)} == {"parcel-1:" + "N" * 246, "?"}
