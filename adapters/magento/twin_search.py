"""Magento's search grammar over a twin's rows: filter groups, sorting, pages and their traps, and `fields`."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast
from urllib.parse import unquote_plus

from adapters.magento.twin_errors import Refused, internal_error, required, wrong_type

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]
Test = Callable[[object], bool]

DEFAULT_PAGE = 20
"""What a page holds when nobody says and input limits are on (magento reference, section 3)."""

_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?")
_PLAIN_FIELDS = re.compile(r"[\w\[\],]+", re.ASCII)
_COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    "eq": lambda one, other: one == other,
    "neq": lambda one, other: one != other,
    "gt": lambda one, other: one > other,  # type: ignore[operator]  # both are made of one kind before
    "gteq": lambda one, other: one >= other,  # type: ignore[operator]
    "moreq": lambda one, other: one >= other,  # type: ignore[operator]
    "from": lambda one, other: one >= other,  # type: ignore[operator]
    "lt": lambda one, other: one < other,  # type: ignore[operator]
    "lteq": lambda one, other: one <= other,  # type: ignore[operator]
    "to": lambda one, other: one <= other,  # type: ignore[operator]
}


@dataclass(frozen=True, slots=True)
class Filter:
    field: str
    value: str
    condition: str = "eq"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What was asked for."""

    groups: tuple[tuple[Filter, ...], ...] = ()
    """All groups must hold, each by any of its filters."""
    sort: tuple[tuple[str, bool], ...] = ()
    """Field, and whether ascending."""
    page_size: int = 0
    """0: no limit."""
    page: int = 1

    def document(self) -> dict[str, object]:
        """As the answer repeats it."""
        groups = [{"filters": [_filter_document(one) for one in group]} for group in self.groups]
        document: dict[str, object] = {"filter_groups": groups}
        if self.sort:
            document["sort_orders"] = [
                {"field": name, "direction": "ASC" if ascending else "DESC"} for name, ascending in self.sort
            ]
        if self.page_size:
            document["page_size"] = self.page_size
        return document | {"current_page": self.page}


def read_query(query: str) -> dict[str, object]:
    """A query string as PHP reads it: `a[b][0]=c` nests, a later value wins."""
    found: dict[str, object] = {}
    for part in query.split("&"):
        name, _, value = part.partition("=")
        path = re.findall(r"[^\[\]]+", unquote_plus(name))
        if path:
            _put(found, path, unquote_plus(value))
    return found


def read_criteria(query: Mapping[str, object], *, largest_page: int = 0) -> Criteria:
    """The search criteria of a query, snake or camel case. `largest_page`: the shop's input limit, 0: off.

    Raises Refused: they are missing, a page is larger than allowed, a number is none.
    """
    given = query.get("searchCriteria", query.get("search_criteria"))
    if given is None:
        raise required("searchCriteria")
    known = _snake(given, {"filter_groups", "sort_orders", "page_size", "current_page"})
    page_size = max(_whole(known.get("page_size"), DEFAULT_PAGE if largest_page else 0), 0)
    if largest_page and page_size > largest_page:
        raise Refused(400, "Maximum SearchCriteria pageSize is %max", {"max": largest_page})
    return Criteria(
        groups=tuple(_group(one) for one in _listed(known.get("filter_groups"))),
        sort=tuple(_sort(one) for one in _listed(known.get("sort_orders"))),
        page_size=page_size,
        page=max(_whole(known.get("current_page"), 1), 1),
    )


