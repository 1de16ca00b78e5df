"""A twin's `/admin/api/…/graphql.json`: who may ask, what it costs, and the answer in Shopify's own words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
    visit,
)

from adapters.shopify.twin_calls import Call
from adapters.shopify.twin_oauth import Pair, said
from adapters.shopify.twin_queries import resolve, type_of
from adapters.shopify.twin_schema import Cost, admin
from adapters.shopify.twin_search import NotModelled
from adapters.shopify.twin_state import Order
from adapters.shopify.twin_store import Store
from adapters.twins import Answered, Asked, Cut, Faults

DEAREST = 1000
_MOST_DOCUMENTS = 300
_LIMITS = "https://shopify.dev/api/usage/rate-limits"
_REFUSALS = {
    "frozen": (402, "Unavailable Shop"),
    "locked": (423, "This shop is locked"),
    "gone": (404, "Not Found"),
}
_NO_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105  # words only
_LIVES_FOR_EVER = (
    "[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens: "
    "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens"
)
_CODES = {"Variable": "INVALID_VARIABLE", "Cannot query field": "undefinedField"}
"""What Shopify calls a mistake, by how graphql-core's words for it begin."""


@dataclass(frozen=True, slots=True)
class Read:
    """A document, parsed and held against the schema once."""

    document: DocumentNode | None
    errors: tuple[Mapping[str, object], ...] = ()
    deprecated: tuple[str, ...] = ()


