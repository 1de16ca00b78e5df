"""WooCommerce: shops on WordPress."""

from datetime import timedelta

from adapters.contract import Api, Manifest, Pace, Traits
from adapters.woocommerce import changes, mails, probe, subscriptions, webhooks
from adapters.woocommerce.connect import CONNECT
from adapters.woocommerce.push import PUSHES
from connector.domain.signing import Encoding, HmacSignature, SecretForm, UnsignedPing

MANIFEST = Manifest(
    name="woocommerce",
    title="WooCommerce",
    signatures=(
        HmacSignature(
            headers=("x-wc-webhook-signature",),
            encoding=Encoding.BASE64,
            secret_form=SecretForm.HTML_ENTITIES_DECODED,
        ),
    ),
    idempotency_key=webhooks.idempotency_key,
    parse=webhooks.parse,
    resolve=webhooks.resolve,
    traits=Traits(
        redelivers_for_hours=0,
        names_event_in_request=True,
        signs="HMAC-SHA256 of the raw body, base64, one secret a webhook",
        shipments_in_order="tracking plugins in the order; core fulfillments beside it",
        customer_language="only from a language plugin",
    ),
    ping=UnsignedPing(content_type="application/x-www-form-urlencoded", fields=("webhook_id",)),
    connect=CONNECT,
    api=Api(
        probe=probe.probe,
        look=changes.look,
        changes=changes.changes,
        read=webhooks.read,
        pace=Pace(
            overlap=timedelta(minutes=2),
            grace=timedelta(minutes=5),
            with_webhooks=timedelta(minutes=30),
            alone=timedelta(minutes=5),
        ),
        pushes=PUSHES,
        subscribe=subscriptions.subscribe,
        unsubscribe=subscriptions.unsubscribe,
        wake=subscriptions.wake,
        speak=mails.speak,
    ),
)
