"""An id our tables cannot keep is refused with its place, and never cut."""

import pytest

from connector.domain.delivery import (
    LONGEST_ID,
    Ignored,
    LookAgain,
    RefundUpdate,
    ShipmentUpdate,
    Subject,
    Update,
    refuse_long_ids,
)
from connector.domain.errors import UnreadableDelivery
from tests.builders import order_snapshot, refund, shipment

LONG = "x" * (LONGEST_ID + 1)
FITS = "x" * LONGEST_ID


def updates(value: str) -> list[tuple[str, Update]]:
    return [
        ("order id", order_snapshot(order_id=value)),
        ("order id", ShipmentUpdate(value, shipment())),
        ("order id", RefundUpdate(value, refund())),
        ("parcel id", order_snapshot(shipments=(shipment(), shipment(shipment_id=value)))),
        ("parcel id", ShipmentUpdate("1", shipment(shipment_id=value))),
        ("refund id", order_snapshot(refunds=(refund(refund_id=value),))),
        ("refund id", RefundUpdate("1", refund(refund_id=value))),
    ]


@pytest.mark.parametrize(("field", "update"), [*updates(LONG), *updates("")])
def test_an_id_that_cannot_be_kept_is_refused_with_its_place(field: str, update: Update) -> None:
    with pytest.raises(UnreadableDelivery, match="1 to 64") as refused:
        refuse_long_ids((Ignored("fine"), update))
    assert refused.value.field == field


@pytest.mark.parametrize("update", [update for _, update in updates(FITS)])
def test_the_longest_id_is_taken(update: Update) -> None:
    refuse_long_ids((update,))


def test_hints_are_no_keys_and_pass() -> None:
    refuse_long_ids((LookAgain(Subject.ORDER, LONG, LONG, "changed"), Ignored("no news", LONG)))
