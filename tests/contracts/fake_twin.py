"""The fake platform as a twin: its shop's acts queue signed webhooks, its page asks, its API misbehaves."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from adapters.contract import Manifest
from adapters.http import Answer as HttpAnswer
from adapters.http import Busy, Failed, Unanswered
from adapters.twins import Answered, Faults, Postman, Truth, TwinServer
from connector.domain.clock import Clock
from tests.fake_api import TOPICS, FakeApi, FakeShop
from tests.fake_connect import TOKEN
from tests.fake_platform import encoded, order_document, refund_document, shipment_document, signed_headers


@dataclass
class _Shop(FakeShop):
    """A shop whose calls fail as ordered."""

    faults: Faults = field(default_factory=Faults)
    meanwhile: Callable[[], None] = lambda: None
    """What happens with each call, before it is answered."""

    def begin(self, name: str) -> None:
        super().begin(name)
        self.meanwhile()
        if self.faults.hang_seconds:
            raise Unanswered("the fake shop did not finish its answer in time")
        if self.faults.take("throttle"):
            raise Busy("the fake shop is busy", after=timedelta(seconds=2))
        if self.faults.take("fail"):
            raise Failed("the fake shop has an error of its own", HttpAnswer(500, {}, b""))


class FakeTwin:
    """See `adapters.twins.Twin`; its API is asked within this process."""

    platform = "fake"

    def __init__(self, clock: Clock, *, host: str, routes: Mapping[str, str] | None = None) -> None:
        self.host, self.base = host, f"https://{host}"
        self.faults = Faults()
        self.server = TwinServer(lambda _: Answered(404), self.faults)
        self.api = FakeApi()
        self.shop = _Shop(faults=self.faults)
        self.api.shops[host] = self.shop
        self._clock = clock
        self._postman = Postman(routes or {})
        self._waiting: list[tuple[str, bytes]] = []
        self._numbers = itertools.count(1)
        self._left = 0

    @property
    def manifest(self) -> Manifest:
        return self.api.manifest

    @property
    def routes(self) -> Mapping[str, str]:
        return {self.host: self.server.address}

    @property
    def mails(self) -> Sequence[object]:
        """It never mails anybody."""
        return ()

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)

    def approve(self, link: str) -> str:
        """Say yes on the shop's page: its server hands a token over, the browser goes back."""
        asked = dict(parse_qsl(urlsplit(link).query))
        back = asked["back"]
        words = json.dumps({"token": TOKEN, "nonce": asked["state"]}).encode()
        self._postman.post(back.replace("/return", "/callback"), {"Content-Type": "application/json"}, words)
        self._postman.post(f"{back}?yes=1", {}, b"")
        return f"{back}?yes=1"

    def uninstall(self) -> None:
        self.shop.tokens.clear()

    def place_order(self, **changes: object) -> str:
        number = str(1000 + next(self._numbers))
        paid = bool(changes.pop("paid", False))
        given = {"id": number, "number": f"F-{number}", "placed_at": self._now()} | dict(changes)
        self._put(order_document(**given, payment="paid" if paid else "pending", state="open"), "order.created")
        return number

    def pay(self, order_id: str) -> None:
        self._change(order_id, payment="paid")

    def ship(self, order_id: str, number: str = "", carrier: str = "") -> str:
        name = f"S{next(self._numbers)}"
        given = {"id": name, "updated_at": self._now(), "shipped_at": self._now(), "numbers": [number] * bool(number)}
        parcel = shipment_document(**given, carrier=carrier)
        self._change(order_id, shipments=[*self.shop.orders[order_id]["shipments"], parcel])
        return name

    def cancel(self, order_id: str) -> None:
        self._change(order_id, state="cancelled", cancelled_at=self._now())

    def refund(self, order_id: str, amount: Decimal) -> None:
        refund = refund_document(id=f"R{next(self._numbers)}", amount=str(amount), at=self._now())
        self._change(order_id, refunds=[*self.shop.orders[order_id]["refunds"], refund])

    def truth(self) -> Mapping[str, Truth]:
        return {order_id: _truth(document) for order_id, document in self.shop.orders.items()}

    def deliver(self) -> int:
        due, self._waiting = self._waiting, []
        if self.faults.reorder:
            due.reverse()
        return sum(self._send(topic, body) for topic, body in due)

    def break_subscription(self) -> None:
        self.shop.topics.clear()

    def grow(self, orders: int, *, since: datetime) -> None:
        step = (self._clock.now() - since) / max(orders, 1)
        for place in range(orders):
            number, moment = str(1000 + next(self._numbers)), _words(since + step * place)
            self.shop.put(order_document(id=number, number=f"F-{number}", placed_at=moment, updated_at=moment))

    def _now(self) -> str:
        return _words(self._clock.now())

    def _change(self, order_id: str, **changes: Any) -> None:
        self._put(self.shop.orders[order_id] | changes, "order.updated")

    def _put(self, document: dict[str, Any], topic: str) -> None:
        self._waiting.append((topic, encoded(self.shop.put(document | {"updated_at": self._now()}))))

    def _send(self, topic: str, body: bytes) -> int:
        endpoint = self.shop.endpoint
        if endpoint is None or topic not in self.shop.topics:
            return 0
        self._left += 1
        if self.faults.silent or (self.faults.lose_every and self._left % self.faults.lose_every == 0):
            return 0
        headers = signed_headers(body, secret=endpoint.secret, delivery_id=f"d-{self._left}")
        copies = 2 if self.faults.duplicate else 1
        return sum(self._postman.post(endpoint.address, headers, body) == 200 for _ in range(copies))


def another_topic() -> str:
    """One that nobody asked for."""
    return f"{TOPICS[0]}.else"


def _words(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _truth(document: Mapping[str, Any]) -> Truth:
    return Truth(
        order_id=document["id"],
        number=document["number"],
        status_word=document["state"],
        total=Decimal(document["total"]),
        refunded=sum((Decimal(refund["amount"]) for refund in document["refunds"]), Decimal(0)),
        tracking_numbers=frozenset(number for parcel in document["shipments"] for number in parcel["numbers"]),
    )
