"""Parcels of a WooCommerce order: from tracking plugins' order meta and from core fulfillments.

The plugins' fields are named in the woocommerce reference, section 5.2; all are read and none is trusted: what cannot
be read is a warning and never costs the order. Core fulfillments (section 5.1) stand beside the order document.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from adapters.reading import Reader, read_json
from connector.domain.errors import UnreadableDelivery
from connector.domain.order import Shipment, ShipmentItem, TrackingNumber
from connector.domain.status import ShipmentStatus

_LISTS = ("_wc_shipment_tracking_items", "_aftership_tracking_items")
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parcels:
    """What an order document, with or without its fulfillments, says of parcels."""

    shipments: tuple[Shipment, ...]
    are_complete: bool
    warnings: tuple[str, ...]


def has_fulfillments(meta: Mapping[str, object]) -> bool:
    """Whether core fulfillments stand beside the order: WooCommerce marks the order itself then."""
    return meta.get("_fulfillment_status") not in (None, "", "no_fulfillments")


def read_parcels(
    meta: Mapping[str, object],
    fulfillments: list[Reader] | None,
    updated_at: datetime,
    *,
    has_left: bool,
    left_at: datetime | None,
    zone: tzinfo = UTC,
) -> Parcels:
    """All parcels, one a tracking number.

    `has_left` and `left_at` (None: not known when) are for numbers that have no date of their own. `zone`: the shop's
    own time, in which fulfillments are dated before WooCommerce 11 (FulfillmentsDataStore.php, current_time).
    Raises UnreadableDelivery for a fulfillment that WooCommerce itself would not write.
    """
    by_number: dict[str, Shipment] = {}
    warnings = []
    for name, entry in _entries(meta):
        try:
            shipment = _of_plugin(entry, updated_at, has_left=has_left, left_at=left_at)
        except UnreadableDelivery as error:
            warnings.append(f"tracking in {name} was not understood ({error})")
        else:
            if shipment:
                by_number.setdefault(shipment.tracking[0].number, shipment)
    for shipment in filter(None, (_of_fulfillment(one, zone) for one in fulfillments or [])):
        by_number.setdefault(shipment.tracking[0].number, shipment)
    are_complete = not warnings and (fulfillments is not None or not has_fulfillments(meta))
    return Parcels(tuple(by_number.values()), are_complete, tuple(warnings))


def _entries(meta: Mapping[str, object]) -> Iterator[tuple[str, Reader]]:
    """Every entry of every plugin, under the names Shipment Tracking uses."""
    for name in _LISTS:
        for entry in _listed(meta.get(name)):
            yield name, Reader(entry if isinstance(entry, dict) else {"tracking_number": [entry]}, name)
    yield (
        "ywot_tracking_code",
        _single(
            meta.get("ywot_tracking_code"),
            meta.get("ywot_carrier_name") or meta.get("ywot_carrier_id"),
            meta.get("ywot_pick_up_date") if meta.get("ywot_picked_up") in ("on", "yes", "1", True) else None,
        ),
    )
    yield (
        "_tracking_number",
        _single(meta.get("_tracking_number"), meta.get("_tracking_provider"), meta.get("_date_shipped")),
    )


def _listed(value: object) -> list[object]:
    """A plugin's list as it is, as JSON in text, or as PHP writes it once an entry in the middle was deleted."""
    if isinstance(value, str) and value.startswith(("[", "{")):
        try:
            value = read_json(value.encode("utf-8", "replace"))
        except UnreadableDelivery:
            return [value]
    if isinstance(value, dict):
        return [value] if "tracking_number" in value else list(value.values())
    return value if isinstance(value, list) else [value] if value else []


def _single(number: object, carrier: object, shipped: object) -> Reader:
    return Reader({"tracking_number": number, "tracking_provider": carrier, "date_shipped": shipped})


def _of_plugin(entry: Reader, updated_at: datetime, *, has_left: bool, left_at: datetime | None) -> Shipment | None:
    number = entry.text("tracking_number").strip()
    if not number:
        return None
    dated = _shipped_at(entry, updated_at)
    return Shipment(
        shipment_id=entry.key("tracking_id") if entry.has("tracking_id") else _derived_id(number),
        status=ShipmentStatus.ACCEPTED if dated or has_left else ShipmentStatus.LABEL_CREATED,
        status_word="date_shipped" if dated else "tracking_number",
        updated_at=updated_at,
        shipped_at=dated or (left_at if has_left else None),
        tracking=(TrackingNumber(number, _carrier(entry), entry.text("custom_tracking_link")),),
        items=tuple(_item(item, "id", "quantity") for item in entry.items("line_items")),
    )


def _carrier(entry: Reader) -> str:
    return entry.text("tracking_provider") or entry.text("custom_tracking_provider") or entry.text("slug")


def _derived_id(number: str) -> str:
    return f"tracking-{hashlib.sha256(number.encode()).hexdigest()[:16]}"


def _shipped_at(entry: Reader, updated_at: datetime) -> datetime | None:
    """Unix seconds, as number or text, or an ISO date.

    Midnight stands for the day: the best known moment of that day is then when the order was last changed on it.
    """
    value = entry.value("date_shipped")
    if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
        seconds = entry.amount("date_shipped")
        if not _EARLIEST <= seconds <= _LATEST:
            return None
        moment = datetime.fromtimestamp(int(seconds), UTC)
    else:
        given = entry.moment_if_any("date_shipped")
        if given is None:
            return None
        moment = given
    is_midnight = moment.timestamp() % _DAY.total_seconds() == 0
    return max(moment, min(moment + _DAY, updated_at)) if is_midnight else moment


def _of_fulfillment(document: Reader, zone: tzinfo) -> Shipment | None:
    """A fulfillment with a tracking number; one without may be a download that WooCommerce fulfilled by itself."""
    meta = {entry.text("key"): entry.value("value") for entry in document.items("meta_data")}
    fields = Reader(meta, f"{document.where}.meta_data")
    number = fields.text("_tracking_number").strip()
    if not number or document.has("date_deleted"):
        return None
    fulfilled = document.flag("is_fulfilled")
    provider = fields.text("_shipment_provider") or fields.text("_shipping_provider")
    carrier = fields.text("_provider_name") if provider == "other" else provider
    return Shipment(
        shipment_id=f"fulfillment-{document.key('id')}",
        status=ShipmentStatus.ACCEPTED if fulfilled else ShipmentStatus.LABEL_CREATED,
        status_word=document.text("status"),
        updated_at=document.moment("date_updated", zone),
        shipped_at=fields.moment_if_any("_date_fulfilled", zone) if fulfilled else None,
        tracking=(TrackingNumber(number, carrier or provider, fields.text("_tracking_url")),),
        items=tuple(_item(item, "item_id", "qty") for item in fields.items("_items")),
    )


def _item(item: Reader, line_id: str, quantity: str) -> ShipmentItem:
    return ShipmentItem(item.key(line_id), item.amount(quantity))
