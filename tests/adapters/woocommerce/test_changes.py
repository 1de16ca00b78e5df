"""Sweeps: whatever changed is in some page, however rows move, and the pages end."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.contract import Store
from adapters.http import Answer, Request
from adapters.woocommerce import MANIFEST
from adapters.woocommerce.changes import FIELDS, changes, look
from connector.domain.connection import Found, Page
from connector.domain.delivery import Delivery, Ignored, LookAgain, Source, Subject
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery
from connector.domain.order import OrderSnapshot
from tests.adapters.talking import answered
from tests.adapters.woocommerce.documents import RECEIVED, RICH, SAMPLES, SHOP, document
from tests.adapters.woocommerce.shop import FakeShop, error, page, query_of

ORDERS = "GET /wp-json/wc/v3/orders"
SINCE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEMPLATE = {"currency": "EUR", "total": "1.00", "line_items": []}


@dataclass(frozen=True)
class Row:
    order_id: int
    changed: datetime
    status: str = "processing"

    def document(self, zone: str) -> dict[str, Any]:
        naive = self.changed.replace(tzinfo=None).isoformat()
        local = self.changed.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
        dates = {"date_created_gmt": naive, "date_modified_gmt": naive, "date_modified": local}
        return {"id": self.order_id, "status": self.status, **dates, **TEMPLATE}


@dataclass
class Book:
    """The orders of a shop, listed as WooCommerce lists them: strictly later, with or without HPOS' order."""

    rows: dict[int, Row]
    zone: str = "UTC"
    hpos: bool = True
    between: Callable[["Book"], None] = lambda _: None
    headers: bool = True
    most: int = 100
    """Rows a page the shop can make before it breaks."""
    hidden: frozenset[int] = field(default_factory=frozenset)
    """Counted, and not shown to this key's user."""

    def answer(self, request: Request) -> Answer:
        query = query_of(request)
        assert (query["dates_are_gmt"], query["order"]) == ("true", "asc")
        assert not query["modified_after"].endswith(("Z", "+00:00"))
        rows = [row for row in self.rows.values() if self._is_asked_for(row, query)]
        rows.sort(key=(lambda row: (row.order_id,)) if query["orderby"] == "id" else self._by_change)
        size, number = int(query["per_page"]), int(query.get("page", "1"))
        if size > self.most:
            return page(500)
        shown = [row for row in rows[(number - 1) * size : number * size] if row.order_id not in self.hidden]
        documents = [row.document(self.zone) for row in shown]
        self.between(self)
        return answered(documents, X_WP_Total=str(len(rows))) if self.headers else answered(documents)

    def _is_asked_for(self, row: Row, query: dict[str, str]) -> bool:
        naive = row.changed.replace(tzinfo=None).isoformat()
        wanted = row.status == "trash" if query["status"] == "trash" else row.status != "trash"
        return wanted and query["modified_after"] < naive < query.get("modified_before", "9")

    def _by_change(self, row: Row) -> tuple[Any, ...]:
        local = row.changed.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        return (row.changed if self.hpos else local, row.order_id)


def at(seconds: float) -> datetime:
    return SINCE + timedelta(seconds=seconds)


def book_of(*seconds: float, **settings: Any) -> Book:
    return Book({number: Row(number, at(second)) for number, second in enumerate(seconds, 1)}, **settings)


def pages(book: Book, since: datetime = SINCE) -> list[Page]:
    shop = FakeShop()
    shop.does(ORDERS, book.answer)
    store = shop.store(hpos="yes" if book.hpos else "no", timezone=book.zone)
    return list(_walk(store, since, 400))


def _walk(store: Store, since: datetime, most: int) -> Iterator[Page]:
    cursor = ""
    for _ in range(most):
        one = changes(store, since, cursor)
        yield one
        cursor = one.cursor
        if not cursor:
            return
    raise AssertionError("the pages do not end")


def ids(found: list[Page]) -> set[int]:
    return {int(one.key.partition(":")[0]) for page in found for one in page.found}


@pytest.fixture(autouse=True)
def _five_a_page() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.woocommerce.changes.PER_PAGE", 5)
        patch.setattr("adapters.woocommerce.changes.FEW", 2)
        yield


def test_a_change_at_the_very_second_is_found_although_woocommerce_looks_strictly_after() -> None:
    assert ids(pages(book_of(0, 1, -1))) == {1, 2}


