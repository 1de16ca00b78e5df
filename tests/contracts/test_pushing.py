"""What every platform's pushes promise: written once however often they are said, and never a mail by the platform."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from adapters.contract import Pushes, Store
from adapters.http import Unanswered
from connector.domain.errors import Permanent
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.status import ShipmentStatus
from tests.contracts.connected import ADDRESS, Town
from tests.contracts.test_connecting import MakeTown, each_platform

Push = ShipmentPush | StatusPush | NotePush | LinkPush
KINDS = ("shipment", "status", "note", "invoice_link")
each_kind = pytest.mark.parametrize("kind", KINDS)
NUMBER = "AA123"


def opened(make_town: MakeTown, platform: str, kind: str) -> tuple[Town, Callable[[Store, Any], str], Push]:
    """A connected shop with a paid order, what writes this kind there, and something to write."""
    town = make_town(platform).connect()
    push: Callable[[Store, Any], str] | None = getattr(town.api.pushes, kind)
    if push is None:
        pytest.skip(f"{town.manifest.title} takes no {kind.replace('_', ' ')} from outside")
    order_id = town.twin.place_order(paid=True, email="eleni@people.test")
    parcel = town.twin.ship(order_id, "BB1", "DHL") if kind == "status" else ""
    return town, push, said(kind, order_id, parcel, town)


def said(kind: str, order_id: str, parcel: str, town: Town) -> Push:
    pushes: dict[str, Push] = {
        "shipment": ShipmentPush("intent-1", order_id, NUMBER, "DHL", "https://dhl.example/AA123"),
        "status": StatusPush("intent-1", order_id, parcel, ShipmentStatus.IN_TRANSIT, town.clock.now(), "BB1"),
        "note": NotePush("intent-1", order_id, "Connector e-mailed the customer. <b>&amp;</b>"),
        "invoice_link": LinkPush("intent-1", order_id, "2026-1", f"{ADDRESS}/documents/x"),
    }
    return pushes[kind]


def written(town: Town, order_id: str) -> tuple[object, ...]:
    """All that our writing could have changed."""
    there, numbers = town.there, sorted(town.twin.truth()[order_id].tracking_numbers)
    notes, fields = sorted(there.notes(order_id)), there.fields(order_id)
    return there.parcels(order_id), notes, there.events(order_id), numbers, fields


@each_kind
@each_platform
def test_what_is_pushed_twice_is_there_once(make_town: MakeTown, platform: str, kind: str) -> None:
    town, push, what = opened(make_town, platform, kind)
    mails, before = town.there.mails, written(town, what.order_id)
    status = town.twin.truth()[what.order_id].status_word
    words = push(town.store(), what)
    assert 0 < len(words) <= 200
    once = written(town, what.order_id)
    for _ in range(3):
        town.pass_by(minutes=7)
        assert push(town.store(), what)
    assert written(town, what.order_id) == once
    assert once != before
    assert town.there.mails == mails
    if kind != "shipment":
        assert town.twin.truth()[what.order_id].status_word == status, "what it is like is the shop's own to say"


@each_kind
@each_platform
def test_what_is_pushed_again_after_a_lost_answer_is_there_once(make_town: MakeTown, platform: str, kind: str) -> None:
    town, push, what = opened(make_town, platform, kind)
    mails = town.there.mails
    lost = 0
    for _ in range(4):  # the most steps any of them takes; each try may do one more
        town.twin.faults.cut = 1
        with suppress(Unanswered):
            push(town.store(), what)
        lost += 1 - town.twin.faults.cut
    town.twin.faults.cut = 0
    assert lost > 0
    known = written(town, what.order_id)
    assert push(town.store(), what)
    assert written(town, what.order_id) == known
    assert town.there.mails == mails
    if kind == "shipment":
        assert town.twin.truth()[what.order_id].tracking_numbers == {NUMBER}


@each_kind
@each_platform
def test_an_order_that_is_not_there_is_for_a_person(make_town: MakeTown, platform: str, kind: str) -> None:
    town, push, _ = opened(make_town, platform, kind)
    with pytest.raises(Permanent) as caught:
        push(town.store(), said(kind, "999999", "9", town))
    assert len(str(caught.value)) < 600


def test_what_a_platform_has_no_place_for_is_said_by_its_manifest(make_town: MakeTown) -> None:
    assert make_town("fake").api.pushes == Pushes()
