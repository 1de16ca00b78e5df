"""Whatever webhooks lost, double, mix up or bring late: after a sweep our orders are the shop's own."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.http import Busy
from connector.domain.connection import ConnectionState, Credentials, Page
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.shop import Shop, Voice
from connector.flow import sweeping
from connector.tables import connections, orders, shops, sweeps
from connector.tables.connections import Vault
from connector.tables.sweeps import NEVER, SweepKind
from tests import builders, fake_platform
from tests.fake_api import PACE
from tests.fake_connect import TOKEN
from tests.fake_platform import order_document
from tests.flow.road import NOW, Road

MakeRoad = Callable[..., Road]


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For rules that are no database's business."""


class Killed(BaseException):
    """The process is gone in the middle of it."""


@pytest.fixture
def connected(make_road: MakeRoad) -> Road:
    """A shop at work, with nothing in it."""
    return make_road(connected=True)


def words(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def order(number: int, at: datetime, **changes: Any) -> dict[str, Any]:
    """An order placed and last changed at a moment."""
    return order_document(id=str(number), number=f"F-{number}", placed_at=words(at), updated_at=words(at), **changes)


def fill(road: Road, count: int, *, first: datetime, step: timedelta = timedelta(minutes=1)) -> None:
    for number in range(count):
        road.there.put(order(number + 1, first + step * number))


def known(road: Road) -> dict[str, tuple[str, str]]:
    """What we know: by order its state and its last change."""
    with road.service.database.read() as connection:
        found = orders.newest(connection, road.shop.shop_id, limit=100_000)
    return {
        record.order_id: (record.snapshot.state.value, words(record.snapshot.updated_at))
        for record in found
        if record.snapshot
    }


def truth(road: Road) -> dict[str, tuple[str, str]]:
    return {name: (one["state"], one["updated_at"]) for name, one in road.there.orders.items()}


def heard(road: Road) -> None:
    """A webhook came just now."""
    road.tell(order(9_000, road.clock.moment), delivery_id=f"heard-{road.clock.moment.timestamp()}")
    road.there.put(order(9_000, road.clock.moment))


def test_an_order_no_webhook_told_of_is_found_told_and_counted_as_a_gap(connected: Road) -> None:
    connected.there.put(order(1, NOW + timedelta(minutes=3)))
    connected.later(minutes=12)
    assert known(connected) == truth(connected)
    assert connected.kinds("1") == ["order_received"]
    assert connected.connection().healed == 1


def test_p2_what_a_webhook_told_too_is_no_gap_and_told_once(connected: Road) -> None:
    document = connected.there.put(order(1, NOW + timedelta(minutes=3)))
    connected.later(minutes=4)
    connected.tell(document)
    connected.later(minutes=20)
    assert connected.connection().healed == 0
    assert connected.kinds("1") == ["order_received"]


def test_p4_history_is_imported_and_mails_nobody(make_road: MakeRoad) -> None:
    road = make_road(shop=builders.shop(platform="fake", connected_at=NOW, default_voice=Voice.US))
    fill(road, 35, first=NOW - timedelta(days=80), step=timedelta(days=2))
    road.offer()
    road.work()
    history = road.sweep(SweepKind.HISTORY)
    assert (history.documents, history.run_at, history.finished_at) == (35, NEVER, NOW)
    assert known(road) == truth(road)
    assert road.mails == []
    assert road.connection().healed == 0
    road.later(days=100)
    assert road.sweep(SweepKind.HISTORY).finished_at == NOW


@on_sqlite
def test_history_reaches_back_as_far_as_the_operator_says(make_road: MakeRoad) -> None:
    road = make_road(shop=builders.shop(platform="fake", connected_at=NOW), history_days=30)
    fill(road, 35, first=NOW - timedelta(days=80), step=timedelta(days=2))
    road.offer()
    road.work()
    assert len(known(road)) == 10
    without = make_road(
        shop=builders.shop(platform="fake", connected_at=NOW, shop_id="s2", key="key-2", host="b.example.test"),
        history_days=0,
    )
    without.offer()
    without.work()
    with pytest.raises(KeyError):
        without.sweep(SweepKind.HISTORY)


@on_sqlite
def test_history_waits_while_news_waits(make_road: MakeRoad) -> None:
    road = make_road(shop=builders.shop(platform="fake", connected_at=NOW))
    fill(road, 35, first=NOW - timedelta(days=80), step=timedelta(days=2))
    road.offer()
    service = road.service
    for _ in range(3):
        service.tend_connections.run()
    road.post(order(1, NOW))
    road.clock.moment += timedelta(seconds=10)
    while service.reconcile.run():
        pass
    assert road.sweep(SweepKind.HISTORY).documents == 0
    road.later(seconds=2)
    assert road.sweep(SweepKind.HISTORY).finished_at is not None


@on_sqlite
def test_a_later_version_is_found_though_the_first_was_told(connected: Road) -> None:
    connected.tell(connected.there.put(order(1, NOW)))
    connected.there.put(
        order(1, NOW + timedelta(minutes=1), state="cancelled", cancelled_at=words(NOW + timedelta(minutes=1)))
    )
    connected.later(hours=2)
    assert known(connected) == truth(connected)
    assert connected.connection().healed == 1


@on_sqlite
def test_while_webhooks_come_the_youngest_changes_are_left_to_them(connected: Road) -> None:
    heard(connected)
    connected.later(minutes=70)
    young, old = connected.clock.moment + timedelta(minutes=59), connected.clock.moment + timedelta(minutes=30)
    connected.there.put(order(1, old))
    connected.there.put(order(2, young))
    connected.clock.moment += timedelta(minutes=60)
    with connected.service.database.write() as connection:
        sweeps.hasten(connection, connected.shop.shop_id, connected.clock.moment)
    connected.work()
    assert set(known(connected)) >= {"1"}
    assert "2" not in known(connected)
    assert connected.sweep().watermark == old
    connected.later(minutes=70)
    assert known(connected) == truth(connected)


@on_sqlite
def test_sweeps_are_rare_while_webhooks_come_and_frequent_while_they_do_not(connected: Road) -> None:
    def wait() -> timedelta:
        sweep = connected.sweep()
        assert sweep.finished_at is not None
        return sweep.run_at - sweep.finished_at

    connected.later(hours=1)
    assert PACE.alone * 0.9 <= wait() <= PACE.alone * 1.1
    heard(connected)
    connected.later(hours=1)
    assert PACE.with_webhooks * 0.9 <= wait() <= PACE.with_webhooks * 1.1
    connected.later(hours=25)
    assert wait() <= PACE.alone * 1.1


@on_sqlite
@pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(minutes=2), PACE.overlap])
def test_p1_a_change_that_became_visible_late_is_found_within_the_overlap(connected: Road, late: timedelta) -> None:
    newest = NOW + timedelta(minutes=10)
    connected.there.put(order(1, newest))
    connected.later(minutes=12)
    assert connected.sweep().watermark == newest
    connected.there.put(order(2, newest - late))
    connected.later(minutes=12)
    assert known(connected) == truth(connected)


