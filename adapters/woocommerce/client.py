"""Speaks with one WooCommerce shop: addresses, keys, and what its refusals mean for a person."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from woocommerce.oauth import OAuth

from adapters.contract import Store
from adapters.http import Answer, Request, Web
from adapters.reading import Reader, read_json
from connector import __version__
from connector.domain.clock import Clock
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

API = "wc/v3"
USER_AGENT = f"Connector/{__version__} (+order updates)"
NO_ROUTE = "rest_no_route"
GONE = frozenset({"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_order_invalid_id"})
"""An order that is not there, in the words of the order itself and of its fulfillments."""
UNKNOWN_KEY = "woocommerce_rest_cannot_view"
"""Over https, what a key that is not known gets to hear; it reads like a missing right (reference, section 2)."""
BAD_KEY = "woocommerce_rest_authentication_error"

HEADER, QUERY, SIGNATURE = "header", "query", "signature"
"""The ways to show a key: as basic authentication; in the address, where a host takes that header away; by a signature
(OAuth 1.0a), where the shop stands behind a proxy and does not know that it is reached by https."""

_READING_TRIES = 3
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CODE = re.compile(r"[a-z0-9_]{1,80}", re.ASCII)
_ORDER_ID = re.compile(r"\d{1,20}", re.ASCII)
_KEYS = "WooCommerce > Settings > Advanced > REST API"


class Refused(Permanent):
    """The shop said no."""

    def __init__(self, message: str, status: int, code: str) -> None:
        """`code`: WooCommerce's own word; empty when the answer was none of WooCommerce's."""
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Client:
    """A shop that can be asked with a key."""

    web: Web
    clock: Clock
    root: str
    """`https://shop.example.com/wp-json`, whatever that is called there."""
    key: str = field(repr=False)
    secret: str = field(repr=False)
    way: str = HEADER
    own_root: str = ""
    """The same root at the address WordPress has for itself; empty: the same address."""

    @property
    def host(self) -> str:
        return urlsplit(self.root).netloc

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        tries: int = _READING_TRIES,
        read_seconds: float = 30.0,
    ) -> Answer:
        """What is there, as JSON; tried again while the shop is away. Raises Retryable or Refused."""
        return self._ask("GET", path, query or {}, None, tries, read_seconds)

    def post(self, path: str, document: Mapping[str, Any], *, read_seconds: float = 30.0) -> Answer:
        """Asked once: whoever calls looks whether it was done before calling again. Raises Retryable or Refused."""
        return self._ask("POST", path, {}, document, 1, read_seconds)

    def put(self, path: str, document: Mapping[str, Any]) -> Answer:
        """The same however often it is asked. Raises Retryable or Refused."""
        return self._ask("PUT", path, {}, document, _READING_TRIES, 30.0)

    def delete(self, path: str, query: Mapping[str, str]) -> Answer:
        """Raises Retryable or Refused, also for what is gone already."""
        return self._ask("DELETE", path, query, None, 1, 30.0)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        document: Mapping[str, Any] | None,
        tries: int,
        read_seconds: float,
    ) -> Answer:
        make = self._request(method, f"{self.root}/{path}", query, document)
        answer = self.web.ask(make, tries=tries, read_seconds=read_seconds)
        return checked(answer, self.host, writing=method != "GET", signed=self.way == SIGNATURE)

    def _request(
        self, method: str, url: str, query: Mapping[str, str], document: Mapping[str, Any] | None
    ) -> Callable[[], Request]:
        body = b"" if document is None else msgspec.json.encode(document)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json; charset=utf-8"
        if self.way == HEADER:
            pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode("ascii")
            headers["Authorization"] = f"Basic {pair}"
        if self.way == QUERY:
            query = {**query, "consumer_key": self.key, "consumer_secret": self.secret}
        if self.way == SIGNATURE:
            return lambda: Request(method, self._signed(method, url, query), headers, body)
        address = f"{url}?{urlencode(query)}" if query else url
        return lambda: Request(method, address, headers, body)

    def _signed(self, method: str, url: str, query: Mapping[str, str]) -> str:
        """The address with a signature over what the shop takes for it: at its own address, and by http (reference,
        section 2).

        `woocommerce.oauth` signs each text of the query wrongly that holds a slash or is empty; none of ours does.
        """
        own = (self.own_root or self.root) + url.removeprefix(self.root)
        as_seen = f"http://{own.partition('://')[2]}" + (f"?{urlencode(query)}" if query else "")
        signing = OAuth(
            url=as_seen,
            consumer_key=self.key,
            consumer_secret=self.secret,
            version=API,
            method=method,
            oauth_timestamp=int(self.clock.now().timestamp()),
        )
        return f"{url}?{str(signing.get_oauth_url()).partition('?')[2]}"


def client_of(store: Store) -> Client:
    """The client of a connected shop. Raises Permanent when its credentials are not whole."""
    values = store.access.credentials.values
    try:
        root, key, secret = values["rest_root"], values["consumer_key"], values["consumer_secret"]
    except KeyError:
        raise Permanent(f"no keys of {store.access.host} are kept; connect the shop again") from None
    return Client(store.web, store.clock, root, key, secret, values.get("key_in", HEADER), values.get("own_root", ""))


def prove_writing(client: Client) -> None:
    """Nothing, when the key may write. Raises Retryable, and Refused with what to click.

    Nothing is changed by asking: a webhook with an impossible topic is refused for its topic when the key may write,
    and for the key or its user when it may not.
    """
    impossible = {"name": "Connector", "topic": "none", "delivery_url": "https://example.com/"}
    try:
        client.post(f"{API}/webhooks", impossible)
    except Refused as refused:
        if refused.status != 400 or not refused.code:
            raise
    else:
        raise Refused(f"{client.host} makes webhooks that cannot exist: something there changes WooCommerce", 201, "")


def order_path(order_id: str) -> str:
    """Where an order is. Raises Permanent for what is no order id of WooCommerce."""
    if not _ORDER_ID.fullmatch(order_id):
        raise Permanent("this is no order of WooCommerce: its ids are numbers")
    return f"{API}/orders/{order_id}"


def document_of(answer: Answer) -> Reader:
    """The object an answer holds. Raises Retryable for anything else."""
    document = _value(answer)
    if not isinstance(document, dict):
        raise _strange()
    return Reader(document)


def documents_of(answer: Answer) -> list[Reader]:
    """The objects of the list an answer holds. Raises Retryable for anything else."""
    documents = _value(answer)
    if not isinstance(documents, list) or not all(isinstance(one, dict) for one in documents):
        raise _strange()
    return [Reader(one) for one in documents]


def count_of(answer: Answer, name: str) -> int | None:
    """A number WordPress sends in a header (`x-wp-total`); None when it is not there."""
    value = answer.headers.get(name, "").strip()
    return int(value) if _ORDER_ID.fullmatch(value) else None


def checked(answer: Answer, host: str, *, writing: bool = False, signed: bool = False) -> Answer:
    """The answer without a byte order mark, if it is JSON that says yes. Raises Refused."""
    body = answer.body.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if answer.status in (200, 201) and body[:1] in (b"{", b"["):
        return Answer(answer.status, answer.headers, body)
    code = _code(body)
    if not code:
        words = _of_a_stranger(answer, host)
    elif signed and code == BAD_KEY and not writing:
        words = _badly_signed(host)
    else:
        words = _meaning(code, answer.status, host, writing=writing)
    raise Refused(words, answer.status, code)


def _code(body: bytes) -> str:
    """WooCommerce's word for an error; empty when the answer is none of WordPress."""
    try:
        document = read_json(body)
    except UnreadableDelivery:
        return ""
    code = document.get("code") if isinstance(document, dict) else None
    if code is None:
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "unusual"


