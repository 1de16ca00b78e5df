"""Whether what the service knows of a shop's orders is what the shop itself knows."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from adapters.twins import Truth
from connector.demo.shopfront import Shopfront
from connector.domain.record import OrderRecord
from connector.flow.service import Service
from connector.tables import orders

EVERY_ORDER = 10_000


def differences(service: Service, place: Shopfront) -> Iterator[str]:
    """A sentence for each order that is missing, made up, or known differently."""
    return compared(place.twin.host, place.twin.truth(), known(service, place.shop_id))


def known(service: Service, shop_id: str) -> dict[str, Truth]:
    """All orders the service knows of a shop, by id."""
    with service.database.read() as connection:
        every = orders.newest(connection, shop_id, limit=EVERY_ORDER)
    return {record.order_id: told(record) for record in every}


def compared(host: str, truth: Mapping[str, Truth], ours: Mapping[str, Truth]) -> Iterator[str]:
    """Where two views of a shop's orders differ, a sentence an order."""
    for order_id in sorted(truth.keys() | ours.keys()):
        if order_id not in ours:
            yield f"truth: order {order_id} of {host} is not known"
        elif order_id not in truth:
            yield f"truth: order {order_id} of {host} is not there"
        elif ours[order_id] != truth[order_id]:
            yield f"truth: order {order_id} of {host} is {truth[order_id]}, and known as {ours[order_id]}"


def told(record: OrderRecord) -> Truth:
    """An order as the service knows it, in the words its shop is asked in."""
    snapshot = record.snapshot
    return Truth(
        order_id=record.order_id,
        number=snapshot.number if snapshot else "",
        status_word=snapshot.status_word if snapshot else "",
        total=snapshot.total if snapshot else Decimal(0),
        refunded=sum((refund.amount for refund in record.refunds), Decimal(0)),
        tracking_numbers=frozenset(one.number for parcel in record.parcels for one in parcel.tracking if one.number),
    )
