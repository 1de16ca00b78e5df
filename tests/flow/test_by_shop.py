"""A shop whose platform hangs costs itself, and nobody else."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from adapters.http import Busy, Unanswered
from connector.domain.clock import FixedClock
from connector.domain.errors import Permanent, Retryable
from connector.flow import by_shop
from connector.flow.by_shop import FIRST_REST, LONGEST_REST, WAITS_AFTER, Rests, ShopPool, is_away
from connector.observability import Metrics

NOW = datetime(2026, 11, 20, 9, 31, tzinfo=UTC)
WAIT = 10


class Hanging:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(WAIT)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def rests(clock: FixedClock) -> Rests:
    return Rests(clock)


def pool(rests: Rests, threads: int = 2, metrics: Metrics | None = None) -> ShopPool:
    return ShopPool("test", threads, rests, metrics or Metrics())


def failing(error: Exception) -> object:
    raise error


def test_a_shop_has_one_piece_of_work_at_once(rests: Rests) -> None:
    mine, hanging = pool(rests), Hanging()
    assert mine.submit("a", hanging)
    assert hanging.begun.wait(WAIT)
    assert mine.busy() == {"a"}
    assert mine.free == 1
    assert not mine.submit("a", lambda: None)
    hanging.go_on.set()
    assert mine.wait(WAIT)
    assert mine.busy() == set()
    assert mine.submit("a", lambda: None)
    mine.stop()


def test_another_kind_of_work_for_the_same_shop_goes_beside_it(rests: Rests) -> None:
    sweeps, hints, hanging = pool(rests), pool(rests), Hanging()
    done = threading.Event()
    sweeps.submit("a", hanging)
    assert hints.submit("a", done.set)
    assert done.wait(WAIT)
    hanging.go_on.set()
    sweeps.stop()
    hints.stop()


def test_a_thousand_shops_get_their_turn_while_one_hangs(rests: Rests) -> None:
    mine, hanging = pool(rests, threads=4), Hanging()
    done: list[str] = []
    mine.submit("hangs", hanging)
    for number in range(1000):
        mine.submit(str(number), lambda name=str(number): done.append(name))  # type: ignore[misc]
    hanging.begun.wait(WAIT)
    end = threading.Event()
    mine.submit("last", end.set)
    assert end.wait(WAIT)
    assert len(done) >= 997
    assert mine.busy() >= {"hangs"}
    hanging.go_on.set()
    mine.stop()


@pytest.mark.parametrize("error", [Busy("away"), Unanswered("cut")])
def test_a_platform_that_is_away_lets_its_shop_rest_in_every_pool(
    rests: Rests, clock: FixedClock, error: Exception
) -> None:
    mine, other = pool(rests, threads=0), pool(rests, threads=0)
    mine.submit("a", lambda: failing(error))
    assert mine.busy() == other.busy() == {"a"}
    clock.moment += FIRST_REST
    assert mine.busy() == set()


def test_rests_grow_to_a_quarter_of_an_hour_and_a_success_ends_them(rests: Rests, clock: FixedClock) -> None:
    mine = pool(rests, threads=0)
    waits = []
    for _ in range(8):
        mine.submit("a", lambda: failing(Busy("away")))
        begun = clock.moment
        while mine.busy():
            clock.moment += timedelta(seconds=30)
        waits.append((clock.moment - begun).total_seconds())
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    assert timedelta(seconds=waits[-1]) == LONGEST_REST
    mine.submit("a", lambda: None)
    mine.submit("a", lambda: failing(Busy("away")))
    clock.moment += FIRST_REST
    assert mine.busy() == set()


def test_a_wait_the_platform_asked_for_is_kept_to_and_not_doubled(rests: Rests, clock: FixedClock) -> None:
    mine = pool(rests, threads=0)
    for _ in range(3):
        mine.submit("a", lambda: failing(Busy("slow down", after=timedelta(seconds=4))))
        clock.moment += timedelta(seconds=3)
        assert mine.busy() == {"a"}
        clock.moment += timedelta(seconds=1)
        assert mine.busy() == set()


def test_two_kinds_of_work_that_fail_together_make_one_rest(rests: Rests, clock: FixedClock) -> None:
    for _ in range(5):
        rests.begin("a")
    clock.moment += FIRST_REST
    assert rests.resting() == set()


@pytest.mark.parametrize("error", [Retryable("not there yet"), Permanent("refused"), RuntimeError("a fault of ours")])
def test_what_says_nothing_about_the_platform_is_counted_and_costs_no_rest(rests: Rests, error: Exception) -> None:
    metrics = Metrics()
    mine = pool(rests, threads=0, metrics=metrics)
    mine.submit("a", lambda: failing(error))
    assert mine.busy() == set()
    assert metrics.registry.get_sample_value("connector_errors_total", {"where": "test"}) == 1


def test_only_a_side_that_does_not_answer_is_away() -> None:
    assert is_away(Busy("503"))
    assert is_away(Unanswered("cut"))
    assert not is_away(Retryable("no such order yet"))


def test_shops_that_hang_give_back_their_places_and_take_them_again_with_an_answer(rests: Rests) -> None:
    steady, hanging = [0.0], [Hanging(), Hanging()]
    mine = ShopPool("test", 2, rests, Metrics(), steady=lambda: steady[0])
    for name, one in zip("ab", hanging, strict=True):
        mine.submit(name, one)
    assert mine.free == 0
    steady[0] += WAITS_AFTER
    assert mine.free == 2
    assert mine.busy() == {"a", "b"}
    mine.answered("a")
    mine.answered("gone meanwhile")
    assert mine.free == 1
    for one in hanging:
        one.go_on.set()
    assert mine.wait(WAIT)
    mine.stop()


def test_no_more_wait_than_there_are_threads(rests: Rests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_shop, "MOST_WAITING", 1)
    steady, hanging = [0.0], [Hanging(), Hanging()]
    mine = ShopPool("test", 1, rests, Metrics(), steady=lambda: steady[0])
    for name, one in zip("ab", hanging, strict=True):
        assert mine.free == 1
        mine.submit(name, one)
        steady[0] += 10 * WAITS_AFTER
    assert mine.free == 0
    for one in hanging:
        one.go_on.set()
    mine.stop()


def test_whoever_waits_for_room_is_told_when_all_hang(rests: Rests) -> None:
    told, hanging = threading.Event(), Hanging()
    mine = ShopPool("test", 1, rests, Metrics(), done=told.set)
    mine.submit("a", hanging)
    assert told.wait(WAIT)
    assert mine.free == 1
    hanging.go_on.set()
    mine.stop()


def test_at_the_end_what_has_begun_ends_and_the_rest_is_dropped(rests: Rests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_shop, "MOST_WAITING", 0)
    mine, hanging, dropped = pool(rests, threads=1), Hanging(), threading.Event()
    mine.submit("a", hanging)
    mine.submit("b", dropped.set)
    assert hanging.begun.wait(WAIT)
    stopper = threading.Thread(target=mine.stop)
    stopper.start()
    while not mine.stopping:
        pass
    hanging.go_on.set()
    stopper.join(WAIT)
    assert not dropped.is_set()
    assert mine.free == 0
    assert not mine.submit("c", lambda: None)


def test_whoever_waits_for_room_is_told(rests: Rests) -> None:
    told = threading.Event()
    mine = ShopPool("test", 1, rests, Metrics(), done=told.set)
    mine.submit("a", lambda: failing(Busy("away")))
    assert told.wait(WAIT)
    mine.stop()
