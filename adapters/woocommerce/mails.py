"""WooCommerce's own mails to customers: which are on, and switching them (settings of the REST API)."""

from collections.abc import Mapping

from adapters.contract import Store
from adapters.woocommerce.client import API, Client, Refused, client_of, document_of
from connector.domain.errors import Permanent, UnreadableDelivery

MAILS: Mapping[str, tuple[str, ...]] = {
    "order_received": ("customer_processing_order", "customer_on_hold_order"),
    "payment_received": ("customer_processing_order",),
    "shipped": ("customer_completed_order", "customer_fulfillment_created"),
    "tracking_added": ("customer_fulfillment_updated",),
    "cancelled": ("customer_cancelled_order",),
    "refunded": ("customer_refunded_order",),
}
"""By our kind of message the mails that tell the same. "Processing" is sent when the money is there and says that the
order was received; "completed" says that it is on its way (reference, section 0.19). About a delivery there is none."""
SILENT = ("delivered",)
_WITH_FULFILLMENTS = ("customer_fulfillment_created", "customer_fulfillment_updated")


def read_mails(client: Client, *, fulfillments: bool) -> dict[str, bool]:
    """By our kind of message whether WooCommerce mails about it; what it does not let us see is left out."""
    names = sorted(
        {name for mails in MAILS.values() for name in mails if fulfillments or name not in _WITH_FULFILLMENTS}
    )
    on = {name: _is_on(client, name) for name in names}
    speaks = dict.fromkeys(SILENT, False)
    for kind, mails in MAILS.items():
        told = [on[name] for name in mails if name in on]
        if None not in told:
            speaks[kind] = any(told)
    return speaks


def speak(store: Store, kind: str, on: bool) -> None:
    """Switch WooCommerce's mails about a kind on or off; one that tells two kinds falls silent about both.

    Raises Retryable, and Permanent for a kind without a mail there.
    """
    client, found = client_of(store), False
    for name in MAILS.get(kind, ()):
        try:
            client.put(_path(name), {"value": "yes" if on else "no"})
        except Refused as refused:
            if refused.status != 404:
                raise
        else:
            found = True
    if not found:
        raise Permanent(f"WooCommerce at {client.host} has no mail about this that could be switched")


def _is_on(client: Client, name: str) -> bool | None:
    """False also for a mail this version does not have; None when it may not be seen."""
    try:
        return document_of(client.get(_path(name), {"_fields": "id,value"})).flag("value")
    except Refused as refused:
        return False if refused.status == 404 else None
    except UnreadableDelivery:
        return None


def _path(name: str) -> str:
    return f"{API}/settings/email_{name}/enabled"
