"""The values that words may name."""

from decimal import Decimal

import pytest

from connector.domain.record import OrderRecord
from connector.domain.shop import Shop, Voice
from connector.domain.status import OrderState, PaymentState
from notifications.formatting import formats
from notifications.placeholders import PLACEHOLDERS, Values, greeting_name, placeholders
from tests.builders import address, minimal_snapshot, order_snapshot, record, refund, shop


def values(known: OrderRecord, merchant: Shop | None = None, refund_id: str = "", *, paid: bool = True) -> Values:
    assert known.snapshot
    return placeholders(
        known,
        known.snapshot,
        merchant or shop(),
        formats("en", "Europe/Berlin"),
        shipment=None,
        refund=known.refund(refund_id),
        paid=paid,
        attached=False,
    )


@pytest.mark.parametrize("known", [record(), record(snapshot=minimal_snapshot())])
def test_every_placeholder_has_a_value_and_none_is_an_empty_string(known: OrderRecord) -> None:
    assert values(known).keys() == PLACEHOLDERS.keys()
    assert "" not in values(known).values()


@pytest.mark.parametrize(
    ("first_name", "locale", "greeted"),
    [
        ("Ελένη", "el", "Ελένη"),
        ("Γιώργος", "el", ""),
        ("ΓΙΩΡΓΟΣ", "el", ""),
        ("Γιώργος", "en", "Γιώργος"),
        ("  ", "en", ""),
        ("x" * 100, "en", "x" * 39 + "…"),
    ],
)
def test_people_are_greeted_by_a_name_that_is_right_or_none(first_name: str, locale: str, greeted: str) -> None:
    assert greeting_name(order_snapshot(billing=address(first_name=first_name), shipping=None), locale) == greeted


def test_who_ordered_is_greeted_before_who_receives() -> None:
    snapshot = order_snapshot(billing=address(first_name="Ana"), shipping=address(first_name="Bo"))
    assert greeting_name(snapshot, "en") == "Ana"
    assert greeting_name(order_snapshot(billing=None), "en") == "Eleni"


def test_a_kind_the_shop_does_not_send_is_not_promised() -> None:
    silent = shop(voices={"shipped": Voice.NOBODY, "refunded": Voice.NOBODY})
    told = values(record(), silent)
    assert (told["tells_shipping"], told["tells_refund"], told["tells_payment"]) == (False, False, True)


def test_a_parcel_is_promised_only_while_something_is_to_leave() -> None:
    completed = record(snapshot=order_snapshot(state=OrderState.COMPLETED))
    assert (values(record())["tells_shipping"], values(completed)["tells_shipping"]) == (True, False)


@pytest.mark.parametrize(
    ("payment", "refunds", "expected"),
    [
        (PaymentState.PENDING, (), (None, True, False)),
        (PaymentState.VOIDED, (), (None, True, False)),
        (PaymentState.PAID, (), (None, False, True)),
        (PaymentState.REFUNDED, (refund(),), ("€12.50", False, False)),
        (PaymentState.PARTIALLY_PAID, (), (None, False, False)),
        (PaymentState.UNKNOWN, (), (None, False, False)),
    ],
)
def test_p5_a_cancelled_orders_money_is_told_only_as_known(
    payment: PaymentState, refunds: tuple[object, ...], expected: tuple[object, ...]
) -> None:
    told = values(record(snapshot=order_snapshot(payment=payment), refunds=refunds))
    assert (told["refunded_total"], told["nothing_taken"], told["refund_open"]) == expected


def test_a_refund_is_full_in_part_or_completes_earlier_ones() -> None:
    full = record(refunds=(refund(amount=Decimal("148.80")),))
    part = record(refunds=(refund(),))
    rest = record(refunds=(refund(), refund(refund_id="refund-2", amount=Decimal("136.30"), reason="")))
    assert [values(full, refund_id="refund-1")[key] for key in ("refund_is_full", "refund_completes")] == [True, True]
    assert [values(part, refund_id="refund-1")[key] for key in ("refund_is_full", "refund_completes")] == [False, False]
    assert [values(rest, refund_id="refund-2")[key] for key in ("refund_is_full", "refund_completes")] == [False, True]
    assert values(rest, refund_id="refund-2")["refund_reason"] is None


def test_an_open_payment_is_told_only_while_it_is_pending() -> None:
    pending = record(snapshot=order_snapshot(payment=PaymentState.PENDING))
    assert values(pending, paid=False)["payment_open"] is True
    assert values(pending, paid=True)["payment_open"] is False
    assert values(record(snapshot=order_snapshot(payment=PaymentState.AUTHORIZED)), paid=False)["payment_open"] is False
