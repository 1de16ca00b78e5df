"""Retells an answer of the GraphQL Admin API in the words of a webhook, so that one reader understands both."""

from adapters.reading import Reader
from adapters.shopify import status

Document = dict[str, object]

_ORDER = {
    "admin_graphql_api_id": "id",
    "id": "legacyResourceId",
    "name": "name",
    "created_at": "createdAt",
    "processed_at": "processedAt",
    "updated_at": "updatedAt",
    "cancelled_at": "cancelledAt",
    "closed_at": "closedAt",
    "test": "test",
    "note": "note",
    "po_number": "poNumber",
    "email": "email",
    "phone": "phone",
    "customer_locale": "customerLocale",
    "taxes_included": "taxesIncluded",
    "duties_included": "dutiesIncluded",
    "currency": "currencyCode",
    "presentment_currency": "presentmentCurrencyCode",
    "order_status_url": "statusPageUrl",
    "payment_gateway_names": "paymentGatewayNames",
}
_ORDER_AMOUNTS = {
    "subtotal_price": "subtotalPriceSet",
    "total_discounts": "totalDiscountsSet",
    "total_shipping_price": "totalShippingPriceSet",
    "total_tax": "totalTaxSet",
    "total_tip_received": "totalTipReceivedSet",
    "total_price": "totalPriceSet",
    "current_total_price": "currentTotalPriceSet",
    "original_total_duties": "originalTotalDutiesSet",
    "original_total_additional_fees": "originalTotalAdditionalFeesSet",
    "total_cash_rounding_payment_adjustment": "totalCashRoundingAdjustment.paymentSet",
}
_ADDRESS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "province_code": "provinceCode",
    "zip": "zip",
    "country_code": "countryCodeV2",
    "phone": "phone",
}
_LINE = {
    "admin_graphql_api_id": "id",
    "name": "name",
    "title": "title",
    "sku": "sku",
    "quantity": "quantity",
    "current_quantity": "currentQuantity",
    "requires_shipping": "requiresShipping",
}
_FULFILLMENT = {
    "admin_graphql_api_id": "id",
    "id": "legacyResourceId",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "delivered_at": "deliveredAt",
    "estimated_delivery_at": "estimatedDeliveryAt",
    "requires_shipping": "requiresShipping",
}
_REFUND = {
    "admin_graphql_api_id": "id",
    "created_at": "createdAt",
    "processed_at": "processedAt",
    "note": "note",
}


def as_webhook(order: Reader) -> Reader:
    """The `order` of an answer to order.graphql as the document orders/updated would carry.

    What the answer leaves out (a field the app may not see) stays out. Raises UnreadableDelivery for another shape.
    """
    said = _renamed(order, _ORDER) | _amounts(order, _ORDER_AMOUNTS)
    said["financial_status"] = order.text("displayFinancialStatus").lower()
    said["customer"] = {"admin_graphql_api_id": order.value("customer.id")} if order.has("customer.id") else None
    said["billing_address"] = _renamed(order.part("billingAddress"), _ADDRESS)
    said["shipping_address"] = _renamed(order.part("shippingAddress"), _ADDRESS)
    said["note_attributes"] = _attributes(order)
    said["tax_registration_id"] = _tax_id(order)
    said["tax_lines"] = _taxes(order)
    said["line_items"] = [_line(one, order) for one in _listed(order, "lineItems")]
    said["shipping_lines"] = [_shipping_line(one) for one in _listed(order, "shippingLines")]
    said["additional_fees"] = [_fee(one) for one in _listed(order, "additionalFees")]
    said["transactions"] = [_transaction(one) for one in _listed(order, "transactions")]
    said["refunds"] = [_refund(one) for one in _listed(order, "refunds")]
    if order.has("fulfillments"):
        said["fulfillments"] = [_fulfillment(one) for one in _listed(order, "fulfillments")]
    return Reader(said, order.where)


def cut_lists(order: Reader) -> tuple[str, ...]:
    """The lists of an answer that go on behind what was asked for: they have to be read page by page."""
    paged = [(order, "lineItems"), (order, "shippingLines")]
    paged += [(one, "fulfillmentLineItems") for one in _listed(order, "fulfillments")]
    cut = (name for document, name in paged if document.flag(f"{name}.pageInfo.hasNextPage"))
    return tuple(dict.fromkeys(cut))


def _listed(document: Reader, name: str) -> list[Reader]:
    """A plain list or a connection's nodes: Shopify has both (shopify reference, section 3.2)."""
    return document.items(f"{name}.nodes") if isinstance(document.value(name), dict) else document.items(name)


def _renamed(document: Reader, names: dict[str, str]) -> Document:
    return {ours: document.value(theirs) for ours, theirs in names.items()}


def _amounts(document: Reader, names: dict[str, str]) -> Document:
    return {f"{ours}_set": _money(document.part(theirs)) for ours, theirs in names.items()}