def _meaning(code: str, status: int, host: str, *, writing: bool) -> str:
    if code == BAD_KEY and writing:
        return f"the key may only read in {host}: in {_KEYS} give it the rights Read/Write, or connect again"
    if code == BAD_KEY:
        return (
            f"{host} says that the key and its secret do not belong together, or that the key may not read: make a new "
            f"key with the rights Read/Write in {_KEYS}"
        )
    if code == UNKNOWN_KEY and status == 401:
        return (
            f"{host} does not know the key: it was deleted there, or belongs to another shop. Connect again, or make a "
            f"new key in {_KEYS}. If a new one is refused as well, the server's proxy does not tell WordPress that it "
            "is reached by https: let it send X-Forwarded-Proto, and let WordPress heed that"
        )
    if code.startswith("woocommerce_rest_cannot_"):
        return (
            f"the WordPress user who made the key may not do this in {host} (any more): connect again as an "
            "Administrator or Shop manager"
        )
    if code == NO_ROUTE:
        return f"WooCommerce at {host} does not offer this: it is not active there, or too old"
    if code in GONE:
        return f"the order does not exist in {host} any more"
    return f"{host} refused it ({status}, {code})"


def _badly_signed(host: str) -> str:
    """One word for an unknown key, a wrong secret, a clock that is off and an address that is not WordPress' own."""
    return (
        f"{host} does not take what is signed with the key: make a new key with the rights Read/Write in {_KEYS}. If "
        "that is refused as well, connect the shop under the address in WordPress > Settings > General, and see that "
        "the clocks of both machines differ by less than 15 minutes"
    )


def _of_a_stranger(answer: Answer, host: str) -> str:
    """What to do when not WordPress answered, but something in front of it."""
    if 300 <= answer.status < 400:
        to = _host_of(answer.headers.get("location", ""))
        return f"{host} sends calls on to {to or 'another address'}; connect the shop under its final address"
    if answer.status == 401 and "basic" in answer.headers.get("www-authenticate", "").lower():
        return f"a password protects all of {host} (a staging site?): let /wp-json/ through without it"
    if answer.status == 404:
        return (
            f"no REST API of WordPress answers at {host}: check the address; in WordPress open Settings > Permalinks, "
            "choose anything but Plain and save"
        )
    if answer.status in (200, 201):
        return (
            f"{host} answered with a web page instead of data: end its maintenance or coming-soon mode, and take "
            "/wp-json/ out of caches"
        )
    return (
        f"something in front of {host}, a firewall or a security plugin, answered {answer.status}: let it allow calls "
        "to /wp-json/"
    )


def _host_of(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host if re.fullmatch(r"[a-z0-9.-]{1,253}", host) else ""


def _value(answer: Answer) -> object:
    try:
        return read_json(answer.body)
    except UnreadableDelivery as error:
        raise _strange() from error


def _strange() -> Retryable:
    return Retryable("the shop's answer broke off, or is not what WooCommerce says there")
