"""What a merchant says by hand takes the same road as everything else: written here, read here."""

from datetime import datetime

import msgspec

from connector.domain.delivery import Delivery, ShipmentUpdate, Source
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Shipment
from connector.domain.status import ShipmentStatus


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document."""

    order_id: str
    shipment_id: str
    status: ShipmentStatus
    happened_at: datetime


_said = msgspec.json.Decoder(_Said)


def parcel_status(
    platform: str, order_id: str, shipment_id: str, status: ShipmentStatus, happened_at: datetime, now: datetime
) -> Delivery:
    """That a parcel has come this far, as a delivery to record; moments are UTC."""
    body = msgspec.json.encode(_Said(order_id, shipment_id, status, happened_at))
    return Delivery(platform, {}, body, now, "parcel_status", Source.HAND)


def read(delivery: Delivery) -> tuple[ShipmentUpdate]:
    """Raises UnreadableDelivery for a document this module did not write."""
    try:
        said = _said.decode(delivery.body)
    except msgspec.DecodeError as error:
        raise UnreadableDelivery(
            field="body", why="it was not written here", accepted="what `connector order` writes"
        ) from error
    moment = said.happened_at
    delivered_at = moment if said.status is ShipmentStatus.DELIVERED else None
    shipment = Shipment(said.shipment_id, said.status, "entered by hand", moment, delivered_at=delivered_at)
    return (ShipmentUpdate(said.order_id, shipment, partial=True),)
