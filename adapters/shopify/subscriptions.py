"""Looks after a shop's webhooks: made by the app's TOML for all shops, or one by one for a merchant's own app."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.contract import Store
from adapters.shopify import client
from adapters.shopify.app_file import LIFE_CYCLE, ORDERS
from adapters.shopify.grants import is_operators_app, signs_with
from connector.domain.connection import Endpoint, Subscribed, Subscription, SubscriptionState
from connector.domain.errors import Permanent

MOST_PAGES = 50
_TOPICS = (*ORDERS, *LIFE_CYCLE)
_BY_TOML = "Shopify keeps it as shopify.app.toml says, and does not show it"
_UNCHECKED = "its signature could not be checked: connect again with the app's client secret (API secret key) beside it"


@dataclass(frozen=True, slots=True)
class _Made:
    """A subscription as Shopify lists it."""

    gid: str
    topic: str
    uri: str
    plain: bool
    """Whether it sends everything, as JSON."""


def subscribe(store: Store, endpoint: Endpoint) -> Subscribed:
    """Never both ways: an address that TOML and API name for one topic hears all of it twice (shopify reference, 2.4).

    Raises Retryable or Permanent.
    """
    credentials = store.access.credentials
    if is_operators_app(credentials):
        return _all(SubscriptionState.UNKNOWN, _BY_TOML)
    if not signs_with(credentials):
        return _all(SubscriptionState.UNAVAILABLE, _UNCHECKED)
    standing, repairs = _swept(store, endpoint)
    kept = [_kept(store, endpoint, topic, standing, repairs) for topic in _TOPICS]
    return Subscribed(tuple(kept), tuple(repairs))


def unsubscribe(store: Store, endpoint: Endpoint) -> None:
    """Take our webhooks back; the operator's app leaves the shop altogether. A shop that is lost has nothing of us."""
    try:
        if is_operators_app(store.access.credentials):
            client.change(store, "uninstall", {}, "appUninstall")
            return
        for one in _ours(store, endpoint):
            _delete(store, one)
    except client.AccessLost:
        return


def _all(state: SubscriptionState, remark: str) -> Subscribed:
    return Subscribed(tuple(Subscription(topic, state, remark) for topic in _TOPICS))


def _swept(store: Store, endpoint: Endpoint) -> tuple[set[str], list[str]]:
    """The topics that stand as they should, after taking away what is doubled, stale or does not send everything."""
    wanted = {as_enum(topic) for topic in _TOPICS}
    standing: set[str] = set()
    repairs: list[str] = []
    for one in _ours(store, endpoint):
        if one.uri == endpoint.address and one.plain and one.topic in wanted - standing:
            standing.add(one.topic)
            continue
        _delete(store, one)
        repairs.append(f"{_as_header(one.topic)} was doubled, not wanted or led elsewhere, and was taken away")
    return standing, repairs


def _kept(store: Store, endpoint: Endpoint, topic: str, standing: set[str], repairs: list[str]) -> Subscription:
    name = as_enum(topic)
    if name in standing:
        return Subscription(topic, SubscriptionState.ACTIVE)
    try:
        client.change(store, "webhook_create", {"topic": name, "uri": endpoint.address}, "webhookSubscriptionCreate")
    except client.AccessLost:
        raise
    except Permanent as refusal:  # a right or a protected field is missing for this topic alone
        return Subscription(topic, SubscriptionState.UNAVAILABLE, str(refusal))
    repairs.append(f"{topic} was not there and is made")
    return Subscription(topic, SubscriptionState.ACTIVE)


def _ours(store: Store, endpoint: Endpoint) -> list[_Made]:
    """All subscriptions that lead to us, whichever shop key they name; read whole before anything is changed."""
    return [
        one for one in _listed(store) if one.uri == endpoint.address or one.uri.startswith(f"{endpoint.app_address}/")
    ]


def _listed(store: Store) -> Iterator[_Made]:
    after = ""
    for _ in range(MOST_PAGES):
        page = client.ask(store, "webhooks", {"after": after or None}).data.part("webhookSubscriptions")
        for one in page.items("nodes"):
            plain = one.text("format") == "JSON" and not one.has("filter") and not one.values("includeFields")
            yield _Made(one.text("id"), one.text("topic"), one.text("uri"), plain)
        before, after = after, page.text("pageInfo.endCursor")
        if not page.flag("pageInfo.hasNextPage") or after in ("", before):
            return
    raise Permanent("Shopify's list of webhooks does not end")


def _delete(store: Store, one: _Made) -> None:
    client.change(store, "webhook_delete", {"id": one.gid}, "webhookSubscriptionDelete")


def as_enum(topic: str) -> str:
    """`fulfillment_events/create` as `FULFILLMENT_EVENTS_CREATE`."""
    return topic.replace("/", "_").upper()


def _as_header(name: str) -> str:
    known = {as_enum(topic): topic for topic in _TOPICS}
    return known.get(name, name.lower()[:60])
