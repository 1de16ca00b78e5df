"""Finished mails: each kind in each language, for rich, bare and hostile orders."""

import json
import re
import unicodedata
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from connector.domain.errors import Permanent
from connector.domain.order import Shipment, ShipmentItem, TrackingNumber
from connector.domain.record import OrderRecord
from connector.domain.shop import Brand, Seller, Shop
from connector.domain.status import PaymentState, ShipmentStatus
from notifications.channels.contract import Attachment, Message
from notifications.kinds import KINDS
from notifications.rendering import SUBJECT_LENGTH, TEXT_WIDTH, readable_on, render
from notifications.wording import LOCALES, phrases
from tests.builders import (
    DELIVERED,
    SHIPPED,
    address,
    line,
    minimal_snapshot,
    order_snapshot,
    record,
    refund,
    shipment,
    shop,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
INVOICE = (Attachment("INV-1.pdf", "application/pdf", b"%PDF"),)
SUBJECTS = {"shipped": "parcel-1", "tracking_added": "parcel-1", "delivered": "parcel-1", "refunded": "refund-1"}
ALL = [(kind, locale) for kind in KINDS for locale in LOCALES]
KEYS = {"shipment_id", "line_id", "refund_id", "order_id", "shop_id", "status"}
PLAIN_SHOP = Shop("shop-1", "paper", "key", "Nova", "nova.example", NOW)


def rich(kind: str, **changes: Any) -> OrderRecord:
    status = ShipmentStatus.DELIVERED if kind == "delivered" else ShipmentStatus.IN_TRANSIT
    parcels = (
        shipment(status=status, delivered_at=DELIVERED if kind == "delivered" else None),
        shipment(
            shipment_id="parcel-2",
            items=(ShipmentItem("line-2", Decimal(4)), ShipmentItem("line-3", Decimal(1))),
            status=ShipmentStatus.LABEL_CREATED,
            shipped_at=None,
        ),
    )
    snapshot = order_snapshot(status_url="https://hafen-huegel.example/orders/7?key=secret", **changes)
    return record(
        snapshot=snapshot, shipments=parcels, refunds=(refund(),) if kind in {"refunded", "cancelled"} else ()
    )


def bare(kind: str) -> OrderRecord:
    status = ShipmentStatus.DELIVERED if kind == "delivered" else ShipmentStatus.IN_TRANSIT
    refunds = (refund(reason="", amount=Decimal("4.90")),) if kind == "refunded" else ()
    tracking = (TrackingNumber("RR123456785GR"),) if kind == "tracking_added" else ()
    parcel = Shipment("parcel-1", status, "", SHIPPED, tracking=tracking)
    return record(snapshot=minimal_snapshot(), shipments=(parcel,), refunds=refunds)


def mail(kind: str, locale: str, known: OrderRecord, merchant: Shop | None = None, **changes: Any) -> Message:
    return render(
        kind,
        changes.pop("subject", SUBJECTS.get(kind, "")),
        known,
        merchant or shop(),
        locale=locale,
        recipient="eleni@example.com",
        message_id="m1@example.com",
        thread_id="t1@example.com",
        sender_address="shop@example.com",
        created_at=NOW,
        **changes,
    )


class Page(HTMLParser):
    """What an HTML part consists of, and what of it can be read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.visible: list[str] = []
        self.scripts: list[str] = []
        self._inside: list[str] = []
        self.feed(html)
        self.close()
        assert self._inside == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in {"a", "bdi", "span", "strong"}:
            self.visible.append("\n")
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in {"meta", "br", "img"}:
            hidden = dict(attrs).get("class") == "hidden"
            self._inside.append("hidden" if hidden else tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() in {tag, "hidden"}

    def handle_data(self, data: str) -> None:
        if "script" in self._inside:
            self.scripts.append(data)
        elif not {"style", "title", "hidden"} & set(self._inside):
            self.visible.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.visible).split())


def figures(text: str) -> set[str]:
    return set(re.findall(r"\d[\d.,]*\d|\d", re.sub(r"https?://\S+", "", text)))


@pytest.mark.parametrize(("kind", "locale"), ALL)
@pytest.mark.parametrize("make", [rich, bare])
def test_p9_every_kind_is_complete_in_every_language(kind: str, locale: str, make: Any) -> None:
    attachments = INVOICE if make is rich else ()
    message = mail(kind, locale, make(kind), shop() if make is rich else PLAIN_SHOP, attachments=attachments)
    page = Page(message.html)
    for part in (message.subject, message.text, page.text):
        assert part.strip()
        assert not re.search(r"\{\{|\{%|\[\[|\bNone\b|\bTrue\b|\bFalse\b|\(\s*\)|tag\d+tag|\bundefined\b", part)
        assert not re.search(r" [.,:;!?](\s|$)|::|\.\.", re.sub("[\u2066-\u2069\u200e\u200f]", "", part))
    assert message.locale == locale
    assert len(message.subject) <= 60
    json.loads(page.scripts[0])


@pytest.mark.parametrize(("kind", "locale"), ALL)
@pytest.mark.parametrize("make", [rich, bare])
def test_both_parts_tell_the_same_figures(kind: str, locale: str, make: Any) -> None:
    message = mail(kind, locale, make(kind))
    assert figures(message.text) == figures(Page(message.html).text)


@pytest.mark.parametrize(("kind", "locale"), ALL)
def test_both_parts_have_the_same_words_and_links(kind: str, locale: str) -> None:
    message = mail(kind, locale, rich(kind), attachments=INVOICE)

    def words(text: str) -> set[str]:
        return set(re.findall(r"[^\W\d_]{3,}", re.sub(r"https?://\S+", "", text)))

    page = Page(message.html)
    assert words(message.text) == words(page.text)
    assert set(re.findall(r"https?://\S+", message.text)) == set(page.links)


@pytest.mark.parametrize("kind", KINDS)
def test_p9_a_mail_holds_no_english_besides_what_the_shop_wrote(kind: str) -> None:
    theirs = replace(
        rich(kind, lines=(), charges=(), taxes=(), tax_total=Decimal(0), payment_method=""),
        refunds=(refund(reason="Χαλασμένο"),),
    )
    merchant = replace(PLAIN_SHOP, name="Νόβα")
    text = re.sub(r"https?://\S+", "", mail(kind, "el", theirs, merchant).text)
    typed = {"RR", "GR", "ELTA", "Eleni", "Papadaki", "Odos", "Ermou", "rd", "floor", "Athina"}
    assert set(re.findall("[A-Za-z]+", text)) <= typed


@pytest.mark.parametrize("kind", KINDS)
def test_right_to_left_mails_fence_off_every_foreign_value(kind: str) -> None:
    message = mail(kind, "ar", rich(kind))
    readable = re.sub(r"https?://\S+", "", message.text)
    for value in ("#1042", "20 نوفمبر 2026", "RR123456785GR", "Linen shirt Marina", "DE123456789"):
        assert readable.count(value) == readable.count(f"\u2068{value}\u2069"), value
    assert message.subject.count("#1042") == message.subject.count("\u2068#1042\u2069")
    assert 'dir="rtl"' in message.html
    assert 'lang="ar"' in message.html
    for text_line in message.text.splitlines():
        assert text_line == "" or text_line.startswith(("\u200f", "https://"))
        assert text_line.count("\u2068") == text_line.count("\u2069"), "fences are not torn apart by wrapping"


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "ar"])
def test_left_to_right_mails_carry_no_direction_characters(locale: str) -> None:
    message = mail("order_received", locale, rich("order_received"))
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", message.text + message.subject + message.html)


def test_an_arabic_name_in_an_english_text_is_fenced_off() -> None:
    known = rich("order_received", billing=address(first_name="نورة"))
    assert "Hello \u2068نورة\u2069," in mail("order_received", "en", known).text


def test_alignment_and_padding_are_mirrored() -> None:
    english, arabic = (mail("order_received", locale, rich("order_received")).html for locale in ("en", "ar"))
    sides = str.maketrans({"<": "left", ">": "right"})
    for style in ("text-align: <", "text-align: >", "padding-<: 14px", "padding->: 10px"):
        mirrored = style.replace("<", "?").replace(">", "<").replace("?", ">")
        assert style.translate(sides) in english
        assert english.count(style.translate(sides)) == arabic.count(mirrored.translate(sides))


def test_a_paid_order_says_so_and_names_its_invoice() -> None:
    paid = mail("order_received", "en", rich("order_received"), attachments=INVOICE)
    assert "It is paid in full: €148.80." in paid.text
    assert "Your invoice is attached" in paid.text
    open_ = mail("order_received", "en", rich("order_received", payment=PaymentState.PENDING))
    assert "Your payment of €148.80 has not reached us yet." in open_.text
    assert "attached" not in open_.text


def test_the_caller_may_keep_the_payment_for_another_mail() -> None:
    quiet = mail("order_received", "en", rich("order_received"), paid=False).text
    assert "paid" not in quiet
    assert "has not reached us" not in quiet


def test_one_of_two_parcels_names_what_is_inside_and_what_is_to_come() -> None:
    message = mail("shipped", "en", rich("shipped"))
    assert message.subject == "Parcel 1 of 2 of your order #1042 is on its way"
    inside, to_come = message.text.split("Still to come:")
    assert "In this parcel:\n- 2 × Linen shirt Marina" in inside
    assert "- 4 × Stoneware cup, blue glaze\n- 1 × Greeting card" in to_come
    assert "Expected delivery: November 24, 2026" in message.text
    assert "Track RR123456785GR:\nhttps://track.example.com/RR123456785GR" in message.text


def test_p5_a_parcel_without_a_number_says_so_and_one_with_a_number_does_not() -> None:
    assert "We have no tracking number" in mail("shipped", "en", bare("shipped")).text
    assert "We have no tracking number" not in mail("shipped", "en", rich("shipped")).text


def test_a_tracking_number_that_came_later_is_told_with_where_the_parcel_goes_and_without_the_sums() -> None:
    message = mail("tracking_added", "en", rich("tracking_added"))
    assert message.subject == "You can now track parcel 1 of 2 of your order #1042"
    for told in (
        "Track RR123456785GR:\nhttps://track.example.com/RR123456785GR",
        "Delivery address:",
        "Still to come:",
    ):
        assert told in message.text
    assert "148.80" not in message.text
    assert json.loads(Page(message.html).scripts[0])["trackingNumber"] == "RR123456785GR"


def test_p5_a_tracking_number_that_is_gone_again_is_not_told() -> None:
    with pytest.raises(Permanent, match="no tracking number"):
        mail("tracking_added", "en", record(shipments=(shipment(tracking=()),)))


def test_a_shipped_order_of_which_no_parcel_is_known_is_told_as_a_whole() -> None:
    message = mail("shipped", "en", record(), subject="")
    assert message.subject == "Your order #1042 is on its way"
    assert "We have no tracking number" in message.text


def test_a_digital_order_promises_no_parcel_and_shows_no_address() -> None:
    text = mail("order_received", "en", rich("order_received", needs_shipping=False)).text
    assert "Nothing in this order needs to be shipped." in text
    assert "Delivery address" not in text
    assert "as soon as a parcel" not in text


@pytest.mark.parametrize("kind", ["order_received", "payment_received"])
@pytest.mark.parametrize("locale", LOCALES)
def test_what_has_left_already_is_not_promised_again(kind: str, locale: str) -> None:
    sentence = {
        "en": "You will hear from us again as soon as a parcel leaves",
        "es": "Volveremos a escribirle en cuanto salga un paquete",
        "pt-BR": "Escreveremos de novo assim que um pacote sair",
        "ar": "سنكتب إليك مجددًا فور خروج أي طرد",
        "el": "Θα σας γράψουμε ξανά μόλις φύγει κάποιο δέμα",
    }[locale]
    items = tuple(ShipmentItem(one.line_id, one.quantity) for one in order_snapshot().lines)
    assert sentence in mail(kind, locale, record()).text
    assert sentence not in mail(kind, locale, record(shipments=(shipment(items=items),))).text


def test_a_refund_quotes_the_shops_reason_only_when_there_is_one() -> None:
    assert "The shop’s reason: “One cup arrived broken”" in mail("refunded", "en", rich("refunded")).text
    assert "reason" not in mail("refunded", "en", bare("refunded")).text


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("shipped", "parcel-9"),
        ("tracking_added", ""),
        ("tracking_added", "parcel-9"),
        ("delivered", ""),
        ("delivered", "parcel-9"),
        ("refunded", "refund-9"),
    ],
)
def test_a_message_about_something_unknown_calls_a_person(kind: str, subject: str) -> None:
    with pytest.raises(Permanent, match="not known"):
        mail(kind, "en", rich(kind), subject=subject)


def test_a_message_about_an_order_not_known_yet_calls_a_person() -> None:
    with pytest.raises(Permanent, match="not known yet"):
        mail("order_received", "en", record(snapshot=None))


@pytest.mark.parametrize(("kind", "locale"), ALL)
def test_p2_the_same_facts_always_give_the_same_message(kind: str, locale: str) -> None:
    assert mail(kind, locale, rich(kind)) == mail(kind, locale, rich(kind))


def test_two_hundred_lines_are_cut_and_the_total_stays() -> None:
    many = order_snapshot(lines=tuple(line(line_id=str(number), name=f"Item no {number}.") for number in range(200)))
    for locale in LOCALES:
        message = mail("order_received", locale, record(snapshot=many))
        for part in (message.text, Page(message.html).text):
            assert "Item no 29." in part
            assert "Item no 30." not in part
            assert phrases(locale).plural("and_more", 170) in part
            assert "148" in part


@pytest.mark.parametrize("locale", LOCALES)
def test_lines_of_the_text_part_are_short(locale: str) -> None:
    for kind in KINDS:
        for text_line in mail(kind, locale, rich(kind)).text.splitlines():
            assert len(text_line) <= TEXT_WIDTH + 1 or "://" in text_line


def test_a_logo_has_the_shops_name_for_who_does_not_see_it() -> None:
    message = mail("shipped", "en", rich("shipped"), shop(brand=Brand(logo_url="https://cdn.example/logo.png")))
    assert 'src="https://cdn.example/logo.png" alt="Hafen &amp; Hügel"' in message.html


def test_styles_stand_in_the_elements_and_only_media_rules_remain() -> None:
    html = mail("shipped", "en", rich("shipped")).html
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert re.findall(r"@media \(([\w-]+)", style) == ["max-width", "prefers-color-scheme"]
    assert not re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", style).strip()
    assert html.count('style="') > 40


def test_no_word_is_too_long_for_a_phone(chromium_path: Path) -> None:
    endless = "Supercalifragilistic" * 8
    known = rich(
        "shipped",
        billing=address(first_name=endless),
        shipping=address(last_name=endless, lines=(endless,), country="KW"),
        lines=(line(name=endless, details=((endless, endless),)), line(line_id="line-2", name=endless)),
        number=endless,
        payment_method=endless,
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 360, "height": 800})
        for locale in ("en", "ar"):
            page.set_content(mail("shipped", locale, known, shop(name=endless)).html)
            assert page.evaluate("document.documentElement.scrollWidth") == 360
        browser.close()


@given(st.from_regex("#[0-9a-f]{6}", fullmatch=True))
def test_text_on_the_brands_colour_can_always_be_read(colour: str) -> None:
    def luminance(code: str) -> float:
        shares = [int(code[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(colour), luminance(readable_on(colour))))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": "\"' onmouseover='x' style=\"x\"><a href=http://evil.example>",
    "liquid": "{{7*7}}{% include 'x' %}{% if %}",
    "jinja": "{{ self.__init__ }}{# x #}[[total]]tag0tag<!--tag0tag-->",
    "markdown": "**bold** [x](http://evil.example) # h",
    "header": "a\r\nBcc: victim@example.com\r\n\r\nbody",
    "controls": "a\x00\x1b[31m\x7f\u0085\u2028\u2029b",
    "direction": "\u202eevil\u2066\u2067\u200f\u061cx",
    "surrogate": "lone \ud800 \udfff",
    "long": "x" * 100_000,
    "long words": "word " * 20_000,
    "script url": "javascript:alert(1)//https://a.example",
    "comment": "]]> --> <!-- </style></script></title>",
    "entities": "&lt;b&gt; &amp; &#60;",
}


def poisoned(value: Any, payload: str) -> Any:
    """The same facts with every text a stranger could have written replaced by the payload."""
    if isinstance(value, str):
        return payload
    if isinstance(value, tuple):
        return tuple(poisoned(one, payload) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if field.name not in KEYS]
        return replace(value, **{name: poisoned(getattr(value, name), payload) for name in names})
    return value


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_stranger_typed_stays_text(kind: str, payload: str) -> None:
    known = replace(
        rich(kind), **{part: poisoned(getattr(rich(kind), part), payload) for part in ("snapshot", "refunds")}
    )
    known = replace(known, shipments=poisoned(known.shipments, payload))
    merchant = poisoned(shop(), payload)
    for locale in ("en", "ar"):
        message = mail(kind, locale, known, merchant)
        page, ordinary = Page(message.html), Page(mail(kind, locale, rich(kind)).html)
        assert page.tags.keys() <= ordinary.tags.keys()
        assert page.tags["script"] == page.tags["style"] == 1
        assert page.attributes <= ordinary.attributes
        assert not page.links
        json.loads(page.scripts[0])
        assert len(message.html) < 100_000
        assert len(message.text) < 50_000
        assert len(message.subject) <= SUBJECT_LENGTH
        for header in (message.subject, message.sender_name, message.recipient_name, message.reply_to):
            assert not any(unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} for character in header)
        (message.html + message.text + message.subject).encode("utf-8")
        ours = "\u200e\u200f\u2068\u2069" if locale == "ar" else "\u2068\u2069"
        assert not set(re.findall("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", message.text)) - set(ours)


def test_template_syntax_in_a_name_is_printed_as_it_is() -> None:
    known = rich("order_received", billing=address(first_name="{{7*7}} **x**"))
    message = mail("order_received", "en", known)
    assert "Hello {{7*7}} **x**," in message.text
    assert "Hello <bdi>{{7*7}} **x**</bdi>," in message.html


@given(st.text(alphabet=st.characters(), max_size=60), st.sampled_from(LOCALES))
def test_any_name_at_all_gives_a_well_formed_mail(name: str, locale: str) -> None:
    known = rich("order_received", billing=address(first_name=name), lines=(line(name=name, details=((name, name),)),))
    message = mail("order_received", locale, known, shop(name=name, seller=Seller(legal_name=name)))
    assert Page(message.html).tags["script"] == 1
    message.text.encode("utf-8")
