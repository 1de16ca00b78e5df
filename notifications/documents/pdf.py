"""From an invoice to its PDF: typst with our template and fonts, and nothing else within its reach."""

import json
import threading
from functools import cache
from pathlib import Path

import typst

from notifications.documents.glyphs import FONTS
from notifications.documents.model import Invoice
from notifications.documents.page import page_content

_TEMPLATES = Path(__file__).parent / "templates"
_one_at_a_time = threading.Lock()
"""Two compilers side by side take each other's cached work away and are slower than one after the other (measured)."""


def render_pdf(invoice: Invoice) -> bytes:
    """The invoice as PDF/A-3a and PDF/UA-1, tagged, with its fonts inside.

    The same invoice always gives the same bytes: the moment in the file is `issued_at`. Data goes in as JSON, never as
    markup; reading is confined to the templates folder. Raises TooLargeForDocument and LanguageNotPrinted.
    """
    content = {**page_content(invoice), "fonts": _families()}
    with _one_at_a_time:
        pdf = _compiler().compile(
            format="pdf",
            sys_inputs={"data": json.dumps(content, ensure_ascii=False)},
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(invoice.issued_at.timestamp()),
        )
    if not isinstance(pdf, bytes):
        raise TypeError(f"typst answered {type(pdf).__name__} instead of one PDF")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


@cache
def _families() -> list[str]:
    """Letters come from the first family that has them: Noto Sans leads, what else lies in the folder helps out."""
    return sorted(_fonts().families())


@cache
def _compiler() -> typst.Compiler:
    """Kept, because it keeps the template read."""
    return typst.Compiler(_TEMPLATES / "invoice.typ", root=_TEMPLATES, font_paths=_fonts(), ignore_system_fonts=True)
