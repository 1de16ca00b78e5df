"""The client and the twin, two readings of the same reference, meet: what one says the other must understand."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters import manifest
from adapters.contract import Api, Begin, Connect, Offer, Store, Visit
from adapters.http import Answer, Busy, Failed, Request, Unanswered, Web
from adapters.magento.changes import parcels
from adapters.magento.subscriptions import TOPICS, subscribe, unsubscribe
from adapters.magento.twin import MagentoTwin
from adapters.twins import Answered, Asked, Faults, TwinServer
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, App, Credentials, Endpoint, Findings, Found
from connector.domain.delivery import Delivery, LookAgain, RefundUpdate, ShipmentUpdate, Source, Subject
from connector.domain.errors import NotThereYet, Permanent, UnreadableDelivery
from connector.domain.order import OrderSnapshot
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.domain.status import OrderState, ShipmentStatus
from tests.adapters.magento import papers
from webhooks.verification import verify

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOST = "shop.example.com"
OURS = "connector.example.com"
NONCE = "n0nce-n0nce-n0nce"
LINKS = {place: f"https://{OURS}/install/magento/{place}/{NONCE}" for place in ("callback", "identity")}
ENDPOINT = Endpoint(f"https://{OURS}/webhooks/magento/k3y", f"https://{OURS}/webhooks/magento", "s3cret-of-the-shop")
MANIFEST = manifest("magento")


def connect() -> Connect:
    assert MANIFEST.connect is not None
    return MANIFEST.connect


def api() -> Api:
    assert MANIFEST.api is not None
    return MANIFEST.api


class Door:
    """Our own web side, as far as a shop and its merchant's browser see it."""

    def __init__(self) -> None:
        self.offers: list[Offer] = []
        self.deliveries: list[Delivery] = []
        self.server = TwinServer(self._answer, Faults())

    def _answer(self, asked: Asked) -> Answered:
        kind, _, rest = asked.path.strip("/").partition("/")
        if kind == "webhooks":
            self.deliveries.append(
                Delivery("magento", asked.headers, asked.body, NOW, path_event=rest.rpartition("/")[2])
            )
            return Answered()
        place = rest.split("/")[1]
        if place == "page":
            begin = Begin(Access(HOST, f"https://{HOST}", Credentials()), "Connector", LINKS, NONCE)
            return Answered(200, " ".join(connect().instructions(begin)).encode(), content_type="text/html")
        return self._visited(place, asked)

    def _visited(self, place: str, asked: Asked) -> Answered:
        receive = connect().receive
        assert receive is not None
        offer, told = receive(
            Visit(
                place=place,
                method=asked.method,
                query={},
                raw_query=asked.query,
                headers=asked.headers,
                body=asked.body,
                at=NOW,
                app=App(),
                host=HOST,
                base=f"https://{HOST}",
                nonce=NONCE,
                links=LINKS,
            )
        )
        if offer:
            self.offers.append(offer)
        if told.redirect:
            return Answered(302, headers={"Location": told.redirect})
        return Answered(told.status, told.body)


