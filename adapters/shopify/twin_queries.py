"""The roots of a twin's queries, and how any field of the schema is answered."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLResolveInfo,
    get_named_type,
    is_abstract_type,
    is_list_type,
)

from adapters.shopify.twin_calls import Args, Call, by_id, number_of, orders, seen_works
from adapters.shopify.twin_fields import ASKED, PLAIN
from adapters.shopify.twin_mutations import MUTATIONS
from adapters.shopify.twin_schema import refusal
from adapters.shopify.twin_search import NotModelled, Slice, page
from adapters.shopify.twin_state import Order, gid
from adapters.shopify.twin_values import ENTITY, location

Info = GraphQLResolveInfo[Any]
_HUMP = re.compile(r"([A-Z])")
_NOTHING: Mapping[str, object] = {"Boolean": False, "Int": 0, "UnsignedInt64": 0}


def resolve(source: Any, info: Info, **args: Any) -> object:
    """Any field: first whether the app may see it, then its value."""
    call: Call = info.context
    kind, name = info.parent_type.name, info.field_name
    _check(call, info, kind, name)
    value = _value(source, call, info, args)
    named = get_named_type(info.return_type)
    if value is not None and is_abstract_type(named) and not isinstance(value, list | Slice):
        _check_type(call, name, type_of(value))
    if isinstance(value, Slice):
        node = id(info.field_nodes[0])
        call.sizes[node] = max(call.sizes.get(node, 0), len(value.nodes))
    return value


def type_of(value: Any, *_: object) -> str:
    return str(value["typename"] if isinstance(value, dict) else value.typename)


def _check(call: Call, info: Info, kind: str, name: str) -> None:
    key = (kind, name)
    if key not in call.refusals:
        field = info.parent_type.fields.get(name)
        call.refusals[key] = refusal(kind, name, field, call.scopes, call.store.settings.approved)
    error = call.refusals[key]
    if error:
        raise error()


def _check_type(call: Call, name: str, kind: str) -> None:
    """Behind an interface or a union the object's own type counts."""
    error = refusal(kind, "", None, call.scopes, call.store.settings.approved)
    if error:
        raise GraphQLError(error().message.replace("for  field", f"for {name} field"), extensions=error().extensions)


def _value(source: Any, call: Call, info: Info, args: Args) -> object:
    kind, name = info.parent_type.name, info.field_name
    if kind == "QueryRoot":
        return _root(call, info, name, args)
    if kind == "Mutation":
        return _mutate(call, name, args)
    if (kind, name) in ASKED:
        return ASKED[kind, name](source, call, args)
    if name in PLAIN.get(kind, {}):
        return PLAIN[kind][name](source)
    if isinstance(source, Slice):
        return _of_slice(source, name)
    if isinstance(source, dict):
        return source[name] if name in source else _nothing(info)
    attribute = _attribute(name)
    if not hasattr(source, attribute):
        return _nothing(info)
    value = getattr(source, attribute)
    return gid(kind, value) if name == "id" else value


def _of_slice(source: Slice, name: str) -> object:
    if name == "nodes":
        return list(source.nodes)
    cursors = source.cursors
    if name == "edges":
        return [{"node": node, "cursor": cursors(node)} for node in source.nodes]
    ends = (cursors(source.nodes[0]), cursors(source.nodes[-1])) if source.nodes else (None, None)
    more = {"hasNextPage": source.has_next, "hasPreviousPage": source.has_previous}
    return more | {"startCursor": ends[0], "endCursor": ends[1]}


def _nothing(info: Info) -> object:
    """What a shop says that has none of it. Raises NotModelled where it would have to have one."""
    kind = info.return_type
    if not isinstance(kind, GraphQLNonNull):
        return None
    if is_list_type(kind.of_type):
        return []
    named: GraphQLNamedType = get_named_type(kind)
    if named.name.endswith("Connection"):
        return Slice([], str, has_next=False, has_previous=False)
    if named.name in _NOTHING:
        return _NOTHING[named.name]
    raise NotModelled(f"{info.parent_type.name}.{info.field_name}")


@cache
def _attribute(name: str) -> str:
    """`createdAt` as `created_at`."""
    return _HUMP.sub(r"_\1", name).lower()


def _mutate(call: Call, name: str, args: Args) -> object:
    if name not in MUTATIONS:
        raise NotModelled(f"the mutation {name}")
    return MUTATIONS[name](call, args)


def _root(call: Call, info: Info, name: str, args: Args) -> object:
    if name == "orders":
        return orders(call, args, list(info.path.as_list()))
    if name not in ROOTS:
        raise NotModelled(f"the query {name}")
    return ROOTS[name](call, args)


def node(call: Call, identity: object) -> Any:
    """Any object by its global id; None when there is none. Raises GraphQLError for what is no id."""
    number_of(identity, "")
    kind = str(identity).split("/")[3]
    number = number_of(identity, kind)
    finders: Mapping[str, Callable[[], object]] = {
        "Order": lambda: call.sees(call.store.book.order(number)),
        "Fulfillment": lambda: _of_seen(call, call.store.book.fulfillment(number)),
        "FulfillmentOrder": lambda: _work(call, number),
        "WebhookSubscription": lambda: _subscription(call, number),
        "Customer": lambda: next((who for who in call.store.book.customers.values() if who.id == number), None),
        "Shop": lambda: _shop(call) if number == call.store.settings.shop_id else None,
        "Location": lambda: location(0),
    }
    if kind in finders:
        return finders[kind]()
    return _of_seen(call, call.store.book.part(kind, number))


