"""The watchdog: what platforms switch off is switched on again, what is refused is said, and heals by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from adapters.http import Busy
from connector.domain.connection import ConnectionState, Credentials, Findings
from connector.domain.delivery import ShopEvent, ShopEventKind
from connector.domain.errors import Permanent, Retryable
from connector.flow.shop_events import ShopEvents
from connector.tables import connections
from tests.fake_platform import order_document, shipment_document
from tests.flow.road import NOW, Road

MakeRoad = Callable[..., Road]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def connected(make_road: MakeRoad) -> Road:
    return make_road(connected=True)


def shop_event(road: Road, kind: ShopEventKind, at: datetime = NOW) -> None:
    events, event = ShopEvents(road.service.database, road.service.seal), ShopEvent(kind, at)
    with road.service.database.write() as connection:
        events.take(connection, road.shop, event, "d-1", road.clock.moment)


def wait(road: Road) -> timedelta:
    """From the last look to the next."""
    known = road.connection()
    assert known.checked_at is not None
    return known.run_at - known.checked_at


def hear(road: Road) -> None:
    road.tell(order_document(updated_at=road.clock.moment.isoformat()), delivery_id=road.clock.moment.isoformat())


def test_a_subscription_the_platform_deleted_is_made_again_counted_and_looked_behind(connected: Road) -> None:
    hear(connected)
    connected.later(minutes=17)
    made = connected.connection().repaired
    connected.there.topics.clear()
    connected.there.put(order_document(id="2", number="F-2", updated_at="2026-11-20T10:30:00Z"))
    connected.later(hours=5)
    swept = connected.there.calls["changes"]
    with connected.service.database.write() as connection:
        connections.hasten(connection, connected.shop.shop_id, connected.clock.moment)
    connected.work()
    assert connected.there.topics
    assert connected.connection().repaired == made + 2
    assert connected.there.calls["changes"] == swept + 1
    assert connected.record("2") is not None


@on_sqlite
def test_rights_that_changed_are_looked_at_at_once(connected: Road) -> None:
    shop_event(connected, ShopEventKind.RIGHTS_CHANGED)
    connected.there.findings = Findings(missing_rights=("Reading orders is missing: tick it.",))
    connected.work()
    assert connected.connection().state is ConnectionState.BROKEN


@on_sqlite
def test_an_uninstall_told_after_the_shop_was_connected_again_ends_nothing(connected: Road) -> None:
    connected.clock.moment += timedelta(minutes=10)
    connected.offer()
    connected.work()
    shop_event(connected, ShopEventKind.UNINSTALLED, NOW + timedelta(minutes=5))
    assert connected.connection().state is ConnectionState.CONNECTED
    shop_event(connected, ShopEventKind.UNINSTALLED, NOW + timedelta(minutes=15))
    assert connected.connection().state is ConnectionState.ENDED


@on_sqlite
def test_a_gap_brings_the_watchdog_soon(connected: Road) -> None:
    hear(connected)
    connected.later(minutes=17)
    connected.later(minutes=75)
    connected.there.topics.clear()
    connected.there.put(order_document(id="2", number="F-2", updated_at=connected.clock.moment.isoformat()))
    connected.later(minutes=75)
    connected.later(minutes=6)
    assert connected.there.topics


@on_sqlite
def test_where_no_webhooks_can_be_expected_what_a_sweep_finds_brings_no_watchdog(make_road: MakeRoad) -> None:
    road = make_road(connected=True, address="")
    due = road.connection().run_at
    road.there.put(order_document(updated_at=(NOW + timedelta(minutes=1)).isoformat()))
    road.later(minutes=15)
    assert road.connection().healed == 1
    assert road.connection().run_at == due


@on_sqlite
def test_the_watchdog_is_close_while_webhooks_are_not_proven_to_come_and_relaxed_while_they_are(
    connected: Road,
) -> None:
    connected.later(minutes=17)
    assert timedelta(minutes=13) < wait(connected) < timedelta(minutes=17)
    hear(connected)
    connected.later(minutes=17)
    assert timedelta(hours=5) < wait(connected) < timedelta(hours=7)
    connected.later(hours=24)
    connected.later(hours=7)
    assert wait(connected) < timedelta(minutes=17)


@on_sqlite
def test_a_shop_that_cannot_send_is_looked_at_now_and_then(make_road: MakeRoad) -> None:
    road = make_road(address="", connected=True)
    road.later(hours=1)
    assert wait(road) > timedelta(hours=5)


@on_sqlite
def test_the_whole_shop_is_looked_at_once_a_day(connected: Road) -> None:
    connected.there.findings = Findings(store_locales=(("1", "el"), ("2", "es")))
    for _ in range(12):
        connected.later(hours=4)
    assert connected.there.calls["probe"] in (2, 3)
    assert connected.connection().findings.store_locales == (("1", "el"), ("2", "es"))
    shop = connected.service.shops.by_id(connected.shop.shop_id)
    assert shop is not None
    assert shop.store_locales == (("1", "el"), ("2", "es"))


def test_a_shop_that_cannot_be_woken_is_remarked_and_works_on(connected: Road) -> None:
    connected.there.fails_at = {"wake": Busy("its page does not answer")}
    connected.later(minutes=17)
    known = connected.connection()
    assert known.state is ConnectionState.CONNECTED
    assert "could not be woken: its page does not answer" in known.problem
    connected.there.fails_at = {}
    connected.later(minutes=17)
    assert connected.connection().problem == ""


def test_a_platform_that_is_away_breaks_no_connection(connected: Road) -> None:
    connected.there.fails = Busy("the shop is in maintenance")
    for _ in range(10):
        connected.later(hours=1)
    known = connected.connection()
    assert (known.state, known.problem) == (ConnectionState.CONNECTED, "the shop is in maintenance")
    connected.there.fails = None
    connected.later(hours=2)
    assert connected.connection().problem == ""


def test_p1_a_refused_connection_says_what_to_do_keeps_its_hints_and_heals_by_itself(connected: Road) -> None:
    connected.there.tokens.clear()
    connected.later(minutes=17)
    known = connected.connection()
    assert known.state is ConnectionState.BROKEN
    assert known.problem == "The shop does not know this token. In Settings > API make a new one"
    asked = connected.there.calls["look"]
    connected.there.put(order_document())
    connected.tell({"type": "hint", "order_id": "1001"})
    connected.later(hours=1)
    assert connected.inbox_counts() == {"waiting": 1}
    assert connected.there.calls["look"] == asked
    connected.there.tokens.add("the token that fits")
    connected.later(hours=7)
    assert connected.connection().state is ConnectionState.CONNECTED
    assert connected.record() is not None


@on_sqlite
def test_a_broken_connection_is_tried_ever_more_rarely_four_times_a_day_in_the_end(connected: Road) -> None:
    connected.there.tokens.clear()
    for _ in range(48):
        connected.later(minutes=60)
    begun, asked = connected.clock.moment, connected.there.calls.total()
    while connected.clock.moment < begun + timedelta(days=2):
        connected.later(minutes=30)
    assert 7 <= connected.there.calls.total() - asked <= 9


@on_sqlite
def test_a_broken_connection_goes_on_saying_why_while_the_platform_is_away(connected: Road) -> None:
    connected.there.tokens.clear()
    connected.later(minutes=17)
    connected.there.fails = Busy("the shop is in maintenance")
    connected.later(hours=1)
    known = connected.connection()
    assert known.state is ConnectionState.BROKEN
    assert "make a new one" in known.problem


def test_new_credentials_mend_a_broken_connection_at_once(connected: Road) -> None:
    connected.there.tokens = {"new"}
    connected.there.prove = lambda _store, offer: Credentials(offer.values)
    connected.later(minutes=17)
    assert connected.connection().state is ConnectionState.BROKEN
    connected.offer("new")
    connected.work()
    assert connected.connection().state is ConnectionState.CONNECTED


def test_a_hint_refused_once_is_asked_again_and_the_watchdog_looks_whether_it_is_the_connection(
    connected: Road,
) -> None:
    hear(connected)
    connected.later(minutes=17)
    connected.there.fails_at = {"look": Permanent("no such order")}
    looked = connected.there.calls["subscribe"]
    connected.tell({"type": "hint", "order_id": "7"})
    connected.later(minutes=6)
    assert connected.there.calls["subscribe"] == looked + 1
    connected.later(minutes=6)
    connected.later(minutes=6)
    assert connected.inbox_counts()["dead"] == 1
    assert connected.connection().state is ConnectionState.CONNECTED


def test_an_order_not_there_yet_is_asked_for_again_after_a_short_while(connected: Road) -> None:
    connected.tell({"type": "hint", "order_id": "1001"})
    assert connected.inbox_counts() == {"waiting": 1}
    connected.there.put(order_document())
    connected.later(seconds=13)
    assert connected.record() is not None


def test_a_platform_that_is_away_is_asked_once_for_all_its_hints(connected: Road) -> None:
    connected.there.fails_at = {"look": Busy("away")}
    for number in range(8):
        connected.post({"type": "hint", "order_id": str(number)}, delivery_id=f"h-{number}")
    connected.work()
    assert connected.there.calls["look"] == 1
    assert connected.inbox_counts() == {"waiting": 8}
    for number in range(8):
        connected.there.put(order_document(id=str(number)))
    connected.there.fails_at = {}
    connected.later(minutes=2)
    assert connected.inbox_counts() == {"done": 8}


PARCEL = shipment_document(numbers=[], carrier="", shipped_at="2026-11-20T09:30:00Z", updated_at="2026-11-20T09:30:00Z")


def numbered(at: datetime) -> dict[str, object]:
    shipment = PARCEL | {"numbers": ["LATE1"], "carrier": "UPS", "updated_at": at.isoformat()}
    return {"type": "shipment", "order_id": "1001", "shipment": shipment}


def test_a_number_added_later_is_found_by_looking_at_the_parcel(connected: Road) -> None:
    connected.tell(order_document(shipments=[PARCEL]))
    connected.there.parcels["S1"] = {"type": "shipment", "order_id": "1001", "shipment": PARCEL}
    connected.later(minutes=16)
    assert connected.there.calls["parcels"] == 1
    connected.there.parcels["S1"] = numbered(NOW + timedelta(minutes=20))
    connected.later(minutes=16)
    record = connected.record()
    assert record is not None
    assert [one.number for one in record.shipments[0].tracking] == ["LATE1"]
    asked = connected.there.calls["parcels"]
    connected.later(hours=2)
    assert connected.there.calls["parcels"] == asked


@on_sqlite
def test_a_parcel_that_never_gets_a_number_is_looked_at_hourly_after_a_day_and_forgotten_after_a_week(
    connected: Road,
) -> None:
    def looks(times: int) -> int:
        before = connected.there.calls["parcels"]
        for _ in range(times):
            connected.later(minutes=15, seconds=1)
        return connected.there.calls["parcels"] - before

    connected.tell(order_document(shipments=[PARCEL]))
    assert looks(8) == 8
    connected.later(hours=24)
    assert looks(16) in (3, 4)
    connected.later(days=6)
    assert looks(8) == 0


@pytest.mark.parametrize("error", [Retryable("later"), Permanent("Give the key Read rights"), RuntimeError("ours")])
def test_a_parcel_that_could_not_be_looked_at_is_looked_at_later(connected: Road, error: Exception) -> None:
    connected.tell(order_document(shipments=[PARCEL]))
    connected.there.fails_at = {"parcels": error}
    connected.later(minutes=16)
    connected.there.fails_at = {}
    connected.there.parcels["S1"] = numbered(NOW + timedelta(minutes=20))
    connected.later(hours=2)
    connected.later(hours=2)
    record = connected.record()
    assert record is not None
    assert record.shipments[0].tracking
