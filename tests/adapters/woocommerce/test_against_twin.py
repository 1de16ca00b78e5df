"""The client against the stand-in shop: two readings of one reference that have to agree."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Unpack
from urllib.parse import urlsplit

import pytest

from adapters.contract import Begin, Offer, Store, Visit
from adapters.http import Answer, Busy, Request, Web
from adapters.woocommerce import MANIFEST
from adapters.woocommerce.changes import changes, look
from adapters.woocommerce.connect import base, begin, plain_base, prove, receive
from adapters.woocommerce.mails import speak
from adapters.woocommerce.probe import probe
from adapters.woocommerce.push import push_invoice_link, push_note, push_shipment, push_status
from adapters.woocommerce.subscriptions import TOPICS, subscribe, unsubscribe, wake
from adapters.woocommerce.twin import WooCommerceTwin
from adapters.woocommerce.twin_site import Key, Knobs
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, App, Credentials, Endpoint
from connector.domain.delivery import Delivery, Ignored, LookAgain, Source, Subject
from connector.domain.errors import Permanent, Retryable
from connector.domain.order import OrderSnapshot
from connector.domain.push import LinkPush, NotePush, ShipmentPush, StatusPush
from connector.domain.signing import Secrets
from connector.domain.status import ShipmentStatus
from tests.adapters.woocommerce.documents import SHOP
from tests.adapters.woocommerce.listener import Listener
from webhooks.verification import is_ping, verify

HOST, OURS = "laden.example", "connector.example"
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
LINKS = {"callback": f"https://{OURS}/install/n1/callback", "return": f"https://{OURS}/install/n1/return"}
APP = f"https://{OURS}/webhooks/woocommerce"
ENDPOINT = Endpoint(f"{APP}/key-1", APP, "secret_1-A")
versions = pytest.mark.parametrize("version", ["8.2.2", "11.0.1"])


class Impatient(Web):
    """Waits for each answer as long as a test may."""

    def ask(self, make: Callable[[], Request], *, tries: int = 1, read_seconds: float = 30.0, **more: Any) -> Answer:
        return super().ask(make, tries=tries, read_seconds=min(read_seconds, 0.2), **more)


@dataclass
class Town:
    """A stand-in shop, somebody at our address, and the way from one to the other."""

    twin: WooCommerceTwin
    clock: FixedClock
    listener: Listener
    web: Web

    def later(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)

    def stranger(self) -> Store:
        return Store(self.web, self.clock, Access(*base(self.twin.base), Credentials()))

    def store(self, credentials: Credentials | None = None, *, web: Web | None = None) -> Store:
        """Connected with a key, and looked at."""
        key = credentials or prove(self.stranger(), pasted(self.twin.make_key()))
        access = replace(self.stranger().access, credentials=key)
        found = probe(Store(self.web, self.clock, access))
        return Store(web or self.web, self.clock, replace(access, features=found.features))

    def offers(self) -> list[Offer]:
        """What our callback made of all that came to it."""
        heard = [one for one in self.listener.heard if one.path == urlsplit(LINKS["callback"]).path]
        access = self.stranger().access
        visits = [
            Visit("callback", one.method, {}, "", {}, one.body, NOW, App(), access.host, access.base, "n1", LINKS)
            for one in heard
        ]
        return [offer for visit in visits if (offer := receive(visit)[0])]


@contextmanager
def town(**knobs: Unpack[Knobs]) -> Iterator[Town]:
    clock = FixedClock(NOW)
    with (
        Listener() as listener,
        WooCommerceTwin(clock, host=HOST, routes={OURS: listener.address}, **knobs) as twin,
    ):
        web = Web(routes=twin.routes, clock=clock, sleep=lambda _: None)
        yield Town(twin, clock, listener, web)
        web.close()


def pasted(key: Key) -> Offer:
    return Offer({"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret})


def link(here: Town) -> str:
    return begin(Begin(here.stranger().access, "Order mails", LINKS, "n1"))


# -- connecting


@versions
@pytest.mark.parametrize("path", ["", "/store"])
def test_one_click_connects_a_shop_and_proves_the_keys_there(version: str, path: str) -> None:
    with town(version=version, path=path) as here:
        ended = here.twin.approve(link(here))
        assert urlsplit(ended)._replace(query="").geturl() == LINKS["return"]
        (offer,) = here.offers()
        credentials = prove(here.stranger(), offer)
        assert credentials.values["key_in"] == "header"
        assert probe(here.store(credentials)).version == version


def test_a_double_click_mints_two_pairs_and_both_hold() -> None:
    with town() as here:
        here.twin.approve(link(here), clicks=2)
        first, second = here.offers()
        assert first.values != second.values
        assert prove(here.stranger(), first) != prove(here.stranger(), second)


def test_saying_no_hands_nothing_over() -> None:
    with town() as here:
        assert "success=0" in here.twin.approve(link(here), deny=True)
        assert here.offers() == []


def test_a_key_for_reading_alone_is_not_enough() -> None:
    with town() as here, pytest.raises(Permanent, match="Read/Write"):
        prove(here.stranger(), pasted(here.twin.make_key("read")))


def test_a_wrong_secret_and_an_unknown_key_are_told_apart() -> None:
    with town() as here:
        known = pasted(here.twin.make_key())
        with pytest.raises(Permanent, match="do not belong together"):
            prove(here.stranger(), Offer({**known.values, "consumer_secret": "cs_" + "0" * 40}))
        with pytest.raises(Permanent, match="does not know the key"):
            prove(here.stranger(), Offer({**known.values, "consumer_key": "ck_" + "0" * 40}))


def test_a_user_who_may_not_manage_the_shop_is_not_enough() -> None:
    with town() as here:
        here.twin.demote()
        with pytest.raises(Permanent, match="Administrator or Shop manager"):
            prove(here.stranger(), pasted(here.twin.make_key()))


@pytest.mark.parametrize(
    ("knobs", "way"), [({"strips_authorization": True}, "query"), ({"is_ssl": False}, "signature")]
)
def test_a_shop_that_does_not_see_the_header_is_spoken_with_all_the_same(knobs: Knobs, way: str) -> None:
    with town(**knobs) as here:
        store = here.store()
        assert store.access.credentials.values["key_in"] == way
        order_id = here.twin.place_order(email="a@example.test")
        assert look(store, LookAgain(Subject.ORDER, order_id, order_id, ""))
        push_note(store, NotePush("i1", order_id, "Words & more"))
        assert swept(store)[order_id].number


@pytest.mark.parametrize(
    ("knobs", "words"),
    [({"rest_prefix": ""}, "Permalinks"), ({"firewall": 403}, "firewall"), ({"firewall": 406}, "fire")],
)
def test_a_shop_that_cannot_be_spoken_with_says_what_to_click(knobs: Knobs, words: str) -> None:
    with town(**knobs) as here, pytest.raises(Permanent, match=words):
        prove(here.stranger(), pasted(here.twin.make_key()))


def test_a_renamed_api_is_found() -> None:
    with town(rest_prefix="api/rest", path="/store") as here:
        assert here.store().access.credentials.values["rest_root"] == f"{here.twin.base}/api/rest"


# -- a shop on one's own machine


@contextmanager
def at_home(own_host: str, listener: Listener, version: str = "11.0.1") -> Iterator[tuple[WooCommerceTwin, Store]]:
    """A shop without https, reached at its real address with no detour, and connected by pasted keys."""
    clock = FixedClock(NOW)
    routes = {"127.0.0.1:8080": listener.address}
    web = Web(private_addresses=True, plain_http=True, clock=clock, sleep=lambda _: None)
    with WooCommerceTwin(clock, host=HOST, own_host=own_host, scheme="http", routes=routes, version=version) as twin:
        access = Access(*plain_base(twin.server.address), Credentials())
        credentials = prove(Store(web, clock, access), pasted(twin.make_key()))
        access = replace(access, credentials=credentials)
        findings = probe(Store(web, clock, access))
        assert any("http://" in note for note in findings.notes)
        yield twin, Store(web, clock, replace(access, features=findings.features))
        web.close()


@versions
@pytest.mark.parametrize("own_host", ["127.0.0.1:8899", "localhost:8899", "shop.test"])
def test_a_shop_without_https_at_home_is_read_swept_and_written_to_by_signed_calls(version: str, own_host: str) -> None:
    with Listener() as listener, at_home(own_host, listener, version=version) as (twin, store):
        assert store.access.credentials.values["key_in"] == "signature"
        order_id = twin.place_order(email="a@example.test", paid=True)
        push_note(store, NotePush("i1", order_id, "Words & more"))
        push_shipment(store, ShipmentPush("i2", order_id, "1Z1", "UPS", "https://ups.example/t?n=1Z1"))
        push_invoice_link(store, LinkPush("i3", order_id, "R/1", "https://connector.example/d/1"))
        assert swept(store)[order_id].number
        assert twin.truth()[order_id].tracking_numbers == {"1Z1"}
        speak(store, "refunded", False)
        wake(store)


def test_a_shop_at_home_sends_to_our_usual_port_at_its_own_host_and_to_no_other_private_host() -> None:
    """wp_http_validate_url: the shop's own host is no stranger."""
    ours = "http://127.0.0.1:8080/webhooks/woocommerce"
    with Listener() as listener, at_home("127.0.0.1:8899", listener) as (twin, store):
        subscribed = subscribe(store, Endpoint(f"{ours}/k", ours, "secret_1-A"))
        assert {one.remark for one in subscribed.subscriptions} == {""}
        twin.place_order(email="a@example.test")
        assert twin.deliver() > 0
    with Listener() as listener, at_home("localhost:8899", listener) as (twin, store):
        subscribed = subscribe(store, Endpoint(f"{ours}/k", ours, "secret_1-A"))
        assert "http_request_host_is_external" in subscribed.subscriptions[0].remark
        twin.place_order(email="a@example.test")
        assert twin.deliver() == 0


