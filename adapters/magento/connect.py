"""How a Magento shop is connected: the activation of an integration (OAuth 1.0a), or secrets pasted from its page."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urlsplit

import idna

from adapters.contract import Begin, Connect, Field, Offer, Store, Told, Visit
from adapters.http import Answer, Request
from adapters.magento.authorization import OAUTH_KEYS, authorization
from adapters.magento.client import AGENT
from adapters.magento.probe import BEARER, lets_us_in
from adapters.magento.refusals import OFFLOADER, REAUTHORIZE, one_line, refusal
from adapters.magento.rights import OPTIONAL, RIGHTS
from connector.domain.connection import Credentials
from connector.domain.errors import Permanent, Retryable, WrongSetting

EXCHANGE_TRIES = 2
MOST_FIELDS = 20

_SECRET = re.compile(r"[!-~]{8,200}", re.ASCII)
_HANDED_OVER = re.compile(r"[A-Za-z0-9]{16,64}", re.ASCII)
_HOST = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:\d{1,5})?", re.ASCII)
_PATH = re.compile(r"(/[\w~-][\w.~-]*)*", re.ASCII)
_BEHIND_THE_BASE = re.compile(r"/(index\.php/)?(rest|admin)(/.*)?$")
_USED_UP = ("expired", "verifier token", "already being used", "request token")
_WRONG_ADDRESS = "https://shop.example.com, with the path if the shop is under one (https://example.com/shop)"
_PAGE = "In Magento: System > Extensions > Integrations, the integration, Integration Details"


def base(typed: str) -> tuple[str, str]:
    """(host, base) of what a merchant typed: https, a name, perhaps a port and the path the shop is under.

    Raises WrongSetting.
    """
    words = typed.strip()
    try:
        parts = urlsplit(words if "://" in words else f"https://{words}")
        port, name = parts.port, (parts.hostname or "").rstrip(".")
        host = idna.encode(name, uts46=True).decode() if not name.isascii() else name
    except (ValueError, idna.IDNAError) as error:
        raise WrongSetting(f"this is no shop's address; it looks like {_WRONG_ADDRESS}") from error
    if parts.scheme != "https":
        raise WrongSetting("the shop has to be reached by https: type its address with https://")
    path = _BEHIND_THE_BASE.sub(r"/\1", parts.path).rstrip("/")
    whole = host if port in {None, 443} else f"{host}:{port}"
    if "@" in parts.netloc or not _HOST.fullmatch(whole) or not _PATH.fullmatch(path):
        raise WrongSetting(f"this is no shop's address; it looks like {_WRONG_ADDRESS}")
    return whole, f"https://{whole}{path}"


def instructions(begin: Begin) -> tuple[str, ...]:
    """What the merchant does in Magento's admin, a sentence each."""
    rights = [right.place for name, right in RIGHTS.items() if name not in OPTIONAL]
    return (
        "In Magento open System > Extensions > Integrations and press Add New Integration.",
        f"Name: {begin.app_name}. Callback URL: {begin.links['callback']} . "
        f"Identity link URL: {begin.links['identity'].partition('?')[0]} . Type your own admin password below them.",
        f"On the API tab choose Custom and tick: {'; '.join(rights)}. "
        "If Mage-OS Async Events is installed, also Manage Asynchronous Events.",
        "Press the arrow beside Save, then Save & Activate, then Allow. A small window opens and closes by itself: "
        "allow pop-ups for the admin if your browser asks.",
        "If this server cannot be reached from the shop, leave both addresses empty, activate, and paste the four "
        "secrets Magento shows instead.",
    )


def receive(visit: Visit) -> tuple[Offer | None, Told]:
    """The shop's server handing over the consumer's key (`callback`), or the merchant's little window (`identity`).

    Raises Permanent for a visit that is not what it claims to be. Nothing here is signed: what is offered counts only
    once `prove` has exchanged it with the very host the merchant typed (magento reference, section 1.1).
    """
    if visit.place == "callback":
        return _handed_over(visit), Told(status=200)
    if visit.place == "identity":
        return None, _way_back(visit)
    raise Permanent(f"nothing of Magento's leads to {one_line(visit.place)[:40]}")


def prove(store: Store, offer: Offer) -> Credentials:
    """Credentials that read from this very shop: exchanged for what was handed over, or as they were pasted.

    An activation permits one exchange, within five minutes. Raises Retryable, and Permanent saying what to click.
    """
    given = {name: value.strip() for name, value in offer.values.items() if value.strip()}
    values = _exchanged(store, given) if "verifier" in given else _pasted(given)
    credentials = Credentials(values)
    try:
        lets_us_in(replace(store, access=replace(store.access, credentials=credentials)))
    except Retryable:
        # Tokens that this very host has just handed out cannot be had a second time.
        if "verifier" not in given:
            raise
    return credentials


