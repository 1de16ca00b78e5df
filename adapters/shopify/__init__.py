"""Shopify: one app for all shops, webhooks signed with the app's secret."""

from datetime import timedelta

from adapters.contract import Api, Manifest, Pace, Traits
from adapters.shopify.changes import changes, look, read
from adapters.shopify.connect import CONNECT
from adapters.shopify.grants import renew
from adapters.shopify.probe import probe
from adapters.shopify.push import PUSHES
from adapters.shopify.subscriptions import subscribe, unsubscribe
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
    connect=CONNECT,
    api=Api(
        probe=probe,
        look=look,
        changes=changes,
        read=read,
        pace=Pace(
            overlap=timedelta(minutes=10),
            grace=timedelta(minutes=5),
            with_webhooks=timedelta(hours=1),
            alone=timedelta(minutes=10),
            renew_every=timedelta(weeks=1),
        ),
        pushes=PUSHES,
        subscribe=subscribe,
        unsubscribe=unsubscribe,
        renew=renew,
    ),
)
