"""What a stranger types can never become a header, and what we write is read back as we meant it."""

import base64
import email
import email.policy
import re
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.domain.errors import Permanent
from notifications.channels.contract import Attachment
from notifications.channels.mime import compose, header_text, wire_address
from tests.builders import message

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Content-Language",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]
PDF = Attachment("Invoice 2026-0042.pdf", "application/pdf", bytes(range(256)) * 20)

ENCODED_WORD = "=?utf-8?q?Order=0ABcc:_evil@x.test?="
BARE_LINES = "Order #1\r\nBcc: evil@x.test"
WHOLE_MAIL = (
    "=?utf-8?q?x=0D=0ABcc:_evil@x.test=0D=0AContent-Type:_text/html=0D=0A=0D=0A<h1>Pay_here</h1>=0D=0A?=\r\n"
    "Content-Type: text/html\r\n\r\n<a href='https://x.test'>Pay here</a>\r\n.\r\nMAIL FROM:<evil@x.test>\r\n"
)
SEPARATORS = "a\nBcc: b\rBcc: c\x0bBcc: d\x0cBcc: e\x85Bcc: f\u2028Bcc: g\u2029Bcc: h\x00Bcc: i\x1cBcc: j"
HOSTILE = [
    ENCODED_WORD,
    BARE_LINES,
    WHOLE_MAIL,
    SEPARATORS,
    'a" <evil@x.test>, "b',
    "gpj.\u202eexe \u2066x\u2069",
    "\ud800 alone",
    "x" * 5000,
    "=?" * 400,
    "Ω" * 400,
    " \t ",
    "",
]

texts = st.one_of(
    st.text(), st.text(alphabet='=?_ \r\n\tq.:<>@"\\utf-8BQé\x0b\x85\u2028\u202e😀\x00'), st.sampled_from(HOSTILE)
)


def parsed(content: bytes) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def decoded(words: str) -> str:
    """As RFC 2047 says; the newer parser puts spaces between the words of a name."""
    return str(make_header(decode_header(words)))


def person(mail: Message, header: str) -> tuple[str, str]:
    name, address = parseaddr(mail[header])
    return decoded(name), address


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8")


