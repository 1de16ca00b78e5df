"""The webhook subscriptions an app makes by a twin's API, and the errors that are the caller's own."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from adapters.shopify.twin_calls import Args, Call, number_of
from adapters.shopify.twin_search import NotModelled
from adapters.shopify.twin_settings import ALL_TOPICS, COMPLIANCE_TOPICS
from adapters.shopify.twin_state import gid
from adapters.shopify.twin_webhooks import Subscription, may_subscribe

_TOPICS = {topic.upper().replace("/", "_"): topic for topic in ALL_TOPICS if topic not in COMPLIANCE_TOPICS}


class Wrong(Exception):
    """A userError: nothing was changed."""

    def __init__(self, message: str, *field: str, **more: object) -> None:
        super().__init__(message)
        self.told = {"field": list(field) or None, "message": message, **more}


def subscribe(call: Call, args: Args) -> Mapping[str, object]:
    topic = _TOPICS.get(args["topic"])
    if topic is None:
        raise NotModelled(f"the topic {args['topic']}")
    settings, given = call.store.settings, args["webhookSubscription"]
    if not may_subscribe(topic, call.store.accounts.scopes, settings.approved):
        raise Wrong(_not_allowed(settings.approved), "webhookSubscription")
    uri = _address(given)
    _refuse_twin(call, topic, uri, None)
    now = call.store.now()
    fields = tuple(given.get("includeFields") or ())
    made = Subscription(topic, uri, name=given.get("name"), include_fields=fields, created_at=now, updated_at=now)
    return {"webhookSubscription": call.store.courier.subscribe(made)}


def _not_allowed(approved: frozenset[str]) -> str:
    if "data" in approved:
        return "You cannot create a webhook subscription with the specified topic"
    return "This app is not approved to subscribe to webhook topics containing protected customer data."


def _address(given: Args) -> str:
    for name in ("filter", "metafields", "metafieldNamespaces"):
        if given.get(name):
            raise NotModelled(f"webhook subscriptions with {name}")
    if given.get("format") == "XML":
        raise NotModelled("webhooks in XML")
    uri = given.get("uri") or given.get("callbackUrl") or ""
    if urlsplit(uri).scheme != "https" or not urlsplit(uri).hostname:
        raise Wrong("Address protocol http:// is not supported" if uri else "Address can't be blank", *_CALLBACK)
    host = str(urlsplit(uri).hostname)
    if host == "localhost" or host.endswith((".local", ".internal")):
        raise Wrong(f"Address cannot be a {host} address", *_CALLBACK)
    return str(uri)


_CALLBACK = ("webhookSubscription", "callbackUrl")


def _refuse_twin(call: Call, topic: str, uri: str, besides: Subscription | None) -> None:
    others = (one for one in call.store.courier.subscriptions if one is not besides)
    if any((one.topic, one.uri) == (topic, uri) for one in others):
        raise Wrong("Address for this topic has already been taken", *_CALLBACK)


def _subscription(call: Call, identity: object) -> Subscription:
    number = number_of(identity, "WebhookSubscription")
    found = next((one for one in call.store.courier.subscriptions if one.id == number), None)
    if found is None:
        raise Wrong("Webhook subscription does not exist", "id")
    return found


def resubscribe(call: Call, args: Args) -> Mapping[str, object]:
    found, given = _subscription(call, args["id"]), args["webhookSubscription"]
    if given.get("uri") or given.get("callbackUrl"):
        uri = _address(given)
        _refuse_twin(call, found.topic, uri, found)
        found.uri = uri
    if "includeFields" in given:
        found.include_fields = tuple(given["includeFields"] or ())
    found.name = given.get("name", found.name)
    found.updated_at = call.store.now()
    return {"webhookSubscription": found}


def unsubscribe(call: Call, args: Args) -> Mapping[str, object]:
    found = _subscription(call, args["id"])
    call.store.courier.forget(found)
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", found.id)}