class Place:
    """A twin's shop, our door, and the way between them."""

    def __init__(self, twin: MagentoTwin, door: Door, clock: FixedClock) -> None:
        self.twin, self.door, self.clock = twin, door, clock
        self.web = Web(routes=twin.routes, clock=clock, sleep=lambda _seconds: None)
        self.findings = Findings()

    def store(self, values: Mapping[str, str] | None = None) -> Store:
        """The shop by the secrets its admin shows."""
        credentials = Credentials(self.twin.integration_tokens() if values is None else values)
        features, locales = self.findings.features, self.findings.store_locales
        access = Access(HOST, self.twin.base, credentials, features=features, store_locales=locales)
        return Store(self.web, self.clock, access)

    def probed(self) -> Store:
        self.findings = api().probe(self.store())
        return self.store()

    def shop(self) -> Shop:
        return replace(papers.shop(), store_locales=self.findings.store_locales)

    def swept(self, since: datetime, between: Callable[[], None] = lambda: None) -> list[Found]:
        """All pages; `between`: what happens in the shop while one page was read and the next is not."""
        store, cursor = self.store(), ""
        found: list[Found] = []
        for _ in range(500):
            page = api().changes(store, since, cursor)
            assert page.notes == ()
            found += page.found
            cursor = page.cursor
            if not cursor:
                return found
            between()
        raise AssertionError("the pages do not end")

    def understood(self, found: list[Found]) -> dict[str, "Told"]:
        """By order: the newest that was told, in the order it was told."""
        told: dict[str, Told] = {}
        for one in found:
            update = api().read(Delivery("magento", {}, one.body, NOW, one.about, Source.SWEEP), self.shop())[0]
            if isinstance(update, OrderSnapshot):
                told.setdefault(update.order_id, Told()).order = update
            elif isinstance(update, ShipmentUpdate):
                numbers = {one.number for one in update.shipment.tracking}
                told.setdefault(update.order_id, Told()).numbers[update.shipment.shipment_id] = numbers
            elif isinstance(update, RefundUpdate):
                told.setdefault(update.order_id, Told()).refunds[update.refund.refund_id] = update.refund.amount
        return told


class Told:
    def __init__(self) -> None:
        self.order: OrderSnapshot | None = None
        self.numbers: dict[str, set[str]] = {}
        self.refunds: dict[str, Decimal] = {}


@contextmanager
def opened(**knobs: object) -> Iterator[Place]:
    clock, door = FixedClock(NOW), Door()
    with door.server, MagentoTwin(clock, host=HOST, routes={OURS: door.server.address}, **knobs) as twin:
        yield Place(twin, door, clock)


@pytest.fixture
def place() -> Iterator[Place]:
    with opened() as one:
        yield one


def assert_all_is_known(place: Place, told: dict[str, Told]) -> None:
    truth = place.twin.truth()
    assert told.keys() == truth.keys()
    for order_id, true in truth.items():
        mine = told[order_id]
        assert mine.order is not None
        assert (mine.order.number, mine.order.status_word, mine.order.total) == (
            true.number,
            true.status_word,
            true.total,
        )
        assert frozenset().union(*mine.numbers.values()) == true.tracking_numbers
        assert sum(mine.refunds.values(), Decimal(0)) == true.refunded


# Connecting


def activated(place: Place) -> Offer:
    end = place.twin.approve(f"https://{OURS}/install/magento/page/{NONCE}")
    assert end == place.twin.success_call_back
    return place.door.offers[-1]


def test_an_activation_connects_the_shop(place: Place) -> None:
    offer = activated(place)
    credentials = connect().prove(place.store({}), offer)
    assert place.twin.is_authorized
    assert api().probe(place.store(credentials.values)).missing_rights == ()
    with pytest.raises(Permanent, match="Reauthorize"):
        connect().prove(place.store({}), offer)


def test_an_activation_is_good_for_five_minutes_and_can_be_repeated(place: Place) -> None:
    offer = activated(place)
    place.clock.moment += timedelta(seconds=301)
    with pytest.raises(Permanent, match="five minutes"):
        connect().prove(place.store({}), offer)
    assert place.twin.reauthorize() == place.twin.success_call_back
    assert connect().prove(place.store({}), place.door.offers[-1]).values


def test_a_wrong_verifier_is_exchanged_for_nothing(place: Place) -> None:
    offer = activated(place)
    with pytest.raises(Permanent, match="Reauthorize"):
        connect().prove(place.store({}), Offer({**offer.values, "verifier": "x" * 32}))


def test_pasted_secrets_connect_a_shop_under_a_path() -> None:
    with opened(path="/store") as place:
        host, base = connect().base(f"{HOST}/store/")
        assert (host, base) == (place.twin.host, place.twin.base)
        values = place.twin.integration_tokens()
        assert connect().prove(place.store({}), Offer(values)).values == values
        wrong = place.store({})
        wrong = replace(wrong, access=replace(wrong.access, base=f"https://{HOST}"))
        with pytest.raises(Permanent, match="no Magento API"):
            connect().prove(wrong, Offer(values))