def sent(text: str) -> str:
    """What arrives of a body: line ends as the wire has them, and no half characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    return lines.replace("\n", "\r\n")


@given(texts, texts, texts, texts, texts)
@example(ENCODED_WORD, ENCODED_WORD, ENCODED_WORD, ENCODED_WORD, ENCODED_WORD)
@example(BARE_LINES, BARE_LINES, BARE_LINES, BARE_LINES, BARE_LINES)
@example(WHOLE_MAIL, WHOLE_MAIL, WHOLE_MAIL, WHOLE_MAIL, WHOLE_MAIL)
@example(SEPARATORS, SEPARATORS, SEPARATORS, SEPARATORS, SEPARATORS)
def test_no_text_in_any_field_becomes_a_header(subject: str, sender: str, recipient: str, text: str, html: str) -> None:
    content = compose(
        message(subject=subject, sender_name=sender, recipient_name=recipient, text=text, html=html, attachments=(PDF,))
    )
    mail, plain = parsed(content), email.message_from_bytes(content)
    assert mail.keys() == plain.keys() == HEADERS
    assert mail["Subject"] == header_text(subject)
    assert decoded(plain["Subject"]) == header_text(subject)
    assert person(plain, "From") == (header_text(sender, 100), "shop@hafen-huegel.example")
    assert person(plain, "To") == (header_text(recipient, 100), "eleni@example.com")
    assert [one.addr_spec for one in mail["From"].addresses] == ["shop@hafen-huegel.example"]
    assert [one.addr_spec for one in mail["To"].addresses] == ["eleni@example.com"]
    assert body(mail, "plain") == sent(text)
    assert body(mail, "html") == sent(html)
    assert [one.get_content_type() for one in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/pdf",
    ]
    assert not any(part.defects for part in mail.walk())


@given(texts, texts, st.binary(max_size=300))
def test_every_line_is_short_seven_bit_and_ends_with_crlf(text: str, name: str, content: bytes) -> None:
    wire = compose(
        message(
            text=text,
            html=text,
            subject=name,
            sender_name=name,
            attachments=(Attachment(name, "application/pdf", content),),
        )
    )
    assert wire.isascii()
    assert b"\x00" not in wire
    assert wire.endswith(b"\r\n")
    lines = wire.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(len(line) for line in lines) <= 998
    mail_body = wire.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert all(len(line) <= 76 for line in mail_body if not line.startswith((b" filename", b" name")))
    assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?B\?[^?]*\?=", wire))


@given(texts.map(lambda text: text.replace("\ud800", "")))
def test_a_file_arrives_with_its_name_and_bytes(filename: str) -> None:
    mail = parsed(compose(message(attachments=(Attachment(filename, "application/pdf", PDF.content),))))
    (part,) = mail.iter_attachments()
    name = part.get_filename()
    assert part.get_payload(decode=True) == PDF.content
    assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
    assert name is not None
    assert name
    assert name.isprintable() or any(ord(letter) > 127 for letter in name)
    assert not set(name) & set('/\\:*?"<>|\r\n\x00\u202e')
    assert not name.startswith(".")


@pytest.mark.parametrize("filename", ["Rechnung für Ü.pdf", "τιμολόγιο.pdf", "فاتورة.pdf", "Invoice 2026-0042.pdf"])
def test_a_file_name_in_any_script_is_read_back_whole(filename: str) -> None:
    content = compose(message(attachments=(Attachment(filename, "application/pdf", b"%PDF"),)))
    (part,) = parsed(content).iter_attachments()
    assert part.get_filename() == filename
    assert [one.get_filename() for one in email.message_from_bytes(content).walk()][-1] == filename


def test_without_files_there_are_only_the_two_alternatives() -> None:
    mail = parsed(compose(message()))
    assert [one.get_content_type() for one in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_p2_the_same_message_gives_the_same_bytes_and_another_id_another_boundary() -> None:
    assert compose(message(attachments=(PDF,))) == compose(message(attachments=(PDF,)))
    boundaries = {parsed(compose(message(message_id=f"{one}@x.test"))).get_boundary() for one in "ab"}
    assert len(boundaries) == 2


@given(st.text(alphabet="=_alternativemixed-0123456789bcdf\n"))
def test_no_body_can_hold_its_own_boundary(text: str) -> None:
    boundary = parsed(compose(message())).get_boundary()
    hostile = f"{text}\n--{boundary}\nContent-Type: text/html\n\n--{boundary}--\n"
    mail = parsed(compose(message(text=hostile, html=hostile)))
    assert len(list(mail.walk())) == 3
    assert body(mail, "plain") == sent(hostile)


def test_the_headers_say_who_when_and_which_order() -> None:
    berlin = timezone(timedelta(hours=1))
    mail = parsed(
        compose(
            message(
                created_at=datetime(2026, 11, 21, 0, 30, tzinfo=berlin),
                locale="pt_BR",
                reply_to="help@bücher.example",
            )
        )
    )
    assert mail["Date"] == "Fri, 20 Nov 2026 23:30:00 +0000"
    assert mail["Message-ID"] == "<1042.shipped.parcel-1@hafen-huegel.example>"
    assert mail["In-Reply-To"] == mail["References"] == "<1042@hafen-huegel.example>"
    assert mail["Content-Language"] == "pt-BR"
    assert mail["Reply-To"] == "help@xn--bcher-kva.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_a_message_of_no_thread_names_none() -> None:
    mail = parsed(compose(message(thread_id="")))
    assert not {"In-Reply-To", "References"} & set(mail.keys())


def test_a_language_that_is_none_is_left_out() -> None:
    assert "Content-Language" not in parsed(compose(message(locale="en\r\nBcc: evil@x.test")))


def test_a_long_plain_subject_is_folded_and_stays_readable() -> None:
    subject = "Your order #1042 is on its way and " * 5
    wire = compose(message(subject=subject))
    assert b"Subject: Your order #1042 is on its way and Your order #1042 is on its way\r\n and Your" in wire
    assert parsed(wire)["Subject"] == subject.strip()


def test_an_encoded_word_in_a_subject_stays_text() -> None:
    content = compose(message(subject=ENCODED_WORD))
    assert b"Order=0A" not in content
    assert parsed(content)["Subject"] == ENCODED_WORD


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Grüße, your parcel is on its way", "quoted-printable"), ("Το δέμα σας είναι καθ' οδόν", "base64")],
)
def test_a_text_is_quoted_printable_unless_base64_is_shorter(text: str, encoding: str) -> None:
    part = parsed(compose(message(text=text))).get_body(("plain",))
    assert part is not None
    assert part["Content-Transfer-Encoding"] == encoding
    assert part.get_content().strip() == text


GOOD_ADDRESSES = {
    "eleni@example.com": "eleni@example.com",
    "o'brien+tag=1@sub.example.co.uk": "o'brien+tag=1@sub.example.co.uk",
    "root@localhost": "root@localhost",
    "ich@Bücher.example": "ich@xn--bcher-kva.example",
    "ich@παράδειγμα.example": "ich@xn--hxajbheg2az3al.example",
    "a" * 64 + "@example.com": "a" * 64 + "@example.com",
}
BAD_ADDRESSES = [
    "",
    "@",
    "a@",
    "@example.com",
    "no-at-sign",
    "two@at@example.com",
    "a b@example.com",
    "a@exa mple.com",
    "a@example.com\r\nRCPT TO:<evil@x.test>",
    "a@example.com\nBcc: evil@x.test",
    "a@example.com\x00",
    "a\x0b@example.com",
    "a@example.com\u2028",
    "a\x85@example.com",
    "<a@example.com>",
    "a@example.com>",
    "a@example.com,b@example.com",
    "a;b@example.com",
    '"a b"@example.com',
    '"a"@example.com',
    "a(comment)@example.com",
    "=?utf-8?q?a?=@example.com",
    ".a@example.com",
    "a..b@example.com",
    "a.@example.com",
    "a@-example.com",
    "a@example..com",
    "a@.example.com",
    "a@example.com.",
    "a@[127.0.0.1]",
    "a@exa_mple.com",
    "a" * 65 + "@example.com",
    "a@" + ".".join(["b" * 63] * 4) + ".com",
    "a@" + "ü" * 80 + ".com",
    "ünï@example.com",
    "a@ex\u202eample.com",
    "a＠example.com",
    "a@example.com＠x",
    "a@ex%0aample.com",
    "\ud800@example.com",
    "a@\ud800.com",
]


@pytest.mark.parametrize(("address", "wire"), GOOD_ADDRESSES.items())
def test_a_good_address_is_written_as_ascii(address: str, wire: str) -> None:
    assert wire_address(address) == wire


@pytest.mark.parametrize("address", BAD_ADDRESSES)
@pytest.mark.parametrize("field", ["recipient_address", "sender_address", "reply_to"])
def test_p10_a_bad_address_is_permanent_and_not_repeated(address: str, field: str) -> None:
    if field == "reply_to" and not address:
        return
    with pytest.raises(Permanent) as caught:
        compose(message(**{field: address}))
    assert len(address) < 3 or address not in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.one_of(st.text(), st.from_regex(r"[\w.+=?<>\r\n ]+@[\w.\r\n<>-]+")))
def test_whatever_is_accepted_as_an_address_is_one_harmless_word(address: str) -> None:
    try:
        wire = wire_address(address)
    except Permanent:
        return
    assert re.fullmatch(r"[!-~]+", wire)
    assert wire.count("@") == 1
    assert not set(wire) & set('<>,;:"()[]\\')
    assert "=?" not in wire
    assert len(wire) <= 254


def test_letters_before_the_at_that_are_not_ascii_are_explained() -> None:
    with pytest.raises(Permanent, match="SMTPUTF8"):
        wire_address("ünï@example.com")


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "a@b>\r\nBcc: evil@x.test"},
        {"message_id": "no-domain"},
        {"thread_id": "a b@c"},
        {"message_id": "a" * 300 + "@b"},
        {"attachments": (Attachment("a.pdf", "application/pdf\r\nBcc: evil@x.test", b""),)},
        {"attachments": (Attachment("a.pdf", "application/pdf; name=x", b""),)},
        {"attachments": (Attachment("a.pdf", "multipart/mixed", b""),)},
        {"attachments": (Attachment("a.pdf", "pdf", b""),)},
    ],
)
def test_ids_and_content_types_that_we_cannot_have_made_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Permanent):
        compose(message(**change))


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\r\nb", "a b"),
        ("  a \t b ", "a b"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("a\x00\x85\u2028\u2029b", "a b"),
        ("שלום\u200f x", "שלום\u200f x"),
        ("12\u00a0345", "12\u00a0345"),
        ("\ud800", "?"),
    ],
)
def test_a_header_shows_one_clean_line(dirty: str, clean: str) -> None:
    assert header_text(dirty) == clean


@given(st.text(alphabet="aé€😀Ω", min_size=1, max_size=240))
def test_each_encoded_word_can_be_read_by_itself(subject: str) -> None:
    wire = compose(message(subject=subject + "é"))
    words = re.findall(rb"=\?utf-8\?B\?([^?]*)\?=", wire.partition(b"\r\nDate:")[0].partition(b"Subject:")[2])
    assert "".join(base64.b64decode(word).decode() for word in words) == subject + "é"


def test_a_header_is_cut_with_an_ellipsis() -> None:
    assert header_text("ab " * 200, 10) == "ab ab ab…"


@given(texts)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert header_text(header_text(text)) == header_text(text)
