"""The mails a stand-in WooCommerce shop sends its customers itself, and the settings that switch them."""

from dataclasses import dataclass

from adapters.woocommerce.twin_orders import Order
from adapters.woocommerce.twin_site import Mail, Site


@dataclass(frozen=True, slots=True)
class MailKind:
    """One of WooCommerce's mails, as a group of its settings (`email_<name>`)."""

    name: str
    title: str
    subject: str = ""
    on: bool = True
    """In a fresh shop."""
    switchable: bool = True
    for_customer: bool = True
    since: str = "0"
    fulfillments: bool = False
    """Only there with the core feature."""


KINDS = (
    MailKind("new_order", "New order", for_customer=False),
    MailKind("cancelled_order", "Cancelled order", for_customer=False),
    MailKind("failed_order", "Failed order", for_customer=False),
    MailKind("customer_on_hold_order", "Order on-hold", "Your {shop} order has been received!"),
    MailKind("customer_processing_order", "Processing order", "Your {shop} order has been received!"),
    MailKind("customer_completed_order", "Completed order", "Your order from {shop} is on its way!"),
    MailKind("customer_refunded_order", "Refunded order", "Your order from {shop} has been refunded"),
    MailKind(
        "customer_cancelled_order",
        "Cancelled order",
        "[{shop}]: Your order #{number} has been cancelled",
        on=False,
        since="10.0",
    ),
    MailKind("customer_failed_order", "Failed order", "Your order at {shop} was unsuccessful", since="9.5"),
    MailKind("customer_invoice", "Order details", "Details for order #{number} on {shop}", switchable=False),
    MailKind("customer_note", "Customer note", "A note has been added to your order from {shop}"),
    MailKind("customer_reset_password", "Reset password", "Password reset request for {shop}"),
    MailKind("customer_new_account", "New account", "Your {shop} account has been created!"),
    MailKind(
        "customer_fulfillment_created",
        "Fulfillment created",
        "Items from your {shop} order #{number} have been fulfilled!",
        fulfillments=True,
    ),
    MailKind(
        "customer_fulfillment_updated",
        "Fulfillment updated",
        "A shipment from {shop} order #{number} has been updated",
        fulfillments=True,
    ),
    MailKind(
        "customer_fulfillment_deleted",
        "Fulfillment deleted",
        "A shipment from {shop} order #{number} has been cancelled",
        fulfillments=True,
    ),
)

_FROM_UNPAID = ("pending", "failed", "cancelled", "checkout-draft")


def kinds(site: Site) -> tuple[MailKind, ...]:
    """The mails this shop's version and features have."""
    return tuple(kind for kind in KINDS if site.at_least(kind.since) and (site.fulfillments or not kind.fulfillments))


def is_on(site: Site, kind: MailKind) -> bool:
    return site.options.get((f"email_{kind.name}", "enabled"), "yes" if kind.on else "no") == "yes"


def send(site: Site, order: Order, name: str) -> bool:
    """Send a mail about an order, if the shop has it, it is on and there is whom to send it to."""
    kind = next((kind for kind in kinds(site) if kind.name == name), None)
    if kind is None or not is_on(site, kind):
        return False
    if kind.for_customer:
        if not order.email:
            return False
        subject = kind.subject.format(shop=site.title, number=order.order_id)
        site.mails.append(Mail(name, order.email, order.order_id, subject, site.now()))
    return True


def title(name: str) -> str:
    return next(kind.title for kind in KINDS if kind.name == name)


def mails_of_change(old: str, new: str) -> tuple[str, ...]:
    """What a change of status makes WooCommerce mail, the shopkeeper's first."""
    if new == "processing" and old in (*_FROM_UNPAID, "on-hold"):
        return (() if old == "on-hold" else ("new_order",)) + ("customer_processing_order",)
    if new == "completed":
        return (("new_order",) if old in _FROM_UNPAID else ()) + ("customer_completed_order",)
    if new == "on-hold" and old in _FROM_UNPAID:
        return ("new_order", "customer_on_hold_order")
    if new == "cancelled" and old in ("processing", "on-hold"):
        return ("cancelled_order", "customer_cancelled_order")
    if new == "failed":
        return ("failed_order", "customer_failed_order")
    return ()
