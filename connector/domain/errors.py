"""Errors that answer one question: try again, or call a person?"""

from datetime import timedelta


class ConnectorError(Exception):
    """Something went wrong in Connector."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    def __str__(self) -> str:
        return str(self.args[0])


class Retryable(ConnectorError):
    """It may work later: try again."""

    def __init__(self, message: str | None = None, *, after: timedelta | None = None) -> None:
        """`after`: the wait the other side asked for, if it did."""
        super().__init__(message)
        self.after = after


class NotThereYet(Retryable):
    """The platform does not know the object: not yet, or no more."""

    def __init__(self, message: str | None = None, *, after: timedelta | None = None, answer: bytes) -> None:
        """`answer`: what the platform said, for `Manifest.resolve` when waiting has not helped."""
        super().__init__(message, after=after)
        self.answer = answer


class Permanent(ConnectorError):
    """It will not work by itself: a person has to look."""


class Uncertain(ConnectorError):
    """The content was handed over and no answer came: nobody knows whether it was taken. It goes to review (P2)."""


class UnverifiedDelivery(Permanent):
    """The signature does not fit this shop's secrets. Check the secret on both sides."""


class UnreadableDelivery(Permanent):
    """A genuine delivery that cannot be understood; it is kept for inspection."""

    def __init__(self, *, field: str, why: str, accepted: str) -> None:
        """`field`: where in the document; `why`: what is wrong there; `accepted`: what would have been right."""
        super().__init__(f"{field}: {why}; accepted: {accepted}")
        self.field = field
        self.why = why
        self.accepted = accepted


class WrongSetting(Permanent):
    """A setting is missing or has a value that cannot be used."""
