from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.magento.twin import MagentoTwin
from adapters.magento.twin_search import Criteria, Filter, read_criteria, read_query, search, trimmed
from connector.domain.clock import FixedClock
from tests.adapters.magento.twin_caller import HOST, Caller, criteria, ids


@dataclass(frozen=True)
class Thing:
    entity_id: int
    word: str | None
    amount: float


COLUMNS = {name: attrgetter(name) for name in ("entity_id", "word", "amount")}
THINGS = [Thing(1, "Kiel", 3), Thing(2, "husum", 10), Thing(3, None, 3), Thing(4, "kappeln", 7.5)]


def found(condition: str, value: str, field: str = "word") -> list[int]:
    rows, _ = search(THINGS, COLUMNS, Criteria(((Filter(field, value, condition),),)))
    return [row.entity_id for row in rows]


@pytest.mark.parametrize(
    ("condition", "value", "wanted"),
    [
        ("eq", "KIEL", [1]),
        ("neq", "kiel", [2, 4]),
        ("gt", "kappeln", [1]),
        ("gteq", "kappeln", [1, 4]),
        ("moreq", "kappeln", [1, 4]),
        ("from", "kappeln", [1, 4]),
        ("lt", "kappeln", [2]),
        ("lteq", "kappeln", [2, 4]),
        ("to", "kappeln", [2, 4]),
        ("in", "kiel,husum", [1, 2]),
        ("nin", "kiel,husum", [4]),
        ("like", "k%l%", [1, 4]),
        ("nlike", "k____%", [1, 2]),
        ("finset", "kiel", [1]),
        ("nfinset", "kiel", [2, 4]),
        ("null", "", [3]),
        ("notnull", "1", [1, 2, 4]),
    ],
)
def test_conditions_compare_text_without_case_and_never_match_null(
    condition: str, value: str, wanted: list[int]
) -> None:
    assert found(condition, value) == wanted


def test_numbers_are_compared_as_numbers() -> None:
    assert found("gt", "7", "amount") == [2, 4]
    assert found("in", "3,7.5", "amount") == [1, 3, 4]
    assert found("eq", "3 apples", "amount") == [1, 3]


def test_filters_of_a_group_are_or_and_groups_are_and() -> None:
    groups = ((Filter("word", "kiel"), Filter("word", "husum")), (Filter("amount", "3"),))
    assert [row.entity_id for row in search(THINGS, COLUMNS, Criteria(groups))[0]] == [1]


def test_a_page_past_the_end_is_the_last_one_again_unless_the_shop_has_the_fix() -> None:
    past = Criteria(sort=(("entity_id", True),), page_size=3, page=9)
    assert [row.entity_id for row in search(THINGS, COLUMNS, past)[0]] == [4]
    assert search(THINGS, COLUMNS, past, ends=True) == ([], 4)
    assert search([], COLUMNS, past) == ([], 0)


def test_without_a_page_size_everything_comes() -> None:
    assert len(search(THINGS, COLUMNS, Criteria(page=7))[0]) == 4


def test_rows_the_sorting_leaves_equal_come_in_another_order_on_each_page() -> None:
    things = [Thing(number, "same", 0) for number in range(40)]
    pages = [search(things, COLUMNS, Criteria(sort=(("word", True),), page_size=20, page=page))[0] for page in (1, 2)]
    assert {row.entity_id for page in pages for row in page} != set(range(40))


@given(st.lists(st.builds(Thing, st.integers(1, 99), st.sampled_from(["a", "b", None]), st.integers(0, 3))))
def test_pages_sorted_to_the_id_hold_every_row_once_in_order(things: list[Thing]) -> None:
    things = list({thing.entity_id: thing for thing in things}.values())
    sort = (("amount", False), ("entity_id", True))
    pages = [
        search(things, COLUMNS, Criteria(sort=sort, page_size=3, page=page), ends=True)[0] for page in range(1, 40)
    ]
    wanted = sorted(things, key=lambda thing: (-thing.amount, thing.entity_id))
    assert [thing for page in pages for thing in page] == wanted


def test_both_spellings_of_the_grammar_are_read() -> None:
    camel = "searchCriteria[filterGroups][0][filters][0][conditionType]=gt&searchCriteria[pageSize]=5"
    snake = "search_criteria[filter_groups][0][filters][0][condition_type]=gt&search_criteria[page_size]=5"
    assert read_criteria(read_query(camel)) == read_criteria(read_query(snake))
    assert read_criteria(read_query(camel)).groups[0][0].condition == "gt"


@given(st.text(max_size=40))
def test_any_query_can_be_read(query: str) -> None:
    assert isinstance(read_query(query), dict)


