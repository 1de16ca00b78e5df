"""A fast mail server for tests and measurements: it takes everything, or misbehaves exactly as it is told."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """One taken mail with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    stuffed: bytes
    """The content as it came, dots doubled."""

    @property
    def content(self) -> bytes:
        text = self.stuffed.replace(b"\r\n..", b"\r\n.")
        return text[1:] if text.startswith(b"..") else text


@dataclass(slots=True)
class Conversation:
    """What one connection has said so far."""

    connection: socket.socket
    unread: bytes = b""
    begun: bool = False
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    taken: int = 0


class SmtpSink:
    """Listens on loopback from `start` (or `with`) on, one thread a connection; `stop` and `start` keep the port.

    Steps that can be made to misbehave: GREETING, EHLO, MAIL, RCPT, DATA (the command), CONTENT (all of it is there),
    RSET, QUIT; and IN_CONTENT for `closes_at`: the connection ends in the middle of the content.
    """

    def __init__(self, *, keep: bool = True, extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME")) -> None:
        self.keep = keep
        self.extensions = extensions
        self.answers: dict[str, bytes] = {}
        """Another answer for a step, without the line end: `{"RCPT": b"550 no such user"}`."""
        self.hangs_at: set[str] = set()
        self.closes_at: set[str] = set()
        self.closes_after = 0
        """Mails that one connection may bring before it is closed; 0: any number."""
        self.messages: list[Mail] = []
        self.count = 0
        self.connections = 0
        self.steps: list[str] = []
        """What was asked, in order."""
        self.greeted_as: list[str] = []
        self.port = 0
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return not self._stopped.is_set()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def start(self) -> None:
        self._stopped.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections and cut the open ones."""
        self._stopped.set()
        if self._listener is not None:
            _cut(self._listener)
            self._listener = None
        self.hang_up()

    def hang_up(self) -> None:
        """Cut the open connections, as a server does with idle ones; new ones are welcome."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _cut(connection)

    def behave(self) -> None:
        """Take everything again."""
        self.answers.clear()
        self.hangs_at.clear()
        self.closes_at.clear()
        self.closes_after = 0

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        talk = Conversation(connection)
        with suppress(OSError, _Gone):
            connection.sendall(self._answer("GREETING", b"220 sink"))
            while True:
                self._commands(talk)
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _commands(self, talk: Conversation) -> None:
        """Answer all commands that are there in one go, as pipelining clients expect."""
        if b"\r\n" not in talk.unread:
            talk.unread += _more(talk.connection)
        *lines, talk.unread = talk.unread.split(b"\r\n")
        answers: list[bytes] = []
        for position, line in enumerate(lines):
            step = line[:4].decode("ascii", "replace").upper()
            if step == "DATA" and (talk.recipients or step in self.answers):
                talk.unread = b"\r\n".join([*lines[position + 1 :], talk.unread])
                self._data(talk, b"".join(answers))
                return
            answers.append(self._command(talk, step, line))
            if answers[-1].startswith((b"221", b"421")):
                talk.connection.sendall(b"".join(answers))
                raise _Gone
        talk.connection.sendall(b"".join(answers))

    def _command(self, talk: Conversation, step: str, line: bytes) -> bytes:
        if step == "EHLO":
            self.greeted_as.append(line[5:].decode("ascii", "replace"))
            return self._answer(step, b"\r\n".join(_extension_lines(("sink", *self.extensions))))
        if step == "DATA":
            return b"503 no recipients\r\n"
        if (step == "RCPT" and not talk.begun) or (step == "MAIL" and talk.begun):
            return b"503 not now\r\n"
        answer = self._answer(step, b"221 bye" if step == "QUIT" else b"250 ok")
        if step in {"MAIL", "RSET"}:
            talk.begun, talk.sender, talk.recipients = step == "MAIL" and answer.startswith(b"250"), _path(line), []
        elif step == "RCPT" and answer.startswith(b"250"):
            talk.recipients.append(_path(line))
        return answer

    def _data(self, talk: Conversation, before: bytes) -> None:
        go_ahead = self._answer("DATA", b"354 go ahead")
        talk.connection.sendall(before + go_ahead)
        if not go_ahead.startswith(b"354"):
            return
        pieces, tail = [talk.unread], b"\r\n" + talk.unread
        while END not in tail:
            if "IN_CONTENT" in self.closes_at:
                talk.connection.recv(1)
                raise _Gone
            piece = _more(talk.connection)
            pieces.append(piece)
            tail = tail[-len(END) :] + piece
        stuffed, _, talk.unread = (b"\r\n" + b"".join(pieces)).partition(END)
        answer = self._answer("CONTENT", b"250 taken")
        if answer.startswith(b"250"):
            self._take(talk, stuffed[2:] + b"\r\n")
        talk.begun, talk.recipients = False, []
        talk.connection.sendall(answer)
        if self.closes_after and talk.taken >= self.closes_after:
            raise _Gone

    def _take(self, talk: Conversation, stuffed: bytes) -> None:
        talk.taken += 1
        with self._lock:
            self.count += 1
            if self.keep:
                self.messages.append(Mail(talk.sender, tuple(talk.recipients), stuffed))

    def _answer(self, step: str, usual: bytes) -> bytes:
        if self.keep:
            self.steps.append(step)
        if step in self.hangs_at:
            self._stopped.wait()
        if step in self.closes_at or self._stopped.is_set():
            raise _Gone
        return self.answers.get(step, usual) + b"\r\n"


class _Gone(Exception):
    """The connection is to end."""


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 18)
    if not piece:
        raise _Gone
    return piece


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _path(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode("ascii", "replace")


def _extension_lines(words: tuple[str, ...]) -> list[bytes]:
    return [f"250{' ' if word == words[-1] else '-'}{word}".encode() for word in words]
