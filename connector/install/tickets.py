"""Links to a shop's progress for those who came without an invitation: signed, good for an hour, and only to look."""

from collections.abc import Sequence
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from connector.domain.clock import Clock

LASTS = timedelta(hours=1)


class Tickets:
    """Writes and reads the signed part of such a link."""

    def __init__(self, keys: Sequence[str], clock: Clock) -> None:
        """`keys`: the newest first; the newest signs, all are believed."""
        self._serializer = URLSafeSerializer(list(reversed(keys)), salt="connector.install.progress")
        self._clock = clock

    def write(self, shop_id: str) -> str:
        """A ticket to look at this shop's progress."""
        ends = int((self._clock.now() + LASTS).timestamp())
        return str(self._serializer.dumps([shop_id, ends]))

    def read(self, ticket: str) -> str:
        """The shop it is for; empty for a ticket that is not ours or too old."""
        try:
            shop_id, ends = self._serializer.loads(ticket)
        except BadData:
            return ""
        return str(shop_id) if ends > self._clock.now().timestamp() else ""