def test_a_quiet_shop_costs_two_calls() -> None:
    assert len(pages(book_of())) == 2


def test_orders_in_the_trash_are_found_too_and_drafts_are_not() -> None:
    book = book_of(1, 2, 3)
    book.rows[2] = replace(book.rows[2], status="trash")
    book.rows[3] = replace(book.rows[3], status="checkout-draft")
    found = pages(book)
    assert ids(found) == {1, 2}
    trashed = found[-1].found[0]
    assert isinstance(read(trashed)[0], Ignored)


@pytest.mark.parametrize("headers", [True, False])
def test_more_orders_in_one_second_than_fit_a_page_are_all_found(headers: bool) -> None:
    assert ids(pages(book_of(*([7] * 23), 8, 9, headers=headers))) == set(range(1, 26))


def test_a_row_the_user_may_not_see_does_not_end_the_sweep() -> None:
    book = book_of(*range(20), hidden=frozenset({2, 5, 6}))
    assert ids(pages(book)) == set(range(1, 21)) - book.hidden


@pytest.mark.parametrize("hours", [0.0, 0.7])
def test_without_hpos_the_hour_that_comes_twice_loses_nothing(hours: float) -> None:
    night = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 02:00 summer time; at 01:00 UTC it is 02:00 again
    rows = {n: Row(n, night + timedelta(minutes=5 * n)) for n in range(1, 30)}
    since = night + timedelta(hours=hours)
    found = pages(Book(rows, "Europe/Berlin", hpos=False), since)
    assert ids(found) >= {row.order_id for row in rows.values() if row.changed >= since}


def test_rows_that_come_in_no_order_of_time_lose_nothing() -> None:
    """As where the shop's time zone is not known, and the hour that comes twice shows in the rows alone."""
    night = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    book = Book({n: Row(n, night + timedelta(minutes=5 * n)) for n in range(30)}, "Europe/Berlin", hpos=False)
    shop = FakeShop()
    shop.does(ORDERS, book.answer)
    assert ids(list(_walk(shop.store(), night, 400))) == set(range(30))


moments = st.integers(0, 3).map(float)


@given(
    st.lists(moments, max_size=50),
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=50),
    st.booleans(),
)
@example([3.0] * 20, [(number, 1) for number in range(12, 0, -1)], True)
@settings(max_examples=150, deadline=None)
def test_no_change_is_skipped_while_rows_move(
    seconds: list[float], moves: list[tuple[int, int]], headers: bool
) -> None:
    """Between two pages orders change, which moves them to the end; `Api.changes` promises them all the same."""
    waiting, moment = list(moves), [4]

    def between(book: Book) -> None:
        for order_id, later in (waiting.pop() for _ in range(min(2, len(waiting)))):
            moment[0] += later
            if order_id in book.rows:
                book.rows[order_id] = Row(order_id, at(moment[0]))

    book = book_of(*seconds, between=between)
    assert ids(pages(book)) == set(range(1, len(seconds) + 1))
    still = book_of(*seconds, headers=headers, most=2 if moves else 5)
    assert ids(pages(still)) == set(range(1, len(seconds) + 1))


@pytest.mark.parametrize("seconds", [range(23), [7] * 23])
def test_a_shop_that_breaks_over_many_rows_is_read_by_few(seconds: Any) -> None:
    assert ids(pages(book_of(*seconds, most=2))) == set(range(1, 24))


def test_a_shop_that_breaks_midway_is_read_by_few_from_there() -> None:
    answers = iter(range(99))

    def break_down(book: Book) -> None:
        book.most = 5 if next(answers) < 4 else 2

    found = pages(book_of(*([7] * 23), between=break_down))
    assert ids(found) == set(range(1, 24))
    assert [len(page.found) for page in found[:8]] == [5, 5, 5, 5, 5, 2, 2, 2]
    assert [one.key.partition(":")[0] for one in found[5].found] == ["15", "16"]


def test_rows_that_moved_up_by_pages_are_gone_back_for() -> None:
    """After two pages of a crowded second are read, all ten orders on them change: two pages move up."""
    answers = iter(range(99))

    def between(book: Book) -> None:
        if next(answers) == 3:
            book.rows |= {number: Row(number, at(50)) for number in range(1, 11)}

    assert ids(pages(book_of(*([7] * 23), between=between))) == set(range(1, 24))


