"""The Admin API's real schema, and what it says of a question: does it hold, which rights, how many points."""

import gzip
import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    build_client_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.validation import NoDeprecatedCustomRule

import adapters.shopify
from adapters.shopify.client import API_VERSION

_FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo"})


@cache
def _file() -> dict[str, Any]:
    packed = Path(adapters.shopify.__file__).parent / "schema" / f"admin_{API_VERSION}.json.gz"
    found: dict[str, Any] = json.loads(gzip.decompress(packed.read_bytes()))
    return found


@cache
def schema() -> GraphQLSchema:
    return build_client_schema(_file()["data"], assume_valid=True)


@cache
def _scopes() -> Mapping[tuple[str, str], frozenset[str]]:
    """Scopes of which one is needed, by type and field; the field is empty for a whole type."""
    return {
        (one["typeName"], one.get("fieldName", "")): frozenset(one["offlineScopes"])
        for one in _file()["offline_scopes"]["items"]
        if one["offlineScopes"]
    }


def problems(text: str) -> list[str]:
    """Why the API would refuse a question, and which of its fields are about to go."""
    return [error.message for error in validate(schema(), parse(text), [*specified_rules, NoDeprecatedCustomRule])]


def needed_scopes(text: str) -> set[frozenset[str]]:
    """Of each set one scope is needed."""
    info = TypeInfo(schema())
    found: set[frozenset[str]] = set()

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent, told = info.get_parent_type(), info.get_type()
            if parent is None or told is None:
                return
            for place in ((parent.name, node.name.value), (get_named_type(told).name, "")):
                found.update({_scopes()[place]} if place in _scopes() else ())

    visit(parse(text), TypeInfoVisitor(info, Look()))
    return found


def cost(text: str, variables: Mapping[str, object]) -> int:
    """Points by the formula of the shopify reference, section 3.3."""
    document = parse(text)
    (operation,) = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    root = schema().get_root_type(operation.operation)
    assert root is not None
    if operation.operation is OperationType.MUTATION:
        return 10
    return _Costs(document, variables).of(operation.selection_set, root)


class _Costs:
    def __init__(self, document: DocumentNode, variables: Mapping[str, object]) -> None:
        fragments = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
        self._fragments = {one.name.value: one for one in fragments}
        self._variables = variables

    def of(self, selections: SelectionSetNode | None, parent: GraphQLNamedType) -> int:
        total, branches = 0, [0]
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                total += self._field(one, parent)
            elif isinstance(one, FragmentSpreadNode):
                total += self.of(self._fragments[one.name.value].selection_set, parent)
            elif isinstance(one, InlineFragmentNode):
                told = schema().type_map[one.type_condition.name.value] if one.type_condition else parent
                branches.append(self.of(one.selection_set, told))
        return total + (max(branches) if is_abstract_type(parent) else sum(branches))

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> int:
        found = schema().get_field(parent, node.name.value)  # type: ignore[arg-type]
        assert found is not None
        told = get_named_type(found.type)
        if is_leaf_type(told) or told.name in _FREE:
            return 0
        inner = self.of(node.selection_set, told)
        if told.name.endswith("Connection"):
            return 2 + math.floor(2 * math.log(self._first(node))) * inner
        return 1 + inner

    def _first(self, node: FieldNode) -> int:
        given = {argument.name.value: argument.value for argument in node.arguments or ()}["first"]
        if isinstance(given, VariableNode):
            return int(str(self._variables[given.name.value]))
        assert isinstance(given, IntValueNode)
        return int(given.value)
