"""What is told, what is not, and why: about new facts only, never about the past (P4), each with its reason (P11)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.delivery import News, RefundUpdate, ShipmentUpdate
from connector.domain.order import OrderSnapshot
from connector.domain.record import OrderRecord, apply
from connector.domain.shop import Shop, Voice
from connector.domain.status import OrderState, PaymentState, ShipmentStatus
from connector.domain.timeline import TimelineEntry
from notifications.kinds import KINDS, Declined, Notification
from notifications.planning import no_longer, plan, told_once
from notifications.reasons import SENTENCES, Reason
from tests import builders
from tests.connector.domain.test_record import START, after, updates
from tests.connector.domain.test_record import snapshot as any_snapshot

PLACED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NOW = PLACED + timedelta(minutes=5)
WAIT = timedelta(minutes=30)
SHOP = builders.shop(connected_at=PLACED - timedelta(days=1))
EMPTY = OrderRecord("shop-1", "5001", locale="en")


def order(minutes: int = 1, **changes: object) -> OrderSnapshot:
    values: dict[str, object] = {
        "placed_at": PLACED,
        "updated_at": PLACED + timedelta(minutes=minutes),
        "paid_at": None,
        "payment": PaymentState.PENDING,
        "state": OrderState.OPEN,
    }
    return builders.order_snapshot(**{**values, **changes})


def paid(minutes: int = 1, **changes: object) -> OrderSnapshot:
    return order(minutes, **{"payment": PaymentState.PAID, "paid_at": PLACED + timedelta(minutes=minutes), **changes})


def parcel(minutes: int = 2, **changes: object) -> ShipmentUpdate:
    at = PLACED + timedelta(minutes=minutes)
    return ShipmentUpdate("5001", builders.shipment(**{"updated_at": at, "shipped_at": at, **changes}))


def refund(minutes: int = 3, **changes: object) -> RefundUpdate:
    return RefundUpdate("5001", builders.refund(refunded_at=PLACED + timedelta(minutes=minutes), **changes))


def learned(*known: News, news: News, now: datetime = NOW) -> tuple[OrderRecord, tuple[TimelineEntry, ...]]:
    record = EMPTY
    for update in known:
        record = apply(record, update, now).record
    applied = apply(record, news, now)
    return applied.record, applied.entries


def decided(*known: News, news: News, shop: Shop = SHOP, now: datetime = NOW) -> list[Notification | Declined]:
    record, entries = learned(*known, news=news, now=now)
    return plan(record, entries, shop, now, tracking_wait=WAIT)


def reasons(decisions: list[Notification | Declined]) -> dict[str, str]:
    return {one.kind: one.reason for one in decisions}


def planned(decisions: list[Notification | Declined]) -> list[str]:
    return [one.kind for one in decisions if isinstance(one, Notification)]


# Each fact and its message


@pytest.mark.parametrize(
    ("known", "news", "kind", "subject", "reason"),
    [
        ((), order(), "order_received", "", Reason.PLACED),
        ((order(),), paid(2), "payment_received", "", Reason.PAID),
        ((order(),), parcel(), "shipped", "parcel-1", Reason.SHIPPED),
        ((order(), parcel()), parcel(3, status=ShipmentStatus.DELIVERED), "delivered", "parcel-1", Reason.DELIVERED),
        ((order(),), order(2, state=OrderState.CANCELLED), "cancelled", "", Reason.CANCELLED),
        ((paid(),), refund(), "refunded", "refund-1", Reason.REFUNDED),
        ((paid(),), paid(2, state=OrderState.COMPLETED), "shipped", "", Reason.COMPLETED),
        ((paid(),), parcel(tracking=()), "shipped", "parcel-1", Reason.SHIPPED_WITHOUT_TRACKING),
    ],
)
def test_each_fact_is_told_by_its_kind_to_the_address_on_the_order(
    known: tuple[News, ...], news: News, kind: str, subject: str, reason: Reason
) -> None:
    (decision,) = decided(*known, news=news)
    assert isinstance(decision, Notification)
    assert (decision.kind, decision.subject, decision.reason) == (kind, subject, reason.value)
    assert (decision.recipient, decision.channel, decision.locale) == ("eleni@example.com", "email", "en")


@given(st.lists(updates, max_size=6), updates, st.integers(0, 200), st.sampled_from(sorted(KINDS)))
def test_p11_each_new_fact_with_a_kind_has_exactly_one_decision_with_a_known_reason(
    known: list[News], news: News, hours: int, silent: str
) -> None:
    record = apply(OrderRecord("shop-1", "5002"), any_snapshot(0, email="a@example.test"), START).record
    for update in known:
        record = apply(record, update, START).record
    applied = apply(record, news, START)
    shop = builders.shop(connected_at=after(2), voices={silent: Voice.NOBODY})
    decisions = plan(applied.record, applied.entries, shop, START + timedelta(hours=hours), tracking_wait=WAIT)
    told = [(one.kind, one.subject) for one in decisions]
    assert len(told) == len(set(told))
    facts = {
        (kind.name, entry.subject)
        for kind in KINDS.values()
        for entry in applied.entries
        if entry.tag is kind.fact and kind.name != "tracking_added"
    }
    assert facts <= set(told)
    assert all(Reason(one.reason) in SENTENCES for one in decisions)


# Never about the past (P4)


def test_p4_what_happened_before_the_shop_was_connected_is_not_told() -> None:
    shop = builders.shop(connected_at=PLACED + timedelta(seconds=61))
    assert reasons(decided(news=paid(1), shop=shop)) == {
        "order_received": "before_connection",
        "payment_received": "before_connection",
    }


def test_p4_the_moment_of_connection_itself_is_no_past() -> None:
    assert planned(decided(news=order(), shop=builders.shop(connected_at=PLACED))) == ["order_received"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_p4_each_kind_has_an_age_beyond_which_it_is_no_news(kind: object) -> None:
    cases: dict[str, tuple[tuple[News, ...], News]] = {
        "order_received": ((), order()),
        "payment_received": ((order(),), paid(0, updated_at=PLACED + timedelta(minutes=1, seconds=1))),
        "shipped": ((order(),), parcel(0)),
        "tracking_added": ((order(), parcel(0, tracking=())), parcel(1)),
        "delivered": ((order(), parcel(0)), parcel(0, status=ShipmentStatus.DELIVERED, delivered_at=PLACED)),
        "cancelled": ((order(),), order(2, state=OrderState.CANCELLED, cancelled_at=PLACED)),
        "refunded": ((order(),), refund(0)),
    }
    name, limit = kind.name, kind.age_limit  # type: ignore[attr-defined]
    known, news = cases[name]
    in_time = reasons(decided(*known, news=news, now=PLACED + limit))
    too_late = reasons(decided(*known, news=news, now=PLACED + limit + timedelta(seconds=1)))
    assert in_time[name] != "too_old"
    assert too_late[name] == "too_old"


def test_p4_replaying_what_is_known_decides_nothing() -> None:
    assert decided(paid(), parcel(), refund(), news=paid()) == []
    assert decided(paid(), parcel(), refund(), news=parcel()) == []


def test_p4_a_number_for_a_parcel_that_left_before_the_connection_announces_nothing() -> None:
    shop = builders.shop(connected_at=PLACED + timedelta(minutes=3))
    decisions = decided(order(), parcel(2, tracking=()), news=parcel(4, shipped_at=None), shop=shop)
    assert reasons(decisions) == {"shipped": "before_connection", "tracking_added": "before_connection"}


def test_p4_a_plan_carries_the_moment_after_which_it_is_void() -> None:
    (decision,) = decided(news=order())
    assert isinstance(decision, Notification)
    assert decision.expires_at == PLACED + KINDS["order_received"].age_limit
    assert no_longer(decision, learned(news=order())[0], SHOP, decision.expires_at) is None
    late = decision.expires_at + timedelta(microseconds=1)
    assert no_longer(decision, learned(news=order())[0], SHOP, late) is Reason.TOO_OLD


# Told together


def test_a_payment_learned_with_the_order_is_told_in_one_mail_with_the_invoice() -> None:
    received, payment = decided(news=paid())
    assert isinstance(received, Notification)
    assert received.invoice
    assert payment == Declined("5001", "payment_received", "", "told_together")


def test_a_payment_is_told_itself_when_the_order_is_too_old_to_be_news() -> None:
    late = PLACED + timedelta(hours=50)
    news = paid(1, paid_at=late, updated_at=late)
    decisions = decided(news=news, now=late)
    assert reasons(decisions) == {"order_received": "too_old", "payment_received": "paid"}
    assert planned(decisions) == ["payment_received"]


def test_a_payment_is_told_itself_when_the_shop_does_not_want_order_received() -> None:
    shop = builders.shop(connected_at=SHOP.connected_at, voices={"order_received": Voice.NOBODY})
    decisions = decided(news=paid(), shop=shop)
    assert reasons(decisions) == {"order_received": "silent", "payment_received": "paid"}
    assert [one.invoice for one in decisions if isinstance(one, Notification)] == [True]


def test_a_refund_learned_with_the_cancellation_is_told_by_it() -> None:
    news = paid(2, state=OrderState.CANCELLED, refunds=(refund().refund,))
    assert reasons(decided(paid(), news=news)) == {"cancelled": "cancelled", "refunded": "told_together"}


def test_a_refund_is_told_itself_when_the_cancellation_is_not() -> None:
    shop = builders.shop(connected_at=SHOP.connected_at, voices={"cancelled": Voice.NOBODY})
    news = paid(2, state=OrderState.CANCELLED, refunds=(refund().refund,))
    assert planned(decided(paid(), news=news, shop=shop)) == ["refunded"]


# Waiting for the tracking number


def test_shipped_waits_for_a_number_and_comes_earlier_when_the_number_arrives() -> None:
    (waiting,) = decided(order(), news=parcel(tracking=()))
    now, added = decided(order(), parcel(2, tracking=()), news=parcel(3))
    assert isinstance(waiting, Notification)
    assert isinstance(now, Notification)
    assert (waiting.run_at, waiting.reason) == (NOW + WAIT, "shipped_without_tracking")
    assert (now.run_at, now.reason) == (NOW, "shipped")
    assert (now.kind, now.subject, now.recipient) == (waiting.kind, waiting.subject, waiting.recipient)
    assert waiting.expires_at == now.expires_at + WAIT
    assert (added.kind, added.subject, added.reason) == ("tracking_added", "parcel-1", "tracking_added")


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        ({}, ["shipped"]),
        ({"parcel-1": "shipped_without_tracking"}, ["shipped", "tracking_added"]),
        ({"parcel-1": "shipped"}, ["shipped"]),
        ({"": "completed"}, ["tracking_added", "tracking_added"]),
    ],
    ids=["not yet", "without its number", "with its number", "the order as a whole"],
)
def test_a_parcel_is_told_once_and_its_number_once(announced: dict[str, str], told: list[str]) -> None:
    asked: list[Notification] = []

    def reason(intent: Notification) -> str | None:
        asked.append(intent)
        return announced.get(intent.subject)

    decisions = decided(order(), parcel(2, tracking=()), news=parcel(3))
    settled = [told_once(decision, reason) for decision in decisions]
    assert planned(settled) == told
    assert {intent.kind for intent in asked} == {"shipped"}
    assert all(isinstance(one, Notification) or one.reason == "told_together" for one in settled)


def test_a_declined_number_stays_declined() -> None:
    declined = Declined("5001", "tracking_added", "parcel-1", "silent")
    assert told_once(declined, lambda _: "shipped_without_tracking") == declined


def test_a_number_with_a_colon_in_it_still_finds_its_parcel() -> None:
    number = builders.shipment().tracking[0]
    news = parcel(3, tracking=(replace(number, number="urn:parcel:7"),))
    assert planned(decided(order(), parcel(2, tracking=()), news=news)) == ["shipped", "tracking_added"]


def test_a_number_for_a_label_that_has_not_left_announces_nothing() -> None:
    label = parcel(2, status=ShipmentStatus.LABEL_CREATED, shipped_at=None)
    assert decided(order(), news=label) == []


# Nothing that is not true any more


def test_nothing_is_told_of_a_parcel_that_is_cancelled_already() -> None:
    known = (order(), parcel(5, status=ShipmentStatus.CANCELLED))
    assert reasons(decided(*known, news=parcel(2))) == {"shipped": "taken_back"}
    late = parcel(2, status=ShipmentStatus.DELIVERED)
    assert reasons(decided(*known, news=late)) == {"shipped": "taken_back", "delivered": "taken_back"}


def test_nothing_is_told_of_shipping_a_cancelled_order() -> None:
    known = (paid(), paid(5, state=OrderState.CANCELLED))
    assert reasons(decided(*known, news=parcel(2))) == {"shipped": "already_cancelled"}


def test_a_cancelled_order_heard_of_for_the_first_time_is_told_as_cancelled_only() -> None:
    assert planned(decided(news=paid(1, state=OrderState.CANCELLED))) == ["cancelled"]


def test_p3_a_late_old_document_tells_nothing_that_is_over() -> None:
    reopened = decided(order(5), news=order(2, state=OrderState.CANCELLED))
    assert reasons(reopened) == {"cancelled": "reopened"}
    unpaid = decided(order(5), news=paid(2))
    assert reasons(unpaid) == {"payment_received": "unpaid"}


def test_p3_a_parcel_first_heard_of_when_delivered_is_told_as_delivered_only() -> None:
    decisions = decided(order(), news=parcel(status=ShipmentStatus.DELIVERED))
    assert reasons(decisions) == {"shipped": "already_delivered", "delivered": "delivered"}


def test_an_order_replaced_by_an_edit_is_not_told_as_cancelled() -> None:
    news = order(2, state=OrderState.CANCELLED, replaced_by="5009")
    assert reasons(decided(order(), news=news)) == {"cancelled": "replaced"}


def test_a_completed_order_with_nothing_to_ship_is_not_told_as_shipped() -> None:
    news = paid(2, state=OrderState.COMPLETED, needs_shipping=False)
    assert reasons(decided(paid(), news=news)) == {"shipped": "nothing_to_ship"}


@pytest.mark.parametrize(("voice", "reason"), [(Voice.NOBODY, "silent"), (Voice.PLATFORM, "platform_speaks")])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_that_is_not_ours_to_tell_is_declined(kind: str, voice: Voice, reason: str) -> None:
    shop = builders.shop(connected_at=SHOP.connected_at, default_voice=voice)
    news = paid(2, state=OrderState.CANCELLED, refunds=(refund().refund,))
    known = () if kind == "order_received" else (order(),)
    told = {**reasons(decided(*known, news=news, shop=shop))}
    told |= reasons(decided(order(), parcel(2, tracking=()), news=parcel(3), shop=shop))
    told |= reasons(decided(order(), news=parcel(status=ShipmentStatus.DELIVERED), shop=shop))
    assert told[kind] == reason


@pytest.mark.parametrize("news", [order(), paid(), parcel(2), parcel(status=ShipmentStatus.DELIVERED), refund()])
def test_the_shadow_tells_nothing_and_shows_what_would_have_been_sent(news: News) -> None:
    shop = builders.shop(connected_at=SHOP.connected_at, default_voice=Voice.SHADOW)
    known = () if isinstance(news, OrderSnapshot) else (order(),)
    spoken, shadowed = decided(*known, news=news), decided(*known, news=news, shop=shop)
    assert planned(spoken)
    assert planned(shadowed) == []
    assert {kind for kind, reason in reasons(shadowed).items() if reason == "shadow"} >= set(planned(spoken))


def test_the_shadow_shows_only_what_would_really_have_been_sent() -> None:
    shop = builders.shop(connected_at=SHOP.connected_at, default_voice=Voice.SHADOW)
    assert reasons(decided(news=order(email=""), shop=shop)) == {"order_received": "no_address"}


def test_what_waits_is_withdrawn_when_its_kind_is_switched_off_or_the_shop_has_left() -> None:
    record = learned(news=order())[0]
    message = waiting("order_received", "")
    left = builders.shop(connected_at=SHOP.connected_at, ended_at=NOW)
    quiet = builders.shop(connected_at=SHOP.connected_at, voices={"order_received": Voice.PLATFORM})
    assert no_longer(message, record, SHOP, NOW) is None
    assert no_longer(message, record, left, NOW) is Reason.ENDED
    assert no_longer(message, record, quiet, NOW) is Reason.PLATFORM_SPEAKS


@pytest.mark.parametrize(
    "email",
    ["", "nobody", "@example.test", "nobody@", f"{'a' * 250}@b.example", "a b@example.test", "a\x00@example.test"],
)
def test_an_address_nothing_can_be_sent_to_is_declined(email: str) -> None:
    assert reasons(decided(news=order(email=email))) == {"order_received": "no_address"}


def test_the_longest_address_there_can_be_is_used() -> None:
    email = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 61}"
    assert len(email) == 254
    assert planned(decided(news=order(email=email))) == ["order_received"]


# Just before it is sent


def waiting(kind: str, subject: str = "") -> Notification:
    later = NOW + timedelta(days=1)
    return Notification("shop-1", "5001", kind, subject, "eleni@example.com", "email", "en", NOW, later, "placed")


@pytest.mark.parametrize(
    ("kind", "subject", "known", "reason"),
    [
        ("order_received", "", (order(),), None),
        ("order_received", "", (order(), order(2, state=OrderState.CANCELLED)), Reason.ALREADY_CANCELLED),
        ("payment_received", "", (paid(),), None),
        ("payment_received", "", (paid(payment=PaymentState.REFUNDED),), None),
        ("payment_received", "", (paid(), paid(2, payment=PaymentState.UNKNOWN)), None),
        ("payment_received", "", (paid(), order(2)), Reason.UNPAID),
        ("payment_received", "", (paid(), paid(2, state=OrderState.CANCELLED)), Reason.ALREADY_CANCELLED),
        ("shipped", "parcel-1", (order(), parcel()), None),
        ("shipped", "parcel-1", (order(), parcel(), parcel(3, status=ShipmentStatus.CANCELLED)), Reason.TAKEN_BACK),
        ("shipped", "parcel-1", (order(),), Reason.TAKEN_BACK),
        ("shipped", "parcel-1", (order(), parcel(3, status=ShipmentStatus.DELIVERED)), Reason.ALREADY_DELIVERED),
        ("shipped", "parcel-1", (order(2, state=OrderState.CANCELLED), parcel()), Reason.ALREADY_CANCELLED),
        ("shipped", "", (order(2, state=OrderState.COMPLETED),), None),
        ("shipped", "", (order(2, state=OrderState.COMPLETED), parcel()), Reason.PARCEL_TELLS),
        ("tracking_added", "parcel-1", (order(), parcel()), None),
        ("tracking_added", "parcel-1", (order(), parcel(3, status=ShipmentStatus.DELIVERED)), Reason.ALREADY_DELIVERED),
        ("tracking_added", "parcel-1", (order(), parcel(3, status=ShipmentStatus.CANCELLED)), Reason.TAKEN_BACK),
        ("delivered", "parcel-1", (order(), parcel(status=ShipmentStatus.DELIVERED)), None),
        ("delivered", "parcel-1", (order(), parcel(3, status=ShipmentStatus.CANCELLED)), Reason.TAKEN_BACK),
        ("cancelled", "", (order(2, state=OrderState.CANCELLED),), None),
        ("cancelled", "", (order(2, state=OrderState.CANCELLED), order(3)), Reason.REOPENED),
        ("cancelled", "", (order(2, payment=PaymentState.REFUNDED),), None),
        ("refunded", "refund-1", (order(2, state=OrderState.CANCELLED), refund()), None),
    ],
)
def test_a_message_that_is_no_longer_true_is_withdrawn(
    kind: str, subject: str, known: tuple[News, ...], reason: Reason | None
) -> None:
    record, _ = learned(*known[:-1], news=known[-1])
    assert no_longer(waiting(kind, subject), record, SHOP, NOW) is reason


def test_p8_a_message_for_an_address_the_order_has_no_more_is_withdrawn() -> None:
    record, _ = learned(news=order(email="corrected@example.test"))
    message = waiting("order_received", "")
    assert no_longer(message, record, SHOP, NOW) is Reason.ADDRESS_CHANGED
    assert no_longer(replace(message, recipient="Corrected@Example.test"), record, SHOP, NOW) is None