def test_a_shop_without_https_asks_its_merchant_but_hands_keys_only_to_an_https_address() -> None:
    with town(scheme="http") as here:
        access = Access(*plain_base(here.twin.base), Credentials())
        asked = begin(Begin(access, "Order mails", LINKS, "n1"))
        assert asked.startswith(f"http://{HOST}/wc-auth/")
        assert "success=1" in here.twin.approve(asked)
        with pytest.raises(Permanent, match="paste keys"):
            begin(Begin(access, "Order mails", {**LINKS, "callback": "http://127.0.0.1:8080/c"}, "n1"))


# -- what it is and can do


def test_a_look_does_not_make_the_shop_try_the_internet() -> None:
    """For the whole environment WooCommerce waits for two hosts there, up to 15 s where it reaches neither."""
    with town() as here:
        probe(here.store())
        assert here.twin.site.tried_internet == 0


@versions
@pytest.mark.parametrize("hpos", [True, False])
def test_a_shop_is_known_after_a_look(version: str, hpos: bool) -> None:
    with town(version=version, hpos=hpos, title="Müller & Söhne", timezone="Asia/Kuwait", country="KW") as here:
        found = probe(here.store())
        assert (found.name, found.version, found.currency) == ("Müller & Söhne", version, "EUR")
        assert (found.timezone, found.country) == ("Asia/Kuwait", "KW")
        assert found.features["hpos"] == ("yes" if hpos else "no")
        assert found.features["refunds"] == ("no" if version == "8.2.2" else "yes")
        assert (found.missing_rights, found.features["fulfillments"], found.features["trackings"]) == ((), "no", "")


