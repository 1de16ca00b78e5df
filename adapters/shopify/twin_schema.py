"""Shopify's real Admin schema, made to answer: who may see which field, and what a query costs."""

import gzip
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    build_client_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)

SCHEMA_FILE = Path(__file__).parent / "schema" / "admin_2026-10.json.gz"
_FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo"})
_HELP = "https://shopify.dev/api/usage/access-scopes"
_PROTECTED_HELP = "https://shopify.dev/docs/apps/launch/protected-customer-data"
_LEVEL_ONE = frozenset({"Order", "Customer", "MailingAddress", "Fulfillment", "FulfillmentOrder", "Refund"})
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


@dataclass(frozen=True, slots=True)
class Rule:
    """What stands between an app and a field or type."""

    scopes: frozenset[str] = frozenset()
    """One of them is enough; empty: anybody."""
    wording: str = ""
    protected: str = ""
    """`name`, `email`, `phone` or `address`."""


@dataclass(frozen=True, slots=True)
class Admin:
    """The schema and its rules, by (type, field) and by (type, "") for the type itself."""

    schema: GraphQLSchema
    rules: Mapping[tuple[str, str], Rule]


@cache
def admin() -> Admin:
    """Read once a process: about a second and 45 MB."""
    document = json.loads(gzip.decompress(SCHEMA_FILE.read_bytes()))
    schema = build_client_schema(document["data"], assume_valid=True)
    _give_scalars_their_manners(schema)
    return Admin(schema, dict(_rules(document)))


def _rules(document: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[tuple[str, str], Rule]]:
    content = _protected_contents(document)
    items: list[dict[str, object]] = document["offline_scopes"]["items"]  # type: ignore[assignment]
    for item in items:
        key = (str(item["typeName"]), str(item.get("fieldName") or ""))
        scopes: list[str] = item["offlineScopes"]  # type: ignore[assignment]
        protected = content.pop(key, "")
        if scopes or protected:
            yield key, Rule(frozenset(scopes), str(item["requiredAccess"]), protected)
    for key, protected in content.items():
        yield key, Rule(protected=protected)


def _protected_contents(document: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], str]:
    types: list[dict[str, object]] = document["data"]["__schema"]["types"]  # type: ignore[index]
    found: dict[tuple[str, str], str] = {}
    for kind in types:
        fields: list[dict[str, object]] = kind.get("fields") or []  # type: ignore[assignment]
        for one in fields:
            if one["isProtected"]:
                found[str(kind["name"]), str(one["name"])] = str(one["protectedContent"])
    return found


def widened(scopes: frozenset[str]) -> frozenset[str]:
    """With what they imply: `write_orders` is also `read_orders`."""
    return scopes | {"read" + scope.removeprefix("write") for scope in scopes if scope.startswith("write_")}


def refusal(
    kind: str, name: str, field: GraphQLField | None, scopes: frozenset[str], approved: frozenset[str]
) -> Callable[[], GraphQLError] | None:
    """Why an app with these (widened) scopes and these approved kinds of personal data may not have a field.

    None: it may. `approved` holds `data` (level 1) and the protected contents.
    """
    rules = admin().rules
    named = element(get_named_type(field.type)) if field else None
    for rule in (rules.get((kind, name)), rules.get((named, "")) if named else None):
        if rule and rule.scopes and not rule.scopes & scopes:
            return _no_scope(name, rule.wording)
    rule = rules.get((kind, name))
    if named in _LEVEL_ONE and "data" not in approved:
        return _denied(
            f"This app is not approved to access the {named} object. See {_PROTECTED_HELP} for more details."
        )
    if rule and rule.protected and not {"data", rule.protected} <= approved:
        return _denied(f"This app is not approved to use the {name} field.")
    return None


def _no_scope(name: str, wording: str) -> Callable[[], GraphQLError]:
    extensions = {"code": "ACCESS_DENIED", "documentation": _HELP, "requiredAccess": wording}
    message = f"Access denied for {name} field. Required access: {wording}"
    return lambda: GraphQLError(message, extensions=extensions)


def _denied(message: str) -> Callable[[], GraphQLError]:
    words = f"{message} See {_PROTECTED_HELP} for more details."
    return lambda: GraphQLError(words, extensions={"code": "ACCESS_DENIED", "documentation": _PROTECTED_HELP})


def element(kind: GraphQLNamedType) -> str:
    """The type's name; of a connection, that of what it connects to."""
    if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection") and "nodes" in kind.fields:
        return str(get_named_type(kind.fields["nodes"].type).name)
    return kind.name


