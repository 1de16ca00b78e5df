"""Reading what changed, page by page, while rows move; and single orders whole."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Store
from adapters.http import Answer
from adapters.shopify import MANIFEST
from adapters.shopify.changes import MOST_IN_A_ROW, changes, look, read
from adapters.shopify.client import Throttled
from connector.domain.connection import Found, Page
from connector.domain.delivery import Delivery, Ignored, LookAgain, Source, Subject
from connector.domain.errors import Permanent
from connector.domain.order import OrderSnapshot
from tests.adapters.shopify.papers import SHOP, answer
from tests.adapters.shopify.shops import NOW, errors, operations, telling, throttled
from tests.adapters.talking import answered

SINCE = datetime(2026, 11, 20, tzinfo=UTC)
HINT = LookAgain(Subject.ORDER, "6120934887713", "6120934887713", "asked for")
Node = dict[str, Any]


def node(number: int, updated_at: datetime, **changed: object) -> Node:
    order: Node = answer("order-in-outline")["data"]["order"]
    stamp = f"{updated_at:%Y-%m-%dT%H:%M:%SZ}"
    plain: Node = json.loads(json.dumps(order, default=str))
    return plain | {
        "id": f"gid://shopify/Order/{number}",
        "legacyResourceId": str(number),
        "updatedAt": stamp,
        **changed,
    }


class Orders:
    """The orders of a shop, found and sorted as Shopify does: by second, then by id, after a row's own place."""

    def __init__(self, orders: dict[int, datetime], between: Callable[["Orders"], None] = lambda _: None) -> None:
        self.orders = orders
        self.asked = 0
        self._between = between

    def page(self, variables: dict[str, Any]) -> object:
        if self.asked:
            self._between(self)
        self.asked += 1
        found = re.fullmatch(r"updated_at:>='([^']+)'", variables["search"])
        assert found
        since = datetime.fromisoformat(found[1])
        rows = sorted((moment, number) for number, moment in self.orders.items() if moment >= since)
        if variables["cursor"]:
            moment, number = variables["cursor"].split("|")
            rows = [row for row in rows if row > (datetime.fromisoformat(moment), int(number))]
        shown = rows[: variables["first"]]
        cursor = f"{shown[-1][0].isoformat()}|{shown[-1][1]}" if shown else None
        nodes = [{"id": f"gid://shopify/Order/{n}", "updatedAt": m.isoformat()} for m, n in shown]
        return {"orders": {"pageInfo": {"hasNextPage": len(rows) > len(shown), "endCursor": cursor}, "nodes": nodes}}


def sweep(shop: Store, since: datetime = SINCE, most: int = 100) -> list[Page]:
    pages = [changes(shop, since, "")]
    while pages[-1].cursor:
        assert len(pages) < most, "the pages do not end"
        pages.append(changes(shop, since, pages[-1].cursor))
    return pages


def ids(pages: list[Page]) -> list[str]:
    return [json.loads(one.body)["data"]["order"]["id"].rpartition("/")[2] for page in pages for one in page.found]


def delivered(found: Found) -> Delivery:
    return Delivery("shopify", {}, found.body, NOW, found.about, Source.SWEEP)


