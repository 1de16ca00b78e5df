"""Our webhooks in a WooCommerce shop: one a topic, at this shop's own address (reference, section 3)."""

from urllib.parse import urlsplit

from adapters.addresses import is_at_home
from adapters.contract import Store
from adapters.http import Request
from adapters.reading import Reader
from adapters.woocommerce.client import API, USER_AGENT, Client, Refused, client_of, count_of, documents_of
from connector.domain.connection import Endpoint, Subscribed, Subscription, SubscriptionState
from connector.domain.errors import UnreadableDelivery

TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
ACTIVE = "active"
_PORTS = (None, 80, 443, 8080)
"""Whatever else WordPress sends nowhere, and says so nowhere (reference, section 0.7; wp_http_validate_url)."""
_MOST_PAGES = 50
_ANSWER_SECONDS = 60.0
"""Creating one calls us back and waits for our answer first."""


def subscribe(store: Store, endpoint: Endpoint) -> Subscribed:
    """One active webhook a topic; doubled ones and those of an earlier connection go. Raises Retryable or Permanent.

    The secret of a webhook cannot be read: it is set whenever one is made or switched on. Where WordPress would not
    send to our address as it comes, only a shop in the operator's own network is subscribed to: it may allow more.
    """
    doubt = _doubt(store, endpoint)
    if doubt and not store.web.private_addresses:
        return Subscribed(tuple(Subscription(topic, SubscriptionState.UNAVAILABLE, doubt) for topic in TOPICS))
    client, repairs = client_of(store), list[str]()
    ours = _ours(client, endpoint)
    current = [hook for hook in ours if hook.text("delivery_url") == endpoint.address]
    for topic in TOPICS:
        of_topic = sorted((hook for hook in current if hook.text("topic") == topic), key=_best_first)
        if not of_topic:
            _create(client, endpoint, topic)
            repairs.append(f"{topic} was not subscribed and is now")
        elif of_topic[0].text("status") != ACTIVE:
            client.put(f"{API}/webhooks/{of_topic[0].key('id')}", {"status": ACTIVE, "secret": endpoint.secret})
            repairs.append(f"{topic} was switched off and is on again")
        current = [hook for hook in current if hook not in of_topic[:1]]
    stale = [hook for hook in ours if hook.text("delivery_url") != endpoint.address]
    for hook in (*current, *stale):
        _delete(client, hook)
        repairs.append(f"a webhook for {hook.text('topic') or 'nothing'} too many was removed")
    state = SubscriptionState.UNKNOWN if doubt else SubscriptionState.ACTIVE
    return Subscribed(tuple(Subscription(topic, state, doubt) for topic in TOPICS), tuple(repairs))


def unsubscribe(store: Store, endpoint: Endpoint) -> None:
    """Delete our webhooks. The keys stay: only a person can delete those. Raises Retryable or Permanent."""
    client = client_of(store)
    for hook in _ours(client, endpoint):
        _delete(client, hook)


def wake(store: Store) -> None:
    """Let WordPress' clock tick: in a shop without visitors webhooks wait for it (reference, section 3.5).

    What it answers does not matter, but for a shop that is away (Retryable).
    """
    url = f"{store.access.base}/wp-cron.php?doing_wp_cron"
    store.web.ask(lambda: Request("GET", url, {"User-Agent": USER_AGENT}), read_seconds=_ANSWER_SECONDS)


def _ours(client: Client, endpoint: Endpoint) -> list[Reader]:
    """All webhooks that lead to us: at this address, or at one of an earlier connection of the same shop."""
    return [hook for hook in _all(client) if _leads_to_us(hook, endpoint)]


def _leads_to_us(hook: Reader, endpoint: Endpoint) -> bool:
    url = hook.text("delivery_url")
    return url == endpoint.address or url.startswith((f"{endpoint.address}/", f"{endpoint.app_address}/"))


def _all(client: Client) -> list[Reader]:
    """Every webhook there is, by id: one that is made or deleted meanwhile moves none of those before it."""
    found: dict[str, Reader] = {}
    for page in range(1, _MOST_PAGES + 1):
        query = {"per_page": "100", "page": str(page), "orderby": "id", "order": "asc"}
        answer = client.get(f"{API}/webhooks", query)
        hooks = _readable(documents_of(answer))
        news = {hook.key("id"): hook for hook in hooks if hook.key("id") not in found}
        found |= news
        total = count_of(answer, "x-wp-total")
        if not news or (total is not None and len(found) >= total):
            break
    return list(found.values())


def _readable(hooks: list[Reader]) -> list[Reader]:
    """Others' webhooks may be anything; what has no id or address cannot be ours."""
    readable = []
    for hook in hooks:
        try:
            hook.key("id"), hook.text("delivery_url"), hook.text("topic"), hook.text("status")
        except UnreadableDelivery:
            continue
        readable.append(hook)
    return readable


def _best_first(hook: Reader) -> tuple[bool, int]:
    return hook.text("status") != ACTIVE, int(hook.amount("id"))


def _create(client: Client, endpoint: Endpoint, topic: str) -> None:
    wanted = {
        "name": f"Connector {topic}",
        "topic": topic,
        "delivery_url": endpoint.address,
        "secret": endpoint.secret,
        "status": ACTIVE,
    }
    client.post(f"{API}/webhooks", wanted, read_seconds=_ANSWER_SECONDS)


def _delete(client: Client, hook: Reader) -> None:
    try:
        client.delete(f"{API}/webhooks/{hook.key('id')}", {"force": "true"})
    except Refused as refused:
        if refused.status not in (404, 410):
            raise


def _doubt(store: Store, endpoint: Endpoint) -> str:
    """Why WordPress would not send to our address unless somebody there allowed it; empty where it would."""
    ours = urlsplit(endpoint.address)
    shop = urlsplit(store.access.credentials.values.get("own_root", store.access.base))
    is_same = ours.hostname == shop.hostname
    if is_at_home(ours.hostname or "") and not is_same:
        return (
            f"WordPress sends to no private address but its own host {shop.hostname}, and this service's is "
            f"{ours.hostname}: set CONNECTOR_ADDRESS to one the shop may call, or let a filter of the shop allow it "
            "(http_request_host_is_external)"
        )
    if ours.port not in _PORTS and not (is_same and ours.port == shop.port):
        return (
            f"WordPress sends to the ports 80, 443 and 8080 only, and this service's public address has {ours.port}: "
            "set CONNECTOR_ADDRESS to one with such a port, or let a filter of the shop allow it "
            "(http_allowed_safe_ports)"
        )
    return ""
