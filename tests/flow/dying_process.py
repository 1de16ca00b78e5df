"""The real service in a process of its own that may kill itself at one named point between two stages of the road.

Run as `python -m tests.flow.dying_process DATABASE_URL PORT SMTP_PORT POINT COUNT HOURS_AHEAD`: at the COUNTth time
POINT is reached, the process gets SIGKILL. POINT `never` lives. HOURS_AHEAD moves the clock, so that leases are over.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import connector.flow.issue_documents
import connector.flow.process_inbox
import connector.flow.send_outbox
import connector.tables.inbox
import webhooks.endpoints
from connector.app import build_service
from connector.domain.clock import SystemClock
from connector.running import Process
from connector.settings import Settings

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class ClockAhead(SystemClock):
    """The machine's clock, some hours ahead."""

    def __init__(self, hours: float) -> None:
        self._ahead = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self._ahead


class Reaper:
    """Counts how often a point was reached and ends the process at the right time."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def reached(self, point: str) -> None:
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, owner: Any, name: str, point: str) -> None:
        """Reach the point just before the owner's function runs."""
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.reached(point)
            return original(*arguments, **named)

        setattr(owner, name, wrapped)

    def after(self, owner: Any, name: str, point: str) -> None:
        """Reach the point just after the owner's function has run."""
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            self.reached(point)
            return result

        setattr(owner, name, wrapped)


POINTS = (
    "genuine, not yet recorded",
    "recorded, not yet committed",
    "recorded, not yet answered",
    "claimed, not yet read",
    "joined, not yet committed",
    "joined and committed",
    "document rendered, not yet kept",
    "document kept",
    "intent claimed, not yet rendered",
    "rendered, not yet handing over",
    "handing over marked, nothing sent",
    "taken by the other side, not yet marked",
    "marked as sent",
)
"""Between every two stages of the road, in its order."""


def arm(reaper: Reaper) -> None:
    """Put the points into the road."""
    reaper.before(connector.tables.inbox, "new_delivery_id", POINTS[0])
    reaper.after(connector.tables.inbox, "record", POINTS[1])
    reaper.before(webhooks.endpoints.Door, "written", POINTS[2])
    reaper.before(connector.flow.process_inbox.ProcessInbox, "join", POINTS[3])
    reaper.after(connector.flow.process_inbox.ProcessInbox, "_write", POINTS[4])
    reaper.after(connector.flow.process_inbox.ProcessInbox, "_commit", POINTS[5])
    reaper.after(connector.flow.issue_documents, "render_pdf", POINTS[6])
    reaper.after(connector.flow.issue_documents.IssueDocuments, "_keep", POINTS[7])
    reaper.before(connector.flow.send_outbox.SendOutbox, "_message", POINTS[8])
    reaper.after(connector.flow.send_outbox.SendOutbox, "_message", POINTS[9])
    reaper.after(connector.flow.send_outbox.SendOutbox, "_hand_over", POINTS[10])
    reaper.before(connector.flow.send_outbox.SendOutbox, "_submit", POINTS[11])
    reaper.after(connector.flow.send_outbox.SendOutbox, "_write", POINTS[12])


def main(database_url: str, port: str, smtp_port: str, point: str, count: str, hours_ahead: str) -> None:
    arm(Reaper(point, int(count)))
    settings = Settings(
        database_url=database_url,
        secret_keys=(KEY,),
        port=int(port),
        smtp_host="127.0.0.1",
        smtp_port=int(smtp_port),
        smtp_security="none",
        mail_from="orders@example.test",
        tracking_wait_minutes=0,
    )
    service = build_service(settings, clock=ClockAhead(float(hours_ahead)))
    Process(service).run(_say_ready)


def _say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
