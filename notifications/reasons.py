"""Why something is told, or not: codes for the database, sentences for people (P11)."""

from enum import Enum


class Reason(Enum):
    """One reason; the value is what is stored."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    SHIPPED_WITHOUT_TRACKING = "shipped_without_tracking"
    TRACKING_ADDED = "tracking_added"
    COMPLETED = "completed"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    NO_ADDRESS = "no_address"
    SILENT = "silent"
    SHADOW = "shadow"
    PLATFORM_SPEAKS = "platform_speaks"
    ENDED = "ended"
    ADDED_BY_HAND = "added_by_hand"
    MOVED_ON = "moved_on"
    TOLD_CUSTOMER = "told_customer"
    INVOICED = "invoiced"
    NOT_WRITTEN = "not_written"
    BEFORE_CONNECTION = "before_connection"
    TOO_OLD = "too_old"
    TOLD_TOGETHER = "told_together"
    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_DELIVERED = "already_delivered"
    UNPAID = "unpaid"
    REPLACED = "replaced"
    ADDRESS_CHANGED = "address_changed"
    REOPENED = "reopened"
    TAKEN_BACK = "taken_back"
    PARCEL_TELLS = "parcel_tells"
    NOTHING_TO_SHIP = "nothing_to_ship"


SENTENCES = {
    Reason.PLACED: "The order came in.",
    Reason.PAID: "The platform says the order is paid.",
    Reason.SHIPPED: "The parcel left and its tracking number is known.",
    Reason.SHIPPED_WITHOUT_TRACKING: "The parcel left; it waited for a tracking number first, as set.",
    Reason.TRACKING_ADDED: "The parcel was announced without a tracking number, and now there is one.",
    Reason.COMPLETED: "The shop completed the order and no parcel was announced.",
    Reason.DELIVERED: "The platform says the parcel was delivered.",
    Reason.CANCELLED: "The order was cancelled.",
    Reason.REFUNDED: "Money was given back.",
    Reason.NO_ADDRESS: "There is no usable e-mail address on the order (a platform may hide it until it approves us).",
    Reason.SILENT: "This shop does not want this kind of message from us.",
    Reason.SHADOW: "It would have been sent, but this kind is not switched on yet: Connector only watches.",
    Reason.PLATFORM_SPEAKS: "The platform itself tells the customer.",
    Reason.ENDED: "The shop is no longer connected.",
    Reason.ADDED_BY_HAND: "The merchant entered the tracking number here.",
    Reason.MOVED_ON: "The parcel moved on, and the platform does not know yet.",
    Reason.TOLD_CUSTOMER: "The customer was told, and the order's history should say so.",
    Reason.INVOICED: "The invoice was issued, and the order should lead to it.",
    Reason.NOT_WRITTEN: "Writing this back to the platform is not switched on.",
    Reason.BEFORE_CONNECTION: "It happened before this shop was connected.",
    Reason.TOO_OLD: "It happened too long ago to be news.",
    Reason.TOLD_TOGETHER: "It is told in another message about the same moment.",
    Reason.ALREADY_CANCELLED: "The order is cancelled by now.",
    Reason.ALREADY_DELIVERED: "The parcel has already been delivered.",
    Reason.UNPAID: "The platform no longer says that the order is paid.",
    Reason.REPLACED: "The order was edited and another one takes its place; for the customer nothing is cancelled.",
    Reason.ADDRESS_CHANGED: "The order has another e-mail address now.",
    Reason.REOPENED: "The order is open again.",
    Reason.TAKEN_BACK: "The shop took the parcel back.",
    Reason.PARCEL_TELLS: "A parcel was announced in the meantime; its own message tells more.",
    Reason.NOTHING_TO_SHIP: "Nothing in this order is shipped.",
}


def sentence(code: str) -> str:
    """The sentence for a stored code; an unknown code is shown as it is."""
    try:
        return SENTENCES[Reason(code)]
    except ValueError:
        return code
