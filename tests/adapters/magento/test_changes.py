"""Finding what changed: nothing is skipped because rows move, and the pages end."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Store
from adapters.http import Answer, Request
from adapters.magento.changes import changes, parcels, read
from connector.domain.connection import Found, Page
from connector.domain.delivery import Delivery, RefundUpdate, ShipmentUpdate, Source
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.order import OrderSnapshot
from tests.adapters.magento import papers
from tests.adapters.magento.papers import credit_memo, order, shipment, track
from tests.adapters.magento.shops import NOW, always, asked, not_allowed, route, searched
from tests.adapters.talking import answered

SINCE = datetime(2026, 11, 20, tzinfo=UTC)
KINDS = ("orders", "shipments", "creditmemos")


def at(seconds: int) -> str:
    return (SINCE + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


class Shelf:
    """A shop's rows of the three kinds, which a test may move while pages are read."""

    def __init__(self, *, largest_page: int = 300) -> None:
        self.orders: list[dict[str, Any]] = []
        self.shipments: list[dict[str, Any]] = []
        self.creditmemos: list[dict[str, Any]] = []
        self.largest_page = largest_page

    def __call__(self, request: Request) -> Answer:
        return searched(request, getattr(self, route(request)), largest_page=self.largest_page)


def row(entity_id: int, seconds: int) -> dict[str, Any]:
    return {"entity_id": entity_id, "updated_at": at(seconds)}


def pages_of(shop: Store, since: datetime = SINCE) -> list[Page]:
    pages = [changes(shop, since, "")]
    while pages[-1].cursor:
        assert len(pages) < 2_000
        pages.append(changes(shop, since, pages[-1].cursor))
    return pages


def found_in(pages: list[Page]) -> list[Found]:
    return [one for page in pages for one in page.found]


def test_all_kinds_are_looked_through_with_three_questions() -> None:
    shelf = Shelf()
    shelf.orders, shelf.shipments, shelf.creditmemos = [row(7, 5)], [row(61, 3)], [row(71, 4)]
    shop, requests = asked(shelf)
    assert [one.about for one in found_in(pages_of(shop))] == ["order", "shipment", "creditmemo"]
    assert [route(request) for request in requests] == ["orders", "shipments", "creditmemos"]


def test_moments_are_asked_for_in_utc_without_a_zone() -> None:
    shop, requests = asked(Shelf())
    changes(shop, datetime(2026, 11, 20, 1, 30, tzinfo=UTC), "")
    values = dict(parse_qsl(urlsplit(requests[0].url).query))
    assert values["searchCriteria[filter_groups][0][filters][0][value]"] == "2026-11-20 01:30:00"
    assert values["searchCriteria[filter_groups][0][filters][0][condition_type]"] == "gteq"
    assert values["searchCriteria[currentPage]"] == "1"


def test_more_changes_within_one_second_than_fit_a_page_are_all_found() -> None:
    shelf = Shelf(largest_page=10)
    shelf.orders = [row(number, 60) for number in range(1, 46)] + [row(99, 61), row(98, 59)]
    shop, _ = asked(shelf, features={"page_size": "10"})
    found = [one for one in found_in(pages_of(shop)) if one.about == "order"]
    assert {one.key.split(":")[1] for one in found} == {str(number) for number in [*range(1, 46), 98, 99]}


def test_a_page_size_the_merchant_limits_is_kept_in_the_cursor() -> None:
    shelf = Shelf(largest_page=20)
    shelf.orders = [row(number, number) for number in range(1, 31)]
    shop, requests = asked(shelf)
    assert len({one.key for one in found_in(pages_of(shop))}) == 30
    assert len([request for request in requests if "pageSize%5D=100" in request.url]) == 1


def test_fewer_rows_than_asked_for_are_not_the_end_where_the_shop_counts_more() -> None:
    shelf = Shelf()
    shelf.orders = [row(number, number) for number in range(1, 31)]

    def capped(request: Request) -> Answer:
        whole = searched(request, getattr(shelf, route(request)))
        document = papers_of(whole)
        return answered({**document, "items": document["items"][:7]})

    shop, _ = asked(capped)
    assert len({one.key for one in found_in(pages_of(shop))}) == 30


