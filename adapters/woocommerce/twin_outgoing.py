"""How a stand-in WooCommerce shop calls others: as WordPress does, byte for byte, and only where WordPress would."""

import http.client
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

PORTS = (80, 443, 8080)
"""All that `wp_safe_remote_request` calls (woocommerce reference, section 0.7), but for the shop's own port at its own
host."""
PRIVATE = re.compile(r"(127|10|0)\..*|172\.(1[6-9]|2\d|3[01])\..*|192\.168\..*|localhost|.*:.*", re.ASCII)
"""Hosts that are not called unless the shop itself is there (wp-includes/http.php, wp_http_validate_url)."""
LARGEST_ANSWER = 1_000_000

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    location: str
    body: bytes


class Outgoing:
    """The shop's way out. A host with a route is a public one with a good certificate; another is not reached."""

    def __init__(self, routes: Mapping[str, str], home: str) -> None:
        """`routes`: host (with its port where it has one) -> `http://address:port`. `home`: the shop's own address."""
        self.routes = routes
        self._home = urlsplit(home)

    def may_call(self, url: str) -> bool:
        """What WordPress checks before it calls at all."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        host = parts.hostname or ""
        at_home = host == self._home.hostname
        return (
            parts.scheme in ("http", "https")
            and not parts.username
            and bool(host)
            and (at_home or not PRIVATE.fullmatch(host))
            and (port in PORTS or (at_home and port == self._home.port))
        )

    def send(self, method: str, url: str, headers: Headers, body: bytes = b"", *, timeout: float) -> Answer | None:
        """One request with exactly these headers; None when it may not be made or nobody answered."""
        place = self.routes.get(urlsplit(url).netloc) if self.may_call(url) else None
        if place is None:
            return None
        parts, target = urlsplit(url), urlsplit(place)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=timeout)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode("utf-8"))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read(LARGEST_ANSWER)
            return Answer(answer.status, urljoin(url, answer.getheader("Location", "")), content)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def post_following(self, url: str, headers: Headers, body: bytes, *, timeout: float) -> Answer | None:
        """As `wp_safe_remote_post`: up to five redirects are followed, as GET with the same body (section 1)."""
        method, here = "POST", url
        for _ in range(6):
            named = [("Host", urlsplit(here).netloc), *headers]
            answer = self.send(method, here, named, body, timeout=timeout)
            if answer is None or answer.status not in (301, 302, 303, 307, 308) or not answer.location:
                return answer
            method, here = ("GET" if answer.status in (301, 302, 303) else method), answer.location
        return None