def test_a_shop_that_breaks_over_few_rows_too_is_tried_again_later() -> None:
    with pytest.raises(Retryable):
        pages(book_of(1, most=1))


def test_a_cursor_goes_on_after_days_and_a_broken_one_is_said_to_be() -> None:
    shop = FakeShop()
    shop.does(ORDERS, book_of(*range(9)).answer)
    first = changes(shop.store(), SINCE, "")
    assert ids([changes(shop.store(), SINCE, first.cursor)]) >= {6, 7, 8, 9}
    with pytest.raises(Permanent, match="begin a new one"):
        changes(shop.store(), SINCE, "x")


@pytest.mark.parametrize("total", ["999999999999", "6"])
def test_a_shop_that_answers_the_same_for_ever_is_stopped(total: str) -> None:
    shop = FakeShop()
    rows = [Row(number, at(5)).document("UTC") for number in range(1, 6)]
    shop.says(ORDERS, rows, X_WP_Total=total)
    with pytest.raises(Permanent):
        list(_walk(shop.store(), SINCE, 3000))


def test_old_rows_for_an_answer_end_with_words() -> None:
    shop = FakeShop()
    shop.says(ORDERS, [Row(n, at(-9)).document("UTC") for n in range(5)], X_WP_Total="50")
    with pytest.raises(Permanent, match="did not change"):
        changes(shop.store(), SINCE, "")


def test_one_order_that_cannot_be_read_costs_only_itself() -> None:
    shop = FakeShop()
    good = Row(2, at(1)).document("UTC")
    rows = [{"id": None, "secret": "Jörg"}, good, good | {"id": 3, "date_modified_gmt": 7}]
    shop.says(ORDERS, rows, X_WP_Total="3")
    told = changes(shop.store(), SINCE, "")
    assert ids([told]) == {2}
    assert len(told.notes) == 2
    assert "Jörg" not in " ".join(told.notes)


def test_an_order_without_a_date_of_change_has_that_of_its_making() -> None:
    shop = FakeShop()
    row = Row(2, at(1)).document("UTC") | {"date_modified_gmt": None}
    shop.says(ORDERS, [row, row | {"id": 3, "date_modified_gmt": "0000-00-00T00:00:00"}], X_WP_Total="2")
    assert [one.updated_at for one in changes(shop.store(), SINCE, "").found] == [at(1), at(1)]


def test_half_a_letter_in_one_order_does_not_cost_the_page() -> None:
    shop = FakeShop()
    body = json.dumps([Row(1, at(1)).document("UTC") | {"customer_note": "\ud83d", "total": 1.5}]).encode()
    shop.answers(ORDERS, Answer(200, {"x-wp-total": "1"}, body))
    (found,) = changes(shop.store(), SINCE, "").found
    assert b"ud83d" in found.body


@pytest.mark.parametrize("stem", sorted(path.stem for path in SAMPLES.glob("*order.updated.http")))
def test_the_fields_asked_for_say_all_that_is_read(stem: str) -> None:
    """A sweep asks for less than a webhook brings, without the secrets, and reads the same from it."""
    whole = document(stem)
    if "id" not in whole or "total" not in whole:
        return
    asked = {name: value for name, value in whole.items() if name in FIELDS.split(",")}
    assert {"order_key", "payment_url"}.isdisjoint(asked)
    assert _read(asked) == _read(whole)


def _read(content: object) -> object:
    return MANIFEST.parse(Delivery("woocommerce", {}, json.dumps(content).encode(), RECEIVED), SHOP)


def read(found: Found) -> tuple[object, ...]:
    assert MANIFEST.api is not None
    return MANIFEST.api.read(Delivery("woocommerce", {}, found.body, RECEIVED, found.about, Source.SWEEP), SHOP)


FULFILLED = "fulfillment_create_fulfilled_notify__order.updated"
PARCEL = {
    "id": 2,
    "status": "fulfilled",
    "is_fulfilled": "1",
    "date_updated": "2026-11-21T20:05:50Z",
    "date_deleted": None,
    "meta_data": [{"id": 3, "key": "_tracking_number", "value": "1Z999AA10123456784"}],
}


def _with_fulfillments(answer: Answer) -> tuple[FakeShop, Page]:
    shop = FakeShop()
    shop.says(ORDERS, [document(FULFILLED), document()], X_WP_Total="2")
    shop.answers("GET /wp-json/wc/v3/orders/41/fulfillments", answer)
    return shop, changes(shop.store(fulfillments="yes"), SINCE, "")


