"""Asks one shop's REST API: signed afresh at every try, answers read without trusting them."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from adapters.contract import Store
from adapters.http import Answer, Request
from adapters.magento.authorization import authorization
from adapters.magento.criteria import Filter, query
from adapters.magento.refusals import PageTooLarge, refusal
from adapters.reading import MOST_ITEMS, Reader, read_json
from connector import __version__
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

AGENT = {"User-Agent": f"Connector/{__version__} (+order updates)"}
READ_TRIES = 2
LARGEST_NUMBER = 10**19
PAGE_SIZE = 100
"""Below the 300 that Magento allows by default where a merchant limits pages (magento reference, section 3)."""
LIST_SECONDS = 60.0
"""A page of whole orders costs a shop thousands of queries."""
WRITE_SECONDS = 60.0
"""Making a parcel waits for the order's lock, and runs whatever the shop's extensions do about it."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a search."""

    items: tuple[object, ...]
    """As they came, whatever they are."""
    total: int
    """How many fit the filters, as far as the shop says; else how many there are here."""


def read(store: Store, route: str, criteria: str = "", *, read_seconds: float = 30.0) -> object:
    """The JSON at a route below `/rest/V1/`. Raises Retryable, and Permanent saying what to click (see `refusals`)."""
    return _value(store, get(store, route, criteria, read_seconds=read_seconds))


def get(store: Store, route: str, criteria: str = "", *, read_seconds: float = 30.0) -> Answer:
    """The answer itself, always a 200. Raises as `read`."""
    url = address(store, route) + (f"?{criteria}" if criteria else "")
    answer = store.web.ask(
        lambda: signed(store, Request("GET", url)),
        tries=READ_TRIES,
        read_seconds=read_seconds,
    )
    return _accepted(store, answer)


def write(store: Store, method: str, route: str, document: object) -> object:
    """Send a JSON document, once; what comes back. Raises as `read`; Unanswered when it may have been carried out."""
    body = _ENCODER.encode(document)
    request = Request(method, address(store, route), {"Content-Type": "application/json"}, body)
    answer = store.web.ask(lambda: signed(store, request), read_seconds=WRITE_SECONDS)
    return _value(store, _accepted(store, answer))


def search(store: Store, route: str, filters: Iterable[Filter], *, sort: Iterable[str], size: int) -> Listed:
    """The first page of what fits all filters. Raises as `read`."""
    found = read(store, route, query(filters, sort=sort, size=size), read_seconds=LIST_SECONDS)
    if not isinstance(found, dict):
        raise _no_data(store)
    document = Reader(found)
    try:
        items = document.values("items")
        total = document.amount_if_any("total_count")
    except UnreadableDelivery as error:
        raise Permanent(f"{store.access.host} answered a search in a form that cannot be read: {error}") from error
    return Listed(tuple(items), int(total) if total is not None else len(items))


def search_within_limit(
    store: Store, route: str, filters: Iterable[Filter], *, sort: Iterable[str], size: int
) -> tuple[int, Listed]:
    """As `search`, with half the page size as often as the merchant's limit asks for it; and the size that went."""
    kept, order = tuple(filters), tuple(sort)
    while True:
        try:
            return size, search(store, route, kept, sort=order, size=size)
        except PageTooLarge:
            if size <= 1:
                raise
            size //= 2


def search_all(store: Store, route: str, filters: tuple[Filter, ...], *, key: str) -> list[Reader]:
    """All that fits the filters, by ascending `key` (the object's own number), page by page. Raises as `read`."""
    found: list[Reader] = []
    last, size = 0, page_size(store)
    while len(found) < MOST_ITEMS:
        beyond = Filter(key, str(last), "gt")
        size, page = search_within_limit(store, route, (*filters, beyond), sort=(key,), size=size)
        fresh = [item for item in map(_reader, page.items) if number(item, key) > last]
        found += fresh
        if not fresh or (len(page.items) < size and page.total <= len(page.items)):
            break
        last = max(number(item, key) for item in fresh)
    return found


def number(document: Reader, name: str) -> int:
    """A positive whole number, also when it came as text; 0 for anything else."""
    value = document.value(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int and 0 < value < LARGEST_NUMBER else 0


def page_size(store: Store) -> int:
    """How many of a kind may be asked for at once, as the last probe found out."""
    told = store.access.features.get("page_size", "")
    return max(1, min(int(told), PAGE_SIZE)) if told.isascii() and told.isdigit() and len(told) < 6 else PAGE_SIZE


def address(store: Store, route: str) -> str:
    """The whole address of a route of the default store view."""
    return f"{store.access.base}/rest/V1/{route}"


def signed(store: Store, request: Request) -> Request:
    """The request with its headers, good for one try."""
    header = authorization(store.access.credentials.values, request.method, request.url, store.clock.now())
    headers = {**request.headers, **AGENT, "Accept": "application/json", "Authorization": header}
    return Request(request.method, request.url, headers, request.body)


def _reader(item: object) -> Reader:
    return Reader(item if isinstance(item, dict) else {})


def _accepted(store: Store, answer: Answer) -> Answer:
    if answer.status != 200:
        raise refusal(store, answer)
    return answer


def _value(store: Store, answer: Answer) -> object:
    try:
        return read_json(answer.body)
    except UnreadableDelivery as error:
        if answer.body.lstrip()[:1] in (b"{", b"["):
            raise Retryable(f"{store.access.host} answered with broken JSON: {error}") from error
        raise _no_data(store) from error


def _no_data(store: Store) -> Permanent:
    return Permanent(
        f"{store.access.host} answered with a page instead of data: a firewall, a maintenance page, or no Magento at "
        "this address. Open the shop's address in a browser, and let requests to /rest/ from this server through"
    )
