"""How a twin pages through connections and what its order search understands."""

import base64
import binascii
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from adapters.shopify.twin_state import Order

LARGEST_PAGE = 250
DEEPEST = 25_000
"""Objects after which paging ends (shopify reference, section 2.6)."""
Key = tuple[Any, int]
"""What is sorted by, and the id that decides between equals."""

_TERM = re.compile(r"""(-?)(?:(\w+):)?(>=|<=|>|<)?(?:'([^']*)'|"([^"]*)"|(\S+))""")
_TIMES = frozenset({"updated_at", "created_at", "processed_at"})
_NOT_BUILT = frozenset(
    {"channel", "channel_id", "confirmation_number", "customer_id", "delivery_method", "discount_code"}
    | {"fulfillment_location_id", "gateway", "location_id", "payment_id", "po_number", "return_status", "risk_level"}
    | {"sales_channel", "sku", "source_identifier", "source_name", "tag_not", "user_id"}
)


class NotModelled(Exception):
    """The real platform does this, the twin does not: the test that needs it has to teach the twin first."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a connection."""

    nodes: Sequence[object]
    cursors: Callable[[Any], str]
    has_next: bool
    has_previous: bool


def refused(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def page(items: Sequence[Any], key: Callable[[Any], Key], args: Mapping[str, object]) -> Slice:
    """A page of `items`, which are sorted by `key`. Cursors name a key, not a place: rows may move meanwhile.

    Raises GraphQLError as Shopify does: no or both sizes, more than 250, a foreign cursor, deeper than 25 000.
    """
    size, backwards = _size(args)
    ordered = items
    reverse = bool(args.get("reverse"))
    low, high = 0, len(ordered)
    after, before = (args.get("before"), args.get("after")) if reverse else (args.get("after"), args.get("before"))
    if after is not None:
        low = bisect_right(ordered, _read_cursor(str(after), key, items), key=key)
    if before is not None:
        high = max(bisect_left(ordered, _read_cursor(str(before), key, items), key=key), low)
    from_end = backwards != reverse
    start, end = (max(high - size, low), high) if from_end else (low, min(low + size, high))
    if (len(ordered) - start if reverse else end) > DEEPEST:
        raise refused(f"Pagination is limited to {DEEPEST} objects. Use a bulk operation to read more.")
    found = ordered[start:end]
    more_below, more_above = start > 0, end < len(ordered)
    return Slice(
        found[::-1] if reverse else found,
        lambda item: _cursor(key(item)),
        more_below if reverse else more_above,
        more_above if reverse else more_below,
    )


def first_of(items: Sequence[Any], args: Mapping[str, object]) -> Sequence[Any]:
    """Of a plain list: what `first` leaves."""
    first = args.get("first")
    return items if first is None else items[: _checked("first", first)]


def _size(args: Mapping[str, object]) -> tuple[int, bool]:
    first, last = args.get("first"), args.get("last")
    if first is None and last is None:
        raise refused("you must provide one of first or last")
    if first is not None and last is not None:
        raise refused("providing both first and last is not supported")
    return (_checked("first", first), False) if last is None else (_checked("last", last), True)


def _checked(name: str, size: object) -> int:
    if not isinstance(size, int) or not 0 <= size <= LARGEST_PAGE:
        raise refused(f"Argument '{name}' has an invalid value ({size}): a page has up to {LARGEST_PAGE} objects")
    return size


def _cursor(key: Key) -> str:
    value = key[0].strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(key[0], datetime) else key[0]
    return base64.b64encode(json.dumps({"last_id": key[1], "last_value": value}).encode()).decode()


def _read_cursor(cursor: str, key: Callable[[Any], Key], items: Sequence[Any]) -> Key:
    try:
        read = json.loads(base64.b64decode(cursor, validate=True))
        value, number = read["last_value"], int(read["last_id"])
    except (ValueError, binascii.Error, KeyError, TypeError) as error:
        raise refused(f"`{cursor}` is not a valid cursor.") from error
    sample = key(items[0])[0] if items else value
    try:
        if isinstance(sample, datetime):
            value = datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise refused("Invalid cursor for current pagination sort.") from error
    if type(value) is not type(sample):
        raise refused("Invalid cursor for current pagination sort.")
    return value, number


@dataclass(frozen=True, slots=True)
class Search:
    """An understood order search: all conditions must hold."""

    conditions: tuple[Callable[[Order], bool], ...]
    warnings: tuple[Mapping[str, str], ...]

    def matches(self, order: Order) -> bool:
        return all(holds(order) for holds in self.conditions)


def read_search(query: str, zone: ZoneInfo, updated: Callable[[Order], datetime]) -> Search:
    """What a search says, with Shopify's traps: an unknown field is dropped with a warning that stands only in
    `extensions.search`, and an unquoted time falls apart at its colons and finds nothing.

    `updated`: when the index thinks an order changed. Raises GraphQLError for a time that is none, NotModelled for
    what the twin does not know.
    """
    if re.search(r"[()]|\bOR\b|\bNOT\b", query):
        raise NotModelled(f"search with groups, OR or NOT: {query!r}")
    conditions: list[Callable[[Order], bool]] = []
    warnings: list[Mapping[str, str]] = []
    for minus, name, operator, one, two, bare in _TERM.findall(query.replace(" AND ", " ")):
        if minus:
            raise NotModelled(f"search with a minus: {query!r}")
        value = one or two or bare
        if bare and ":" in bare:
            warnings.append(_warning(bare.split(":")[1][:2] or bare))
            conditions.append(lambda _: False)
        elif name in _TIMES:
            conditions.append(_time_condition(name, operator, value, zone, updated))
        elif name and name not in _WORDS:
            if name in _NOT_BUILT:
                raise NotModelled(f"search by {name}")
            warnings.append(_warning(name))
        else:
            conditions.append(_word_condition(name, value))
    return Search(tuple(conditions), tuple(warnings))


def _warning(name: str) -> Mapping[str, str]:
    return {"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}


def _time_condition(
    name: str, operator: str, value: str, zone: ZoneInfo, updated: Callable[[Order], datetime]
) -> Callable[[Order], bool]:
    begin, end = _span(name, value, zone)
    moment = updated if name == "updated_at" else _created
    conditions: dict[str, Callable[[Order], bool]] = {
        ">": lambda order: moment(order) >= end,
        ">=": lambda order: moment(order) >= begin,
        "<": lambda order: moment(order) < begin,
        "<=": lambda order: moment(order) < end,
        "": lambda order: begin <= moment(order) < end,
    }
    return conditions[operator]


def _created(order: Order) -> datetime:
    return order.created_at


def _span(name: str, value: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day of the shop's calendar, or one second; a time without a zone is the shop's."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            day = date.fromisoformat(value)
            begin = datetime.combine(day, time(), zone)
            return begin.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError) as error:
        raise refused(f"Invalid timestamp for query filter `{name}`.") from error
    begin = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).replace(microsecond=0)
    return begin, begin + timedelta(seconds=1)


def _status(order: Order, value: str) -> bool:
    if value in ("any", "*"):
        return True
    if value == "cancelled":
        return order.cancelled_at is not None
    if value in ("closed", "archived"):
        return order.closed_at is not None
    return order.closed_at is None and order.cancelled_at is None


_WORDS: Mapping[str, Callable[[Order, str], bool]] = {
    "": lambda order, value: value.lower() in (order.name, str(order.number), order.email, *_names(order)),
    "id": lambda order, value: str(order.id) == value.rsplit("/", 1)[-1],
    "name": lambda order, value: order.name.lstrip("#") == value.lstrip("#"),
    "email": lambda order, value: order.email == value.lower(),
    "tag": lambda order, value: value.lower() in [tag.lower() for tag in order.tags],
    "status": _status,
    "test": lambda order, value: order.test == (value == "true"),
    "financial_status": lambda order, value: order.financial_status.lower() == value,
    "fulfillment_status": lambda order, value: _sending(order) == value,
}


def _names(order: Order) -> Iterator[str]:
    yield order.customer.first_name.lower()
    yield order.customer.last_name.lower()


def _sending(order: Order) -> str:
    return {"FULFILLED": "shipped", "PARTIALLY_FULFILLED": "partial"}.get(order.fulfillment_status, "unshipped")


def _word_condition(name: str, value: str) -> Callable[[Order], bool]:
    holds = _WORDS[name]
    return lambda order: holds(order, value)
