"""A mail server on this machine that keeps what it is given, so that the demo's mails go nowhere else."""

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage
from typing import Self


class MailSink:
    """Speaks SMTP on loopback while it is entered, one thread a connection; takes every mail."""

    def __init__(self) -> None:
        self._mails: list[EmailMessage] = []
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.sink = self
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._server.server_address[1] if self._server else 0

    @property
    def mails(self) -> tuple[EmailMessage, ...]:
        """All that were taken, oldest first."""
        return tuple(self._mails)

    def take(self, content: bytes) -> bytes:
        """Keep one mail; the answer to the sender comes back, without its line end."""
        self._mails.append(email.message_from_bytes(content, policy=email.policy.default))
        return b"250 taken"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    sink: MailSink


class _Conversation(socketserver.StreamRequestHandler):
    """One connection, command by command."""

    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.wfile.write(b"220 the demo's mail sink\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go ahead\r\n")
                self.wfile.write(self.server.sink.take(self._content()) + b"\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250-sink\r\n250 PIPELINING\r\n" if command == b"EHLO" else b"250 ok\r\n")

    def _content(self) -> bytes:
        """All lines up to the dot, doubled dots undone."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)
