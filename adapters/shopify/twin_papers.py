"""The documents a twin's webhooks carry, in the REST-like shape of Shopify's own examples (2026-07)."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from adapters.shopify.twin_paper_parts import Paper, Parts, location_id
from adapters.shopify.twin_state import Event, Fulfillment, Line, Order, Refund, Transaction, gid


def encoded(paper: Mapping[str, object]) -> bytes:
    """As Rails writes JSON: three characters that matter in HTML are escaped, others are UTF-8."""
    words = json.dumps(paper, ensure_ascii=False, separators=(",", ":"))
    for sign, escape in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        words = words.replace(sign, escape)
    return words.encode()


class Papers(Parts):
    """Writes documents as this shop and this app's approvals make them."""

    def order(self, order: Order) -> Paper:
        paper: Paper = {
            "id": order.id,
            "admin_graphql_api_id": gid("Order", order.id),
            "app_id": 580111,
            "browser_ip": None,
            "buyer_accepts_marketing": False,
            "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
            "cancelled_at": self._when(order.cancelled_at),
            "cart_token": None,
            "checkout_token": None,
            "client_details": None,
            "closed_at": self._when(order.closed_at),
            "confirmation_number": f"CN{order.number}",
            "confirmed": True,
            "contact_email": self._held("email", order.email),
            "created_at": self._when(order.created_at),
            "currency": order.currency,
            "customer_locale": order.locale,
            "device_id": None,
            "discount_codes": self._discount_codes(order),
            "duties_included": False,
            "email": self._held("email", order.email),
            "estimated_taxes": False,
            "financial_status": order.financial_status.lower(),
            "fulfillment_status": _REST_SENDING.get(order.fulfillment_status),
            "landing_site": None,
            "landing_site_ref": None,
            "location_id": None,
            "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
            "merchant_of_record_app_id": None,
            "name": order.name,
            "note": order.note,
            "note_attributes": [{"name": name, "value": value} for name, value in order.attributes],
            "number": order.number - 1000,
            "order_number": order.number,
            "order_status_url": self._held("name", self.status_page(order)),
            "payment_gateway_names": ["bogus"],
            "phone": self._held("phone", order.phone),
            "po_number": order.po_number,
            "presentment_currency": order.presentment,
            "processed_at": self._when(order.created_at),
            "reference": None,
            "referring_site": None,
            "source_identifier": None,
            "source_url": None,
            "source_name": "web",
            "tags": ", ".join(order.tags),
            "tax_exempt": False,
            "tax_lines": self._taxes(order, order.tax),
            "taxes_included": order.taxes_included,
            "test": order.test,
            "token": f"{order.room:x}",
            "total_outstanding": self._plain(order.outstanding, order),
            "total_tip_received": "0.00",
            "total_weight": 0,
            "updated_at": self._when(order.updated_at),
            "user_id": None,
            "billing_address": self._address(order.customer.address),
            "customer": self._customer(order),
            "discount_applications": self._applications(order),
            "fulfillments": [self.fulfillment(one) for one in order.fulfillments],
            "line_items": [self._line(line) for line in order.lines],
            "payment_terms": None,
            "refunds": [self.refund(refund) for refund in order.refunds],
            "shipping_address": self._address(order.customer.address),
            "shipping_lines": [self._shipping(order)],
            "returns": [],
            "line_item_groups": [],
        }
        return paper | self._totals(order)

    def fulfillment(self, fulfillment: Fulfillment) -> Paper:
        numbers = [one.number for one in fulfillment.tracking if one.number]
        urls = [one.url for one in fulfillment.tracking if one.url]
        return {
            "id": fulfillment.id,
            "order_id": fulfillment.order.id,
            "status": fulfillment.status.lower(),
            "created_at": self._when(fulfillment.created_at),
            "service": "manual",
            "updated_at": self._when(fulfillment.updated_at),
            "tracking_company": fulfillment.tracking[0].company if fulfillment.tracking else None,
            "shipment_status": fulfillment.shipment_status.lower() if fulfillment.shipment_status else None,
            "location_id": location_id(fulfillment.location),
            "origin_address": None,
            "email": self._held("email", fulfillment.order.email),
            "destination": self._address(fulfillment.order.customer.address),
            "line_items": [self._short_line(line) | {"quantity": quantity} for line, quantity in fulfillment.lines],
            "tracking_number": numbers[0] if numbers else None,
            "tracking_numbers": numbers,
            "tracking_url": urls[0] if urls else None,
            "tracking_urls": urls,
            "receipt": {},
            "name": fulfillment.name,
            "admin_graphql_api_id": gid("Fulfillment", fulfillment.id),
        }

    def event(self, event: Event) -> Paper:
        names = ("city", "zip", "address1", "latitude", "longitude")
        place = {name: self._held("address", getattr(event, name)) for name in names}
        return place | {
            "id": event.id,
            "fulfillment_id": event.fulfillment.id,
            "status": event.status.lower(),
            "message": event.message,
            "happened_at": self._when(event.happened_at),
            "province": event.province,
            "country": event.country,
            "shop_id": self._settings.shop_id,
            "created_at": self._when(event.created_at),
            "updated_at": self._when(event.created_at),
            "estimated_delivery_at": self._when(event.estimated_delivery_at),
            "order_id": event.fulfillment.order.id,
            "admin_graphql_api_id": gid("FulfillmentEvent", event.id),
        }

    def refund(self, refund: Refund) -> Paper:
        order = refund.order
        return {
            "id": refund.id,
            "order_id": order.id,
            "created_at": self._when(refund.at),
            "note": refund.note,
            "user_id": None,
            "processed_at": self._when(refund.at),
            "duties": [],
            "total_duties_set": self.money(Decimal(0), order),
            "return": None,
            "refund_shipping_lines": self._refunded_shipping(refund),
            "restock": any(how != "NO_RESTOCK" for _, _, how in refund.lines),
            "admin_graphql_api_id": gid("Refund", refund.id),
            "order_adjustments": self._adjustments(refund),
            "refund_line_items": [self._refunded_line(refund, *line) for line in refund.lines],
            "transactions": [self.transaction(one) for one in refund.transactions],
        }

    def transaction(self, transaction: Transaction) -> Paper:
        order = transaction.order
        return {
            "id": transaction.id,
            "order_id": order.id,
            "kind": transaction.kind.lower(),
            "gateway": "bogus",
            "status": transaction.status.lower(),
            "message": None,
            "created_at": self._when(transaction.at),
            "test": order.test,
            "authorization": None,
            "location_id": None,
            "user_id": None,
            "parent_id": transaction.parent.id if transaction.parent else None,
            "processed_at": self._when(transaction.at),
            "device_id": None,
            "error_code": None,
            "source_name": "web",
            "receipt": {},
            "amount": self._plain(transaction.amount, order, order.presentment),
            "currency": order.presentment,
            "payment_id": f"{order.name}.1",
            "manual_payment_gateway": False,
            "amount_rounding": None,
            "admin_graphql_api_id": gid("OrderTransaction", transaction.id),
        }

    def edit(self, order: Order, edit_id: int, added: Line, at: datetime) -> Paper:
        change = {"additions": [{"id": added.id, "delta": added.quantity}], "removals": []}
        nothing: Paper = {"additions": [], "removals": []}
        return {
            "order_edit": {
                "id": edit_id,
                "app_id": None,
                "created_at": self._when(at),
                "committed_at": self._when(at),
                "notify_customer": False,
                "order_id": order.id,
                "staff_note": "",
                "user_id": None,
                "line_items": change,
                "discounts": {"line_item": nothing},
                "shipping_lines": nothing,
            }
        }

    def shop(self) -> Paper:
        settings = self._settings
        return {
            "id": settings.shop_id,
            "name": settings.shop_name,
            "email": settings.shop_email,
            "domain": settings.host,
            "country": settings.country_code,
            "country_code": settings.country_code,
            "country_name": settings.country,
            "primary_locale": settings.locale,
            "currency": settings.currency,
            "customer_email": settings.shop_email,
            "timezone": f"(GMT) {settings.timezone}",
            "iana_timezone": settings.timezone,
            "taxes_included": settings.taxes_included,
            "plan_display_name": "Basic",
            "plan_name": "basic",
            "myshopify_domain": settings.host,
            "primary_location_id": location_id(0),
            "enabled_presentment_currencies": list(settings.currencies),
        }

    def status_page(self, order: Order) -> str:
        settings = self._settings
        return f"https://{settings.host}/{settings.shop_id}/orders/{order.room:x}/authenticate?key={order.room * 7:x}"


_REST_SENDING = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}
