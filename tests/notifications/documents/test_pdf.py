"""The PDF says what the invoice says, in every language, for any order, and always in the same bytes."""

import hashlib
import io
import random
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pypdf
import pytest

from connector.domain.order import Charge, OrderSnapshot, Tax
from connector.domain.shop import Shop
from notifications.documents.build import build_invoice
from notifications.documents.glyphs import alphabets
from notifications.documents.labels import LABELS
from notifications.documents.model import Invoice
from notifications.documents.page import MOST_ROWS, TooLargeForDocument, page_content
from notifications.documents.pdf import render_pdf
from notifications.documents.printable import LONGEST, REPLACEMENT, printable
from tests.builders import address, line, order_snapshot, record, seller, shop

Matrix = list[float]
ISSUED = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
HOSTILE = (
    '\0\x1b[31m\u202egnp.exe\u2066\ud800 #import "@preview/x:1.0.0": * $x$ *b* [=] \\ <a> '
    "日本\U0001f600\U0001f468\u200d\U0001f469 e\u0301\u0335 ب\u0335\u200d"
)


def invoice_of(snapshot: OrderSnapshot | None = None, *, locale: str = "en", at: Shop | None = None) -> Invoice:
    known = record(snapshot=snapshot or order_snapshot())
    return build_invoice(known, at or shop(), number="R-2026-0042", issued_at=ISSUED, locale=locale)