class AdminApi:
    """Answers one shop's GraphQL calls of one app."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.spent = 0
        """Points, over all calls."""
        self._store = store
        self._faults = faults
        self._documents: dict[str, Read] = {}
        self._sorted: dict[str, list[Order]] = {}
        self._sorted_at = -1
        self._left = store.settings.bucket
        self._left_at: datetime = store.clock.now()

    def answer(self, asked: Asked, version: str) -> Answered:
        """Raises Cut for a change that is carried out and never answered."""
        with self._store.lock:
            served = self._served(version)
            if not served:
                return said(404, {"errors": "Not Found"})
            answered = self._refused(asked) or self._answered(asked)
            return Answered(
                answered.status,
                answered.body,
                {"X-Shopify-API-Version": served, "X-Request-Id": f"twin-{self.spent}", **answered.headers},
                answered.content_type,
            )

    def _served(self, asked: str) -> str:
        """The version that answers: a past one falls forward to the oldest supported, an unknown one is none."""
        versions = self._store.settings.versions
        year, _, month = asked.partition("-")
        is_one = asked == "unstable" or (year.isdigit() and len(year) == 4 and month in ("01", "04", "07", "10"))
        if not is_one or (asked != "unstable" and asked > versions[-1]):
            return ""
        return asked if asked in versions or asked == "unstable" else versions[0]

    def _refused(self, asked: Asked) -> Answered | None:
        standing = self._store.settings.standing
        if standing in _REFUSALS:
            status, words = _REFUSALS[standing]
            return said(status, {"errors": words})
        holder = self._store.accounts.holder(asked.headers.get("x-shopify-access-token", ""))
        if holder is None or self._store.accounts.installed_at is None:
            return said(401, {"errors": _NO_TOKEN})
        if self._lives_for_ever(holder):
            return said(403, {"errors": _LIVES_FOR_EVER})
        return self._failed()

    def _lives_for_ever(self, holder: Pair) -> bool:
        return holder.expires_at is None and self._store.settings.public_app

    def _failed(self) -> Answered | None:
        if not self._faults.take("fail"):
            return None
        if self._store.settings.fails_inside:
            words = "Internal error. Looks like something went wrong on our end.\nRequest ID: twin"
            return said(200, {"errors": [{"message": words, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})
        return Answered(502, b"<!DOCTYPE html><html><body>Bad Gateway</body></html>", {}, "text/html")

    def _answered(self, asked: Asked) -> Answered:
        given = _read_body(asked)
        if given is None:
            return said(400, {"errors": {"query": "Required parameter missing or invalid"}})
        read = self._read(given["query"])
        operation = get_operation_ast(read.document, given["operationName"]) if read.document else None
        if read.document is None or operation is None:
            return said(200, {"errors": list(read.errors) or [{"message": "An operation name is required"}]})
        cost = Cost(read.document, given["variables"]).of(operation)
        return self._too_dear(cost) or self._throttled(cost) or self._run(read, operation, given, cost)

    def _read(self, text: str) -> Read:
        if text not in self._documents:
            if len(self._documents) >= _MOST_DOCUMENTS:
                self._documents.clear()
            self._documents[text] = _read_document(text)
        return self._documents[text]

    def _too_dear(self, cost: int) -> Answered | None:
        if cost <= DEAREST:
            return None
        words = (
            f"Query cost is {cost}, which exceeds the single query max cost limit ({DEAREST}).\n\n"
            f"See {_LIMITS} for more information on how the\ncost of a query is calculated.\n"
        )
        extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": DEAREST, "documentation": _LIMITS}
        return said(200, {"errors": [{"message": words, "extensions": extensions}]})

    def _throttled(self, cost: int) -> Answered | None:
        by_fault = self._faults.take("throttle")
        if not by_fault and cost <= self._refill():
            return None
        settings = self._store.settings
        left = min(self._refill(), cost - settings.restore_rate) if by_fault else self._left
        if by_fault and settings.throttles_by_status:
            words = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
            return said(429, {"errors": words}, {"Retry-After": "2.0"})
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _LIMITS}}
        return said(200, {"errors": [error], "extensions": {"cost": self._costs(cost, None, max(left, 0.0))}})

    def _refill(self) -> float:
        settings, now = self._store.settings, self._store.clock.now()
        gained = max((now - self._left_at).total_seconds(), 0.0) * settings.restore_rate
        self._left, self._left_at = min(self._left + gained, settings.bucket), now
        return self._left

    def _run(self, read: Read, operation: OperationDefinitionNode, given: Mapping[str, Any], cost: int) -> Answered:
        call = Call(self._store, self._store.accounts.reach, self._orders())
        document = read.document
        if document is None:
            raise TypeError("only a read document is run")
        result = execute_sync(
            admin().schema,
            document,
            context_value=call,
            variable_values=given["variables"],
            operation_name=given["operationName"],
            field_resolver=resolve,
            type_resolver=type_of,
        )
        _raise_own_mistakes(result.errors or [])
        actual = Cost(document, given["variables"], call.sizes).of(operation)
        self._left -= actual
        self.spent += actual
        if operation.operation.value == "mutation" and self._faults.take("cut"):
            raise Cut
        told: dict[str, object] = {"data": result.data} if result.data is not None or not result.errors else {}
        if result.errors:
            told["errors"] = [_told_error(error) for error in result.errors]
        extensions: dict[str, object] = {"cost": self._costs(cost, actual, self._left)}
        told["extensions"] = extensions | ({"search": call.searches} if call.searches else {})
        return said(
            200, told, {"X-Shopify-API-Deprecated-Reason": ", ".join(read.deprecated)} if read.deprecated else {}
        )

    def _orders(self) -> dict[str, list[Order]]:
        if self._sorted_at != self._store.changes:
            self._sorted, self._sorted_at = {}, self._store.changes
        return self._sorted

    def _costs(self, requested: int, actual: int | None, left: float) -> Mapping[str, object]:
        settings = self._store.settings
        status = {"maximumAvailable": settings.bucket, "currentlyAvailable": int(left)}
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": status | {"restoreRate": settings.restore_rate},
        }


def _read_body(asked: Asked) -> dict[str, Any] | None:
    if "application/graphql" in asked.headers.get("content-type", ""):
        return {"query": asked.body.decode("utf-8", "replace"), "variables": {}, "operationName": None}
    try:
        read = json.loads(asked.body) if asked.body else {"query": parse_qs(asked.query).get("query", [""])[0]}
    except ValueError:
        return None
    if not isinstance(read, dict) or not isinstance(read.get("query"), str) or not read["query"]:
        return None
    variables = read.get("variables") or {}
    if not isinstance(variables, dict):
        return None
    return {"query": read["query"], "variables": variables, "operationName": read.get("operationName")}


def _read_document(text: str) -> Read:
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        return Read(None, (_told_error(error),))
    errors = validate(admin().schema, document)
    if errors:
        return Read(None, tuple(_told_error(error) for error in errors))
    return Read(document, deprecated=_deprecated(document))


def _deprecated(document: DocumentNode) -> tuple[str, ...]:
    """`Type.field` of what the document uses and Shopify is about to drop."""
    info = TypeInfo(admin().schema)
    found: dict[str, None] = {}

    class Look(Visitor):
        def enter_field(self, _node: FieldNode, *_: object) -> None:
            field, parent = info.get_field_def(), info.get_parent_type()
            if field and parent and field.deprecation_reason:
                found[f"{parent.name}.{_node.name.value}"] = None

    visit(document, TypeInfoVisitor(info, Look()))
    return tuple(found)


def _told_error(error: GraphQLError) -> Mapping[str, object]:
    told: dict[str, object] = dict(error.formatted)
    code = next((code for beginning, code in _CODES.items() if error.message.startswith(beginning)), "")
    return told | {"extensions": {"code": code}} if code and "extensions" not in told else told


def _raise_own_mistakes(errors: list[GraphQLError]) -> None:
    """What is no refusal of Shopify's but a gap or a mistake of the twin is seen where the twin is used."""
    for error in errors:
        cause = error.original_error
        if cause is not None and not isinstance(cause, GraphQLError):
            raise NotModelled(f"{error.message} at {error.path}") from cause