@on_sqlite
def test_a_shop_that_tells_of_the_future_hides_nothing_that_comes_after(connected: Road) -> None:
    connected.there.put(order(1, datetime(2099, 1, 1, tzinfo=UTC)))
    connected.later(minutes=15)
    connected.there.put(order(2, connected.clock.moment))
    connected.later(minutes=15)
    assert known(connected) == truth(connected)


@on_sqlite
def test_nothing_new_leaves_the_watermark_where_it_is(connected: Road) -> None:
    before = connected.sweep()
    connected.later(hours=3)
    after = connected.sweep()
    assert (after.watermark, after.since) == (before.watermark, before.watermark - PACE.overlap)


@on_sqlite
@pytest.mark.parametrize("page", range(1, 5))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_p1_a_sweep_killed_at_any_page_goes_on_and_loses_nothing(make_road: MakeRoad, page: int, moment: str) -> None:
    road = make_road(connected=True)
    fill(road, 38, first=NOW, step=timedelta(seconds=1))
    pages = 0

    def dying(_cursor: str, found: Page) -> Page:
        nonlocal pages
        pages += 1
        if pages == page and moment == "before":
            raise Killed
        return found

    def recorded() -> None:
        if pages == page and moment == "after":
            raise Killed

    road.there.lead = dying
    road.service.reconcile._recorded = recorded
    road.clock.moment += timedelta(minutes=15)
    with pytest.raises(Killed):
        road.service.reconcile.run()
    road.later(minutes=6)
    assert known(road) == truth(road)
    assert pages <= 5


@on_sqlite
def test_a_long_sweep_makes_room_after_its_time_and_goes_on(connected: Road) -> None:
    fill(connected, 38, first=NOW, step=timedelta(seconds=1))
    connected.service.reconcile._budget_seconds = 0
    connected.clock.moment += timedelta(minutes=15)
    turns = 0
    while connected.service.reconcile.run():
        turns += 1
    connected.work()
    assert turns == 4
    assert known(connected) == truth(connected)


