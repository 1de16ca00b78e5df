"""Reads Shopify's refunds: how much money went back, which is not always what the refunded lines come to."""

from decimal import Decimal

from adapters.reading import Reader
from adapters.shopify.documents import Currencies, key_of
from connector.domain.delivery import Ignored, LookAgain, RefundUpdate, Subject
from connector.domain.order import Refund


def read_refund(document: Reader) -> RefundUpdate | Ignored | LookAgain:
    """The body of refunds/create.

    When its transactions do not say the amount in one currency, the order has to be asked: the lines alone do not
    say whether tax is inside their subtotals.
    """
    order_id = document.key("order_id")
    currencies = refund_currencies(document)
    amount = _moved(document, currencies)
    if amount is None:
        return LookAgain(Subject.ORDER, order_id, order_id, "a refund whose amount only the order can tell")
    if amount == 0:
        return Ignored("a refund without money (goods put back, or the payment provider has not paid yet)", order_id)
    return RefundUpdate(order_id, _refund(document, amount, currencies.customer))


def read_refunds(order: Reader, currencies: Currencies) -> tuple[Refund, ...]:
    """The refunds of an order document in its own currency, without those that moved no money."""
    return tuple(
        _refund(one, amount, currencies.customer)
        for one in order.items("refunds")
        if (amount := _amount(one, currencies, tax_inside=order.flag("taxes_included")))
    )


def _refund(document: Reader, amount: Decimal, currency: str) -> Refund:
    return Refund(
        refund_id=key_of(document),
        amount=amount,
        refunded_at=document.moment_if_any("processed_at") or document.moment("created_at"),
        reason=document.text("note"),
        currency=currency,
    )


def refund_currencies(document: Reader) -> Currencies:
    """The currencies a refund names in its own amounts; empty where it names none.

    `transactions[].currency` may be null (shopify reference, data 2026-07), so it is only asked last.
    """
    told = [document.part("total_duties_set")]
    told += [line.part("subtotal_set") for line in document.items("refund_line_items")]
    told += [one.part("amount_set") for one in document.items("order_adjustments")]
    for money in told:
        if money.has("presentment_money.currency_code"):
            return Currencies(money.text("presentment_money.currency_code"), money.text("shop_money.currency_code"))
    named = {one.text("currency") for one in document.items("transactions")}
    only = named.pop() if len(named) == 1 else ""
    return Currencies(only, only)


def _amount(refund: Reader, currencies: Currencies, *, tax_inside: bool) -> Decimal:
    moved = _moved(refund, currencies)
    return _calculated(refund, currencies, tax_inside=tax_inside) if moved is None else moved


def _moved(refund: Reader, currencies: Currencies) -> Decimal | None:
    """What successful transactions paid back; None when they are not told, or not in the customer's currency.

    A transaction that names no currency is believed where there is only one it can be.
    """
    if not isinstance(refund.value("transactions"), list):
        return None
    paid = [one for one in refund.items("transactions") if one.text("kind") == "refund"]
    paid = [one for one in paid if one.text("status") == "success"]
    default = currencies.customer if currencies.customer == currencies.shop else None
    if any((one.text("currency") or default) != currencies.customer for one in paid):
        return None
    return sum((one.amount("amount") for one in paid), Decimal(0))


def _calculated(refund: Reader, currencies: Currencies, *, tax_inside: bool) -> Decimal:
    """Lines, shipping and adjustments of a refund; adjustments are negative where money goes back."""
    total = Decimal(0)
    for line in refund.items("refund_line_items"):
        total += _sum_of(line, currencies, "subtotal", "" if tax_inside else "total_tax")
    shipping = refund.items("refund_shipping_lines")
    for one in shipping:
        total += _sum_of(one, currencies, "subtotal_amount", "" if tax_inside else "tax_amount")
    for one in refund.items("order_adjustments"):
        if not (shipping and one.text("kind") == "shipping_refund"):  # older versions told shipping only here
            total -= _sum_of(one, currencies, "amount", "tax_amount")
    return total


def _sum_of(document: Reader, currencies: Currencies, *names: str) -> Decimal:
    return sum((currencies.told(document, name) or Decimal(0) for name in names if name), Decimal(0))
