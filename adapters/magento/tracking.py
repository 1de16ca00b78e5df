"""A shipment document, as `GET /V1/shipment/{id}` and async-events give it, as news about one parcel."""

from adapters.reading import Reader
from connector.domain.delivery import ShipmentUpdate
from connector.domain.order import Shipment, ShipmentItem, TrackingNumber
from connector.domain.status import ShipmentStatus

_ESSENTIAL = ("entity_id", "order_id", "created_at")


def missing_shipment_fields(shipment: Reader) -> list[str]:
    """The fields without which this is not a whole shipment."""
    return [name for name in _ESSENTIAL if not shipment.has(name)]


def shipment_update(shipment: Reader) -> ShipmentUpdate:
    """A whole shipment document. Moments without a zone are UTC.

    Magento says that a parcel left, never where it is: the status stays unknown until a carrier tells. Tracking may be
    missing; it is often added later. Raises UnreadableDelivery. Facts: magento reference, sections 3 and 4.
    """
    tracks = shipment.items("tracks")
    moments = [shipment.moment_if_any("updated_at")]
    moments += [track.moment_if_any(name) for track in tracks for name in ("created_at", "updated_at")]
    shipped_at = shipment.moment("created_at")
    return ShipmentUpdate(
        order_id=shipment.key("order_id"),
        shipment=Shipment(
            shipment_id=shipment.key("entity_id"),
            status=ShipmentStatus.UNKNOWN,
            status_word=shipment.text("shipment_status"),
            # A track added later need not move the shipment's own updated_at.
            updated_at=max([shipped_at, *(moment for moment in moments if moment)]),
            shipped_at=shipped_at,
            tracking=tuple(_tracking_number(track) for track in tracks if track.has("track_number")),
            items=tuple(
                ShipmentItem(item.text("order_item_id"), item.amount("qty"))
                for item in shipment.items("items")
                if item.has("order_item_id") and item.has("qty")
            ),
        ),
    )


def _tracking_number(track: Reader) -> TrackingNumber:
    code = track.text("carrier_code")
    return TrackingNumber(
        number=track.text("track_number"), carrier=track.text("title") if code in {"", "custom"} else code
    )
