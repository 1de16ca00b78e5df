"""The outbox holds each intent once (P2), lets one sender at a time have it, and keeps an order's messages in order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa

from connector.database import Database
from notifications import history, outbox
from notifications.history import Said
from notifications.kinds import Notification
from notifications.outbox import TRANSITIONS, Claimed, Mark, OutboxState
from tests.together import interleaved

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LEASE = timedelta(minutes=15)
AFTER = NOW + LEASE + timedelta(seconds=1)


def wanted(kind: str = "order_received", order_id: str = "5001", **changes: object) -> Notification:
    sample = Notification(
        shop_id="shop-1",
        order_id=order_id,
        kind=kind,
        subject="",
        recipient="eleni@example.com",
        channel="email",
        locale="el",
        run_at=NOW,
        expires_at=NOW + timedelta(days=2),
        reason="placed",
    )
    return replace(sample, **changes)  # type: ignore[arg-type]


def enqueue(database: Database, *notifications: Notification, at: datetime = NOW) -> None:
    with database.write() as connection:
        outbox.enqueue(database, connection, [(one, "delivery-1") for one in notifications], at)


def claim(database: Database, at: datetime = NOW, limit: int = 100) -> list[Claimed]:
    with database.write() as connection:
        return outbox.claim(connection, at, lease=LEASE, limit=limit, channels=("email",))


def move(database: Database, claimed: Claimed, before: OutboxState, after: OutboxState, **named: object) -> bool:
    with database.write() as connection:
        (moved,) = outbox.mark(connection, [Mark(claimed, before, after, **named)])  # type: ignore[arg-type]
        return moved


def find(database: Database, notification: Notification) -> Said:
    with database.read() as connection:
        found = history.find(connection, notification.shop_id, outbox.intent_id(notification))
    assert found is not None
    return found


def brought_to(database: Database, state: OutboxState) -> Claimed:
    """One intent, led to a state by the shortest way there is."""
    enqueue(database, wanted())
    if state is OutboxState.PENDING:
        (claimed,) = claim(database)
        move(database, claimed, OutboxState.CLAIMED, OutboxState.PENDING, run_at=NOW)
        return claimed
    (claimed,) = claim(database)
    ways = {OutboxState.SENT: OutboxState.HANDING_OVER, OutboxState.REVIEW: OutboxState.HANDING_OVER}
    at = OutboxState.CLAIMED
    for step in (ways.get(state), state):
        if step and step is not at:
            assert move(database, claimed, at, step)
            at = step
    return claimed


# The states


@pytest.mark.parametrize(("before", "after"), [(one, other) for one in TRANSITIONS for other in TRANSITIONS[one]])
def test_every_transition_of_the_table_is_possible(database: Database, before: OutboxState, after: OutboxState) -> None:
    claimed = brought_to(database, before)
    if (before, after) == (OutboxState.CLAIMED, OutboxState.SENT):
        return  # only on the way to a platform: see the next test
    assert move(database, claimed, before, after)
    assert find(database, wanted()).state is after


def test_p2_only_what_goes_to_a_platform_is_sent_without_being_handed_over(database: Database) -> None:
    claimed = brought_to(database, OutboxState.CLAIMED)
    with pytest.raises(ValueError, match="handed over"):
        move(database, claimed, OutboxState.CLAIMED, OutboxState.SENT)
    assert find(database, wanted()).state is OutboxState.CLAIMED
    note = wanted(kind="push_note", channel="platform", details=(("words", "told"),))
    enqueue(database, note)
    with database.write() as connection:
        (held,) = outbox.claim(connection, NOW, lease=LEASE, limit=10, channels=("platform",))
    assert held.notification.details == (("words", "told"),)
    assert move(database, held, OutboxState.CLAIMED, OutboxState.SENT)


def test_what_goes_one_way_never_waits_for_what_goes_another(database: Database) -> None:
    enqueue(database, wanted(kind="push_note", channel="platform"))
    enqueue(database, wanted(), at=NOW + timedelta(seconds=1))
    assert [one.notification.kind for one in claim(database, NOW + timedelta(seconds=1))] == ["order_received"]


def test_busy_shops_are_left_alone(database: Database) -> None:
    enqueue(database, wanted(), wanted(shop_id="shop-2"))
    with database.write() as connection:
        held = outbox.claim(connection, NOW, lease=LEASE, limit=10, channels=("email",), busy=("shop-1",))
    assert [one.notification.shop_id for one in held] == ["shop-2"]


def test_a_shop_that_leaves_takes_back_all_that_is_not_handed_over_yet(database: Database) -> None:
    enqueue(database, wanted(), wanted(shop_id="shop-2"), wanted(order_id="5002"))
    held = claim(database, limit=1)
    with database.write() as connection:
        assert outbox.withdraw_shop(connection, held[0].notification.shop_id, "ended") >= 1
    assert not move(database, held[0], OutboxState.CLAIMED, OutboxState.HANDING_OVER)
    assert find(database, held[0].notification).state is OutboxState.WITHDRAWN


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product(OutboxState, OutboxState) if pair[1] not in TRANSITIONS[pair[0]]]
)
def test_no_other_transition_is(before: OutboxState, after: OutboxState) -> None:
    held = Claimed("x" * 40, wanted(), "delivery-1", NOW, 1)
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(ValueError, match=f"from {before.value} to {after.value}"):
        outbox.mark(connection, [Mark(held, before, after)])


def test_a_mark_from_a_state_the_intent_is_not_in_is_refused(database: Database) -> None:
    claimed = brought_to(database, OutboxState.HANDING_OVER)
    assert not move(database, claimed, OutboxState.CLAIMED, OutboxState.PENDING)
    assert find(database, wanted()).state is OutboxState.HANDING_OVER


def test_what_was_said_is_kept_with_the_mark_before_the_content_leaves(database: Database) -> None:
    enqueue(database, wanted())
    (claimed,) = claim(database)
    said = ("Order \x00 1042 \ud800", "<p>\x00 ευχαριστούμε</p>", "text \ud800")
    assert move(database, claimed, OutboxState.CLAIMED, OutboxState.HANDING_OVER, said=said)
    assert move(database, claimed, OutboxState.HANDING_OVER, OutboxState.SENT, outcome="250 \x00 ok", sent_at=NOW)
    found = find(database, wanted())
    assert (found.subject, found.html, found.text) == ("Order  1042 ?", *said[1:])
    assert (found.sent_at, found.outcome, found.attempts) == (NOW, "250  ok", 1)


# Intents


def test_p2_an_intent_is_there_once_however_often_it_is_wanted(database: Database) -> None:
    enqueue(database, wanted(), wanted())
    enqueue(database, wanted(recipient="ELENI@example.com"), at=NOW + timedelta(hours=1))
    assert len(claim(database)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"shop_id": "shop-2"},
        {"order_id": "5002"},
        {"kind": "shipped"},
        {"subject": "parcel-1"},
        {"recipient": "other@example.com"},
        {"channel": "sms"},
    ],
)
def test_p2_intents_differ_by_shop_order_kind_subject_recipient_and_channel(changes: dict[str, str]) -> None:
    other = replace(wanted(), **changes)  # type: ignore[arg-type]
    assert outbox.intent_id(other) != outbox.intent_id(wanted())


@pytest.mark.parametrize(
    "changes",
    [{"locale": "en"}, {"reason": "paid"}, {"run_at": AFTER}, {"invoice": True}, {"recipient": "ELENI@example.com"}],
)
def test_p2_nothing_else_makes_another_intent(changes: dict[str, object]) -> None:
    assert outbox.intent_id(replace(wanted(), **changes)) == outbox.intent_id(wanted())  # type: ignore[arg-type]


def test_p2_no_part_of_an_intent_can_pass_for_another() -> None:
    assert outbox.intent_id(wanted(order_id="1", subject="2")) != outbox.intent_id(wanted(order_id="12", subject=""))


def test_a_waiting_intent_can_be_wanted_sooner_but_not_later(database: Database) -> None:
    enqueue(database, wanted(run_at=NOW + timedelta(minutes=30)))
    assert claim(database) == []
    enqueue(database, wanted(run_at=NOW + timedelta(hours=2)))
    assert claim(database, NOW + timedelta(minutes=29)) == []
    enqueue(database, wanted(run_at=NOW))
    assert len(claim(database)) == 1


@pytest.mark.parametrize("state", list(OutboxState))
def test_an_intent_that_was_tried_is_not_touched_by_being_wanted_again(database: Database, state: OutboxState) -> None:
    claimed = brought_to(database, state)
    if state is OutboxState.PENDING:
        (claimed,) = claim(database)
        move(database, claimed, OutboxState.CLAIMED, OutboxState.PENDING, run_at=NOW + timedelta(hours=1))
    before = find(database, wanted())
    enqueue(database, wanted(run_at=NOW - timedelta(days=1)))
    assert find(database, wanted()) == before


def test_an_intent_comes_out_as_it_went_in(database: Database) -> None:
    notification = wanted(subject="s" * 64, recipient=f"{'a' * 64}@{'b' * 185}.test", invoice=True)
    enqueue(database, notification)
    (claimed,) = claim(database)
    assert replace(claimed.notification, run_at=NOW) == notification
    assert (claimed.delivery_id, claimed.created_at, claimed.attempts) == ("delivery-1", NOW, 1)


# Claims


def test_two_senders_never_get_the_same_intent(database: Database) -> None:
    enqueue(database, *(wanted(order_id=str(number)) for number in range(60)))

    def take(_: int) -> list[str]:
        return [one.intent_id for _ in range(10) for one in claim(database, limit=5)]

    with ThreadPoolExecutor(4) as pool:
        taken = [one for batch in pool.map(take, range(4)) for one in batch]
    assert len(taken) == len(set(taken)) == 60


def test_two_senders_never_overtake_each_other_within_an_order(database: Database) -> None:
    for number in range(20):
        enqueue(database, *(wanted(order_id=str(number), subject=str(place)) for place in range(3)))
    sent: list[tuple[str, str]] = []

    def work(_: int) -> None:
        for _ in range(20):
            for one in claim(database, limit=4):
                sent.append((one.notification.order_id, one.notification.subject))
                move(database, one, OutboxState.CLAIMED, OutboxState.HANDING_OVER)
                move(database, one, OutboxState.HANDING_OVER, OutboxState.SENT)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(sent) == 60
    for number in range(20):
        assert [subject for order_id, subject in sent if order_id == str(number)] == ["0", "1", "2"]


def test_a_claim_takes_no_more_than_its_limit(database: Database) -> None:
    enqueue(database, *(wanted(order_id=str(number)) for number in range(30)))
    assert [len(claim(database, limit=7)) for _ in range(5)] == [7, 7, 7, 7, 2]


def test_the_longest_waiting_intents_are_taken_first(database: Database) -> None:
    for minutes in (3, 1, 2):
        enqueue(database, wanted(order_id=str(minutes), run_at=NOW + timedelta(minutes=minutes)))
    late = NOW + timedelta(minutes=5)
    assert [one.notification.order_id for one in claim(database, late, limit=2)] == ["1", "2"]
    with database.read() as connection:
        assert outbox.oldest_due(connection) == NOW + timedelta(minutes=3)


def test_a_lease_that_ran_out_is_claimed_again_and_the_old_holder_is_refused(database: Database) -> None:
    enqueue(database, wanted())
    (first,) = claim(database)
    assert claim(database, NOW + LEASE - timedelta(seconds=1)) == []
    (second,) = claim(database, AFTER)
    assert (second.intent_id, second.attempts) == (first.intent_id, 2)
    assert not move(database, first, OutboxState.CLAIMED, OutboxState.HANDING_OVER)
    assert move(database, second, OutboxState.CLAIMED, OutboxState.HANDING_OVER)


# The order within an order


def earlier_and_later(database: Database) -> tuple[Notification, Notification]:
    earlier, later = wanted("order_received"), wanted("payment_received")
    enqueue(database, earlier)
    enqueue(database, later, wanted(order_id="5002"), at=NOW + timedelta(seconds=1))
    return earlier, later


def kinds(claimed: list[Claimed], order_id: str = "5001") -> list[str]:
    return [one.notification.kind for one in claimed if one.notification.order_id == order_id]


@pytest.mark.parametrize(
    ("state", "free"),
    [
        (OutboxState.CLAIMED, False),
        (OutboxState.PENDING, False),
        (OutboxState.HANDING_OVER, False),
        (OutboxState.SENT, True),
        (OutboxState.WITHDRAWN, True),
        (OutboxState.REVIEW, True),
        (OutboxState.FAILED, True),
    ],
)
def test_a_later_message_waits_while_an_earlier_one_is_on_its_way_or_tried_again(
    database: Database, state: OutboxState, free: bool
) -> None:
    claimed = brought_to(database, state)
    if state is OutboxState.PENDING:
        (claimed,) = claim(database)
        move(database, claimed, OutboxState.CLAIMED, OutboxState.PENDING, run_at=NOW + timedelta(hours=1))
    enqueue(database, wanted("payment_received"), wanted(order_id="5002"), at=NOW + timedelta(seconds=1))
    now = claim(database, NOW + timedelta(seconds=2))
    assert kinds(now) == (["payment_received"] if free else [])
    assert kinds(now, "5002") == ["order_received"]


def test_of_one_order_the_earliest_goes_first_and_other_orders_beside_it(database: Database) -> None:
    earlier_and_later(database)
    now = claim(database, NOW + timedelta(seconds=2))
    assert (kinds(now), kinds(now, "5002")) == (["order_received"], ["order_received"])


def test_an_earlier_message_held_for_later_holds_up_nobody(database: Database) -> None:
    enqueue(database, wanted("shipped", run_at=NOW + timedelta(minutes=30)))
    enqueue(database, wanted("delivered"), at=NOW + timedelta(seconds=1))
    assert kinds(claim(database, NOW + timedelta(seconds=2))) == ["delivered"]


def test_what_was_decided_together_goes_in_the_order_of_the_decisions(database: Database) -> None:
    names = ["refunded", "cancelled", "delivered", "shipped"]
    enqueue(database, *(wanted(name) for name in names))
    with database.read() as connection:
        assert [one.notification.kind for one in history.of_order(connection, "shop-1", "5001")] == names
    for name in names:
        (claimed,) = claim(database)
        assert claimed.notification.kind == name
        move(database, claimed, OutboxState.CLAIMED, OutboxState.WITHDRAWN)


# Senders that died


def test_p2_what_was_being_handed_over_goes_to_review_once_its_lease_is_over(database: Database) -> None:
    brought_to(database, OutboxState.HANDING_OVER)
    recover: Callable[[sa.Connection, datetime], list[Claimed]] = outbox.recover
    with database.write() as connection:
        assert recover(connection, NOW + LEASE - timedelta(seconds=1)) == []
        (found,) = recover(connection, AFTER)
        assert recover(connection, AFTER) == []
    assert found.notification.kind == "order_received"
    assert find(database, wanted()).state is OutboxState.REVIEW
    assert claim(database, NOW + timedelta(days=1)) == []


def test_at_the_start_of_the_only_process_held_intents_are_due_at_once(database: Database) -> None:
    enqueue(database, wanted(), wanted(order_id="5002"))
    first, second = claim(database)
    move(database, second, OutboxState.CLAIMED, OutboxState.HANDING_OVER)
    with database.write() as connection:
        outbox.release(connection, NOW)
        assert [one.intent_id for one in outbox.recover(connection, NOW)] == [second.intent_id]
    assert [one.intent_id for one in claim(database)] == [first.intent_id]


# For people


def test_rows_are_counted_by_state_and_the_ends_are_left_out_of_what_waits(database: Database) -> None:
    enqueue(database, *(wanted(order_id=str(number)) for number in range(3)))
    one, other, _ = claim(database)
    move(database, one, OutboxState.CLAIMED, OutboxState.HANDING_OVER)
    move(database, one, OutboxState.HANDING_OVER, OutboxState.SENT)
    move(database, other, OutboxState.CLAIMED, OutboxState.FAILED)
    with database.read() as connection:
        assert outbox.counts(connection) == {"sent": 1, "failed": 1, "claimed": 1}
        assert outbox.waiting_counts(connection) == {"failed": 1, "claimed": 1}
        assert history.find(connection, "shop-1", "unknown") is None


def test_marks_and_news_about_the_same_intents_never_wait_for_each_other(database: Database) -> None:
    """Both lock many rows in one transaction; PostgreSQL would end one of two that wait in a circle."""
    intents = [wanted("shipped", order_id=str(number)) for number in range(200)]
    enqueue(database, *intents)
    marks = [Mark(one, OutboxState.CLAIMED, OutboxState.HANDING_OVER) for one in claim(database, limit=200)]

    def mark_all() -> bool:
        with database.write() as connection:
            return all(outbox.mark(connection, marks))

    with ThreadPoolExecutor(2) as pool:
        marked = pool.submit(mark_all)
        pool.submit(enqueue, database, *reversed(intents)).result()
        assert marked.result()


@pytest.mark.parametrize("of_all", [True, False])
def test_marks_and_what_takes_all_back_never_wait_for_each_other(database: Database, of_all: bool) -> None:
    kinds = ("order_received", "payment_received", "shipped", "delivered")
    in_order = sorted((wanted(kind) for kind in kinds), key=outbox.intent_id)
    for notification in reversed(in_order):  # so that they lie the other way round
        enqueue(database, notification)
    marks = [Mark(_as_claimed(one), OutboxState.PENDING, OutboxState.WITHDRAWN) for one in in_order]
    shop_id, order_id = in_order[0].shop_id, in_order[0].order_id
    interleaved(
        database,
        lambda connection: outbox.mark(connection, marks[:1]),
        lambda connection: (
            outbox.withdraw_shop(connection, shop_id, "ended")
            if of_all
            else outbox.erase_order(connection, shop_id, order_id)
        ),
        then=lambda connection: outbox.mark(connection, marks[1:]),
    )


def _as_claimed(notification: Notification) -> Claimed:
    """As nobody has claimed it yet."""
    return Claimed(outbox.intent_id(notification), notification, "delivery-1", NOW, 0)
