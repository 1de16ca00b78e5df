"""Lines carry the order's money once, after discounts, however a shop writes its rows."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.magento.lines import line_items
from adapters.reading import Reader
from connector.domain.order import LineItem, Tax
from tests.adapters.magento.papers import row


def lines_of(*rows: dict[str, Any], **order: Any) -> tuple[LineItem, ...]:
    return line_items(Reader({"items": list(rows)} | order))


def test_children_of_configurables_are_not_lines() -> None:
    parent = row(1, product_type="configurable", sku="APRON-M")
    child = row(2, parent_item_id=1, row_total=0, price=69, tax_amount=0, sku="APRON-M", parent_item=parent)
    assert [line.line_id for line in lines_of(parent, child, subtotal=10)] == ["1"]


def test_a_configurables_child_is_no_line_even_where_it_repeats_the_amounts() -> None:
    parent, child = row(1, product_type="configurable"), row(2, parent_item_id=1)
    assert [line.line_id for line in lines_of(parent, child, subtotal=10)] == ["1"]


def test_a_child_id_may_be_text_where_its_parent_is_a_number() -> None:
    assert len(lines_of(row(1, product_type="configurable"), row(2, parent_item_id="1"))) == 1


def test_the_children_of_a_dynamic_bundle_are_the_lines() -> None:
    bundle = row(1, product_type="bundle", name="Breakfast set", sku="SET", price=30, row_total=30, tax_amount=5)
    children = row(2, parent_item_id=1, row_total=10), row(3, parent_item_id=1, row_total=20, qty_ordered=2)
    lines = lines_of(bundle, *children, subtotal=30)
    assert [(line.line_id, str(line.total)) for line in lines] == [("2", "10"), ("3", "20")]
    assert lines[0].details == (("Breakfast set", "SET"),)


def test_a_dynamic_bundle_without_own_amount_is_not_a_line_either() -> None:
    bundle = row(1, product_type="bundle", price=0, row_total=0, tax_amount=0)
    assert [line.line_id for line in lines_of(bundle, row(2, parent_item_id=1), subtotal=10)] == ["2"]


def test_a_bundle_with_a_fixed_price_is_the_line() -> None:
    bundle = row(1, product_type="bundle", price=30, row_total=30)
    children = row(2, parent_item_id=1, row_total=0, price=0), row(3, parent_item_id=1, row_total=0, price=0)
    assert [(line.line_id, str(line.total)) for line in lines_of(bundle, *children, subtotal=30)] == [("1", "30")]


def test_the_subtotal_decides_when_a_fixed_bundles_children_show_prices_too() -> None:
    bundle = row(1, product_type="bundle", price=30, row_total=30)
    assert [line.line_id for line in lines_of(bundle, row(2, parent_item_id=1, row_total=7), subtotal=30)] == ["1"]


def test_row_totals_before_discounts_are_discounted_once() -> None:
    line = lines_of(row(price=80, qty_ordered=2, row_total=160, discount_amount=32), subtotal=160)[0]
    assert (str(line.subtotal), str(line.total)) == ("160", "128")


def test_row_totals_after_discounts_are_not_discounted_again() -> None:
    line = lines_of(row(price=69, row_total=Decimal("55.2"), discount_amount=Decimal("13.8")), subtotal=69)[0]
    assert (str(line.subtotal), str(line.total)) == ("69.0", "55.2")


def test_without_a_subtotal_price_times_quantity_tells_whether_a_row_is_discounted() -> None:
    before = lines_of(row(price=80, qty_ordered=2, row_total=160, discount_amount=32))[0]
    after = lines_of(row(price=80, qty_ordered=2, row_total=128, discount_amount=32))[0]
    assert before.total == after.total == 128


def test_the_tax_inside_a_discount_goes_back_where_catalog_prices_include_tax() -> None:
    taxed = row(
        price=100, row_total=100, discount_amount=Decimal("11.9"), discount_tax_compensation_amount=Decimal("1.9")
    )
    assert lines_of(taxed, subtotal=100)[0].total == 90


def test_a_line_given_away_is_worth_nothing() -> None:
    assert lines_of(row(price=44, row_total=44, discount_amount=44), subtotal=44)[0].total == 0
    assert lines_of(row(price=44, row_total=0, discount_amount=44), subtotal=44)[0].total == 0


def test_amounts_keep_the_places_they_were_written_with() -> None:
    plain = lines_of(row(price=293, row_total=293), row(12, row_total="12.3750"), subtotal=Decimal("305.375"))
    assert [str(line.total) for line in plain] == ["293", "12.3750"]


def test_taxes_of_a_line_come_by_rate_or_from_its_own_row() -> None:
    applied = {"item_id": 11, "applied_taxes": [{"title": "VAT", "percent": 19, "amount": Decimal("1.9")}]}
    listed = lines_of(row(), extension_attributes={"item_applied_taxes": [applied]})[0]
    assert listed.taxes == (Tax("VAT", Decimal("1.9"), Decimal(19)),)
    assert lines_of(row())[0].taxes == (Tax("", Decimal("1.9"), Decimal(19)),)


def test_taxes_on_a_rows_wrapping_are_not_the_rows_own() -> None:
    applied = [{"title": "VAT", "percent": 19, "amount": 1}]
    entries = [{"type": kind, "item_id": 11, "applied_taxes": applied} for kind in ("product", "item_gw")]
    assert len(lines_of(row(), extension_attributes={"item_applied_taxes": entries})[0].taxes) == 1


def test_a_rate_that_is_not_listed_for_a_row_is_the_orders_rate_of_that_percent() -> None:
    rates = [{"title": "VAT", "percent": 19, "amount": 3}, {"title": "Books", "percent": 7, "amount": 1}]
    applied = {"applied_taxes": rates}
    assert lines_of(row(), extension_attributes=applied)[0].taxes == (Tax("VAT", Decimal("1.9"), Decimal(19)),)
    assert lines_of(row(tax_percent=20), extension_attributes=applied)[0].taxes[0].label == ""
    assert lines_of(row(tax_amount=0), extension_attributes=applied)[0].taxes == ()


def test_what_was_cancelled_or_refunded_is_no_longer_current() -> None:
    line = lines_of(row(qty_ordered=5, qty_canceled=1, qty_refunded=2))[0]
    assert (line.quantity, line.current_quantity) == (Decimal(5), Decimal(2))


money = st.decimals(min_value=0, max_value=10_000, places=2)


@given(st.lists(st.tuples(money, st.integers(1, 20), st.integers(0, 100)), min_size=1, max_size=8), st.booleans())
def test_the_lines_add_up_to_the_subtotal_less_the_discount_in_both_styles(
    goods: list[tuple[Decimal, int, int]], is_discounted: bool
) -> None:
    rows, subtotal, discounts = [], Decimal(0), Decimal(0)
    for position, (price, quantity, percent) in enumerate(goods):
        full = price * quantity
        discount = (full * percent / 100).quantize(Decimal("0.01"))
        written = full - discount if is_discounted else full
        rows.append(row(position + 1, price=price, qty_ordered=quantity, row_total=written, discount_amount=discount))
        subtotal, discounts = subtotal + full, discounts + discount
    added = sum((line.total for line in lines_of(*rows, subtotal=subtotal)), Decimal(0))
    # Discounts too small to tell the styles apart are within rounding.
    assert abs(added - (subtotal - discounts)) <= Decimal("0.02")
