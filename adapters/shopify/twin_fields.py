"""What a twin says when it is asked for a field; what has no entry here is the attribute of the same name."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from adapters.shopify.twin_calls import Args, Call, by_id, full_namespace, in_sequence, metafield, seen_works
from adapters.shopify.twin_search import Slice, first_of, page
from adapters.shopify.twin_state import Fulfillment, Order, gid
from adapters.shopify.twin_values import (
    ACTIONS,
    ENTITY,
    Destination,
    address_lines,
    adjustments,
    allocations,
    bag,
    digest,
    happenings,
    location,
    parcels_of,
    refunded_lines,
    refunded_shipping,
    sent_lines,
    shipping_line,
    taxes,
    work_lines,
)

Plain = Callable[[Any], object]
Asking = Callable[[Any, Call, Args], object]

ORDER: Mapping[str, Plain] = {
    "additionalFees": lambda _: [],
    "billingAddress": lambda order: order.customer.address,
    "shippingAddress": lambda order: order.customer.address,
    "displayAddress": lambda order: order.customer.address,
    "billingAddressMatchesShippingAddress": lambda _: True,
    "canNotifyCustomer": lambda order: bool(order.email),
    "closed": lambda order: order.closed_at is not None,
    "confirmationNumber": lambda order: f"CN{order.number}",
    "confirmed": lambda _: True,
    "currencyCode": lambda order: order.currency,
    "currentShippingPriceSet": lambda order: bag(order, order.current_shipping),
    "currentSubtotalLineItemsQuantity": lambda order: sum(line.current_quantity for line in order.lines),
    "currentSubtotalPriceSet": lambda order: bag(order, order.current_subtotal),
    "currentTaxLines": lambda order: taxes(order, order.current_tax),
    "currentTotalDiscountsSet": lambda order: bag(order, order.discount),
    "currentTotalPriceSet": lambda order: bag(order, order.current_total),
    "currentTotalTaxSet": lambda order: bag(order, order.current_tax),
    "currentCartDiscountAmountSet": lambda order: bag(order, Decimal(0)),
    "currentTotalWeight": lambda _: 0,
    "customAttributes": lambda order: [{"key": key, "value": value} for key, value in order.attributes],
    "customerLocale": lambda order: order.locale,
    "discountCode": lambda order: order.discount_code or None,
    "discountCodes": lambda order: [order.discount_code] if order.discount_code else [],
    "displayFinancialStatus": lambda order: order.financial_status,
    "displayFulfillmentStatus": lambda order: order.fulfillment_status,
    "fulfillable": lambda order: any(line.remaining for line in order.lines),
    "fulfillmentsCount": lambda order: {"count": len(order.fulfillments), "precision": "EXACT"},
    "fullyPaid": lambda order: not order.outstanding,
    "legacyResourceId": lambda order: order.id,
    "merchantBusinessEntity": lambda _: ENTITY,
    "netPaymentSet": lambda order: bag(order, order.received - order.refunded),
    "originalTotalPriceSet": lambda order: bag(order, order.original_total or order.total),
    "paymentCollectionDetails": lambda _: {},
    "paymentGatewayNames": lambda _: ["bogus"],
    "presentmentCurrencyCode": lambda order: order.presentment,
    "processedAt": lambda order: order.created_at,
    "purchasingEntity": lambda order: order.customer,
    "refundDiscrepancySet": lambda order: bag(order, sum((one.adjustment for one in order.refunds), Decimal(0))),
    "requiresShipping": lambda order: any(line.requires_shipping for line in order.lines),
    "refundable": lambda order: order.received > order.refunded,
    "returnStatus": lambda _: "NO_RETURN",
    "risk": lambda _: {"assessments": [], "recommendation": "NONE"},
    "shippingLine": shipping_line,
    "sourceName": lambda _: "web",
    "subtotalLineItemsQuantity": lambda order: sum(line.quantity for line in order.lines),
    "subtotalPriceSet": lambda order: bag(order, order.subtotal),
    "taxLines": lambda order: taxes(order, order.tax),
    "tags": lambda order: list(order.tags),
    "totalCapturableSet": lambda order: bag(order, Decimal(0)),
    "totalCashRoundingAdjustment": lambda order: dict.fromkeys(("paymentSet", "refundSet"), bag(order, Decimal(0))),
    "totalDiscountsSet": lambda order: bag(order, order.discount),
    "totalOutstandingSet": lambda order: bag(order, order.outstanding),
    "totalPrice": lambda order: order.shop_amount(order.total),
    "totalPriceSet": lambda order: bag(order, order.total),
    "totalReceivedSet": lambda order: bag(order, order.received),
    "totalRefundedSet": lambda order: bag(order, order.refunded),
    "totalRefundedShippingSet": lambda order: bag(order, order.shipping - order.current_shipping),
    "totalShippingPriceSet": lambda order: bag(order, order.shipping),
    "totalTaxSet": lambda order: bag(order, order.tax),
    "totalTipReceivedSet": lambda order: bag(order, Decimal(0)),
    "transactionsCount": lambda order: {"count": len(order.transactions), "precision": "EXACT"},
    "unpaid": lambda order: bool(order.outstanding),
}

LINE: Mapping[str, Plain] = {
    "customAttributes": lambda line: [{"key": key, "value": value} for key, value in line.properties],
    "discountAllocations": allocations,
    "discountedTotalSet": lambda line: bag(line.order, line.total),
    "discountedUnitPriceSet": lambda line: bag(line.order, line.share(line.total, 1)),
    "discountedUnitPriceAfterAllDiscountsSet": lambda line: bag(line.order, line.share(line.total, 1)),
    "duties": lambda _: [],
    "fulfillableQuantity": lambda line: line.remaining,
    "isGiftCard": lambda _: False,
    "merchantEditable": lambda _: True,
    "nonFulfillableQuantity": lambda line: line.current_quantity - line.remaining,
    "originalTotalSet": lambda line: bag(line.order, line.price * line.quantity),
    "originalUnitPriceSet": lambda line: bag(line.order, line.price),
    "priceAfterAllDiscountsBeforeTaxesSet": lambda line: bag(
        line.order, line.total - (line.tax if line.order.taxes_included else 0)
    ),
    "refundableQuantity": lambda line: line.current_quantity,
    "taxable": lambda _: True,
    "totalDiscountSet": lambda line: bag(line.order, line.discount),
    "unfulfilledQuantity": lambda line: line.remaining,
    "vendor": lambda _: "Meltemi",
}

FULFILLMENT: Mapping[str, Plain] = {
    "deliveredAt": lambda one: one.first_time("DELIVERED"),
    "inTransitAt": lambda one: one.first_time("IN_TRANSIT"),
    "legacyResourceId": lambda one: one.id,
    "location": lambda one: location(one.location),
    "requiresShipping": lambda one: any(line.requires_shipping for line, _ in one.lines),
    "service": lambda _: {
        "id": gid("FulfillmentService", 1),
        "handle": "manual",
        "serviceName": "Manual",
        "type": "MANUAL",
    },
    "totalQuantity": lambda one: sum(quantity for _, quantity in one.lines),
}

WORK: Mapping[str, Plain] = {
    "assignedLocation": lambda work: location(work.location) | {"location": location(work.location)},
    "createdAt": lambda work: work.order.created_at,
    "updatedAt": lambda work: work.order.updated_at,
    "deliveryMethod": lambda work: {
        "typename": "DeliveryMethod",
        "id": gid("DeliveryMethod", work.id),
        "methodType": "SHIPPING",
        "presentedName": "Standard",
    },
    "destination": lambda work: Destination(work),
    "fulfillmentHolds": lambda work: (
        [{"typename": "FulfillmentHold", "id": gid("FulfillmentHold", work.id), "reason": "OTHER"}]
        if work.status == "ON_HOLD"
        else []
    ),
    "orderId": lambda work: gid("Order", work.order.id),
    "orderName": lambda work: work.order.name,
    "orderProcessedAt": lambda work: work.order.created_at,
    "requestStatus": lambda _: "UNSUBMITTED",
    "supportedActions": lambda work: [{"action": action} for action in ACTIONS.get(work.status, ())],
}
REFUND: Mapping[str, Plain] = {
    "createdAt": lambda refund: refund.at,
    "processedAt": lambda refund: refund.at,
    "updatedAt": lambda refund: refund.at,
    "legacyResourceId": lambda refund: refund.id,
    "duties": lambda _: [],
    "return": lambda _: None,
    "totalRefundedSet": lambda refund: bag(refund.order, refund.amount),
}

TRANSACTION: Mapping[str, Plain] = {
    "amountSet": lambda one: bag(one.order, one.amount),
    "createdAt": lambda one: one.at,
    "processedAt": lambda one: one.at,
    "fees": lambda _: [],
    "formattedGateway": lambda _: "(for testing) Bogus Gateway",
    "gateway": lambda _: "bogus",
    "manualPaymentGateway": lambda _: False,
    "parentTransaction": lambda one: one.parent,
    "test": lambda one: one.order.test,
}

METAFIELD: Mapping[str, Plain] = {
    "compareDigest": digest,
    "legacyResourceId": lambda one: one.id,
    "jsonValue": lambda one: one.value,
    "ownerType": lambda _: "ORDER",
    "sizeInBytes": lambda one: len(one.value.encode()),
}

CUSTOMER: Mapping[str, Plain] = {
    "defaultAddress": lambda who: who.address,
    "defaultEmailAddress": lambda who: {"emailAddress": who.email, "validFormat": True},
    "defaultPhoneNumber": lambda who: {"phoneNumber": who.phone} if who.phone else None,
    "legacyResourceId": lambda who: who.id,
    "state": lambda _: "DISABLED",
    "taxExemptions": lambda _: [],
    "updatedAt": lambda who: who.created_at,
}

ADDRESS: Mapping[str, Plain] = {
    "countryCodeV2": lambda address: address.country_code,
    "formattedArea": lambda address: f"{address.city}, {address.country}",
}

SUBSCRIPTION: Mapping[str, Plain] = {
    "apiVersion": lambda _: {"handle": "2026-10", "displayName": "2026-10", "supported": True},
    "callbackUrl": lambda one: one.uri,
    "endpoint": lambda one: {"typename": "WebhookHttpEndpoint", "callbackUrl": one.uri},
    "format": lambda _: "JSON",
    "includeFields": lambda one: list(one.include_fields),
    "legacyResourceId": lambda one: one.id,
    "metafieldNamespaces": lambda _: [],
    "metafields": lambda _: [],
    "topic": lambda one: one.topic.upper().replace("/", "_"),
}


def _events(one: Fulfillment, args: Args) -> Slice:
    by_time = args.get("sortKey", "HAPPENED_AT") == "HAPPENED_AT"
    key: Callable[[Any], tuple[Any, int]] = lambda event: (event.happened_at if by_time else event.id, event.id)  # noqa: E731
    return page(sorted(one.events, key=key), key, args)


def _metafields(owner: Order, call: Call, args: Args) -> Slice:
    asked = args.get("namespace")
    namespace = full_namespace(call, asked) if asked else ""
    return by_id([one for one in owner.metafields if not namespace or one.namespace == namespace], args)


def _works(order: Order, call: Call, args: Args) -> Slice:
    return by_id(seen_works(call, order), args)


ASKED: Mapping[tuple[str, str], Asking] = {
    ("Order", "events"): lambda order, _, args: in_sequence(happenings(order), args),
    ("Order", "fulfillmentOrders"): _works,
    ("Order", "fulfillments"): lambda order, _, args: first_of(order.fulfillments, args),
    ("Order", "lineItems"): lambda order, _, args: by_id(order.lines, args),
    ("Order", "metafield"): lambda order, call, args: metafield(call, order, args),
    ("Order", "metafields"): _metafields,
    ("Order", "refunds"): lambda order, _, args: first_of(order.refunds, args),
    ("Order", "shippingLines"): lambda order, _, args: in_sequence([shipping_line(order)], args),
    ("Order", "statusPageUrl"): lambda order, call, _: call.store.papers.status_page(order),
    ("Order", "transactions"): lambda order, _, args: first_of(order.transactions, args),
    ("LineItem", "taxLines"): lambda line, _, args: first_of(taxes(line.order, line.tax), args),
    ("Fulfillment", "events"): lambda one, _, args: _events(one, args),
    ("Fulfillment", "fulfillmentLineItems"): lambda one, _, args: in_sequence(sent_lines(one), args),
    ("Fulfillment", "fulfillmentOrders"): lambda one, call, args: by_id(
        [work for work in seen_works(call, one.order) if work.location == one.location], args
    ),
    ("Fulfillment", "trackingInfo"): lambda one, _, args: first_of(one.tracking, args),
    ("FulfillmentOrder", "lineItems"): lambda work, _, args: in_sequence(work_lines(work), args),
    ("FulfillmentOrder", "fulfillments"): lambda work, _, args: by_id(parcels_of(work), args),
    ("Refund", "refundLineItems"): lambda refund, _, args: in_sequence(refunded_lines(refund), args),
    ("Refund", "refundShippingLines"): lambda refund, _, args: in_sequence(refunded_shipping(refund), args),
    ("Refund", "orderAdjustments"): lambda refund, _, args: in_sequence(adjustments(refund), args),
    ("Refund", "transactions"): lambda refund, _, args: by_id(list(refund.transactions), args),
    ("MailingAddress", "formatted"): lambda address, _, args: address_lines(address, args),
}
PLAIN: Mapping[str, Mapping[str, Plain]] = {
    "Order": ORDER,
    "LineItem": LINE,
    "Fulfillment": FULFILLMENT,
    "FulfillmentOrder": WORK,
    "Refund": REFUND,
    "OrderTransaction": TRANSACTION,
    "Metafield": METAFIELD,
    "Customer": CUSTOMER,
    "MailingAddress": ADDRESS,
    "WebhookSubscription": SUBSCRIPTION,
}
