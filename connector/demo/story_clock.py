"""The one clock of the demo's shops and service: it runs, and is set forward from moment to moment."""

from datetime import UTC, datetime, timedelta


class StoryClock:
    """Runs like any clock, but can be set to a moment; never set backwards."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def begin(self, moment: datetime) -> None:
        """Set it to a moment in the past, before anything has looked at it."""
        self._ahead = moment - datetime.now(UTC)

    def move_to(self, moment: datetime) -> None:
        """Set it forward; a moment that is past already changes nothing."""
        self._ahead = max(self._ahead, moment - datetime.now(UTC))
