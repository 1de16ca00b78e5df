"""What a stranger typed, made fit to be printed: one line of bounded length in letters the bundled fonts have."""

import unicodedata
from collections.abc import Iterator

from notifications.documents.glyphs import alphabets
from notifications.formatting import clean

LONGEST = 500
"""Characters of one text; what is longer ends in an ellipsis."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_MOST_MARKS = 4
"""Marks on one letter; a tower of them would cover the lines above."""


def printable(text: str, longest: int = LONGEST) -> str:
    """The text as `clean` leaves it, with U+FFFD for letters that no bundled font has, and without such marks."""
    return "".join(_shown(unicodedata.normalize("NFC", clean(text, longest))))


def unprintable(text: str) -> bool:
    """Whether `printable` has to put replacement signs into this text."""
    return REPLACEMENT in printable(text)


def showable(text: str) -> bool:
    """Whether the bundled fonts have all of this text of ours, direction marks and all."""
    return "".join(_shown(text)) == text


def _shown(text: str) -> Iterator[str]:
    """Letter by letter with what sits on it: a sign and its marks have to come from one font."""
    fonts = alphabets()
    marks = 0
    for character in text:
        if unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}:
            able = tuple(font for font in fonts if ord(character) in font)
            marks += 1
            if able and marks <= _MOST_MARKS:
                fonts = able
                yield character
        else:
            shown = character if any(ord(character) in font for font in alphabets()) else REPLACEMENT
            fonts = tuple(font for font in alphabets() if ord(shown) in font)
            marks = 0
            yield shown
