"""Writes `shopify.app.toml`, with which an operator registers the app for every shop at once."""

import json
from collections.abc import Iterable

from adapters.shopify.client import API_VERSION
from adapters.shopify.scopes import ALL_ORDERS, OPTIONAL_SCOPES, SCOPES

LIFE_CYCLE = ("app/uninstalled", "app/scopes_update")
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
ORDERS = (
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/cancelled",
    "orders/edited",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_events/create",
)
"""What we listen to. `orders/fulfilled` only repeats `fulfillments/create` (shopify reference, section 2.5)."""


def operator_file(address: str, client_id: str) -> tuple[str, str]:
    """Name and content of the file for an operator's address (`https://connector.example.com`) and app.

    Keys: shopify reference, section 1.7. Webhook addresses are written out whole, so that nothing depends on what a
    relative one would be joined to.
    """
    home = f"{address.rstrip('/')}/connect/shopify/app"
    webhooks = f"{address.rstrip('/')}/webhooks/shopify"
    lines = [
        "# Connector's app on Shopify. In a folder of its own: shopify app config validate, then shopify app deploy",
        f"client_id = {_text(client_id)}",
        'name = "Connector"',
        f"application_url = {_text(home)}",
        "embedded = true",
        "",
        "[access_scopes]",
        *_reasons(SCOPES),
        f"scopes = {_text(','.join(SCOPES))}",
        *_reasons(OPTIONAL_SCOPES),
        f"optional_scopes = {_list(OPTIONAL_SCOPES)}",
        f"# {ALL_ORDERS}: orders older than 60 days. Shopify gives it on request; add it to scopes once it has.",
        "",
        "[access.admin]",
        'direct_api_mode = "offline"',
        "",
        "[auth]",
        f"redirect_urls = {_list([f'{home}/callback'])}",
        "",
        "[webhooks]",
        f"api_version = {_text(API_VERSION)}",
        *_subscription("topics", LIFE_CYCLE, webhooks),
        *_subscription("compliance_topics", COMPLIANCE, webhooks),
        *_subscription("topics", ORDERS, webhooks),
        "",
        "[order.metafields.app.invoice_url]",
        'type = "url"',
        'name = "Invoice"',
        'access.admin = "merchant_read"',
    ]
    return "shopify.app.toml", "\n".join(lines) + "\n"


def _reasons(scopes: dict[str, str]) -> Iterable[str]:
    return (f"# {scope}: {reason}" for scope, reason in scopes.items())


def _subscription(kind: str, topics: tuple[str, ...], address: str) -> Iterable[str]:
    return ("", "[[webhooks.subscriptions]]", f"{kind} = {_list(topics)}", f"uri = {_text(address)}")


def _text(value: str) -> str:
    """A basic string; JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"
