"""The knobs of a Shopify twin: what kind of shop it is, and how the app is registered there."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

ORDER_TOPICS = ("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/edited")
SENDING_TOPICS = ("fulfillments/create", "fulfillments/update", "fulfillment_events/create")
LIFE_TOPICS = ("app/uninstalled", "app/scopes_update")
COMPLIANCE_TOPICS = ("customers/data_request", "customers/redact", "shop/redact")
ALL_TOPICS = (
    *ORDER_TOPICS,
    *("orders/fulfilled", "orders/partially_fulfilled", "orders/delete", "order_transactions/create"),
    *SENDING_TOPICS,
    "refunds/create",
    *LIFE_TOPICS,
    *COMPLIANCE_TOPICS,
)
"""Those the twin sends."""
TOPIC_SCOPES = {"orders": "read_orders", "order_transactions": "read_orders", "refunds": "read_orders"} | {
    "fulfillments": "read_fulfillments",
    "fulfillment_events": "read_fulfillments",
}
"""By the first word of the topic (shopify reference, section 1.5); others need none."""


@dataclass(slots=True)
class Settings:
    """May be changed while the twin runs."""

    host: str
    shop_name: str = "Meltemi Goods"
    shop_email: str = "shop@meltemi.test"
    currency: str = "EUR"
    currencies: tuple[str, ...] = ("EUR", "USD", "JPY")
    timezone: str = "Europe/Berlin"
    locale: str = "de"
    country_code: str = "DE"
    country: str = "Germany"
    tax_rate: Decimal = Decimal("0.19")
    tax_title: str = "MwSt"
    taxes_included: bool = True
    auto_archive: bool = True
    """An order that is paid and sent is closed by itself, as shops are set up at first."""
    development_store: bool = False

    app_name: str = "Order Connector"
    client_id: str = "8f3c1d5e7a90b2c4d6e8f0a1b3c5d7e9"
    client_secret: str = field(default="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", repr=False)
    application_url: str = "https://connector.example.com/shopify/"
    redirect_urls: tuple[str, ...] = ("https://connector.example.com/shopify/auth/callback",)
    webhook_address: str = "https://connector.example.com/webhooks/shopify"
    """Where the subscriptions of the app's TOML file lead."""
    topics: tuple[str, ...] = (*ORDER_TOPICS, *SENDING_TOPICS, "refunds/create", *LIFE_TOPICS, *COMPLIANCE_TOPICS)
    """Those of the TOML file; empty: the app subscribes by API only."""
    subscription_name: str = "main"
    scopes: tuple[str, ...] = (
        *("write_orders", "read_customers", "write_fulfillments", "write_merchant_managed_fulfillment_orders"),
        *("write_third_party_fulfillment_orders", "read_returns", "read_locations"),
    )
    """Those of the TOML file, granted at installation."""
    approved: frozenset[str] = frozenset({"data", "name", "email", "phone", "address"})
    """Protected customer data the app is approved for: `data` is level 1."""
    definitions: dict[tuple[str, str], str] = field(default_factory=lambda: {("$app", "invoice_url"): "url"})
    """Metafields of orders that the TOML file declares: their type need not be said."""
    public_app: bool = True
    """False: a merchant's own app, whose tokens may live for ever."""

    versions: tuple[str, ...] = ("2026-01", "2026-04", "2026-07", "2026-10")
    """Supported ones, the oldest first; whoever asks for an older one is answered by that, silently."""
    webhook_version: str = "2026-10"
    bucket: float = 2000.0
    restore_rate: float = 100.0
    throttles_by_status: bool = False
    """A fault's refusal comes as HTTP 429 with Retry-After instead of 200."""
    fails_inside: bool = False
    """A fault's server error comes as HTTP 200 with INTERNAL_SERVER_ERROR instead of 500."""
    standing: str = "open"
    """`frozen` (402), `locked` (423) or `gone` (404)."""
    search_lag: timedelta = timedelta(0)
    """How long the order search knows an order only as it was before."""
    events_touch_orders: bool = False
    """Whether a fulfillment event moves the order's updatedAt: not documented, so the less convenient way is usual."""
    coalesce: timedelta = timedelta(seconds=5)
    """Updates of one order that follow each other so fast come as one webhook."""
    shop_id: int = 548_380_009_731

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
