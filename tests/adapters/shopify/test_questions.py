"""Everything that is asked of the Admin API, held against its real schema."""

import ast
import re
from pathlib import Path

import pytest
from graphql import GraphQLEnumType

import adapters.shopify
from adapters.shopify import client, official, subscriptions
from adapters.shopify.app_file import LIFE_CYCLE, ORDERS
from adapters.shopify.changes import ORDERS as ORDERS_A_PAGE
from adapters.shopify.changes import SIZES, WHOLE
from adapters.shopify.client import question
from adapters.shopify.scopes import OPTIONAL_SCOPES, SCOPES
from tests.adapters.shopify.admin_schema import cost, needed_scopes, problems, schema

HOUSE = Path(adapters.shopify.__file__).parent.parent.parent
FOLDER = Path(adapters.shopify.__file__).parent / "questions"
NAMES = sorted(path.stem for path in FOLDER.glob("*.graphql") if path.stem != "order_fields")
ROOMS = ("adapters", "connector", "notifications", "webhooks")
MOST_POINTS = 1000
"""For one question (shopify reference, section 3.3)."""


@pytest.mark.parametrize("name", NAMES)
def test_every_question_holds_against_the_schema_and_nothing_in_it_is_about_to_go(name: str) -> None:
    assert problems(question(name)) == []


def test_a_wrong_question_would_be_seen() -> None:
    assert problems("query { order(id: 1) { no_such_field } }")
    assert problems('query { order(id: "1") { landingPageUrl } }'), "deprecated"


def test_every_question_is_asked_somewhere() -> None:
    source = "\n".join(path.read_text("utf-8") for path in FOLDER.parent.glob("*.py"))
    assert [name for name in NAMES if f'"{name}"' not in source] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_question_needs_a_right_we_do_not_ask_for(name: str) -> None:
    for alternatives in needed_scopes(question(name)):
        assert any(official.covers(tuple(SCOPES), scope) for scope in alternatives), alternatives


def test_no_topic_needs_a_right_we_do_not_ask_for() -> None:
    topics = schema().type_map["WebhookSubscriptionTopic"]
    assert isinstance(topics, GraphQLEnumType)
    for topic in (*ORDERS, *LIFE_CYCLE):
        described = topics.values[subscriptions.as_enum(topic)].description or ""
        needed = re.findall(r"\bread_\w+", described)
        assert not needed or any(official.covers(tuple(SCOPES), scope) for scope in needed), described


def test_no_right_is_asked_for_that_nothing_needs() -> None:
    needed = [scopes for name in NAMES for scopes in needed_scopes(question(name))]
    needed.append(frozenset({"write_orders"}))  # `metafieldsSet` says so in words only
    for scope in SCOPES:
        others = tuple(other for other in SCOPES if other != scope)
        assert any(not any(official.covers(others, one) for one in alternatives) for alternatives in needed), scope
    for scope in OPTIONAL_SCOPES:
        assert any(scope in alternatives for alternatives in needed), scope


def test_every_question_costs_less_than_a_shop_gives_at_once() -> None:
    page = {"first": ORDERS_A_PAGE, **SIZES}
    assert cost(question("orders"), page) < MOST_POINTS
    assert cost(question("order"), WHOLE) < MOST_POINTS / 4
    for name in set(NAMES) - {"orders", "order"}:
        assert cost(question(name), {}) < MOST_POINTS / 4


def test_a_page_of_many_orders_costs_little_more_than_one_of_few() -> None:
    page = cost(question("orders"), {"first": ORDERS_A_PAGE, **SIZES})
    half = cost(question("orders"), {"first": ORDERS_A_PAGE // 2, **SIZES})
    assert page / ORDERS_A_PAGE < half / (ORDERS_A_PAGE // 2)


def test_only_the_pure_parts_of_shopifys_library_are_used() -> None:
    """Its sessions, REST and GraphQL classes keep one shop's access for all threads, and wait without limit."""
    allowed = {"shopify.api_access", "shopify.session", "shopify.utils.shop_url"}
    for room in ROOMS:
        for path in sorted((HOUSE / room).rglob("*.py")):
            text = path.read_text("utf-8")
            used = {
                name for name in _imported(ast.parse(text)) if name.partition(".")[0] in ("shopify", "pyactiveresource")
            }
            assert used <= (allowed if path.name == "official.py" else set()), path
            if path.name == "official.py":
                assert not re.search(r"\b(temp|setup|activate_session|request_token|GraphQL|ShopifyResource)\b\(", text)


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def test_the_version_is_the_same_everywhere() -> None:
    packed = sorted(path.name for path in (FOLDER.parent / "schema").glob("*.json.gz"))
    assert f"admin_{client.API_VERSION}.json.gz" in packed
