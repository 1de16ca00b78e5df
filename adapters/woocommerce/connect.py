"""Connecting a WooCommerce shop: its one-click grant (wc-auth) and pasted keys (reference, sections 1 and 2)."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import idna

from adapters.contract import Begin, Connect, Field, Offer, Store, Told, Visit
from adapters.reading import read_object
from adapters.woocommerce.client import API, HEADER, QUERY, SIGNATURE, UNKNOWN_KEY, Client, Refused, prove_writing
from adapters.woocommerce.site import find_site
from connector.domain.connection import Credentials
from connector.domain.errors import Permanent, UnreadableDelivery, WrongSetting

CALLBACK, RETURN = "callback", "return"
LARGEST_CALLBACK = 4_096
_CONSUMER_KEY = re.compile(r"ck_[0-9a-f]{40}", re.ASCII)
_CONSUMER_SECRET = re.compile(r"cs_[0-9a-f]{40}", re.ASCII)
_INSIDE = re.compile(r"/(wp-admin|wp-json|wp-login\.php|wc-auth|index\.php)(/.*)?$")
_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~%-]{1,100}){0,10}", re.ASCII)
_LONGEST_ADDRESS = 300
_USUAL_PORTS = {"https": 443, "http": 80}
_EXAMPLE = "the shop's address as in the browser, such as https://shop.example.com or https://example.com/shop"
_KEYS = "WooCommerce > Settings > Advanced > REST API"


def base(typed: str) -> tuple[str, str]:
    """(`shop.example.com`, `https://shop.example.com/store`) for what a merchant typed, deep links included.

    Raises WrongSetting for a shop without https: customers' data would travel readable for everybody on the way.
    """
    return _base(typed, ("https",))


def plain_base(typed: str) -> tuple[str, str]:
    """The same for an operator who tries a shop in their own network, where it may be `http://127.0.0.1:8081`."""
    return _base(typed, ("https", "http"))


def _base(typed: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    address = typed.strip()
    if "://" not in address:
        address = f"https://{address}"
    if len(address) > _LONGEST_ADDRESS:
        raise WrongSetting(f"the address is too long; accepted: {_EXAMPLE}")
    try:
        parts = urlsplit(address)
        host, port = _ascii(parts.hostname or ""), parts.port
    except ValueError:
        raise WrongSetting(f"this is no address of a shop; accepted: {_EXAMPLE}") from None
    if parts.scheme == "http" and parts.scheme not in schemes:
        raise WrongSetting(
            "the shop's address begins with http://, and keys and customers' data are only sent by https: give it "
            "a certificate, set both addresses in WordPress > Settings > General to https, and connect again. In your "
            "own network a shop can be tried without, with CONNECTOR_PLAIN_HTTP=yes"
        )
    path = _INSIDE.sub("", parts.path).rstrip("/")
    if (
        parts.scheme not in schemes
        or "@" in parts.netloc
        or not _HOST.fullmatch(host)
        or not _PATH.fullmatch(path)
        or "/.." in path
    ):
        raise WrongSetting(f"this is no address of a shop; accepted: {_EXAMPLE}")
    place = host if port in (None, _USUAL_PORTS[parts.scheme]) else f"{host}:{port}"
    return place, f"{parts.scheme}://{place}{path}"


def begin(invitation: Begin) -> str:
    """WooCommerce's page that asks the merchant, who logs in first. Raises Permanent when that page would refuse."""
    callback = invitation.links[CALLBACK]
    if not callback.startswith("https://"):
        raise Permanent(
            "WooCommerce hands keys only to an https address: give this service its public https address, or paste keys"
        )
    asked = {
        "app_name": invitation.app_name,
        "scope": "read_write",
        "user_id": invitation.nonce,
        "return_url": invitation.links[RETURN],
        "callback_url": callback,
    }
    return f"{invitation.access.base}/wc-auth/v1/authorize?{urlencode(asked)}"


def instructions(invitation: Begin) -> tuple[str, ...]:
    """What the merchant does for the one-click way."""
    return (
        f"Open the link and log in to {invitation.access.host} as an Administrator or Shop manager.",
        f"WooCommerce asks whether {invitation.app_name} may read and write: choose Approve.",
        "You are sent back here. If WooCommerce shows an error instead, it could not reach this service: paste keys "
        f"made in {_KEYS} instead.",
    )


