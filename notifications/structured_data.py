"""The order or parcel as schema.org data for mail programs: nothing that the mail does not show."""

from typing import Any

import msgspec

from connector.domain.order import Address, OrderSnapshot, Shipment
from connector.domain.shop import Shop
from notifications.formatting import carrier_name, clean, shown_region, typed, web_link
from notifications.summary import LISTED

_ORDER_STATUS = {
    "order_received": "OrderProcessing",
    "payment_received": "OrderProcessing",
    "shipped": "OrderInTransit",
    "tracking_added": "OrderInTransit",
    "delivered": "OrderDelivered",
    "cancelled": "OrderCancelled",
}


def json_ld(kind: str, snapshot: OrderSnapshot, shop: Shop, shipment: Shipment | None, *, is_part: bool) -> str:
    """One JSON document that can stand inside a script element: no `<`, `>` or `&` in it. `is_part`: the parcel is not
    the whole order, so that the order itself is still being processed."""
    order: dict[str, Any] = {
        "@type": "Order",
        "merchant": {"@type": "Organization", "name": clean(shop.name, 80)},
        "orderNumber": clean(snapshot.number, 60),
        "orderDate": snapshot.placed_at.isoformat(),
    }
    status = "OrderProcessing" if is_part else _ORDER_STATUS.get(kind)
    if status:
        order["orderStatus"] = f"https://schema.org/{status}"
    if shipment is None:
        return _document(order | _offers(snapshot))
    return _document(_parcel(snapshot, shipment, order))


def _document(content: dict[str, Any]) -> str:
    text = msgspec.json.encode({"@context": "https://schema.org"} | content).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _offers(snapshot: OrderSnapshot) -> dict[str, Any]:
    currency = clean(snapshot.currency, 12)
    return {
        "price": str(snapshot.total),
        "priceCurrency": currency,
        "acceptedOffer": [
            {
                "@type": "Offer",
                "itemOffered": {"@type": "Product", "name": clean(line.name)},
                "price": str(line.total),
                "priceCurrency": currency,
                "eligibleQuantity": {"@type": "QuantitativeValue", "value": str(line.quantity)},
            }
            for line in snapshot.lines[:LISTED]
        ],
    }


def _parcel(snapshot: OrderSnapshot, shipment: Shipment, order: dict[str, Any]) -> dict[str, Any]:
    names = {line.line_id: clean(line.name) for line in snapshot.lines}
    content: dict[str, Any] = {
        "@type": "ParcelDelivery",
        "partOfOrder": order,
        "itemShipped": [
            {"@type": "Product", "name": names[item.line_id]}
            for item in shipment.items[:LISTED]
            if item.line_id in names
        ],
    }
    if snapshot.shipping:
        content["deliveryAddress"] = _address(snapshot.shipping)
    if shipment.estimated_delivery_at:
        content["expectedArrivalUntil"] = shipment.estimated_delivery_at.isoformat()
    if shipment.tracking:
        tracking = shipment.tracking[0]
        content["trackingNumber"] = clean(tracking.number, 60)
        content["carrier"] = {"@type": "Organization", "name": carrier_name(tracking.carrier)}
        content["trackingUrl"] = web_link(tracking.url)
    return {key: value for key, value in content.items() if value}


def _address(address: Address) -> dict[str, str]:
    parts = {
        "streetAddress": ", ".join(typed(line, 120) for line in address.lines[:6] if line),
        "addressLocality": typed(address.city, 100),
        "addressRegion": shown_region(address),
        "postalCode": typed(address.postcode, 20),
        "addressCountry": clean(address.country, 60),
    }
    return {"@type": "PostalAddress"} | {key: value for key, value in parts.items() if value}
