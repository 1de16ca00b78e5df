"""Reads a Shopify order document in its webhook form as an order snapshot, in the customer's currency."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from adapters.reading import Reader
from adapters.shopify import status
from adapters.shopify.documents import Currencies, key_of, order_currencies
from adapters.shopify.lines import read_charges, read_lines
from adapters.shopify.refunds import read_refunds
from adapters.shopify.tracking import read_shipments
from connector.domain.order import Address, Charge, LineItem, OrderSnapshot
from connector.domain.shop import Shop
from connector.domain.status import OrderState, PaymentState

_IMPORTED_AFTER = timedelta(hours=1)
_LONGEST_WORD = 60
_OWN_DOMAIN = ".myshopify.com"
_TAX_ID_NAMES = frozenset((
    "vatnumber", "vatid", "vatno", "taxid", "taxnumber", "ustid", "ustidnr", "nif", "cif", "cpf", "cnpj", "cpfcnpj",
    "afm", "codicefiscale", "partitaiva", "siret", "gstin", "trn",
))  # fmt: skip


def read_order(order: Reader, shop: Shop, notices: tuple[str, ...] = ()) -> OrderSnapshot:
    """An order document as webhooks carry it; `notices` are added to its warnings.

    Moments become UTC, amounts stay as written. Raises UnreadableDelivery with the field's path.
    Facts: shopify reference, sections 2.7 and 3.2.
    """
    currencies = order_currencies(order)
    cancelled_at = order.moment_if_any("cancelled_at")
    closed_at = order.moment_if_any("closed_at")
    payment_word = order.text("financial_status")
    lines, charges = read_lines(order, currencies), read_charges(order, currencies)
    return OrderSnapshot(
        order_id=key_of(order),
        number=order.text("name") or order.text("order_number"),
        updated_at=order.moment("updated_at"),
        placed_at=_placed_at(order),
        state=_state(cancelled_at, closed_at),
        payment=status.payment(payment_word),
        status_word="cancelled" if cancelled_at else payment_word,
        currency=currencies.customer,
        total=currencies.amount(order, "total_price"),
        subtotal=_amount(order, currencies, "subtotal_price"),
        tax_total=_amount(order, currencies, "total_tax"),
        shipping_total=_amount(order, currencies, "total_shipping_price"),
        discount_total=abs(_amount(order, currencies, "total_discounts")),
        prices_include_tax=order.flag("taxes_included"),
        email=order.text("email") or order.text("contact_email"),
        phone=order.text("phone"),
        locale=order.text("customer_locale"),
        locale_source="customer_locale" if order.has("customer_locale") else "",
        customer_id=_customer_id(order.part("customer")),
        billing=_address(order.part("billing_address")),
        shipping=_address(order.part("shipping_address")),
        lines=lines,
        charges=charges,
        taxes=currencies.taxes(order),
        refunds=read_refunds(order, currencies),
        shipments=read_shipments(order),
        shipments_are_complete=isinstance(order.value("fulfillments"), list),
        paid_at=_paid_at(order, payment_word),
        cancelled_at=cancelled_at,
        completed_at=None if cancelled_at else closed_at,
        needs_shipping=any(line.needs_shipping for line in lines) if lines else True,
        payment_method=", ".join(name for name in order.texts("payment_gateway_names") if _is_in_words(name)),
        customer_note=order.text("note"),
        customer_tax_id=_customer_tax_id(order),
        purchase_number=order.text("po_number"),
        test=order.flag("test"),
        status_url=order.text("order_status_url"),
        warnings=(
            *notices,
            *_unknown_words(order),
            *_odd_amounts(order, currencies, lines, charges),
            *_foreign_shop(order, shop),
        ),
    )


def _amount(order: Reader, currencies: Currencies, name: str) -> Decimal:
    amount = currencies.told(order, name)
    return Decimal(0) if amount is None else amount


def _placed_at(order: Reader) -> datetime:
    """When the customer ordered. An imported order is created today and was processed long ago: that is its moment."""
    created_at = order.moment("created_at")
    processed_at = order.moment_if_any("processed_at") or created_at
    return processed_at if created_at - processed_at > _IMPORTED_AFTER else created_at


def _state(cancelled_at: datetime | None, closed_at: datetime | None) -> OrderState:
    """`closed` is Shopify's archive: everything is done from its side."""
    if cancelled_at:
        return OrderState.CANCELLED
    return OrderState.COMPLETED if closed_at else OrderState.OPEN