def receive(visit: Visit) -> tuple[Offer | None, Told]:
    """The shop's server handing over keys, or the merchant's browser coming back, which proves nothing."""
    if visit.place == CALLBACK:
        return Offer(_handed_over(visit), visit.host), Told(status=200, body=b"kept")
    if visit.place != RETURN:
        raise Permanent("this address does not belong to connecting a WooCommerce shop")
    if visit.query.get("success") == "1":
        return None, Told(page="done")
    return None, Told(
        page="declined", words="Nothing was connected. Open the link again and choose Approve to connect the shop."
    )


def prove(store: Store, offer: Offer) -> Credentials:
    """Keys that read orders and may write at this very shop, with the way in which it takes them.

    Nothing is changed there by proving. Raises Retryable, and Permanent saying what to click.
    """
    key = _valid(offer.values, "consumer_key", _CONSUMER_KEY, "Consumer key: ck_ and 40 characters of 0-9, a-f")
    secret = _valid(offer.values, "consumer_secret", _CONSUMER_SECRET, "Consumer secret: cs_ and 40 such characters")
    site = find_site(store.web, store.access.base)
    client = _reading(Client(store.web, store.clock, site.root, key, secret, own_root=site.own_root))
    prove_writing(client)
    values = {"consumer_key": key, "consumer_secret": secret, "rest_root": site.root, "key_in": client.way}
    return Credentials(values | {"own_root": site.own_root})


def _handed_over(visit: Visit) -> Mapping[str, str]:
    if visit.method != "POST" or len(visit.body) > LARGEST_CALLBACK:
        raise Permanent("WooCommerce hands keys over by a short POST; this was something else")
    try:
        document = read_object(visit.body)
        told = document.text("user_id")
        keys = {name: document.text(name) for name in ("consumer_key", "consumer_secret")}
    except UnreadableDelivery as error:
        raise Permanent("these are no keys as WooCommerce hands them over") from error
    if not visit.nonce or not hmac.compare_digest(told.encode(), visit.nonce.encode()):
        raise Permanent("these keys are for another invitation; open the link of yours again")
    _valid(keys, "consumer_key", _CONSUMER_KEY, "a consumer key")
    _valid(keys, "consumer_secret", _CONSUMER_SECRET, "a consumer secret")
    return keys


def _valid(values: Mapping[str, str], name: str, form: re.Pattern[str], accepted: str) -> str:
    value = values.get(name, "").strip()
    if not form.fullmatch(value):
        raise Permanent(f"this is not what WooCommerce shows in {_KEYS}; accepted: {accepted}")
    return value


def _reading(client: Client) -> Client:
    """The client in the first way its key is taken; by http the key itself never leaves. Raises Refused."""
    first: Refused | None = None
    for way in (HEADER, QUERY, SIGNATURE) if client.root.startswith("https://") else (SIGNATURE,):
        shown = replace(client, way=way)
        try:
            shown.get(f"{API}/orders", {"per_page": "1", "_fields": "id"})
        except Refused as refused:
            if (refused.status, refused.code) != (401, UNKNOWN_KEY) and way != SIGNATURE:
                raise
            first = first or refused
        else:
            return shown
    raise first or Permanent(f"{client.host} takes the key in no way")


def _ascii(host: str) -> str:
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


FIELDS = (
    Field(
        "consumer_key",
        "Consumer key",
        f"In WordPress open {_KEYS}, choose Add key, give it a description, your own user and the permissions "
        "Read/Write, choose Generate API key, and copy the Consumer key (ck_…).",
        secret=False,
    ),
    Field(
        "consumer_secret",
        "Consumer secret",
        "On the same page; WooCommerce shows the Consumer secret (cs_…) only this once.",
    ),
)

CONNECT = Connect(
    base=base,
    plain_base=plain_base,
    fields=FIELDS,
    prove=prove,
    instructions=instructions,
    begin=begin,
    receive=receive,
    places=(CALLBACK, RETURN),
)
