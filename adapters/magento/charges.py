"""What an order charges beside its lines: shipping, fees, gift wrapping, and credit that lowers what is to pay."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from adapters.magento.amounts import NOTHING, amount_or_zero
from adapters.magento.taxes import by_the_orders_rate, order_taxes, shipping_taxes
from adapters.reading import Reader
from connector.domain.order import Charge


@dataclass(frozen=True, slots=True)
class Extra:
    """A pair of fields in `extension_attributes` that hold one extra amount and its tax."""

    kind: str
    amount: str
    tax: str = ""


EXTRAS = (
    Extra("fee", "gw_price", "gw_tax_amount"),  # Gift wrapping
    Extra("fee", "gw_items_price", "gw_items_tax_amount"),  # Gift wrapping
    Extra("fee", "gw_card_price", "gw_card_tax_amount"),  # Greeting card
    Extra("fee", "mollie_payment_fee", "mollie_payment_fee_tax"),  # Payment fee
    Extra("credit", "customer_balance_amount"),  # Store credit
    Extra("credit", "gift_cards_amount"),  # Gift card
    Extra("credit", "reward_currency_amount"),  # Reward points
)
"""Amounts beside the stock ones: Adobe Commerce's own (schema 2.4.9), and extensions seen in the wild.

They come without a label, so the charge has no name and is called by its kind in the customer's language (P9).
"""


def charges(order: Reader) -> tuple[Charge, ...]:
    """All charges of an order document in the order's currency, without tax and after discounts."""
    return (*_shipping(order), *_extras(order), *_listed_fees(order))


def _shipping(order: Reader) -> Iterator[Charge]:
    if order.flag("is_virtual") or not order.has("shipping_amount"):
        return
    amount = order.amount("shipping_amount")
    discount = abs(amount_or_zero(order, "shipping_discount_amount"))
    discount -= amount_or_zero(order, "shipping_discount_tax_compensation_amount")
    yield Charge(
        kind="shipping",
        name=order.text("shipping_description"),
        total=amount - discount if discount else amount,
        tax=amount_or_zero(order, "shipping_tax_amount"),
        taxes=shipping_taxes(order),
    )


def _extras(order: Reader) -> Iterator[Charge]:
    found = order.part("extension_attributes")
    for extra in EXTRAS:
        amount = amount_or_zero(found, extra.amount)
        if amount:
            tax = amount_or_zero(found, extra.tax) if extra.tax else NOTHING
            yield _charge(order, extra.kind, "", -abs(amount) if extra.kind == "credit" else amount, tax)


def _listed_fees(order: Reader) -> Iterator[Charge]:
    """Fees in lists: Adobe's `custom_fees` and the total groups of Fooman's extensions."""
    for fee in order.items("extension_attributes.custom_fees"):
        if amount_or_zero(fee, "custom_fee_amount"):
            name = fee.text("custom_fee_label") or fee.text("custom_fee_code")
            yield _charge(order, "fee", name, amount_or_zero(fee, "custom_fee_amount"), NOTHING)
    for fee in order.items("extension_attributes.fooman_total_group.items"):
        if amount_or_zero(fee, "amount"):
            name = fee.text("label") or fee.text("code")
            yield _charge(order, "fee", name, amount_or_zero(fee, "amount"), amount_or_zero(fee, "tax_amount"))


def _charge(order: Reader, kind: str, name: str, amount: Decimal, tax: Decimal) -> Charge:
    """The rate of a fee's tax is not listed anywhere; where the order has only one, it is that one."""
    return Charge(kind, name, amount, tax, by_the_orders_rate(tax, None, order_taxes(order)))
