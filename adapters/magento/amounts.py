"""How Magento's amounts are read: what is absent was not charged, and rounded sums may be a little apart."""

from decimal import Decimal

from adapters.reading import Reader

CLOSE = Decimal("0.02")
"""How far two sums of rounded amounts may be apart and still mean the same."""

NOTHING = Decimal(0)


def amount_or_zero(document: Reader, path: str) -> Decimal:
    """The amount with the places that were written; 0 when it is absent or null."""
    return document.amount_if_any(path) or NOTHING


def is_close(one: Decimal, other: Decimal) -> bool:
    """Whether two sums mean the same, give or take rounding."""
    return abs(one - other) <= CLOSE
