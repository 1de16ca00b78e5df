"""The clock: says when; what is due stands in the tables, so several schedulers do no harm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler

from connector import memory
from connector.flow.service import Service


@dataclass(frozen=True, slots=True)
class Job:
    """One periodic job: what it is for, how often (seconds), and what it calls."""

    name: str
    seconds: float
    run: Callable[[Service], object]


JOBS: Sequence[Job] = (
    Job("look for due deliveries and messages", 0.5, lambda service: service.news()),
    Job("look for due connections and sweeps", 1, lambda service: service.asking.nudge()),
    Job("take over from workers that died", 30, lambda service: service.recover.run()),
    Job("fetch public keys senders named", 30, lambda service: service.fetch_sender_keys.run()),
    Job("erase what has to go", 60, lambda service: service.erase.run()),
    Job("measure what waits", 15, lambda service: service.measure.run()),
    Job("give freed memory back to the system", 15, lambda _: memory.give_back()),
)


class Scheduler:
    """APScheduler with JOBS; every job skips a turn rather than running twice at once."""

    def __init__(self, service: Service) -> None:
        self._scheduler = BackgroundScheduler(timezone="UTC")
        for job in JOBS:
            self._scheduler.add_job(
                job.run, "interval", args=[service], seconds=job.seconds, id=job.name, max_instances=1, coalesce=True
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Wait for the job at hand, then end."""
        self._scheduler.shutdown(wait=True)
