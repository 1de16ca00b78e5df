"""What every channel must hold: certain about what was not taken, honest about what is uncertain."""

import email
import email.policy
from collections.abc import Iterator
from typing import Protocol

import pytest

from connector.domain.errors import Permanent, Retryable, Uncertain
from notifications.channels.contract import Channel
from notifications.channels.email import EmailChannel, SmtpSettings
from tests.builders import message
from tests.fakes import FakeChannel
from tests.smtp_sink import SmtpSink


class Stand(Protocol):
    """A channel with its other side in the test's hands."""

    channel: Channel

    def taken(self) -> list[str]:
        """The subjects of what the other side has taken, in order."""
        ...

    def refuse(self) -> None:
        """Refuse this recipient for good."""
        ...

    def refuse_for_now(self) -> None: ...

    def fall_silent(self) -> None:
        """Take the content and never answer."""
        ...

    def go_away(self) -> None: ...

    def behave(self) -> None:
        """Be there and take everything, from now on."""
        ...


class FakeStand:
    def __init__(self) -> None:
        self.other_side = FakeChannel()
        self.channel: Channel = self.other_side

    def taken(self) -> list[str]:
        return [one.subject for one in self.other_side.taken]

    def refuse(self) -> None:
        self.other_side.fails_before = Permanent("No such person.")

    def refuse_for_now(self) -> None:
        self.other_side.fails_before = Retryable("Come back later.")

    def fall_silent(self) -> None:
        self.other_side.fails_after = Uncertain()

    def go_away(self) -> None:
        self.other_side.fails_before = Retryable("Nobody is there.")

    def behave(self) -> None:
        self.other_side.fails_before = self.other_side.fails_after = None


class EmailStand:
    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink
        self.channel: Channel = EmailChannel(SmtpSettings("127.0.0.1", sink.port, "none", timeout_seconds=5))

    def taken(self) -> list[str]:
        mails = [email.message_from_bytes(one.content, policy=email.policy.default) for one in self.sink.messages]
        return [str(mail["Subject"]) for mail in mails]

    def refuse(self) -> None:
        self.sink.answers["RCPT"] = b"550 5.1.1 <eleni@example.com>: no such user \x1b[31m eleni"

    def refuse_for_now(self) -> None:
        self.sink.answers["RCPT"] = b"451 4.7.1 <eleni@example.com>: greylisted"

    def fall_silent(self) -> None:
        self.sink.closes_at.add("CONTENT")

    def go_away(self) -> None:
        self.sink.stop()

    def behave(self) -> None:
        self.sink.behave()
        self.sink.stop()
        self.sink.start()


@pytest.fixture(params=["email", "email without pipelining", "fake"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    if request.param == "fake":
        yield FakeStand()
        return
    extensions = () if "without" in request.param else ("PIPELINING", "SIZE 1000000")
    with SmtpSink(extensions=extensions) as sink:
        yield EmailStand(sink)


class Marks:
    """Counts the moments of handing over, and what the other side had by then."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.taken_by_then: list[int] = []

    def __call__(self) -> None:
        self.taken_by_then.append(len(self.stand.taken()))


def test_it_has_a_name(stand: Stand) -> None:
    assert stand.channel.name


def test_a_message_is_taken_and_the_receipt_says_so_in_few_words(stand: Stand) -> None:
    session = stand.channel.open()
    receipt = session.send(message(), lambda: None)
    session.close()
    assert stand.taken() == ["Your order #1042 is on its way"]
    assert 0 < len(receipt.answer) <= 200
    assert receipt.answer.isprintable()


def test_p2_the_moment_of_handing_over_comes_once_and_before_the_content(stand: Stand) -> None:
    marks, session = Marks(stand), stand.channel.open()
    session.send(message(), marks)
    session.send(message(), marks)
    session.close()
    assert marks.taken_by_then == [0, 1]


def test_p2_nothing_is_sent_when_the_mark_cannot_be_made(stand: Stand) -> None:
    def fails() -> None:
        raise LookupError("the lease is gone")

    session = stand.channel.open()
    with pytest.raises(LookupError, match="the lease is gone"):
        session.send(message(subject="never"), fails)
    session.send(message(subject="next"), lambda: None)
    session.close()
    assert stand.taken() == ["next"]


def test_one_session_carries_many_messages_in_order(stand: Stand) -> None:
    session = stand.channel.open()
    for number in range(20):
        session.send(message(subject=f"number {number}"), lambda: None)
    session.close()
    assert stand.taken() == [f"number {number}" for number in range(20)]


def test_a_refused_recipient_is_permanent_and_the_next_message_goes_through(stand: Stand) -> None:
    marks, session = Marks(stand), stand.channel.open()
    stand.refuse()
    with pytest.raises(Permanent):
        session.send(message(), marks)
    stand.behave()
    session.send(message(subject="next"), lambda: None)
    session.close()
    assert marks.taken_by_then == []
    assert stand.taken() == ["next"]


def test_a_refusal_for_now_is_retryable_and_never_marked(stand: Stand) -> None:
    marks, session = Marks(stand), stand.channel.open()
    stand.refuse_for_now()
    for _ in range(2):
        with pytest.raises(Retryable):
            session.send(message(), marks)
    stand.behave()
    session.send(message(subject="next"), lambda: None)
    session.close()
    assert marks.taken_by_then == []
    assert stand.taken() == ["next"]


def test_opening_raises_nothing_when_nobody_is_there_and_sending_is_retryable(stand: Stand) -> None:
    stand.go_away()
    session = stand.channel.open()
    for _ in range(2):
        with pytest.raises(Retryable):
            session.send(message(), lambda: None)
    stand.behave()
    session.send(message(subject="back"), lambda: None)
    session.close()
    assert stand.taken() == ["back"]


def test_p2_silence_after_the_content_is_uncertain_and_the_session_goes_on(stand: Stand) -> None:
    marks, session = Marks(stand), stand.channel.open()
    stand.fall_silent()
    with pytest.raises(Uncertain):
        session.send(message(), marks)
    stand.behave()
    session.send(message(subject="next"), lambda: None)
    session.close()
    assert len(marks.taken_by_then) == 1
    assert stand.taken() == ["next"]


@pytest.mark.parametrize(
    "address",
    [
        "eleni@example.com\r\nRCPT TO:<evil@x.test>",
        "eleni@example.com>\r\nDATA",
        "eleni@example.com, evil@x.test",
        "<evil@x.test> eleni@example.com",
        "eleni",
        "",
    ],
)
def test_a_hostile_address_is_permanent_and_reaches_nobody(stand: Stand, address: str) -> None:
    marks, session = Marks(stand), stand.channel.open()
    with pytest.raises(Permanent):
        session.send(message(recipient_address=address), marks)
    session.close()
    assert marks.taken_by_then == []
    assert stand.taken() == []


def test_p10_no_error_names_the_person(stand: Stand) -> None:
    session = stand.channel.open()
    for misbehave in (stand.refuse, stand.refuse_for_now, stand.fall_silent, stand.go_away):
        stand.behave()
        misbehave()
        with pytest.raises((Permanent, Retryable, Uncertain)) as caught:
            session.send(message(), lambda: None)
        assert "eleni" not in str(caught.value)
        assert str(caught.value).isprintable()
    session.close()


def test_closing_never_raises(stand: Stand) -> None:
    session = stand.channel.open()
    session.close()
    session.send(message(), lambda: None)
    stand.go_away()
    session.close()
    session.close()
