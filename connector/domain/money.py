"""Money as the platform gives it: exact decimals with their currency and their own number of places (P6)."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency. The amount keeps the places the platform wrote (`15.880` stays `15.880`)."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        """Raises ValueError when the currencies differ: there is no rate that could be guessed."""
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)
