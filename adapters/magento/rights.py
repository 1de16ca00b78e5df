"""The rights (ACL resources) an integration needs, by their names in Magento's admin tree, and what fails without."""

from collections.abc import Iterable
from dataclasses import dataclass

HOW = "In Magento open System > Extensions > Integrations, edit the integration, tick it on the API tab and save."


@dataclass(frozen=True, slots=True)
class Right:
    """One tick in the tree of the API tab."""

    place: str
    without: str
    """What does not work without it, as the end of a sentence."""


RIGHTS = {
    "Magento_Sales::actions_view": Right("Sales > Operations > Orders > Actions > View", "orders cannot be read"),
    "Magento_Sales::ship": Right("Sales > Operations > Orders > Actions > Ship", "parcels cannot be written back"),
    "Magento_Sales::comment": Right(
        "Sales > Operations > Orders > Actions > Comment", "notes cannot be written to an order's history"
    ),
    "Magento_Sales::sales_invoice": Right(
        "Sales > Operations > Invoices", "hints at an invoice cannot be followed to their order"
    ),
    "Magento_Sales::shipment": Right(
        "Sales > Operations > Shipments", "parcels and tracking numbers cannot be read or written back"
    ),
    "Magento_Sales::sales_creditmemo": Right("Sales > Operations > Credit Memos", "refunds cannot be read"),
    "Magento_Backend::store": Right(
        "Stores > Settings > All Stores", "the languages of the store views and the time zone are not known"
    ),
    "MageOS_AsyncEvents::manage": Right(
        "Manage Asynchronous Events", "webhooks cannot be subscribed, and changes are found by looking for them"
    ),
}
"""Names from Magento's and Mage-OS async-events' acl.xml (magento reference, section 1.3)."""

OPTIONAL = frozenset({"MageOS_AsyncEvents::manage"})
"""In the tree only where that module is installed."""


def missing_right(resource: str) -> str:
    """The sentence for a right that is missing: which, what follows, and where to give it."""
    right = RIGHTS.get(resource)
    if right is None:
        return f"The right {resource} is missing. {HOW}"
    return f"The right {right.place} ({resource}) is missing, so {right.without}. {HOW}"


def missing_rights(resources: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each, in the order of the tree."""
    known = list(RIGHTS)
    ordered = sorted(set(resources), key=lambda name: (known.index(name) if name in RIGHTS else len(known), name))
    return tuple(missing_right(resource) for resource in ordered)
