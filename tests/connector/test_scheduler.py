"""The clock only says when; each job runs by itself and none twice at once."""

import threading
from collections.abc import Iterator

import pytest

from connector import scheduler
from connector.flow.service import Service
from connector.scheduler import JOBS, Job, Scheduler
from tests.flow.road import Road

WAIT = 10


@pytest.fixture
def service(road: Road) -> Service:
    return road.service


@pytest.fixture
def stopping() -> Iterator[list[Scheduler]]:
    started: list[Scheduler] = []
    yield started
    for one in started:
        one.stop()


def run(service: Service, jobs: tuple[Job, ...], monkeypatch: pytest.MonkeyPatch, stopping: list[Scheduler]) -> None:
    monkeypatch.setattr(scheduler, "JOBS", jobs)
    stopping.append(Scheduler(service))
    stopping[-1].start()


def test_every_job_has_its_own_name_and_can_be_run(service: Service) -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert job.seconds > 0
        job.run(service)


def test_a_job_runs_again_and_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, stopping: list[Scheduler]
) -> None:
    ran = threading.Semaphore(0)
    run(service, (Job("tick", 0.02, lambda _: ran.release()),), monkeypatch, stopping)
    assert all(ran.acquire(timeout=WAIT) for _ in range(3))


def test_a_job_that_takes_long_skips_turns_and_holds_up_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch, stopping: list[Scheduler]
) -> None:
    together: list[int] = []
    inside, let_go, others = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def slow(_: Service) -> None:
        together.append(1)
        inside.release()
        let_go.wait(WAIT)

    run(service, (Job("slow", 0.02, slow), Job("other", 0.02, lambda _: others.release())), monkeypatch, stopping)
    assert inside.acquire(timeout=WAIT)
    assert all(others.acquire(timeout=WAIT) for _ in range(5))
    assert together == [1]
    let_go.set()


def test_a_job_that_fails_has_its_next_turn(
    service: Service, monkeypatch: pytest.MonkeyPatch, stopping: list[Scheduler]
) -> None:
    ran = threading.Semaphore(0)

    def failing(_: Service) -> None:
        ran.release()
        raise ValueError("for a test")

    run(service, (Job("failing", 0.02, failing),), monkeypatch, stopping)
    assert all(ran.acquire(timeout=WAIT) for _ in range(2))