def test_fields_trim_the_answer_at_any_depth() -> None:
    answer = {"items": [{"a": 1, "b": {"c": 2, "d": 3}}, {"a": 4}], "total_count": 2}
    assert trimmed(answer, "items[a,b[c]],total_count") == {
        "items": [{"a": 1, "b": {"c": 2}}, {"a": 4}],
        "total_count": 2,
    }
    assert trimmed(answer, "total_count") == {"total_count": 2}
    assert trimmed([{"id": 1, "code": "x"}], "id") == [{"id": 1}]
    assert trimmed(True, "id") is True


def test_an_empty_list_inside_fields_becomes_null() -> None:
    assert trimmed({"items": [], "total_count": 0}, "items[a],total_count") == {"items": None, "total_count": 0}


@pytest.mark.parametrize("fields", ["", "items[a", "items]a[", "a b", "items[a]]"])
def test_fields_that_cannot_be_read_leave_nothing(fields: str) -> None:
    assert trimmed({"items": []}, fields) == []


def test_a_list_without_criteria_is_refused(caller: Caller) -> None:
    said = caller.ask("GET", "/rest/V1/orders")
    wanted = {
        "message": '"%fieldName" is required. Enter and try again.',
        "parameters": {"fieldName": "searchCriteria"},
    }
    assert (said.status, said.json) == (400, wanted)


def test_a_shop_may_limit_its_pages(clock: FixedClock) -> None:
    with MagentoTwin(clock, host=HOST, largest_page=300) as twin:
        caller = Caller(twin, clock)
        for _ in range(25):
            twin.place_order(kind="single")
        said = caller.ask("GET", f"/rest/V1/orders?{criteria(size=301)}")
        wanted = {"message": "Maximum SearchCriteria pageSize is %max", "parameters": {"max": 300}}
        assert (said.status, said.json) == (400, wanted)
        assert len(caller.get("orders?searchCriteria=")["items"]) == 20


def test_a_field_that_is_no_column_is_an_internal_error(caller: Caller) -> None:
    said = caller.ask("GET", f"/rest/V1/orders?{criteria(('items', 'eq', '1'))}")
    assert said.status == 500
    assert said.json["message"].startswith("Internal Error. Details are available in Magento log file. Report ID:")


@pytest.mark.parametrize("path", ["orders/abc", "orders?searchCriteria%5BpageSize%5D=many"])
def test_a_number_that_is_none_is_refused_with_its_type(caller: Caller, path: str) -> None:
    said = caller.ask("GET", f"/rest/V1/{path}")
    assert (said.status, said.json["parameters"]["type"]) == (400, "int")


def test_orders_are_found_by_when_they_changed_in_whole_seconds(
    twin: MagentoTwin, caller: Caller, clock: FixedClock
) -> None:
    for _ in range(3):
        twin.place_order()
        clock.moment += timedelta(seconds=0.4)
    clock.moment += timedelta(seconds=10)
    twin.place_order()
    later = caller.get(f"orders?{criteria(('updated_at', 'gt', '2026-11-21 12:00:00'))}")
    assert ids(later) == [4]
    again = caller.get(f"orders?{criteria(('updated_at', 'gteq', '2026-11-21 12:00:00'), size=2)}")
    assert (ids(again), again["total_count"]) == ([1, 2], 4)
    assert again["search_criteria"]["page_size"] == 2


def test_a_moment_written_with_t_and_z_misses_the_changes_of_its_day(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    assert ids(caller.get(f"orders?{criteria(('updated_at', 'gteq', '2026-11-21T00:00:00Z'))}")) == []


def test_fields_reach_the_api(twin: MagentoTwin, caller: Caller) -> None:
    twin.place_order()
    fields = quote("items[entity_id,increment_id],total_count", safe="")
    wanted = {"items": [{"entity_id": 1, "increment_id": "000000001"}], "total_count": 1}
    assert caller.get(f"orders?searchCriteria=&fields={fields}") == wanted


@pytest.mark.parametrize("path", ["/rest/V1", "/rest/default/V1", "/rest/all/V1", "/rest/el/V1", "/index.php/rest/V1"])
def test_the_api_answers_under_every_store(twin: MagentoTwin, caller: Caller, path: str) -> None:
    twin.place_order()
    assert caller.ask("GET", f"{path}/orders/1").status == 200


def test_an_unknown_store_and_an_unknown_route_are_not_found(caller: Caller) -> None:
    assert caller.ask("GET", "/rest/xx/V1/orders/1").status == 404
    said = caller.ask("GET", "/rest/V1/nothing")
    assert (said.status, said.json) == (404, {"message": "Request does not match any route."})


def test_an_order_that_is_not_there_is_said_so(caller: Caller) -> None:
    said = caller.ask("GET", "/rest/V1/orders/99")
    message = "The entity that was requested doesn't exist. Verify the entity and try again."
    assert (said.status, said.json) == (404, {"message": message})
