"""A server on this machine that says exactly the bytes a test wants, byte by byte if need be."""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Speak = Callable[[socket.socket, bytes], None]
"""Given a connection and the request that came over it (headers and body), says something; closing is up to it."""


class RawServer:
    """Reads requests and lets `speak` answer, on as many connections as come; knows what it heard."""

    def __init__(self, speak: Speak, *, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._speak = speak
        self._tls = tls
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2)
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                accepted, _ = self._listener.accept()
                self.connections += 1
                self._start(lambda accepted=accepted: self._serve(accepted))  # type: ignore[misc]

    def _serve(self, accepted: socket.socket) -> None:
        accepted.settimeout(2)
        with contextlib.suppress(OSError), accepted, self._secured(accepted) as spoken:
            for request in _requests(spoken, self._ended):
                self.heard.append(request)
                self._speak(spoken, request)

    def _secured(self, accepted: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted


def _requests(spoken: socket.socket, ended: threading.Event) -> Iterator[bytes]:
    buffered = b""
    spoken.settimeout(0.05)
    while not ended.is_set():
        try:
            piece = spoken.recv(65536)
        except TimeoutError:
            continue
        if not piece:
            return
        buffered += piece
        head, found, body = buffered.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if found and len(body) >= (int(lengths[0].split(b":")[1]) if lengths else 0):
            buffered = b""
            yield head + found + body


def says(answer: bytes, *, close: bool = False) -> Speak:
    """Always the same bytes."""

    def speak(spoken: socket.socket, request: bytes) -> None:
        spoken.sendall(answer)
        if close:
            spoken.shutdown(socket.SHUT_RDWR)

    return speak


def plain(body: bytes = b"", *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """A whole answer with its length."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), headers, body)


def certificate(folder: Path, name: str, *, expired: bool = False) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server called `name` shows, and what a client has to trust for that."""
    pair, made = self_signed(name, expired=expired)
    path = folder / f"{name}.pem"
    path.write_text(pair + made)
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shows.load_cert_chain(path)
    return shows, ssl.create_default_context(cadata=made)


def self_signed(name: str, *, expired: bool = False, authority: bool = True) -> tuple[str, str]:
    """A key and its own certificate for a name or a numeric address, in PEM; `authority`: one that may sign others."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=-1 if expired else 1))
        .add_extension(x509.SubjectAlternativeName([_called(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


def _called(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
