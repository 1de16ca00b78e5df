"""Small stand-ins for what is outside, told by the test how to behave."""

from collections.abc import Callable

from notifications.channels.contract import Message, Receipt
from notifications.channels.mime import wire_address


class FakeChannel:
    """A channel whose other side is a list.

    `fails_before` is raised before the moment of handing over, `fails_after` once the content is there; both stay until
    they are taken away. `keeps_uncertain` decides whether a message with `fails_after` was taken all the same.
    """

    def __init__(self, name: str = "email") -> None:
        self.name = name
        self.taken: list[Message] = []
        self.fails_before: Exception | None = None
        self.fails_after: Exception | None = None
        self.keeps_uncertain = False
        self.opened = 0

    def open(self) -> "FakeSession":
        self.opened += 1
        return FakeSession(self)


class FakeSession:
    """A way to the list."""

    def __init__(self, channel: FakeChannel) -> None:
        self.channel = channel
        self.closed = False

    def send(self, message: Message, handing_over: Callable[[], None]) -> Receipt:
        wire_address(message.recipient_address, "The recipient's address")
        if self.channel.fails_before is not None:
            raise self.channel.fails_before
        handing_over()
        if self.channel.fails_after is None or self.channel.keeps_uncertain:
            self.channel.taken.append(message)
        if self.channel.fails_after is not None:
            raise self.channel.fails_after
        return Receipt(f"250 taken as number {len(self.channel.taken)}")

    def close(self) -> None:
        self.closed = True
