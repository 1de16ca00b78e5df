"""What a shop sends: the queue and retries of Mage-OS async-events, and unsigned pings as Mageplaza's module posts."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.magento.twin_errors import Refused, internal_error, no_such_entity, php_json
from adapters.twins import Faults, Postman, Reply
from connector.domain.clock import Clock
from connector.domain.signing import Encoding, HmacSignature
from webhooks.verification import sign

SIGNATURE = HmacSignature(headers=("x-magento-signature",), encoding=Encoding.HEX)
MOST_DEATHS = 5
PINGED = {
    "order.saved": "order",
    "sales.shipment.created": "shipment",
    "shipment.saved": "shipment",
    "sales.invoice.created": "invoice",
    "sales.creditmemo.created": "creditmemo",
}
"""Saves a ping tells of, by the hook's own word."""


@dataclass(slots=True)
class Subscription:
    """A row of the module's table. The address can never be changed, and nothing stops a second one like it."""

    subscription_id: int
    event_name: str
    recipient_url: str
    verification_token: str = field(repr=False)
    subscribed_at: datetime
    status: bool = True
    metadata: str = "http"
    store_id: int = 0

    def document(self, *, fresh: bool = False) -> dict[str, object]:
        """Without its secret. `fresh`: as the answer to its creation writes the moment."""
        at = self.subscribed_at
        return {
            "subscription_id": self.subscription_id,
            "event_name": self.event_name,
            "recipient_url": self.recipient_url,
            "status": self.status,
            "subscribed_at": at.strftime("%Y-%m-%dT%H:%M:%S+00:00" if fresh else "%Y-%m-%d %H:%M:%S"),
            "store_id": self.store_id,
        }


@dataclass(frozen=True, slots=True)
class Pinger:
    """Where a Mageplaza-like hook posts, and the static header the merchant gave it."""

    url: str
    header: str
    secret: str = field(repr=False)
    broken: bool = False
    """An error in the merchant's template: the body is empty."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message in a queue: an event to be looked at, a retry, or a ping."""

    due: datetime
    event: str = ""
    about: int = 0
    body: bytes = field(default=b"", repr=False)
    subscription_id: int = 0
    deaths: int = 0
    ping: Pinger | None = None


class Events:
    """Queues of outgoing messages; nothing leaves before `deliver`."""

    def __init__(
        self,
        clock: Clock,
        postman: Postman,
        faults: Faults,
        describe: Callable[[str, int], object | None],
        *,
        installed: bool,
    ) -> None:
        """`describe`: the REST document an event is about, as it is when asked; None when it is not there.
        `installed`: the async-events module is."""
        self.subscriptions: dict[int, Subscription] = {}
        self.pinger: Pinger | None = None
        self.dead: list[str] = []
        """Events given up after all retries."""
        self._clock = clock
        self._postman = postman
        self._faults = faults
        self._describe = describe
        self._installed = installed
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._ids = itertools.count(1)
        self._left = 0

    def publish(self, event: str, about: int, at: datetime) -> None:
        """Something happened; async-events learn it when its transaction commits, a ping goes out before that."""
        if self._installed and event.startswith("sales."):
            self._wait(_Waiting(at, event, about))
        if self.pinger is not None and event in PINGED:
            body = b"" if self.pinger.broken else php_json({"event": PINGED[event], "id": about})
            self._wait(_Waiting(self._clock.now(), event, about, body, ping=self.pinger))

    def save(self, given: object) -> dict[str, object]:
        """POST and PUT of `/V1/async_event`: with an id the status is set, without one a row is added.

        Raises Refused. Nobody checks whether there is such an event.
        """
        if not isinstance(given, dict):
            raise internal_error()
        if given.get("subscription_id"):
            return self._switch(given).document()
        words = [given.get(name) for name in ("event_name", "recipient_url", "verification_token")]
        if not all(isinstance(word, str) for word in words):
            raise internal_error()
        name, url, secret = (str(word) for word in words)
        row = Subscription(next(self._ids), name, url, secret, self._clock.now(), store_id=given.get("store_id") or 0)
        self.subscriptions[row.subscription_id] = row
        return row.document(fresh=True)

    def deliver(self) -> int:
        """Work through what is due; returns how many posts were answered 2xx."""
        now = self._clock.now()
        with self._lock:
            due = sorted((one for one in self._waiting if one.due <= now), key=lambda one: one.due)
            self._waiting = [one for one in self._waiting if one.due > now]
        if self._faults.reorder:
            due.reverse()
        return sum(self._work_on(one) for one in due)

    def _wait(self, one: _Waiting) -> None:
        with self._lock:
            self._waiting.append(one)

    def _switch(self, given: dict[str, object]) -> Subscription:
        row = self.subscriptions.get(int(str(given["subscription_id"])))
        if row is None:
            raise no_such_entity()
        if given.get("status") is None:
            raise Refused(400, "Status is required")
        row.status = bool(given["status"])
        return row

    def _work_on(self, one: _Waiting) -> int:
        if one.ping is not None:
            return self._post(one.ping.url, {one.ping.header: one.ping.secret}, one.body)[0]
        if one.subscription_id:
            row = self.subscriptions[one.subscription_id]
            return self._notify(row, one) if row.status else 0
        document = self._describe(one.event, one.about)
        if document is None:
            return 0
        body = php_json({"data": document})
        rows = [row for row in self.subscriptions.values() if row.status and row.event_name == one.event]
        return sum(
            self._notify(row, _Waiting(one.due, one.event, one.about, body, row.subscription_id)) for row in rows
        )

    def _notify(self, row: Subscription, one: _Waiting) -> int:
        """Post it; it is tried again only when somebody answered and refused (source: HttpNotifier, RetryManager)."""
        headers = {"x-magento-signature": sign(SIGNATURE, one.body, row.verification_token)}
        arrived, reply = self._post(row.recipient_url, headers, one.body)
        if reply is not None and reply.status >= 400:
            self._retry(one, reply)
        return arrived

    def _retry(self, one: _Waiting, reply: Reply) -> None:
        if one.deaths >= MOST_DEATHS:
            self.dead.append(one.event)
            return
        deaths = one.deaths + 1
        asked = reply.headers.get("retry-after", "")
        seconds = min(60, deaths * deaths)
        if one.deaths and asked.isdigit() and int(asked):
            seconds = int(asked)
        due = self._clock.now() + timedelta(seconds=seconds)
        self._wait(_Waiting(due, one.event, one.about, one.body, one.subscription_id, deaths))

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, Reply | None]:
        """How many copies arrived, and the last answer; none for one that was lost on its way."""
        self._left += 1
        lost = self._faults.lose_every and self._left % self._faults.lose_every == 0
        if self._faults.silent or lost:
            return 0, None
        all_headers = {"Content-Type": "application/json", "User-Agent": "GuzzleHttp/7", **headers}
        replies = [self._postman.carry(url, all_headers, body) for _ in range(2 if self._faults.duplicate else 1)]
        arrived = sum(1 for reply in replies if reply is not None and 200 <= reply.status < 300)
        return arrived, replies[-1]
