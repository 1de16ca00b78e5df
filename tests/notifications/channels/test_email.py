"""Each thing a mail server can do has one meaning: try again, call a person, or nobody knows."""

import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from connector.domain.errors import Permanent, Retryable, Uncertain, WrongSetting
from notifications.channels.contract import Attachment
from notifications.channels.email import EmailChannel, EmailSession, SmtpSettings
from notifications.channels.mime import compose
from tests.builders import message
from tests.smtp_sink import SmtpSink

WITH_PIPELINING = ("PIPELINING", "8BITMIME")
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture(params=[WITH_PIPELINING, ()], ids=["pipelining", "one by one"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with SmtpSink(extensions=request.param) as sink:
        yield sink


@contextmanager
def session_to(sink: SmtpSink, **settings: Any) -> Iterator[EmailSession]:
    session = EmailChannel(SmtpSettings("127.0.0.1", sink.port, "none", **{"timeout_seconds": 5, **settings})).open()
    with closing(session):
        yield session


def until(holds: Callable[[], bool]) -> None:
    """Wait for the sink's threads, two seconds at most."""
    give_up = time.monotonic() + 2
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def nothing() -> None:
    """A mark that needs no making."""


def test_the_envelope_and_the_content_arrive_as_they_were_composed(sink: SmtpSink) -> None:
    news = message(text=".\n..\n.leading\n" * 3, sender_address="shop@bücher.example")
    with session_to(sink) as session:
        receipt = session.send(news, nothing)
    (mail,) = sink.messages
    assert (mail.sender, mail.recipients) == ("shop@xn--bcher-kva.example", ("eleni@example.com",))
    assert mail.content == compose(news)
    assert receipt.answer == "250 taken"


def test_dots_that_begin_a_line_are_doubled_on_the_wire(sink: SmtpSink) -> None:
    with session_to(sink) as session:
        session.send(message(text=".dot\n" * 3), nothing)
    assert sink.messages[0].stuffed.count(b"\r\n..dot") == 3


def test_one_connection_carries_all_messages_of_a_session(sink: SmtpSink) -> None:
    with session_to(sink) as session:
        for _ in range(5):
            session.send(message(), nothing)
    assert (sink.connections, sink.count) == (1, 5)
    assert sink.steps == ["GREETING", "EHLO", *["MAIL", "RCPT", "DATA", "CONTENT"] * 5, "QUIT"]


def test_p2_the_mark_is_made_after_the_recipient_was_accepted_and_before_the_content(sink: SmtpSink) -> None:
    steps_at_the_mark: list[str] = []
    with session_to(sink) as session:
        session.send(message(), lambda: steps_at_the_mark.extend(sink.steps))
    assert steps_at_the_mark == ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"]


def test_p2_a_mark_that_cannot_be_made_leaves_no_half_message_open(sink: SmtpSink) -> None:
    def fails() -> None:
        raise LookupError

    with session_to(sink) as session:
        with pytest.raises(LookupError):
            session.send(message(), fails)
        until(lambda: sink.open_connections == 0)
        session.send(message(), nothing)
    assert (sink.connections, sink.count) == (2, 1)


@pytest.mark.parametrize(
    ("step", "answer", "error", "words"),
    [
        ("RCPT", b"550 5.1.1 no such user", Permanent, "refused the recipient's address"),
        ("RCPT", b"452 4.2.2 mailbox full", Retryable, "does not take the message now"),
        ("RCPT", b"451 4.7.1 greylisted", Retryable, "does not take the message now"),
        ("MAIL", b"553 5.7.1 not your sender", Permanent, "refused the sender's address"),
        ("MAIL", b"451 4.3.0 disk full", Retryable, "does not take the message now"),
        ("DATA", b"554 5.7.1 no", Permanent, "refused the message"),
        ("DATA", b"451 later", Retryable, "does not take the message now"),
        ("CONTENT", b"554 5.7.1 spam", Permanent, "refused the message"),
        ("CONTENT", b"552 5.3.4 too big", Permanent, "refused the message"),
        ("CONTENT", b"451 4.3.0 later", Retryable, "does not take the message now"),
    ],
)
def test_a_refusal_says_who_and_what_and_the_connection_is_used_on(
    sink: SmtpSink, step: str, answer: bytes, error: type[Exception], words: str
) -> None:
    sink.answers[step] = answer
    with session_to(sink) as session:
        with pytest.raises(error) as caught:
            session.send(message(), nothing)
        sink.behave()
        session.send(message(), nothing)
    assert words in str(caught.value)
    assert f"127.0.0.1:{sink.port}" in str(caught.value)
    assert answer.decode() in str(caught.value)
    assert (sink.connections, sink.count) == (1, 1)


def test_a_server_that_wants_content_without_a_recipient_gets_none(sink: SmtpSink) -> None:
    sink.answers |= {"RCPT": b"550 no such user", "DATA": b"354 go ahead anyway"}
    with session_to(sink) as session:
        with pytest.raises(Permanent, match="recipient"):
            session.send(message(), nothing)
        sink.behave()
        session.send(message(), nothing)
    assert sink.count == 1
    assert sink.messages[0].recipients == ("eleni@example.com",)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize("code", [530, 535, 454])
def test_no_message_dies_of_our_own_missing_access(sink: SmtpSink, step: str, code: int) -> None:
    sink.answers[step] = f"{code} 5.7.0 Authentication required".encode()
    with session_to(sink) as session, pytest.raises(Retryable, match="check user name and password") as caught:
        session.send(message(), nothing)
    assert caught.value.after == TEN_MINUTES


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
def test_421_at_any_point_is_retryable_and_ends_the_connection(sink: SmtpSink, step: str) -> None:
    sink.answers[step] = b"421 4.3.2 shutting down"
    with session_to(sink) as session:
        with pytest.raises(Retryable, match="hung up" if step == "EHLO" else "421"):
            session.send(message(), nothing)
        sink.behave()
        session.send(message(), nothing)
    assert (sink.connections, sink.count) == (2, 1)


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("failing", ["closes_at", "hangs_at"])
def test_silence_before_the_content_is_retryable(sink: SmtpSink, step: str, failing: str) -> None:
    marks: list[None] = []
    getattr(sink, failing).add(step)
    with (
        session_to(sink, timeout_seconds=0.2) as session,
        pytest.raises(Retryable, match=f"127.0.0.1:{sink.port}"),
    ):
        session.send(message(), lambda: marks.append(None))
    assert marks == []
    assert sink.count == 0


@pytest.mark.parametrize("failing", ["closes_at", "hangs_at"])
def test_p2_silence_after_the_content_is_uncertain(sink: SmtpSink, failing: str) -> None:
    getattr(sink, failing).add("CONTENT")
    with session_to(sink, answer_seconds=0.2) as session:
        with pytest.raises(Uncertain, match="look into its log"):
            session.send(message(), nothing)
        assert sink.connections == 1
        sink.behave()
        session.send(message(), nothing)
    assert sink.connections == 2


@pytest.mark.parametrize(
    ("step", "answer"),
    [("DATA", b"250 ok"), ("DATA", b"mumble"), ("RCPT", b"999 ?"), ("RCPT", b"354 go"), ("MAIL", b"354 go")],
)
def test_an_answer_before_the_content_that_means_nothing_is_retryable_and_no_content_follows(
    sink: SmtpSink, step: str, answer: bytes
) -> None:
    marks: list[None] = []
    sink.answers[step] = answer
    with session_to(sink) as session:
        with pytest.raises(Retryable):
            session.send(message(), lambda: marks.append(None))
        sink.behave()
        session.send(message(), nothing)
    assert marks == []
    assert "FROM" not in sink.steps
    assert sink.count == 1


@pytest.mark.parametrize("answer", [b"mumble", b"350 what?", b"999 ?", b"250-endless"])
def test_p2_an_answer_to_the_content_that_means_nothing_is_uncertain(sink: SmtpSink, answer: bytes) -> None:
    sink.answers["CONTENT"] = answer
    with session_to(sink, answer_seconds=0.2) as session, pytest.raises(Uncertain):
        session.send(message(), nothing)


def test_the_answer_to_the_content_may_take_longer_than_the_others(sink: SmtpSink) -> None:
    sink.hangs_at.add("CONTENT")
    with session_to(sink, timeout_seconds=0.1, answer_seconds=0.6) as session:
        threading.Timer(0.3, sink.stop).start()
        with pytest.raises(Uncertain):
            session.send(message(), nothing)
        assert not sink.running


def test_the_longer_wait_is_for_the_content_only(sink: SmtpSink) -> None:
    with session_to(sink, timeout_seconds=0.1, answer_seconds=20) as session:
        session.send(message(), nothing)
        sink.hangs_at.add("MAIL")
        began = time.monotonic()
        with pytest.raises(Retryable):
            session.send(message(), nothing)
    assert time.monotonic() - began < 10


def test_a_connection_lost_in_the_middle_of_the_content_is_retryable() -> None:
    large = message(attachments=(Attachment("a.pdf", "application/pdf", b"x" * 30_000_000),))
    with SmtpSink() as sink:
        sink.closes_at.add("IN_CONTENT")
        with session_to(sink) as session, pytest.raises(Retryable, match="end never left"):
            session.send(large, nothing)
    assert sink.count == 0


def test_an_idle_connection_that_died_is_replaced_once_without_a_word(sink: SmtpSink) -> None:
    with session_to(sink) as session:
        for _ in range(3):
            session.send(message(), nothing)
            sink.hang_up()
    assert (sink.connections, sink.count) == (3, 3)


def test_an_idle_connection_that_was_given_notice_is_replaced(sink: SmtpSink) -> None:
    with session_to(sink) as session:
        session.send(message(), nothing)
        sink.answers["MAIL"] = b"421 4.4.2 idle for too long"
        with pytest.raises(Retryable, match="idle for too long"):
            session.send(message(), nothing)
        assert sink.connections == 2
        sink.behave()
        session.send(message(), nothing)
    assert (sink.connections, sink.count) == (3, 2)


def test_a_server_that_closes_after_every_second_mail_gets_all_of_them(sink: SmtpSink) -> None:
    sink.closes_after = 2
    with session_to(sink) as session:
        for _ in range(7):
            session.send(message(), nothing)
    assert (sink.connections, sink.count) == (4, 7)


def test_a_server_that_restarts_is_found_again_on_its_port(sink: SmtpSink) -> None:
    with session_to(sink) as session:
        session.send(message(), nothing)
        sink.stop()
        with pytest.raises(Retryable, match="refuses connections: check host and port"):
            session.send(message(), nothing)
        sink.start()
        session.send(message(), nothing)
    assert sink.count == 2


def test_a_message_larger_than_the_server_takes_is_permanent_and_not_sent() -> None:
    marks: list[None] = []
    with SmtpSink(extensions=("SIZE 2000",)) as sink, session_to(sink) as session:
        session.send(message(), nothing)
        with pytest.raises(Permanent, match="takes 2000"):
            session.send(message(text="x" * 3000), lambda: marks.append(None))
        session.send(message(), nothing)
    assert sink.count == 2
    assert marks == []


def test_a_size_of_zero_means_no_limit() -> None:
    with SmtpSink(extensions=("SIZE 0",)) as sink, session_to(sink) as session:
        session.send(message(text="x" * 3000), nothing)
    assert sink.count == 1


def test_a_name_that_does_not_exist_is_retryable_and_says_so() -> None:
    for host in ("nobody.invalid", "x" * 70):
        session = EmailChannel(SmtpSettings(host, 25, "none")).open()
        with pytest.raises(Retryable, match="cannot be found by its name"):
            session.send(message(), nothing)


def test_a_server_that_does_not_answer_the_call_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(place)
        session = EmailChannel(SmtpSettings("127.0.0.1", place[1], "none", timeout_seconds=0.2)).open()
        with pytest.raises(Retryable, match=r"did not answer in 0\.2 s"):
            session.send(message(), nothing)
        for one in waiting:
            one.close()


def test_a_place_that_cannot_be_reached_is_retryable() -> None:
    session = EmailChannel(SmtpSettings("255.255.255.255", 25, "none", timeout_seconds=0.2)).open()
    with pytest.raises(Retryable, match="cannot be reached"):
        session.send(message(), nothing)


def test_a_server_that_does_not_want_us_at_all_is_retryable(sink: SmtpSink) -> None:
    sink.answers["GREETING"] = b"554 5.7.1 you are on a list"
    with session_to(sink) as session, pytest.raises(Retryable, match=r"does not want to talk to us .*on a list"):
        session.send(message(), nothing)


def test_a_server_too_old_for_ehlo_is_spoken_to_all_the_same(sink: SmtpSink) -> None:
    sink.answers["EHLO"] = b"502 what?"
    with session_to(sink) as session:
        session.send(message(), nothing)
    assert sink.count == 1


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"550 5.1.1 <eleni@example.com>: no such user", "(550 5.1.1 <(address)>: no such user)"),
        (b'550 user "Eleni" unknown', '(550 user "(address)" unknown)'),
        (b"550 ask postmaster@elsewhere.example", "(550 ask (address))"),
        (b"550 a\x1b[31m\x07\xe2\x80\xaeb\xff", "(550 a [31m b\ufffd)"),
        (b"550-first\r\n550 second", "(550 first second)"),
    ],
)
def test_p10_a_server_is_quoted_in_one_clean_line_without_addresses(sink: SmtpSink, answer: bytes, kept: str) -> None:
    sink.answers["RCPT"] = answer
    with session_to(sink) as session, pytest.raises(Permanent) as caught:
        session.send(message(), nothing)
    assert kept in str(caught.value)


