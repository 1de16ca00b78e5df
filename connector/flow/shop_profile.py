"""What a look at a shop tells about it, taken over where the merchant has said nothing."""

from dataclasses import fields, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.domain.connection import Findings
from connector.domain.order import Address
from connector.domain.shop import Seller, Shop

_NOT_SAID = Shop.__dataclass_fields__


def filled(shop: Shop, findings: Findings) -> Shop:
    """The shop with its empty fields filled; what cannot be used is left out. A new shop's name is its host, its
    language English and its zone UTC until somebody says more."""
    return replace(
        shop,
        name=findings.name if findings.name and shop.name == shop.host else shop.name,
        locale=findings.locale if findings.locale and shop.locale == _NOT_SAID["locale"].default else shop.locale,
        timezone=_zone(shop.timezone, findings.timezone),
        country=shop.country or _country(findings.country),
        store_locales=findings.store_locales or shop.store_locales,
        seller=_seller(shop.seller, findings.seller) if findings.seller else shop.seller,
    )


def with_views(shop: Shop, findings: Findings) -> Shop:
    """The shop with the languages of its store views as they are now: what only the platform can know."""
    return replace(shop, store_locales=findings.store_locales or shop.store_locales)


def _seller(known: Seller, found: Seller) -> Seller:
    """Field by field; an address is taken whole or not at all."""
    changes = {
        field.name: getattr(found, field.name)
        for field in fields(Seller)
        if field.name != "address" and not getattr(known, field.name)
    }
    return replace(known, address=found.address if known.address == Address() else known.address, **changes)


def _zone(known: str, found: str) -> str:
    if known != _NOT_SAID["timezone"].default or not found:
        return known
    try:
        ZoneInfo(found)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return known
    return found


def _country(found: str) -> str:
    return found.upper() if len(found) == 2 and found.isascii() and found.isalpha() else ""
