"""Stand-in shops in a process of their own, so that what they cost is not counted as ours.

Reads a JSON question from its input and tells its shops in one line; after that each line is a command and its answer.
"""

import contextlib
import json
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from adapters.magento.twin import MagentoTwin
from adapters.shopify.twin import ShopifyTwin
from adapters.twins import TwinServer
from adapters.woocommerce.twin import WooCommerceTwin
from connector.domain.clock import Clock, SystemClock
from tests.bench.programs import program

Twin = MagentoTwin | ShopifyTwin | WooCommerceTwin

UNLIMITED = 1e9
"""Points a second, for what our side alone needs; what the platform itself allows is reckoned beside it."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A shop nobody has connected yet, with what its merchant would paste."""

    platform: str
    host: str
    base: str
    place: str
    """`http://127.0.0.1:port`."""
    offer: Mapping[str, str]


def make(platform: str, clock: Clock, name: str, routes: Mapping[str, str], *, webhooks: bool = False) -> Twin:
    """A twin that is not entered yet. `webhooks`: it can send some by itself, where that is a shop's choice."""
    host = f"{name}.example.test"
    if platform == MagentoTwin.platform:
        return MagentoTwin(clock, host=host, routes=routes, async_events=webhooks)
    if platform == WooCommerceTwin.platform:
        return WooCommerceTwin(clock, host=host, routes=routes)
    host = f"{name}.myshopify.com"
    twin = ShopifyTwin(
        clock, host=host, routes=routes, public_app=False, topics=(), bucket=UNLIMITED, restore_rate=UNLIMITED
    )
    twin.store.install()
    return twin


def stranger(twin: Twin) -> Stranger:
    """A twin as somebody who is about to connect it sees it."""
    return Stranger(twin.platform, twin.host, twin.base, twin.server.address, _pasted(twin))


def _pasted(twin: Twin) -> Mapping[str, str]:
    if isinstance(twin, MagentoTwin):
        return twin.integration_tokens()
    if isinstance(twin, WooCommerceTwin):
        key = twin.make_key()
        return {"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}
    return {"client_id": twin.settings.client_id, "client_secret": twin.settings.client_secret}


class Twins:
    """Shops that run elsewhere."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.shops = [Stranger(**shop) for shop in self._answer()]

    @property
    def routes(self) -> tuple[str, ...]:
        """As the setting of that name takes them."""
        return tuple(f"{shop.host}={shop.place}" for shop in self.shops)

    def calls(self) -> int:
        """How many API calls all of them took so far."""
        return int(self._ask({"do": "count"}))

    def hang(self, hosts: Sequence[str], seconds: float) -> None:
        """Let these take a call and answer only after so long."""
        self._ask({"do": "hang", "hosts": list(hosts), "seconds": seconds})

    def _ask(self, command: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the stand-in shops ended")
        return json.loads(line)


@contextlib.contextmanager
def twins(platform: str, *, shops: int = 1, orders: int = 0, days: int = 50) -> Iterator[Twins]:
    """Shops of a platform, each with so many orders of the last days: fewer than the 60 every app may see."""
    with program("tests.bench.twins") as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"platform": platform, "shops": shops, "orders": orders, "days": days}) + "\n")
        process.stdin.flush()
        yield Twins(process)


def serve(made: Sequence[Twin]) -> None:
    """Take connections of all shops by one thread; each connection then has a thread of its own."""
    doors = selectors.DefaultSelector()
    for twin in made:
        doors.register(twin.server, selectors.EVENT_READ)
    while True:
        for key, _ in doors.select():
            door = key.fileobj
            assert isinstance(door, TwinServer)
            door.accept()


def main() -> None:
    """Serve until the input ends."""
    wanted, clock = json.loads(sys.stdin.readline()), SystemClock()
    made = [make(wanted["platform"], clock, f"shop-{number}", {}) for number in range(wanted["shops"])]
    for twin in made:
        if wanted["orders"]:
            twin.grow(wanted["orders"], since=clock.now() - timedelta(days=wanted["days"]))
    threading.Thread(target=serve, args=(made,), daemon=True).start()
    _say([asdict(stranger(twin)) for twin in made])
    for line in sys.stdin:
        _say(_obeyed(json.loads(line), made))


def _obeyed(command: Mapping[str, Any], made: Sequence[Twin]) -> int:
    if command["do"] == "hang":
        for twin in made:
            if twin.host in command["hosts"]:
                twin.faults.hang_seconds = command["seconds"]
    return sum(twin.server.calls.total() for twin in made)


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
