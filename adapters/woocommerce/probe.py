"""What a WooCommerce shop is and can do (reference, sections 2, 5 and 7)."""

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from adapters.contract import Store
from adapters.http import Answer, Failed
from adapters.reading import Reader
from adapters.woocommerce.client import (
    API,
    GONE,
    QUERY,
    SIGNATURE,
    Client,
    Refused,
    client_of,
    document_of,
    documents_of,
    order_path,
    prove_writing,
)
from adapters.woocommerce.mails import read_mails
from adapters.woocommerce.site import read_about
from connector.domain.connection import Findings
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Address
from connector.domain.shop import Seller

_TRACKINGS = ("wc-shipment-tracking/v3", "wc-ast/v3")
"""Where tracking plugins listen; Advanced Shipment Tracking does at both."""
_STATUS = {
    "_fields": "environment.version,environment.language,environment.wp_cron,"
    "settings.currency,settings.number_of_decimals,settings.HPOS_enabled"
}
"""Part by part: for all of `environment` WooCommerce tries two connections to the internet first, of 10 s and 5 s
(class-wc-rest-system-status-v2-controller.php, get_environment_info_per_fields)."""
_SETTINGS = {"_fields": "id,value"}
_VERSION = re.compile(r"\d{1,3}(\.\d{1,4}){0,3}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,10}){0,3}", re.ASCII)
_REFUNDS_SINCE = 9
_LONGEST = 500
_STATUS_SECONDS = 60.0
"""The status page looks through the whole shop."""
_ROLE = "let an Administrator or Shop manager connect the shop again"


def probe(store: Store) -> Findings:
    """See `adapters.contract.Api.probe`. Raises Retryable, and Permanent for keys that are refused."""
    client, missing = client_of(store), list[str]()
    about = read_about(store.web, client.root)
    orders = _orders(client, missing)
    try:
        prove_writing(client)
    except Refused as refused:
        missing.append(f"subscribing and writing back do not work: {refused}")
    unread = f"system status may not be read: version and features are unknown; {_ROLE}"
    status = _seen(client, f"{API}/system_status", _STATUS, missing, unread)
    unread = f"settings may not be read: address, country and WooCommerce's own mails are unknown; {_ROLE}"
    general = _seen(client, f"{API}/settings/general", _SETTINGS, missing, unread)
    shop = _Shop(client, about, document_of(status) if status else Reader({}), _by_id(general))
    return _findings(shop, fulfillments=_has_fulfillments(client, orders), missing=tuple(missing))


@dataclass(frozen=True, slots=True)
class _Shop:
    """What was read; empty where it may not be read."""

    client: Client
    about: Reader
    status: Reader
    general: Reader


def _findings(shop: _Shop, *, fulfillments: bool, missing: tuple[str, ...]) -> Findings:
    version = _formed(_VERSION, shop.status, "environment.version")
    timezone = _timezone(shop.about)
    trackings = next((name for name in _TRACKINGS if name in _listed(shop.about)), "")
    country, _, region = _words(shop.general, "woocommerce_default_country").partition(":")
    features = {
        "fulfillments": _yes(fulfillments),
        "trackings": trackings,
        "hpos": _yes(_flag(shop.status, "settings.HPOS_enabled")),
        "refunds": _yes(bool(version) and int(version.partition(".")[0]) >= _REFUNDS_SINCE),
        "timezone": timezone,
        "decimals": _words(shop.status, "settings.number_of_decimals"),
    }
    speaks = read_mails(shop.client, fulfillments=fulfillments)
    if trackings:
        speaks.pop("tracking_added", None)  # whether the plugin mails is its own secret
    country = country if _COUNTRY.fullmatch(country) else ""
    return Findings(
        name=html.unescape(_words(shop.about, "name")),
        version=version,
        currency=_formed(_CURRENCY, shop.status, "settings.currency"),
        locale=_formed(_LOCALE, shop.status, "environment.language"),
        timezone=timezone,
        country=country,
        seller=_seller(shop, country, region),
        features=features,
        platform_speaks=speaks,
        missing_rights=missing,
        notes=tuple(_notes(shop, timezone)),
    )


