"""What a twin lets an app change, and the `userErrors` when it may not."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from graphql import GraphQLError

from adapters.shopify.twin_calls import Args, Call, full_namespace, number_of, seen_works
from adapters.shopify.twin_search import NotModelled
from adapters.shopify.twin_state import Fulfillment, FulfillmentOrder, Metafield, Order, gid
from adapters.shopify.twin_store import Mail
from adapters.shopify.twin_subscribing import Wrong, resubscribe, subscribe, unsubscribe
from adapters.shopify.twin_tracking import tracking
from adapters.shopify.twin_values import digest

MOST_METAFIELDS = 25
LONGEST_TAG = 40
LONGEST_NOTE = 5_000


Act = Callable[[Call, Args], Mapping[str, object]]


def _guarded(act: Act) -> Act:
    """With the errors that are the caller's own in `userErrors`."""

    def guarded(call: Call, args: Args) -> Mapping[str, object]:
        try:
            return {**act(call, args), "userErrors": []}
        except Wrong as wrong:
            return {"userErrors": [wrong.told]}

    return guarded


def _fulfill(call: Call, args: Args) -> Mapping[str, object]:
    given = args["fulfillment"]
    works = [_wanted(call, group) for group in given["lineItemsByFulfillmentOrder"]]
    if not works:
        raise Wrong("Line items by fulfillment order can't be blank", "fulfillment")
    if len({work.order.id for work, _ in works}) > 1:
        raise Wrong("All fulfillment orders must belong to the same order.", "fulfillment")
    if len({work.location for work, _ in works}) > 1:
        raise Wrong("All fulfillment orders must be assigned to the same location.", "fulfillment")
    order, numbers = works[0][0].order, tracking(given.get("trackingInfo") or {})
    made = call.store.ship(order, works, numbers, notify=bool(given.get("notifyCustomer")))
    return {"fulfillment": made}


def _wanted(call: Call, group: Args) -> tuple[FulfillmentOrder, Mapping[int, int]]:
    """A fulfillment order and how many of which line (by place); no lines: all that remains."""
    number = number_of(group["fulfillmentOrderId"], "FulfillmentOrder")
    work = call.store.book.fulfillment_order(number)
    if work is None or work not in seen_works(call, work.order) or not _may_send(call):
        raise Wrong("Fulfillment order does not exist.", "fulfillment")
    if work.status not in ("OPEN", "IN_PROGRESS"):
        words = f"Fulfillment order {work.id} has an unfulfillable status= {work.status.lower()}."
        raise Wrong(words, "fulfillment")
    lines = {gid("FulfillmentOrderLineItem", line.id + 190): line for line in work.lines}
    wanted: dict[int, int] = {}
    for part in group.get("fulfillmentOrderLineItems") or []:
        line = lines.get(part["id"])
        if line is None or not 0 < part["quantity"] <= line.remaining:
            raise Wrong("Invalid fulfillment order line item quantity requested.", "fulfillment")
        wanted[line.place] = part["quantity"]
    return work, wanted


def _may_send(call: Call) -> bool:
    """All twins' locations are the merchant's own."""
    return "write_merchant_managed_fulfillment_orders" in call.scopes


def _fulfillment(call: Call, identity: object, *field: str) -> Fulfillment:
    found = call.store.book.fulfillment(number_of(identity, "Fulfillment"))
    if found is None or not call.sees(found.order):
        raise Wrong("Fulfillment does not exist.", *field)
    return found


def _update_tracking(call: Call, args: Args) -> Mapping[str, object]:
    found = _fulfillment(call, args["fulfillmentId"], "fulfillmentId")
    if found.status == "CANCELLED":
        raise Wrong("Fulfillment is cancelled and its tracking can't be updated.", "fulfillmentId")
    call.store.track(found, tracking(args["trackingInfoInput"]), notify=bool(args.get("notifyCustomer")))
    return {"fulfillment": found}


