"""From a posted document to what the customer reads: the main job, and the ways it could go wrong."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest
import sqlalchemy as sa

from connector.database import Database
from connector.domain.delivery import LookAgain
from connector.domain.errors import Permanent, Retryable, Uncertain
from connector.domain.record import OrderRecord
from connector.domain.shop import Shop, Voice
from connector.domain.timeline import Tag
from connector.flow.look_again import MOST_QUESTIONS
from connector.flow.process_inbox import MOST_ATTEMPTS
from connector.tables import inbox, orders
from notifications import history
from notifications.outbox import OutboxState
from tests import fake_platform
from tests.builders import shop as build_shop
from tests.fake_platform import order_document, refund_document, shipment_document
from tests.flow.road import NOW, Road

LATER = "2026-11-20T09:40:00Z"
LATEST = "2026-11-20T09:50:00Z"


def test_a_paid_order_becomes_one_mail_with_its_invoice_in_the_customers_language(road: Road) -> None:
    road.tell(order_document())
    assert road.kinds() == ["order_received"]
    (mail,) = road.mails
    assert mail.locale == "el"
    assert mail.recipient_address == "eleni@example.test"
    assert [file.content_type for file in mail.attachments] == ["application/pdf"]
    assert road.declined() == {"payment_received": "told_together"}
    assert road.snapshot().number == "F-1001"


def test_each_piece_of_news_is_told_once_and_in_order(road: Road) -> None:
    road.tell(order_document(payment="pending"))
    road.tell(order_document(updated_at=LATER))
    parcel = shipment_document(updated_at=LATER, shipped_at=LATER)
    road.clock.moment += timedelta(minutes=20)
    road.tell(order_document(updated_at=LATEST, shipments=[parcel]))
    delivered = shipment_document(status="delivered", updated_at="2026-11-20T09:55:00Z", delivered_at=LATEST)
    road.tell({"type": "shipment", "order_id": "1001", "shipment": delivered})
    road.tell({"type": "refund", "order_id": "1001", "refund": refund_document(at=LATEST)})
    assert road.kinds() == ["order_received", "payment_received", "shipped", "delivered", "refunded"]
    assert [len(mail.attachments) for mail in road.mails] == [0, 1, 0, 0, 0]
    assert len({mail.thread_id for mail in road.mails}) == 1


def test_p2_ten_posts_of_one_delivery_make_one_mail(road: Road) -> None:
    answers = [road.post(order_document()).status for _ in range(10)]
    road.work()
    assert answers == [200] * 10
    assert len(road.mails) == 1
    assert road.inbox_counts() == {"done": 1}


def test_p2_the_same_body_under_ten_fresh_delivery_ids_makes_one_mail(road: Road) -> None:
    for number in range(10):
        road.tell(order_document(), delivery_id=f"fresh-{number}")
    assert len(road.mails) == 1


def test_p2_the_same_news_in_ten_different_bodies_makes_one_mail(road: Road) -> None:
    for number in range(10):
        road.tell(order_document(note=f"unsigned ids are not needed: the order's state decides {number}"))
    assert len(road.mails) == 1


def test_p3_an_older_snapshot_after_a_newer_one_changes_nothing(road: Road) -> None:
    road.tell(order_document(updated_at=LATER, total="50.00"))
    road.tell(order_document(payment="pending", total="47.90"))
    assert str(road.snapshot().total) == "50.00"
    assert road.kinds() == ["order_received"]


def test_a_parcel_before_its_order_waits_for_it_and_is_then_told(road: Road) -> None:
    parcel = shipment_document(updated_at="2026-11-20T09:30:00Z", shipped_at="2026-11-20T09:30:00Z")
    road.tell({"type": "shipment", "order_id": "1001", "shipment": parcel})
    assert road.mails == []
    road.tell(order_document())
    assert sorted(road.kinds()) == ["order_received", "shipped"]


def test_shipped_waits_for_the_tracking_number_and_goes_out_when_it_comes(road: Road) -> None:
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell({"type": "shipment", "order_id": "1001", "shipment": bare})
    assert road.kinds() == ["order_received"]
    numbered = {**bare, "numbers": ["FAKE0001"], "updated_at": LATER}
    road.later(minutes=10)
    road.tell({"type": "shipment", "order_id": "1001", "shipment": numbered})
    assert road.kinds() == ["order_received", "shipped"]
    assert "FAKE0001" in road.mails[-1].text
    assert road.declined()["tracking_added"] == "told_together"
    assert road.said()[-1].notification.reason == "shipped"
    road.later(hours=2)
    assert len(road.mails) == 2


def test_shipped_goes_out_without_a_number_after_the_set_time(road: Road) -> None:
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell({"type": "shipment", "order_id": "1001", "shipment": bare})
    road.later(minutes=29)
    assert road.kinds() == ["order_received"]
    road.later(minutes=2)
    assert road.kinds() == ["order_received", "shipped"]


def test_a_number_that_comes_after_its_parcel_was_announced_without_one_is_told_once(road: Road) -> None:
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell({"type": "shipment", "order_id": "1001", "shipment": bare})
    road.later(minutes=31)
    numbered = {**bare, "numbers": ["FAKE0001"], "updated_at": "2026-11-20T10:30:00Z"}
    for _ in range(3):
        road.tell({"type": "shipment", "order_id": "1001", "shipment": numbered})
    assert road.kinds() == ["order_received", "shipped", "tracking_added"]
    assert "FAKE0001" not in road.mails[1].text
    assert "FAKE0001" in road.mails[2].text


def test_a_parcel_taken_back_before_its_mail_went_out_is_not_told(road: Road) -> None:
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell(order_document(updated_at="2026-11-20T09:31:00Z", shipments=[bare]))
    road.tell(order_document(updated_at=LATER, shipments=[]))
    road.later(hours=1)
    assert road.kinds() == ["order_received"]
    assert [one.state for one in road.said() if one.notification.kind == "shipped"] == [OutboxState.WITHDRAWN]


def test_p4_nothing_that_happened_before_the_shop_was_connected_is_told(make_road: Callable[..., Road]) -> None:
    road = make_road(shop=build_shop(platform="fake", connected_at=NOW))
    road.tell(order_document())
    assert road.mails == []
    assert road.declined() == {"order_received": "before_connection", "payment_received": "before_connection"}
    assert road.invoices() == []


def test_p4_old_news_is_not_told(road: Road) -> None:
    road.clock.moment += timedelta(days=5)
    road.tell(order_document())
    assert road.mails == []
    assert set(road.declined().values()) == {"too_old"}


def test_p4_a_message_that_could_not_be_sent_in_time_is_withdrawn(road: Road) -> None:
    road.channel.fails_before = Retryable("the mail server is away")
    road.tell(order_document())
    road.later(days=3)
    road.channel.fails_before = None
    road.later(hours=1)
    assert road.mails == []
    (said,) = road.said()
    assert (said.state, said.outcome) == (OutboxState.WITHDRAWN, "too_old")


def test_p4_replaying_everything_tells_nobody_anything(road: Road) -> None:
    road.tell(order_document())
    with road.service.database.write() as connection:
        rows = connection.execute(inbox.inbox.select()).all()
        replayed = inbox.replay(connection, road.shop.shop_id, [row.delivery_id for row in rows], road.clock.now())
    road.work()
    assert replayed == 1
    assert len(road.mails) == 1


def test_p5_an_unknown_status_is_kept_and_shown_and_tells_nothing_false(road: Road) -> None:
    road.tell(order_document(payment="half-baked"))
    assert road.kinds() == ["order_received"]
    assert any(entry.tag is Tag.STATUS_UNKNOWN for entry in road.story())
    assert road.invoices() == []


def test_p7_invoice_numbers_have_no_gap_and_stay_the_same(road: Road) -> None:
    for number in range(1, 6):
        road.tell(order_document(id=str(number), number=f"F-{number}"))
    issued = [road.invoices(str(number))[0] for number in range(1, 6)]
    assert [one.serial for one in issued] == [1, 2, 3, 4, 5]
    first = issued[0]
    road.tell(order_document(id="1", number="F-1", updated_at=LATER, total="99.00"))
    assert road.invoices("1") == [first]


def test_an_invoice_that_cannot_be_made_holds_up_no_news_and_says_why(make_road: Callable[..., Road]) -> None:
    nameless = build_shop(platform="fake", connected_at=NOW - timedelta(days=1))
    road = make_road(shop=replace(nameless, seller=replace(nameless.seller, legal_name="")))
    road.tell(order_document())
    assert road.kinds() == ["order_received"]
    assert road.mails[0].attachments == ()
    assert road.invoices() == []


def test_p9_the_language_stays_as_it_was_fixed_first(road: Road) -> None:
    road.tell(order_document(payment="pending", locale="es"))
    road.tell(order_document(updated_at=LATER, locale="ar"))
    assert [mail.locale for mail in road.mails] == ["es", "es"]


def test_p11_every_fact_with_a_kind_has_its_decision_on_the_timeline(road: Road) -> None:
    road.tell(order_document(shipments=[shipment_document(updated_at="2026-11-20T09:30:00Z")]))
    decided = {
        entry.details["kind"]
        for entry in road.story()
        if entry.tag in (Tag.MESSAGE_PLANNED, Tag.MESSAGE_DECLINED) and entry.details["reason"]
    }
    assert decided == {"order_received", "payment_received", "shipped"}


def test_a_kind_the_shop_switched_off_is_not_sent(make_road: Callable[..., Road]) -> None:
    quiet = build_shop(platform="fake", connected_at=NOW - timedelta(days=1), voices={"order_received": Voice.NOBODY})
    road = make_road(shop=quiet)
    road.tell(order_document())
    assert road.kinds() == ["payment_received"]


def test_an_order_without_an_address_is_kept_and_the_reason_is_shown(road: Road) -> None:
    road.tell(order_document(email=""))
    assert road.mails == []
    assert road.declined()["order_received"] == "no_address"


def test_a_genuine_delivery_that_cannot_be_understood_is_kept_for_inspection(road: Road) -> None:
    road.tell({"type": "parcel bomb"})
    assert road.inbox_counts() == {"review": 1}


def test_a_forged_delivery_is_refused_and_leaves_no_row(road: Road) -> None:
    body = fake_platform.encoded(order_document())
    headers = fake_platform.signed_headers(body, secret="another")
    assert road.post_raw(body, headers).status == 401
    assert road.inbox_counts() == {}


def test_one_shops_order_never_meets_anothers_of_the_same_id(make_road: Callable[..., Road]) -> None:
    road = make_road()
    other = replace(road.shop, shop_id="other", key="other-key", host="other.example.test")
    road.connect(other)
    road.tell(order_document(total="47.90"))
    road.tell(order_document(total="11.11"), shop=other)
    assert str(road.snapshot().total) == "47.90"
    assert len(road.mails) == 2


def test_the_mail_server_away_for_a_minute_delays_and_loses_nothing(road: Road) -> None:
    road.channel.fails_before = Retryable("connection refused")
    for number in range(1, 11):
        road.tell(order_document(id=str(number), number=f"F-{number}"))
    road.later(minutes=1)
    assert road.mails == []
    road.channel.fails_before = None
    road.later(minutes=5)
    assert len(road.mails) == 10
    assert len({mail.message_id for mail in road.mails}) == 10


def test_a_refused_address_fails_for_good_and_says_so(road: Road) -> None:
    road.channel.fails_before = Permanent("550 no such user")
    road.tell(order_document())
    (said,) = road.said()
    assert (said.state, said.outcome) == (OutboxState.FAILED, "550 no such user")
    road.channel.fails_before = None
    road.later(days=1)
    assert road.mails == []
    assert any(entry.tag is Tag.MESSAGE_FAILED for entry in road.story())


@pytest.mark.parametrize("taken", [True, False])
def test_p2_an_uncertain_handing_over_goes_to_review_and_is_never_repeated(road: Road, taken: bool) -> None:
    road.channel.fails_after = Uncertain("no answer came")
    road.channel.keeps_uncertain = taken
    road.tell(order_document())
    road.channel.fails_after = None
    road.later(hours=5)
    assert len(road.mails) == (1 if taken else 0)
    assert [one.state for one in road.said()] == [OutboxState.REVIEW]
    assert any(entry.tag is Tag.MESSAGE_REVIEW for entry in road.story())


def test_a_later_message_waits_while_an_earlier_one_of_its_order_is_tried_again(road: Road) -> None:
    road.channel.fails_before = Retryable("busy")
    road.tell(order_document(payment="pending"))
    road.channel.fails_before = None
    road.tell(order_document(updated_at=LATER))
    road.tell(order_document(id="2", number="F-2"))
    assert [mail.subject for mail in road.mails if "F-1001" in mail.subject] == []
    assert road.kinds("2") == ["order_received"]
    road.later(minutes=5)
    assert road.kinds() == ["order_received", "payment_received"]


def test_without_a_mail_server_everything_waits_and_goes_out_once_there_is_one(make_road: Callable[..., Road]) -> None:
    road = make_road(smtp=False)
    road.tell(order_document())
    (said,) = road.said()
    assert said.state is OutboxState.PENDING
    assert "CONNECTOR_SMTP_HOST" in said.outcome


def test_a_hint_waits_until_somebody_can_ask_the_platform(road: Road) -> None:
    road.tell({"type": "hint", "order_id": "1001"})
    assert road.inbox_counts() == {"waiting": 1}


def test_a_hint_is_answered_by_the_platform_and_takes_the_same_road(make_road: Callable[..., Road]) -> None:
    asked: list[str] = []

    def fetch(_shop: Shop, hint: LookAgain) -> bytes:
        asked.append(hint.order_id)
        return fake_platform.encoded(order_document())

    road = make_road(fetch=fetch)
    for number in range(3):
        assert road.post({"type": "hint", "order_id": "1001"}, delivery_id=f"hint-{number}").status == 200
    road.work()
    assert road.kinds() == ["order_received"]
    assert road.inbox_counts() == {"done": 3}


def test_a_platform_that_is_away_is_asked_again_and_given_up_in_the_end(make_road: Callable[..., Road]) -> None:
    asked: list[str] = []

    def fetch(_shop: Shop, hint: LookAgain) -> bytes:
        asked.append(hint.order_id)
        raise Retryable("503")

    road = make_road(fetch=fetch)
    road.tell({"type": "hint", "order_id": "1001"})
    for _ in range(MOST_QUESTIONS + 4):
        road.later(hours=2)
    assert road.inbox_counts() == {"dead": 1}
    assert len(asked) == MOST_QUESTIONS - 1  # reading it for the first time counts too


def test_an_adapter_that_fails_is_tried_again_then_shown_and_can_be_replayed(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(road.service.process_inbox, "_manifest", lambda _: replace(fake_platform.MANIFEST, parse=broken))
        road.tell(order_document())
        for _ in range(MOST_ATTEMPTS + 1):
            road.later(hours=2)
    assert road.inbox_counts() == {"dead": 1}
    road.clock.moment = NOW
    with road.service.database.write() as connection:
        (row,) = connection.execute(inbox.inbox.select()).all()
        inbox.replay(connection, road.shop.shop_id, [row.delivery_id], road.clock.now())
    road.work()
    assert road.kinds() == ["order_received"]


def test_one_delivery_that_cannot_be_written_holds_up_no_other(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    original = orders.save

    def refuses_one(database: Database, connection: sa.Connection, records: Iterable[OrderRecord]) -> None:
        found = list(records)
        if any(record.order_id == "2" for record in found):
            raise RuntimeError("this row cannot be written")
        original(database, connection, found)

    monkeypatch.setattr(orders, "save", refuses_one)
    for number in ("1", "2", "3"):
        road.post(order_document(id=number, number=f"F-{number}"))
    road.work()
    assert road.inbox_counts() == {"done": 2, "new": 1}
    assert len(road.mails) == 2


def test_p4_an_old_order_touched_today_is_no_news_though_the_platform_names_no_moment(road: Road) -> None:
    road.clock.moment = NOW + timedelta(days=30)
    road.tell(order_document(updated_at="2026-12-20T09:30:00Z"))
    assert road.mails == []
    assert set(road.declined().values()) == {"too_old"}


@pytest.mark.parametrize(("decision", "mails"), [(OutboxState.PENDING, 1), (OutboxState.SENT, 0)])
def test_what_is_up_for_review_moves_by_a_persons_decision_only(road: Road, decision: OutboxState, mails: int) -> None:
    road.channel.fails_after = Uncertain("no answer came")
    road.tell(order_document())
    road.channel.fails_after = None
    with road.service.database.write() as connection:
        (said,) = history.needing_decision(connection, limit=10)
        assert history.decide(connection, said, decision, road.clock.now())
        assert history.needing_decision(connection, limit=10) == []
    road.work()
    assert len(road.mails) == mails
    assert [one.state for one in road.said()] == [OutboxState.SENT]


def test_a_message_that_was_sent_is_not_decided_about(road: Road) -> None:
    road.tell(order_document())
    (said,) = road.said()
    with road.service.database.write() as connection, pytest.raises(ValueError, match="by hand"):
        history.decide(connection, said, OutboxState.PENDING, road.clock.now())


def test_p8_what_waits_goes_to_the_corrected_address_and_to_no_other(road: Road) -> None:
    road.tell(order_document())
    bare = shipment_document(updated_at="2026-11-20T09:31:00Z", shipped_at="2026-11-20T09:31:00Z", numbers=[])
    road.tell({"type": "shipment", "order_id": "1001", "shipment": bare})
    road.tell(order_document(updated_at=LATER, email="corrected@example.test", shipments=[bare]))
    numbered = {**bare, "numbers": ["FAKE0001"], "updated_at": LATER}
    road.tell({"type": "shipment", "order_id": "1001", "shipment": numbered})
    road.later(hours=2)
    assert [(one.recipient_address, "FAKE0001" in one.text) for one in road.mails] == [
        ("eleni@example.test", False),
        ("corrected@example.test", True),
    ]
    assert [one.outcome for one in road.said() if one.state is OutboxState.WITHDRAWN] == ["address_changed"]
    assert any(entry.tag is Tag.MESSAGE_WITHDRAWN for entry in road.story())


def test_p8_a_hidden_address_withdraws_nothing(road: Road) -> None:
    road.channel.fails_before = Retryable("busy")
    road.tell(order_document())
    road.tell(order_document(updated_at=LATER, email=""))
    road.channel.fails_before = None
    road.later(hours=1)
    assert road.kinds() == ["order_received"]


@pytest.mark.parametrize("numbers", [["FAKE0001"], []])
def test_a_parcel_of_an_order_that_was_announced_as_a_whole_only_brings_its_number(
    road: Road, numbers: list[str]
) -> None:
    road.tell(order_document())
    road.tell(order_document(updated_at=LATER, state="completed", completed_at=LATER))
    road.later(minutes=31)
    assert road.kinds() == ["order_received", "shipped"]
    parcel = shipment_document(updated_at="2026-11-20T10:20:00Z", shipped_at="2026-11-20T10:20:00Z", numbers=numbers)
    road.tell({"type": "shipment", "order_id": "1001", "shipment": parcel})
    road.later(hours=2)
    assert road.kinds() == ["order_received", "shipped", *(["tracking_added"] if numbers else [])]


def test_a_sender_that_is_winding_down_gives_back_what_it_has_not_begun(road: Road) -> None:
    road.channel.fails_before = Retryable("busy")
    road.tell(order_document())
    road.channel.fails_before = None
    road.service.send_outbox.wind_down()
    road.later(hours=1)
    assert road.mails == []
    assert [one.state for one in road.said()] == [OutboxState.PENDING]
