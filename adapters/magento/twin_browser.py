"""The merchant's browser: pages of ours are found by routes, pages of anybody else are where it stops."""

import html
import re
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import requests

MOST_REDIRECTS = 10
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")


class Browser:
    def __init__(self, routes: Mapping[str, str]) -> None:
        """`routes`: host -> `http://address:port`."""
        self._routes = dict(routes)

    def open(self, address: str, *, until: str = "") -> tuple[str, str]:
        """The address it ends at and the text there; empty for a page of others, which is not asked for.

        It follows redirects and stops at `until`, compared byte by byte.
        """
        for _ in range(MOST_REDIRECTS):
            parts = urlsplit(address)
            place = self._routes.get(parts.netloc)
            if address == until or place is None:
                return address, ""
            answer = _get(f"{place}{parts.path}" + (f"?{parts.query}" if parts.query else ""), parts.netloc)
            if not 300 <= answer.status_code < 400:
                return address, answer.text
            location = answer.headers.get("Location", "")
            address = location if "://" in location else urljoin(address, location)
        return address, ""


def addresses_to_copy(page: str) -> tuple[str, str]:
    """The Callback URL and the Identity link URL a merchant copies from our page.

    They are told apart by the word in their path. Raises LookupError when the page does not show both.
    """
    found = [address.rstrip(".,)") for address in _ADDRESS.findall(html.unescape(page))]
    callback, identity = (
        next((address for address in found if place in urlsplit(address).path.split("/")), "")
        for place in ("callback", "identity")
    )
    if not callback or not identity:
        raise LookupError("the page shows no callback URL or no identity link URL to copy")
    return callback, identity


def _get(address: str, host: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, headers={"Host": host}, allow_redirects=False, timeout=15)
