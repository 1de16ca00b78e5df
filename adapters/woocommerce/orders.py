"""A WooCommerce order document as an OrderSnapshot (woocommerce reference, section 4)."""

import html
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from adapters.reading import Reader, cleaned
from adapters.woocommerce.status import PAID_WITHOUT_A_DATE, SAYS_IT_LEFT, UNPAID, order_state
from adapters.woocommerce.tracking import read_parcels
from connector.domain.order import Address, Charge, LineItem, OrderSnapshot, Refund, Tax
from connector.domain.shop import Shop
from connector.domain.status import OrderState, PaymentState

_LANGUAGES = ("wpml_language", "_wpml_language", "weglot_language", "trp_language", "_pll_language", "pll_language")
_TAX_IDS = ("_billing_vat_number", "_billing_eu_vat_number", "_billing_vat_id", "_vat_number", "vat_number")
_PICKUP = frozenset({"local_pickup", "pickup_location"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)

Rates = Mapping[str, Reader]


def read_meta(document: Reader) -> dict[str, object]:
    """The order's meta fields by key, those of plugins and hidden ones (`_…`) too; a later one of a key wins.

    Plugins write here what they like, often a hundred entries: one that is no pair of key and value is passed over.
    """
    entries = (entry for entry in document.values("meta_data") if isinstance(entry, dict))
    return {key: entry.get("value") for entry in entries if isinstance(key := entry.get("key"), str)}


def read_order(
    document: Reader, fulfillments: list[Reader] | None, shop: Shop, refunded_at: Mapping[str, datetime] | None = None
) -> OrderSnapshot:
    """The order. `fulfillments`: what stands beside it in the API, None when it was not asked for.

    `refunded_at`: when refunds were made, by their id, where it was asked for.

    Raises UnreadableDelivery with the field's path. The document's secrets (order_key, payment_url) are left behind.
    """
    meta, warnings = read_meta(document), list[str]()
    status, total = document.key("status"), document.amount("total")
    state = order_state(status)
    if state is OrderState.UNKNOWN:
        warnings.append(f"the status {status[:50]!r} is of a plugin Connector does not know")
    placed_at = _moment(document, "date_created", shop, warnings)
    if placed_at is None:
        raise document.refusal("date_created_gmt", "it is missing", "a date and time")
    updated_at = _moment(document, "date_modified", shop, warnings) or placed_at
    completed_at = document.moment_if_any("date_completed_gmt")
    has_left = status in SAYS_IT_LEFT
    parcels = read_parcels(meta, fulfillments, updated_at, has_left=has_left, left_at=completed_at, zone=_zone(shop))
    lines, charges = _lines(document), _charges(document)
    refunds = tuple(_refunds(document, updated_at, refunded_at or {}))
    locale, locale_source = _language(document, meta, warnings)
    tax_total = _amount(document, "total_tax")
    warnings += [*parcels.warnings, *_sum_warnings(total, tax_total, lines, charges)]
    return OrderSnapshot(
        order_id=document.key("id"),
        number=document.text("number") or document.key("id"),
        updated_at=updated_at,
        placed_at=placed_at,
        state=state,
        payment=_payment(document, status, total, refunds),
        status_word=status,
        currency=document.key("currency").upper(),
        total=total,
        subtotal=sum((line.total for line in lines), total - total),
        tax_total=tax_total,
        shipping_total=_amount(document, "shipping_total"),
        discount_total=abs(_amount(document, "discount_total")),
        prices_include_tax=False,  # the document's flag tells how prices were typed in; its line totals are always net
        email=document.text("billing.email").strip(),
        phone=document.text("billing.phone").strip(),
        locale=locale,
        locale_source=locale_source,
        customer_id="" if document.text("customer_id") == "0" else document.text("customer_id"),
        billing=_address(document.part("billing")),
        shipping=_address(document.part("shipping")),
        lines=lines,
        charges=charges,
        taxes=tuple(_order_tax(rate) for rate in document.items("tax_lines")),
        refunds=refunds,
        shipments=parcels.shipments,
        shipments_are_complete=parcels.are_complete,
        paid_at=document.moment_if_any("date_paid_gmt"),
        completed_at=completed_at,
        needs_shipping=_needs_shipping(document),
        payment_method=document.text("payment_method_title") or document.text("payment_method"),
        customer_note=document.text("customer_note"),
        customer_tax_id=next(filter(None, (_plain(meta.get(name)).strip() for name in _TAX_IDS)), ""),
        warnings=tuple(warnings),
    )


def _moment(document: Reader, name: str, shop: Shop, warnings: list[str]) -> datetime | None:
    """The `_gmt` field in UTC; drafts and odd imports have only the local one (reference, section 6)."""
    in_utc = document.moment_if_any(f"{name}_gmt")
    if in_utc is not None:
        return in_utc
    zone = _zone(shop)
    local = document.moment_if_any(name, zone)
    if local is not None:
        warnings.append(f"{name} is not given in UTC; the shop's own time was read as {zone}")
    return local


def _zone(shop: Shop) -> tzinfo:
    try:
        return ZoneInfo(shop.timezone)
    except (ValueError, OSError, KeyError):  # a name the machine's zone data does not have is a KeyError
        return UTC


def _payment(document: Reader, status: str, total: Decimal, refunds: tuple[Refund, ...]) -> PaymentState:
    """WooCommerce dates a payment when the money is there, also for cash on delivery; refunds leave that date."""
    refunded = sum((refund.amount for refund in refunds), total - total)
    if status == "refunded" or 0 < total <= refunded:
        return PaymentState.REFUNDED
    if status == "failed":
        return PaymentState.FAILED
    if document.moment_if_any("date_paid_gmt") or status in PAID_WITHOUT_A_DATE:
        return PaymentState.PARTIALLY_REFUNDED if refunded else PaymentState.PAID
    return UNPAID.get(status, PaymentState.PENDING)


def _needs_shipping(document: Reader) -> bool:
    """False for downloads, for services (no shipping line, no shipping address) and for what the customer fetches."""
    methods = [line.text("method_id").partition(":")[0] for line in document.items("shipping_lines")]
    if methods:
        is_sent = any(method not in _PICKUP for method in methods)
    else:
        is_sent = _address(document.part("shipping")) is not None
    return is_sent and document.flag("needs_processing", default=True)


def _lines(document: Reader) -> tuple[LineItem, ...]:
    rates, needs_shipping = _rates(document), _needs_shipping(document)
    return tuple(
        LineItem(
            line_id=line.key("id"),
            sku=line.text("sku"),
            name=line.text("name"),
            quantity=line.amount("quantity"),
            total=line.amount("total"),
            subtotal=_amount(line, "subtotal", line.amount("total")),
            tax=_amount(line, "total_tax"),
            taxes=tuple(_taxes(line, rates)),
            details=tuple(_details(line)),
            needs_shipping=needs_shipping,
        )
        for line in document.items("line_items")
    )


def _charges(document: Reader) -> tuple[Charge, ...]:
    rates = _rates(document)
    sources = (("shipping", "shipping_lines", "method_title"), ("fee", "fee_lines", "name"))
    return tuple(
        Charge(kind, line.text(name), line.amount("total"), _amount(line, "total_tax"), tuple(_taxes(line, rates)))
        for kind, field, name in sources
        for line in document.items(field)
    )


def _rates(document: Reader) -> Rates:
    return {rate.text("rate_id"): rate for rate in document.items("tax_lines")}


def _taxes(line: Reader, rates: Rates) -> Iterator[Tax]:
    for tax in line.items("taxes"):
        amount = tax.amount_if_any("total")
        if amount is not None:
            rate = rates.get(tax.text("id"), Reader({}))
            yield Tax(_tax_label(rate) or tax.text("id"), amount, rate.amount_if_any("rate_percent"))


def _order_tax(rate: Reader) -> Tax:
    amount = _amount(rate, "tax_total") + _amount(rate, "shipping_tax_total")
    return Tax(_tax_label(rate), amount, rate.amount_if_any("rate_percent"))


def _tax_label(rate: Reader) -> str:
    return rate.text("label") or rate.text("rate_code")


def _refunds(document: Reader, first_seen: datetime, refunded_at: Mapping[str, datetime]) -> Iterator[Refund]:
    """In the order they were made; one of zero (a restocking) gave no money back.

    The document has no moment for them: unless the API told it, the change that brought them is when they are first
    seen.
    """
    for refund in reversed(document.items("refunds")):
        amount, refund_id = abs(refund.amount("total")), refund.key("id")
        if amount:
            yield Refund(refund_id, amount, refunded_at.get(refund_id, first_seen), refund.text("reason"))


def _details(line: Reader) -> Iterator[tuple[str, str]]:
    """What the customer chose; `display_value` is HTML, so it is used only where `value` is a mere slug."""
    for meta in line.items("meta_data"):
        key, words = _plain(meta.value("key")), _plain(meta.value("value"))
        if not key or key.startswith("_"):
            continue
        shown = _plain(meta.value("display_value"))
        if key.startswith("pa_") and "<" not in shown:
            words = cleaned(html.unescape(shown)) or words
        if words:
            yield _plain(meta.value("display_key")) or key, words


def _address(place: Reader) -> Address | None:
    """None when nothing is filled in, as for what needs no shipping."""
    words = {name: place.text(name).strip() for name in ("first_name", "last_name", "company", "city", "postcode")}
    lines = (place.text("address_1").strip(), place.text("address_2").strip())
    country = place.text("country").strip().upper()
    address = Address(
        **words,
        lines=tuple(line for line in lines if line),
        region=place.text("state").strip(),
        country=country if len(country) == len("DE") else "",
        phone=place.text("phone").strip(),
    )
    return None if address == Address() else address


def _language(document: Reader, meta: Mapping[str, object], warnings: list[str]) -> tuple[str, str]:
    """The word of the first language plugin that left one, and where it stood; WooCommerce itself has none."""
    found = [(f"meta {name}", _plain(meta.get(name))) for name in _LANGUAGES]
    for source, word in (*found, ("field lang", _plain(document.value("lang")))):
        if _LANGUAGE.fullmatch(word):
            return word, source
        if word:
            warnings.append(f"{source} is no language")
    return "", ""


def _sum_warnings(
    total: Decimal, tax_total: Decimal, lines: tuple[LineItem, ...], charges: tuple[Charge, ...]
) -> Iterator[str]:
    """Rounding line by line may cost the smallest unit a line; more than that is a plugin's doing and is shown."""
    parts = [*(line.total for line in lines), *(charge.total for charge in charges)]
    found = sum(parts, tax_total)
    unit = Decimal(1).scaleb(int(total.as_tuple().exponent))
    if abs(found - total) > unit * (len(parts) + 1):
        yield f"lines, charges and tax make {found:f} and the order says {total:f}"


def _amount(document: Reader, name: str, default: Decimal = Decimal(0)) -> Decimal:
    amount = document.amount_if_any(name)
    return default if amount is None else amount


def _plain(value: object) -> str:
    """A plugin's value as text where it is a text or a number, and nothing where it is anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return Reader({"value": value}).text("value")
