"""A whole service and a stand-in shop face to face: our pages and door on one side, the shop's API on the other."""

import html
import itertools
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from cryptography.fernet import Fernet
from jinja2.bccache import Bucket, BytecodeCache

from adapters.contract import Api, Manifest, Store
from adapters.http import Answer, Request, Web
from adapters.transport import Resolve
from adapters.twins import Answered, Asked, Faults, Truth, TwinServer
from connector import connecting
from connector.app import build_door, build_service, create_app
from connector.domain.clock import FixedClock
from connector.domain.connection import Found
from connector.domain.delivery import Delivery, Source, Update
from connector.domain.order import Address
from connector.domain.record import OrderRecord
from connector.domain.shop import Seller, Shop, Voice
from connector.domain.signing import HmacSignature
from connector.domain.timeline import Tag
from connector.flow.service import Service
from connector.settings import Settings
from connector.tables import connections, inbox, orders, shops, sweeps
from connector.tables.connections import Connection, Vault
from connector.tables.sweeps import Sweep, SweepKind
from notifications import history, outbox, writing_back
from notifications.history import Said
from notifications.kinds import Notification
from tests.contracts.counterparts import Counterpart, counterpart
from tests.fakes import FakeChannel
from webhooks.endpoints import PREFIX, Door
from webhooks.endpoints import Answer as DoorAnswer
from webhooks.verification import sign

OURS = "connector.example.com"
ADDRESS = f"https://{OURS}"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MOST_TURNS = 20_000
TRUST = ssl.create_default_context()
"""Made once: nothing here is asked by https."""
Span = float
SELLER = Seller(legal_name="Meltemi Goods OE", address=Address(lines=("Ermou 1",), city="Athina", country="GR"))


class ImpatientWeb(Web):
    """Waits for each answer as long as a test may."""

    patience = 10.0
    """Seconds."""

    def ask(self, make: Callable[[], Request], *, tries: int = 1, read_seconds: float = 30.0, **more: Any) -> Answer:
        return super().ask(make, tries=tries, read_seconds=min(read_seconds, self.patience), **more)


class _Templates(BytecodeCache):
    """Each template is compiled once, and not for each service anew."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = _Templates()


class Front:
    """Our address: whatever service stands behind it just now answers, pages by Flask and webhooks by the door."""

    def __init__(self) -> None:
        self.server = TwinServer(self._answer, Faults())
        self.heard: list[tuple[Asked, int]] = []
        """Webhooks that came, with how they were answered."""
        self.visits: list[tuple[Asked, Answered]] = []
        self._service: Service | None = None
        self._door: Door | None = None

    def stand_before(self, service: Service) -> None:
        """From now on this service answers."""
        self.step_back()
        self._service, self._door = service, build_door(service)
        pages = create_app(service)
        pages.jinja_env.bytecode_cache = TEMPLATES
        self._pages = pages.test_client(use_cookies=False)

    def step_back(self) -> None:
        """Nobody is at home."""
        if self._door is not None:
            self._door.stop()
        self._door = None

    def visit(self, asked: Asked) -> Answered:
        """A page, as a browser or a platform's server asks for it."""
        target = asked.path + (f"?{asked.query}" if asked.query else "")
        headers = [(name, value) for name, value in asked.headers.items() if name != "content-length"]
        answer = self._pages.open(target, method=asked.method, headers=headers, data=asked.body, base_url=ADDRESS)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_WIRE}
        answered = Answered(answer.status_code, answer.data, kept, answer.headers.get("Content-Type", ""))
        self.visits.append((asked, answered))
        return answered

    def post(self, asked: Asked) -> int:
        """A webhook; the status it is answered with."""
        return self._answer(asked).status

    def _answer(self, asked: Asked) -> Answered:
        if self._door is None:
            return Answered(503)
        if not asked.path.startswith(PREFIX):
            return self.visit(asked)
        answer = _through(self._door, asked)
        self.heard.append((asked, answer.status))
        return Answered(answer.status, answer.body, dict(answer.headers), answer.content_type)


_OF_THE_WIRE = frozenset({"content-length", "content-type", "server", "date", "connection"})


def _through(door: Door, asked: Asked) -> DoorAnswer:
    knock = door.knock(asked.method, asked.path, asked.query, asked.headers.items(), peer="127.0.0.1:1")
    if isinstance(knock, DoorAnswer):
        return knock
    entered = door.enter(knock, asked.body)
    if isinstance(entered, DoorAnswer):
        return entered
    written, reply = entered
    written.exception(timeout=10)
    return door.written(knock, written, reply)