def _money(bag: Reader) -> Document:
    sides = {"presentment_money": "presentmentMoney", "shop_money": "shopMoney"}
    names = {"amount": "amount", "currency_code": "currencyCode"}
    return {ours: _renamed(bag.part(theirs), names) for ours, theirs in sides.items()}


def _taxes(document: Reader) -> list[Document]:
    return [
        _renamed(one, {"title": "title", "rate": "rate"}) | _amounts(one, {"price": "priceSet"})
        for one in _listed(document, "taxLines")
    ]


def _attributes(document: Reader) -> list[Document]:
    return [_renamed(one, {"name": "key", "value": "value"}) for one in _listed(document, "customAttributes")]


def _tax_id(order: Reader) -> str:
    """A company's registered number, else what a checkout with such a field asked for (shopify reference, 3.2)."""
    fields = [one for one in _listed(order, "localizedFields") if one.text("key").startswith("TAX_CREDENTIAL_")]
    asked_for = fields[0].text("value") if fields else ""
    return order.text("purchasingEntity.location.taxSettings.taxRegistrationId") or asked_for


def _discounts(document: Reader) -> list[Document]:
    return [_amounts(one, {"amount": "allocatedAmountSet"}) for one in _listed(document, "discountAllocations")]


def _line(line: Reader, order: Reader) -> Document:
    said = _renamed(line, _LINE) | _amounts(line, {"price": "originalUnitPriceSet"})
    said["properties"] = _attributes(line)
    said["discount_allocations"] = _discounts(line)
    said["tax_lines"] = _taxes(line)
    said["duties"] = [{"tax_lines": _taxes(duty)} for duty in _listed(line, "duties")]
    return said | ({"tip_payment_gateway": None} if _is_the_tip(line, order) else {})


def _is_the_tip(line: Reader, order: Reader) -> bool:
    """The API does not mark the line that is the tip: it is neither goods nor taxed, and worth exactly the tip."""
    tip = order.text("totalTipReceivedSet.presentmentMoney.amount")
    is_thing = line.has("sku") or line.flag("requiresShipping", default=True) or line.flag("taxable", default=True)
    worth = line.amount_if_any("originalUnitPriceSet.presentmentMoney.amount")
    return bool(tip) and not is_thing and worth == order.amount_if_any("totalTipReceivedSet.presentmentMoney.amount")


def _shipping_line(line: Reader) -> Document:
    said = _renamed(line, {"title": "title", "is_removed": "isRemoved"})
    said |= _amounts(line, {"price": "originalPriceSet", "discounted_price": "discountedPriceSet"})
    return said | {"discount_allocations": _discounts(line), "tax_lines": _taxes(line)}


def _fee(fee: Reader) -> Document:
    return _renamed(fee, {"name": "name"}) | _amounts(fee, {"price": "price"}) | {"tax_lines": _taxes(fee)}


def _transaction(transaction: Reader) -> Document:
    said = {"kind": transaction.text("kind").lower(), "status": transaction.text("status").lower()}
    money = _money_of(transaction.part("amountSet.presentmentMoney"))
    return {**said, **money, "processed_at": transaction.value("processedAt")}


def _money_of(money: Reader) -> Document:
    """An amount and its currency in the words of a webhook's transaction."""
    return _renamed(money, {"amount": "amount", "currency": "currencyCode"})


def _refund(refund: Reader) -> Document:
    """A refund whose transactions the app may not see still has its total."""
    paid = [_transaction(one) for one in _listed(refund, "transactions")]
    if not refund.has("transactions"):
        whole = _money_of(refund.part("totalRefundedSet.presentmentMoney"))
        paid = [whole | {"kind": "refund", "status": "success"}]
    return _renamed(refund, _REFUND) | {"transactions": paid}


def _fulfillment(fulfillment: Reader) -> Document:
    said = _renamed(fulfillment, _FULFILLMENT)
    tracking = _listed(fulfillment, "trackingInfo")
    said["status"] = fulfillment.text("status").lower()
    said["shipment_status"] = _carriers_word(fulfillment)
    said["tracking_company"] = next((one.value("company") for one in tracking if one.has("company")), None)
    said["tracking_numbers"] = [one.text("number") for one in tracking]
    said["tracking_urls"] = [one.text("url") for one in tracking]
    said["line_items"] = [
        _renamed(one, {"admin_graphql_api_id": "lineItem.id", "quantity": "quantity"})
        for one in _listed(fulfillment, "fulfillmentLineItems")
    ]
    return said


def _carriers_word(fulfillment: Reader) -> str:
    """What `shipment_status` would say: the displayed word, or the newest event's where it repeats our own status."""
    displayed = fulfillment.text("displayStatus").lower()
    if displayed and displayed not in status.NO_NEWS_OF_A_CARRIER:
        return displayed
    events = [one for one in _listed(fulfillment, "events") if one.has("happenedAt")]
    newest = max(events, key=lambda event: event.moment("happenedAt"), default=None)
    return newest.text("status").lower() if newest else ""
