"""The documents a twin's webhooks carry, in the REST-like shape of Shopify's own examples (2026-07)."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.shopify.twin_settings import Settings
from adapters.shopify.twin_state import Address, Event, Fulfillment, Line, Order, Refund, Transaction, gid, rounded

Paper = dict[str, Any]


def encoded(paper: Mapping[str, object]) -> bytes:
    """As Rails writes JSON: three characters that matter in HTML are escaped, others are UTF-8."""
    words = json.dumps(paper, ensure_ascii=False, separators=(",", ":"))
    for sign, escape in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        words = words.replace(sign, escape)
    return words.encode()


class Papers:
    """Writes documents as this shop and this app's approvals make them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

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
            "line_items": [self._line(line) | {"quantity": quantity} for line, quantity in fulfillment.lines],
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

    def money(self, amount: Decimal, order: Order) -> Paper:
        return {
            "shop_money": {"amount": self._plain(amount, order), "currency_code": order.currency},
            "presentment_money": {
                "amount": self._plain(amount, order, order.presentment),
                "currency_code": order.presentment,
            },
        }

    def _plain(self, amount: Decimal, order: Order, currency: str = "") -> str:
        """With all places of its currency; the shop's unless another is named."""
        if currency:
            return str(rounded(amount, currency))
        return str(rounded(order.shop_amount(amount), order.currency))

    def _totals(self, order: Order) -> Paper:
        amounts = {
            "current_subtotal_price": order.current_subtotal,
            "current_total_discounts": order.discount,
            "current_total_price": order.current_total,
            "current_total_tax": order.current_tax,
            "subtotal_price": order.subtotal,
            "total_discounts": order.discount,
            "total_line_items_price": order.subtotal + order.discount,
            "total_price": order.total,
            "total_tax": order.tax,
        }
        plain = {name: self._plain(amount, order) for name, amount in amounts.items()}
        both = {f"{name}_set": self.money(amount, order) for name, amount in amounts.items()}
        nothing = self.money(Decimal(0), order)
        return (
            plain
            | both
            | {
                "current_shipping_price_set": self.money(order.current_shipping, order),
                "current_total_additional_fees_set": None,
                "current_total_duties_set": None,
                "original_total_additional_fees_set": None,
                "original_total_duties_set": None,
                "total_shipping_price_set": self.money(order.shipping, order),
                "total_cash_rounding_payment_adjustment_set": nothing,
                "total_cash_rounding_refund_adjustment_set": nothing,
            }
        )

    def _line(self, line: Line) -> Paper:
        order = line.order
        return {
            "id": line.id,
            "admin_graphql_api_id": gid("LineItem", line.id),
            "attributed_staffs": [],
            "current_quantity": line.current_quantity,
            "fulfillable_quantity": line.remaining,
            "fulfillment_service": "manual",
            "fulfillment_status": _line_sending(line),
            "gift_card": False,
            "grams": 500,
            "name": line.name,
            "price": self._plain(line.price, order),
            "price_set": self.money(line.price, order),
            "product_exists": True,
            "product_id": 7_880_321_196_742 + line.place,
            "properties": [{"name": name, "value": value} for name, value in line.properties],
            "quantity": line.quantity,
            "requires_shipping": line.requires_shipping,
            "sales_line_item_group_id": None,
            "sku": line.sku,
            "taxable": True,
            "title": line.title,
            "total_discount": "0.00",
            "total_discount_set": self.money(Decimal(0), order),
            "variant_id": 4_410_000_100_000 + line.place,
            "variant_inventory_management": "shopify",
            "variant_title": line.variant_title,
            "vendor": self._settings.shop_name,
            "tax_lines": self._taxes(order, line.tax),
            "duties": [],
            "discount_allocations": self._allocations(line),
        }

    def _taxes(self, order: Order, amount: Decimal) -> list[Paper]:
        rate = {"title": order.tax_title, "rate": float(order.tax_rate), "channel_liable": False}
        return [rate | {"price": self._plain(amount, order), "price_set": self.money(amount, order)}]

    def _allocations(self, line: Line) -> list[Paper]:
        if not line.discount:
            return []
        amount = self._plain(line.discount, line.order)
        both = self.money(line.discount, line.order)
        return [{"amount": amount, "discount_application_index": 0, "amount_set": both}]

    def _discount_codes(self, order: Order) -> list[Paper]:
        amount = self._plain(order.discount, order)
        return [{"code": order.discount_code, "amount": amount, "type": "fixed_amount"}] if order.discount_code else []

    def _applications(self, order: Order) -> list[Paper]:
        if not order.discount_code:
            return []
        how = {"target_type": "line_item", "type": "discount_code", "value_type": "fixed_amount"}
        value = {"value": self._plain(order.discount, order), "code": order.discount_code}
        return [how | value | {"allocation_method": "across", "target_selection": "all"}]

    def _shipping(self, order: Order) -> Paper:
        price, both = self._plain(order.shipping, order), self.money(order.shipping, order)
        return {
            "id": order.room * 1000 + 5,
            "carrier_identifier": None,
            "code": "Standard",
            "current_discounted_price_set": self.money(order.current_shipping, order),
            "discounted_price": price,
            "discounted_price_set": both,
            "is_removed": False,
            "phone": None,
            "price": price,
            "price_set": both,
            "requested_fulfillment_service_id": None,
            "source": "shopify",
            "title": "Standard",
            "tax_lines": self._taxes(order, order.tax_on(order.shipping)),
            "discount_allocations": [],
        }

    def _refunded_line(self, refund: Refund, line: Line, quantity: int, how: str) -> Paper:
        subtotal, tax = line.share(line.total, quantity), line.share(line.tax, quantity)
        return {
            "id": refund.line_id(line),
            "quantity": quantity,
            "line_item_id": line.id,
            "location_id": None,
            "restock_type": how.lower(),
            "subtotal": float(refund.order.shop_amount(subtotal)),
            "total_tax": float(refund.order.shop_amount(tax)),
            "subtotal_set": self.money(subtotal, refund.order),
            "total_tax_set": self.money(tax, refund.order),
            "line_item": self._line(line),
        }

    def _refunded_shipping(self, refund: Refund) -> list[Paper]:
        if not refund.shipping:
            return []
        tax = refund.order.tax_on(refund.shipping)
        amounts = {
            "subtotal_amount_set": self.money(refund.shipping, refund.order),
            "tax_amount_set": self.money(tax, refund.order),
        }
        return [{"id": refund.id + 50, "shipping_line": self._shipping(refund.order)} | amounts]

    def _adjustments(self, refund: Refund) -> list[Paper]:
        if not refund.adjustment:
            return []
        order, amount = refund.order, -refund.adjustment
        return [
            {
                "id": refund.id + 60,
                "order_id": order.id,
                "refund_id": refund.id,
                "amount": self._plain(amount, order),
                "tax_amount": "0.00",
                "kind": "refund_discrepancy",
                "reason": "Refund discrepancy",
                "amount_set": self.money(amount, order),
                "tax_amount_set": self.money(Decimal(0), order),
            }
        ]

    def _customer(self, order: Order) -> Paper:
        customer = order.customer
        return {
            "id": customer.id,
            "created_at": self._when(customer.created_at),
            "updated_at": self._when(customer.created_at),
            "first_name": self._held("name", customer.first_name),
            "last_name": self._held("name", customer.last_name),
            "state": "disabled",
            "note": None,
            "verified_email": True,
            "multipass_identifier": None,
            "tax_exempt": False,
            "email": self._held("email", customer.email),
            "phone": self._held("phone", customer.phone),
            "currency": order.currency,
            "tax_exemptions": [],
            "admin_graphql_api_id": gid("Customer", customer.id),
            "default_address": self._address(customer.address)
            | {"id": customer.address.id, "customer_id": customer.id, "default": True},
        }

    def _address(self, address: Address) -> Paper:
        return {
            "first_name": self._held("name", address.first_name),
            "address1": self._held("address", address.address1),
            "phone": self._held("phone", address.phone),
            "city": address.city,
            "zip": self._held("address", address.zip),
            "province": address.province,
            "country": address.country,
            "last_name": self._held("name", address.last_name),
            "address2": self._held("address", address.address2),
            "company": address.company,
            "latitude": None,
            "longitude": None,
            "name": self._held("name", address.name),
            "country_code": address.country_code,
            "province_code": address.province_code,
        }

    def _held(self, kind: str, value: object) -> object:
        """A protected value, or nothing where the app is not approved for it."""
        return value if {"data", kind} <= self._settings.approved else None

    def _when(self, moment: datetime | None) -> str | None:
        """In the shop's own time zone, whole seconds."""
        return moment.astimezone(self._settings.zone).isoformat(timespec="seconds") if moment else None


_REST_SENDING = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}


def _line_sending(line: Line) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if line.remaining else "fulfilled"


def location_id(place: int) -> int:
    return 655_441_491_000 + place