def pages(pdf: bytes) -> list[str]:
    """The text of each page, with every white space as one space."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def starts(pdf: bytes) -> dict[str, float]:
    """How far from the left each piece of text on the first page begins, in points."""
    seen: dict[str, float] = {}

    def visit(text: str, page: Matrix, place: Matrix, _font: object, _size: float) -> None:
        seen.setdefault(text.strip(), page[4] + place[4])

    pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    return seen


def test_the_same_invoice_gives_the_same_bytes_in_any_process() -> None:
    """P7: documents never change."""
    program = (
        "import hashlib; from tests.notifications.documents.test_pdf import *;"
        "print(hashlib.sha256(render_pdf(invoice_of(locale='ar'))).hexdigest())"
    )
    here = hashlib.sha256(render_pdf(invoice_of(locale="ar"))).hexdigest()
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_a_later_invoice_has_other_bytes() -> None:
    invoice = invoice_of()
    assert render_pdf(replace(invoice, number="R-2026-0043")) != render_pdf(invoice)


@pytest.mark.parametrize(
    ("locale", "figures"),
    [
        ("en", ["November 22, 2026", "49.00", "-10.00", "19%", "142.90", "125.05", "23.75", "€148.80"]),
        ("es", ["22 de noviembre de 2026", "49,00", "-10,00", "142,90", "125,05", "23,75", "148,80 €"]),
        ("pt-BR", ["22 de novembro de 2026", "49,00", "-10,00", "142,90", "125,05", "23,75", "€ 148,80"]),
        ("el", ["22 Νοεμβρίου 2026", "49,00", "-10,00", "142,90", "125,05", "23,75", "148,80 €"]),
        ("ar", ["49.00", "142.90", "125.05", "23.75", "148.80"]),
    ],
)
def test_every_language_says_every_figure(locale: str, figures: list[str]) -> None:
    (page,) = pages(render_pdf(invoice_of(locale=locale)))
    for text in ("R-2026-0042", "#1042", "DE123456789", "LIN-M-SAND", "Linen shirt Marina", *figures):
        assert text in page
    if locale != "ar":
        labels = LABELS[locale]
        for label in (labels.invoice, labels.total, labels.buyer, labels.page.format(page=1, pages=1)):
            assert label in page


def test_arabic_reads_in_its_order_with_latin_digits() -> None:
    (page,) = pages(render_pdf(invoice_of(locale="ar")))
    for word in ("فاتورة", "الإجمالي", "نوفمبر"):
        assert word in page
    assert not any("٠" <= character <= "٩" for character in page)


@pytest.mark.parametrize(("locale", "mirrored"), [("en", False), ("ar", True)])
def test_right_to_left_languages_have_a_mirrored_table(locale: str, mirrored: bool) -> None:
    seen = starts(render_pdf(invoice_of(locale=locale)))
    assert (seen["Linen shirt Marina"] > seen["49.00"] > seen["88.00"]) is mirrored
    assert (seen["Linen shirt Marina"] < seen["49.00"] < seen["88.00"]) is not mirrored


@pytest.mark.parametrize("locale", LABELS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_ordinary_street_stands_in_one_line_and_so_does_a_long_date(locale: str, elsewhere: bool) -> None:
    home = address(first_name="María del Carmen", lines=("Avenida de la Constitución 18",), country="ES")
    order = order_snapshot(
        billing=home,
        shipping=address() if elsewhere else home,
        placed_at=datetime(2026, 9, 20, 12, tzinfo=UTC),
        payment_method="Bank transfer",
    )
    invoice = invoice_of(order, locale=locale)
    lines = pypdf.PdfReader(io.BytesIO(render_pdf(invoice))).pages[0].extract_text().splitlines()
    (ordered_on,) = [words for label, words in page_content(invoice)["facts"] if label == LABELS[locale].ordered_on]
    assert any("Avenida de la Constitución 18" in one for one in lines)
    if locale != "ar":
        assert any(" ".join(ordered_on.split()) in " ".join(one.split()) for one in lines)


def test_the_platforms_own_places_are_kept_whatever_the_currency() -> None:
    """P6; woocommerce reference, quirk 15."""
    dinars = order_snapshot(currency="KWD", total=Decimal("15.880"), lines=(line(total=Decimal("15.880")),))
    yen = order_snapshot(currency="JPY", total=Decimal(4510), lines=(line(total=Decimal(4510)),))
    assert "KWD 15.880" in pages(render_pdf(invoice_of(dinars)))[0]
    assert "¥4,510" in pages(render_pdf(invoice_of(yen)))[0]
    assert "4,510.00" not in pages(render_pdf(invoice_of(yen)))[0]


def test_prices_before_tax_lead_to_the_total_through_the_tax() -> None:
    exclusive = order_snapshot(prices_include_tax=False, total=Decimal("172.55"))
    (page,) = pages(render_pdf(invoice_of(exclusive)))
    assert "before tax" in page
    assert "Subtotal €142.90 Shipping: Standard €5.90 Tax €23.75 Total €172.55" in page


def test_a_long_order_repeats_its_header_counts_its_pages_and_keeps_its_sums_together() -> None:
    many = tuple(line(line_id=str(number), name=f"Cup number {number}.") for number in range(120))
    texts = pages(render_pdf(invoice_of(order_snapshot(lines=many))))
    assert len(texts) > 3
    whole = " ".join(texts)
    assert all(f"Cup number {number}." in whole for number in range(120))
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
        assert "Unit price" in text or "Cup number" not in text
    (last,) = [text for text in texts if "Subtotal" in text]
    assert "Total €148.80" in last


def test_the_file_is_an_archivable_accessible_pdf_with_title_language_and_fonts() -> None:
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(invoice_of(locale="pt-BR"))))
    assert reader.metadata is not None
    assert reader.metadata.title == "Fatura R-2026-0042"
    assert reader.metadata.creation_date == ISSUED
    assert str(reader.root_object["/Lang"]) == "pt-BR"
    assert str(reader.root_object["/MarkInfo"]) == "{'/Marked': True, '/Suspects': False}"
    assert reader.xmp_metadata is not None
    metadata = reader.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in "".join(metadata.split())
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_what_a_stranger_typed_is_never_markup_and_never_breaks_the_page() -> None:
    hostile = line(name=HOSTILE, sku=HOSTILE, details=((HOSTILE, HOSTILE),), taxes=(Tax(HOSTILE, Decimal("14.05")),))
    order = order_snapshot(
        number=HOSTILE,
        currency=HOSTILE[:20],
        billing=address(first_name=HOSTILE, lines=(HOSTILE,) * 9, country=HOSTILE),
        lines=(hostile,),
        charges=(Charge(HOSTILE, HOSTILE, Decimal(-1), Decimal(0)),),
        taxes=(Tax(HOSTILE, Decimal("14.05")),),
        payment_method=HOSTILE,
        customer_note=HOSTILE * 50,
        customer_tax_id=HOSTILE,
        purchase_number=HOSTILE,
    )
    odd = shop(seller=seller(legal_name=HOSTILE, registration=HOSTILE, tax_id=HOSTILE, website=HOSTILE))
    for locale in LABELS:
        whole = " ".join(pages(render_pdf(invoice_of(order, locale=locale, at=odd))))
        assert '#import "@preview/x:1.0.0": * $x$ *b* [=]' in whole
        assert "\u202e" not in whole


def test_any_characters_can_be_rendered() -> None:
    dice = random.Random(42)
    known = sorted(set().union(*alphabets()))
    blocks = [known, range(0x20), range(0x300, 0x370), range(0x600, 0x700), range(0x2000, 0x2070), range(0x110000)]
    junk = ["".join(chr(dice.choice(dice.choice(blocks))) for _ in range(60)) for _ in range(60)]
    lines = tuple(line(name=text, sku=text[:20], details=((text[:5], text),)) for text in junk)
    for locale in ("en", "ar"):
        assert pages(render_pdf(invoice_of(order_snapshot(lines=lines), locale=locale)))


def test_every_letter_the_fonts_claim_to_have_can_be_rendered() -> None:
    """Read wrongly, a character map would let PDF/A refuse a letter."""
    letters = [chr(code) for code in sorted(set().union(*alphabets()))]
    texts = [" ".join(letters[start : start + 100]) for start in range(0, len(letters), 100)]
    assert len(letters) > 3000
    assert render_pdf(invoice_of(order_snapshot(lines=tuple(line(name=text) for text in texts))))


@pytest.mark.parametrize(
    "typed", ["\u2031\u06ed0", "\u060c\u0363\u203c\u06df", "\u06f5日\u08ed", "\u0335\u08d5\u2048\u06f5"]
)
def test_a_mark_that_its_signs_font_does_not_have_is_left_out(typed: str) -> None:
    assert render_pdf(invoice_of(order_snapshot(lines=(line(name=typed),))))


def test_letters_without_a_glyph_show_as_a_replacement_sign() -> None:
    assert printable("花 Hanako Ελένη محمد Ø") == f"{REPLACEMENT} Hanako Ελένη محمد Ø"


def test_long_words_break_inside_their_column() -> None:
    order = order_snapshot(lines=(line(name="W" * LONGEST, sku="8" * 90),), number="N" * 80, payment_method="P" * 90)
    for locale in ("en", "ar"):
        (page,) = pages(render_pdf(invoice_of(order, locale=locale)))
        words = page.replace("\u200b", "").split()
        assert sum(len(word) for word in words if set(word) == {"W"}) == LONGEST
        assert max(len(word) for word in words) < 60


def test_an_order_that_no_page_can_hold_is_refused_and_a_huge_one_is_cut() -> None:
    with pytest.raises(TooLargeForDocument, match="2003 lines"):
        render_pdf(invoice_of(order_snapshot(lines=(line(),) * (MOST_ROWS + 1))))
    talkative = line(name="x" * 400, details=(("Text", "words " * 100),) * 50)
    content = page_content(invoice_of(order_snapshot(lines=(talkative,) * 500)))
    assert sum(len(row["name"]) + sum(map(len, row["below"])) for row in content["rows"]) < 250_000
    assert content["rows"][0]["below"][-1].endswith("…")


def test_several_threads_may_render_at_once() -> None:
    invoices = [replace(invoice_of(), number=f"R-{number}") for number in range(8)]
    alone = [render_pdf(invoice) for invoice in invoices]
    together: dict[int, bytes] = {}

    def render(number: int) -> None:
        together[number] = render_pdf(invoices[number])

    threads = [threading.Thread(target=render, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(8)] == alone