@on_sqlite
@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Busy("the shop is in maintenance"), ConnectionState.CONNECTED, "the shop is in maintenance"),
        (Retryable("too many questions", after=timedelta(minutes=5)), ConnectionState.CONNECTED, "too many questions"),
        (Permanent("Give the key Read rights"), ConnectionState.CONNECTED, "Give the key Read rights"),
        (RuntimeError("x"), ConnectionState.CONNECTED, "the adapter failed: RuntimeError; the log says why"),
        (
            UnreadableDelivery(field="body", why="it is empty", accepted="JSON"),
            ConnectionState.CONNECTED,
            "body: it is empty; accepted: JSON",
        ),
    ],
)
def test_what_goes_wrong_is_said_and_heals_once_it_is_over(
    connected: Road, error: Exception, state: ConnectionState, said: str
) -> None:
    connected.there.fails_at = {"changes": error}
    connected.there.put(order(1, NOW + timedelta(minutes=3)))
    connected.later(minutes=12)
    assert connected.sweep().problem == said
    assert connected.connection().state is state
    if isinstance(error, Retryable) and error.after:
        assert connected.sweep().run_at >= connected.clock.moment + error.after
    connected.there.fails_at = {}
    connected.later(hours=2)
    connected.later(hours=2)
    assert connected.connection().state is ConnectionState.CONNECTED
    assert connected.sweep().problem == ""
    assert known(connected) == truth(connected)


@on_sqlite
def test_a_refusal_lets_the_watchdog_look_and_it_alone_breaks_the_connection(connected: Road) -> None:
    connected.there.fails_at = dict.fromkeys(("changes", "probe", "subscribe"), Permanent("the key was taken back"))
    connected.later(minutes=12)
    connected.later(minutes=6)
    assert connected.connection().state is ConnectionState.BROKEN
    assert connected.connection().problem == "the key was taken back"


@on_sqlite
def test_a_platform_that_refuses_the_same_question_for_good_is_not_asked_without_end(connected: Road) -> None:
    connected.there.fails_at = {"changes": Permanent("no")}
    for _ in range(48):
        connected.later(hours=1)
    assert connected.there.calls["changes"] < 48 + 20


@on_sqlite
def test_a_cursor_the_platform_forgot_is_let_go_and_the_sweep_begins_again_where_it_was(connected: Road) -> None:
    fill(connected, 25, first=NOW)
    forgotten: list[str] = []

    def forgetful(cursor: str, page: Page) -> Page:
        if not cursor and not forgotten:
            forgotten.append(page.cursor)
        if cursor and cursor in forgotten:
            raise Retryable("this cursor is too old")
        return page

    connected.there.lead = forgetful
    connected.later(minutes=30)
    assert connected.sweep().problem == "this cursor is too old"
    for _ in range(sweeping.MOST_FAILURES):
        connected.later(minutes=10)
    assert known(connected) == truth(connected)


@on_sqlite
@pytest.mark.parametrize("trick", ["same cursor", "same page", "no end"])
def test_pages_that_never_end_are_left_with_a_word_about_it(
    connected: Road, trick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "MOST_PAGES", 50)
    fill(connected, 25, first=NOW, step=timedelta(seconds=1))
    pages: list[Page] = []

    def tricky(cursor: str, page: Page) -> Page:
        pages.append(page)
        if trick == "same cursor":
            return Page((), cursor or page.cursor)
        if trick == "same page":
            return replace(pages[0], cursor=f"{len(pages)}|x")
        return Page((), f"{len(pages)}|x")

    connected.there.lead = tricky
    connected.later(minutes=12)
    assert "looked for next time" in connected.sweep().problem
    assert len(pages) <= (50 if trick == "no end" else 3)
    connected.there.lead = lambda _cursor, page: page
    connected.later(minutes=12)
    assert connected.sweep().problem == ""
    assert known(connected) == truth(connected)


@on_sqlite
def test_a_word_about_a_page_is_kept_and_hinders_nothing(connected: Road) -> None:
    fill(connected, 25, first=NOW, step=timedelta(seconds=1))
    notes = iter([("order 3 could not be read",)])
    connected.there.lead = lambda _cursor, page: replace(page, notes=next(notes, ()))
    connected.later(minutes=12)
    assert connected.sweep().problem == "order 3 could not be read"
    assert known(connected) == truth(connected)
    connected.later(minutes=12)
    assert connected.sweep().problem == ""