class Town:
    """A service on a database, a twin, and the way between them; nothing happens but what a test lets happen."""

    def __init__(
        self,
        platform: str,
        database_url: str,
        *,
        own_app: bool = False,
        web: Callable[..., Web] = ImpatientWeb,
        history_days: int = 90,
        private_addresses: bool = False,
        resolve: Resolve | None = None,
        **knobs: Any,
    ) -> None:
        """`own_app`: no app of the operator's is set, so the merchant brings keys. `resolve`: how names that have no
        route are looked up. `knobs`: of the twin."""
        self.platform = platform
        self.clock = FixedClock(NOW)
        self.front = Front()
        self.channel = FakeChannel()
        self.there: Counterpart = counterpart(
            platform, self.clock, {OURS: self.front.server.address}, own_app=own_app, **knobs
        )
        self.twin = self.there.twin
        self.waits: list[float] = []
        app = self.there.app()
        self._web = web
        self._resolve = resolve
        self.settings = Settings(
            database_url=database_url,
            secret_keys=(Fernet.generate_key().decode(),),
            address=ADDRESS,
            history_days=history_days,
            private_addresses=private_addresses,
            refusals_per_minute=1_000_000,
            app_ids=(f"{platform}:{app.client_id}",) if app.client_id else (),
            app_secrets=tuple(f"{platform}:{secret}" for secret in app.secrets),
        )
        self.service = self._build()
        self.nonce = ""
        self._others: list[Service] = []
        self._is_closed = False

    def __enter__(self) -> Self:
        self.front.server.__enter__()
        self.twin.__enter__()
        self.front.stand_before(self.service)
        return self

    def __exit__(self, *error: object) -> None:
        """May be repeated."""
        if self._is_closed:
            return
        self._is_closed = True
        self.close_service()
        self.twin.__exit__(None, None, None)
        self.front.server.__exit__(None, None, None)

    # Our side

    @property
    def manifest(self) -> Manifest:
        return self.there.manifest

    @property
    def api(self) -> Api:
        assert self.manifest.api is not None
        return self.manifest.api

    def restart(self) -> None:
        """The process is gone and another one begins with what is in the database."""
        self.close_service()
        self.service = self._build()
        self.front.stand_before(self.service)
        self.service.recover.start_alone()

    def rotate(self, old: str, new: str) -> None:
        """The operator puts a new secret of the app in front of the old one, and starts again."""
        secrets = (f"{self.platform}:{new}", f"{self.platform}:{old}")
        self.settings = replace(self.settings, app_secrets=secrets)
        self.restart()

    def close_service(self) -> None:
        self.front.step_back()
        for service in (self.service, *self._others):
            service.send_outbox.stop()
            service.stop_asking()
            service.database.close()
        self._others.clear()

    def another_service(self) -> Service:
        """A second worker on the same database; it ends with the first."""
        self._others.append(self._build())
        return self._others[-1]

    def pass_by(self, **span: Span) -> None:
        """Nothing but time."""
        self.clock.moment += timedelta(**span)

    def work(self) -> None:
        """All that is due now, until nothing is: until each flow in turn found nothing to do."""
        quiet, flows = 0, self._flows()
        for flow in itertools.islice(itertools.cycle(flows), MOST_TURNS):
            quiet = 0 if flow() else quiet + 1
            if quiet == len(flows):
                return
        raise AssertionError("the work does not end")

    def work_once(self) -> int:
        """Each flow once; how much they did."""
        return sum(flow() for flow in self._flows())

    def _flows(self) -> tuple[Callable[[], int], ...]:
        service = self.service
        return (
            service.process_inbox.run,
            service.tend_connections.run,
            service.reconcile.run,
            service.watch_parcels.run,
            service.renew_credentials.run,
            service.look_again.run,
            service.issue_documents.run,
            service.send_outbox.run,
            service.write_back.run,
            service.erase.run,
        )

    def later(self, **span: Span) -> None:
        """Move the clock, then work."""
        self.clock.moment += timedelta(**span)
        self.work()

    def pass_time(self, *, minutes: Span, step: Span = 5) -> None:
        """Live for a while: webhooks that are due come in, and everything due is done."""
        until = self.clock.moment + timedelta(minutes=minutes)
        while self.clock.moment < until:
            self.clock.moment = min(until, self.clock.moment + timedelta(minutes=step))
            self.twin.deliver()
            self.work()

    def sweep_now(self) -> None:
        """Look for changes at this very moment."""
        with self.service.database.write() as connection:
            sweeps.hasten(connection, self.shop.shop_id, self.clock.now())
        self.work()

    def hear(self, **span: Span) -> int:
        """What the shop sends now (after a while, if one is given); how many webhooks arrived."""
        self.clock.moment += timedelta(**(span or {"seconds": 1}))
        arrived = self.twin.deliver()
        self.work()
        return arrived

    # Connecting

    def invite(self, host_or_base: str = "") -> str:
        """The link of an invitation, as `connector shop connect` makes it."""
        connect = self.manifest.connect
        assert connect is not None
        host, base = connect.base(host_or_base or self.twin.base)
        service, now = self.service, self.clock.now()
        with service.database.write() as connection:
            shop = connecting.find_or_make(connection, self.platform, host, base, service.seal, now)
            self.nonce = connecting.invitation(connection, shop, service.seal, now)
        service.shops.forget()
        return f"{ADDRESS}/connect/{self.platform}/{self.nonce}"

    def open_link(self, link: str) -> str:
        """The merchant opens an invitation and goes where it leads, or stays on its page where it leads nowhere."""
        text = self.get(link).body.decode()
        found = re.search(r'<a role="button" class="wide" href="([^"]+)"', text)
        return html.unescape(found[1]) if found else link

    def say_yes(self) -> str:
        """By the invitation's link, as the merchant does it; where the browser ended."""
        return self.twin.approve(self.open_link(self.invite()))

    def paste(self, values: Mapping[str, str], link: str = "") -> Answered:
        """Keys into the invitation's form."""
        path = urlsplit(link or self.invite()).path
        return self.front.visit(_form(f"{path}/keys", values))

    def get(self, address: str, **headers: str) -> Answered:
        parts = urlsplit(address)
        return self.front.visit(Asked("GET", parts.path, parts.query, {"host": OURS, **headers}, b""))

    def connect(self, *, pasted: bool = False) -> Self:
        """Connected and at work, history read."""
        if pasted:
            self.paste(self.there.keys())
        else:
            self.say_yes()
        self.work()
        return self

    def speak(self) -> Self:
        """The merchant says who they are, and lets us speak about everything and write everything back."""
        voices = dict.fromkeys(("push_status", "push_note", "push_invoice_link"), Voice.US)
        shop = replace(self.shop, default_voice=Voice.US, voices=voices, seller=SELLER)
        with self.service.database.write() as connection:
            shops.change(connection, shop.shop_id, lambda _: shop)
        self.service.shops.forget()
        return self

    def order_to_ship(self, order_id: str, number: str, shipment_id: str = "") -> None:
        """The merchant enters a number here, as `connector order ship` does."""
        now, record = self.clock.now(), self.records()[order_id]
        writing = writing_back.parcel(number, "DHL", "", shipment_id, (), now)
        decision = writing_back.decide(record, self.shop, writing, now, ordered=True)
        assert isinstance(decision, Notification)
        with self.service.database.write() as connection:
            outbox.enqueue(self.service.database, connection, [(decision, "")], now)

    def signature(self, body: bytes) -> str:
        """As the platform makes it for us, by the operator's app or the shop's own secret."""
        scheme = self.manifest.signatures[0]
        assert isinstance(scheme, HmacSignature)
        with self.service.database.read() as connection:
            own = shops.secrets_of(connection, self.shop.shop_id, self.service.seal).shared
        return sign(scheme, body, (*self.settings.app_secrets_of(self.platform), *own)[0])

    # What is known

    @property
    def all_shops(self) -> list[Shop]:
        with self.service.database.read() as connection:
            return shops.everyone(connection)

    @property
    def shop(self) -> Shop:
        (only,) = self.all_shops
        return only

    @property
    def connection(self) -> Connection:
        return self.connection_of(self.shop)

    def connection_of(self, shop: Shop) -> Connection:
        with self.service.database.read() as connection:
            found = connections.get(connection, shop.shop_id)
        assert found is not None
        return found

    @property
    def vault(self) -> Vault:
        return self.vault_of(self.shop)

    def vault_of(self, shop: Shop) -> Vault:
        with self.service.database.read() as connection:
            return connections.open_vault(connection, shop.shop_id, self.service.seal)[0]

    def sweep(self, kind: SweepKind = SweepKind.CHANGES) -> Sweep | None:
        with self.service.database.read() as connection:
            return sweeps.of_shop(connection, self.shop.shop_id).get(kind)

    def store(self) -> Store:
        """The shop's platform, as the flows ask it."""
        return self.service.stores.open(self.shop)

    def all_found(self, since: datetime = NOW - timedelta(days=90)) -> list[Found]:
        """What changed since then, page by page."""
        found: list[Found] = []
        page = self.api.changes(self.store(), since, "")
        while True:
            assert page.notes == ()
            found += page.found
            if not page.cursor:
                return found
            page = self.api.changes(self.store(), since, page.cursor)

    def read_found(self, one: Found) -> tuple[Update, ...]:
        """What such a document says."""
        return self.api.read(Delivery(self.platform, {}, one.body, NOW, one.about, Source.SWEEP), self.shop)

    def records(self) -> dict[str, OrderRecord]:
        with self.service.database.read() as connection:
            found = orders.newest(connection, self.shop.shop_id, limit=100_000)
        return {record.order_id: record for record in found}

    def known(self) -> dict[str, Truth]:
        """Our orders in the form of the twin's own truth."""
        return {order_id: as_truth(record) for order_id, record in self.records().items() if record.snapshot}

    def differing(self) -> set[str]:
        """Orders that stand otherwise with us than in the shop."""
        ours, theirs = self.known(), dict(self.twin.truth())
        return {order_id for order_id in {*ours, *theirs} if ours.get(order_id) != theirs.get(order_id)}

    def inbox(self) -> dict[str, int]:
        with self.service.database.read() as connection:
            return inbox.counts(connection)

    def said(self, order_id: str) -> list[Said]:
        with self.service.database.read() as connection:
            return history.of_order(connection, self.shop.shop_id, order_id)

    def untold(self) -> set[tuple[str, str]]:
        """Which pieces of which orders stand otherwise in the shop than with us, by the twin's own word: the order
        itself, and where the platform has documents of their own for them each parcel and the refunds."""
        found: set[tuple[str, str]] = set()
        records, known = self.records(), self.known()
        for order_id, truth in self.twin.truth().items():
            mine, record = known.get(order_id), records.get(order_id, OrderRecord("", order_id))
            if self.there.tells_parcels_apart:
                numbers = {one.number for parcel in record.parcels for one in parcel.tracking}
                found |= {(order_id, number) for number in truth.tracking_numbers - numbers}
                found |= {(order_id, "refund")} if truth.refunded != as_refunded(record) else set()
                truth = replace(truth, tracking_numbers=mine.tracking_numbers if mine else frozenset())
            finished = self.there.is_finished(order_id) and not record.knows(Tag.ORDER_COMPLETED)
            found |= {(order_id, "order")} if mine != truth or finished else set()
        return found

    def told(self, order_id: str) -> list[str]:
        """What the customer was mailed about an order."""
        return [
            one.notification.kind for one in self.said(order_id) if one.sent_at and "@" in one.notification.recipient
        ]

    def _build(self) -> Service:
        def wait(seconds: float) -> None:
            self.waits.append(seconds)
            self.clock.moment += timedelta(seconds=seconds)

        return build_service(
            self.settings,
            clock=self.clock,
            channels={"email": self.channel},
            manifest={self.platform: self.there.manifest}.__getitem__,
            web=self._web(
                routes=self.twin.routes,
                clock=self.clock,
                sleep=wait,
                trust=TRUST,
                resolve=self._resolve,
                private_addresses=self.settings.private_addresses,
            ),
            asking_threads=0,
        )


