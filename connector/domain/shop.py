"""A shop: a merchant's connection to one platform, with what the customer should see of it."""

from dataclasses import dataclass, field
from datetime import datetime

from connector.domain.order import Address


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
    silent_kinds: frozenset[str] = frozenset()
    """Kinds of message this shop does not want from us."""
    store_locales: tuple[tuple[str, str], ...] = ()
    """The language of each store view, by the platform's id of it."""
