"""Looks at a shop: who it is, what the app may do there, and what Shopify keeps from it."""

from adapters.contract import Store
from adapters.reading import Reader
from adapters.shopify import client, scopes
from adapters.shopify.client import Reply
from adapters.shopify.grants import is_operators_app
from connector.domain.connection import Findings
from connector.domain.order import Address
from connector.domain.shop import Seller

MAILS = (
    "Shopify does not say which mails it sends itself. For what Connector shall tell, switch off Shopify's own under "
    "Settings > Notifications > Customer notifications: order confirmation, order canceled, order refund, shipping "
    "confirmation, shipping update, out for delivery, delivered."
)
_SIXTY_DAYS = (
    "Shopify shows the orders of the last 60 days only. Older ones need the right read_all_orders, which Shopify gives "
    "on request: Dev Dashboard > the app > API access requests."
)


def probe(store: Store) -> Findings:
    """One question, or two where status pages are hidden. Raises Retryable, or Permanent for lost access."""
    reply, hidden = _asked(store)
    shop = reply.data.part("shop")
    granted = tuple(one.text("handle") for one in reply.data.items("currentAppInstallation.accessScopes"))
    features = {
        "scopes": ",".join(sorted(granted)),
        "app": reply.data.text("currentAppInstallation.app.title"),
        client.STATUS_PAGE: "hidden" if hidden else "open",
    }
    return Findings(
        name=shop.text("name"),
        version=client.API_VERSION,
        currency=shop.text("currencyCode"),
        timezone=shop.text("ianaTimezone"),
        country=shop.text("shopAddress.countryCodeV2").upper(),
        seller=_seller(shop),
        features=features,
        missing_rights=scopes.missing(granted),
        notes=(*reply.notes, *_protected(reply, hidden, store), *scopes.left_out(granted), *_window(granted), MAILS),
    )


def _asked(store: Store) -> tuple[Reply, bool]:
    """The answer, and whether the app may not see status pages; asked anew each time, as that may be approved later."""
    reply = client.ask(store, "shop", {client.STATUS_PAGE: True})
    if not client.hides_status_page(reply):
        return reply, False
    return client.ask(store, "shop", {client.STATUS_PAGE: False}), True


def _seller(shop: Reader) -> Seller:
    address = shop.part("shopAddress")
    return Seller(
        legal_name=address.text("company") or shop.text("name"),
        address=Address(
            company=address.text("company"),
            lines=tuple(line for line in (address.text("address1"), address.text("address2")) if line),
            city=address.text("city"),
            region=address.text("province"),
            postcode=address.text("zip"),
            country=address.text("countryCodeV2").upper(),
        ),
        email=shop.text("contactEmail"),
        phone=address.text("phone"),
        website=shop.text("primaryDomain.url"),
    )


def _protected(reply: Reply, hidden: bool, store: Store) -> tuple[str, ...]:
    """Which fields of the newest order stay null (shopify reference, section 1.6); none are seen without an order."""
    paths = (one.values("path") for one in reply.withheld)
    fields = dict.fromkeys(client.words(str(path[-1])) for path in paths if path and path[0] == "orders")
    fields |= {"statusPageUrl": None} if hidden else {}
    if not fields:
        return ()
    where = (
        "Dev Dashboard > the app > API access requests > Protected customer data"
        if is_operators_app(store.access.credentials)
        else "the app's own settings, under Protected customer data access"
    )
    return (f"Shopify keeps from the app: {', '.join(list(fields)[:20])}. Ask for these fields in {where}.",)


def _window(granted: tuple[str, ...]) -> tuple[str, ...]:
    return () if scopes.ALL_ORDERS in granted else (_SIXTY_DAYS,)
