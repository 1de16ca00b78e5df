"""An order document, as `GET /V1/orders/{id}` and async-events give it, as a snapshot in the order's currency."""

from collections.abc import Iterator
from dataclasses import replace

from adapters.magento.amounts import NOTHING, amount_or_zero, is_close
from adapters.magento.charges import charges
from adapters.magento.lines import line_items
from adapters.magento.status import order_state, payment_state
from adapters.magento.taxes import order_taxes
from adapters.reading import Reader
from connector.domain.order import Address, OrderSnapshot
from connector.domain.shop import Shop
from connector.domain.status import OrderState

_ESSENTIAL = ("entity_id", "increment_id", "order_currency_code", "grand_total", "created_at", "updated_at", "items")


def missing_fields(order: Reader) -> list[str]:
    """The fields without which this is not a whole order; the answer to a partial save has many."""
    return [name for name in _ESSENTIAL if not order.has(name)]


def order_email(order: Reader) -> str:
    """The customer's address, wherever the document has it; empty when it has none."""
    return order.text("customer_email") or order.text("billing_address.email")


def order_snapshot(order: Reader, shop: Shop) -> OrderSnapshot:
    """A whole order document as a snapshot. Moments without a zone are UTC, amounts those without `base_`.

    Raises UnreadableDelivery for a document with a field that is missing or cannot be read.
    Facts: magento reference, sections 3 to 5.
    """
    lines = line_items(order)
    locale = dict(shop.store_locales).get(order.text("store_id"), "")
    guest = order.flag("customer_is_guest")
    snapshot = OrderSnapshot(
        order_id=order.key("entity_id"),
        number=order.text("increment_id"),
        updated_at=order.moment("updated_at"),
        placed_at=order.moment("created_at"),
        state=order_state(order),
        payment=payment_state(order),
        status_word=order.text("status") or order.text("state"),
        currency=order.text("order_currency_code"),
        total=order.amount("grand_total"),
        subtotal=sum((line.total for line in lines), NOTHING),
        tax_total=amount_or_zero(order, "tax_amount"),
        shipping_total=amount_or_zero(order, "shipping_amount"),
        discount_total=abs(amount_or_zero(order, "discount_amount")),
        prices_include_tax=False,
        email=order_email(order),
        phone=order.text("billing_address.telephone"),
        locale=locale,
        locale_source="store view" if locale else "",
        customer_id="" if guest else order.text("customer_id"),
        billing=_address(order.part("billing_address")),
        shipping=_shipping_address(order),
        lines=lines,
        charges=charges(order),
        taxes=order_taxes(order),
        needs_shipping=not order.flag("is_virtual"),
        payment_method=_payment_method(order),
        customer_note=order.text("customer_note"),
        customer_tax_id=order.text("customer_taxvat") or order.text("billing_address.vat_id"),
        purchase_number=order.text("payment.po_number"),
        replaced_by=order.text("relation_child_id"),
    )
    return replace(snapshot, warnings=tuple(_warnings(order, snapshot)))


def _address(address: Reader) -> Address | None:
    if not address.document:
        return None
    first_names = (address.text("firstname"), address.text("middlename"))
    return Address(
        first_name=" ".join(name for name in first_names if name),
        last_name=address.text("lastname"),
        company=address.text("company"),
        lines=address.texts("street"),
        city=address.text("city"),
        region=address.text("region") or address.text("region_code"),
        postcode=address.text("postcode"),
        country=address.text("country_id").upper(),
        phone=address.text("telephone"),
        tax_id=address.text("vat_id"),
    )


def _shipping_address(order: Reader) -> Address | None:
    for assignment in order.items("extension_attributes.shipping_assignments"):
        return _address(assignment.part("shipping").part("address"))
    return None


def _payment_method(order: Reader) -> str:
    """The method's title as the customer read it; its code where no title is told."""
    for entry in order.items("extension_attributes.payment_additional_info"):
        if entry.text("key") == "method_title" and entry.text("value"):
            return entry.text("value")
    return order.text("payment.method")


def _warnings(order: Reader, snapshot: OrderSnapshot) -> Iterator[str]:
    if snapshot.state is OrderState.UNKNOWN:
        yield f"the state {(order.text('state') or snapshot.status_word)[:100]!r} is none of Magento's"
    added = sum((charge.total for charge in snapshot.charges), snapshot.subtotal) + snapshot.tax_total
    if not is_close(added, snapshot.total):
        yield (
            f"lines, charges and tax add up to {added:f}, the order says {snapshot.total:f}: "
            "an extension may charge something that the document does not list"
        )
    refunded = order.amount_if_any("total_refunded")
    if refunded:
        yield f"{refunded:f} refunded in total; each refund comes with its own credit memo"
