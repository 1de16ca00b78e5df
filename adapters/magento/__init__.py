"""Magento 2, Mage-OS and Adobe Commerce."""

from datetime import timedelta

from adapters.contract import Api, Manifest, Pace, Pushes, Traits
from adapters.magento.changes import OVERLAP, changes, parcels, read
from adapters.magento.connect import CONNECT
from adapters.magento.documents import resolve
from adapters.magento.looking import look
from adapters.magento.probe import probe
from adapters.magento.push import push_invoice_link, push_note, push_shipment, push_status
from adapters.magento.subscriptions import subscribe, unsubscribe
from adapters.magento.webhooks import SIGNATURES, idempotency_key, parse
from connector.domain.signing import Challenge

API = Api(
    probe=probe,
    look=look,
    changes=changes,
    read=read,
    pace=Pace(
        overlap=OVERLAP,
        # A queue, and five retries within a minute (magento reference, section 2).
        grace=timedelta(minutes=5),
        with_webhooks=timedelta(minutes=15),
        alone=timedelta(seconds=60),
    ),
    pushes=Pushes(
        shipment=push_shipment,
        status=push_status,
        note=push_note,
        invoice_link=push_invoice_link,
    ),
    subscribe=subscribe,
    unsubscribe=unsubscribe,
    parcels=parcels,
)

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
    connect=CONNECT,
    api=API,
)
