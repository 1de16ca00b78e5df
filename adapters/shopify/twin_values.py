"""The small objects inside a twin's answers, put together when they are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar

from adapters.shopify.twin_paper_parts import location_id
from adapters.shopify.twin_state import Address, Fulfillment, FulfillmentOrder, Line, Metafield, Order, Refund, gid

Said = dict[str, Any]

ACTIONS = {
    "OPEN": ("CREATE_FULFILLMENT", "HOLD", "MOVE", "SPLIT"),
    "IN_PROGRESS": ("CREATE_FULFILLMENT", "HOLD"),
    "ON_HOLD": ("RELEASE_HOLD",),
}


ENTITY: Said = {
    "typename": "BusinessEntity",
    "id": gid("BusinessEntity", 1_548_380_009),
    "displayName": "Meltemi Goods GmbH",
    "companyName": "Meltemi Goods GmbH",
    "primary": True,
    "archived": False,
    "address": {"address1": "Hafenstraße 3", "city": "Hamburg", "zip": "20457", "countryCode": "DE"},
}


def bag(order: Order, amount: Decimal) -> Said:
    return {
        "shopMoney": {"amount": order.shop_amount(amount), "currencyCode": order.currency},
        "presentmentMoney": {"amount": amount, "currencyCode": order.presentment},
    }


def digest(one: Metafield) -> str:
    return sha256(f"{one.value}{one.type}".encode()).hexdigest()


def location(place: int) -> Said:
    address = {
        "address1": "Hafenstraße 3",
        "city": "Hamburg",
        "zip": "20457",
        "country": "Germany",
        "countryCode": "DE",
    }
    number = location_id(place)
    more = {"name": ("Main warehouse", "Shop in town")[place % 2], "isActive": True, "fulfillsOnlineOrders": True}
    return more | {
        "typename": "Location",
        "id": gid("Location", number),
        "legacyResourceId": number,
        "address": address | {"formatted": ["Hafenstraße 3", "20457 Hamburg", "Germany"]},
        "shipsInventory": True,
        **address,
    }


def taxes(order: Order, amount: Decimal) -> list[Said]:
    rate = {"title": order.tax_title, "rate": float(order.tax_rate), "ratePercentage": float(order.tax_rate * 100)}
    return [rate | {"source": "Shopify", "channelLiable": False, "price": amount, "priceSet": bag(order, amount)}]


def allocations(line: Line) -> list[Said]:
    if not line.discount:
        return []
    money = bag(line.order, line.discount)
    return [
        {"allocatedAmount": money["shopMoney"], "allocatedAmountSet": money}
        | {"discountApplication": _code(line.order)}
    ]


def _code(order: Order) -> Said:
    money = {"typename": "MoneyV2", "amount": order.shop_amount(order.discount), "currencyCode": order.currency}
    how = {"allocationMethod": "ACROSS", "targetType": "LINE_ITEM", "targetSelection": "ALL", "index": 0}
    return how | {"typename": "DiscountCodeApplication", "code": order.discount_code, "value": money}


def shipping_line(order: Order) -> Said:
    price = bag(order, order.shipping)
    return {
        "id": gid("ShippingLine", order.room * 1000 + 5),
        "title": "Standard",
        "code": "Standard",
        "source": "shopify",
        "carrierIdentifier": None,
        "deliveryCategory": "shipping",
        "isRemoved": False,
        "custom": False,
        "phone": None,
        "price": order.shop_amount(order.shipping),
        "originalPriceSet": price,
        "discountedPriceSet": price,
        "currentDiscountedPriceSet": bag(order, order.current_shipping),
        "taxLines": taxes(order, order.tax_on(order.shipping)),
        "discountAllocations": [],
    }


def address_lines(address: Address | Said, args: Mapping[str, Any]) -> list[str]:
    if not isinstance(address, Address):
        return []
    head = [address.name] if args.get("withName") else []
    head += [address.company] if args.get("withCompany", True) and address.company else []
    return [*head, address.address1, f"{address.zip} {address.city}", address.country]


def happenings(order: Order) -> list[Said]:
    """The order's timeline as the admin shows it."""
    told = order.history or [(order.created_at, "confirmed", "The order was placed")]
    return [
        {
            "typename": "BasicEvent",
            "id": gid("BasicEvent", order.room * 1000 + 900 + place),
            "createdAt": at,
            "action": action,
            "message": words,
            "appTitle": None,
            "attributeToApp": False,
            "attributeToUser": False,
            "criticalAlert": False,
        }
        for place, (at, action, words) in enumerate(told)
    ]


@dataclass(frozen=True, slots=True)
class Destination:
    """A fulfillment order's, with the address's fields and an e-mail."""

    typename: ClassVar[str] = "FulfillmentOrderDestination"
    work: FulfillmentOrder

    @property
    def id(self) -> int:
        return self.work.id

    @property
    def email(self) -> str:
        return self.work.order.email

    @property
    def country_code(self) -> str:
        return self.work.order.customer.address.country_code

    def __getattr__(self, name: str) -> object:
        return getattr(self.work.order.customer.address, name)


def refunded_lines(refund: Refund) -> list[Said]:
    return [
        {
            "id": gid("RefundLineItem", refund.line_id(line)),
            "quantity": quantity,
            "restockType": how,
            "restocked": how != "NO_RESTOCK",
            "lineItem": line,
            "subtotalSet": bag(refund.order, line.share(line.total, quantity)),
            "totalTaxSet": bag(refund.order, line.share(line.tax, quantity)),
            "priceSet": bag(refund.order, line.price),
        }
        for line, quantity, how in refund.lines
    ]


def refunded_shipping(refund: Refund) -> list[Said]:
    if not refund.shipping:
        return []
    money = bag(refund.order, refund.shipping)
    taxed = bag(refund.order, refund.order.tax_on(refund.shipping))
    base = {"id": gid("RefundShippingLine", refund.id + 50), "shippingLine": shipping_line(refund.order)}
    return [base | {"subtotalAmountSet": money, "taxAmountSet": taxed}]


def adjustments(refund: Refund) -> list[Said]:
    if not refund.adjustment:
        return []
    amounts = {"amountSet": bag(refund.order, -refund.adjustment), "taxAmountSet": bag(refund.order, Decimal(0))}
    return [{"id": gid("OrderAdjustment", refund.id + 60), "reason": "REFUND_DISCREPANCY"} | amounts]


def sent_lines(one: Fulfillment) -> list[Said]:
    return [
        {"id": gid("FulfillmentLineItem", one.line_id(line)), "quantity": quantity, "lineItem": line}
        for line, quantity in one.lines
    ]


def work_lines(work: FulfillmentOrder) -> list[Said]:
    return [
        {
            "typename": "FulfillmentOrderLineItem",
            "id": gid("FulfillmentOrderLineItem", line.id + 190),
            "remainingQuantity": line.remaining,
            "totalQuantity": line.current_quantity,
            "requiresShipping": line.requires_shipping,
            "sku": line.sku,
            "productTitle": line.title,
            "variantTitle": line.variant_title,
            "warnings": [],
            "financialSummaries": [],
            "lineItem": line,
        }
        for line in work.lines
    ]


def parcels_of(work: FulfillmentOrder) -> list[Fulfillment]:
    return [one for one in work.order.fulfillments if one.location == work.location]
