"""One parcel from all that was ever told of it, the same whatever was heard first (P3)."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from connector.domain.delivery import ShipmentUpdate
from connector.domain.order import Shipment
from connector.domain.status import ShipmentStatus


def merged(tellings: Iterable[ShipmentUpdate]) -> Shipment:
    """The parcel as it is known: the words of the newest whole telling, the furthest status, the earliest moments.

    A lower status never replaces a higher one; after a cancellation only strictly newer tellings count.
    """
    newest = _newest_first(tellings)
    words = _whole_first(newest)
    standing = _standing(newest)
    return replace(
        words[0].shipment,
        status=standing.status,
        status_word=standing.status_word,
        updated_at=newest[0].shipment.updated_at,
        shipped_at=min((one.shipment.shipped_at for one in newest if one.shipment.shipped_at), default=None),
        delivered_at=min((one.shipment.delivered_at for one in newest if one.shipment.delivered_at), default=None),
        estimated_delivery_at=next(
            (one.shipment.estimated_delivery_at for one in newest if one.shipment.estimated_delivery_at), None
        ),
        tracking=next((one.shipment.tracking for one in words if one.shipment.tracking), ()),
        items=next((one.shipment.items for one in words if one.shipment.items), ()),
    )


def deciding(tellings: Iterable[ShipmentUpdate]) -> tuple[ShipmentUpdate, ...]:
    """The tellings that decide what `merged` says, now or after others have come; the rest may be forgotten."""
    newest = _newest_first(tellings)
    words = _whole_first(newest)
    kept = {
        newest[0],
        words[0],
        *_ever_further(newest),
        *_earliest(newest, lambda shipment: shipment.shipped_at),
        *_earliest(newest, lambda shipment: shipment.delivered_at),
        *[one for one in newest if one.shipment.estimated_delivery_at][:1],
        *[one for one in words if one.shipment.tracking][:1],
        *[one for one in words if one.shipment.items][:1],
    }
    return tuple(_newest_first(kept))


def _newest_first(tellings: Iterable[ShipmentUpdate]) -> list[ShipmentUpdate]:
    """Of one moment the furthest first, then by content, so that ties end the same whatever came first."""
    return sorted(
        set(tellings), key=lambda one: (one.shipment.updated_at, one.shipment.status.rank, repr(one)), reverse=True
    )


def _whole_first(newest: list[ShipmentUpdate]) -> list[ShipmentUpdate]:
    return sorted(newest, key=lambda one: one.partial)


def _ever_further(newest: list[ShipmentUpdate]) -> list[ShipmentUpdate]:
    """Those that are further along than everything newer."""
    found: list[ShipmentUpdate] = []
    for one in newest:
        if not found or one.shipment.status.rank > found[-1].shipment.status.rank:
            found.append(one)
    return found


def _standing(newest: list[ShipmentUpdate]) -> Shipment:
    """The furthest telling; of a cancelled parcel the furthest after its cancellation, if there is any."""
    *others, furthest = (one.shipment for one in _ever_further(newest))
    return others[-1] if others and furthest.status is ShipmentStatus.CANCELLED else furthest


def _earliest(newest: list[ShipmentUpdate], moment: Callable[[Shipment], datetime | None]) -> list[ShipmentUpdate]:
    dated = [(when, one) for one in newest if (when := moment(one.shipment))]
    return [min(dated, key=lambda pair: pair[0])[1]] if dated else []