@pytest.mark.parametrize("orders", [0, 1])
def test_what_a_shop_can_do_is_seen_with_and_without_orders(orders: int) -> None:
    with town(fulfillments=True, trackings="ast") as here:
        for _ in range(orders):
            here.twin.place_order(email="a@example.test")
        features = here.store().access.features
        assert (features["fulfillments"], features["trackings"]) == ("yes", "wc-shipment-tracking/v3")


def test_a_mail_that_was_switched_off_is_not_sent_any_more() -> None:
    with town() as here:
        store = here.store()
        assert probe(store).platform_speaks["payment_received"]
        here.twin.place_order(email="a@example.test", paid=True)
        told = len(here.twin.mails)
        assert told
        speak(store, "payment_received", on=False)
        assert not probe(store).platform_speaks["payment_received"]
        here.twin.place_order(email="a@example.test", paid=True)
        assert len(here.twin.mails) == told
        speak(store, "payment_received", on=True)
        assert probe(store).platform_speaks["payment_received"]


# -- webhooks


def told_by_webhook(here: Town) -> list[object]:
    said: list[object] = []
    for one in here.listener.heard:
        headers = {name.lower(): value for name, value in one.headers}
        if not one.path.startswith("/webhooks/") or is_ping(MANIFEST.ping, headers, one.body):
            continue
        verify(MANIFEST.signatures, headers, one.body, Secrets(shared=(ENDPOINT.secret,)))
        said += MANIFEST.parse(Delivery("woocommerce", headers, one.body, NOW), SHOP)
    return said


