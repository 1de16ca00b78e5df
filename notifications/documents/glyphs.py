"""Which characters the bundled fonts can show, read from the fonts themselves."""

import struct
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
_SEGMENTS = 4
"""The format of the character map that every font has."""


@cache
def alphabets() -> tuple[frozenset[int], ...]:
    """The code points of each bundled family, in the order of the file names; what only one weight has is left out."""
    weights: dict[str, list[frozenset[int]]] = {}
    for font in sorted(FONTS.glob("*.ttf")):
        family = font.stem.partition("-")[0]
        weights.setdefault(family, []).append(frozenset(_code_points(font.read_bytes())))
    return tuple(frozenset.intersection(*sets) for sets in weights.values())


def _code_points(font: bytes) -> Iterator[int]:
    """The characters below U+10000 that a TrueType font has (OpenType specification, table cmap, format 4)."""
    cmap = _table(font, b"cmap")
    count = struct.unpack_from(">H", cmap, 2)[0]
    starts = {struct.unpack_from(">HHI", cmap, 4 + 8 * index)[2] for index in range(count)}
    maps = (cmap[start:] for start in starts if struct.unpack_from(">H", cmap, start)[0] == _SEGMENTS)
    return chain.from_iterable(_characters(segments) for segments in maps)


def _table(font: bytes, name: bytes) -> bytes:
    count = struct.unpack_from(">H", font, 4)[0]
    for index in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", font, 12 + 16 * index)
        if tag == name:
            return font[offset : offset + length]
    raise ValueError(f"the font has no table {name!r}")


def _characters(table: bytes) -> Iterator[int]:
    doubled = struct.unpack_from(">H", table, 6)[0]
    ends = struct.unpack_from(f">{doubled // 2}H", table, 14)
    starts = struct.unpack_from(f">{doubled // 2}H", table, 16 + doubled)
    deltas = struct.unpack_from(f">{doubled // 2}H", table, 16 + 2 * doubled)
    for index, (first, last, delta) in enumerate(zip(starts, ends, deltas, strict=True)):
        at = 16 + 3 * doubled + 2 * index
        offset = struct.unpack_from(">H", table, at)[0]
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = struct.unpack_from(">H", table, at + offset + 2 * (code - first))[0] if offset else code + delta
            if glyph & 0xFFFF:
                yield code
