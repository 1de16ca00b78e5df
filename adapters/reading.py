"""Reads a platform's JSON document field by field; what cannot be understood is refused with its full path.

A field that is absent, null, empty text or (where PHP means an empty object) an empty list counts as not there.
Messages name the kind of a wrong value and never the value, which may be personal.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import NoReturn, cast

import msgspec

from connector.domain.errors import UnreadableDelivery

MOST_ITEMS = 5_000
LONGEST_TEXT = 20_000
LONGEST_KEY = 200
MOST_DIGITS = 28
"""What `decimal` adds exactly by default, so that no sum of ours ever rounds."""
MOST_WHOLE_DIGITS = 15
MOST_PLACES = 20
_LARGEST_PLAIN_NUMBER = 10**MOST_WHOLE_DIGITS

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_MAIL_ADDRESS = re.compile(r"[^\s@<>\"']{1,64}@[^\s@<>\"']{1,255}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_AMOUNT = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_PLAIN_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
"""What nearly all amounts look like; nothing of this form is out of range."""
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{1,6})?\s?(Z|UTC|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)
_ZERO_DATE = re.compile(r"(-0001|0000)-")
_YES = frozenset({"1", "true", "yes"})
_NO = frozenset({"0", "false", "no"})


def read_json(body: bytes) -> object:
    """Any JSON value, every number with a fraction as an exact Decimal; of a doubled key the last value counts.

    Raises UnreadableDelivery for whatever is not JSON in UTF-8: NaN, cut bytes, nesting deeper than Python can read.
    """
    try:
        return _decode(body)
    except RecursionError as error:
        raise _not_json("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _not_json("it is not UTF-8") from error
    except InvalidOperation as error:
        raise _not_json("a number in it is out of range") from error
    except ValueError as error:
        raise _not_json("it is not complete, valid JSON") from error


def read_object(body: bytes) -> "Reader":
    """A reader over a JSON object. Raises UnreadableDelivery when the body is anything else."""
    document = read_json(body)
    if not isinstance(document, dict):
        raise UnreadableDelivery(field="body", why=f"it is {_kind(document)}", accepted="a JSON object")
    return Reader(document)


def cleaned(words: str) -> str:
    """Text without what no database, mail or PDF can carry: NUL goes, half a surrogate pair becomes U+FFFD."""
    if words.isprintable() or (words.isascii() and "\x00" not in words):
        return words
    return _LONE_SURROGATE.sub("\ufffd", words.replace("\x00", ""))


def quoted(words: str, longest: int) -> str:
    """What somebody else said, for a sentence of ours: on one line and short, without what cannot be shown, and without
    e-mail addresses (P10)."""
    shown = "".join(letter if letter.isprintable() else " " for letter in words[: 4 * longest])
    return _MAIL_ADDRESS.sub("…", " ".join(shown.split()))[:longest]


@dataclass(frozen=True, slots=True)
class Reader:
    """One JSON object; fields are named by dotted paths (`billing.email`)."""

    document: Mapping[str, object]
    name: str = ""
    """Its own path, from `parent` if there is one, else from the document's root."""
    parent: "Reader | None" = None

    @property
    def where(self) -> str:
        """Its path in the document: put together only when a message needs it."""
        return self.parent._full(self.name) if self.parent else self.name

    def value(self, path: str) -> object:
        """The raw value; None when it or something on the way to it is not there."""
        if "." not in path:
            return self.document.get(path)
        found: object = self.document
        for name in path.split("."):
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    def has(self, path: str) -> bool:
        """Whether there is something to read."""
        value = self.value(path)
        return value is not None and value != ""

    def text(self, path: str) -> str:
        """Text, or a number as text; empty when it is not there. Cut at LONGEST_TEXT characters.

        It is what a stranger typed: only `cleaned`, never escaped.
        """
        return self._words(path, self.value(path))

    def texts(self, path: str) -> tuple[str, ...]:
        """The texts of the list there, without empty ones; none when it is not there."""
        words = (self._words(f"{path}[{position}]", value) for position, value in enumerate(self.values(path)))
        return tuple(one for one in words if one)

    def key(self, path: str) -> str:
        """A platform's own key as text; it must be there, short and without control characters."""
        value = self.value(path)
        words = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not words:
            raise self.refusal(path, f"it is {_kind(value)}", "the platform's id")
        if len(words) > LONGEST_KEY or _CONTROL.search(words) or cleaned(words) != words:
            raise self.refusal(path, "it is too long or no id", f"an id of up to {LONGEST_KEY} characters")
        return words

    def amount(self, path: str) -> Decimal:
        """A decimal with exactly the places that were written; it must be there."""
        amount = self.amount_if_any(path)
        if amount is None:
            raise self.refusal(path, "it is missing", "a decimal number")
        return amount

    def amount_if_any(self, path: str) -> Decimal | None:
        """A decimal with exactly the places that were written; None when it is not there."""
        value = self.value(path)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _PLAIN_AMOUNT.fullmatch(value):
            return Decimal(value)
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if is_number or (isinstance(value, str) and _AMOUNT.fullmatch(value)):
            return self._bounded(path, Decimal(cast("int | str | Decimal", value)))
        raise self.refusal(path, f"it is {_kind(value)}", "a decimal number")

    def flag(self, path: str, *, default: bool = False) -> bool:
        """A yes or no, also as 1/0 or a word for it."""
        value = self.value(path)
        if value is None or value == "":
            return default
        word = str(value).lower() if isinstance(value, bool | int | str) else ""
        if word not in _YES | _NO:
            raise self.refusal(path, f"it is {_kind(value)}", "true or false")
        return word in _YES

    def moment(self, path: str, zone: tzinfo = UTC) -> datetime:
        """A moment in UTC; it must be there. `zone` is what a moment without an offset means."""
        moment = self.moment_if_any(path, zone)
        if moment is None:
            raise self.refusal(path, "it is missing", "a date and time")
        return moment

    def moment_if_any(self, path: str, zone: tzinfo = UTC) -> datetime | None:
        """A moment in UTC from ISO 8601, also with a blank for the T; None when it is not there or a zero date."""
        value = self.value(path)
        if value is None or value is False or value == "" or (isinstance(value, str) and _ZERO_DATE.match(value)):
            return None
        wanted = "a date and time as ISO 8601 (2026-11-21T20:08:37Z)"
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.refusal(path, f"it is {_kind(value)}", wanted)
        try:
            given = datetime.fromisoformat(re.sub(r"\s?UTC$", "Z", value.upper()))
            return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.refusal(path, "there is no such moment", wanted) from error

    def part(self, path: str) -> "Reader":
        """The object there; an empty reader when it is not there."""
        value = self.value(path)
        if value is None or value == [] or value == "":
            return Reader({}, path, self)
        if not isinstance(value, dict):
            raise self.refusal(path, f"it is {_kind(value)}", "an object")
        return Reader(value, path, self)

    def items(self, path: str) -> "list[Reader]":
        """The objects of the list there; none when it is not there."""
        found = []
        for position, value in enumerate(self.values(path)):
            name = f"{path}[{position}]"
            if not isinstance(value, dict):
                raise self.refusal(name, f"it is {_kind(value)}", "an object")
            found.append(Reader(value, name, self))
        return found

    def values(self, path: str) -> list[object]:
        """The list there, whatever is in it; empty when it is not there."""
        value = self.value(path)
        if value is None or value == "" or value == {}:
            return []
        if not isinstance(value, list):
            raise self.refusal(path, f"it is {_kind(value)}", "a list")
        if len(value) > MOST_ITEMS:
            raise self.refusal(path, f"it has {len(value)} entries", f"a list of up to {MOST_ITEMS}")
        return value

    def refusal(self, path: str, why: str, accepted: str) -> UnreadableDelivery:
        """The error to raise for a field of this object, with the field's whole path."""
        return UnreadableDelivery(field=self._full(path) or "body", why=why, accepted=accepted)

    def _words(self, path: str, value: object) -> str:
        if value is None or value is False:
            return ""
        if isinstance(value, str):
            return cleaned(value[:LONGEST_TEXT])
        if type(value) is int and abs(value) < _LARGEST_PLAIN_NUMBER:
            return str(value)
        if isinstance(value, int | Decimal) and value is not True:
            return format(self._bounded(path, Decimal(value)), "f")
        raise self.refusal(path, f"it is {_kind(value)}", "text")

    def _full(self, path: str) -> str:
        return f"{self.where}.{path}" if self.where and path else self.where or path

    def _bounded(self, path: str, value: Decimal) -> Decimal:
        """The number without an exponent above zero, if it is one that a sum can hold exactly."""
        _, digits, exponent = value.as_tuple()
        if (
            not isinstance(exponent, int)
            or exponent < -MOST_PLACES
            or value.adjusted() >= MOST_WHOLE_DIGITS
            or len(digits) > MOST_DIGITS
        ):
            raise self.refusal(path, "it is a number out of range", f"up to {MOST_WHOLE_DIGITS} whole digits")
        return value if exponent <= 0 else Decimal(format(value, "f"))


def _decode(body: bytes) -> object:
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError:
        if not _SURROGATE_ESCAPE.search(body):
            raise
    # msgspec refuses half a surrogate pair; one broken emoji in a note must not cost the whole order.
    return json.loads(body.decode(), parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _not_json(why: str) -> UnreadableDelivery:
    return UnreadableDelivery(field="body", why=why, accepted="JSON in UTF-8")


def _kind(value: object) -> str:
    """What sort of value this is, in words that reveal nothing of it."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | Decimal):
        return "a number"
    if isinstance(value, str):
        return "text of another form" if value else "empty"
    return "a list" if isinstance(value, list) else "an object"