def test_wrong_secrets_are_refused(place: Place) -> None:
    values = place.twin.integration_tokens()
    for name in values:
        with pytest.raises(Permanent):
            connect().prove(place.store({}), Offer({**values, name: "x" * 32}))


def test_a_token_alone_connects_only_where_the_shop_allows_it() -> None:
    for allowed in (True, False):
        with opened(bearer=allowed) as place:
            offer = Offer({"access_token": place.twin.integration_tokens()["access_token"]})
            if allowed:
                assert connect().prove(place.store({}), offer).values == offer.values
                continue
            with pytest.raises(Permanent, match="standalone Bearer tokens"):
                connect().prove(place.store({}), offer)


def test_behind_something_that_ends_tls_the_setting_is_named() -> None:
    with opened(offloader=True) as place, pytest.raises(Permanent, match="offloader_header"):
        connect().prove(place.store({}), Offer(place.twin.integration_tokens()))


def test_a_deleted_integration_is_found_out(place: Place) -> None:
    store = place.probed()
    place.twin.uninstall()
    with pytest.raises(Permanent, match="Reauthorize"):
        api().probe(store)


# Looking at the shop


def test_the_probe_finds_the_store_views(place: Place) -> None:
    place.probed()
    found = place.findings
    assert (found.locale, found.timezone, found.currency) == ("de_DE", "Europe/Berlin", "EUR")
    assert dict(found.store_locales)["3"] == "el_GR"
    assert found.features == {"page_size": "100", "async_events": "no"}


def test_the_probe_names_the_rights_that_are_missing(place: Place) -> None:
    place.twin.grant({"Magento_Sales::actions_view"})
    place.probed()
    words = " ".join(place.findings.missing_rights)
    assert "Magento_Sales::shipment" in words
    assert "Magento_Sales::sales_creditmemo" in words
    assert "Magento_Backend::store" in words
    place.twin.grant(set())
    with pytest.raises(Permanent, match="no right is ticked"):
        api().probe(place.store())


def test_the_merchants_page_limit_is_kept_to() -> None:
    with opened(largest_page=20) as place:
        place.twin.grow(50, since=NOW - timedelta(days=3))
        place.probed()
        assert place.findings.features["page_size"] == "12"
        assert_all_is_known(place, place.understood(place.swept(NOW - timedelta(days=4))))


# Webhooks


def test_subscribed_events_arrive_signed_at_addresses_that_name_them() -> None:
    with opened(async_events=True) as place:
        store = place.probed()
        assert place.findings.features["common_events"] == "yes"
        assert len(subscribe(store, ENDPOINT).repairs) == len(TOPICS)
        assert subscribe(store, ENDPOINT).repairs == ()
        order_id = place.twin.place_order(store_id=3, paid=True)
        place.twin.ship(order_id, "00340434161094022115", "DHL")
        assert place.twin.deliver() > 2
        kinds = set()
        for delivery in place.door.deliveries:
            verify(MANIFEST.signatures, delivery.headers, delivery.body, Secrets(shared=(ENDPOINT.secret,)))
            kinds.add(type(MANIFEST.parse(delivery, place.shop())[0]))
        assert kinds == {OrderSnapshot, ShipmentUpdate}


def test_subscriptions_that_were_switched_off_are_on_again_and_end_with_the_connection() -> None:
    with opened(async_events=True) as place:
        store = place.probed()
        subscribe(store, ENDPOINT)
        place.twin.break_subscription()
        assert len(subscribe(store, ENDPOINT).repairs) == len(TOPICS)
        place.twin.place_order()
        assert place.twin.deliver() == 1
        unsubscribe(store, ENDPOINT)
        place.twin.place_order()
        assert place.twin.deliver() == 0


