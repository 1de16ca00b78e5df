"""A shop entered by hand: until it is connected through its platform, this is how its webhooks are let in."""

import secrets as random_text
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.domain.errors import WrongSetting
from connector.domain.order import Address
from connector.domain.shop import Brand, Seller, Shop
from connector.domain.signing import Secrets
from notifications.documents.build import missing_seller_data

OPTIONS = {
    "locale": "language of customers the order says nothing about (default: en)",
    "timezone": "such as Europe/Athens (default: UTC)",
    "country": "two letters",
    "sender": "address mails come from (default: CONNECTOR_MAIL_FROM)",
    "colour": "of the mails, as #rrggbb",
    "invoice-prefix": "stands before invoice numbers",
    "seller-name": "legal name on invoices",
    "seller-street": "street and number",
    "seller-postcode": "postcode",
    "seller-city": "city",
    "seller-country": "two letters",
    "seller-tax-id": "tax number",
    "seller-email": "for questions; shown to customers",
}


def new_shop(
    platform: str, host: str, name: str, given_secrets: list[str], options: Mapping[str, str], now: datetime
) -> tuple[Shop, Secrets]:
    """A shop with an unguessable webhook key, and its secrets.

    Raises WrongSetting for an option that cannot be used.
    """
    _check(options)
    address = Address(
        lines=(options["seller-street"],) if options["seller-street"] else (),
        city=options["seller-city"],
        postcode=options["seller-postcode"],
        country=options["seller-country"].upper() or options["country"].upper(),
    )
    shop = Shop(
        shop_id=random_text.token_hex(8),
        platform=platform,
        key=random_text.token_urlsafe(24),
        name=name,
        host=host,
        connected_at=now,
        locale=options["locale"] or "en",
        timezone=options["timezone"] or "UTC",
        country=options["country"].upper(),
        sender=options["sender"],
        seller=Seller(
            legal_name=options["seller-name"],
            address=address,
            tax_id=options["seller-tax-id"],
            email=options["seller-email"],
        ),
        brand=Brand(colour=options["colour"]) if options["colour"] else Brand(),
        invoice_prefix=options["invoice-prefix"],
    )
    return shop, Secrets(tuple(given_secrets) or (random_text.token_urlsafe(32),))


def changed(shop: Shop, name: str, options: Mapping[str, str]) -> Shop:
    """The shop with what is given; an option left empty stays as it is. Raises WrongSetting."""
    _check(options)
    given = {option: value for option, value in options.items() if value}
    address = shop.seller.address
    seller = replace(
        shop.seller,
        legal_name=given.get("seller-name", shop.seller.legal_name),
        tax_id=given.get("seller-tax-id", shop.seller.tax_id),
        email=given.get("seller-email", shop.seller.email),
        address=replace(
            address,
            lines=(given["seller-street"],) if "seller-street" in given else address.lines,
            city=given.get("seller-city", address.city),
            postcode=given.get("seller-postcode", address.postcode),
            country=given.get("seller-country", address.country).upper(),
        ),
    )
    return replace(
        shop,
        name=name or shop.name,
        locale=given.get("locale", shop.locale),
        timezone=given.get("timezone", shop.timezone),
        country=given.get("country", shop.country).upper(),
        sender=given.get("sender", shop.sender),
        seller=seller,
        brand=replace(shop.brand, colour=given.get("colour", shop.brand.colour)),
        invoice_prefix=given.get("invoice-prefix", shop.invoice_prefix),
    )


def advice(shop: Shop) -> list[str]:
    """What is still missing, in sentences."""
    missing = missing_seller_data(shop.seller)
    if not missing:
        return []
    return [f"no invoices can be made until the seller's data is complete; missing: {', '.join(missing)}"]


def _check(options: Mapping[str, str]) -> None:
    for option in ("country", "seller-country"):
        if options[option] and not (len(options[option]) == 2 and options[option].isalpha()):
            raise WrongSetting(f"--{option}: accepted are two letters, such as GR")
    colour = options["colour"]
    if colour and not (
        len(colour) == 7 and colour[0] == "#" and all(one in "0123456789abcdefABCDEF" for one in colour[1:])
    ):
        raise WrongSetting("--colour: accepted is #rrggbb, such as #1f4e79")
    try:
        ZoneInfo(options["timezone"] or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise WrongSetting("--timezone: accepted is a name such as Europe/Athens") from error
