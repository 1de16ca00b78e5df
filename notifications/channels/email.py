"""Sends messages by SMTP over connections that are kept, and says of every failure what it means (P2)."""

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress

from connector.domain.errors import ConnectorError, Permanent, Retryable, Uncertain
from notifications.channels.contract import Message, Receipt
from notifications.channels.mime import compose, wire_address
from notifications.channels.smtp import (
    UNTIL_A_PERSON_ACTED,
    Reply,
    SmtpSettings,
    connect,
    converse,
    limit_wait,
    quoted,
    tls_context,
)

__all__ = ["EmailChannel", "EmailSession", "SmtpSettings"]

_ABOUT_OUR_ACCESS = frozenset({454, 530, 534, 535, 538})
"""RFC 4954 section 6: whatever command they answer, they are about signing in."""

_REFUSED = {
    "MAIL": "the sender's address: check the shop's sender, and whether this server may send for it",
    "RCPT": "the recipient's address: correct it on the order",
    "DATA": "the message",
}
"""What a final refusal is about, by the command it answers."""

_FAREWELL_SECONDS = 2


class EmailChannel:
    """Mail through one SMTP server."""

    name = "email"

    def __init__(self, settings: SmtpSettings) -> None:
        """Raises WrongSetting when the certificates to trust cannot be read."""
        self._settings = settings
        self._tls = tls_context(settings)

    def open(self) -> "EmailSession":
        """A session that connects with its first message."""
        return EmailSession(self._settings, self._tls)


class EmailSession:
    """One connection, made when it is needed, kept for the next message, and made anew when it was lost."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._tls = tls
        self._server: smtplib.SMTP | None = None

    def send(self, message: Message, handing_over: Callable[[], None]) -> Receipt:
        """As the contract says; `handing_over` is called when the server has asked for the content (354).

        A final refusal of this message (5xx) is Permanent. What a person has to mend in the settings is Retryable with
        a wait of ten minutes, so that no message dies of it.
        """
        content = compose(message)
        sender = wire_address(message.sender_address, "The sender's address")
        recipient = wire_address(message.recipient_address, "The recipient's address")
        server = self._ready_for_content(sender, recipient, len(content))
        try:
            handing_over()
        except BaseException:
            self._drop()  # the server waits for content now: leaving is the only way to send none
            raise
        reply = self._hand_over(server, content)
        words = quoted(reply, sender, recipient)
        if 200 <= reply[0] < 300:
            return Receipt(words)
        if reply[0] == 421:
            self._drop()
        raise self._refusal("DATA", reply[0], words)

    def close(self) -> None:
        """Say goodbye if the server still listens, and hang up."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                limit_wait(self._server, min(_FAREWELL_SECONDS, self._settings.timeout_seconds))
                self._server.quit()
        self._drop()

    def _ready_for_content(self, sender: str, recipient: str, size: int) -> smtplib.SMTP:
        """A server that has said 354; an old connection that turns out to be dead is replaced once."""
        if self._server is not None:
            with suppress(_ConnectionLost):
                return self._ask(self._server, sender, recipient, size)
        self._server = connect(self._settings, self._tls)
        return self._ask(self._server, sender, recipient, size)

    def _ask(self, server: smtplib.SMTP, sender: str, recipient: str, size: int) -> smtplib.SMTP:
        limit = server.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            raise Permanent(
                f"The message has {size} bytes and the mail server {self._settings.place} takes {limit}: "
                "make its attachment smaller, or raise that limit."
            )
        declared = f" SIZE={size}" if server.has_extn("size") else ""
        commands = [f"MAIL FROM:<{sender}>{declared}", f"RCPT TO:<{recipient}>", "DATA"]
        try:
            replies = converse(server, commands)
        except smtplib.SMTPException as error:
            self._drop()
            raise _ConnectionLost(self._settings.place) from error
        for command, reply in zip(commands, replies, strict=False):
            if reply[0] // 100 != (3 if command == "DATA" else 2):
                self._start_afresh(server, replies[-1][0])
                raise self._refusal(command[:4], reply[0], quoted(reply, sender, recipient))
        return server

    def _start_afresh(self, server: smtplib.SMTP, last_code: int) -> None:
        """After a refusal the connection serves the next message, unless the server leaves or may wait for content."""
        code = 0
        if _refuses(last_code) and last_code != 421:
            with suppress(smtplib.SMTPException):
                code, _ = server.rset()
        if code != 250:
            self._drop()

    def _hand_over(self, server: smtplib.SMTP, content: bytes) -> Reply:
        """The server's answer to the content; dots that begin a line are doubled (RFC 5321 4.5.2)."""
        place = self._settings.place
        try:
            server.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        except smtplib.SMTPServerDisconnected as error:
            self._drop()
            raise Retryable(
                f"The connection to the mail server {place} broke while the message was on its way. Its end never "
                "left, so it was not taken and is tried again."
            ) from error
        try:
            limit_wait(server, self._settings.answer_seconds)
            code, answer = server.getreply()
            if not (200 <= code < 300 or _refuses(code)):
                raise smtplib.SMTPServerDisconnected("an answer without a meaning")
            limit_wait(server, self._settings.timeout_seconds)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise Uncertain(
                f"The mail server {place} got the whole message and gave no answer: look into its log whether it was "
                "taken before sending it again."
            ) from error
        return code, answer

    def _refusal(self, command: str, code: int, words: str) -> ConnectorError:
        place = f"The mail server {self._settings.place}"
        if code in _ABOUT_OUR_ACCESS:
            problem = "does not let us send: check user name and password"
            return Retryable(f"{place} {problem} ({words}).", after=UNTIL_A_PERSON_ACTED)
        if code == 421 or not _refuses(code):
            return _ConnectionLost(self._settings.place, words)
        if code >= 500:
            return Permanent(f"{place} refused {_REFUSED[command]} ({words}).")
        return Retryable(f"{place} does not take the message now ({words}): it is tried again.")

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(OSError):
                server.close()


def _refuses(code: int) -> bool:
    return 400 <= code < 600


class _ConnectionLost(Retryable):
    """The server left, or talked nonsense and was left, before it took anything."""

    def __init__(self, place: str, words: str = "no answer") -> None:
        super().__init__(
            f"The mail server {place} ended the conversation ({words}): check that it runs; it is tried again."
        )
