"""Which addresses the service may call: shops in the open internet, not the network it stands in."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connector.domain.errors import Permanent

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out (RFC 4291, section 2.4); mapped, translated, local and multicast forms lie outside."""
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOME_NAMES = (".localhost", ".local", ".internal", ".home.arpa")
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes."""

    scheme: str
    """`https` or `http`."""
    host: str
    """A name, or a numeric address without brackets; lower case."""
    port: int
    target: str
    """Path and query."""

    @property
    def name(self) -> str:
        """As the Host header says it: with the port unless it goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str) -> Place:
    """Where an address leads. Raises Permanent, never repeating the address, for one that could be read two ways."""
    if not _VISIBLE_ASCII.fullmatch(url):
        raise Permanent("an address holds spaces, control characters or letters that have to be encoded")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise Permanent("an address cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise Permanent("only https addresses are asked")
    if "@" in parts.netloc:
        raise Permanent("an address holds a user name or a password; they belong into a header")
    if port == 0 or not (_NAME.fullmatch(host) or _is_ipv6(host)):
        raise Permanent("an address has no host that could be asked")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], target)


def is_public(address: str) -> bool:
    """Whether a numeric address leads out, to one place, and to no other address hidden inside it (6to4, Teredo)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if parsed.is_multicast or not parsed.is_global:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return True
    return parsed in GLOBAL_UNICAST and not (parsed.sixtofour or parsed.teredo)


def is_at_home(host: str) -> bool:
    """Whether a host says by itself that it is in somebody's own network: a numeric address that does not lead out, a
    name without a point, or one that ends as such names do. Nothing is looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host.rstrip(".") or host.rstrip(".").lower().endswith(_HOME_NAMES)
    return not is_public(host)


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False
