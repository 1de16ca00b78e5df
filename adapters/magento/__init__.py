"""Magento 2, Mage-OS and Adobe Commerce."""

from adapters.contract import Manifest, Traits
from adapters.magento.documents import resolve
from adapters.magento.webhooks import SIGNATURES, idempotency_key, parse
from connector.domain.signing import Challenge

MANIFEST = Manifest(
    name="magento",
    title="Magento 2",
    signatures=SIGNATURES,
    idempotency_key=idempotency_key,
    parse=parse,
    resolve=resolve,
    traits=Traits(
        # Adobe tries for a day; async-events give up within minutes and Mageplaza at once.
        redelivers_for_hours=0,
        names_event_in_request=False,
        signs="HMAC-SHA256 in hex (async-events), RSA-SHA256 (Adobe), or a fixed secret that proves only the sender",
        shipments_in_order="never: each shipment is its own document, and tracking is often added later",
        customer_language="the store view of the order",
    ),
    challenge=Challenge(parameter="challenge"),
)
