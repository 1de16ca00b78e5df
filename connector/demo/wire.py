"""What goes from one shop to the service: all of it is passed on, and each webhook is noted with its answer."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from adapters.contract import Manifest
from adapters.twins import Answered, Asked, Cut, Faults, TwinServer
from connector.domain.clock import Clock
from connector.domain.delivery import Delivery

SLOWEST_ANSWER = 15.0
"""Seconds."""
_PATH = re.compile(r"/webhooks/[^/]+(?:/[^/]+(?:/(?P<event>.+))?)?")
_OF_ONE_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "content-type"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One webhook a shop sent, and what it was answered."""

    at: datetime
    event: str
    says: str
    """What it shows, for people."""
    idempotency_key: str
    status: int
    forged: bool = False

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class Wire:
    """Listens on a port of its own while it is entered; to its shop it is the service."""

    def __init__(self, manifest: Manifest, clock: Clock, host: str, port: int) -> None:
        """`host`, `port`: where the service listens."""
        self.says = ""
        """What the webhooks that come now show, for people."""
        self.sent: list[Sent] = []
        self._server = TwinServer(self._pass_on, Faults())
        self._service = HTTPConnectionPool(host, port, maxsize=4, timeout=SLOWEST_ANSWER)
        self._manifest = manifest
        self._clock = clock
        self._last: Asked | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return self._server.address

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)
        self._service.close()

    def forge(self, was: str, becomes: str) -> None:
        """Send the last webhook once more, with what fits `was` (a regular expression) changed after it was signed."""
        if self._last is not None:
            body = re.sub(was, becomes, self._last.body.decode()).encode()
            self._carry(replace(self._last, body=body), forged=True)

    def _pass_on(self, asked: Asked) -> Answered:
        return self._carry(asked)

    def _carry(self, asked: Asked, *, forged: bool = False) -> Answered:
        answered = self._exchange(asked)
        delivery = self._webhook(asked)
        if delivery is not None:
            key = self._manifest.idempotency_key(delivery)
            event = _topic(delivery.headers) or delivery.path_event
            with self._lock:
                self.sent.append(Sent(delivery.received_at, event, self.says, key, answered.status, forged))
                self._last = asked
        return answered

    def _exchange(self, asked: Asked) -> Answered:
        """Raises Cut when the service does not answer."""
        url = asked.path + (f"?{asked.query}" if asked.query else "")
        headers = {name: value for name, value in asked.headers.items() if name not in ("connection", "content-length")}
        try:
            answer = self._service.urlopen(
                asked.method, url, body=asked.body, headers=headers, redirect=False, retries=False
            )
        except HTTPError:
            raise Cut from None
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_ONE_HOP}
        content_type = answer.headers.get("Content-Type", "text/plain")
        return Answered(answer.status, answer.data, kept, content_type)

    def _webhook(self, asked: Asked) -> Delivery | None:
        """What a shop tells, without pings that only ask whether somebody is there."""
        path, ping = _PATH.fullmatch(asked.path), self._manifest.ping
        is_ping = ping is not None and asked.headers.get("content-type", "").startswith(ping.content_type)
        if path is None or asked.method != "POST" or is_ping:
            return None
        now = self._clock.now()
        return Delivery(self._manifest.name, asked.headers, asked.body, now, path_event=path["event"] or "")


def _topic(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.endswith("-topic")), "")
