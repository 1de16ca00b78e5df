"""Subscribes to Mage-OS async-events where a shop has that module; its API can make and switch off, never delete."""

from adapters.contract import Store
from adapters.magento.client import number, search_all, write
from adapters.magento.criteria import Filter
from adapters.magento.refusals import MissingRight, NoSuchRoute
from adapters.reading import Reader
from connector.domain.connection import Endpoint, Subscribed, Subscription, SubscriptionState
from connector.domain.errors import UnreadableDelivery

TOPICS = (
    "sales.order.created",
    "sales.order.updated",
    "sales.order.paid",
    "sales.shipment.created",
    "sales.creditmemo.created",
)
"""Of Mage-OS common async events; the other sales events tell nothing that these do not."""

WITHOUT_MODULE = (
    "Mage-OS Async Events is not installed, so this shop sends nothing by itself: changes are found by looking for "
    "them every minute"
)
WITHOUT_EVENTS = (
    "Mage-OS Common Async Events is not installed, so nothing announces this event: changes are found by looking for "
    "them every minute"
)


def subscribe(store: Store, endpoint: Endpoint) -> Subscribed:
    """One active subscription for each topic, each at an address of its own, because no request names its event.

    A subscription never tells its secret and cannot be given another one, so one that was switched off is made anew,
    and of several the youngest counts. Raises Retryable and Permanent (see `refusals`).
    """
    if store.access.features.get("common_events") == "no":
        return _unavailable(WITHOUT_EVENTS)
    try:
        ours = _ours(store, endpoint)
    except NoSuchRoute:
        return _unavailable(WITHOUT_MODULE)
    except MissingRight as error:
        return _unavailable(str(error))
    repairs: list[str] = []
    for topic in TOPICS:
        repairs += _put_right(store, endpoint, topic, ours)
    stale = [one for one in ours if _is_active(one) and _topic(one, endpoint) not in TOPICS]
    repairs += [_switch_off(store, one, "leads nowhere any more") for one in stale]
    return Subscribed(tuple(Subscription(topic, SubscriptionState.ACTIVE) for topic in TOPICS), tuple(repairs))


def unsubscribe(store: Store, endpoint: Endpoint) -> None:
    """Switch off all that lead to us; the integration itself only a person can delete. Raises as `subscribe`."""
    try:
        ours = _ours(store, endpoint)
    except (NoSuchRoute, MissingRight):
        return
    for subscription in ours:
        if _is_active(subscription):
            _switch_off(store, subscription, "")


def _put_right(store: Store, endpoint: Endpoint, topic: str, ours: list[Reader]) -> list[str]:
    known = [one for one in ours if _topic(one, endpoint) == topic]
    active = sorted((one for one in known if _is_active(one)), key=lambda one: number(one, "subscription_id"))
    if active:
        return [_switch_off(store, one, "was there twice") for one in active[:-1]]
    wanted = {
        "event_name": topic,
        "recipient_url": f"{endpoint.address}/{topic}",
        "verification_token": endpoint.secret,
        "metadata": "http",
    }
    write(store, "POST", "async_event", {"asyncEvent": wanted})
    return [f"{topic} was {'switched off' if known else 'missing'} and is on again" if known else f"{topic} was added"]


def _switch_off(store: Store, subscription: Reader, why: str) -> str:
    subscription_id, name = number(subscription, "subscription_id"), _text(subscription, "event_name")
    changed = {
        "subscription_id": subscription_id,
        "event_name": name,
        "recipient_url": _text(subscription, "recipient_url"),
        "metadata": "http",
        "status": False,
    }
    write(store, "PUT", f"async_event/{subscription_id}", {"asyncEvent": changed})
    return f"{name[:60]} {why}: subscription {subscription_id} was switched off"


def _ours(store: Store, endpoint: Endpoint) -> list[Reader]:
    """All subscriptions that lead to this shop's address, also those that are off."""
    leading = Filter("recipient_url", f"{endpoint.address}/%", "like")
    found = search_all(store, "async_events", (leading,), key="subscription_id")
    return [one for one in found if _text(one, "recipient_url").startswith(f"{endpoint.address}/")]


def _topic(subscription: Reader, endpoint: Endpoint) -> str:
    """The topic it serves; empty when its address and its event do not belong together."""
    name = _text(subscription, "event_name")
    return name if _text(subscription, "recipient_url") == f"{endpoint.address}/{name}" else ""


def _is_active(subscription: Reader) -> bool:
    try:
        return subscription.flag("status")
    except UnreadableDelivery:
        return False


def _text(document: Reader, name: str) -> str:
    try:
        return document.text(name)
    except UnreadableDelivery:
        return ""


def _unavailable(remark: str) -> Subscribed:
    return Subscribed(tuple(Subscription(topic, SubscriptionState.UNAVAILABLE, remark) for topic in TOPICS))
