"""What a dead worker held: due again, or up for review when nobody knows (P1, P2)."""

from connector.database import Database
from connector.domain.clock import Clock
from connector.domain.timeline import Tag, TimelineEntry
from connector.tables import connections, inbox, sweeps, timeline
from connector.tables.timeline import Learned
from notifications import outbox
from notifications.outbox import Claimed


class Recover:
    """Claims run out by themselves; what was half handed over needs a person."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def start_alone(self) -> int:
        """At the start of the only process: nobody else can hold anything, so no lease has to be waited for."""
        now = self._clock.now()
        with self._database.write() as connection:
            inbox.release(connection, now)
            outbox.release(connection, now)
            connections.release(connection, now)
            sweeps.release(connection, now)
        return self.run()

    def run(self) -> int:
        """Send to review what outlived its sender in the middle of handing over; returns how many."""
        now = self._clock.now()
        with self._database.write() as connection:
            found = outbox.recover(connection, now)
            timeline.append(self._database, connection, [_told(one, self._clock) for one in found])
        return len(found)


def _told(claimed: Claimed, clock: Clock) -> Learned:
    now, notification = clock.now(), claimed.notification
    details = {"kind": notification.kind, "subject": notification.subject, "outcome": "stopped while handing over"}
    entry = TimelineEntry(Tag.MESSAGE_REVIEW, claimed.intent_id, now, now, details)
    return Learned(notification.shop_id, notification.order_id, claimed.delivery_id, entry)
