"""Turns a message into the bytes of a mail (RFC 5322, 2045, 2046, 2047, 2231), whatever strangers typed into its texts.

The standard library's `email` package is not used to write mails: it has decoded an encoded word in a subject into a
header of its own (CVE-2024-6923, CVE-2026-1299). Here a header is either printable ASCII or encoded by us; nothing
is decoded on the way. The reading half of that package judges the result in the tests.
"""

import binascii
import hashlib
import re
import textwrap
from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

import idna

from connector.domain.errors import Permanent
from notifications.channels.contract import Attachment, Message

_LINE = 76
_SUBJECT_LENGTH = 250
_NAME_LENGTH = 100
_FILENAME_LENGTH = 60
_ENCODED_BYTES = 39
"""UTF-8 bytes in one encoded word: 64 characters as base64, so that the longest header name fits in front of it."""

_DIRECTION_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACE_AND_CONTROLS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_NOT_IN_FILENAMES = re.compile(r'[/\\:*?"<>|]')

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_IDENTIFIER = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_CONTENT_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


def compose(message: Message) -> bytes:
    """The mail as it goes over the wire: 7-bit, every line ends with CRLF; the same message gives the same bytes.

    Raises Permanent for what cannot be made safe without changing its meaning: an address, an id or a content type.
    """
    digest = hashlib.sha256(message.message_id.encode("utf-8", "replace")).hexdigest()[:32]
    body = _alternatives(message, f"=_alternative_{digest}")
    if message.attachments:
        body = _multipart("mixed", f"=_mixed_{digest}", [body, *map(_attachment, message.attachments)])
    return "\r\n".join(_headers(message)).encode("ascii") + b"\r\n" + body


def wire_address(address: str, whose: str = "The address") -> str:
    """The address as ASCII, an internationalized domain as its A-labels. `whose` begins the sentence of a refusal.

    Raises Permanent for everything that is not plainly `local@domain` (RFC 5321 4.1.2 without quoted strings and
    address literals; lengths of 4.5.3.1). The address itself is never part of the error (P10).
    """
    local, _, domain = address.rpartition("@")
    if _SPACE_AND_CONTROLS.search(address) or len(address) > 254:
        raise Permanent(f"{whose} holds spaces or control characters, or is too long: correct it and send again.")
    if not local.isascii():
        raise Permanent(
            f"{whose} has letters before the @ that need SMTPUTF8, which is not supported: use another one."
        )
    wire = f"{local}@{_wire_domain(domain, whose)}"
    if not _LOCAL_PART.fullmatch(local) or "=?" in local or len(local) > 64 or len(wire) > 254:
        raise Permanent(f"{whose} is not a valid e-mail address: correct it and send again.")
    return wire


def header_text(text: str, length: int = _SUBJECT_LENGTH) -> str:
    """A text as a header may show it: one line, no controls, no change of the reading direction, not too long."""
    text = _DIRECTION_CONTROLS.sub("", text.encode("utf-8", "replace").decode())
    text = _SPACE_AND_CONTROLS.sub(" ", text).strip()
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