def test_p1_what_is_found_twice_is_kept_once(connected: Road) -> None:
    connected.there.put(order(1, NOW + timedelta(minutes=3)))
    for _ in range(5):
        connected.later(minutes=12)
    assert connected.inbox_counts() == {"done": 1}
    assert connected.there.calls["changes"] > 4


def test_a_shop_that_left_is_looked_through_no_more_and_the_page_at_hand_is_dropped(connected: Road) -> None:
    fill(connected, 25, first=NOW, step=timedelta(seconds=1))

    def leaving(_cursor: str, page: Page) -> Page:
        connected.service.disconnect.run(connected.shop.shop_id)
        return page

    connected.there.lead = leaving
    connected.later(minutes=12)
    assert known(connected) == {}
    assert connected.inbox_counts() == {}


STEPS = st.lists(
    st.tuples(
        st.integers(1, 6),  # which order
        st.sampled_from(["open", "completed", "cancelled"]),
        st.sampled_from(["told", "lost", "late", "twice"]),
        st.integers(1, 400),  # seconds until the next: what happens in one second is told apart by no platform
    ),
    min_size=1,
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_p1_p3_whatever_becomes_of_webhooks_after_a_sweep_our_orders_are_the_shops(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, str, int]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("road")
    road = Road(f"sqlite:///{folder}/connector.db", connected=True)
    try:
        late: list[tuple[int, dict[str, Any]]] = []
        for place, (number, state, fate, wait) in enumerate(steps):
            road.clock.moment += timedelta(seconds=wait)
            ended = {"cancelled_at": words(road.clock.moment)} if state == "cancelled" else {}
            document = road.there.put(order(number, road.clock.moment, state=state, **ended))
            if fate in ("told", "twice"):
                road.post(document, delivery_id=f"d{place}")
            if fate == "twice":
                road.post(document, delivery_id=f"e{place}")
            if fate == "late":
                late.append((place, document))
            road.work()
        for place, document in reversed(late):
            road.post(document, delivery_id=f"l{place}")
        road.later(hours=2)
        assert known(road) == truth(road)
        for name in road.there.orders:
            kinds = road.kinds(name)
            assert len(kinds) == len(set(kinds))
    finally:
        road.close()


def at_work(road: Road, shops_there: list[Shop]) -> None:
    """Connect shops at once, without asking anybody."""
    seal, now = road.service.seal, road.clock.moment
    vault = Vault(Credentials({"token": TOKEN}))
    with road.service.database.write() as connection:
        for shop in shops_there:
            shops.save(connection, shop, fake_platform.SECRETS, seal)
            connections.create(connection, shop.shop_id, "fake", f"https://{shop.host}", seal, now)
            connections.keep(connection, shop.shop_id, vault, seal, version=0, renew_at=None)
            connections.settle(connection, shop.shop_id, ConnectionState.CONNECTED, now, "", proven=True)
            sweeps.begin(connection, shop.shop_id, SweepKind.CHANGES, now, now)


def test_a_thousand_shops_due_at_once_are_looked_through_while_one_hangs(tmp_path: Path) -> None:
    road = Road(f"sqlite:///{tmp_path}/connector.db", asking_threads=8)
    pool = next(pool for pool in road.service.pools if pool.name == "reconcile")
    release = threading.Event()
    road.api.shops["7.example.test"].hangs = release
    at_work(
        road,
        [
            builders.shop(platform="fake", shop_id=f"s{n}", key=f"key-{n}", host=f"{n}.example.test")
            for n in range(1000)
        ],
    )
    try:
        while road.service.reconcile.run() or pool.busy() != {"s7"}:
            pool.wait(0.002)
        with road.service.database.read() as connection:
            waiting = [n for n in range(1000) if not sweeps.of_shop(connection, f"s{n}")[SweepKind.CHANGES].finished_at]
        assert waiting == [7]
    finally:
        release.set()
        road.close()


@on_sqlite
@pytest.mark.parametrize("hours", [-23, -3, 3, 23])
def test_p1_of_a_shop_whose_clock_is_wrong_nothing_is_missed(make_road: MakeRoad, hours: int) -> None:
    road = make_road(connected=True, shop=builders.shop(platform="fake", connected_at=NOW), history_days=1)
    for number in range(1, 7):
        road.clock.moment += timedelta(minutes=30)
        dated = (road.clock.moment + timedelta(hours=hours)).isoformat()
        road.there.put(order_document(id=f"{number}", number=f"{number}", updated_at=dated, placed_at=dated))
        road.work()
    road.later(hours=1)
    assert all(road.record(f"{number}") for number in range(1, 7))