def test_a_long_answer_is_cut(sink: SmtpSink) -> None:
    sink.answers["CONTENT"] = b"250 " + b"very good " * 100
    with session_to(sink) as session:
        receipt = session.send(message(), nothing)
    assert 190 < len(receipt.answer) <= 200


def test_a_receipt_names_nobody(sink: SmtpSink) -> None:
    sink.answers["CONTENT"] = b"250 queued for eleni@example.com as 4711"
    with session_to(sink) as session:
        assert session.send(message(), nothing).answer == "250 queued for (address) as 4711"


def test_an_endless_line_before_the_content_is_retryable(sink: SmtpSink) -> None:
    sink.answers["MAIL"] = b"250 " + b"x" * 20_000
    with session_to(sink) as session, pytest.raises(Retryable):
        session.send(message(), nothing)


def test_closing_says_goodbye_but_does_not_wait_for_an_answer(sink: SmtpSink) -> None:
    with session_to(sink, timeout_seconds=0.2) as session:
        session.send(message(), nothing)
        sink.hangs_at.add("QUIT")
    assert sink.steps[-1] == "QUIT"


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": "mail.example.com\r\nHELO"},
        {"port": 0},
        {"port": 70000},
        {"security": "ssl"},
        {"username": "a"},
        {"password": "b"},
        {"username": "a", "password": "pässword"},
        {"username": "a", "password": "b", "security": "none"},
        {"timeout_seconds": 0},
        {"answer_seconds": -1},
        {"helo_name": "two words"},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongSetting):
        SmtpSettings(**{"host": "mail.example.com", **wrong})