def _cancel_fulfillment(call: Call, args: Args) -> Mapping[str, object]:
    found = _fulfillment(call, args["id"], "id")
    if found.status != "CANCELLED":
        call.store.cancel_fulfillment(found)
    return {"fulfillment": found}


def _create_event(call: Call, args: Args) -> Mapping[str, object]:
    given = dict(args["fulfillmentEvent"])
    found = _fulfillment(call, given.pop("fulfillmentId"), "fulfillmentEvent", "fulfillmentId")
    if found.status == "CANCELLED":
        raise Wrong("Fulfillment is cancelled.", "fulfillmentEvent", "fulfillmentId")
    snake = {"happenedAt": "happened_at", "estimatedDeliveryAt": "estimated_delivery_at"}
    status = given.pop("status")
    more = {snake.get(name, name): value for name, value in given.items() if value is not None}
    return {"fulfillmentEvent": call.store.report(found, status, **more)}


def _order(call: Call, identity: object, *field: str) -> Order:
    found = call.sees(call.store.book.order(number_of(identity, "Order")))
    if found is None:
        raise Wrong("Order does not exist", *field)
    return found


def _needs(call: Call, scope: str, name: str) -> None:
    if scope not in call.scopes:
        wording = f"`{scope}` access scope."
        extensions = {"code": "ACCESS_DENIED", "requiredAccess": wording}
        raise GraphQLError(f"Access denied for {name} field. Required access: {wording}", extensions=extensions)


def _add_tags(call: Call, args: Args) -> Mapping[str, object]:
    _needs(call, "write_orders", "tagsAdd")
    order, wanted = _order(call, args["id"], "id"), _clean_tags(args["tags"], "tags")
    have = {tag.lower() for tag in order.tags}
    fresh = tuple(tag for tag in wanted if tag.lower() not in have)
    if fresh:
        call.store.annotate(order, lambda one: setattr(one, "tags", one.tags + fresh))
    return {"node": order}


def _remove_tags(call: Call, args: Args) -> Mapping[str, object]:
    _needs(call, "write_orders", "tagsRemove")
    order, unwanted = _order(call, args["id"], "id"), {tag.lower() for tag in args["tags"]}
    left = tuple(tag for tag in order.tags if tag.lower() not in unwanted)
    if left != order.tags:
        call.store.annotate(order, lambda one: setattr(one, "tags", left))
    return {"node": order}


def _clean_tags(tags: Sequence[str], *field: str) -> tuple[str, ...]:
    """Split at commas, each once, however it is written."""
    found: dict[str, str] = {}
    for tag in (part.strip() for words in tags for part in words.split(",")):
        if len(tag) > LONGEST_TAG:
            raise Wrong(f"Tag exceeds the maximum length of {LONGEST_TAG} characters", *field)
        if tag:
            found.setdefault(tag.lower(), tag)
    return tuple(found.values())


def _update_order(call: Call, args: Args) -> Mapping[str, object]:
    given = dict(args["input"])
    order = _order(call, given.pop("id"), "id")
    changes: dict[str, object] = {}
    for name, value in given.items():
        if name not in _ORDER_CHANGES:
            raise NotModelled(f"orderUpdate.{name}")
        attribute, read = _ORDER_CHANGES[name]
        changes[attribute] = read(value)
    if len(str(changes.get("note") or "")) > LONGEST_NOTE:
        raise Wrong(f"Note is too long (maximum is {LONGEST_NOTE} characters)", "input", "note")

    def change(one: Order) -> None:
        for name, value in changes.items():
            setattr(one, name, value)

    call.store.annotate(order, change)
    return {"order": order}


_ORDER_CHANGES: Mapping[str, tuple[str, Callable[[object], object]]] = {
    "note": ("note", lambda value: value),
    "email": ("email", lambda value: value),
    "phone": ("phone", lambda value: value),
    "poNumber": ("po_number", lambda value: value),
    "tags": ("tags", lambda value: _clean_tags(value, "input", "tags")),  # type: ignore[arg-type]
    "customAttributes": ("attributes", lambda value: _pairs(value)),
}


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((str(one["key"]), str(one["value"])) for one in value) if isinstance(value, list) else ()


