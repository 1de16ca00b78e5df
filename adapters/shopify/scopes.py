"""The rights the app asks for, each with its reason."""

from adapters.shopify import official

SCOPES = {
    "write_orders": "read orders, parcels and refunds, and leave the invoice's address on the order",
    "read_customers": "know which orders are one customer's when data is asked for or redacted, and companies' tax ids",
    "write_fulfillments": "hear of parcels and write where they are",
    "write_merchant_managed_fulfillment_orders": "write tracking numbers for parcels of your own locations",
}
"""Asked for from every shop. Which question needs which is held against the schema by a test."""

OPTIONAL_SCOPES = {
    "write_third_party_fulfillment_orders": "write tracking numbers for parcels of fulfilment services",
}
"""A merchant may leave these out."""

ALL_ORDERS = "read_all_orders"
"""Shopify gives it on request only; without it the last 60 days are seen (schema, `QueryRoot.order`)."""


def missing(granted: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence for each needed right that is not there: what does not work, and where to give it."""
    return tuple(
        f"{scope} is missing, so Connector cannot {reason}. Open the app in Shopify and say yes to the update, or tick "
        "it in your own app's settings and install again."
        for scope, reason in SCOPES.items()
        if not official.covers(granted, scope)
    )


def left_out(granted: tuple[str, ...]) -> tuple[str, ...]:
    """A sentence for each right that was left out and that a shop may do without."""
    return tuple(
        f"{scope} was not given, so Connector cannot {reason}. It is not needed where you send everything yourself."
        for scope, reason in OPTIONAL_SCOPES.items()
        if not official.covers(granted, scope)
    )
