"""A loop works while there is work, sleeps when there is none, and outlives the errors of its steps."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from connector.observability import Metrics
from connector.worker import Loop

WAIT = 10

MakeLoop = Callable[..., Loop]


@pytest.fixture
def make_loop() -> Iterator[MakeLoop]:
    """Starts loops and ends them afterwards."""
    made: list[Loop] = []

    def make(*steps: Callable[[], int], metrics: Metrics | None = None) -> Loop:
        made.append(Loop("test", steps, metrics or Metrics()))
        made[-1].start()
        return made[-1]

    yield make
    for loop in made:
        loop.stop()


class Step:
    """Does as much as it is told, and says when it ran."""

    def __init__(self, plan: Sequence[int | Exception] = ()) -> None:
        self.plan = list(plan)
        self.runs = 0
        self.idle = threading.Semaphore(0)

    def __call__(self) -> int:
        self.runs += 1
        outcome = self.plan.pop(0) if self.plan else 0
        if isinstance(outcome, Exception):
            raise outcome
        if not outcome:
            self.idle.release()
        return outcome


def test_it_works_until_nothing_is_left_and_then_sleeps(make_loop: MakeLoop) -> None:
    step = Step([5, 5, 1])
    make_loop(step)
    assert step.idle.acquire(timeout=WAIT)
    assert step.runs == 4
    assert not step.idle.acquire(timeout=0.05)


def test_a_nudge_wakes_it(make_loop: MakeLoop) -> None:
    step = Step()
    loop = make_loop(step)
    for _ in range(3):
        assert step.idle.acquire(timeout=WAIT)
        loop.nudge()


def test_a_nudge_while_it_works_is_not_lost(make_loop: MakeLoop) -> None:
    working, go_on, runs = threading.Event(), threading.Event(), threading.Semaphore(0)

    def step() -> int:
        working.set()
        assert go_on.wait(WAIT)
        runs.release()
        return 0

    loop = make_loop(step)
    assert working.wait(WAIT)
    loop.nudge()
    go_on.set()
    assert runs.acquire(timeout=WAIT)
    assert runs.acquire(timeout=WAIT)


def test_an_error_of_one_step_is_counted_and_the_others_have_their_turn(make_loop: MakeLoop) -> None:
    metrics, broken, fine = Metrics(), Step([ValueError("no")]), Step([1])
    make_loop(broken, fine, metrics=metrics)
    assert fine.idle.acquire(timeout=WAIT)
    assert (broken.runs, fine.runs) == (2, 2)
    assert metrics.registry.get_sample_value("connector_errors_total", {"where": "test"}) == 1


def test_stopping_finishes_the_step_at_hand_and_starts_no_other(make_loop: MakeLoop) -> None:
    inside, finished = threading.Event(), threading.Event()

    def step() -> int:
        inside.set()
        finished.wait(0.05)
        finished.set()
        return 1

    loop = make_loop(step)
    assert inside.wait(WAIT)
    loop.stop()
    assert finished.is_set()
    inside.clear()
    loop.nudge()
    assert not inside.wait(0.05)


def test_a_loop_that_was_never_started_can_be_stopped() -> None:
    Loop("test", (), Metrics()).stop()