def _paid_at(order: Reader, payment_word: str) -> datetime | None:
    """The last payment that went through, where the document lists payments (webhooks do not)."""
    if not status.payment(payment_word).settled:
        return None
    payments = [one for one in order.items("transactions") if one.text("kind") in {"sale", "capture"}]
    moments = [one.moment_if_any("processed_at") for one in payments if one.text("status") == "success"]
    return max((moment for moment in moments if moment), default=None)


def _customer_id(customer: Reader) -> str:
    return key_of(customer) if customer.has("id") or customer.has("admin_graphql_api_id") else ""


def _address(address: Reader) -> Address | None:
    """A postal address; names and streets are missing where the app may not see them (shopify reference, 1.6)."""
    found = Address(
        first_name=address.text("first_name"),
        last_name=address.text("last_name"),
        company=address.text("company"),
        lines=tuple(line for line in (address.text("address1"), address.text("address2")) if line),
        city=address.text("city"),
        region=address.text("province") or address.text("province_code"),
        postcode=address.text("zip"),
        country=address.text("country_code").upper(),
        phone=address.text("phone"),
    )
    return None if found == Address() else found


def _is_in_words(gateway: str) -> bool:
    """Whether a gateway's name is for people (`Cash on Delivery`) and no program's (`shopify_payments`, `manual`)."""
    return any(letter.isspace() or letter.isupper() or not letter.isascii() for letter in gateway)


def _customer_tax_id(order: Reader) -> str:
    """Shopify has no field for it: shops ask for it at checkout, and it arrives as a note under one of many names."""
    if order.has("tax_registration_id"):
        return order.text("tax_registration_id")
    for note in order.items("note_attributes"):
        name = "".join(letter for letter in note.text("name").lower() if letter.isalnum())
        if name in _TAX_ID_NAMES and isinstance(note.value("value"), str):
            return note.text("value")
    return ""


def _unknown_words(order: Reader) -> Iterator[str]:
    word = order.text("financial_status")
    if status.payment(word) is PaymentState.UNKNOWN:
        yield f"unknown payment status {word[:_LONGEST_WORD]!r}"
    for parcel in order.items("fulfillments"):
        words = parcel.text("status"), parcel.text("shipment_status")
        if not status.is_known(*words):
            yield f"unknown parcel status {' / '.join(filter(None, words))[:_LONGEST_WORD]!r}"


def _odd_amounts(
    order: Reader, currencies: Currencies, lines: tuple[LineItem, ...], charges: tuple[Charge, ...]
) -> Iterator[str]:
    presentment = order.text("presentment_currency")
    if presentment not in {"", currencies.customer}:
        yield f"told only in {currencies.customer}, though the customer paid in {presentment[:3]}"
    parts = [line.total for line in lines] + [charge.total for charge in charges if charge.kind != "rounding"]
    if not order.flag("taxes_included"):
        parts.append(_amount(order, currencies, "total_tax"))
    rounding = sum((charge.total for charge in charges if charge.kind == "rounding"), Decimal(0))
    come_to, total = sum(parts, Decimal(0)), currencies.amount(order, "total_price")
    if total not in {come_to, come_to + rounding}:
        yield f"lines and charges come to {come_to} {currencies.customer}, the total says {total}"
    changed = [line for line in lines if line.current_quantity not in {None, line.quantity}]
    if changed and not order.items("refunds"):
        yield f"edited: it comes to {_amount(order, currencies, 'current_total_price')} {currencies.customer} now"


def _foreign_shop(order: Reader, shop: Shop) -> Iterator[str]:
    """A status page under another shop's own domain. No proof: a renamed shop looks the same, so nobody is refused."""
    host = _host(order.text("order_status_url"))
    if host.endswith(_OWN_DOMAIN) and shop.host.endswith(_OWN_DOMAIN) and host != shop.host:
        yield f"its status page is at {host[:_LONGEST_WORD]}, the delivery came for {shop.host}"


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