def papers_of(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.body)
    return document


SECONDS = st.lists(st.integers(0, 12), max_size=30)
MOVES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 30), st.integers(0, 3)), max_size=25)


@settings(max_examples=60, deadline=None)
@given(SECONDS, SECONDS, SECONDS, MOVES, st.integers(1, 6))
def test_nothing_is_skipped_because_rows_move_while_pages_are_read(
    orders: list[int], shipments: list[int], memos: list[int], moves: list[tuple[str, int, int]], size: int
) -> None:
    shelf = Shelf()
    for kind, seconds in zip(KINDS, (orders, shipments, memos), strict=True):
        setattr(shelf, kind, [row(number, moment) for number, moment in enumerate(seconds, 1)])
    before = {(kind, one["entity_id"]) for kind in KINDS for one in getattr(shelf, kind)}
    shop, _ = asked(shelf, features={"page_size": str(size)})
    now, found, cursor = 100, set(), ""
    for _ in range(1_000):
        page = changes(shop, SINCE, cursor)
        found |= {(f"{one.about}s", int(one.key.split(":")[1])) for one in page.found}
        cursor = page.cursor
        if not cursor:
            break
        if moves:
            kind, number, later = moves.pop()
            now += later
            for one in getattr(shelf, kind):
                if one["entity_id"] == number:
                    one["updated_at"] = at(now)
    else:
        pytest.fail("the pages do not end")
    assert found == before


@settings(max_examples=60, deadline=None)
@given(SECONDS, SECONDS, SECONDS, st.integers(1, 6))
def test_pages_come_oldest_first_whatever_the_kind_and_tell_each_change_once(
    orders: list[int], shipments: list[int], memos: list[int], size: int
) -> None:
    """Whoever stops after any page may begin again at the newest change it was told."""
    shelf = Shelf()
    for kind, seconds in zip(KINDS, (orders, shipments, memos), strict=True):
        setattr(shelf, kind, [row(number, moment) for number, moment in enumerate(seconds, 1)])
    shop, _ = asked(shelf, features={"page_size": str(size)})
    pages = [page for page in pages_of(shop) if page.found]
    for earlier, later in itertools.pairwise(pages):
        assert max(one.updated_at for one in earlier.found) <= min(one.updated_at for one in later.found)
    keys = [one.key for one in found_in(pages)]
    assert len(keys) == len(set(keys)) == len(orders) + len(shipments) + len(memos)


def test_the_same_version_has_the_same_key_and_a_new_one_another() -> None:
    shelf = Shelf()
    shelf.orders = [order(updated_at=at(5))]
    shop, _ = asked(shelf)
    first, again = found_in(pages_of(shop)), found_in(pages_of(shop))
    assert [one.key for one in first] == [one.key for one in again]
    shelf.orders = [order(updated_at=at(5), status="processing")]
    assert found_in(pages_of(shop))[0].key != first[0].key
    assert len(first[0].key) <= 100
    assert first[0].updated_at == SINCE + timedelta(seconds=5)


def test_what_was_found_is_understood_weeks_later() -> None:
    shelf = Shelf()
    shelf.orders = [order(updated_at=at(5))]
    shelf.shipments = [shipment(updated_at=at(6))]
    shelf.creditmemos = [credit_memo(updated_at=at(7))]
    shop, _ = asked(shelf)
    updates = [read(delivered(one), papers.shop())[0] for one in found_in(pages_of(shop))]
    assert [type(update) for update in updates] == [OrderSnapshot, ShipmentUpdate, RefundUpdate]
    assert updates[0] == papers.snapshot(updated_at=at(5))


def delivered(found: Found) -> Delivery:
    return Delivery("magento", {}, found.body, NOW, found.about, Source.SWEEP)


def test_half_an_order_found_by_a_sweep_is_refused() -> None:
    with pytest.raises(UnreadableDelivery, match="grand_total"):
        read(
            Delivery("magento", {}, papers.encoded(order(grand_total=None)), NOW, "order", Source.SWEEP), papers.shop()
        )


