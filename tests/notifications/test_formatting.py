"""Amounts, dates, names and addresses, as pinned for each language."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.formatting import (
    carrier_name,
    clean,
    formats,
    isolated,
    person_name,
    shown_region,
    typed,
    web_link,
    without_links,
)
from notifications.wording import LOCALES
from tests.builders import address

NBSP, RLM, LRM = "\u00a0", "\u200f", "\u200e"
KUWAITI_DINAR = f"{NBSP}د.ك.{RLM}"

amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=3)


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "expected"),
    [
        ("en", "1234.50", "EUR", "€1,234.50"),
        ("en", "15.880", "KWD", f"KWD{NBSP}15.880"),
        ("en", "2530.00", "JPY", "¥2,530.00"),
        ("en", "1234.50", "BRL", "R$1,234.50"),
        ("en", "-3.50", "USD", "-$3.50"),
        ("es", "1234.50", "EUR", f"1.234,50{NBSP}€"),
        ("es", "15.880", "KWD", f"15,880{NBSP}KWD"),
        ("es", "2530", "JPY", f"2.530{NBSP}JPY"),
        ("es", "1234.50", "BRL", f"1.234,50{NBSP}BRL"),
        ("pt-BR", "1234.50", "EUR", f"€{NBSP}1.234,50"),
        ("pt-BR", "15.880", "KWD", f"KWD{NBSP}15,880"),
        ("pt-BR", "2530", "JPY", f"JP¥{NBSP}2.530"),
        ("pt-BR", "1234.50", "BRL", f"R${NBSP}1.234,50"),
        ("ar", "1234.50", "EUR", f"{RLM}1,234.50{NBSP}€"),
        ("ar", "15.880", "KWD", f"{RLM}15.880{KUWAITI_DINAR}"),
        ("ar", "-15.880", "KWD", f"{RLM}{LRM}-15.880{KUWAITI_DINAR}"),
        ("ar", "2530", "JPY", f"{RLM}2,530{NBSP}{LRM}JP¥{LRM}"),
        ("ar", "1234.50", "BRL", f"{RLM}1,234.50{NBSP}{LRM}R${LRM}"),
        ("el", "1234.50", "EUR", f"1.234,50{NBSP}€"),
        ("el", "15.880", "KWD", f"15,880{NBSP}KWD"),
        ("el", "2530", "JPY", f"2.530{NBSP}JP¥"),
        ("el", "-1234.50", "BRL", f"-1.234,50{NBSP}R$"),
        ("el", "-0.00", "EUR", f"0,00{NBSP}€"),
        ("en", "1E+3", "EUR", "€1,000.00"),
        ("en", "79.9", "EUR", "€79.90"),
        ("ar", "7.5", "KWD", f"{RLM}7.500{KUWAITI_DINAR}"),
        ("en", "5.00", "<b>", f"5.00{NBSP}<b>"),
        ("en", "NaN", "EUR", "€NaN"),
    ],
)
def test_money_is_written_as_the_language_does(locale: str, amount: str, currency: str, expected: str) -> None:
    assert formats(locale, "UTC").money(Decimal(amount), currency) == expected


@given(amounts, st.sampled_from(LOCALES), st.sampled_from(["EUR", "KWD", "JPY", "BRL", "USD", "XXX"]))
def test_p6_every_digit_the_platform_gave_is_printed_and_no_other(amount: Decimal, locale: str, currency: str) -> None:
    printed = formats(locale, "UTC").money(amount, currency)
    assert re.sub("[^0-9]", "", printed) == re.sub("[^0-9]", "", f"{amount:f}")
    assert ("-" in printed) == (amount < 0)


def test_money_with_more_digits_than_decimals_usual_precision_is_not_rounded() -> None:
    assert formats("en", "UTC").money(Decimal("1234567890123456789012345678901.005"), "EUR").endswith("901.005")


def test_an_absurd_number_cannot_fill_a_mail() -> None:
    assert len(formats("en", "UTC").money(Decimal("1E+999999"), "EUR")) < 60
    assert len(formats("en", "UTC").money(Decimal("0." + "3" * 9000), "EUR")) < 60


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "January 1, 2027"),
        ("es", "1 de enero de 2027"),
        ("pt-BR", "1 de janeiro de 2027"),
        ("ar", "1 يناير 2027"),
        ("el", "1 Ιανουαρίου 2027"),
    ],
)
def test_a_date_is_the_day_in_the_shops_time_zone_in_latin_digits(locale: str, expected: str) -> None:
    moment = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)
    assert formats(locale, "Europe/Athens").date(moment) == expected


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "a\0b", "x" * 5000])
def test_a_time_zone_nobody_knows_is_utc(zone: str) -> None:
    assert formats("en", zone).date(datetime(2026, 12, 31, 22, 30, tzinfo=UTC)) == "December 31, 2026"


def test_the_last_moment_of_the_calendar_is_a_date_too() -> None:
    assert formats("en", "Asia/Tokyo").date(datetime.max.replace(tzinfo=UTC)) == "December 31, 9999"


@pytest.mark.parametrize(
    ("quantity", "expected"), [("2", "2"), ("2.000", "2"), ("1.50", "1,5"), ("100", "100"), ("1E+2", "100")]
)
def test_quantities_carry_no_empty_zeros(quantity: str, expected: str) -> None:
    assert formats("el", "UTC").quantity(Decimal(quantity)) == expected


@pytest.mark.parametrize(
    ("locale", "percent", "expected"),
    [
        ("en", "19.00", "19%"),
        ("es", "5.5", f"5,5{NBSP}%"),
        ("pt-BR", "7", "7%"),
        ("ar", "5", "5%"),
        ("el", "24", "24%"),
    ],
)
def test_percents_are_written_as_the_language_does(locale: str, percent: str, expected: str) -> None:
    assert formats(locale, "UTC").percent(Decimal(percent)) == expected


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("US", ("12 High Street", "Town, Region 12345", "United States")),
        ("GB", ("12 High Street", "Town", "Region", "12345", "United Kingdom")),
        ("DE", ("12 High Street", "12345 Town", "Germany")),
        ("BR", ("12 High Street", "Town - Region", "12345", "Brazil")),
        ("GR", ("12 High Street", "12345 Town", "Greece")),
        ("KW", ("12 High Street", "12345 Town", "Region", "Kuwait")),
        ("JP", ("12 High Street", "Town, Region 12345", "Japan")),
        ("IT", ("12 High Street", "12345 Town Region", "Italy")),
        ("ZZZ", ("12 High Street", "12345 Town", "Region", "ZZZ")),
        ("", ("12 High Street", "12345 Town", "Region")),
    ],
)
def test_an_address_is_written_as_its_own_country_does(country: str, expected: tuple[str, ...]) -> None:
    there = address(lines=("12 High Street",), city="Town", region="Region", postcode="12345", country=country)
    assert formats("en", "UTC").address(there) == ("Eleni Papadaki", *expected)


@pytest.mark.parametrize(
    ("country", "region", "expected"),
    [
        ("US", "CA", "Town, CA 12345"),
        ("US", "US-CA", "Town, CA 12345"),
        ("CA", "ON", "Town, ON 12345"),
        ("AU", "NSW", "Town, NSW 12345"),
        ("BR", "SP", "Town - SP"),
        ("IT", "RM", "12345 Town RM"),
        ("MX", "MX-JAL", "12345 Town, JAL"),
        ("MX", "MX", "12345 Town, MX"),
        ("AR", "C", "12345 Town"),
        ("JP", "JP13", "Town 12345"),
        ("IN", "MH", "Town 12345"),
        ("EG", "EGALX", "12345 Town"),
        ("CL", "CL-RM", "12345 Town"),
        ("", "SE", "12345 Town"),
    ],
)
def test_a_region_that_is_only_a_code_stands_where_addresses_are_written_with_it(
    country: str, region: str, expected: str
) -> None:
    there = address(city="Town", region=region, postcode="12345", country=country)
    lines = formats("en", "UTC").address(there)
    assert expected in lines
    assert region not in lines
    assert region in expected or region not in "".join(lines)


@pytest.mark.parametrize(
    ("country", "region"),
    [("IE", "Co. Cork"), ("AE", "Dubai"), ("KW", "حولي"), ("ZA", "KwaZulu-Natal"), ("MX", "CDMX")],
)
def test_a_region_in_words_is_never_taken_for_a_code(country: str, region: str) -> None:
    assert shown_region(address(region=region, country=country)) == region


def test_a_dublin_address_has_no_line_of_one_letter() -> None:
    dublin = address(lines=("1 Quay",), city="Dublin", region="D", postcode="D02 XY45", country="IE")
    assert formats("en", "UTC").address(dublin) == ("Eleni Papadaki", "1 Quay", "Dublin", "D02 XY45", "Ireland")


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("an-post", "An Post"),
        ("aramex", "Aramex"),
        ("dhl-de", "DHL DE"),
        ("ups", "UPS"),
        ("gls", "GLS"),
        ("usps", "USPS"),
        ("fedex", "FedEx"),
        ("royal-mail", "Royal Mail"),
        ("la_poste", "La Poste"),
        ("new-zealand-post", "New Zealand Post"),
        ("4px", "4PX"),
        ("DHL eCommerce", "DHL eCommerce"),
        ("Correos", "Correos"),
        ("canada post", "canada post"),
        ("ελτα", "ελτα"),
        ("--", "--"),
        ("", ""),
    ],
)
def test_a_carriers_code_is_shown_as_a_name_and_a_name_as_it_is(word: str, shown: str) -> None:
    assert carrier_name(word) == shown


@given(st.text(alphabet="abz09-_", max_size=80))
def test_p5_a_carriers_name_keeps_every_letter_of_its_code(word: str) -> None:
    assert re.sub("[-_ ]", "", carrier_name(word).lower()).removesuffix("…") in re.sub("[-_]", "", word)


def test_a_japanese_address_begins_with_the_postcode_and_ends_with_the_person() -> None:
    tokyo = address(
        first_name="太郎",
        last_name="山田",
        postcode="100-0001",
        region="東京都",
        city="千代田区",
        lines=("千代田1-1",),
        country="JP",
    )
    assert formats("en", "UTC").address(tokyo) == ("〒100-0001", "東京都 千代田区", "千代田1-1", "山田 太郎", "Japan")


def test_what_is_missing_in_an_address_leaves_no_comma_behind() -> None:
    sparse = address(first_name="", last_name="", lines=(), city="", region="NY", postcode="", country="US")
    assert formats("es", "UTC").address(sparse) == ("NY", "Estados Unidos")


def test_a_family_name_in_chinese_letters_comes_first() -> None:
    assert person_name(address(first_name="伟", last_name="王")) == "王 伟"
    assert person_name(address(first_name="Wei", last_name="")) == "Wei"


@given(st.text(alphabet=st.characters(), max_size=400), st.integers(2, 120))
def test_cleaned_text_is_one_short_line_that_can_be_encoded(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", cleaned)
    cleaned.encode("utf-8")


@given(st.text(alphabet="abcdefghij ÄÖé'-", max_size=60))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == " ".join(text.split(" ")).strip() if "  " not in text else True


def test_towers_of_marks_are_lowered() -> None:
    assert len(clean("a" + "\u0301" * 150)) < 10


@pytest.mark.parametrize("text", ["http://evil.example", "www.evil.example", "evil.example/free"])
def test_a_name_that_is_a_link_is_shown_but_no_longer_one(text: str) -> None:
    assert typed(text).replace("\u2060", "") == text
    assert not re.search(r"https?://|\w\.\w\w", typed(text))


def test_a_name_with_dots_keeps_its_look() -> None:
    assert without_links("J. R. Müller") == "J. R. Müller"


@pytest.mark.parametrize("url", ["https://track.example/?id=1&x=2", "http://track.example/a%20b", "https://τ.gr/ü"])
def test_web_links_stay(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://",
        "https://user@evil.example",
        "https://[broken",
        "https://a.example/\nBcc: b",
        'https://a.example/"onclick="x',
        "https://a.example/{{7*7}}",
        "https://a.example/ b",
        "https://a.example/" + "x" * 3000,
        "\u202ehttps://a.example",
    ],
)
def test_anything_else_is_no_link(url: str) -> None:
    assert web_link(url) == ""


def test_values_are_fenced_off_in_right_to_left_text_and_where_they_are_right_to_left() -> None:
    assert isolated("#1042", rtl=True) == "\u2068#1042\u2069"
    assert isolated("نورة", rtl=False) == "\u2068نورة\u2069"
    assert isolated("#1042", rtl=False) == "#1042"
    assert isolated("", rtl=True) == ""
