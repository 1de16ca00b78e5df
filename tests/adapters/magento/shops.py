"""A shop for the client's tests: what it holds is answered as Magento's REST API does, as far as a test needs it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapters.contract import Store
from adapters.http import Answer, Request
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, Credentials
from tests.adapters.magento.papers import encoded
from tests.adapters.talking import FakeWeb, answered

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOST = "shop.example.com"
BASE = f"https://{HOST}"
FOUR = {
    "consumer_key": "k" * 32,
    "consumer_secret": "c" * 32,
    "access_token": "t" * 32,
    "access_token_secret": "s" * 32,
}
Answering = Callable[[Request], Answer]

_FILTER = re.compile(r"searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[0\]\[(field|value|condition_type)\]")
_TESTS: Mapping[str, Callable[[Any, str], bool]] = {
    "eq": lambda value, wanted: str(value) == wanted,
    "gt": lambda value, wanted: value > type(value)(wanted),
    "gteq": lambda value, wanted: value >= type(value)(wanted),
    "lteq": lambda value, wanted: value <= type(value)(wanted),
    "in": lambda value, wanted: str(value) in wanted.split(","),
    "like": lambda value, wanted: str(value).startswith(wanted.rstrip("%")),
}


def store(web: FakeWeb, values: Mapping[str, str] = FOUR, features: Mapping[str, str] | None = None) -> Store:
    """A shop asked through this way out, at noon."""
    return Store(web, FixedClock(NOW), Access(HOST, BASE, Credentials(values), features=features or {}))


def asked(answer: Answering, **parts: Any) -> tuple[Store, list[Request]]:
    """A shop that a function answers for, and the list its requests gather in."""
    web = FakeWeb(answer)
    return store(web, **parts), web.asked


def always(document: object, status: int = 200) -> Answering:
    return lambda _request: answered(document, status)


def route(request: Request) -> str:
    """What is asked for below `/rest/V1/`."""
    return urlsplit(request.url).path.partition("/rest/V1/")[2]


def sent(request: Request) -> Any:
    return json.loads(request.body)


def error(message: str, status: int, **parameters: str) -> Answer:
    return answered({"message": message, "parameters": parameters}, status)


def not_allowed(resource: str) -> Answer:
    return error("The consumer isn't authorized to access %resources.", 401, resources=resource)


NO_ROUTE = answered({"message": "Request does not match any route.", "trace": None}, 404)


def searched(request: Request, rows: list[dict[str, Any]], *, largest_page: int = 300) -> Answer:
    """The first page of the rows that fit the request's filters, in the order it asks for."""
    pairs = parse_qsl(urlsplit(request.url).query)
    named = dict(pairs)
    size = int(named["searchCriteria[pageSize]"])
    if size > largest_page:
        return error("Maximum SearchCriteria pageSize is %max", 400, max=str(largest_page))
    fitting = [row for row in rows if all(_fits(row, one) for one in _filters(pairs).values())]
    sort = [value for name, value in pairs if re.fullmatch(r"searchCriteria\[sortOrders\]\[\d+\]\[field\]", name)]
    fitting.sort(key=lambda row: tuple(row[name] for name in sort))
    if "DESC" in named.get("searchCriteria[sortOrders][0][direction]", ""):
        fitting.reverse()
    return Answer(200, {}, encoded({"items": fitting[:size], "search_criteria": [], "total_count": len(fitting)}))


def _filters(pairs: list[tuple[str, str]]) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        found = _FILTER.fullmatch(name)
        if found:
            groups.setdefault(found[1], {})[found[2]] = value
    return groups


def _fits(row: dict[str, Any], one: dict[str, str]) -> bool:
    return _TESTS[one["condition_type"]](row[one["field"]], one["value"])