@versions
def test_webhooks_are_subscribed_arrive_signed_and_are_taken_back(version: str) -> None:
    with town(version=version) as here:
        store = here.store()
        assert len(subscribe(store, ENDPOINT).repairs) == len(TOPICS)
        assert subscribe(store, ENDPOINT).repairs == ()
        order_id = here.twin.place_order(email="a@example.test", paid=True)
        assert here.twin.deliver()
        assert order_id in {one.order_id for one in told_by_webhook(here) if isinstance(one, OrderSnapshot)}
        unsubscribe(store, ENDPOINT)
        assert list(here.twin.webhooks) == []


def test_webhooks_that_were_switched_off_deliver_again() -> None:
    with town() as here:
        store = here.store()
        subscribe(store, ENDPOINT)
        here.twin.break_subscription()
        assert len(subscribe(store, ENDPOINT).repairs) == len(TOPICS)
        here.twin.place_order(email="a@example.test")
        here.twin.deliver()
        assert told_by_webhook(here)
        assert {hook.status for hook in here.twin.webhooks} == {"active"}
        assert len(here.twin.webhooks) == len(TOPICS)


def test_an_answer_cut_off_after_a_webhook_was_made_makes_no_second_one() -> None:
    with town() as here:
        store = here.store()
        here.twin.faults.cut = 1
        with pytest.raises(Retryable):
            subscribe(store, ENDPOINT)
        subscribe(store, ENDPOINT)
        assert sorted(hook.topic for hook in here.twin.webhooks) == sorted(TOPICS)


def test_a_quiet_shop_that_is_woken_delivers() -> None:
    with town(cron="visits") as here:
        store = here.store()
        subscribe(store, ENDPOINT)
        here.twin.place_order(email="a@example.test")
        here.later(120)
        wake(store)
        assert here.twin.deliver()


# -- changes


def swept(store: Store, since: datetime = NOW - timedelta(days=400), between: Callable[[], None] = lambda: None) -> Any:
    """Orders by id as a whole sweep tells them, the latest telling of each."""
    assert MANIFEST.api is not None
    told: dict[str, OrderSnapshot] = {}
    cursor, seen = "", 0
    while True:
        page = changes(store, since, cursor)
        assert page.notes == ()
        for found in page.found:
            assert found.updated_at.tzinfo is UTC
            delivery = Delivery("woocommerce", {}, found.body, NOW, found.about, Source.SWEEP)
            for update in MANIFEST.api.read(delivery, SHOP):
                if isinstance(update, OrderSnapshot):
                    told[update.order_id] = update
        between()
        cursor, seen = page.cursor, seen + 1
        assert seen < 200
        if not cursor:
            return told


def assert_equal_to_the_truth(here: Town, told: Any) -> None:
    truth = here.twin.truth()
    assert set(told) == set(truth)
    for order_id, order in truth.items():
        snapshot: OrderSnapshot = told[order_id]
        assert (snapshot.number, snapshot.status_word, snapshot.total) == (order.number, order.status_word, order.total)
        assert sum((refund.amount for refund in snapshot.refunds), Decimal(0)) == order.refunded
        numbers = {number.number for parcel in snapshot.shipments for number in parcel.tracking}
        assert numbers == order.tracking_numbers


