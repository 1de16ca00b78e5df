"""The client and the stand-in of a shop, made apart from the same reference, and now face to face."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from adapters.contract import Begin, Offer, Store, Told, Visit
from adapters.http import Busy, Unanswered, Web
from adapters.shopify import MANIFEST
from adapters.shopify.app_file import LIFE_CYCLE, ORDERS
from adapters.shopify.client import AccessLost, Throttled
from adapters.shopify.connect import CONNECT
from adapters.shopify.scopes import OPTIONAL_SCOPES, SCOPES
from adapters.shopify.twin import ShopifyTwin
from adapters.shopify.twin_goods import GOODS
from adapters.twins import Answered, Asked, Faults, TwinServer
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, App, Credentials, Endpoint, Page, SubscriptionState
from connector.domain.delivery import Delivery, LookAgain, ShopEvent, ShopEventKind, Source, Subject, Update
from connector.domain.errors import Permanent, Retryable
from connector.domain.order import OrderSnapshot
from connector.domain.push import LinkPush, ShipmentPush, StatusPush
from connector.domain.shop import Shop
from connector.domain.signing import Secrets
from connector.domain.status import ShipmentStatus
from webhooks.verification import verify

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OURS = "connector.example.com"
HOME = f"https://{OURS}/connect/shopify/app"
NONCE = "an-invitations-own-nonce"
HOOKS = f"https://{OURS}/webhooks/shopify"
ENDPOINT = Endpoint(f"{HOOKS}/k-1", HOOKS, "")
HOST = "demo.myshopify.com"
assert MANIFEST.api is not None
API = MANIFEST.api


@dataclass
class Our:
    """Our side of the web: pages as the install pages serve them, and the door for webhooks."""

    app: App
    clock: FixedClock
    offers: list[Offer] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    status: int = 200

    def answer(self, asked: Asked) -> Answered:
        if asked.method == "POST":
            return self._door(asked)
        parts = asked.path.strip("/").split("/")
        place = parts[3] if len(parts) > 3 else ""
        invited = parts[2] != "app"
        assert CONNECT.receive is not None
        assert CONNECT.receive_app is not None
        try:
            receive = CONNECT.receive if invited else CONNECT.receive_app
            offer, told = receive(self._visit(asked, place, invited=invited))
        except Permanent as problem:
            return Answered(400, str(problem).encode())
        self.offers += [offer] if offer else []
        return self._told(told)

    def _door(self, asked: Asked) -> Answered:
        verify(MANIFEST.signatures, asked.headers, asked.body, Secrets(shared=(*self.secrets, *self.app.secrets)))
        self.deliveries.append(Delivery("shopify", asked.headers, asked.body, self.clock.now()))
        return Answered(self.status)

    def _visit(self, asked: Asked, place: str, *, invited: bool) -> Visit:
        home = HOME.replace("/app", f"/{NONCE}") if invited else HOME
        links = {"app": HOME} | {one: f"{home}/{one}" for one in ("patch", "callback")}
        whose = {"host": HOST, "base": f"https://{HOST}", "nonce": NONCE} if invited else {}
        query = dict(parse_qsl(asked.query))
        return Visit(
            place,
            asked.method,
            query,
            asked.query,
            asked.headers,
            b"",
            self.clock.now(),
            self.app,
            links=links,
            **whose,
        )

    def _told(self, told: Told) -> Answered:
        if told.redirect:
            return Answered(302, b"", {"Location": told.redirect})
        return Answered(told.status, told.body or told.page.encode(), dict(told.headers), "text/html")


@dataclass
class Meeting:
    twin: ShopifyTwin
    clock: FixedClock
    our: Our
    web: Web
    credentials: Credentials = field(default_factory=Credentials)
    waits: list[float] = field(default_factory=list)
    features: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        access = Access(HOST, f"https://{HOST}", self.credentials, self.our.app, self.features)
        return Store(self.web, self.clock, access)

    @property
    def shop(self) -> Shop:
        return Shop("shop-1", "shopify", "k-1", "Demo", HOST, NOON - timedelta(days=1))

    def open(self) -> "Meeting":
        """Install the app and open it in the admin; what it offers is proven."""
        self.twin.open_app()
        self.credentials = CONNECT.prove(replace(self.store), self.our.offers[-1])
        return self

    def calls(self) -> int:
        return sum(self.twin.server.calls.values())

    def sweep(self, since: datetime, between: Callable[[], object] = lambda: None) -> list[Page]:
        pages = [API.changes(self.store, since, "")]
        while pages[-1].cursor:
            between()
            self.later(seconds=10)
            pages.append(API.changes(self.store, since, pages[-1].cursor))
        return pages

    def read(self, pages: list[Page]) -> dict[str, OrderSnapshot]:
        """What the pages say, the newest version of each order; too large ones are looked at."""
        found: dict[str, OrderSnapshot] = {}
        for page in pages:
            for one in page.found:
                told = Delivery("shopify", {}, one.body, self.clock.now(), one.about, Source.SWEEP)
                for update in API.read(told, self.shop):
                    known = self.looked(update) if isinstance(update, LookAgain) else update
                    assert isinstance(known, OrderSnapshot), known
                    found[known.order_id] = known
        return found

    def looked(self, hint: LookAgain) -> Update:
        return MANIFEST.resolve(hint, API.look(self.store, hint), self.shop)

    def heard(self) -> list[Update]:
        self.twin.deliver()
        updates = [update for one in self.our.deliveries for update in MANIFEST.parse(one, self.shop)]
        self.our.deliveries.clear()
        return updates

    def later(self, **span: float) -> None:
        self.clock.moment += timedelta(**span)


Meet = Callable[..., Meeting]


@pytest.fixture
def meet() -> Iterator[Meet]:
    made: list[TwinServer | ShopifyTwin] = []
    webs: list[Web] = []

    def make(**knobs: Any) -> Meeting:
        clock = FixedClock(NOON)
        our = Our(App(), clock)
        server = TwinServer(our.answer, Faults()).__enter__()
        usual = {"application_url": HOME, "redirect_urls": (f"{HOME}/callback",), "webhook_address": HOOKS}
        scopes = (*SCOPES, *OPTIONAL_SCOPES, "read_all_orders")
        twin = ShopifyTwin(
            clock, host=HOST, routes={OURS: server.address}, **(usual | {"scopes": scopes} | knobs)
        ).__enter__()
        made.extend((server, twin))
        our.app = App(twin.settings.client_id, (twin.settings.client_secret,))
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            clock.moment += timedelta(seconds=seconds)

        webs.append(Web(routes=twin.routes, clock=clock, sleep=wait))
        return Meeting(twin, clock, our, webs[-1], waits=waits)

    yield make
    for web in webs:
        web.close()
    for one in made:
        one.__exit__(None, None, None)


@pytest.fixture
def met(meet: Meet) -> Meeting:
    return meet().open()


def hint(order_id: str) -> LookAgain:
    return LookAgain(Subject.ORDER, order_id, order_id, "asked for")


# Connecting


def test_an_app_opened_in_the_admin_is_connected_and_knows_its_shop(met: Meeting) -> None:
    assert met.credentials.expires_at == NOON + timedelta(hours=1)
    found = API.probe(met.store)
    assert (found.name, found.currency, found.timezone) == ("Meltemi Goods", "EUR", "Europe/Berlin")
    assert found.missing_rights == ()
    assert not any("keeps from" in note or "60 days" in note for note in found.notes)


def test_a_stale_launch_is_made_anew_by_app_bridge(meet: Meet) -> None:
    meeting = meet()
    meeting.twin.open_app(id_token=meeting.twin.id_token(age=timedelta(minutes=5)))
    assert len(meeting.our.offers) == 1
    assert CONNECT.prove(meeting.store, meeting.our.offers[0]).values["refresh_token"]


def test_a_forged_launch_offers_nothing_and_turns_in_no_circle(meet: Meet) -> None:
    meeting = meet()
    shown = meeting.twin.open_app(id_token=meeting.twin.id_token(secret="somebody-elses-secret-of-forty-characters"))
    assert len(meeting.our.offers) == 1, "only the fresh token App Bridge gave after it"
    assert shown.text == "app"


def test_an_app_whose_secret_we_do_not_have_says_so_instead_of_turning_in_circles(meet: Meet) -> None:
    meeting = meet()
    meeting.our.app = App(meeting.our.app.client_id, ("shpss_the-wrong-secret-of-this-app-0123",))
    shown = meeting.twin.open_app()
    assert (shown.status, meeting.our.offers) == (400, [])
    assert "CONNECTOR_APP_SECRETS" in shown.text


def test_the_owners_yes_comes_back_to_its_invitation(meet: Meet) -> None:
    meeting = meet()
    links = {"callback": f"https://{OURS}/connect/shopify/{NONCE}/callback"}
    access = Access(HOST, f"https://{HOST}", Credentials(), meeting.our.app)
    assert CONNECT.begin is not None
    meeting.twin.approve(CONNECT.begin(Begin(access, "Connector", links, NONCE)))
    (offer,) = meeting.our.offers
    credentials = CONNECT.prove(meeting.store, offer)
    assert credentials.renewable_until == NOON + timedelta(days=90)
    with pytest.raises(Permanent, match="Open the app"):
        CONNECT.prove(meeting.store, offer)


def test_a_merchants_own_app_needs_only_its_keys(meet: Meet) -> None:
    meeting = meet(public_app=False, topics=())
    meeting.twin.store.install()
    app, meeting.our.app = meeting.our.app, App()
    offer = Offer({"client_id": app.client_id, "client_secret": app.secrets[0]})
    meeting.credentials = CONNECT.prove(meeting.store, offer)
    meeting.later(hours=25)
    meeting.credentials = API.renew(meeting.store) if API.renew else meeting.credentials
    assert API.probe(meeting.store).name == "Meltemi Goods"


def test_keys_of_an_app_for_all_shops_do_not_open_one_by_themselves(meet: Meet) -> None:
    meeting = meet()
    meeting.twin.store.install()
    keys = Offer({"client_id": meeting.our.app.client_id, "client_secret": meeting.our.app.secrets[0]})
    with pytest.raises(Permanent, match="different organisations"):
        CONNECT.prove(meeting.store, keys)


# Access


def renewed(meeting: Meeting) -> Credentials:
    assert API.renew is not None
    return API.renew(meeting.store)


def test_access_is_renewed_before_and_after_it_ran_out(met: Meeting) -> None:
    for hours in (0.9, 2, 24 * 89):
        met.later(hours=hours)
        met.credentials = renewed(met)
        assert API.probe(met.store).name


def test_a_renewal_whose_answer_was_lost_is_made_good_with_the_old_token(met: Meeting) -> None:
    met.twin.lose_refresh_answer(1)
    met.credentials = renewed(met)
    assert API.probe(met.store).name
    met.twin.lose_refresh_answer(3)
    with pytest.raises(Unanswered):
        renewed(met)
    met.later(hours=2)
    met.credentials = renewed(met)
    assert API.probe(met.store).name


def test_access_that_was_not_used_for_90_days_needs_the_merchant(met: Meeting) -> None:
    met.later(days=90)
    with pytest.raises(Permanent, match="Open the app"):
        renewed(met)


def test_a_shop_that_threw_us_out_is_said_and_heard(met: Meeting) -> None:
    met.twin.uninstall()
    with pytest.raises(AccessLost, match="open the app in Shopify once"):
        API.probe(met.store)
    (event,) = [one for one in met.heard() if isinstance(one, ShopEvent)]
    assert event == ShopEvent(ShopEventKind.UNINSTALLED, NOON)


def test_rights_that_were_taken_are_named_by_the_shop_and_by_the_look_at_it(met: Meeting) -> None:
    met.twin.grant("read_orders", "read_customers")
    (event,) = [one for one in met.heard() if isinstance(one, ShopEvent)]
    assert (event.kind, event.words) == (
        ShopEventKind.RIGHTS_CHANGED,
        "the rights are now: read_customers, read_orders",
    )
    missing = API.probe(met.store).missing_rights
    assert {one.split()[0] for one in missing} == set(SCOPES) - {"read_customers"}


def test_the_law_is_heard(met: Meeting) -> None:
    order_id = met.twin.place_order(email="eleni@people.test")
    met.heard()
    met.twin.ask_for_data("eleni@people.test")
    met.twin.redact_customer("eleni@people.test")
    asked, redacted = (one for one in met.heard() if isinstance(one, ShopEvent))
    assert (asked.kind, redacted.kind) == (ShopEventKind.DATA_REQUESTED, ShopEventKind.CUSTOMER_REDACTED)
    assert order_id in asked.order_ids
    assert asked.email == "eleni@people.test"


@pytest.mark.parametrize(("standing", "words"), [("frozen", "unpaid bill"), ("locked", "locked"), ("gone", "no shop")])
def test_a_shop_that_is_away_says_why(met: Meeting, standing: str, words: str) -> None:
    met.twin.settings.standing = standing
    with pytest.raises(Permanent, match=words):
        API.probe(met.store)


def test_a_version_that_ended_is_said_with_the_look_at_the_shop(met: Meeting) -> None:
    met.twin.settings.versions = ("2027-01", "2027-04")
    assert any("2027-01" in note for note in API.probe(met.store).notes)


def test_protected_fields_are_named_and_the_order_counts_without_them(meet: Meet) -> None:
    meeting = meet(approved=frozenset({"data"})).open()
    order_id = meeting.twin.place_order(paid=True)
    found = API.probe(meeting.store)
    (note,) = [one for one in found.notes if "keeps from the app" in one]
    assert all(field in note for field in ("email", "statusPageUrl", "zip"))
    order = meeting.looked(hint(order_id))
    assert isinstance(order, OrderSnapshot)
    assert (order.email, order.status_url) == ("", "")
    meeting.features, before = found.features, meeting.calls()
    assert meeting.looked(hint(order_id)) == order
    assert meeting.calls() == before + 1, "what is known to be hidden is not asked for again"
    assert "Shopify left out order.email" in order.warnings
    (page,) = meeting.sweep(NOON - timedelta(hours=1))
    assert any("orders.email" in one for one in page.notes)
    assert replace(meeting.read([page])[order_id], warnings=()) == replace(order, warnings=())


# Orders


def busy_day(meeting: Meeting) -> dict[str, str]:
    """Orders with everything that can happen to them, by what happened."""
    twin = meeting.twin
    ids = {
        "new": twin.place_order(),
        "paid": twin.place_order(paid=True, locale="el"),
        "foreign": twin.place_order(paid=True, presentment="USD", rate=Decimal("1.10")),
        "sent": twin.place_order(paid=True),
        "cancelled": twin.place_order(),
        "refunded": twin.place_order(paid=True),
        "edited": twin.place_order(paid=True),
    }
    meeting.later(minutes=1)
    parcel = twin.ship(ids["sent"], "GR123", "ACS")
    twin.report(parcel, "OUT_FOR_DELIVERY")
    twin.cancel(ids["cancelled"])
    twin.refund(ids["refunded"], Decimal("5.00"), note="scratched")
    twin.edit(ids["edited"])
    meeting.later(minutes=1)
    return ids


def agrees(meeting: Meeting, read: dict[str, OrderSnapshot]) -> None:
    truth = meeting.twin.truth()
    assert set(read) == set(truth)
    for order_id, true in truth.items():
        order = read[order_id]
        numbers = {one.number for parcel in order.shipments for one in parcel.tracking}
        assert (order.number, order.total, order.refunded_total, numbers) == (
            true.number,
            true.total,
            true.refunded,
            set(true.tracking_numbers),
        )
        assert order.status_word == true.status_word


def test_a_sweep_tells_every_order_as_it_is(met: Meeting) -> None:
    busy_day(met)
    agrees(met, met.read(met.sweep(NOON - timedelta(hours=1))))


def test_a_sweep_a_look_and_a_webhook_tell_the_same_order(met: Meeting) -> None:
    ids = busy_day(met)
    swept = met.read(met.sweep(NOON - timedelta(hours=1)))
    heard = {one.order_id: one for one in met.heard() if isinstance(one, OrderSnapshot)}
    for name in ("new", "paid", "foreign", "cancelled"):
        looked = met.looked(hint(ids[name]))
        assert looked == swept[ids[name]]
        # Only the API tells when money came in.
        assert replace(
            heard[ids[name]], paid_at=None, updated_at=looked.updated_at, warnings=looked.warnings
        ) == replace(swept[ids[name]], paid_at=None)


def test_every_hint_can_be_looked_at(met: Meeting) -> None:
    busy_day(met)
    hints = [one for one in met.heard() if isinstance(one, LookAgain)]
    assert hints
    for one in hints:
        assert isinstance(met.looked(one), OrderSnapshot)


def test_an_order_that_was_deleted_is_gone(met: Meeting) -> None:
    order_id = met.twin.place_order()
    met.twin.delete_order(order_id)
    assert "no longer exists" in getattr(met.looked(hint(order_id)), "reason", "")


def test_an_order_with_many_lines_is_whole_by_way_of_a_look(met: Meeting) -> None:
    many = met.twin.place_order(lines=[GOODS[0]] * 300)
    pages = met.sweep(NOON - timedelta(hours=1))
    assert len(met.read(pages)[many].lines) == 300


def test_history_is_read_whole_and_cheaply(met: Meeting) -> None:
    met.twin.grow(300, since=NOON - timedelta(days=50))
    before, spent = met.calls(), met.twin.api.spent
    agrees(met, met.read(met.sweep(NOON - timedelta(days=51))))
    calls, points = met.calls() - before, met.twin.api.spent - spent
    assert calls == 3, "100 orders a call"
    assert points / 300 < 9, "points an order"


def test_nothing_is_missed_while_orders_move_under_the_sweep(met: Meeting) -> None:
    met.twin.grow(210, since=NOON - timedelta(days=5))
    ids = sorted(met.twin.truth(), key=int)
    moving = iter(ids[::3])

    def between() -> None:
        for _ in range(20):
            met.twin.write_note(next(moving, ids[0]), "moved")
        met.twin.place_order(paid=True)

    read = met.read(met.sweep(NOON - timedelta(days=6), between))
    assert set(ids) <= set(read)


def test_an_import_waits_out_the_points_of_a_small_plan(meet: Meet) -> None:
    meeting = meet(bucket=900.0, restore_rate=20.0).open()
    meeting.twin.grow(250, since=NOON - timedelta(days=5))
    pages = [API.changes(meeting.store, NOON - timedelta(days=6), "")]
    refused: list[timedelta] = []
    while pages[-1].cursor and len(refused) < 20:
        try:
            pages.append(API.changes(meeting.store, NOON - timedelta(days=6), pages[-1].cursor))
        except Throttled as refusal:
            refused.append(refusal.after or timedelta())
            meeting.later(seconds=refused[-1].total_seconds())
    assert refused
    assert all(refused)
    agrees(meeting, meeting.read(pages))


# Faults


def test_a_short_refusal_is_waited_out(met: Meeting) -> None:
    met.twin.faults.throttle = 2
    assert API.probe(met.store).name
    assert len(met.waits) == 2
    met.twin.settings.throttles_by_status, met.twin.faults.throttle = True, 1
    assert API.probe(met.store).name
    assert met.waits[-1] == 2.0


@pytest.mark.parametrize("inside", [False, True])
def test_an_error_of_the_platforms_is_asked_again(met: Meeting, inside: bool) -> None:
    met.twin.settings.fails_inside, met.twin.faults.fail = inside, 2
    assert API.probe(met.store).name
    met.twin.faults.fail = 3
    with pytest.raises(Retryable):
        API.probe(met.store)


def test_a_shop_that_hangs_is_left_after_its_time(met: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.shopify.client.READ_SECONDS", 0.05)
    met.twin.faults.hang_seconds = 0.3
    with pytest.raises(Retryable):
        API.probe(met.store)
    met.twin.faults.hang_seconds = 0.0


# Webhooks


def test_the_operators_app_is_heard_without_a_subscription_of_ours(met: Meeting) -> None:
    assert API.subscribe is not None
    subscribed = API.subscribe(met.store, ENDPOINT)
    assert {one.state for one in subscribed.subscriptions} == {SubscriptionState.UNKNOWN}
    met.twin.place_order()
    assert any(isinstance(one, OrderSnapshot) for one in met.heard())
    assert met.twin.subscriptions == []


def own_app(meet: Meet) -> Meeting:
    meeting = meet(public_app=False, topics=())
    meeting.twin.store.install()
    app, meeting.our.app = meeting.our.app, App()
    assert CONNECT.signs_with is not None
    meeting.credentials = CONNECT.prove(
        meeting.store, Offer({"client_id": app.client_id, "client_secret": app.secrets[0]})
    )
    meeting.our.secrets = CONNECT.signs_with(meeting.credentials)
    return meeting


def test_a_merchants_own_app_is_heard_and_its_deleted_webhooks_come_back(meet: Meet) -> None:
    meeting = own_app(meet)
    assert API.subscribe is not None
    assert API.unsubscribe is not None
    made = API.subscribe(meeting.store, ENDPOINT)
    assert {one.topic for one in made.subscriptions} == {*ORDERS, *LIFE_CYCLE}
    assert {one.state for one in made.subscriptions} == {SubscriptionState.ACTIVE}
    meeting.twin.place_order()
    assert len([one for one in meeting.heard() if isinstance(one, OrderSnapshot)]) >= 1
    assert API.subscribe(meeting.store, ENDPOINT).repairs == ()
    meeting.twin.break_subscription()
    assert len(API.subscribe(meeting.store, ENDPOINT).repairs) == len(made.subscriptions)
    API.unsubscribe(meeting.store, ENDPOINT)
    assert meeting.twin.subscriptions == []


def test_leaving_uninstalls_the_operators_app(met: Meeting) -> None:
    assert API.unsubscribe is not None
    API.unsubscribe(met.store, ENDPOINT)
    assert met.twin.accounts.installed_at is None
    API.unsubscribe(met.store, ENDPOINT)


# Writing back


def lost(met: Meeting, write: Callable[[], str]) -> str:
    """Write with an answer that is lost, and again; how a try after a lost answer goes."""
    met.twin.faults.cut = 1
    with pytest.raises(Unanswered):
        write()
    return write()


def test_a_parcel_whose_answer_was_lost_is_there_once_and_nobody_was_mailed(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    push = ShipmentPush("i-1", order_id, "GR 123", "ACS", "https://acs.example/GR123")
    assert API.pushes.shipment is not None
    told = lost(met, lambda: API.pushes.shipment(met.store, push) if API.pushes.shipment else "")
    (parcel,) = met.twin.shipments(order_id)
    assert str(parcel.id) in told
    assert met.twin.truth()[order_id].tracking_numbers == {"GR 123"}
    assert [mail for mail in met.twin.mails if "GR 123" in str(mail)] == []


def test_a_parcel_with_some_lines_leaves_the_others(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    order = met.looked(hint(order_id))
    assert isinstance(order, OrderSnapshot)
    assert API.pushes.shipment is not None
    first = ((order.lines[0].line_id, Decimal(1)),)
    API.pushes.shipment(met.store, ShipmentPush("i-1", order_id, "A1", items=first))
    API.pushes.shipment(met.store, ShipmentPush("i-2", order_id, "A2"))
    read = met.looked(hint(order_id))
    assert isinstance(read, OrderSnapshot)
    assert [one.tracking[0].number for one in read.shipments] == ["A1", "A2"]
    assert [(item.line_id, item.quantity) for item in read.shipments[0].items] == list(first)
    with pytest.raises(Permanent, match="nothing of this order is left"):
        API.pushes.shipment(met.store, ShipmentPush("i-3", order_id, "A3"))


def test_what_is_held_back_is_not_sent(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    met.twin.hold(order_id)
    assert API.pushes.shipment is not None
    with pytest.raises(Permanent, match="release the hold"):
        API.pushes.shipment(met.store, ShipmentPush("i-1", order_id, "A1"))


def test_a_number_whose_answer_was_lost_is_there_once_beside_the_others(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    parcel = met.twin.ship(order_id, "A1", "ACS")
    push = ShipmentPush("i-1", order_id, "B2", shipment_id=parcel)
    lost(met, lambda: API.pushes.shipment(met.store, push) if API.pushes.shipment else "")
    assert [one.number for one in met.twin.shipments(order_id)[0].tracking] == ["A1", "B2"]


def test_an_event_whose_answer_was_lost_is_there_once_and_comes_back_as_itself(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    parcel = met.twin.ship(order_id, "A1", "ACS")
    met.heard()
    push = StatusPush("i-1", order_id, parcel, ShipmentStatus.OUT_FOR_DELIVERY, NOON - timedelta(minutes=5), "A1")
    told = lost(met, lambda: API.pushes.status(met.store, push) if API.pushes.status else "")
    assert told == "Shopify has it already"
    assert len(met.twin.shipments(order_id)[0].events) == 1
    read = met.looked(hint(order_id))
    assert isinstance(read, OrderSnapshot)
    assert read.shipments[0].status is ShipmentStatus.OUT_FOR_DELIVERY


def test_the_invoices_address_stands_on_the_order(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    push = LinkPush("i-1", order_id, "INV-1", "https://connector.example.com/d/abc")
    lost(met, lambda: API.pushes.invoice_link(met.store, push) if API.pushes.invoice_link else "")
    assert met.twin.metafields(order_id) == {"invoice_url": "https://connector.example.com/d/abc"}


def test_a_push_without_its_right_says_which_click_gives_it(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    parcel = met.twin.ship(order_id, "A1", "ACS")
    met.twin.grant("read_orders")
    assert API.pushes.status is not None
    with pytest.raises(Permanent, match="open the app in Shopify"):
        API.pushes.status(met.store, StatusPush("i", order_id, parcel, ShipmentStatus.DELIVERED, NOON))


def test_a_throttled_push_comes_back_later(met: Meeting) -> None:
    order_id = met.twin.place_order(paid=True)
    met.twin.faults.throttle = 9
    assert API.pushes.shipment is not None
    with pytest.raises(Busy) as refusal:
        API.pushes.shipment(met.store, ShipmentPush("i-1", order_id, "A1"))
    assert refusal.value.after


def test_no_request_carries_a_secret_in_its_address(met: Meeting) -> None:
    API.probe(met.store)
    assert json.dumps(sorted(met.twin.server.calls)).count("shp") == 0
