"""Where a shop keeps its REST API, and what WordPress says about itself there to anybody."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from adapters.http import Answer, Request, Web
from adapters.reading import Reader
from adapters.woocommerce.client import API, USER_AGENT, Refused, checked, document_of
from connector.domain.errors import Permanent

_ABOUT = {"_fields": "name,home,gmt_offset,timezone_string,namespaces"}
_LINK = re.compile(r'<([^<>\s]{1,2000})>\s*;\s*rel="?https://api\.w\.org/"?')
_HOME = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[!-~]*)?", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~%-]{1,200}){1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Site:
    """A WordPress that was found."""

    root: str
    """`https://shop.example.com/wp-json`, without a slash at its end."""
    about: Reader
    """What it says about itself; empty where it speaks only to who has a key."""

    @property
    def own_root(self) -> str:
        """The same root at the address WordPress has for itself, whatever it was reached by: signatures are made over
        that one (reference, section 2)."""
        own = urlsplit(_home(self.about)).netloc
        return urlsplit(self.root)._replace(netloc=own or urlsplit(self.root).netloc).geturl()


def find_site(web: Web, base: str) -> Site:
    """The REST API of a shop: `wp-json` below its address, or what its home page links to (reference, section 2).

    Raises Retryable for a shop that is away, Permanent with what to click where none is found.
    """
    root = f"{base}/wp-json"
    try:
        return Site(root, _about(web, root))
    except Refused as refused:
        if refused.code and refused.status in (401, 403):
            # A plugin closes the API to strangers; whether it is open to the key is seen with the key.
            return Site(root, Reader({}))
        linked = _linked_root(web, base)
        if not linked or linked == root:
            raise
        return Site(linked, _about(web, linked))


def read_about(web: Web, root: str) -> Reader:
    """What WordPress says about itself; empty where it speaks only to who has a key."""
    try:
        return _about(web, root)
    except Refused:
        return Reader({})


def _about(web: Web, root: str) -> Reader:
    host = urlsplit(root).netloc
    document = document_of(checked(_open(web, f"{root}/?{urlencode(_ABOUT)}"), host))
    names = document.value("namespaces")
    if not isinstance(names, list):
        raise Refused(f"what answers at {host} is not WordPress: check the shop's address", 200, "")
    if API not in names:
        raise Permanent(f"WooCommerce is not active at {host}: check the address, and Plugins in WordPress")
    return document


def _linked_root(web: Web, base: str) -> str | None:
    """The API's address as the home page tells it in its Link header; None when it tells none.

    Only its path is believed: a page says http when its server stands behind a proxy, and may say anything else.
    """
    link = _LINK.search(_open(web, f"{base}/").headers.get("link", ""))
    if link is None:
        return None
    parts = urlsplit(link.group(1))
    ours = urlsplit(base)
    if "rest_route=" in parts.query:
        raise Permanent(
            f"{ours.netloc} uses plain permalinks, and WooCommerce takes no keys there: in WordPress open Settings > "
            "Permalinks, choose anything but Plain and save"
        )
    if parts.hostname != ours.hostname:
        raise Permanent(f"the shop's REST API is not at {ours.netloc}: connect it under the address WordPress has")
    path = parts.path.rstrip("/")
    return f"{ours.scheme}://{ours.netloc}{path}" if _PATH.fullmatch(path) else None


def _home(about: Reader) -> str:
    """WordPress' own address; empty for what is none."""
    home = about.value("home")
    return home if isinstance(home, str) and _HOME.fullmatch(home) else ""


def _open(web: Web, url: str) -> Answer:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json, text/html;q=0.5"}
    return web.ask(lambda: Request("GET", url, headers), tries=3)
