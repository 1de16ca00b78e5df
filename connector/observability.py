"""What the service says about itself: structured logs without people in them (P10), and metrics."""

import json
import logging
import math
import re
import sys
import time
from typing import TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECRET_LIKE = re.compile(
    r"(?<=://)[^/\s]{1,500}(?=@)"
    r"|[^\s@<>()\[\],;:=/\"]{1,64}(?:@|%40)[\w.-]{1,255}"
    r"|\b(?:ck|cs|shp[a-z]{2,3})_[A-Za-z0-9]+"
    r"|\bwc_order_\w+"
    r"|(?i:bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}"
)
"""Credentials in addresses, e-mail addresses, platforms' keys, order keys, authorization headers.

Repetitions that come before what they look for have an end, so that long texts cannot make this slow.
"""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """Text without e-mail addresses, keys and credentials, and without characters that forge log lines."""
    shown = _SECRET_LIKE.sub("[redacted]", text)
    return "".join(character if character.isprintable() else " " for character in shown)


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, what, and the fields given in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        said |= {name: _shown(value) for name, value in extra.items()}
        if record.exc_info:
            said["exception"] = redact(self.formatException(record.exc_info).replace("\n", " | "))
        return json.dumps(said)


def _shown(value: object) -> object:
    """Numbers and truths as they are, everything else as redacted text: what is inside might be a person's."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return redact(str(value))


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send everything at or above `level` to `stream` (standard error) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("apscheduler").setLevel("WARNING")


class Metrics:
    """Everything that is counted; each service has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = self._counter("deliveries_accepted", "Genuine deliveries answered with 200", "platform", "new")
        self.refused = self._counter("deliveries_refused", "Requests the door refused", "platform", "reason")
        self.processed = self._counter("deliveries_processed", "Deliveries by what became of them", "platform", "state")
        self.unknown_words = self._counter("unknown_words", "Status words without a meaning yet", "platform")
        self.decisions = self._counter("decisions", "Messages planned or declined", "kind", "reason")
        self.messages = self._counter("messages", "Messages by what became of them", "kind", "outcome")
        self.documents = self._counter("documents", "Documents by what became of them", "kind", "outcome")
        self.errors = self._counter("errors", "Errors nobody expected", "where")
        self.acceptance_seconds = Histogram(
            "connector_acceptance_seconds",
            "From the first line of our code to the answer, committed",
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
        )
        self.waiting = Gauge("connector_rows", "Rows by table and state", ("table", "state"), registry=self.registry)
        self.lateness = Gauge(
            "connector_oldest_due_seconds", "Age of the longest due open row", ("table",), registry=self.registry
        )

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"connector_{name}", says, labels, registry=self.registry)