@lru_cache(maxsize=1024)
def _a_labels(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode("ascii")


def _wire_domain(domain: str, whose: str) -> str:
    try:
        wire = domain if domain.isascii() else _a_labels(domain)
    except idna.IDNAError as error:
        raise Permanent(f"{whose} has a domain that cannot exist: correct it and send again.") from error
    if not _DOMAIN.fullmatch(wire):
        raise Permanent(f"{whose} has a domain that cannot exist: correct it and send again.")
    return wire


def _headers(message: Message) -> Iterator[str]:
    yield _mailbox("From", message.sender_name, wire_address(message.sender_address, "The sender's address"))
    yield _mailbox("To", message.recipient_name, wire_address(message.recipient_address, "The recipient's address"))
    if message.reply_to:
        yield _mailbox("Reply-To", "", wire_address(message.reply_to, "The reply address"))
    yield _subject(header_text(message.subject))
    yield f"Date: {format_datetime(message.created_at.astimezone(UTC))}"
    yield f"Message-ID: {_identifier(message.message_id)}"
    if message.thread_id:
        yield f"In-Reply-To: {_identifier(message.thread_id)}"
        yield f"References: {_identifier(message.thread_id)}"
    language = message.locale.replace("_", "-")
    if _LANGUAGE.fullmatch(language):
        yield f"Content-Language: {language}"
    yield "Auto-Submitted: auto-generated"
    yield "X-Auto-Response-Suppress: All"
    yield "MIME-Version: 1.0"


def _subject(text: str) -> str:
    if _is_plain(text):
        return "\r\n".join(
            textwrap.wrap(
                f"Subject: {text}", _LINE, subsequent_indent=" ", break_long_words=False, break_on_hyphens=False
            )
        )
    return f"Subject: {_encoded(text)}"


def _mailbox(header: str, name: str, address: str) -> str:
    name = header_text(name, _NAME_LENGTH)
    if not name:
        return f"{header}: {address}"
    phrase = _quoted(name) if _is_plain(name) else _encoded(name)
    line = f"{header}: {phrase} <{address}>"
    return line if len(line) <= _LINE else f"{header}: {phrase}\r\n <{address}>"


def _identifier(identifier: str) -> str:
    if not _IDENTIFIER.fullmatch(identifier) or len(identifier) > 250:
        raise Permanent("A message id must look like unique-part@domain: this one was made wrongly, please report it.")
    return f"<{identifier}>"


def _is_plain(text: str) -> bool:
    """Whether a cleaned text may stand in a header as it is; what looks like an encoded word may not."""
    return text.isascii() and "=?" not in text


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(text: str) -> str:
    """RFC 2047 words, one a line, cut between characters and never inside one."""
    rest, words = text.encode(), []
    while rest:
        cut = min(_ENCODED_BYTES, len(rest))
        while cut < len(rest) and rest[cut] & 0b1100_0000 == 0b1000_0000:
            cut -= 1
        words.append(f"=?utf-8?B?{binascii.b2a_base64(rest[:cut], newline=False).decode()}?=")
        rest = rest[cut:]
    return "\r\n ".join(words)


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    """Parts between boundaries that begin with `=_`, which neither quoted-printable nor base64 can produce."""
    line = b"\r\n--" + boundary.encode()
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n'.encode()
    return head + b"".join(line + b"\r\n" + part for part in parts) + line + b"--\r\n"


def _alternatives(message: Message, boundary: str) -> bytes:
    return _multipart("alternative", boundary, [_text("plain", message.text), _text("html", message.html)])


def _text(subtype: str, text: str) -> bytes:
    """A text part: quoted-printable, or base64 when mostly not ASCII, where it is the shorter one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    content = lines.encode("utf-8", "replace")
    if (len(content) - len(lines)) * 12 > len(content):
        encoding, body = "base64", _base64(content.replace(b"\n", b"\r\n"))
    else:
        encoding, body = "quoted-printable", binascii.b2a_qp(content, istext=True).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body


def _attachment(attachment: Attachment) -> bytes:
    if not _CONTENT_TYPE.fullmatch(attachment.content_type):
        raise Permanent("An attachment has a content type that cannot be sent: it was made wrongly, please report it.")
    safe = header_text(_NOT_IN_FILENAMES.sub("_", attachment.filename), _FILENAME_LENGTH).strip(". ") or "attachment"
    ascii_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    filename = f'filename="{safe}"' if safe == ascii_name else f"filename*=utf-8''{quote(safe, safe='')}"
    head = (
        f'Content-Type: {attachment.content_type};\r\n name="{ascii_name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {filename}\r\n\r\n"
    )
    return head.encode("ascii") + _base64(attachment.content)


def _base64(content: bytes) -> bytes:
    encoded = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join([encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)])