class Cost:
    """The points of a document, by the formula of the shopify reference, section 3.3.

    Scalars, money and PageInfo are free, an object is 1, a plain list counts once, a connection is
    2 + floor(2 ln(first)) x what is in it, of several branches the dearest counts, a mutation is 10.
    """

    def __init__(
        self, document: DocumentNode, variables: Mapping[str, object], sizes: Mapping[int, int] | None = None
    ) -> None:
        """`sizes`: how many came back, by the identity of the connection's node, for the actual cost."""
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._variables = dict(variables)
        self._sizes = sizes

    def of(self, operation: OperationDefinitionNode) -> int:
        schema = admin().schema
        root = schema.get_root_type(operation.operation)
        if operation.operation.value == "mutation":
            return 10 * len(operation.selection_set.selections)
        return self._inside(operation.selection_set, root) if root else 0

    def _inside(self, selection: SelectionSetNode, kind: GraphQLNamedType) -> int:
        common, branches = 0, {"": 0}
        for condition, field in self._fields(selection.selections, ""):
            owner = admin().schema.type_map[condition] if condition else kind
            points = self._field(field, owner)
            if condition and condition != kind.name and is_abstract_type(kind):
                branches[condition] = branches.get(condition, 0) + points
            else:
                common += points
        return common + max(branches.values())

    def _fields(self, selections: tuple[SelectionNode, ...], condition: str) -> Iterator[tuple[str, FieldNode]]:
        for one in selections:
            if isinstance(one, FieldNode):
                yield condition, one
            elif isinstance(one, InlineFragmentNode):
                inner = one.type_condition.name.value if one.type_condition else condition
                yield from self._fields(one.selection_set.selections, inner)
            elif isinstance(one, FragmentSpreadNode) and one.name.value in self._fragments:
                fragment = self._fragments[one.name.value]
                yield from self._fields(fragment.selection_set.selections, fragment.type_condition.name.value)

    def _field(self, node: FieldNode, owner: GraphQLNamedType) -> int:
        fields = getattr(owner, "fields", {})
        field: GraphQLField | None = fields.get(node.name.value)
        if field is None or node.selection_set is None:
            return 0
        kind = get_named_type(field.type)
        if is_leaf_type(kind) or kind.name in _FREE:
            return 0
        if kind.name.endswith("Connection"):
            return self._connection(node, node.selection_set, kind)
        return 1 + self._inside(node.selection_set, kind)

    def _connection(self, node: FieldNode, selection: SelectionSetNode, kind: GraphQLNamedType) -> int:
        size = self._size(node)
        child = 0
        for _, field in self._fields(selection.selections, ""):
            if field.name.value == "nodes":
                child += self._field(field, kind)
            elif field.name.value == "edges" and field.selection_set:
                edge = get_named_type(getattr(kind, "fields")["edges"].type)  # noqa: B009  # only object types have them
                child += self._inside(field.selection_set, edge)
        return 2 + (math.floor(2 * math.log(size)) * child if size else 0)

    def _size(self, node: FieldNode) -> int:
        asked = {argument.name.value: argument.value for argument in node.arguments or ()}
        for name in ("first", "last"):
            if name in asked:
                value = value_from_ast_untyped(asked[name], self._variables)
                if isinstance(value, int):
                    return min(value, self._sizes.get(id(node), value)) if self._sizes is not None else max(value, 0)
        return 0


def is_list(field: GraphQLField) -> bool:
    kind = field.type
    return is_list_type(kind) or is_list_type(getattr(kind, "of_type", None))


def _give_scalars_their_manners(schema: GraphQLSchema) -> None:
    """What a schema read from a file does not know: how values are written, and which are refused."""
    writers: dict[str, Callable[[object], str]] = {"DateTime": _moment, "Decimal": _decimal, "Money": _decimal}
    for name, write in (writers | {"UnsignedInt64": str}).items():
        _scalar(schema, name).coerce_output_value = write
    _scalar(schema, "DateTime").coerce_input_value = _read_moment
    _scalar(schema, "URL").coerce_input_value = _read_url


def _scalar(schema: GraphQLSchema, name: str) -> GraphQLScalarType:
    found = schema.type_map[name]
    if not isinstance(found, GraphQLScalarType):
        raise TypeError(name)
    return found


def _moment(value: object) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _decimal(value: object) -> str:
    """As GraphQL gives amounts: without zeros at the end, but one place at least (`90.0`)."""
    plain = format(Decimal(str(value)), "f")
    whole, _, places = plain.partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def _read_moment(value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise GraphQLError(f"Invalid datetime {value!r}: expected an ISO 8601 date and time with a zone")
    return datetime.fromisoformat(value)


def _read_url(value: object) -> str:
    if not isinstance(value, str) or not urlsplit(value).scheme or " " in value:
        raise GraphQLError(f"Invalid url '{value}', missing scheme")
    return value