def search(
    rows: Iterable[Row], columns: Columns[Row], criteria: Criteria, *, ends: bool = False
) -> tuple[list[Row], int]:
    """The page, and how many there are in all.

    A page past the end is the last one again unless `ends` (#3787, fixed in some 2.4.x). Rows that the asked sorting
    leaves equal come in another order on every page, as a database is free to.
    """
    found = list(rows)
    for group in criteria.groups:
        tests = [_compiled(one, columns) for one in group]
        found = [row for row in found if any(test(row) for test in tests)]
    _order(found, columns, criteria)
    if not criteria.page_size:
        return found, len(found)
    last = max(-(-len(found) // criteria.page_size), 1)
    page = criteria.page if ends else min(criteria.page, last)
    start = (page - 1) * criteria.page_size
    return found[start : start + criteria.page_size], len(found)


def trimmed(value: object, fields: str) -> object:
    """What `fields=` leaves of an answer. Names it cannot read leave nothing; an empty list inside becomes null.

    Source: Framework/Webapi/Rest/Response/FieldsFilter.
    """
    wanted = _wanted(fields)
    if not isinstance(value, dict | list):
        return value
    return _cut(value, wanted) if wanted else []


def _put(found: dict[str, object], path: Sequence[str], value: str) -> None:
    for name in path[:-1]:
        inside = found.get(name)
        if not isinstance(inside, dict):
            inside = found[name] = {}
        found = inside
    found[path[-1]] = value


def _snake(given: object, known: set[str]) -> Mapping[str, object]:
    """By snake-case name; an unknown name has no setter, which Magento did not foresee."""
    if not isinstance(given, dict):
        return {}
    named = {re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0]}", name).lower(): one for name, one in given.items()}
    if not named.keys() <= known:
        raise internal_error()
    return named


def _listed(given: object) -> list[object]:
    return list(given.values()) if isinstance(given, dict) else []


def _group(given: object) -> tuple[Filter, ...]:
    return tuple(_filter(one) for one in _listed(_snake(given, {"filters"}).get("filters")))


def _filter(given: object) -> Filter:
    named = _snake(given, {"field", "value", "condition_type"})
    condition = str(named.get("condition_type") or "eq")
    return Filter(str(named.get("field", "")), str(named.get("value", "")), condition)


def _filter_document(one: Filter) -> dict[str, object]:
    return {"field": one.field, "value": one.value, "condition_type": one.condition}


def _sort(given: object) -> tuple[str, bool]:
    named = _snake(given, {"field", "direction"})
    direction = str(named.get("direction") or "DESC").upper()
    if direction not in ("ASC", "DESC"):
        message = "The sort order has to be specified as %1 for ascending order or %2 for descending order."
        raise Refused(400, message, ["ASC", "DESC"])
    return str(named.get("field", "")), direction == "ASC"


def _whole(given: object, default: int) -> int:
    if given is None:
        return default
    if not isinstance(given, str) or not re.fullmatch(r"-?\d{1,15}", given):
        raise wrong_type(given, "int")
    return int(given)


def _column(name: str, columns: Columns[Row]) -> Callable[[Row], object]:
    if name not in columns:
        raise internal_error()
    return columns[name]


def _compiled(one: Filter, columns: Columns[Row]) -> Callable[[Row], bool]:
    column = _column(one.field, columns)
    test = _test(one.condition, one.value)
    return lambda row: test(column(row))


def _test(condition: str, value: str) -> Test:
    if condition in ("null", "notnull"):
        return lambda cell: (cell is None) == (condition == "null")
    positive = {"nin": "in", "nlike": "like", "nfinset": "finset"}.get(condition)
    if positive:
        holds = _test(positive, value)
        return lambda cell: cell is not None and not holds(cell)
    if condition == "in":
        return _any_of(value.split(","))
    if condition == "finset":
        return lambda cell: cell is not None and value.lower() in str(cell).lower().split(",")
    if condition == "like":
        pattern = re.compile(_sql_pattern(value), re.IGNORECASE | re.DOTALL)
        return lambda cell: cell is not None and pattern.fullmatch(str(cell)) is not None
    return _compared(_COMPARISONS.get(condition, _COMPARISONS["eq"]), value)


def _compared(holds: Callable[[object, object], bool], value: str) -> Test:
    """As the database compares: text without regard to case, a number with the number the value begins with."""
    number, text = _number(value), value.lower()

    def test(cell: object) -> bool:
        if cell is None:
            return False
        return holds(cell.lower(), text) if isinstance(cell, str) else holds(cell, number)

    return test


def _any_of(values: Sequence[str]) -> Test:
    numbers, texts = {_number(one) for one in values}, {one.lower() for one in values}
    return lambda cell: (cell.lower() in texts) if isinstance(cell, str) else (cell is not None and cell in numbers)


def _number(value: str) -> float:
    found = _NUMBER.match(value)
    return float(found[0]) if found else 0.0


def _sql_pattern(value: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in value)


def _order(found: list[Row], columns: Columns[Row], criteria: Criteria) -> None:
    if not criteria.sort:
        return
    number = columns["entity_id"] if "entity_id" in columns else columns["subscription_id"]
    stir = 2_654_435_761 * (2 * criteria.page + 1)
    found.sort(key=lambda row: (cast("int", number(row)) * stir) & 0xFFFFFFFF)
    for name, ascending in reversed(criteria.sort):
        column = _column(name, columns)
        found.sort(key=functools.partial(_sortable, column), reverse=not ascending)


def _sortable(column: Callable[[Row], object], row: Row) -> tuple[bool, object]:
    cell = column(row)
    return cell is not None, cell.lower() if isinstance(cell, str) else cell


def _wanted(fields: str) -> dict[str, object]:
    """`a,b[c]` as {a: 1, b: {c: 1}}; empty when it cannot be read."""
    if not _PLAIN_FIELDS.fullmatch(fields):
        return {}
    stack: list[dict[str, object]] = [{}]
    names: list[str] = []
    last = ""
    for part in re.findall(r"\w+|\[|\]", fields, re.ASCII):
        if part == "[":
            names.append(last)
            stack.append({})
        elif part == "]":
            if not names:
                return {}
            inside = stack.pop()
            stack[-1][names.pop()] = inside
        else:
            last = part
            stack[-1][part] = 1
    return stack[0] if not names else {}


def _cut(value: dict[str, object] | list[object], wanted: Mapping[str, object]) -> object:
    if isinstance(value, list):
        return [_cut_one(one, wanted) for one in value if isinstance(one, dict)] or None
    return _cut_one(value, wanted)


def _cut_one(value: Mapping[str, object], wanted: Mapping[str, object]) -> dict[str, object]:
    return {name: _kept(one, wanted[name]) for name, one in value.items() if name in wanted}


def _kept(one: object, wanted: object) -> object:
    if isinstance(one, dict | list) and isinstance(wanted, dict):
        return _cut(one, wanted)
    return one