@contextmanager
def towns(folder: Path) -> Iterator[Callable[..., Town]]:
    """Makes towns, each on a database of its own in this folder unless one is given."""
    made: list[Town] = []

    def make(platform: str, database_url: str = "", **named: Any) -> Town:
        url = database_url or f"sqlite:///{folder}/connector-{len(made)}.db"
        made.append(Town(platform, url, **named).__enter__())
        return made[-1]

    try:
        yield make
    finally:
        for town in made:
            town.__exit__(None, None, None)


def as_truth(record: OrderRecord) -> Truth:
    """An order of ours as a twin would state it."""
    snapshot = record.snapshot
    assert snapshot is not None
    return Truth(
        order_id=record.order_id,
        number=snapshot.number,
        status_word=snapshot.status_word,
        total=snapshot.total,
        refunded=as_refunded(record),
        tracking_numbers=frozenset(one.number for parcel in record.parcels for one in parcel.tracking),
    )


def as_refunded(record: OrderRecord) -> Decimal:
    """All that was given back."""
    return sum((refund.amount for refund in record.refunds), Decimal(0))


def _form(path: str, values: Mapping[str, str]) -> Asked:
    headers = {"host": OURS, "content-type": "application/x-www-form-urlencoded"}
    return Asked("POST", path, "", headers, urlencode(values).encode())
