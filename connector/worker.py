"""Threads that do what is due: as fast as it comes, and asleep when nothing is."""

import logging
import threading
from collections.abc import Callable, Sequence

from connector.observability import Metrics

log = logging.getLogger(__name__)


class Bell:
    """Wakes loops that are made later than those who ring."""

    def __init__(self) -> None:
        self._loops: tuple[Loop, ...] = ()

    def wakes(self, *loops: "Loop") -> None:
        self._loops = loops

    def ring(self) -> None:
        """There may be something to do. Cheap, and may be called from any thread, any number of times."""
        for loop in self._loops:
            loop.nudge()


class Loop:
    """One thread that runs its steps until none has anything to do, then sleeps until it is nudged."""

    def __init__(self, name: str, steps: Sequence[Callable[[], int]], metrics: Metrics) -> None:
        self.name = name
        self._steps = steps
        self._metrics = metrics
        self._nudged = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self.nudge()

    def nudge(self) -> None:
        """There may be something to do. Cheap, and may be called from any thread, any number of times."""
        self._nudged.set()

    def stop(self, timeout: float = 30.0) -> None:
        """Finish the step at hand, then end; waits `timeout` seconds at most. What is not done is still due later."""
        self._stopping.set()
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.wait()
            self._nudged.clear()
            while not self._stopping.is_set() and self._once():
                pass

    def _once(self) -> int:
        """All steps once; an error of one is counted and logged, and the others still have their turn."""
        done = 0
        for step in self._steps:
            try:
                done += step()
            except Exception:
                self._metrics.errors.labels(self.name).inc()
                log.exception("a step of the %s loop failed; it will be tried again", self.name)
        return done
