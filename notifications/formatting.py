"""Amounts, dates, names and addresses as each language writes them; nothing is rounded and nothing is computed (P6)."""

import re
import unicodedata
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import (
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
)

from connector.domain.order import Address

NO_BREAK_SPACE = "\u00a0"
FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"
RIGHT_TO_LEFT_MARK = "\u200f"

_LEFT_TO_RIGHT_MARK = "\u200e"
_WORD_JOINER = "\u2060"
_LONGEST = 40
_UNWANTED = re.compile(
    # Direction marks and overrides, soft hyphens, zero-width spaces and language tags: none belongs into a value.
    "[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPACING = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PILED_MARKS = re.compile("([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{4})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+")
_LINK_JOINT = re.compile(r"(?<=:)(?=//)|(?<=\w\.)(?=[^\W\d_]{2})")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CURRENCY = re.compile("[A-Z]{3}")
_CARRIER_CODE = re.compile("[a-z0-9]+(?:[-_]+[a-z0-9]+)*")
_CARRIER_WORDS = {
    "air": "Air", "an": "An", "elta": "ELTA", "fedex": "FedEx", "la": "La", "le": "Le", "new": "New", "of": "of",
    "one": "One", "the": "The", "usps": "USPS",
}  # fmt: skip
_REGION_CODE = re.compile("[A-Z0-9]{1,3}|[A-Z]{2}-[A-Z0-9]{1,3}")
_REGION_CODES_WRITTEN = frozenset({"AU", "BR", "CA", "IT", "MX", "US"})
"""Countries whose addresses are written with a region's code. An Indian one names the state in words."""


def clean(text: str, limit: int = 200) -> str:
    """A stranger's text as one line of at most `limit` characters: no controls, direction marks or lone surrogates."""
    if len(text) <= limit and text.isprintable() and "  " not in text:
        return text.strip() if text.isascii() else _PILED_MARKS.sub(r"\1", text).strip()
    text = _SURROGATES.sub("\ufffd", text[: limit * 4])
    text = _PILED_MARKS.sub(r"\1", _UNWANTED.sub("", _SPACING.sub(" ", text))).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def without_links(text: str) -> str:
    """The same visible text, which mail programs no longer turn into a link: a shopper can send a mail to anybody's
    address by ordering with it, and must not place a link there by calling himself one."""
    return _LINK_JOINT.sub(_WORD_JOINER, text) if "." in text or "//" in text else text


def typed(text: str, limit: int = 200) -> str:
    """What a shopper typed, safe to show: see `clean` and `without_links`."""
    return without_links(clean(text, limit))


def web_link(url: str) -> str:
    """The address when it is a plain http or https link of at most 2,000 characters, else an empty string."""
    if len(url) > 2000 or not url.isprintable() or any(character in url for character in " \"'<>\\^`{|}"):
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    except ValueError:
        return ""
    return url if usable else ""


def isolated(text: str, *, rtl: bool) -> str:
    """The value fenced off, so that neither it nor the sentence around it changes the other's order of characters."""
    if not text or not (rtl or (not text.isascii() and _RIGHT_TO_LEFT.search(text))):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


def person_name(address: Address) -> str:
    """First and last name; the family name first where it is written in Chinese, Japanese or Korean letters."""
    first, last = typed(address.first_name, 60), typed(address.last_name, 60)
    names = (last, first) if _CJK.search(first + last) else (first, last)
    return " ".join(name for name in names if name)


def carrier_name(word: str) -> str:
    """A carrier as people write it: some platforms tell only a code, `an-post` (An Post) or `dhl-de` (DHL DE).

    Up to three letters are an abbreviation. What does not look like a code stays as it is.
    """
    name = clean(word, 60)
    if not _CARRIER_CODE.fullmatch(name):
        return name
    parts = re.split("[-_]+", name)
    return " ".join(
        _CARRIER_WORDS.get(part) or (part.upper() if len(part) <= 3 else part.capitalize()) for part in parts
    )


def shown_region(address: Address) -> str:
    """The region of an address. One that is only a code (`DE-BE`, `D`, `JP13`) is left out, except where addresses are
    written with it: Sevilla, SE is a platform's key, not what anybody puts on a parcel."""
    region, country = typed(address.region, 100), address.country
    if not any(_REGION_CODE.fullmatch(code) for code in (region, region.removeprefix(country))):
        return region
    return region.removeprefix(f"{country}-") if country in _REGION_CODES_WRITTEN else ""


class Formats:
    """How one language writes things, with moments told in one time zone (`formats` keeps them ready)."""

    def __init__(self, locale: str, timezone: str) -> None:
        self.locale = locale
        self._locale = Locale.parse(locale, sep="-")
        self._zone = _zone(timezone)
        self.rtl = self._locale.text_direction == "rtl"
        symbols = {
            ",": get_group_symbol(self._locale, numbering_system="latn"),
            ".": get_decimal_symbol(self._locale, numbering_system="latn"),
        }
        self._minus = get_minus_sign_symbol(self._locale, numbering_system="latn")
        self._symbols = str.maketrans(symbols)
        self._percent = self._locale.percent_formats[None].suffix[0]
        self._frames: dict[str, tuple[str, str, str]] = {}

    def money(self, amount: Decimal, currency: str) -> str:
        """The amount with the places it was given with, in Latin digits: `KWD 15.880`, `1.234,50 €`.

        A platform that writes numbers without places (`79.9`) gets the places its currency has: the value is the same.
        """
        before, before_negative, after = self._frames.get(currency) or self._frame(currency)
        negative = amount.is_signed() and not amount.is_zero()
        return f"{before_negative if negative else before}{self._digits(amount, places(currency))}{after}"

    def amount(self, amount: Decimal, currency: str) -> str:
        """The figure alone, for a column whose heading names the currency: `1.234,50`."""
        plain = self._digits(amount, places(currency))
        return self._minus + plain if amount < 0 else plain

    def quantity(self, quantity: Decimal) -> str:
        """`2` or `1,5`: without zeros that say nothing."""
        return f"{self._minus if quantity.is_signed() else ''}{self._digits(quantity, shortest=True)}"

    def percent(self, percent: Decimal) -> str:
        """`19%` for 19."""
        return f"{self._digits(percent, shortest=True)}{self._percent}"

    def date(self, moment: datetime) -> str:
        """The day of an aware moment in the time zone, with the month as a word."""
        try:
            day = moment.astimezone(self._zone).date()
        except OverflowError:
            day = moment.date()
        return _date(day, str(self._locale))

    def country(self, code: str) -> str:
        """The country's name in the language, or the code itself when nobody knows it."""
        return str(self._locale.territories.get(code) or clean(code, 60))

    def address(self, address: Address) -> tuple[str, ...]:
        """The address in lines, in the order its own country writes them; the country last."""
        parts = {
            "name": person_name(address),
            "company": typed(address.company, 100),
            "city": typed(address.city, 100),
            "region": shown_region(address),
            "postcode": typed(address.postcode, 20),
        }
        japanese = address.country == "JP" and _CJK.search("".join((address.city, *address.lines)))
        layout = _JAPANESE if japanese else _LAYOUTS.get(address.country, _DEFAULT_LAYOUT)
        lines: list[str] = []
        for row in layout:
            if row == _STREET:
                lines.extend(typed(line, 120) for line in address.lines[:6])
            else:
                lines.append(_joined(row, parts))
        lines.append(self.country(address.country))
        return tuple(line for line in lines if line)

    def _digits(self, number: Decimal, least_places: int = 0, *, shortest: bool = False) -> str:
        """All digits, without the sign; `copy_abs`, because `abs` rounds to the context's precision."""
        number = number.copy_abs()
        sized = number.is_finite() and abs(number.adjusted()) <= _LONGEST and len(number.as_tuple().digits) <= _LONGEST
        if not sized:
            return clean(str(number), _LONGEST)
        exponent = number.as_tuple().exponent
        padded = isinstance(exponent, int) and -exponent < least_places
        digits = f"{number:,.{least_places}f}" if padded else f"{number:,f}"
        if shortest and "." in digits:
            digits = digits.rstrip("0").rstrip(".")
        return digits.translate(self._symbols)

    def _frame(self, currency: str) -> tuple[str, str, str]:
        """What stands before a positive, before a negative and after any amount."""
        if not _CURRENCY.fullmatch(currency):
            return "", self._minus, NO_BREAK_SPACE + clean(currency, 12)
        symbol = get_currency_symbol(currency, self._locale)
        if self.rtl and re.search("[A-Z]", symbol):
            # Without the marks, right-to-left text shows US$ as $US.
            symbol = f"{_LEFT_TO_RIGHT_MARK}{symbol}{_LEFT_TO_RIGHT_MARK}"
        pattern = self._locale.currency_formats["standard"]
        before, after = pattern.prefix[0].replace("¤", symbol), pattern.suffix[0].replace("¤", symbol)
        if before and unicodedata.category(before[-1]).startswith("L"):
            before += NO_BREAK_SPACE
        negative = before + self._minus if self.rtl else self._minus + before
        frame = before, negative, after
        self._frames[currency] = frame
        return frame


@lru_cache(maxsize=512)
def places(currency: str) -> int:
    """How many places amounts of a currency have at least; 0 for one nobody knows."""
    return get_currency_precision(currency) if currency in Locale("en").currencies else 0


@lru_cache(maxsize=512)
def formats(locale: str, timezone: str) -> Formats:
    """The formats of one of our languages (`pt-BR`) and a time zone (`Europe/Athens`; UTC when nobody knows it)."""
    return Formats(locale, timezone)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


@lru_cache(maxsize=4096)
def _date(day: date, locale: str) -> str:
    return format_date(day, "long", locale=locale)


_Row = tuple[tuple[str, str], ...]


def _row(layout: str) -> _Row:
    """`city, region postcode` as parts with what stands before each of them."""
    return tuple((match[2], match[1]) for match in re.finditer(r"([^a-z]*)([a-z]+)", layout))


def _joined(row: _Row, parts: dict[str, str]) -> str:
    text = ""
    for name, before in row:
        if parts[name]:
            text += (before if text or before == "〒" else "") + parts[name]
    return text


_STREET = _row("street")
_RECIPIENT = ("name", "company", "street")


def _layout(*rows: str) -> tuple[_Row, ...]:
    return tuple(_row(row) for row in rows)


_DEFAULT_LAYOUT = _layout(*_RECIPIENT, "postcode city", "region")
_JAPANESE = _layout("〒postcode", "region city", "street", "company", "name")
_TOWN_LINES: dict[str, tuple[str, ...]] = {
    # Where the post office does not want a region, platforms still send one, often as a code (DE-BE, I).
    "AT BE CH CY CZ DE DK FI FR GR HR HU LU NL NO PL PT RO SE SK": ("postcode city",),
    "AU CA US": ("city, region postcode",),
    "BR": ("city - region", "postcode"),
    "GB IE": ("city", "region", "postcode"),
    "IN": ("city postcode", "region"),
    "IT": ("postcode city region",),
    "JP": ("city, region postcode",),
    "AE OM QA": ("city", "region"),
    "MX": ("postcode city, region",),
}
_LAYOUTS = {country: _layout(*_RECIPIENT, *rows) for group, rows in _TOWN_LINES.items() for country in group.split()}
