"""A stand-in WooCommerce shop and somebody who asks it, for the tests of the stand-in itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, Unpack

import requests

from adapters.woocommerce.twin import WooCommerceTwin
from adapters.woocommerce.twin_site import Key, Knobs
from connector.domain.clock import FixedClock
from tests.adapters.woocommerce.listener import Listener

HOST = "shop.example"
OURS = "connector.example"
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


class Asker:
    """A plain client, written for these tests alone."""

    def __init__(self, twin: WooCommerceTwin, key: Key | None) -> None:
        self._twin = twin
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (key.consumer_key, key.consumer_secret) if key else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._session.close()

    def __call__(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        """`path`: below `/wp-json/`."""
        return self._session.request(
            method, f"{self._twin.server.address}/wp-json/{path}", json=body, allow_redirects=False, **more
        )

    def get(self, path: str) -> Any:
        return self("GET", path).json()

    def error(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = self(method, path, body)
        return answer.status_code, answer.json()["code"]

    def page(self, path: str) -> requests.Response:
        """`path`: below the shop's own address."""
        return self._session.get(f"{self._twin.server.address}{path}", allow_redirects=False)


class Shop:
    """A shop, its clock, a key of its, and a listener at `connector.example`."""

    def __init__(self, twin: WooCommerceTwin, clock: FixedClock, ask: Asker, listener: Listener) -> None:
        self.twin = twin
        self.clock = clock
        self.ask = ask
        self.listener = listener

    def subscribe(self, topic: str, path: str = "/hooks", **more: str) -> int:
        body = {"name": "ours", "topic": topic, "delivery_url": f"https://{OURS}{path}", "secret": "s3cret-Key_0123"}
        body |= more
        return int(self.ask("POST", "wc/v3/webhooks", body).json()["id"])

    def set_fault(self, **faults: Any) -> None:
        for name, value in faults.items():
            setattr(self.twin.faults, name, value)


@contextmanager
def open_shop(**knobs: Unpack[Knobs]) -> Iterator[Shop]:
    clock = FixedClock(NOW)
    with (
        Listener() as listener,
        WooCommerceTwin(clock, host=HOST, routes={OURS: listener.address}, **knobs) as twin,
        Asker(twin, twin.make_key()) as ask,
    ):
        yield Shop(twin, clock, ask, listener)
