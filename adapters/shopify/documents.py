"""What every document of Shopify's needs: ids that were not rounded, and amounts in the customer's currency."""

import re
from dataclasses import dataclass
from decimal import Decimal

from adapters.reading import Reader
from connector.domain.errors import Permanent
from connector.domain.order import Tax

_GLOBAL_ID = re.compile(r"gid://shopify/([A-Za-z]{1,60})/(\d{1,40})(\?.*)?", re.DOTALL)
_KEY = re.compile(r"\d{1,40}", re.ASCII)


def kind_of(document: Reader) -> str:
    """What a document says it is (`Order`, `Fulfillment`, …); empty when it has no global id."""
    found = _GLOBAL_ID.fullmatch(_global_id(document))
    return found.group(1) if found else ""


def key_of(document: Reader) -> str:
    """The object's key as text, from its global id where it has one.

    Anything that read the JSON with floating point on the way here has rounded a 64-bit `id` (…508 became …500); the
    global id is text and came through whole. Raises UnreadableDelivery when there is neither.
    """
    found = _GLOBAL_ID.fullmatch(_global_id(document))
    return found.group(2) if found else document.key("id")


def is_key(text: str) -> bool:
    """Whether it has the form of a key of Shopify's."""
    return _KEY.fullmatch(text) is not None


def global_id(kind: str, key: str) -> str:
    """`gid://shopify/Order/123` from `123`. Raises Permanent for what is no key of Shopify's."""
    if not is_key(key):
        raise Permanent(f"{key[:40]!r} is no id that Shopify gives")
    return f"gid://shopify/{kind}/{key}"


def number_of(gid: str) -> str:
    """`123` from `gid://shopify/Order/123`; empty for anything else."""
    found = _GLOBAL_ID.fullmatch(gid)
    return found.group(2) if found else ""


def _global_id(document: Reader) -> str:
    value = document.value("admin_graphql_api_id")
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Currencies:
    """The currency the customer pays in and the shop's own (ISO 4217); most amounts are told in both."""

    customer: str
    shop: str

    def told(self, document: Reader, name: str) -> Decimal | None:
        """The amount `name` in the customer's currency, from `<name>_set`, or as it stands where there is one currency.

        None when it is not told in that currency: there is no rate that could be guessed.
        """
        for side in ("presentment_money", "shop_money"):
            money = document.part(f"{name}_set.{side}")
            if money.text("currency_code") == self.customer:
                return money.amount_if_any("amount")
        return document.amount_if_any(name) if self.customer == self.shop else None

    def amount(self, document: Reader, name: str) -> Decimal:
        """As `told`, but it must be there."""
        amount = self.told(document, name)
        if amount is None:
            raise document.refusal(name, f"it is not told in {self.customer[:3]}", "an amount in the order's currency")
        return amount

    def taxes(self, document: Reader) -> tuple[Tax, ...]:
        """The `tax_lines` of an order, a line or a charge."""
        return tuple(
            Tax(one.text("title"), self.amount(one, "price"), _percent(one)) for one in document.items("tax_lines")
        )


def order_currencies(order: Reader) -> Currencies:
    """The two currencies of an order. An order told without the customer's amounts is read in the shop's currency."""
    total = order.part("total_price_set")
    shop = order.text("currency") or total.text("shop_money.currency_code")
    customer = total.text("presentment_money.currency_code") if total.has("presentment_money.amount") else shop
    if not customer:
        raise order.refusal("currency", "it is missing", "a currency code of three letters")
    return Currencies(customer, shop or customer)


def _percent(tax: Reader) -> Decimal | None:
    """`rate` is a share: 0.0825 means 8.25 %."""
    rate = tax.amount_if_any("rate")
    if rate is None:
        return None
    percent = (rate * 100).normalize()
    return percent if percent.as_tuple().exponent in range(-40, 1) else percent.quantize(Decimal(1))