def test_certificates_that_cannot_be_read_are_a_wrong_setting() -> None:
    for file in ("/nowhere/ca.pem", __file__):
        with pytest.raises(WrongSetting, match="PEM"):
            EmailChannel(SmtpSettings("mail.example.com", ca_file=file))


def test_p10_the_password_is_not_shown() -> None:
    assert "s3cret" not in repr(SmtpSettings("mail.example.com", username="shop", password="s3cret"))


def test_the_name_we_give_can_be_set(sink: SmtpSink) -> None:
    with session_to(sink, helo_name="connector.example") as session:
        session.send(message(), nothing)
    assert sink.greeted_as == ["connector.example"]


def test_the_sink_takes_what_the_standard_client_sends(sink: SmtpSink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port, "test.example") as client:
        client.sendmail("a@x.test", ["b@x.test", "c@x.test"], b".dot\r\n..\r\nend")
        client.sendmail("a@x.test", ["b@x.test"], b"")
    assert [(mail.recipients, mail.content) for mail in sink.messages] == [
        (("b@x.test", "c@x.test"), b".dot\r\n..\r\nend\r\n"),
        (("b@x.test",), b"\r\n"),
    ]


def test_the_sink_reads_a_whole_conversation_sent_at_once(sink: SmtpSink) -> None:
    with socket.create_connection(("127.0.0.1", sink.port)) as client:
        mail = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nhello\r\n.\r\n"
        client.sendall(b"EHLO x\r\n" + mail * 3 + b"QUIT\r\n")
        while client.recv(4096):
            pass
    assert [one.content for one in sink.messages] == [b"hello\r\n"] * 3