@given(st.binary(max_size=60), st.sampled_from(["order", "shipment", "creditmemo", "", "x"]))
def test_reading_raises_nothing_but_unreadable(body: bytes, about: str) -> None:
    try:
        read(Delivery("magento", {}, body, NOW, about, Source.SWEEP), papers.shop())
    except UnreadableDelivery:
        return


def test_a_right_that_is_missing_leaves_out_its_kind_with_a_note() -> None:
    shelf = Shelf()
    shelf.orders, shelf.creditmemos = [row(7, 5)], [row(71, 4)]

    def answer(request: Request) -> Answer:
        return not_allowed("Magento_Sales::shipment") if route(request) == "shipments" else shelf(request)

    shop, _ = asked(answer)
    page = changes(shop, SINCE, "")
    assert [one.about for one in page.found] == ["order", "creditmemo"]
    assert "Sales > Operations > Shipments" in page.notes[0]
    assert parcels(shop, ("61",)) == ()


def test_without_the_right_to_orders_there_is_nothing_to_sweep() -> None:
    shop, _ = asked(lambda _request: not_allowed("Magento_Sales::actions_view"))
    with pytest.raises(Permanent, match="Orders > Actions > View"):
        changes(shop, SINCE, "")


def test_a_row_that_cannot_be_read_costs_only_itself() -> None:
    items = [row(7, 5), {"entity_id": 8, "updated_at": None}, "x", row(9, 6)]

    def answer(request: Request) -> Answer:
        mine = items if route(request) == "orders" else []
        return answered({"items": mine, "total_count": len(mine)})

    shop, _ = asked(answer)
    page = changes(shop, SINCE, "")
    assert [one.key.split(":")[1] for one in page.found] == ["7", "9"]
    assert len(page.notes) == 2


@pytest.mark.parametrize(
    "items",
    [
        [row(7, -3_600)],  # older than asked for
        [row(8, 6), row(7, 5)],  # in another order
        [row(8, 5), row(7, 5)],  # in another order within a second
    ],
)
def test_an_answer_to_another_question_is_not_taken_for_ours(items: list[dict[str, Any]]) -> None:
    shop, _ = asked(always({"items": items, "total_count": len(items)}))
    with pytest.raises(Retryable, match="cache"):
        changes(shop, SINCE, "")


def test_the_same_full_page_for_ever_does_not_turn_in_circles() -> None:
    shop, requests = asked(always({"items": [row(number, 5) for number in range(1, 101)], "total_count": 5_000}))
    with pytest.raises(Retryable, match="cache"):
        pages_of(shop)
    assert len(requests) <= 8


def test_a_cursor_of_another_kind_is_refused() -> None:
    shop, _ = asked(Shelf())
    with pytest.raises(Permanent, match="begin the sweep anew"):
        changes(shop, SINCE, '["x"]')


def test_parcels_are_read_by_their_ids_in_few_questions() -> None:
    shelf = Shelf()
    shelf.shipments = [shipment(entity_id=number, updated_at=at(1)) for number in range(1, 80)]
    shelf.shipments[4]["tracks"] = [track(parent_id=5)]
    shop, requests = asked(shelf)
    found = parcels(shop, tuple(str(number) for number in range(1, 51)))
    assert len(found) == 50
    assert len(requests) == 1
    update = read(delivered(found[4]), papers.shop())[0]
    assert isinstance(update, ShipmentUpdate)
    assert update.shipment.tracking[0].number == "00340434161094022115"


def test_a_track_added_later_is_a_new_version_of_the_parcel() -> None:
    shelf = Shelf()
    shelf.shipments = [shipment()]
    shop, _ = asked(shelf)
    before = parcels(shop, ("61",))
    shelf.shipments = [shipment(tracks=[track()])]
    assert parcels(shop, ("61",))[0].key != before[0].key


def test_no_question_is_asked_about_ids_that_are_none() -> None:
    shop, requests = asked(Shelf())
    assert parcels(shop, ("x", "1,2", "")) == ()
    assert requests == []
