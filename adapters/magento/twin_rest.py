"""The twin's REST API: which route, who asks, with which rights, and the answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from adapters.magento.twin_documents import Document
from adapters.magento.twin_errors import JSON_TYPE, Refused, php_json, wrong_type
from adapters.magento.twin_events import Events, Subscription
from adapters.magento.twin_oauth import OAuth
from adapters.magento.twin_routes import Call, Route, route
from adapters.magento.twin_search import Columns, read_criteria, read_query, search, trimmed
from adapters.magento.twin_writes import parameter
from adapters.twins import Answered, Asked

_SUBSCRIPTION_COLUMNS: Columns[Subscription] = {
    name: attrgetter(name) for name in ("subscription_id", "event_name", "recipient_url", "status", "store_id")
}


@dataclass(slots=True)
class Rest:
    """All routes of one shop behind one door."""

    oauth: OAuth
    routes: tuple[Route, ...]
    store_codes: frozenset[str]
    granted: frozenset[str] | None = None
    """Resources the integration has; None: all."""

    def answer(self, asked: Asked, path: str) -> Answered:
        """`path`: behind `/rest`. Refusals are answers too."""
        try:
            return Answered(200, php_json(self._answer(asked, path)), content_type=JSON_TYPE)
        except Refused as error:
            return error.answered()

    def _answer(self, asked: Asked, path: str) -> object:
        found, number = self._route(asked.method, self._without_store(path))
        integration = self.oauth.authenticate(asked)
        if integration is None or (self.granted is not None and found.resource not in self.granted):
            message = "The consumer isn't authorized to access %resources."
            raise Refused(401, message, {"resources": found.resource})
        query = read_query(asked.query)
        answer = found.act(Call(_number(number), query, _body(asked)))
        fields = query.get("fields")
        return trimmed(answer, fields) if isinstance(fields, str) else answer

    def _without_store(self, path: str) -> str:
        first, _, rest = path.strip("/").partition("/")
        if first == "V1":
            return f"{first}/{rest}"
        if first not in self.store_codes | {"all", "default"}:
            raise Refused(404, "The store that was requested wasn't found. Verify the store and try again.")
        return rest

    def _route(self, method: str, path: str) -> tuple[Route, str]:
        for one in self.routes:
            number = one.number(method, path)
            if number is not None:
                return one, number
        raise Refused(404, "Request does not match any route.")


def event_routes(events: Events) -> list[Route]:
    """The REST side of the async-events module. It has no way to delete."""
    manage = "MageOS_AsyncEvents::manage"

    def listed(call: Call) -> Document:
        criteria = read_criteria(call.query)
        rows, count = search(events.subscriptions.values(), _SUBSCRIPTION_COLUMNS, criteria)
        items = [row.document() for row in rows]
        return {"items": items, "search_criteria": criteria.document(), "total_count": count}

    def one(call: Call) -> Document:
        row = events.subscriptions.get(call.number)
        if row is None:
            raise Refused(404, "Async event with subscription ID %1 does not exist", [call.number])
        return row.document()

    def save(call: Call) -> Document:
        return events.save(parameter(call.body, "asyncEvent", "async_event"))

    return [
        route("GET async_events", manage, listed),
        route("GET async_event/:id", manage, one),
        route("POST async_event", manage, save),
        route("PUT async_event/:id", manage, save),
    ]


def _number(given: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", given):
        raise wrong_type(given, "int")
    return int(given)


def _body(asked: Asked) -> Mapping[str, object]:
    if asked.method not in ("POST", "PUT"):
        return {}
    kind = asked.headers.get("content-type", "").partition(";")[0].strip()
    if not asked.body:
        return {}
    if kind != "application/json":
        message = "Server cannot understand Content-Type HTTP header media type %1"
        raise Refused(400, message if kind else "Content-Type header is empty.", [kind] if kind else ())
    try:
        body = json.loads(asked.body)
    except ValueError:
        raise Refused(400, "Decoding error.") from None
    return body if isinstance(body, dict) else {}