def _orders(client: Client, missing: list[str]) -> list[Reader]:
    """One order's id, if there is one. A key that is not known is refused with 401, a missing right with 403."""
    try:
        return documents_of(client.get(f"{API}/orders", {"per_page": "1", "status": "any", "_fields": "id"}))
    except Refused as refused:
        if refused.status != 403 or not refused.code:
            raise
        missing.append(f"orders may not be read, so nothing works; {_ROLE}")
        return []


def _has_fulfillments(client: Client, orders: list[Reader]) -> bool:
    """Whether that route is there: switched off it is as unknown as in an older version (reference, section 5.1).

    In a shop without orders an impossible one is asked about, and the answer tells which of the two is missing.
    """
    order_id = orders[0].text("id") if orders else "0"
    try:
        client.get(f"{order_path(order_id)}/fulfillments")
    except Refused as refused:
        return refused.code in GONE
    except Failed:
        return False
    return True


def _seen(client: Client, path: str, query: Mapping[str, str], missing: list[str], unread: str) -> Answer | None:
    """What is asked for; None where the key's user may not see it, which `unread` says, or where the shop breaks over
    it, which no right would change."""
    try:
        return client.get(path, query, read_seconds=_STATUS_SECONDS)
    except Refused:
        missing.append(unread)
    except Failed:
        pass
    return None


def _by_id(answer: Answer | None) -> Reader:
    settings = documents_of(answer) if answer else []
    return Reader({_words(one, "id"): one.value("value") for one in settings})


def _seller(shop: _Shop, country: str, region: str) -> Seller:
    """Where the shop is, as set in WooCommerce > Settings > General; it does not know who owns it."""
    lines = (_words(shop.general, f"woocommerce_store_address{part}") for part in ("", "_2"))
    address = Address(
        lines=tuple(line for line in lines if line),
        city=_words(shop.general, "woocommerce_store_city"),
        postcode=_words(shop.general, "woocommerce_store_postcode"),
        region="" if region == "*" else region,
        country=country,
    )
    home = _words(shop.about, "home")
    return Seller(address=address, website=home if home.startswith("https://") else "")


def _timezone(about: Reader) -> str:
    """An IANA name; a shop can instead have a fixed distance to UTC, of which whole hours have a name too."""
    name = _words(about, "timezone_string")
    with suppress(ValueError, OSError, KeyError):
        return ZoneInfo(name).key
    try:
        hours = about.amount_if_any("gmt_offset")
    except UnreadableDelivery:
        return ""
    if hours is None or hours != int(hours) or not -12 <= hours <= 14:
        return ""
    return "UTC" if hours == 0 else f"Etc/GMT{-int(hours):+d}"


def _notes(shop: _Shop, timezone: str) -> Iterator[str]:
    if shop.client.way == QUERY:
        yield (
            "The shop's server takes away the header keys travel in, so they stand in the address of each call and in "
            "its access log; ask the host to pass the Authorization header on."
        )
    if not shop.client.root.startswith("https://"):
        yield "The shop is asked by http://, so whoever is on the way reads customers' data: only for trying it out."
    elif shop.client.way == SIGNATURE:
        yield (
            "WordPress does not know that it is reached by https, so calls are signed instead; let the proxy send "
            "X-Forwarded-Proto and let WordPress heed it."
        )
    if shop.status.value("environment.wp_cron") is False:
        yield (
            "WordPress' own clock is off (DISABLE_WP_CRON): webhooks wait until the server's cron calls wp-cron.php, "
            "which should be every minute."
        )
    if not timezone:
        yield "The shop's time zone has no name that is known; set a city in WordPress > Settings > General."


def _words(document: Reader, path: str) -> str:
    """A setting as text; a plugin may have made anything of it, and then it is as good as not there."""
    try:
        return document.text(path).strip()[:_LONGEST]
    except UnreadableDelivery:
        return ""


def _formed(form: re.Pattern[str], document: Reader, path: str) -> str:
    words = _words(document, path)
    return words if form.fullmatch(words) else ""


def _flag(document: Reader, path: str) -> bool:
    try:
        return document.flag(path)
    except UnreadableDelivery:
        return False


def _listed(about: Reader) -> list[object]:
    names = about.value("namespaces")
    return names if isinstance(names, list) else []


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
