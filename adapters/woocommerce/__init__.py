"""WooCommerce: shops on WordPress."""

from datetime import timedelta

from adapters.contract import Api, Manifest, Pace, Traits
from adapters.woocommerce.changes import changes, look
from adapters.woocommerce.connect import CONNECT
from adapters.woocommerce.mails import speak
from adapters.woocommerce.probe import probe
from adapters.woocommerce.push import PUSHES
from adapters.woocommerce.subscriptions import subscribe, unsubscribe, wake
from adapters.woocommerce.webhooks import idempotency_key, parse, read, resolve
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
    idempotency_key=idempotency_key,
    parse=parse,
    resolve=resolve,
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
        probe=probe,
        look=look,
        changes=changes,
        read=read,
        pace=Pace(
            overlap=timedelta(minutes=2),
            grace=timedelta(minutes=5),
            with_webhooks=timedelta(minutes=30),
            alone=timedelta(minutes=5),
        ),
        pushes=PUSHES,
        subscribe=subscribe,
        unsubscribe=unsubscribe,
        wake=wake,
        speak=speak,
    ),
)
