"""Reads Shopify's fulfilments and fulfilment events: what left the shop, and what carriers said of it since."""

from collections.abc import Iterator
from itertools import zip_longest

from adapters.reading import Reader
from adapters.shopify import status
from adapters.shopify.documents import key_of
from connector.domain.delivery import Ignored, ShipmentUpdate
from connector.domain.order import Shipment, ShipmentItem, TrackingNumber
from connector.domain.status import ShipmentStatus


def read_shipments(order: Reader) -> tuple[Shipment, ...]:
    """The parcels of an order document; fulfilments of what is never shipped (gift cards) are none."""
    return tuple(read_shipment(one) for one in order.items("fulfillments") if is_parcel(one))


def read_fulfillment(document: Reader) -> ShipmentUpdate | Ignored:
    """The body of fulfillments/create and fulfillments/update."""
    order_id = document.key("order_id")
    if not is_parcel(document):
        return Ignored("nothing in this fulfilment is shipped", order_id)
    return ShipmentUpdate(order_id, read_shipment(document))


def read_event(document: Reader) -> ShipmentUpdate:
    """The body of fulfillment_events/create: a carrier's word about a parcel, without the parcel itself."""
    word = document.text("status")
    meaning = status.event(word)
    recorded_at = document.moment("created_at")
    # A carrier's clock may run ahead; nothing has happened after Shopify wrote it down.
    happened_at = min(document.moment_if_any("happened_at") or recorded_at, recorded_at)
    shipment = Shipment(
        shipment_id=document.key("fulfillment_id"),
        status=meaning,
        status_word=word,
        updated_at=happened_at,
        delivered_at=happened_at if meaning is ShipmentStatus.DELIVERED else None,
        estimated_delivery_at=document.moment_if_any("estimated_delivery_at"),
    )
    return ShipmentUpdate(document.key("order_id"), shipment, partial=True)


def is_parcel(fulfillment: Reader) -> bool:
    """Whether anything in it is shipped, as far as it says so."""
    if not fulfillment.flag("requires_shipping", default=True):
        return False
    items = fulfillment.items("line_items")
    return not items or any(item.flag("requires_shipping", default=True) for item in items)


def read_shipment(fulfillment: Reader) -> Shipment:
    """One fulfilment, on its own or inside an order; moments in UTC.

    Shopify's "fulfilled" is the moment it left, unless its own word says that only a label was bought.
    """
    own, carriers_word = fulfillment.text("status"), fulfillment.text("shipment_status")
    meaning, word = status.parcel(own, carriers_word)
    left = own == "success" and carriers_word not in status.ONLY_A_LABEL
    return Shipment(
        shipment_id=key_of(fulfillment),
        status=meaning,
        status_word=word,
        updated_at=fulfillment.moment("updated_at"),
        shipped_at=fulfillment.moment_if_any("created_at") if left else None,
        delivered_at=fulfillment.moment_if_any("delivered_at"),
        estimated_delivery_at=fulfillment.moment_if_any("estimated_delivery_at"),
        tracking=tuple(_tracking(fulfillment)),
        items=tuple(
            ShipmentItem(key_of(item), item.amount("quantity"))
            for item in fulfillment.items("line_items")
            if item.has("quantity")
        ),
    )


def _tracking(fulfillment: Reader) -> Iterator[TrackingNumber]:
    """Numbers and addresses belong together by their position (shopify reference, section 3.2)."""
    numbers = _places(fulfillment, "tracking_numbers") or [fulfillment.text("tracking_number")]
    addresses = _places(fulfillment, "tracking_urls") or [fulfillment.text("tracking_url")]
    for number, address in zip_longest(numbers, addresses, fillvalue=""):
        if number or address:
            yield TrackingNumber(number, fulfillment.text("tracking_company"), address)


def _places(fulfillment: Reader, name: str) -> list[str]:
    """A list of texts in which an empty place stays a place."""
    numbered = {str(position): value for position, value in enumerate(fulfillment.values(name))}
    places = Reader(numbered, ".".join(filter(None, (fulfillment.where, name))))
    return [places.text(position) for position in numbered]