def test_fulfillments_are_fetched_for_orders_that_have_some_and_for_no_others() -> None:
    shop, told = _with_fulfillments(answered([PARCEL]))
    assert [call for call in shop.calls() if "fulfillments" in call] == ["GET /wp-json/wc/v3/orders/41/fulfillments"]
    (order,) = read(told.found[0])
    assert isinstance(order, OrderSnapshot)
    assert [shipment.shipment_id for shipment in order.shipments] == ["fulfillment-2"]
    assert order.shipments_are_complete


@pytest.mark.parametrize("answer", [page(503), error("rest_no_route", 404), answered({"x": 1})])
def test_an_order_whose_fulfillments_cannot_be_had_is_told_and_looked_at_again(answer: Answer) -> None:
    _, told = _with_fulfillments(answer)
    order, hint = read(told.found[0])
    assert isinstance(order, OrderSnapshot)
    assert isinstance(hint, LookAgain)


def test_refunds_get_their_dates_from_one_question_a_page() -> None:
    refunded = document(f"{RICH}-partial_refund__order.updated")
    refund_id = refunded["refunds"][0]["id"]
    shop = FakeShop()
    shop.says(ORDERS, [refunded, document()], X_WP_Total="2")
    dates = [{"id": refund_id, "date_created_gmt": "2026-11-20T08:00:00"}]
    shop.says("GET /wp-json/wc/v3/refunds", dates)
    told = changes(shop.store(refunds="yes"), SINCE, "")
    assert [query["include"] for query in shop.queries("GET /wp-json/wc/v3/refunds")] == [str(refund_id)]
    order = read(told.found[0])[0]
    assert isinstance(order, OrderSnapshot)
    assert order.refunds[0].refunded_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def test_the_same_version_of_an_order_has_the_same_key_and_another_has_not() -> None:
    def key(**changed: Any) -> str:
        shop = FakeShop()
        shop.says(ORDERS, [document(**changed)], X_WP_Total="1")
        return changes(shop.store(), SINCE, "").found[0].key

    assert key() == key()
    assert key() != key(status="completed")
    assert len(key()) <= 100


HINT = LookAgain(Subject.ORDER, "41", "41", "x")


def test_a_look_brings_the_order_with_its_fulfillments() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders/41", document(FULFILLED))
    shop.says("GET /wp-json/wc/v3/orders/41/fulfillments", [PARCEL])
    order = MANIFEST.resolve(HINT, look(shop.store(), HINT), SHOP)
    assert isinstance(order, OrderSnapshot)
    assert [shipment.shipment_id for shipment in order.shipments] == ["fulfillment-2"]


def test_a_look_at_an_order_deleted_for_good_says_so() -> None:
    shop = FakeShop()
    shop.answers("GET /wp-json/wc/v3/orders/41", error("woocommerce_rest_shop_order_invalid_id", 404))
    gone = MANIFEST.resolve(HINT, look(shop.store(), HINT), SHOP)
    assert isinstance(gone, Ignored)
    assert "no longer exists" in gone.reason


def test_a_look_waits_for_fulfillments_that_cannot_be_had_now() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders/41", document(FULFILLED))
    shop.answers("GET /wp-json/wc/v3/orders/41/fulfillments", page(503))
    with pytest.raises(Retryable):
        look(shop.store(), HINT)


def test_a_look_where_fulfillments_were_switched_off_takes_the_order_alone() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders/41", document(FULFILLED))
    order = MANIFEST.resolve(HINT, look(shop.store(), HINT), SHOP)
    assert isinstance(order, OrderSnapshot)
    assert not order.shipments_are_complete


def test_a_look_past_a_refused_key_says_what_to_click() -> None:
    shop = FakeShop()
    shop.answers("GET /wp-json/wc/v3/orders/41", error("woocommerce_rest_cannot_view", 401))
    with pytest.raises(Permanent, match="does not know the key"):
        look(shop.store(), HINT)


def test_the_answer_to_another_order_is_refused() -> None:
    shop = FakeShop()
    shop.says("GET /wp-json/wc/v3/orders/41", document())
    with pytest.raises(UnreadableDelivery):
        MANIFEST.resolve(HINT, look(shop.store(), HINT), SHOP)
