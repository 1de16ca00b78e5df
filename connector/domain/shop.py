"""A shop: a merchant's connection to one platform, with what the customer should see of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from connector.domain.order import Address


class Voice(Enum):
    """Who speaks to the customer about a kind of event."""

    US = "us"
    PLATFORM = "platform"
    """The platform mails it; we stay silent."""
    SHADOW = "shadow"
    """Nobody has decided yet: we decide and write down what we would have sent, and send nothing."""
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Seller:
    """Who stands behind the shop, as an invoice must name them."""

    legal_name: str = ""
    address: Address = field(default_factory=Address)
    tax_id: str = ""
    registration: str = ""
    """Company register, number, court: one line of free text."""
    email: str = ""
    phone: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Brand:
    """How the shop's messages look."""

    colour: str = "#1f4e79"
    """`#rrggbb`."""
    logo_url: str = ""
    """An https address the customer's mail program loads; we never fetch it."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A connection.

    `key` is the unguessable part of its webhook address; `host` is the platform's own name for the shop.
    """

    shop_id: str
    platform: str
    key: str
    name: str
    host: str
    connected_at: datetime
    """UTC. Nothing that happened before is ever told to a customer (P4)."""
    locale: str = "en"
    timezone: str = "UTC"
    country: str = ""
    sender: str = ""
    """The address mails come from; empty: the operator's default."""
    seller: Seller = field(default_factory=Seller)
    brand: Brand = field(default_factory=Brand)
    invoice_prefix: str = ""
    voices: Mapping[str, Voice] = field(default_factory=dict)
    """Who speaks, by kind of message."""
    default_voice: Voice = Voice.US
    """For kinds nobody has decided about; a shop that is connected begins with SHADOW."""
    store_locales: tuple[tuple[str, str], ...] = ()
    """The language of each store view, by the platform's id of it."""
    ended_at: datetime | None = None
    """UTC. Since then it is connected no more: nothing is asked, and nobody is told anything."""

    def voice(self, kind: str) -> Voice:
        """Who speaks about a kind of event."""
        return self.voices.get(kind, self.default_voice)

    def is_told(self, kind: str) -> bool:
        """Whether the customer hears of a kind of event at all."""
        return self.voice(kind) in (Voice.US, Voice.PLATFORM)

    def writes(self, kind: str) -> bool:
        """Whether we write this back to the platform: only where the merchant switched it on."""
        return self.voices.get(kind) is Voice.US and self.ended_at is None

    def speaks(self, kind: str) -> bool:
        """Whether we do."""
        return self.voice(kind) is Voice.US and self.ended_at is None
