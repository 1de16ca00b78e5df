"""Hints: each gets the answer to its own question, and one bad answer holds up nobody."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from connector.domain.delivery import LookAgain
from connector.domain.errors import NotThereYet
from connector.domain.shop import Shop
from connector.flow.look_again import BATCH, MOST_QUESTIONS, PATIENCE
from tests import fake_platform
from tests.builders import shop as build_shop
from tests.fake_platform import order_document, shipment_document
from tests.flow.road import Road

PARCEL = {"type": "shipment", "order_id": "1001", "shipment": shipment_document(updated_at="2026-11-20T09:30:00Z")}


def asking(make_road: Callable[..., Road], answers: Mapping[str, Any]) -> tuple[Road, Counter[str]]:
    """A road whose platform answers by the id that is asked for (an exception is raised), and how often it was."""
    asked: Counter[str] = Counter()

    def fetch(_shop: Shop, hint: LookAgain) -> bytes:
        asked[hint.subject_id] += 1
        answer = answers[hint.subject_id]
        if isinstance(answer, Exception):
            raise answer
        return fake_platform.encoded(answer)

    return make_road(fetch=fetch), asked


def hint_at(road: Road, subject_id: str, *, times: int = 1, **changes: str) -> None:
    for number in range(times):
        document = {"type": "hint", "subject_id": subject_id, **changes}
        assert road.post(document, delivery_id=f"{subject_id}-{number}").status == 200


def test_p1_an_answer_about_a_parcel_does_not_settle_a_hint_about_its_order(make_road: Callable[..., Road]) -> None:
    road, asked = asking(make_road, {"S1": PARCEL, "1001": order_document()})
    hint_at(road, "S1", times=BATCH, subject="shipment", order_id="1001")
    hint_at(road, "1001", order_id="1001")
    road.work()
    assert asked["1001"] == 1
    assert "order_received" in road.kinds()


def test_p1_an_answer_that_names_no_order_settles_no_other_hint(make_road: Callable[..., Road]) -> None:
    road, asked = asking(make_road, {"gone": {"type": "gone"}, "1001": order_document()})
    hint_at(road, "gone", times=BATCH)
    hint_at(road, "1001")
    road.work()
    assert asked["1001"] == 1
    assert road.kinds() == ["order_received"]


def test_the_same_question_is_asked_once_for_all_who_wait_for_it(make_road: Callable[..., Road]) -> None:
    road, asked = asking(make_road, {"1001": order_document()})
    hint_at(road, "1001", times=BATCH, order_id="1001")
    road.work()
    assert asked == {"1001": 1}
    assert road.inbox_counts() == {"done": BATCH}


def test_a_fault_of_ours_holds_up_no_other_hint_and_ends_before_a_person(make_road: Callable[..., Road]) -> None:
    road, asked = asking(make_road, {"broken": RuntimeError("a fault of ours"), "1001": order_document()})
    hint_at(road, "broken", order_id="2")
    hint_at(road, "1001", order_id="1001")
    road.work()
    assert road.kinds() == ["order_received"]
    for _ in range(MOST_QUESTIONS + 1):
        road.later(hours=2)
    assert road.inbox_counts() == {"done": 1, "dead": 1}
    assert asked["broken"] <= MOST_QUESTIONS


def test_an_object_that_is_not_there_is_waited_for_and_then_taken_for_gone(make_road: Callable[..., Road]) -> None:
    gone = NotThereYet("no such order", answer=fake_platform.encoded({"type": "gone"}))
    road, asked = asking(make_road, {"1001": gone})
    hint_at(road, "1001", order_id="1001")
    road.work()
    assert road.inbox_counts() == {"waiting": 1}
    for _ in range(PATIENCE):
        road.later(hours=2)
    assert asked["1001"] == PATIENCE - 1
    assert road.inbox_counts() == {"ignored": 1}


def test_a_shop_that_hangs_delays_no_other_shops_hints(database_url: str) -> None:
    road = Road(database_url, connected=True, asking_threads=2)
    other = build_shop(platform="fake", shop_id="s2", key="key-2", host="other.example.test")
    released = threading.Event()
    try:
        road.connect(other)
        road.offer(shop=other)
        road.work()
        road.there.hangs = released
        road.api.shops[other.host].put(order_document(id="2"))
        for number in range(3 * BATCH):
            road.post({"type": "hint", "order_id": "1"}, delivery_id=f"slow-{number}")
        road.post({"type": "hint", "order_id": "2"}, delivery_id="quick", shop=other)
        while road.service.process_inbox.run():
            pass
        for _ in range(400):
            road.service.look_again.run()
            if road.service.process_inbox.run() or road.inbox_counts().get("done"):
                break
            road.service.pools[0].wait(0.02)
        assert road.inbox_counts()["done"] == 1
    finally:
        released.set()
        road.close()
