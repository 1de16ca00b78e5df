"""Tracking numbers as a twin takes them: paired by position, with an address for carriers Shopify knows."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from adapters.shopify.twin_state import Tracking

CARRIERS: Mapping[str, str] = {
    "UPS": "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums={}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "DHL Express": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "DHL eCommerce": "https://webtrack.dhlglobalmail.com/?trackingnumber={}",
    "DPD": "https://tracking.dpd.de/status/en_US/parcel/{}",
    "Correos": "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={}",
}
"""Names for which Shopify makes the address itself, as it spells them; others stay without one."""


def tracking(info: Mapping[str, Any]) -> tuple[Tracking, ...]:
    """Numbers and addresses pair by position (shopify reference, section 3.2)."""
    numbers: Sequence[str] = info.get("numbers") or ([info["number"]] if info.get("number") else [])
    urls: Sequence[str] = info.get("urls") or ([info["url"]] if info.get("url") else [])
    company = info.get("company")
    count = max(len(numbers), len(urls), 1 if company else 0)
    return tuple(
        tracked(numbers[place] if place < len(numbers) else None, company, urls[place] if place < len(urls) else None)
        for place in range(count)
    )


def tracked(number: str | None, company: str | None, url: str | None) -> Tracking:
    """A number, with the address Shopify makes for carriers it knows."""
    known = CARRIERS.get(company or "")
    return Tracking(number, company, url or (known.format(quote(number)) if known and number else None))
