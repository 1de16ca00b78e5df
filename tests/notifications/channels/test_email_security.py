"""Nothing is sent less protected than the settings ask, judged by another mail server (aiosmtpd)."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connector.domain.errors import Retryable
from notifications.channels.email import EmailChannel, SmtpSettings
from notifications.channels.mime import compose
from tests.builders import message
from tests.smtp_sink import SmtpSink

TEN_MINUTES = timedelta(minutes=10)


@dataclass(frozen=True)
class Certificate:
    """A key and its own signature, for 127.0.0.1."""

    file: Path
    context: ssl.SSLContext


@dataclass
class Taken:
    """What the other mail server got."""

    contents: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  (aiosmtpd's name)
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login.decode())
        return AuthResult(success=data.password == b"right", handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Certificate(file, context)


Serve = Callable[..., AbstractContextManager[tuple[Taken, int]]]


@pytest.fixture
def serve() -> Serve:
    @contextmanager
    def serving(**arguments: Any) -> Iterator[tuple[Taken, int]]:
        taken = Taken()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        if arguments.get("auth_required"):
            arguments["authenticator"] = taken.authenticate
        controller = Controller(taken, hostname="127.0.0.1", port=port, **arguments)
        controller.start()
        try:
            yield taken, port
        finally:
            controller.stop()

    return serving


def send(port: int, **settings: Any) -> str:
    channel = EmailChannel(SmtpSettings("127.0.0.1", port, timeout_seconds=5, **settings))
    with closing(channel.open()) as session:
        first = session.send(message(), lambda: None)
        session.send(message(), lambda: None)
        return first.answer


def test_starttls_with_a_trusted_certificate_and_signing_in(serve: Serve, certificate: Certificate) -> None:
    with serve(tls_context=certificate.context, require_starttls=True, auth_required=True) as (taken, port):
        answer = send(
            port, security="starttls", ca_file=str(certificate.file), username="shop@x.test", password="right"
        )
    assert answer == "250 taken"
    assert taken.contents == [compose(message())] * 2
    assert taken.encrypted == [True, True]
    assert taken.users == ["shop@x.test"]


def test_tls_from_the_first_byte(serve: Serve, certificate: Certificate) -> None:
    with serve(ssl_context=certificate.context) as (taken, port):
        assert send(port, security="tls", ca_file=str(certificate.file)) == "250 taken"
    assert taken.contents == [compose(message())] * 2


@pytest.mark.parametrize(("security", "argument"), [("starttls", "tls_context"), ("tls", "ssl_context")])
def test_a_certificate_nobody_vouches_for_is_refused(
    serve: Serve, certificate: Certificate, security: str, argument: str
) -> None:
    with (
        serve(**{argument: certificate.context}) as (taken, port),
        pytest.raises(Retryable, match="certificate that is not trusted") as caught,
    ):
        send(port, security=security)
    assert caught.value.after == TEN_MINUTES
    assert taken.contents == []


def test_a_certificate_for_another_name_is_refused(serve: Serve, certificate: Certificate) -> None:
    with serve(tls_context=certificate.context) as (taken, port):
        settings = SmtpSettings("localhost", port, "starttls", ca_file=str(certificate.file), timeout_seconds=5)
        with (
            closing(EmailChannel(settings).open()) as session,
            pytest.raises(Retryable, match=r"certificate that is not trusted.*localhost"),
        ):
            session.send(message(), lambda: None)
    assert taken.contents == []


def test_a_server_without_starttls_gets_nothing() -> None:
    with SmtpSink() as sink, pytest.raises(Retryable, match="offers no STARTTLS") as caught:
        send(sink.port, security="starttls", username="shop", password="right")
    assert caught.value.after == TEN_MINUTES
    assert sink.steps[:2] == ["GREETING", "EHLO"]
    assert "MAIL" not in sink.steps
    assert "AUTH" not in sink.steps


def test_a_server_that_says_no_to_starttls_gets_nothing() -> None:
    with SmtpSink(extensions=("STARTTLS",)) as sink:
        sink.answers["STAR"] = b"454 TLS not available"
        with pytest.raises(Retryable, match="454 TLS not available"):
            send(sink.port, security="starttls")
    assert "MAIL" not in sink.steps


def test_a_plain_server_on_a_tls_port_is_explained() -> None:
    with (
        SmtpSink() as sink,
        pytest.raises(Retryable, match=r"does not speak TLS as asked.*port and security") as caught,
    ):
        send(sink.port, security="tls")
    assert caught.value.after == TEN_MINUTES


def test_no_message_dies_of_a_wrong_password(serve: Serve, certificate: Certificate) -> None:
    with (
        serve(tls_context=certificate.context, auth_required=True) as (taken, port),
        pytest.raises(Retryable, match=r"refuses our user name or password .*535.*: check both") as caught,
    ):
        send(port, ca_file=str(certificate.file), username="shop@x.test", password="wr0ng")
    assert caught.value.after == TEN_MINUTES
    assert "wr0ng" not in str(caught.value)
    assert taken.contents == []


def test_a_server_that_knows_no_sign_in_is_explained() -> None:
    for extensions in ((), ("AUTH GSSAPI",)):
        with SmtpSink(extensions=extensions) as sink, pytest.raises(Retryable, match="no way of signing in") as caught:
            send(sink.port, security="none", username="shop", password="right")
        assert caught.value.after == TEN_MINUTES
        assert "MAIL" not in sink.steps