def _of_seen(call: Call, part: Any) -> Any:
    owner = getattr(part, "order", None) or getattr(part, "owner", None) or getattr(part, "fulfillment", None)
    order = owner if isinstance(owner, Order) or owner is None else owner.order
    return part if order is not None and call.sees(order) else None


def _work(call: Call, number: int) -> object:
    work = call.store.book.fulfillment_order(number)
    return work if work and work in seen_works(call, work.order) and call.sees(work.order) else None


def _subscription(call: Call, number: int) -> object:
    return next((one for one in call.store.courier.subscriptions if one.id == number), None)


def _subscriptions(call: Call, args: Args) -> object:
    """Only those the API made (shopify reference, section 2.4)."""
    topics, uri = args.get("topics"), args.get("uri") or args.get("callbackUrl")
    found = [
        one
        for one in call.store.courier.subscriptions
        if (not topics or one.topic.upper().replace("/", "_") in topics) and (not uri or one.uri == uri)
    ]
    return by_id(found, args)


def _fulfillment_orders(call: Call, args: Args) -> object:
    seen = [order for order in call.store.book.orders.values() if call.sees(order)]
    works = [work for order in seen for work in seen_works(call, order)]
    if not args.get("includeClosed"):
        works = [work for work in works if work.status != "CLOSED"]
    return page(works, lambda work: (work.id, work.id), args)


def _installation(call: Call, _: Args) -> object:
    settings, granted = call.store.settings, call.store.accounts.scopes
    app = {
        "typename": "App",
        "id": gid("App", 8_812_300_001),
        "handle": "order-connector",
        "title": settings.app_name,
        "apiKey": settings.client_id,
        "embedded": True,
        "webhookApiVersion": settings.webhook_version,
        "requestedAccessScopes": [{"handle": scope, "description": scope} for scope in settings.scopes],
    }
    return {
        "typename": "AppInstallation",
        "id": gid("AppInstallation", 512_600_000_123),
        "launchUrl": f"https://{settings.host}/admin/apps/order-connector",
        "accessScopes": [{"handle": scope, "description": scope} for scope in sorted(granted)],
        "app": app,
        "activeSubscriptions": [],
    }


def _shop(call: Call) -> object:
    settings = call.store.settings
    address = ENTITY["address"] | {"countryCodeV2": settings.country_code, "phone": "+49 40 123456", "province": None}
    return {
        "typename": "Shop",
        "id": gid("Shop", settings.shop_id),
        "name": settings.shop_name,
        "myshopifyDomain": settings.host,
        "url": f"https://{settings.host}",
        "primaryDomain": {"id": gid("Domain", 1), "host": settings.host, "url": f"https://{settings.host}"},
        "email": settings.shop_email,
        "contactEmail": settings.shop_email,
        "currencyCode": settings.currency,
        "ianaTimezone": settings.timezone,
        "taxesIncluded": settings.taxes_included,
        "taxShipping": True,
        "plan": {
            "publicDisplayName": "Basic",
            "displayName": "Basic",
            "partnerDevelopment": settings.development_store,
            "shopifyPlus": False,
        },
        "shopAddress": address | {"id": gid("ShopAddress", 1), "company": "Meltemi Goods GmbH", "country": "Germany"},
        "billingAddress": address | {"id": gid("ShopAddress", 1), "company": "Meltemi Goods GmbH"},
        "enabledPresentmentCurrencies": list(settings.currencies),
        "orderNumberFormatPrefix": "#",
        "orderNumberFormatSuffix": "",
        "shopOwnerName": "Mara Meltemi",
        "weightUnit": "KILOGRAMS",
        "timezoneAbbreviation": call.store.now().astimezone(settings.zone).tzname(),
        "timezoneOffset": call.store.now().astimezone(settings.zone).strftime("%z"),
        "currencyFormats": {"moneyFormat": "€{{amount}}", "moneyWithCurrencyFormat": "€{{amount}} EUR"},
        "createdAt": call.store.now().replace(year=2024, month=1, day=1),
        "updatedAt": call.store.now().replace(year=2024, month=1, day=1),
    }


def _versions(call: Call, _: Args) -> object:
    return [{"handle": one, "displayName": one, "supported": True} for one in call.store.settings.versions]


def _locales(call: Call, _: Args) -> object:
    locale = call.store.settings.locale
    return [{"locale": locale, "name": locale, "primary": True, "published": True}]


def _count(call: Call, _: Args) -> object:
    return {"count": min(len(call.store.book.orders), 10_000), "precision": "EXACT"}


ROOTS: Mapping[str, Callable[[Call, Args], object]] = {
    "appInstallation": _installation,
    "currentAppInstallation": _installation,
    "customer": lambda call, args: _typed(node(call, args["id"]), "Customer"),
    "fulfillment": lambda call, args: _typed(node(call, args["id"]), "Fulfillment"),
    "fulfillmentOrder": lambda call, args: _typed(node(call, args["id"]), "FulfillmentOrder"),
    "fulfillmentOrders": _fulfillment_orders,
    "location": lambda call, args: _typed(node(call, args["id"]), "Location") if args.get("id") else location(0),
    "node": lambda call, args: node(call, args["id"]),
    "nodes": lambda call, args: [node(call, one) for one in args["ids"]],
    "order": lambda call, args: _typed(node(call, args["id"]), "Order"),
    "ordersCount": _count,
    "publicApiVersions": _versions,
    "refund": lambda call, args: _typed(node(call, args["id"]), "Refund"),
    "shop": lambda call, _: _shop(call),
    "shopLocales": _locales,
    "webhookSubscription": lambda call, args: _typed(node(call, args["id"]), "WebhookSubscription"),
    "webhookSubscriptions": _subscriptions,
}


def _typed(found: Any, kind: str) -> object:
    return found if found is not None and type_of(found) == kind else None
