"""How much waits and for how long, for the metrics page."""

from connector.database import Database
from connector.domain.clock import Clock
from connector.observability import Metrics
from connector.tables import documents, inbox
from notifications import outbox


class Measure:
    """Fills the gauges. Counting looks at every row, so the clock does it now and then and no request does."""

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics

    def run(self) -> int:
        """Measure once; returns how many rows wait for a person."""
        now = self._clock.now()
        attention = 0
        with self._database.read() as connection:
            for name, table in (("inbox", inbox), ("outbox", outbox)):
                found = table.waiting_counts(connection)
                attention += sum(found.get(state, 0) for state in ("review", "dead", "failed"))
                for state in table.WAITING_STATES:
                    self._metrics.waiting.labels(name, state).set(found.get(state, 0))
                oldest = table.oldest_due(connection)
                late = (now - oldest).total_seconds() if oldest else 0.0
                self._metrics.lateness.labels(name).set(max(0.0, late))
            for state, count in documents.waiting_counts(connection).items():
                self._metrics.waiting.labels("documents", state).set(count)
        return attention
