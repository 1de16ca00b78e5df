"""What every channel offers, and what passes through it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message; `filename` is made by us from safe characters."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready to send.

    Every text in it may hold what a stranger typed: the channel makes it safe for its headers.
    """

    message_id: str
    """Derived from the intent, without angle brackets; the same intent always gives the same id (P2)."""
    thread_id: str
    """The same for all messages of an order, without angle brackets."""
    sender_name: str
    sender_address: str
    recipient_name: str
    recipient_address: str
    subject: str
    text: str
    html: str
    locale: str
    created_at: datetime
    attachments: tuple[Attachment, ...] = ()
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side's word that it took the message over."""

    answer: str
    """What it said, as far as it can be kept (200 characters at most)."""


class Session(Protocol):
    """An open way to the other side, used by one thread, for many messages."""

    def send(self, message: Message, handing_over: Callable[[], None]) -> Receipt:
        """Hand one message over.

        `handing_over` is called once, as late as can be: the recipient is accepted and nothing of the content has been
        sent. If it raises, the message is not sent. Raises Retryable or Permanent when the message was certainly not
        taken (connection lost before the content, refusal by answer code), and Uncertain when the connection broke
        between the content and the answer: then nobody knows, and it must not be sent again blindly (P2).
        """
        ...

    def close(self) -> None:
        """Leave politely; never raises."""
        ...


class Channel(Protocol):
    """A configured way to reach people."""

    name: str

    def open(self) -> Session:
        """A new session; connecting may wait until the first message. Raises nothing for a side that is away."""
        ...