def test_all_pages_are_read_once_the_oldest_change_first() -> None:
    orders = Orders({number: SINCE + timedelta(seconds=number // 3) for number in range(250)})
    pages = sweep(telling({"Orders": orders.page}))
    assert ids(pages) == [str(number) for number in range(250)]
    assert [len(page.found) for page in pages] == [100, 100, 50]


@settings(max_examples=60, deadline=None)
@given(
    moments=st.lists(st.integers(0, 40), min_size=1, max_size=30),
    moved=st.lists(st.tuples(st.integers(0, 29), st.integers(41, 80)), max_size=20),
)
def test_nothing_is_skipped_while_rows_move_and_the_pages_end(moments: list[int], moved: list[tuple[int, int]]) -> None:
    before = {number: SINCE + timedelta(seconds=second) for number, second in enumerate(moments)}
    waiting = list(moved)

    def between(orders: Orders) -> None:
        if waiting:
            number, second = waiting.pop()
            if number in orders.orders:
                orders.orders[number] = SINCE + timedelta(seconds=second)

    orders = Orders(dict(before), between)

    def page(variables: dict[str, Any]) -> object:
        return orders.page(variables | {"first": 3})

    assert set(ids(sweep(telling({"Orders": page})))) == {str(number) for number in before}


def test_a_shop_that_never_rests_does_not_keep_a_sweep_for_ever() -> None:
    orders = Orders(dict.fromkeys(range(300), SINCE))

    def rush(shop: Orders) -> None:
        for number in range(1000 * shop.asked, 1000 * shop.asked + 300):
            shop.orders[number] = NOW + timedelta(hours=shop.asked)

    orders._between = rush
    pages = sweep(telling({"Orders": orders.page}))
    assert {str(number) for number in range(300)} <= set(ids(pages))
    assert len(pages) < 10


@pytest.mark.parametrize("cursor", ["same", "", None])
def test_pages_that_lead_nowhere_end(cursor: str | None) -> None:
    told = {
        "pageInfo": {"hasNextPage": True, "endCursor": cursor},
        "nodes": [{"id": "gid://shopify/Order/1", "updatedAt": "2026-11-21T00:00:00Z"}],
    }
    assert len(sweep(telling({"Orders": {"orders": told}}))) <= 2


def test_a_sweep_begins_anew_before_shopifys_pages_end() -> None:
    """At 25 000 objects they do; ours go on from the newest change, which tells some twice and skips none."""
    many = {number: SINCE + timedelta(seconds=number) for number in range(MOST_IN_A_ROW + 350)}
    orders = Orders(many)
    page = changes(shop := telling({"Orders": orders.page}), SINCE, "")
    place = json.loads(page.cursor) | {"in_a_row": MOST_IN_A_ROW - 50}
    page = changes(shop, SINCE, json.dumps(place))
    assert json.loads(page.cursor)["after"] == ""
    again = changes(shop, SINCE, page.cursor)
    assert operations(shop)[-1][1]["search"] == "updated_at:>='2026-11-20T00:03:19Z'"
    assert ids([again])[0] == "199"


def test_more_orders_in_one_second_than_a_row_of_pages_do_not_turn_it_in_circles() -> None:
    orders = Orders(dict.fromkeys(range(300), SINCE))
    shop = telling({"Orders": orders.page})
    place = json.loads(changes(shop, SINCE, "").cursor) | {"in_a_row": MOST_IN_A_ROW}
    assert json.loads(changes(shop, SINCE, json.dumps(place)).cursor)["after"] != ""


def test_a_cursor_that_ran_out_begins_again_from_the_newest_change_read() -> None:
    orders = Orders({number: SINCE + timedelta(minutes=number) for number in range(150)})
    first = changes(telling({"Orders": orders.page}), SINCE, "")

    def page(variables: dict[str, Any]) -> object:
        if variables["cursor"]:
            return answered({"errors": [{"message": "Invalid cursor for current pagination sort."}]})
        return orders.page(variables)

    rest = changes(shop := telling({"Orders": page}), SINCE, first.cursor)
    assert ids([rest]) == [str(number) for number in range(99, 150)]
    assert operations(shop)[-1][1]["search"] == "updated_at:>='2026-11-20T01:39:00Z'"


def test_a_cursor_of_another_version_of_ours_begins_the_sweep_anew() -> None:
    orders = Orders({1: SINCE})
    assert ids([changes(telling({"Orders": orders.page}), SINCE, "old words")]) == ["1"]


def test_a_page_that_costs_too_much_is_asked_for_smaller_and_stays_so() -> None:
    orders = Orders({number: SINCE + timedelta(seconds=number) for number in range(60)})

    def page(variables: dict[str, Any]) -> object:
        return errors("MAX_COST_EXCEEDED") if variables["first"] > 30 else orders.page(variables)

    shop = telling({"Orders": page})
    assert len(ids(sweep(shop))) == 60
    assert [variables["first"] for _, variables in operations(shop)] == [100, 50, 25, 25, 25]


def test_a_throttled_page_is_the_callers_to_come_back_for() -> None:
    with pytest.raises(Throttled):
        changes(telling({"Orders": throttled(restored=1)}), SINCE, "")


def test_a_shop_that_shows_no_orders_says_which_right_is_missing() -> None:
    with pytest.raises(Permanent, match="rights"):
        changes(telling({"Orders": errors("ACCESS_DENIED", data={"orders": None}, path=("orders",))}), SINCE, "")


def test_what_the_app_may_not_see_is_left_out_of_its_own_order_only() -> None:
    told = {
        "orders": {
            "pageInfo": {"hasNextPage": False, "endCursor": "x"},
            "nodes": [node(1, SINCE), node(2, SINCE, email=None)],
        }
    }
    (page,) = sweep(telling({"Orders": errors("ACCESS_DENIED", data=told, path=("orders", "nodes", 1, "email"))}))
    assert page.notes == ("Shopify left out orders.email: the app may not see it",)
    (first,), (second,) = (read(delivered(one), SHOP) for one in page.found)
    assert isinstance(first, OrderSnapshot)
    assert isinstance(second, OrderSnapshot)
    assert "Shopify left out order.email" in second.warnings
    assert not any("left out" in warning for warning in first.warnings)


def test_an_order_of_a_page_reads_as_the_same_order_asked_for_alone() -> None:
    told = {"orders": {"pageInfo": {"hasNextPage": False, "endCursor": "x"}, "nodes": [node(6120934887713, SINCE)]}}
    (page,) = sweep(telling({"Orders": told}))
    alone = look(telling({"Order": {"order": told["orders"]["nodes"][0]}}), HINT)  # type: ignore[index]
    assert read(delivered(page.found[0]), SHOP) == (MANIFEST.resolve(HINT, alone, SHOP),)


def test_the_same_version_has_one_short_key_and_another_content_another() -> None:
    def found(**changed: object) -> Found:
        page = {"pageInfo": {"hasNextPage": False}, "nodes": [node(1, SINCE, **changed)]}
        return changes(telling({"Orders": {"orders": page}}), SINCE, "").found[0]

    assert found().key == found().key
    assert found().key != found(note="changed within the same second").key
    assert len(found().key) <= 100
    assert found().updated_at == SINCE


def test_an_order_that_cannot_be_read_is_left_out_and_said() -> None:
    broken = [None, {"id": 5}, {"id": "gid://shopify/Order/7"}, "x", node(8, SINCE)]
    (page,) = sweep(telling({"Orders": {"orders": {"pageInfo": {}, "nodes": broken}}}))
    assert ids([page]) == ["8"]
    assert page.notes == ("an order of the list could not be read",)


@pytest.mark.parametrize("name", ["lineItems", "shippingLines"])
def test_an_order_too_large_for_its_page_is_looked_at_by_itself(name: str) -> None:
    cut = {"pageInfo": {"hasNextPage": True, "endCursor": "x"}, "nodes": []}
    page = {"orders": {"pageInfo": {}, "nodes": [node(9, SINCE, **{name: cut})]}}
    (found,) = changes(telling({"Orders": page}), SINCE, "").found
    (update,) = read(delivered(found), SHOP)
    assert isinstance(update, LookAgain)
    assert (update.subject, update.order_id) == (Subject.ORDER, "9")


def test_looking_follows_the_pages_of_lines() -> None:
    whole = node(6120934887713, SINCE)
    lines = whole["lineItems"]["nodes"]

    def order(variables: dict[str, Any]) -> object:
        at = int(variables.get("after", 0))
        info = {"hasNextPage": at + 1 < len(lines), "endCursor": str(at + 1)}
        return {"order": whole | {"lineItems": {"pageInfo": info, "nodes": [lines[at]]}}}

    shop = telling({"Order": order})
    assert MANIFEST.resolve(HINT, look(shop, HINT), SHOP) == MANIFEST.resolve(
        HINT, json.dumps({"data": {"order": whole}}).encode(), SHOP
    )
    assert [variables.get("after") for _, variables in operations(shop)] == [None, "1", "2"]


def test_lines_without_end_are_refused() -> None:
    count = iter(range(1000))

    def order(_: dict[str, Any]) -> object:
        info = {"hasNextPage": True, "endCursor": f"c{next(count)}"}
        return {"order": node(1, SINCE) | {"lineItems": {"pageInfo": info, "nodes": []}}}

    with pytest.raises(Permanent, match="does not end"):
        look(telling({"Order": order}), HINT)


def test_an_order_that_is_gone_is_a_null_and_one_that_is_hidden_a_sentence() -> None:
    assert MANIFEST.resolve(HINT, look(telling({"Order": {"order": None}}), HINT), SHOP) == Ignored(
        "the order no longer exists in the shop", HINT.order_id
    )
    hidden: Answer = errors("ACCESS_DENIED", data={"order": None}, path=("order",))
    with pytest.raises(Permanent, match="rights"):
        look(telling({"Order": hidden}), HINT)


@pytest.mark.parametrize("order_id", ["", "abc", "1/../2", "9" * 50])
def test_a_hint_at_what_is_no_order_is_not_asked_about(order_id: str) -> None:
    shop = telling({})
    with pytest.raises(Permanent):
        look(shop, LookAgain(Subject.ORDER, order_id, order_id, "asked for"))
    assert operations(shop) == []


def test_broken_characters_in_an_order_do_not_stop_a_sweep() -> None:
    body = json.dumps({"data": {"orders": {"pageInfo": {}, "nodes": [node(1, SINCE, note="\ud83d!")]}}}).encode()
    (found,) = changes(telling({"Orders": Answer(200, {}, body)}), SINCE, "").found
    (update,) = read(delivered(found), SHOP)
    assert isinstance(update, OrderSnapshot)
    assert update.customer_note == "\ufffd!"
