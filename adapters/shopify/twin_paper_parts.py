"""The parts the documents of a twin's webhooks are made of: lines, taxes, addresses, both moneys."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.shopify.twin_settings import Settings
from adapters.shopify.twin_state import Address, Line, Order, Refund, gid, rounded

Paper = dict[str, Any]


class Parts:
    """Of this shop, with the app's approvals."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

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

    def _short_line(self, line: Line) -> Paper:
        """As it stands inside a fulfillment or a refund: without what it is after edits."""
        only_in_orders = ("attributed_staffs", "current_quantity", "sales_line_item_group_id")
        return {name: value for name, value in self._line(line).items() if name not in only_in_orders}

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
            "line_item": self._short_line(line),
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
            "default_address": {
                "id": customer.address.id,
                "customer_id": customer.id,
                **self._without_place(customer.address),
                "country_name": customer.address.country,
                "default": True,
            },
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

    def _without_place(self, address: Address) -> Paper:
        return {name: one for name, one in self._address(address).items() if name not in ("latitude", "longitude")}

    def _held(self, kind: str, value: object) -> object:
        """A protected value, or nothing where the app is not approved for it."""
        return value if {"data", kind} <= self._settings.approved else None

    def _when(self, moment: datetime | None) -> str | None:
        """In the shop's own time zone, whole seconds."""
        return moment.astimezone(self._settings.zone).isoformat(timespec="seconds") if moment else None


def _line_sending(line: Line) -> str | None:
    if not line.fulfilled:
        return None
    return "partial" if line.remaining else "fulfilled"


def location_id(place: int) -> int:
    return 655_441_491_000 + place