def test_a_subscription_whose_answer_was_lost_is_not_doubled() -> None:
    with opened(async_events=True) as place:
        store = place.probed()
        place.twin.faults.cut = 1
        with pytest.raises(Unanswered):
            subscribe(store, ENDPOINT)
        subscribe(store, ENDPOINT)
        place.twin.place_order()
        assert place.twin.deliver() == 1


def test_without_the_module_there_is_nothing_to_subscribe_to(place: Place) -> None:
    assert not subscribe(place.probed(), ENDPOINT).sends


# Sweeping


def busy_days(place: Place) -> None:
    """A history with every kind of thing that happens to orders."""
    place.twin.grow(150, since=NOW - timedelta(days=20))
    for number in range(6):
        order_id = place.twin.place_order(kind=("simple", "configurable", "bundle")[number % 3], paid=True)
        place.twin.ship(order_id, f"1Z99900000000000{number}", "UPS")
        place.clock.moment += timedelta(seconds=7)
        if number % 2:
            place.twin.refund(order_id, Decimal("5.00"))
    place.twin.cancel(place.twin.place_order(store_id=4))
    place.twin.edit(place.twin.place_order())


def test_history_is_read_whole(place: Place) -> None:
    busy_days(place)
    place.probed()
    found = place.swept(NOW - timedelta(days=30))
    assert_all_is_known(place, place.understood(found))
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys))


def test_nothing_is_skipped_while_rows_move(place: Place) -> None:
    busy_days(place)
    place.probed()
    orders = list(place.twin.truth())
    turns = itertools.count()

    def happens() -> None:
        place.clock.moment += timedelta(seconds=2)
        if next(turns) < 4:
            place.twin.touch(orders[:40])
            place.twin.pay(place.twin.place_order())

    assert_all_is_known(place, place.understood(place.swept(NOW - timedelta(days=30), happens)))


def test_a_mass_update_within_one_second_is_read_whole(place: Place) -> None:
    place.twin.grow(340, since=NOW - timedelta(days=20))
    place.probed()
    place.clock.moment += timedelta(hours=1)
    place.twin.touch(place.twin.truth())
    found = place.swept(place.clock.moment - timedelta(minutes=5))
    assert {one.key.split(":")[1] for one in found if one.about == "order"} == set(place.twin.truth())


def test_sweeps_one_after_the_other_miss_nothing_that_commits_late(place: Place) -> None:
    """Each begins where the newest change was read, less the overlap, as the scheduler lets it."""
    place.twin.commit_lag = timedelta(seconds=45)
    since, found = NOW - timedelta(minutes=1), []
    for turn in range(30):
        order_id = place.twin.place_order(paid=turn % 2 == 0)
        place.clock.moment += timedelta(seconds=13)
        place.twin.ship(order_id, f"1Z{turn:016}")
        place.clock.moment += timedelta(seconds=20)
        news = place.swept(since)
        found += news
        newest = max((one.updated_at for one in news), default=since)
        since = max(since, newest - api().pace.overlap)
    place.clock.moment += timedelta(seconds=60)
    found += place.swept(since)
    assert_all_is_known(place, place.understood(found))


def test_a_track_added_later_is_found_by_looking_at_the_parcel(place: Place) -> None:
    shipment_id = place.twin.ship(place.twin.place_order(paid=True))
    before = parcels(place.store(), (shipment_id, "9999"))
    place.clock.moment += timedelta(hours=2)
    place.twin.add_track(shipment_id, "00340434161094022115", "DHL")
    assert [one for one in place.swept(NOW + timedelta(hours=1)) if one.about == "shipment"] == []
    after = parcels(place.store(), (shipment_id,))
    assert [one.key for one in after] != [one.key for one in before]
    assert b"00340434161094022115" in after[0].body


# Following hints


