"""From an order and its shop to an invoice: the platform's figures as given, and what is odd about them beside (P6)."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from connector.domain.errors import Permanent, Retryable, WrongSetting
from connector.domain.order import Address, Charge, LineItem, OrderSnapshot
from connector.domain.record import OrderRecord
from connector.domain.shop import Brand, Seller, Shop
from notifications.documents.checks import checks
from notifications.documents.derivation import tax_sums, unit_price
from notifications.documents.labels import labels_for
from notifications.documents.model import Buyer, DocumentKind, Invoice, InvoiceCharge, InvoiceLine


class MissingSellerData(Permanent):
    """An invoice must name its seller. Fill in the shop's seller details."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        """`fields`: what has to be filled in, as the fields of `connector.domain.shop.Seller` are called."""
        super().__init__(
            f"An invoice must name its seller. Fill in the shop's seller details: {', '.join(fields)}; "
            "the invoice is then made by itself or on request."
        )
        self.fields = fields


class OrderNotKnownYet(Retryable):
    """Only parts of this order have been heard of; its invoice can be made once the order itself is known."""


def build_invoice(record: OrderRecord, shop: Shop, *, number: str, issued_at: datetime, locale: str) -> Invoice:
    """The invoice of an order as ordered, whatever was refunded since. Pure: the same in gives the same out.

    `number` is the complete document number, `issued_at` an aware moment; dates come out in the shop's time zone.
    Raises MissingSellerData when the seller may not issue invoices yet, OrderNotKnownYet while the record has no
    snapshot, LanguageNotPrinted for a locale without labels, WrongSetting for a time zone nobody knows, and ValueError
    for a naive `issued_at`.
    """
    if issued_at.tzinfo is None:
        raise ValueError("issued_at must be aware")
    if record.snapshot is None:
        raise OrderNotKnownYet
    _require_seller(shop.seller)
    labels_for(locale)
    order = record.snapshot
    zone = _zone(shop)
    buyer = _buyer(order)
    lines = tuple(_line(line, order) for line in order.lines)
    charges = tuple(_charge(charge, order) for charge in order.charges)
    taxes = tax_sums(order.taxes, (*lines, *charges))
    return Invoice(
        kind=DocumentKind.INVOICE,
        number=number,
        issued_at=issued_at.astimezone(UTC),
        issued_on=_day(issued_at, zone),
        order_number=order.number,
        ordered_on=_day(order.placed_at, zone),
        paid_on=None if order.paid_at is None else _day(order.paid_at, zone),
        payment_method=order.payment_method,
        seller=shop.seller,
        buyer=buyer,
        delivery=_delivery(order, buyer.address),
        currency=order.currency,
        prices_include_tax=order.prices_include_tax,
        lines=lines,
        charges=charges,
        taxes=taxes,
        discount_total=order.discount_total,
        subtotal=order.subtotal,
        tax_total=order.tax_total,
        total=order.total,
        amount_paid=order.total if order.payment.settled else None,
        locale=locale,
        colour=_colour(shop.brand),
        checks=checks(record, order, shop.seller, buyer, lines, charges, taxes),
    )


def missing_seller_data(seller: Seller) -> tuple[str, ...]:
    """What has to be filled in before this seller can issue an invoice; empty when nothing is."""
    needed = {
        "legal_name": seller.legal_name,
        "address.lines": "".join(seller.address.lines),
        "address.country": seller.address.country,
    }
    return tuple(name for name, value in needed.items() if not value.strip())


def _require_seller(seller: Seller) -> None:
    if missing := missing_seller_data(seller):
        raise MissingSellerData(missing)


def _zone(shop: Shop) -> ZoneInfo:
    try:
        return ZoneInfo(shop.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise WrongSetting(
            f"The shop's time zone {shop.timezone!r} is unknown; write one like Europe/Athens."
        ) from error


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _colour(brand: Brand) -> str:
    return brand.colour if re.fullmatch(r"#[0-9a-fA-F]{6}", brand.colour) else Brand().colour


def _buyer(order: OrderSnapshot) -> Buyer:
    told = (one for one in (order.billing, order.shipping) if one is not None and _place(one) != _place(Address()))
    address = next(told, Address())
    return Buyer(
        name=f"{address.first_name} {address.last_name}".strip(),
        company=address.company,
        address=address,
        tax_id=order.customer_tax_id or address.tax_id,
        purchase_number=order.purchase_number,
    )


def _delivery(order: OrderSnapshot, buyer: Address) -> Address | None:
    if order.shipping is None or _place(order.shipping) in {_place(buyer), _place(Address())}:
        return None
    return order.shipping


def _place(address: Address) -> tuple[object, ...]:
    """What makes an address another one for the reader: not its telephone, not its tax number."""
    return (
        *(address.first_name, address.last_name, address.company, address.lines),
        *(address.city, address.region, address.postcode, address.country),
    )


def _line(line: LineItem, order: OrderSnapshot) -> InvoiceLine:
    return InvoiceLine(
        sku=line.sku,
        name=line.name,
        details=line.details,
        quantity=line.quantity,
        unit_price=unit_price(line.subtotal, line.quantity),
        discount=line.subtotal - line.total,
        total=line.total,
        net=_net(line, order),
        tax=line.tax,
        gross=_gross(line, order),
        taxes=line.taxes,
    )


def _charge(charge: Charge, order: OrderSnapshot) -> InvoiceCharge:
    return InvoiceCharge(
        kind=charge.kind,
        name=charge.name,
        total=charge.total,
        net=_net(charge, order),
        tax=charge.tax,
        gross=_gross(charge, order),
        taxes=charge.taxes,
    )


def _net(part: LineItem | Charge, order: OrderSnapshot) -> Decimal:
    return part.total - part.tax if order.prices_include_tax else part.total


def _gross(part: LineItem | Charge, order: OrderSnapshot) -> Decimal:
    return part.total if order.prices_include_tax else part.total + part.tax