def _set_metafields(call: Call, args: Args) -> Mapping[str, object]:
    """All or none (shopify reference, section 3.2)."""
    _needs(call, "write_orders", "metafieldsSet")
    wanted = args["metafields"]
    if len(wanted) > MOST_METAFIELDS:
        words = f"Exceeded the maximum metafields input limit of {MOST_METAFIELDS}"
        raise Wrong(words, "metafields", code="LESS_THAN_OR_EQUAL_TO", elementIndex=None)
    checked = [_checked(call, one, place) for place, one in enumerate(wanted)]
    return {"metafields": [_set(call, order, made) for order, made in checked]}


def _checked(call: Call, given: Args, place: int) -> tuple[Order, Metafield]:
    where = ("metafields", str(place))
    order = call.sees(call.store.book.order(number_of(given["ownerId"], "Order")))
    if order is None:
        raise Wrong("Owner does not exist", *where, "ownerId", code="INVALID", elementIndex=None)
    namespace, key = full_namespace(call, given.get("namespace")), given["key"]
    if not 2 <= len(key) <= 64:
        raise Wrong("Key must be 2 to 64 characters", *where, "key", code="TOO_SHORT", elementIndex=None)
    before = next((one for one in order.metafields if (one.namespace, one.key) == (namespace, key)), None)
    asked = str(given.get("namespace") or "$app")
    kind = given.get("type") or call.store.settings.definitions.get((asked, key)) or (before and before.type)
    if not kind:
        raise Wrong("Type can't be blank", *where, "type", code="BLANK", elementIndex=None)
    if kind == "url" and not _is_url(given["value"]):
        raise Wrong("Value must be a valid URL.", *where, "value", code="INVALID_VALUE", elementIndex=None)
    if "compareDigest" in given and given["compareDigest"] != (digest(before) if before else None):
        words = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
        raise Wrong(words, *where, code="STALE_OBJECT", elementIndex=None)
    now = call.store.now()
    number, created = (before.id, before.created_at) if before else (0, now)
    return order, Metafield(order, number, namespace, key, kind, given["value"], created, now)


def _set(call: Call, order: Order, made: Metafield) -> Metafield:
    kept = [one for one in order.metafields if (one.namespace, one.key) != (made.namespace, made.key)]
    made.id = made.id or order.new_id()
    call.store.annotate(order, lambda one: setattr(one, "metafields", [*kept, made]))
    return made


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in ("https", "http", "mailto", "sms", "tel") and bool(parts.netloc or parts.path)


def _send_invoice(call: Call, args: Args) -> Mapping[str, object]:
    order = _order(call, args["id"], "id")
    call.store.mails.append(Mail(str(order.id), "invoice", (args.get("email") or {}).get("to") or order.email))
    return {"order": order}


def _uninstall(call: Call, _: Args) -> Mapping[str, object]:
    call.store.uninstall()
    return {"app": None}


MUTATIONS: Mapping[str, Act] = {
    name: _guarded(act)
    for name, act in {
        "appUninstall": _uninstall,
        "fulfillmentCancel": _cancel_fulfillment,
        "fulfillmentCreate": _fulfill,
        "fulfillmentCreateV2": _fulfill,
        "fulfillmentEventCreate": _create_event,
        "fulfillmentTrackingInfoUpdate": _update_tracking,
        "fulfillmentTrackingInfoUpdateV2": _update_tracking,
        "metafieldsSet": _set_metafields,
        "orderInvoiceSend": _send_invoice,
        "orderUpdate": _update_order,
        "tagsAdd": _add_tags,
        "tagsRemove": _remove_tags,
        "webhookSubscriptionCreate": subscribe,
        "webhookSubscriptionDelete": unsubscribe,
        "webhookSubscriptionUpdate": resubscribe,
    }.items()
}