def test_hints_lead_to_what_they_point_at(place: Place) -> None:
    place.probed()
    order_id = place.twin.place_order(paid=True)
    shipment_id = place.twin.ship(order_id, "1Z", "UPS")
    place.twin.refund(order_id, Decimal("3.00"))
    for hint, kind in (
        (LookAgain(Subject.ORDER, order_id, order_id, "ping"), OrderSnapshot),
        (LookAgain(Subject.SHIPMENT, shipment_id, order_id, "ping"), ShipmentUpdate),
        (LookAgain(Subject.SHIPMENT, "", order_id, "a track"), ShipmentUpdate),
        (LookAgain(Subject.INVOICE, "1", "", "ping"), LookAgain),
        (LookAgain(Subject.CREDIT_NOTE, "1", order_id, "ping"), RefundUpdate),
        (LookAgain(Subject.CREDIT_NOTE, "", order_id, "ping"), RefundUpdate),
    ):
        answer = api().look(place.store(), hint)
        assert isinstance(MANIFEST.resolve(hint, answer, place.shop()), kind), hint


def test_a_ping_before_the_commit_is_followed_once_the_order_is_there(place: Place) -> None:
    place.twin.commit_lag = timedelta(seconds=40)
    order_id = place.twin.place_order()
    for hint in (
        LookAgain(Subject.ORDER, order_id, order_id, "ping"),
        LookAgain(Subject.ORDER, "", "", "webhook", place.twin._sales.order(int(order_id)).increment_id),
    ):
        with pytest.raises(NotThereYet) as early:
            api().look(place.store(), hint)
        assert early.value.after == timedelta(seconds=30)
        assert type(MANIFEST.resolve(hint, early.value.answer, place.shop())).__name__ == "Ignored"
    place.clock.moment += timedelta(seconds=41)
    update = MANIFEST.resolve(hint, api().look(place.store(), hint), place.shop())
    assert isinstance(update, OrderSnapshot)
    assert update.state is OrderState.OPEN


def test_one_number_for_two_orders_is_no_answer() -> None:
    with opened(plain_numbers=True) as place:
        place.twin.place_order(store_id=1)
        place.twin.place_order(store_id=3)
        hint = LookAgain(Subject.ORDER, "", "", "webhook", "000000001")
        answer = api().look(place.store(), hint)
        with pytest.raises(UnreadableDelivery, match="there are 2"):
            MANIFEST.resolve(hint, answer, place.shop())


# Writing back


def shipment_push(order_id: str, **changes: Any) -> ShipmentPush:
    return replace(ShipmentPush("intent-1", order_id, "1Z999AA10123456784", "UPS"), **changes)


def pushed(place: Place, name: str, push: Any) -> str:
    act = getattr(api().pushes, name)
    words: str = act(place.store(), push)
    assert 0 < len(words) <= 200
    return words


ORDERS = ("simple", "configurable", "bundle", "mixed")


@pytest.mark.parametrize("kind", ORDERS)
def test_a_parcel_is_made_once_even_when_its_answer_is_lost(place: Place, kind: str) -> None:
    order_id = place.twin.place_order(kind=kind, paid=True)
    place.twin.faults.cut = 1
    with pytest.raises(Unanswered):
        pushed(place, "shipment", shipment_push(order_id))
    assert "already" in pushed(place, "shipment", shipment_push(order_id))
    assert len(place.twin.shipments(order_id)) == 1
    assert place.twin.truth()[order_id].tracking_numbers == {"1Z999AA10123456784"}
    assert place.twin.mails == []


def test_chosen_lines_of_an_order_go_into_a_parcel(place: Place) -> None:
    order_id = place.twin.place_order(kind="configurable", paid=True)
    hint = LookAgain(Subject.ORDER, order_id, order_id, "")
    order = MANIFEST.resolve(hint, api().look(place.store(), hint), place.shop())
    assert isinstance(order, OrderSnapshot)
    lines = [((line.line_id, line.quantity),) for line in order.lines]
    for position, wanted in enumerate(lines):
        pushed(place, "shipment", shipment_push(order_id, number=f"1Z{position}", items=wanted))
    assert len(place.twin.shipments(order_id)) == len(order.lines)
    with pytest.raises(Permanent):
        pushed(place, "shipment", shipment_push(order_id, number="1Z9", items=lines[0]))
    assert len(place.twin.shipments(order_id)) == len(order.lines)


