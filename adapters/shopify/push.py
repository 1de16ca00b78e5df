"""Writes back to Shopify: parcels, their numbers, where they are, and where the invoice can be had.

Every push looks first, so that one whose answer was lost is repeated without doubling anything. There is no place for
notes: nothing in the API writes into an order's history (shopify reference, section 3.2).
"""

from collections.abc import Iterator
from datetime import UTC, timedelta

from adapters.contract import Pushes, Store
from adapters.reading import Reader
from adapters.shopify import client, status
from adapters.shopify.documents import global_id, number_of
from adapters.shopify.to_be_sent import read_order, still_to_send
from connector.domain.errors import Permanent, Retryable
from connector.domain.push import LinkPush, ShipmentPush, StatusPush

MOST_PAGES = 50
MOST_WORDS = 200
_FELL_THROUGH = frozenset({"CANCELLED", "ERROR", "FAILURE"})
_KNOWN = "Shopify has it already"


def push_shipment(store: Store, push: ShipmentPush) -> str:
    """Make a parcel, or give a parcel one more number; without a mail of Shopify's. Raises Retryable or Permanent."""
    return _add_number(store, push) if push.shipment_id else _make_parcel(store, push)


def push_status(store: Store, push: StatusPush) -> str:
    """Add an event to a parcel, unless Shopify knows of it or of the delivery. Raises Retryable or Permanent."""
    word = status.EVENT_WORDS.get(push.status)
    if word is None:
        return f"Shopify has no word for {push.status.value}; nothing is written"
    ahead = push.happened_at - store.clock.now()
    if ahead > timedelta():  # another moment at each try would make another event at each try
        raise Retryable("The event lies ahead; it is written when it has come", after=min(ahead, timedelta(hours=1)))
    parcel = _parcel(store, push.shipment_id)
    happened_at = f"{push.happened_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for event in parcel.items("events.nodes"):
        if _is_the_same(event, word, happened_at):
            return _KNOWN
    event_input = {"fulfillmentId": parcel.text("id"), "status": word, "happenedAt": happened_at}
    if word == "FAILURE":  # it stands for several of ours
        event_input["message"] = (push.words or push.status.value)[:MOST_WORDS]
    done = client.change(store, "event_create", {"event": event_input}, "fulfillmentEventCreate")
    return f"event {number_of(done.text('fulfillmentEvent.id'))} {word}"


def push_invoice_link(store: Store, push: LinkPush) -> str:
    """Set the order's field `$app:invoice_url`; saying it twice changes nothing. Raises Retryable or Permanent."""
    field = {
        "ownerId": global_id("Order", push.order_id),
        "namespace": "$app",
        "key": "invoice_url",
        "type": "url",
        "value": push.url,
    }
    done = client.change(store, "invoice_link", {"metafields": [field]}, "metafieldsSet")
    return f"metafield {number_of(next((one.text('id') for one in done.items('metafields')), ''))}"


def _make_parcel(store: Store, push: ShipmentPush) -> str:
    pages = list(_shipping(store, push.order_id))
    for parcel in pages[0].items("fulfillments"):
        if parcel.text("status") not in _FELL_THROUGH and _has_number(parcel, push.number):
            return f"{_KNOWN}: parcel {number_of(parcel.text('id'))}"
    orders = [read_order(node) for page in pages for node in page.items("fulfillmentOrders.nodes")]
    parcel_input = {
        "lineItemsByFulfillmentOrder": still_to_send(orders, push.items),
        "trackingInfo": _tracking(push),
        "notifyCustomer": False,
    }
    done = client.change(store, "fulfillment_create", {"fulfillment": parcel_input}, "fulfillmentCreate")
    return f"parcel {number_of(done.text('fulfillment.id'))}"


def _add_number(store: Store, push: ShipmentPush) -> str:
    """Shopify replaces a parcel's numbers as a whole: those that are there are said again."""
    parcel = _parcel(store, push.shipment_id)
    if _has_number(parcel, push.number):
        return f"{_KNOWN}: parcel {push.shipment_id}"
    there = parcel.items("trackingInfo")
    tracking = _tracking(push)
    if there:
        company = next((one.text("company") for one in there if one.has("company")), push.carrier)
        addresses = [*(one.text("url") for one in there), str(tracking.get("url", ""))]
        tracking = {"numbers": [*(one.text("number") for one in there), push.number]}
        tracking |= {"company": company} if company else {}
        tracking |= {"urls": addresses} if all(addresses) else {}
    client.change(
        store, "tracking_update", {"id": parcel.text("id"), "tracking": tracking}, "fulfillmentTrackingInfoUpdate"
    )
    return f"number added to parcel {push.shipment_id}"


def _shipping(store: Store, order_id: str) -> Iterator[Reader]:
    """The order, once for each page of its fulfilment orders."""
    after = ""
    for _ in range(MOST_PAGES):
        order = client.ask(store, "shipping", {"id": global_id("Order", order_id), "after": after or None}).data.part(
            "order"
        )
        if not order.document:
            raise Permanent("The order is gone from Shopify, or the app may not see it")
        yield order
        before, after = after, order.text("fulfillmentOrders.pageInfo.endCursor")
        if not order.flag("fulfillmentOrders.pageInfo.hasNextPage") or after in ("", before):
            return
    raise Permanent("Shopify's list of what is to be sent does not end")


def _parcel(store: Store, shipment_id: str) -> Reader:
    variables = {"id": global_id("Fulfillment", shipment_id)}
    parcel = client.ask(store, "fulfillment", variables).data.part("fulfillment")
    if not parcel.document:
        raise Permanent("The parcel is gone from Shopify, or the app may not see it")
    if parcel.text("status") in _FELL_THROUGH:
        raise Permanent("The parcel was cancelled in Shopify: make a new one there, or tell the number without it")
    return parcel


def _tracking(push: ShipmentPush) -> dict[str, object]:
    """Shopify makes an address for carriers it knows; ours counts where we have one."""
    said = {"number": push.number, "company": push.carrier, "url": push.url if "://" in push.url else ""}
    return {name: value for name, value in said.items() if value}


def _has_number(parcel: Reader, number: str) -> bool:
    return bool(number) and _plain(number) in {_plain(one.text("number")) for one in parcel.items("trackingInfo")}


def _plain(number: str) -> str:
    return "".join(number.split()).upper()


def _is_the_same(event: Reader, word: str, happened_at: str) -> bool:
    """A delivery ends the story, some things happen once, and of all others the moment tells (P3)."""
    known = event.text("status")
    if known == "DELIVERED" or (known == word and word in status.HAPPENS_ONCE):
        return True
    moment = event.moment_if_any("happenedAt")
    return known == word and moment is not None and f"{moment:%Y-%m-%dT%H:%M:%SZ}" == happened_at


PUSHES = Pushes(shipment=push_shipment, status=push_status, invoice_link=push_invoice_link)
