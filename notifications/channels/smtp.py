"""A mail server's connection: made, encrypted and signed in as the settings ask, or an error that says what to do."""

import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Literal

from connector.domain.errors import Retryable, WrongSetting
from notifications.channels.mime import header_text

Security = Literal["none", "starttls", "tls"]
Reply = tuple[int, bytes]

UNTIL_A_PERSON_ACTED = timedelta(minutes=10)
"""The wait after an error in the settings: no message dies of it, and the server is not hammered."""

_ANSWER_LENGTH = 200
_NOT_IN_ADDRESSES = r"\s<>()\[\]:;,\"'"
_ADDRESS = re.compile(f"[^{_NOT_IN_ADDRESSES}@]+@[^{_NOT_IN_ADDRESSES}]+")
_HOST = re.compile(r"[!-~]{1,253}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to reach the mail server; raises WrongSetting when the parts do not fit together."""

    host: str
    port: int = 587
    security: Security = "starttls"
    """`tls` from the first byte (port 465), `starttls`, or `none`; never less than what is asked for."""
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = 30
    """For connecting and for each answer before the content."""
    answer_seconds: float = 120
    """For the answer to the content: giving up earlier makes more messages uncertain. A lease must be longer."""
    ca_file: str = ""
    """Certificates to trust instead of the system's (PEM)."""
    helo_name: str = ""
    """What we call ourselves; empty: this machine's name."""

    def __post_init__(self) -> None:
        if self.security not in {"none", "starttls", "tls"}:
            raise WrongSetting("The mail server's security must be none, starttls or tls.")
        if not _HOST.fullmatch(self.host) or not 0 < self.port < 65536:
            raise WrongSetting("The mail server needs a host name and a port between 1 and 65535.")
        if self.helo_name and not _HOST.fullmatch(self.helo_name):
            raise WrongSetting("The name we give the mail server must be a host name.")
        if bool(self.username) != bool(self.password):
            raise WrongSetting("The mail server needs a user name and a password, or neither of them.")
        if not (self.username + self.password).isascii():
            raise WrongSetting("The mail server's user name and password must be ASCII: choose another password.")
        if self.username and self.security == "none" and self.host not in _LOOPBACK:
            raise WrongSetting("The mail server's password would travel readable: set its security to starttls or tls.")
        if not (self.timeout_seconds > 0 and self.answer_seconds > 0):
            raise WrongSetting("The mail server's time limits must be more than 0 seconds.")

    @property
    def place(self) -> str:
        """`host:port`, for sentences."""
        return f"{self.host}:{self.port}"


def tls_context(settings: SmtpSettings) -> ssl.SSLContext | None:
    """What is trusted, read once for all connections; None without encryption. Raises WrongSetting for a bad file."""
    if settings.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise WrongSetting(f"The certificates in {settings.ca_file} cannot be read: a PEM file is needed.") from error


def connect(settings: SmtpSettings, tls: ssl.SSLContext | None) -> smtplib.SMTP:
    """A server that is ready for messages. Raises Retryable: whatever is wrong here, it is not the message's fault."""
    try:
        server = _reach(settings, tls)
        try:
            _make_ready(server, settings, tls)
        except Exception:
            server.close()
            raise
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        raise _explained(settings, error) from error
    return server


def converse(server: smtplib.SMTP, commands: list[str]) -> list[Reply]:
    """The replies to the commands, all sent in one go if the server allows (RFC 2920), else one by one up to a refusal.

    Raises smtplib.SMTPException when the server leaves or talks nonsense. After a 421 nothing more is read.
    """
    pipelining = server.has_extn("pipelining")
    if pipelining:
        server.send("".join(f"{command}\r\n" for command in commands))
    replies = []
    for command in commands:
        if not pipelining:
            server.putcmd(command)
        code, answer = server.getreply()
        replies.append((code, answer))
        if code == 421 or (not pipelining and not 200 <= code < 400):
            break
    return replies


def limit_wait(server: smtplib.SMTP, seconds: float) -> None:
    """How long to wait for the server from here on."""
    if server.sock is not None:
        server.sock.settimeout(seconds)


def quoted(reply: Reply, *private: str) -> str:
    """A server's reply as it may be kept: one line, 200 characters at most, without addresses (P10).

    `private`: the addresses of this message; servers like to name them, sometimes only the part before the @.
    """
    code, answer = reply
    words = _ADDRESS.sub("(address)", answer[:1000].decode("utf-8", "replace"))
    for address in private:
        local = re.escape(address.partition("@")[0])
        words = re.sub(rf"(?<!\w){local}(?!\w)", "(address)", words, flags=re.IGNORECASE)
    return header_text(f"{code} {words}", _ANSWER_LENGTH)


def _reach(settings: SmtpSettings, tls: ssl.SSLContext | None) -> smtplib.SMTP:
    name = settings.helo_name or _machine_name()
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, name, timeout=settings.timeout_seconds, context=tls)
    return smtplib.SMTP(settings.host, settings.port, name, timeout=settings.timeout_seconds)


def _make_ready(server: smtplib.SMTP, settings: SmtpSettings, tls: ssl.SSLContext | None) -> None:
    # The last piece of a large message would otherwise wait for the other side to confirm the pieces before it.
    if server.sock is not None:
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        if not server.has_extn("starttls"):
            raise Retryable(
                f"The mail server {settings.place} offers no STARTTLS, and nothing is sent unencrypted: check the "
                "port, or set the security to tls.",
                after=UNTIL_A_PERSON_ACTED,
            )
        server.starttls(context=tls)
        server.ehlo_or_helo_if_needed()
    if settings.username:
        server.login(settings.username, settings.password)


@cache
def _machine_name() -> str:
    """Asked for once: it can take seconds where names are resolved badly."""
    name = socket.getfqdn()
    return name if "." in name and _HOST.fullmatch(name) else "[127.0.0.1]"


def _explained(settings: SmtpSettings, error: Exception) -> Retryable:
    place = f"The mail server {settings.place}"
    match error:
        case ssl.SSLCertVerificationError():
            problem = (
                f"shows a certificate that is not trusted ({error.verify_message}): check its name, or name its CA"
            )
        case ssl.SSLError():
            problem = f"does not speak TLS as asked ({error.reason}): check that port and security belong together"
        case socket.gaierror() | UnicodeError():
            return Retryable(f"{place} cannot be found by its name: check the host name and this machine's DNS.")
        case ConnectionRefusedError():
            return Retryable(f"{place} refuses connections: check host and port, and that it runs.")
        case TimeoutError():
            return Retryable(f"{place} did not answer in {settings.timeout_seconds:g} s: check the port and firewalls.")
        case smtplib.SMTPServerDisconnected():
            return Retryable(f"{place} hung up or fell silent at once: check port and security, and its own log.")
        case smtplib.SMTPAuthenticationError():
            reply = quoted((error.smtp_code, _bytes(error.smtp_error)), settings.username)
            problem = f"refuses our user name or password ({reply}): check both"
        case smtplib.SMTPResponseException():
            reply = quoted((error.smtp_code, _bytes(error.smtp_error)))
            return Retryable(f"{place} does not want to talk to us ({reply}): see its own log if this stays.")
        case smtplib.SMTPException():
            problem = "offers no way of signing in that we know: check port and security, or send without a user name"
        case _:
            return Retryable(f"{place} cannot be reached ({error.strerror if isinstance(error, OSError) else error}).")
    return Retryable(f"{place} {problem}.", after=UNTIL_A_PERSON_ACTED)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