@versions
@pytest.mark.parametrize("hpos", [True, False])
def test_a_history_of_many_pages_is_read_whole(version: str, hpos: bool) -> None:
    with town(version=version, hpos=hpos) as here:
        here.twin.grow(450, since=NOW - timedelta(days=60))
        store = here.store()
        before = here.web.calls(HOST)
        assert_equal_to_the_truth(here, swept(store))
        assert here.web.calls(HOST) - before <= 20


def test_orders_that_move_while_pages_are_read_are_all_there() -> None:
    with town() as here:
        here.twin.grow(350, since=NOW - timedelta(days=20))
        store, moving = here.store(), iter(sorted(here.twin.truth()))

        def between() -> None:
            here.later(1)
            for _, order_id in zip(range(30), moving, strict=False):
                here.twin.set_status(order_id, "on-hold")

        assert set(swept(store, between=between)) == set(here.twin.truth())
        assert_equal_to_the_truth(here, swept(store))


def test_more_orders_in_one_second_than_a_page_holds_are_all_there() -> None:
    with town() as here:
        for _ in range(230):
            here.twin.place_order(email="a@example.test")
        assert len(swept(here.store(), NOW)) == 230


@pytest.mark.parametrize("kind", ["fulfillments", "ast", "official", "none"])
def test_parcels_and_refunds_are_as_the_shop_has_them(kind: Any) -> None:
    knobs: Knobs = {"fulfillments": True} if kind == "fulfillments" else {"trackings": kind}
    with town(**knobs) as here:
        order_id = ""
        for number in range(4):
            order_id = here.twin.place_order(email="a@example.test", paid=True)
            if number % 2:
                here.twin.ship(order_id, f"1Z{number}", "UPS")
            here.later(60)
        here.twin.refund(order_id, Decimal("1.50"))
        refunded_at = here.clock.moment
        here.later(600)
        here.twin.set_status(order_id, "completed")
        told = swept(here.store())
        assert_equal_to_the_truth(here, told)
        assert told[order_id].refunds[0].refunded_at == refunded_at


@pytest.mark.parametrize("version", ["10.6.2", "11.0.1"])
def test_fulfillments_left_when_they_left_whatever_clock_the_shop_tells_it_by(version: str) -> None:
    with town(version=version, fulfillments=True) as here:
        order_id = here.twin.place_order(email="a@example.test", paid=True)
        here.twin.ship(order_id, "1Z1", "UPS")
        (shipment,) = swept(here.store())[order_id].shipments
        assert (shipment.shipped_at, shipment.updated_at) == (here.clock.moment, here.clock.moment)


def test_what_a_draft_and_the_trash_hold_is_no_order() -> None:
    with town(version="8.2.2") as here:
        here.twin.open_checkout()
        kept, gone = (here.twin.place_order(email="a@example.test") for _ in range(2))
        here.twin.trash(gone)
        assert set(swept(here.store())) == {kept}


def test_a_look_tells_an_order_one_in_the_trash_and_one_that_is_gone() -> None:
    with town(fulfillments=True) as here:
        store, order_id = here.store(), here.twin.place_order(email="a@example.test", paid=True)
        here.twin.ship(order_id, "1Z1", "UPS")
        hint = LookAgain(Subject.ORDER, order_id, order_id, "x")
        told = MANIFEST.resolve(hint, look(store, hint), SHOP)
        assert isinstance(told, OrderSnapshot)
        assert told.shipments[0].tracking[0].number == "1Z1"
        here.twin.trash(order_id)
        assert isinstance(MANIFEST.resolve(hint, look(store, hint), SHOP), Ignored)
        here.twin.force_delete(order_id)
        assert isinstance(MANIFEST.resolve(hint, look(store, hint), SHOP), Ignored)


# -- writing back

