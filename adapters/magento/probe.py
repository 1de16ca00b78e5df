"""A look at a shop: who it is, what it can do, and which rights are missing."""

import re
from collections.abc import Iterable

from adapters.contract import Store
from adapters.http import Request
from adapters.magento.authorization import is_bearer
from adapters.magento.client import AGENT, PAGE_SIZE, read, search_within_limit
from adapters.magento.criteria import Filter, query
from adapters.magento.refusals import REAUTHORIZE, MissingRight, NoSuchRoute
from adapters.magento.rights import OPTIONAL, missing_rights
from adapters.magento.subscriptions import WITHOUT_EVENTS, WITHOUT_MODULE
from adapters.reading import Reader
from connector.domain.connection import Findings
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

RIGHT_OF_ROUTE = {
    "orders": "Magento_Sales::actions_view",
    "shipments": "Magento_Sales::shipment",
    "invoices": "Magento_Sales::sales_invoice",
    "creditmemos": "Magento_Sales::sales_creditmemo",
}
"""Which right lets one read what; used where a refusal does not name it."""
STORES = "store/storeConfigs"
BEARER = (
    "A token alone works from Magento 2.4.4 on, and only where the shop allows it: Stores > Configuration > Services > "
    "OAuth > Consumer Settings > Allow OAuth Access Tokens to be used as standalone Bearer tokens: Yes"
)
OWN_MAILS = (
    "Magento does not tell through its API which mails it sends itself: look under Stores > Configuration > Sales > "
    "Sales Emails before you let two voices speak about the same"
)

_VERSION = re.compile(r"([\w.-]{1,30})/(\d[\w.-]{0,30}) \(([\w ]{1,40})\)", re.ASCII)
_STOCK_NAMES = frozenset({"Main Website", "Admin", ""})


def probe(store: Store) -> Findings:
    """What the shop tells in about ten calls. Raises Permanent when it lets us do nothing at all."""
    missing: dict[str, None] = {}
    allowed = [route for route, right in RIGHT_OF_ROUTE.items() if _may(store, route, right, missing)]
    stores = _list(store, STORES, "Magento_Backend::store", missing)
    if not allowed and stores is None:
        raise nobody(store)
    websites = _list(store, "store/websites", "Magento_Backend::store", missing)
    features = {"page_size": str(_page_size(store, allowed[0]) if allowed else PAGE_SIZE), **_modules(store, missing)}
    default = _default(stores or [])
    return Findings(
        name=_name(websites or []),
        version=_version(store),
        currency=default.text("default_display_currency_code") or default.text("base_currency_code"),
        locale=default.text("locale"),
        timezone=default.text("timezone"),
        store_locales=tuple((one.text("id"), one.text("locale")) for one in stores or [] if one.text("locale")),
        features=features,
        missing_rights=missing_rights(missing.keys() - OPTIONAL),
        notes=(*missing_rights(missing.keys() & OPTIONAL), *_notes(features)),
    )


def lets_us_in(store: Store) -> None:
    """Raises Permanent unless the shop lets us read at least one thing with these very credentials.

    A missing right is no refused credential; but where all is refused, Magento took us for a guest.
    """
    for route in (*RIGHT_OF_ROUTE, STORES):
        try:
            read(store, route, _one() if route in RIGHT_OF_ROUTE else "")
        except MissingRight:
            continue
        return
    raise nobody(store)


def nobody(store: Store) -> Permanent:
    """The error for credentials that may do nothing."""
    if is_bearer(store.access.credentials.values):
        return Permanent(f"{store.access.host} does not accept the access token. {BEARER}. Or give all four secrets")
    return Permanent(
        f"{store.access.host} lets us do nothing: the integration is not active, or no right is ticked on its API tab. "
        f"{REAUTHORIZE}"
    )


def _one() -> str:
    return query(size=1, fields="total_count")


def _may(store: Store, route: str, right: str, missing: dict[str, None]) -> bool:
    try:
        read(store, route, _one())
    except MissingRight as error:
        missing.update(dict.fromkeys(error.resources or (right,)))
        return False
    return True


def _list(store: Store, route: str, right: str, missing: dict[str, None]) -> list[Reader] | None:
    """The objects of a plain list; None without the right to it."""
    try:
        found = read(store, route)
    except MissingRight as error:
        missing.update(dict.fromkeys(error.resources or (right,)))
        return None
    objects = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [one for one in map(Reader, objects) if _is_readable(one)]


def _is_readable(document: Reader) -> bool:
    """Whether all fields used here are text; a store view of another form is left out."""
    names = ("id", "code", "name", "locale", "timezone", "base_currency_code", "default_display_currency_code")
    try:
        return all(len(document.text(name)) < 200 for name in names)
    except UnreadableDelivery:
        return False


def _default(stores: list[Reader]) -> Reader:
    """The store view called `default`, or the first there is."""
    return next((one for one in stores if one.text("code") == "default"), stores[0] if stores else Reader({}))


def _name(websites: list[Reader]) -> str:
    return next((one.text("name") for one in websites if one.text("name") not in _STOCK_NAMES), "")


def _page_size(store: Store, route: str) -> int:
    """How many the merchant lets us ask for at once, found out with a question that finds nothing."""
    size, _ = search_within_limit(store, route, [Filter("entity_id", "0")], sort=["entity_id"], size=PAGE_SIZE)
    return size


def _modules(store: Store, missing: dict[str, None]) -> dict[str, str]:
    """`async_events` and `common_events`: yes, no, or left out where the shop does not tell."""
    try:
        read(store, "async_events", query(size=1))
    except NoSuchRoute:
        return {"async_events": "no"}
    except MissingRight:
        missing.update(dict.fromkeys(OPTIONAL))
    try:
        modules = read(store, "modules")
    except (MissingRight, NoSuchRoute):
        return {"async_events": "yes"}
    known = isinstance(modules, list) and "MageOS_AsyncEvents" in modules
    if not known:
        return {"async_events": "yes"}
    there = isinstance(modules, list) and "MageOS_CommonAsyncEvents" in modules
    return {"async_events": "yes", "common_events": "yes" if there else "no"}


def _version(store: Store) -> str:
    """`Magento 2.4 (Community)`, where the shop's public version page is there."""
    try:
        address = f"{store.access.base}/magento_version"
        answer = store.web.ask(lambda: Request("GET", address, AGENT))
    except (Retryable, Permanent):
        return ""
    found = _VERSION.fullmatch(answer.body[:200].decode("latin-1").strip()) if answer.status == 200 else None
    return f"{found[1]} {found[2]} ({found[3]})" if found else ""


def _notes(features: dict[str, str]) -> Iterable[str]:
    if features.get("async_events") == "no":
        yield WITHOUT_MODULE
    elif features.get("common_events") == "no":
        yield WITHOUT_EVENTS
    yield OWN_MAILS