def test_a_number_for_a_known_parcel_is_added_once(place: Place) -> None:
    order_id = place.twin.place_order(paid=True)
    shipment_id = place.twin.ship(order_id)
    place.twin.faults.cut = 1
    with pytest.raises(Unanswered):
        pushed(place, "shipment", shipment_push(order_id, shipment_id=shipment_id))
    assert "already" in pushed(place, "shipment", shipment_push(order_id, shipment_id=shipment_id))
    assert [len(one.tracks) for one in place.twin.shipments(order_id)] == [1]


def test_comments_are_written_once_and_nobody_is_mailed(place: Place) -> None:
    order_id = place.twin.place_order(paid=True)
    before = len(place.twin.notes(order_id))
    for name, push in (
        ("note", NotePush("intent-2", order_id, "The mail bounced.")),
        ("status", StatusPush("intent-3", order_id, "1", ShipmentStatus.DELIVERED, NOW, "1Z")),
        ("invoice_link", LinkPush("intent-4", order_id, "INV-7", f"https://{OURS}/i/7")),
    ):
        place.twin.faults.cut = 1
        with pytest.raises(Unanswered):
            pushed(place, name, push)
        pushed(place, name, push)
    written = place.twin.notes(order_id)
    assert len(written) == before + 3
    assert place.twin.mails == []
    assert place.twin.truth()[order_id].status_word == "processing"


def test_a_push_without_the_right_names_it(place: Place) -> None:
    order_id = place.twin.place_order(paid=True)
    place.twin.grant({"Magento_Sales::actions_view", "Magento_Sales::shipment"})
    with pytest.raises(Permanent, match="Actions > Ship"):
        pushed(place, "shipment", shipment_push(order_id))
    with pytest.raises(Permanent, match="Actions > Comment"):
        pushed(place, "note", NotePush("i", order_id, "words"))


# Trouble


def test_a_short_refusal_or_error_is_got_over(place: Place) -> None:
    place.twin.place_order()
    for name in ("throttle", "fail"):
        setattr(place.twin.faults, name, 1)
        assert len(place.swept(NOW - timedelta(minutes=1))) == 1


def test_a_longer_one_is_for_the_caller_to_wait(place: Place) -> None:
    place.twin.faults.fail = 9
    with pytest.raises(Failed):
        place.swept(NOW)
    place.twin.faults.fail = 0
    place.twin.faults.throttle, place.twin.retry_after = 9, 120
    with pytest.raises(Busy) as caught:
        place.swept(NOW)
    assert caught.value.after == timedelta(seconds=120)
    place.twin.faults.throttle = 0
    place.twin.maintenance = True
    with pytest.raises(Busy):
        place.swept(NOW)


class Impatient(Web):
    """Waits a tenth of a second where the client would wait a minute."""

    def ask(self, make: Callable[[], Request], *, read_seconds: float = 30.0, **named: Any) -> Answer:
        assert read_seconds <= 60
        return super().ask(make, read_seconds=0.1, **named)


def test_a_shop_that_hangs_costs_a_limited_time(place: Place) -> None:
    place.twin.faults.hang_seconds = 0.4
    place.web = Impatient(routes=place.twin.routes, clock=place.clock, sleep=lambda _seconds: None)
    with pytest.raises(Unanswered):
        place.swept(NOW)
    assert sum(place.twin.server.calls.values()) <= 2


def test_few_questions_are_asked_while_nothing_changes(place: Place) -> None:
    place.probed()
    before = place.web.calls(HOST)
    place.swept(NOW)
    assert place.web.calls(HOST) - before == 3
