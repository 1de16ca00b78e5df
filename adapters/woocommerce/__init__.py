"""WooCommerce: shops on WordPress."""

from adapters.contract import Manifest, Traits
from adapters.woocommerce.webhooks import idempotency_key, parse, resolve
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
)
