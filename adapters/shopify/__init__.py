"""Shopify: one app for all shops, webhooks signed with the app's secret."""

from adapters.contract import Manifest, Traits
from adapters.shopify.webhooks import headers, idempotency_key, parse, resolve, shop_host
from connector.domain.signing import Encoding, HmacSignature

MANIFEST = Manifest(
    name="shopify",
    title="Shopify",
    signatures=(HmacSignature(headers=headers("hmac-sha256"), encoding=Encoding.BASE64),),
    idempotency_key=idempotency_key,
    parse=parse,
    resolve=resolve,
    traits=Traits(
        redelivers_for_hours=4,
        names_event_in_request=True,
        signs="HMAC-SHA256 of the raw body with the app's secret, base64",
        shipments_in_order="fulfilments stand in the order and come as webhooks of their own, with tracking numbers",
        customer_language="customer_locale on the order",
    ),
    shop_headers=headers("shop-domain"),
    shop_host=shop_host,
)
