"""How often a stranger may be refused before we stop reading what they send."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

_MOST_REMEMBERED = 10_000
_WINDOW_SECONDS = 60.0


class RefusalLimit:
    """Counts refusals by client address; who was refused too often in a minute has to wait for the next.

    Addresses that stand for many clients (a proxy on this machine or network that does not tell whom it speaks for) are
    never limited: a stranger behind it must not be able to lock the shops out.
    """

    def __init__(
        self, per_minute: int, *, client_header: str = "", seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """`client_header`: the header in which the operator's own proxy names the client; empty: there is none."""
        self._per_minute = per_minute
        self._client_header = client_header.lower()
        self._seconds = seconds
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Whom to count: the last name the own proxy wrote, else the peer; empty when that says nothing."""
        if self._client_header:
            return _household(headers.get(self._client_header, "").rpartition(",")[2].strip()[:64])
        host = peer.rpartition(":")[0].strip("[]")
        try:
            return _household(host) if ipaddress.ip_address(host).is_global else ""
        except ValueError:
            return ""

    def is_over(self, client: str) -> bool:
        """Whether this client was refused too often within the last minute."""
        since, count = self._refused.get(client, (0.0, 0))
        return bool(client) and count >= self._per_minute and self._seconds() - since < _WINDOW_SECONDS

    def count(self, client: str) -> None:
        """One more refusal."""
        if not client:
            return
        since, count = self._refused.pop(client, (self._seconds(), 0))
        if self._seconds() - since >= _WINDOW_SECONDS:
            since, count = self._seconds(), 0
        self._refused[client] = (since, count + 1)
        if len(self._refused) > _MOST_REMEMBERED:
            self._refused.popitem(last=False)


def _household(name: str) -> str:
    """An address as who has it is known by: of IPv6 everybody is given at least a /64 (RFC 6177), to choose from at
    will."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    return str(address) if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