def _handed_over(visit: Visit) -> Offer:
    form = _form(visit)
    claimed = form.get("store_base_url", "")
    try:
        # Only whose it claims to be counts; we go where the merchant said.
        host, _ = base("/".join(claimed.split("/")[:3]) if "://" in claimed else "http://")
    except WrongSetting as error:
        raise Permanent(
            "the shop's base address is not https: in Magento open Stores > Configuration > Web > Base URLs (Secure), "
            "and use secure URLs in the admin"
        ) from error
    if host != visit.host:
        raise Permanent(f"this link is for {visit.host}, and {host} used it: make a link of its own for that shop")
    values = {
        "consumer_key": form.get("oauth_consumer_key", ""),
        "consumer_secret": form.get("oauth_consumer_secret", ""),
        "verifier": form.get("oauth_verifier", ""),
    }
    if not all(_HANDED_OVER.fullmatch(value) for value in values.values()):
        raise Permanent(f"this is not what Magento hands over when an integration is activated. {REAUTHORIZE}")
    return Offer(values, visit.host)


def _form(visit: Visit) -> dict[str, str]:
    if visit.method != "POST":
        raise Permanent("this address is for Magento itself: enter it as the integration's Callback URL")
    try:
        return dict(parse_qsl(visit.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise Permanent("this is not what Magento posts when an integration is activated") from error


def _way_back(visit: Visit) -> Told:
    """Back to where Magento waits for its window, byte for byte, if that is in the same shop."""
    given = visit.raw_query.partition("success_call_back=")[2]
    if not given:
        return Told(page="problem", words="This address is for Magento itself: enter it as the Identity link URL.")
    # Magento's page encodes it; one that does not puts it last, as it is.
    target = given if "://" in given else unquote(given.partition("&")[0])
    if _host_of(target) != visit.host:
        return Told(
            page="problem",
            words="Magento's admin wants to be returned to another host than the shop's, so we do not lead there. "
            "Close this window: the connection is made all the same.",
        )
    return Told(redirect=target)


def _host_of(target: str) -> str:
    """The host an https address leads to; empty for any that a browser might read in another way."""
    if len(target) > 2_000 or not re.fullmatch(r"[!-~]+", target) or "\\" in target:
        return ""
    try:
        parts = urlsplit(target)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme != "https" or "@" in parts.netloc:
        return ""
    return name if port in {None, 443} else f"{name}:{port}"


def _pasted(given: Mapping[str, str]) -> dict[str, str]:
    values = {name: given[name] for name in OAUTH_KEYS if name in given}
    if set(values) != set(OAUTH_KEYS) and set(values) != {"access_token"}:
        raise Permanent(f"give all four secrets, or the access token alone. {_PAGE}. {BEARER}")
    if not all(_SECRET.fullmatch(value) for value in values.values()):
        raise Permanent(f"a secret holds characters that none of Magento's has: copy it again. {_PAGE}")
    return values


def _exchanged(store: Store, given: Mapping[str, str]) -> dict[str, str]:
    """The lasting tokens for a consumer's key and verifier: first a request token, then with it the access token."""
    consumer = {name: given.get(name, "") for name in ("consumer_key", "consumer_secret")}
    token, secret = _token(store, "request", consumer)
    waiting = consumer | {"access_token": token, "access_token_secret": secret, "verifier": given["verifier"]}
    token, secret = _token(store, "access", waiting)
    return consumer | {"access_token": token, "access_token_secret": secret}


def _token(store: Store, step: str, values: Mapping[str, str]) -> tuple[str, str]:
    url = f"{store.access.base}/oauth/token/{step}"

    def signed() -> Request:
        header = authorization(values, "POST", url, store.clock.now())
        return Request("POST", url, {**AGENT, "Authorization": header})

    answer = store.web.ask(signed, tries=EXCHANGE_TRIES)
    told = _told(answer)
    token, secret = told.get("oauth_token", ""), told.get("oauth_token_secret", "")
    if answer.status != 200 or not (_HANDED_OVER.fullmatch(token) and _HANDED_OVER.fullmatch(secret)):
        raise _refused(store, answer, told.get("oauth_problem", ""))
    return token, secret


def _told(answer: Answer) -> dict[str, str]:
    try:
        return dict(parse_qsl(answer.body[:4_000].decode("utf-8"), max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _refused(store: Store, answer: Answer, problem: str) -> Exception:
    words, lowered = one_line(problem), problem.lower()
    if any(one in lowered for one in _USED_UP):
        return Permanent(
            f"{store.access.host} answered: {words}. An activation is good for one exchange within five minutes. "
            f"{REAUTHORIZE}"
        )
    if "signature" in lowered:
        return Permanent(
            f"{store.access.host} answered: {words}. {OFFLOADER}. Then {REAUTHORIZE[0].lower()}{REAUTHORIZE[1:]}"
        )
    if problem:
        return Permanent(f"{store.access.host} did not exchange the credentials (it answered: {words}). {REAUTHORIZE}")
    if answer.status == 200:
        return Permanent(
            f"{store.access.host} answered the exchange with a page instead of tokens: a firewall, a maintenance page, "
            f"or no Magento at this address. Let requests to /oauth/ through. {REAUTHORIZE}"
        )
    return refusal(store, answer)


FIELDS = (
    Field("consumer_key", "Consumer Key", f"{_PAGE}. Leave it empty to use the access token alone.", optional=True),
    Field("consumer_secret", "Consumer Secret", f"{_PAGE}.", optional=True),
    Field("access_token", "Access Token", f"{_PAGE}."),
    Field("access_token_secret", "Access Token Secret", f"{_PAGE}. {BEARER}; then it is not needed.", optional=True),
)

CONNECT = Connect(
    base=base,
    fields=FIELDS,
    prove=prove,
    instructions=instructions,
    receive=receive,
    places=("callback", "identity"),
)