PARCEL = ShipmentPush("intent-1", "", "00340434161094015902", "Fahrradbote", "https://bote.example/1")
PLACES: dict[str, Knobs] = {
    "fulfillments": {"fulfillments": True},
    "ast": {"trackings": "ast"},
    "official": {"trackings": "official"},
    "meta": {},
    "old": {"version": "8.2.2", "hpos": False},
}


def written(here: Town, order_id: str) -> tuple[int, int, int]:
    """(numbers, private notes of ours, notes for the customer)."""
    numbers = [one.number for one in here.twin.shipments(order_id) if one.number]
    notes = here.twin.notes(order_id)
    ours = [note for note in notes if "[Connector " in note.words]
    return len(numbers), len(ours), sum(note.for_customer for note in notes)


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("fault", ["", "cut", "fail", "throttle"])
def test_a_parcel_is_written_once_and_nobody_is_mailed(place: str, fault: str) -> None:
    with town(**PLACES[place]) as here:
        order_id = here.twin.place_order(email="a@example.test", paid=True)
        store, mails, status = here.store(), len(here.twin.mails), here.twin.truth()[order_id].status_word
        push = replace(PARCEL, order_id=order_id)
        if fault:
            setattr(here.twin.faults, fault, 2)
        for _ in range(4):
            with suppress(Retryable):
                push_shipment(store, push)
        push_shipment(store, push)
        assert here.twin.truth()[order_id].tracking_numbers == {PARCEL.number}
        assert written(here, order_id)[0::2] == (1, 0)
        assert len(here.twin.mails) == mails
        assert here.twin.truth()[order_id].status_word == status
        assert_equal_to_the_truth(here, swept(store))


@pytest.mark.parametrize("cut", [0, 1])
def test_notes_and_links_are_written_once_and_nobody_is_mailed(cut: int) -> None:
    with town() as here:
        order_id = here.twin.place_order(email="a@example.test", paid=True)
        store, mails = here.store(), len(here.twin.mails)
        note, link = NotePush("n", order_id, "Invoice mailed"), LinkPush("l", order_id, "INV-7", "https://c.example/7")
        status = StatusPush("s", order_id, "p", ShipmentStatus.DELIVERED, NOW, "1Z")
        pushes: tuple[Callable[[], str], ...] = (
            lambda: push_note(store, note),
            lambda: push_status(store, status),
            lambda: push_invoice_link(store, link),
        )
        for push in pushes * 3:
            here.twin.faults.cut = cut
            with suppress(Retryable):
                push()
        assert written(here, order_id) == (0, 2, 0)
        body = json.loads(look(store, LookAgain(Subject.ORDER, order_id, order_id, "")))
        links = [one["value"] for one in body["meta_data"] if one["key"] == "_connector_invoice_url"]
        assert links == ["https://c.example/7"]
        assert len(here.twin.mails) == mails


# -- faults


def test_a_shop_that_hangs_is_not_waited_for() -> None:
    with town() as here:
        web = Impatient(routes=here.twin.routes, clock=here.clock, sleep=lambda _: None)
        store = here.store(web=web)
        here.twin.faults.hang_seconds = 0.4
        with pytest.raises(Retryable):
            changes(store, NOW, "")
        web.close()


def test_a_shop_too_busy_for_long_says_so_and_goes_on_where_it_was() -> None:
    with town() as here:
        here.twin.grow(150, since=NOW - timedelta(days=5))
        store = here.store()
        first = changes(store, NOW - timedelta(days=6), "")
        here.twin.faults.throttle = 10
        with pytest.raises(Busy):
            changes(store, NOW - timedelta(days=6), first.cursor)
        here.twin.faults.throttle = 0
        assert changes(store, NOW - timedelta(days=6), first.cursor).found


def test_keys_the_merchant_deleted_are_a_matter_for_a_person() -> None:
    with town() as here:
        store = here.store()
        here.twin.uninstall()
        with pytest.raises(Permanent, match="does not know the key"):
            probe(store)
        with pytest.raises(Permanent):
            changes(store, NOW, "")


def test_rights_that_were_lost_are_findings() -> None:
    with town() as here:
        store = here.store()
        here.twin.demote()
        assert any("Administrator" in words for words in probe(store).missing_rights)
