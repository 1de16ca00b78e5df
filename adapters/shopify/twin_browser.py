"""The merchant's browser: walks redirects between the twin's shop and the app, and loads the app inside the admin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

MOST_STEPS = 15


@dataclass(frozen=True, slots=True)
class Shown:
    """What the browser ended at."""

    address: str
    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    text: str


class Browser:
    """Follows what a page says, to hosts with a route only."""

    def __init__(self, routes: Mapping[str, str], own: Callable[[str], str | None]) -> None:
        """`own`: what the shop's own pages do with an address: the next one, or None for a page that stays."""
        self.history: list[Shown] = []
        """Every answer of the app."""
        self._routes = dict(routes)
        self._own = own
        self._cookies: dict[str, dict[str, str]] = {}
        self._session = requests.Session()
        self._session.trust_env = False

    def go(self, address: str, *, embedded: bool = False) -> Shown:
        """Follow redirects to where they end. `embedded`: inside the admin's frame, where our cookies stay behind.

        Raises ConnectionError for a host without a route or a chain without an end.
        """
        for _ in range(MOST_STEPS):
            stays = self._own(address)
            if stays is not None:
                address = stays
                continue
            shown = self._load(address, embedded=embedded)
            self.history.append(shown)
            if shown.status not in (301, 302, 303, 307, 308) or "location" not in shown.headers:
                return shown
            address = urljoin(address, shown.headers["location"])
        raise ConnectionError("the pages send the browser in circles")

    def _load(self, address: str, *, embedded: bool) -> Shown:
        parts = urlsplit(address)
        place = self._routes.get(parts.netloc)
        if place is None:
            raise ConnectionError(f"no route to {parts.netloc}")
        target = place + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Accept": "text/html", "User-Agent": "Mozilla/5.0 (twin)"}
        if not embedded and self._cookies.get(parts.netloc):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies[parts.netloc].items())
        answer = self._session.get(target, headers=headers, timeout=15, allow_redirects=False)
        self._session.cookies.clear()
        if not embedded:
            self._keep(parts.netloc, answer.headers.get("Set-Cookie", ""))
        read = {name.lower(): value for name, value in answer.headers.items()}
        return Shown(address, answer.status_code, read, answer.text)

    def _keep(self, host: str, header: str) -> None:
        try:
            read = SimpleCookie(header)
        except CookieError:
            return
        self._cookies.setdefault(host, {}).update({name: one.value for name, one in read.items()})


def reload_address(shown: Shown) -> str | None:
    """Where App Bridge goes on with a fresh ID token, on a page that only loads it (`shopify-reload`)."""
    query = dict(parse_qsl(urlsplit(shown.address).query))
    return urljoin(shown.address, query["shopify-reload"]) if "shopify-reload" in query else None


def with_query(address: str, more: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in more]
    return parts._replace(query=urlencode([*kept, *more.items()])).geturl()
