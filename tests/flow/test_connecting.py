"""From what somebody handed over to a shop at work: proven, looked at, subscribed to; every step may be repeated."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.contract import Offer, Store
from adapters.http import Busy
from connector.domain.clock import FixedClock
from connector.domain.connection import ConnectionState, Credentials, Endpoint, Findings, Subscribed
from connector.domain.errors import Permanent
from connector.domain.order import Address
from connector.domain.shop import Seller, Shop, Voice
from connector.flow import look_after
from connector.tables import connections, shops
from connector.tables.connections import Connection
from connector.tables.sweeps import SweepKind
from tests.fake_api import FakeApi, FakeShop
from tests.fake_connect import TOKEN
from tests.fake_platform import order_document, refund_document
from tests.flow.road import NOW, Road

MakeRoad = Callable[..., Road]


class Killed(BaseException):
    """The process is gone in the middle of it; nothing after this line happens."""


def known_shop(road: Road) -> Shop:
    with road.service.database.read() as connection:
        found = shops.by_id(connection, road.shop.shop_id)
    assert found is not None
    return found


def refusing(*refused: str) -> Callable[[Store, Offer], Credentials]:
    """A platform that takes every token but these."""

    def prove(_store: Store, offer: Offer) -> Credentials:
        token = offer.values["token"]
        if token in refused:
            raise Permanent(f"{token} does not fit. In Settings > API make a new one")
        return Credentials({"token": token})

    return prove


def test_what_fits_is_kept_and_the_shop_is_looked_at_and_subscribed_to(road: Road) -> None:
    road.offer()
    road.work()
    known = road.connection()
    assert (known.state, known.problem) == (ConnectionState.CONNECTED, "")
    assert (known.proven_at, known.probed_at, known.checked_at) == (NOW, NOW, NOW)
    assert known.subscribed.sends
    assert road.there.endpoint is not None
    assert road.there.endpoint.address == f"https://connector.example.test/webhooks/fake/{road.shop.key}"
    assert road.there.endpoint.app_address == "https://connector.example.test/webhooks/fake"
    assert road.there.endpoint.secret == "the fake shop's secret"
    assert known.repaired == len(road.there.topics) == 2


def test_what_the_shop_tells_fills_what_the_merchant_left_empty_and_nothing_else(make_road: MakeRoad) -> None:
    bare = Shop("s", "fake", "key-of-it", "a.example.test", "a.example.test", NOW, seller=Seller(tax_id="EL1"))
    road = make_road(shop=bare)
    address = Address(lines=("Ermou 1",), city="Athina", country="GR")
    road.there.findings = Findings(
        name="Marina",
        locale="el_GR",
        timezone="Europe/Athens",
        country="gr",
        store_locales=(("1", "el"),),
        seller=Seller(legal_name="Marina AE", tax_id="EL2", address=address),
        features={"decimals": "2"},
    )
    road.offer()
    road.work()
    shop = known_shop(road)
    assert (shop.name, shop.locale, shop.timezone, shop.country) == ("Marina", "el_GR", "Europe/Athens", "GR")
    assert shop.store_locales == (("1", "el"),)
    assert shop.seller == Seller(legal_name="Marina AE", tax_id="EL1", address=address)
    assert road.service.stores.open(shop).access.features == {"decimals": "2"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "x" * 500])
def test_a_zone_nobody_knows_is_left_out(make_road: MakeRoad, zone: str) -> None:
    road = make_road(shop=Shop("s", "fake", "key-of-it", "a", "a.example.test", NOW))
    road.there.findings = Findings(timezone=zone, country="<b>")
    road.offer()
    road.work()
    assert (known_shop(road).timezone, known_shop(road).country) == ("UTC", "")


def test_of_several_offers_the_newest_that_fits_is_kept_and_the_rest_dropped(road: Road) -> None:
    road.there.prove = refusing("newest")
    road.there.tokens |= {"older", "oldest"}
    for token in ("oldest", "older", "newest"):
        road.offer(token)
    road.work()
    assert road.connection().state is ConnectionState.CONNECTED
    assert road.service.stores.open(road.shop).access.credentials.values == {"token": "older"}


def test_when_nothing_fits_the_invitation_stands_with_the_platforms_own_sentence(road: Road) -> None:
    road.there.prove = refusing("wrong", "also wrong")
    road.offer("also wrong")
    road.offer("wrong")
    road.work()
    known = road.connection()
    assert known.state is ConnectionState.INVITED
    assert known.problem == "wrong does not fit. In Settings > API make a new one"
    assert road.there.calls["prove"] == 2
    road.later(days=1)
    assert road.there.calls["prove"] == 2


def test_an_offer_that_does_not_fit_harms_no_connection_that_works(make_road: MakeRoad) -> None:
    road = make_road(connected=True)
    road.offer("stolen")
    road.work()
    assert road.connection().state is ConnectionState.CONNECTED
    assert road.service.stores.open(road.shop).access.credentials.values == {"token": TOKEN}


def test_a_platform_that_is_away_is_asked_again_until_it_answers(road: Road) -> None:
    road.there.fails = Busy("the shop is in maintenance")
    road.offer()
    road.work()
    known = road.connection()
    assert (known.state, known.problem) == (ConnectionState.OFFERED, "the shop is in maintenance")
    road.later(minutes=5)
    assert road.connection().failures > 1
    road.there.fails = None
    road.later(minutes=30)
    assert (road.connection().state, road.connection().problem) == (ConnectionState.CONNECTED, "")


def test_a_missing_right_says_where_to_give_it_and_heals_by_itself_once_it_is_given(road: Road) -> None:
    road.there.findings = Findings(missing_rights=("Reading orders is missing: tick it in Settings > Apps.",))
    road.offer()
    road.work()
    known = road.connection()
    assert (known.state, known.problem) == (
        ConnectionState.BROKEN,
        "Reading orders is missing: tick it in Settings > Apps.",
    )
    assert known.findings.missing_rights
    road.there.findings = Findings()
    road.later(minutes=16)
    assert road.connection().state is ConnectionState.CONNECTED


def test_without_a_public_address_a_shop_is_polled_and_that_is_said(make_road: MakeRoad) -> None:
    road = make_road(address="", connected=True)
    known = road.connection()
    assert known.state is ConnectionState.CONNECTED
    assert not known.subscribed.sends
    assert look_after.NO_ADDRESS in known.findings.notes
    assert road.there.calls["subscribe"] == 0
    road.there.put(order_document(updated_at="2026-11-20T09:40:00Z"))
    road.later(minutes=15)
    assert road.record() is not None


@pytest.mark.parametrize("place", ["prove", "probe", "subscribe"])
def test_p1_a_process_killed_at_any_step_is_followed_by_one_that_goes_on(road: Road, place: str) -> None:
    road.offer()
    road.there.fails_at = {place: Killed()}  # type: ignore[dict-item]
    with pytest.raises(Killed):
        road.work()
    road.there.fails_at = {}
    road.later(minutes=10)
    assert road.connection().state is ConnectionState.CONNECTED
    assert road.there.topics


def test_a_fault_of_ours_is_counted_and_tried_again(road: Road) -> None:
    road.offer()
    road.there.fails_at = {"probe": RuntimeError("secret token abc")}
    road.work()
    assert road.connection().problem == "the adapter failed: RuntimeError; the log says why"
    road.there.fails_at = {}
    road.later(hours=1)
    assert road.connection().state is ConnectionState.CONNECTED


def test_a_second_click_while_a_one_time_code_is_exchanged_does_not_lose_what_it_gave(road: Road) -> None:
    used: set[str] = set()

    def exchange(_store: Store, offer: Offer) -> Credentials:
        code = offer.values["token"]
        if code in used:
            raise Permanent("this code was used already")
        used.add(code)
        road.offer(code)
        return Credentials({"token": TOKEN})

    road.there.prove = exchange
    road.offer("once")
    road.work()
    assert road.connection().state is ConnectionState.CONNECTED


def test_another_offer_while_one_is_proven_is_proven_next_and_wins_if_it_fits(road: Road) -> None:
    road.there.tokens |= {"first", "second"}

    def prove(_store: Store, offer: Offer) -> Credentials:
        if offer.values["token"] == "first":
            road.offer("second")
        return Credentials(offer.values)

    road.there.prove = prove
    road.offer("first")
    road.work()
    assert road.service.stores.open(road.shop).access.credentials.values == {"token": "second"}


def test_p10_a_shop_that_leaves_while_its_offer_is_proven_keeps_no_credentials(road: Road) -> None:
    def prove(_store: Store, offer: Offer) -> Credentials:
        road.service.disconnect.run(road.shop.shop_id)
        return Credentials(offer.values)

    road.there.prove = prove
    road.offer()
    road.work()
    assert road.connection().state is ConnectionState.ENDED
    with pytest.raises(Permanent, match="has left"):
        road.service.stores.open(road.shop)


def test_a_secret_of_the_merchants_own_app_counts_beside_the_shops(make_road: MakeRoad) -> None:
    road = make_road()
    road.there.prove = lambda _store, _offer: Credentials({"token": TOKEN, "app_secret": "brought"})
    road.offer()
    road.work()
    with road.service.database.read() as connection:
        secrets = shops.secrets_of(connection, road.shop.shop_id, road.service.seal)
    assert secrets.shared == ("the fake shop's secret", "brought")


def slowly(api: FakeApi, minutes: float, clock: Callable[[], FixedClock], meanwhile: Callable[[], object]) -> None:
    """Each part of connecting takes so long; then something happens."""
    probe, subscribe = api.api.probe, api.api.subscribe
    assert subscribe is not None

    def slow_probe(store: Store) -> Findings:
        found = probe(store)
        clock().moment += timedelta(minutes=minutes)
        meanwhile()
        return found

    def slow_subscribe(store: Store, endpoint: Endpoint) -> Subscribed:
        done = subscribe(store, endpoint)
        clock().moment += timedelta(minutes=minutes)
        meanwhile()
        return done

    api.api = replace(api.api, probe=slow_probe, subscribe=slow_subscribe)


def test_a_slow_shop_is_not_taken_from_who_connects_it_so_that_it_is_connected_in_the_end(make_road: MakeRoad) -> None:
    api, made, taken = FakeApi(), list[Road](), list[Connection]()

    def another_worker() -> None:
        with made[0].service.database.write() as connection:
            now = made[0].clock.now()
            taken.extend(connections.claim(connection, now, lease=connections.LEASE, limit=10))

    slowly(api, 3, lambda: made[0].clock, another_worker)
    made.append(make_road(api=api))
    made[0].offer()
    made[0].work()
    assert taken == []
    assert made[0].connection().state is ConnectionState.CONNECTED


def test_nothing_is_subscribed_to_at_a_shop_that_leaves_while_it_is_looked_at(make_road: MakeRoad) -> None:
    api, made = FakeApi(), list[Road]()
    slowly(api, 0, lambda: made[0].clock, lambda: made[0].service.disconnect.run(made[0].shop.shop_id))
    made.append(make_road(api=api))
    made[0].offer()
    made[0].work()
    assert made[0].connection().state is ConnectionState.ENDED
    assert made[0].there.topics == set()


def disconnected(road: Road) -> FakeShop:
    assert road.service.disconnect.run(road.shop.shop_id).cleaned
    return road.there


def test_disconnecting_takes_everything_back_and_asks_nothing_any_more(make_road: MakeRoad) -> None:
    road = make_road(connected=True)
    there = disconnected(road)
    assert there.topics == set()
    assert road.connection().state is ConnectionState.ENDED
    asked = there.calls.total()
    road.tell({"type": "hint", "order_id": "1001"})
    road.later(days=3)
    assert there.calls.total() == asked
    assert road.inbox_counts() == {"ignored": 1}
    assert known_shop(road).ended_at is not None
    again = road.service.disconnect.run(road.shop.shop_id)
    assert again.shop.shop_id == road.shop.shop_id


def test_the_watchdog_does_not_subscribe_again_what_is_just_taken_back(make_road: MakeRoad) -> None:
    api, made = FakeApi(), list[Road]()
    unsubscribe = api.api.unsubscribe
    assert unsubscribe is not None

    def slow(store: Store, endpoint: Endpoint) -> None:
        unsubscribe(store, endpoint)
        made[0].service.tend_connections.run()

    api.api = replace(api.api, unsubscribe=slow)
    made.append(make_road(api=api, connected=True))
    with made[0].service.database.write() as connection:
        connections.hasten(connection, made[0].shop.shop_id, made[0].clock.now())
    assert disconnected(made[0]).topics == set()


def test_a_platform_that_cannot_be_tidied_up_is_left_all_the_same_and_that_is_said(make_road: MakeRoad) -> None:
    road = make_road(connected=True)
    road.there.fails = Busy("the shop is in maintenance")
    told = road.service.disconnect.run(road.shop.shop_id)
    assert not told.cleaned
    assert "in maintenance" in told.remark
    assert road.connection().state is ConnectionState.ENDED


def test_p4_a_shop_connected_again_begins_anew_and_hears_nothing_of_the_time_between(make_road: MakeRoad) -> None:
    road = make_road(connected=True)
    disconnected(road)
    road.there.put(order_document(updated_at="2026-11-25T09:00:00Z", placed_at="2026-11-25T09:00:00Z"))
    road.clock.moment = NOW + timedelta(days=30)
    road.offer()
    road.work()
    assert road.connection().state is ConnectionState.CONNECTED
    assert known_shop(road).connected_at == road.clock.moment
    assert road.sweep().watermark == road.clock.moment - look_after.LATEST_CLOCK
    assert road.sweep(SweepKind.HISTORY).documents == 1
    assert road.record() is not None
    assert road.mails == []


def test_p4_what_may_have_happened_while_nobody_watched_is_no_news_after_it(make_road: MakeRoad) -> None:
    road = make_road(connected=True, history_days=0)
    road.tell(order_document(payment="pending"))
    sent = len(road.mails)
    disconnected(road)
    road.clock.moment = NOW + timedelta(days=60)
    road.offer()
    road.work()
    with road.service.database.write() as connection:
        shops.change(connection, road.shop.shop_id, lambda known: replace(known, default_voice=Voice.US))
    road.service.shops.forget()
    # Cancelled at some moment of these two months, and touched right now.
    touched = (road.clock.moment + timedelta(seconds=1)).isoformat()
    road.tell(order_document(state="cancelled", payment="paid", updated_at=touched), delivery_id="d-2")
    assert len(road.mails) == sent
    assert road.declined()["cancelled"] == "before_connection"
    # What the platform dates is news if it is.
    later = (road.clock.moment + timedelta(seconds=1)).isoformat()
    road.tell({"type": "refund", "order_id": "1001", "refund": refund_document(at=later)}, delivery_id="d-3")
    assert road.kinds()[-1] == "refunded"


def test_an_order_that_was_read_when_its_shop_was_connected_is_watched_from_then_on(make_road: MakeRoad) -> None:
    road = make_road()
    past = {"placed_at": "2026-11-01T09:00:00Z", "payment": "pending"}
    road.there.put(order_document(updated_at="2026-11-01T09:00:00Z", **past))
    road.offer()
    road.work()
    assert road.sweep(SweepKind.HISTORY).documents == 1
    road.clock.moment += timedelta(hours=1)
    touched = road.clock.moment.isoformat()
    road.tell(order_document(state="cancelled", updated_at=touched, **past), delivery_id="d-2")
    assert road.kinds() == ["cancelled"]


def test_a_shop_connected_once_more_goes_on_where_it_was(make_road: MakeRoad) -> None:
    road = make_road(connected=True)
    road.there.put(order_document(updated_at="2026-11-20T09:40:00Z"))
    road.later(hours=1)
    before = road.sweep()
    assert before.watermark > NOW
    road.offer()
    road.work()
    assert replace(road.sweep(), claims=before.claims) == before
