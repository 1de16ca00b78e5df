"""Lists of products, sums and parcels as the customer reads them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.order import Charge, OrderSnapshot, Shipment, ShipmentItem, Tax, TrackingNumber
from connector.domain.record import OrderRecord
from connector.domain.status import OrderState, ShipmentStatus
from notifications.formatting import formats
from notifications.summary import LISTED, Parcel, order_items, parcel, parcel_position, still_to_leave, totals
from notifications.wording import phrases
from tests.builders import DELIVERED, line, minimal_snapshot, order_snapshot, record, refund, shipment

FORMATS, PHRASES = formats("en", "Europe/Berlin"), phrases("en")
CUPS = shipment(shipment_id="parcel-2", items=(ShipmentItem("line-2", Decimal(4)),))
CARD = shipment(shipment_id="parcel-3", items=(ShipmentItem("line-3", Decimal(1)),))


def sums(snapshot: OrderSnapshot, **changes: object) -> list[tuple[str, str]]:
    rows = totals(record(snapshot=snapshot, **changes), snapshot, FORMATS, PHRASES)
    return [(row.label, row.value) for row in rows]


def shown(known: OrderRecord, one: Shipment) -> Parcel:
    assert known.snapshot
    made = parcel(known, known.snapshot, one, FORMATS, PHRASES)
    assert made
    return made


def position(known: OrderRecord, one: Shipment) -> tuple[int, int, bool]:
    assert known.snapshot
    place = parcel_position(known, known.snapshot, one)
    return place.number, place.count, place.is_part


def test_p6_sums_are_the_platforms_and_tax_inside_the_prices_comes_after_the_total() -> None:
    assert sums(order_snapshot()) == [
        ("Items", "€142.90"),
        ("Shipping (Standard)", "€5.90"),
        ("Total", "€148.80"),
        ("Including VAT (19%)", "€23.75"),
        ("Discounts already taken off", "€10.00"),
    ]


def test_p6_tax_on_top_of_the_prices_comes_before_the_total() -> None:
    snapshot = order_snapshot(
        prices_include_tax=False,
        discount_total=Decimal("0.00"),
        taxes=(Tax("State tax", Decimal("9.10"), Decimal("6.25")), Tax("VAT 19%", Decimal("1.05"), Decimal(19))),
        charges=(
            Charge("fee", "Gift wrapping", Decimal("3.00"), Decimal(0)),
            Charge("tip", "", Decimal(2), Decimal(0)),
        ),
    )
    assert sums(snapshot) == [
        ("Items", "€142.90"),
        ("Shipping", "€5.90"),
        ("Fee (Gift wrapping)", "€3.00"),
        ("Tip", "€2.00"),
        ("State tax (6.25%)", "€9.10"),
        ("VAT 19%", "€1.05"),
        ("Total", "€148.80"),
    ]


def test_p6_sums_that_do_not_add_up_are_printed_all_the_same() -> None:
    assert ("Total", "€1.000") in sums(order_snapshot(total=Decimal("1.000")))


def test_a_tax_without_rates_is_still_shown() -> None:
    assert ("Including Tax", "€23.75") in sums(order_snapshot(taxes=()))


def test_what_is_not_shipped_has_no_shipping_costs() -> None:
    assert sums(minimal_snapshot(needs_shipping=False)) == [("Items", "€4.90"), ("Total", "€4.90")]


def test_refunds_come_last_with_their_day() -> None:
    assert sums(order_snapshot(), refunds=(refund(),))[-1] == ("Refunded on November 25, 2026", "€12.50")


def test_a_long_order_is_cut_and_says_so() -> None:
    many = order_snapshot(lines=tuple(line(line_id=str(number)) for number in range(200)))
    items = order_items(many, FORMATS, PHRASES)
    assert len(items.listed) == LISTED
    assert items.more == "and 170 more products"
    assert order_items(replace(many, lines=many.lines[:LISTED]), FORMATS, PHRASES).more == ""


def test_a_line_without_a_name_shows_its_sku() -> None:
    nameless = order_snapshot(lines=(line(name=" "), line(name="", sku="")))
    assert [item.name for item in order_items(nameless, FORMATS, PHRASES).listed] == ["LIN-M-SAND", "?"]


def test_parcels_are_counted_only_when_nothing_is_outside_of_them() -> None:
    first = shipment()
    assert position(record(shipments=(first,)), first) == (1, 0, True)
    assert position(record(shipments=(first, CUPS)), CUPS) == (2, 0, True)
    assert position(record(shipments=(first, CUPS, CARD)), CUPS) == (2, 3, True)


def test_a_parcel_is_named_by_what_is_known_of_its_place() -> None:
    first = shipment()
    assert shown(record(shipments=(first,)), first).title == "Parcel"
    assert shown(record(shipments=(first, CUPS)), CUPS).title == "Parcel 2"
    assert shown(record(shipments=(first, CUPS, CARD)), CUPS).title == "Parcel 2 of 3"


def test_one_parcel_with_everything_is_the_order() -> None:
    everything = shipment(items=(*shipment().items, *CUPS.items, *CARD.items))
    assert position(record(shipments=(everything,)), everything) == (1, 0, False)


def test_a_cancelled_parcel_does_not_count() -> None:
    known = record(shipments=(replace(CARD, status=ShipmentStatus.CANCELLED), shipment(), CUPS))
    assert position(known, CUPS) == (2, 0, True)


def test_p5_parcels_of_unknown_contents_are_not_counted_while_the_order_is_open() -> None:
    first, second = shipment(items=()), replace(CUPS, items=())
    assert position(record(shipments=(first, second)), second) == (2, 0, True)
    completed = order_snapshot(state=OrderState.COMPLETED)
    assert position(record(snapshot=completed, shipments=(first, second)), second) == (2, 2, True)


def test_what_has_not_left_yet_is_still_to_come() -> None:
    known = record(shipments=(shipment(), replace(CUPS, status=ShipmentStatus.LABEL_CREATED, shipped_at=None), CARD))
    made = shown(known, known.shipments[0])
    assert made.title == "Parcel 1 of 3"
    assert [(item.quantity, item.name) for item in made.items.listed] == [("2", "Linen shirt Marina")]
    assert (made.rest_title, [item.name for item in made.rest.listed]) == (
        "Still to come",
        ["Stoneware cup, blue glaze"],
    )


def test_after_a_delivery_what_is_on_its_way_is_not_delivered_yet() -> None:
    arrived = shipment(status=ShipmentStatus.DELIVERED, delivered_at=DELIVERED)
    made = shown(record(shipments=(arrived, CUPS, CARD)), arrived)
    assert (made.rest_title, len(made.rest.listed)) == ("Not delivered yet", 2)
    assert "Expected delivery" not in [row.label for row in made.rows]


def test_half_a_line_leaves_the_other_half() -> None:
    half = shipment(items=(ShipmentItem("line-2", Decimal("1.5")),))
    rest = shown(record(shipments=(half,)), half).rest
    assert [(item.quantity, item.name) for item in rest.listed][1] == ("2.5", "Stoneware cup, blue glaze")


def test_digital_and_removed_lines_are_never_to_come() -> None:
    lines = order_snapshot().lines
    changed = (lines[0], replace(lines[1], needs_shipping=False), replace(lines[2], current_quantity=Decimal(0)))
    known = record(snapshot=order_snapshot(lines=changed), shipments=(shipment(),))
    assert shown(known, shipment()).rest.listed == ()


def test_p5_after_a_refund_nothing_is_promised_unless_the_platform_says_what_is_left() -> None:
    known = record(shipments=(shipment(),), refunds=(refund(),))
    assert shown(known, shipment()).rest.listed == ()
    told = tuple(replace(one, current_quantity=one.quantity) for one in order_snapshot().lines)
    assert len(shown(replace(known, snapshot=order_snapshot(lines=told)), shipment()).rest.listed) == 2


def test_a_carriers_code_is_shown_as_a_name() -> None:
    made = shown(record(), shipment(tracking=(TrackingNumber("1Z", "an-post"),)))
    assert made.rows[0].value == "An Post"


def test_only_web_pages_become_tracking_links() -> None:
    numbers = (
        TrackingNumber("A1", "One", "https://one.example/A1"),
        TrackingNumber("B2", "", "javascript:alert(1)"),
        TrackingNumber(" ", "Three", "https://three.example/"),
    )
    made = shown(record(), shipment(tracking=numbers))
    assert [(link.label, link.url) for link in made.links] == [("Track A1", "https://one.example/A1")]
    assert [row.value for row in made.rows] == ["One", "A1", "B2", "Three", "November 24, 2026"]


ALL_IN_ONE = (*shipment().items, *CUPS.items, *CARD.items)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (record(), True),
        (record(shipments=(shipment(),)), True),
        (record(shipments=(shipment(items=ALL_IN_ONE, status=ShipmentStatus.LABEL_CREATED, shipped_at=None),)), True),
        (record(shipments=(shipment(items=ALL_IN_ONE, status=ShipmentStatus.CANCELLED),)), True),
        (record(snapshot=order_snapshot(state=OrderState.ON_HOLD)), True),
        (record(shipments=(shipment(items=ALL_IN_ONE),)), False),
        (record(shipments=(shipment(items=ALL_IN_ONE, status=ShipmentStatus.DELIVERED),)), False),
        (record(snapshot=order_snapshot(state=OrderState.COMPLETED)), False),
        (record(snapshot=order_snapshot(state=OrderState.CANCELLED)), False),
        (record(snapshot=order_snapshot(needs_shipping=False)), False),
        (record(snapshot=order_snapshot(lines=(line(needs_shipping=False),))), False),
        (record(snapshot=order_snapshot(lines=(line(current_quantity=Decimal(0)),))), False),
        # P5: where the platform does not say enough, nothing is known to be left.
        (record(snapshot=order_snapshot(state=OrderState.UNKNOWN)), False),
        (record(shipments=(shipment(items=()),)), False),
        (record(refunds=(refund(),)), False),
    ],
)
def test_something_is_still_to_leave_only_where_the_record_shows_it(known: OrderRecord, expected: bool) -> None:
    assert known.snapshot
    assert still_to_leave(known, known.snapshot) is expected


def test_a_parcel_nothing_is_known_of_has_no_panel() -> None:
    bare = shipment(tracking=(), items=(), estimated_delivery_at=None)
    assert parcel(record(shipments=(bare,)), minimal_snapshot(), bare, FORMATS, PHRASES) is None


@given(st.lists(st.tuples(st.sampled_from(["line-1", "line-2", "line-3", "line-9"]), st.integers(0, 5)), max_size=8))
def test_what_is_in_parcels_and_what_is_to_come_are_together_what_was_ordered(packed: list[tuple[str, int]]) -> None:
    parcels = tuple(
        shipment(shipment_id=str(number), items=(ShipmentItem(line_id, Decimal(quantity)),))
        for number, (line_id, quantity) in enumerate(packed)
    )
    known = record(shipments=parcels)
    for one in parcels:
        rest = {item.name: Decimal(item.quantity) for item in shown(known, one).rest.listed}
        for ordered in order_snapshot().lines:
            inside = sum(quantity for line_id, quantity in packed if line_id == ordered.line_id)
            assert rest.get(ordered.name, 0) == max(ordered.quantity - inside, 0)
