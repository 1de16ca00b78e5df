"""One call to a twin's Admin API: what it may see, and the lists it pages through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLError

from adapters.shopify.twin_search import NotModelled, Slice, page, read_search
from adapters.shopify.twin_state import FulfillmentOrder, Metafield, Order
from adapters.shopify.twin_store import Store

Args = Mapping[str, Any]
WINDOW = timedelta(days=60)
_SORTABLE: Mapping[str, Callable[[Order], Any]] = {
    "CREATED_AT": lambda order: order.created_at,
    "PROCESSED_AT": lambda order: order.created_at,
    "ID": lambda order: order.id,
    "RELEVANCE": lambda order: order.id,
    "ORDER_NUMBER": lambda order: order.number,
    "TOTAL_PRICE": lambda order: float(order.total),
    "CURRENT_TOTAL_PRICE": lambda order: float(order.current_total),
    "CUSTOMER_NAME": lambda order: order.customer.last_name,
}


@dataclass(slots=True)
class Call:
    """One request to the Admin API while it is answered."""

    store: Store
    scopes: frozenset[str]
    """Widened."""
    sorted_orders: dict[str, list[Order]]
    """By sort key; kept until an order changes."""
    sizes: dict[int, int] = field(default_factory=dict)
    """How many came back, by connection node."""
    searches: list[Mapping[str, object]] = field(default_factory=list)
    """`extensions.search`."""
    refusals: dict[tuple[str, str], Callable[[], GraphQLError] | None] = field(default_factory=dict)

    oldest: datetime = field(init=False)
    """Orders from before that need another right (shopify reference, section 1.5)."""

    def __post_init__(self) -> None:
        every = "read_all_orders" in self.scopes
        self.oldest = datetime.min.replace(tzinfo=UTC) if every else self.store.now() - WINDOW

    def sees(self, order: Order | None) -> Order | None:
        """The order, if there is one and it is not too old for this app."""
        return order if order is not None and order.created_at >= self.oldest else None


def number_of(value: object, kind: str) -> int:
    """The number in a global id of this kind; 0 when it is one of another kind. Raises GraphQLError for no id."""
    words = str(value)
    head, _, number = words.partition("?")[0].rpartition("/")
    if not head.startswith("gid://shopify/") or not number.isdigit():
        problem = f"Invalid global id '{words[:200]}'"
        raise GraphQLError(problem, extensions={"code": "INVALID_VARIABLE", "problems": [{"explanation": problem}]})
    return int(number) if head == f"gid://shopify/{kind}" else 0


def by_id(items: list[Any], args: Args) -> Slice:
    """A page of what is in the order of its ids."""
    return page(items, lambda item: (item.id, item.id), args)


def in_sequence(items: list[Any], args: Args) -> Slice:
    """A page of plain values in the order they stand in."""
    places = {id(item): place for place, item in enumerate(items)}
    return page(items, lambda item: (places[id(item)], places[id(item)]), args)


def orders(call: Call, args: Args, path: list[object]) -> Slice:
    """Sorted by when they were processed unless asked otherwise, whatever their state."""
    store, sort_key = call.store, str(args.get("sortKey") or "PROCESSED_AT")
    words = str(args.get("query") or "")
    search = read_search(words, store.settings.zone, lambda order: _indexed(store, order))
    if search.warnings:
        call.searches.append({"path": path, "query": words, "parsed": {}, "warnings": list(search.warnings)})

    def key(order: Any) -> tuple[Any, int]:
        return _key(store, sort_key, order)

    found = [order for order in _sorted(call, sort_key) if call.sees(order) and search.matches(order)]
    return page(found, key, args)


def _indexed(store: Store, order: Order) -> datetime:
    return store.indexed(order) or order.updated_at


def _sorted(call: Call, sort_key: str) -> list[Order]:
    store = call.store
    if store.settings.search_lag:
        known = [order for order in store.book.orders.values() if store.indexed(order)]
        return sorted(known, key=lambda order: _key(store, sort_key, order))
    if sort_key not in call.sorted_orders:
        call.sorted_orders[sort_key] = sorted(
            store.book.orders.values(), key=lambda order: _key(store, sort_key, order)
        )
    return call.sorted_orders[sort_key]


def _key(store: Store, sort_key: str, order: Any) -> tuple[Any, int]:
    if sort_key == "UPDATED_AT":
        return _indexed(store, order), order.id
    if sort_key not in _SORTABLE:
        raise NotModelled(f"orders sorted by {sort_key}")
    return _SORTABLE[sort_key](order), order.id


def metafield(call: Call, owner: Order, args: Args) -> Metafield | None:
    namespace = full_namespace(call, args.get("namespace"))
    return next((one for one in owner.metafields if (one.namespace, one.key) == (namespace, args["key"])), None)


def full_namespace(call: Call, namespace: object) -> str:
    """`$app` stands for the app's own (shopify reference, section 3.2)."""
    own = f"app--{int(call.store.settings.client_id[:8], 16)}"
    words = str(namespace or "$app")
    return own + words.removeprefix("$app").replace(":", "--") if words.startswith("$app") else words


def seen_works(call: Call, order: Order) -> list[FulfillmentOrder]:
    """The merchant's own locations need the scope for those; with another one there is nothing to see."""
    return order.fulfillment_orders() if "read_merchant_managed_fulfillment_orders" in call.scopes else []
