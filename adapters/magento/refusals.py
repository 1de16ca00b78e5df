"""What a shop's refusal means, and what a person can do about it."""

import contextlib
import re
from datetime import timedelta
from urllib.parse import urlsplit

from adapters.contract import Store
from adapters.http import Answer
from adapters.magento.messages import error_message
from adapters.magento.rights import missing_rights
from adapters.reading import quoted, read_object
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

_RESOURCE = re.compile(r"\b[A-Z][A-Za-z0-9]{0,60}_[A-Za-z0-9]{1,60}::[a-z0-9_]{1,60}", re.ASCII)
_TOKEN_IS_GONE = ("token", "consumer")
LONGEST_WORDS = 200

REAUTHORIZE = "In Magento open System > Extensions > Integrations and press Reauthorize beside the integration"
OFFLOADER = (
    "If the four secrets are right, Magento takes our https requests for http because something in front of it ends "
    "TLS: check web/secure/offloader_header (Stores > Configuration > Web > Base URLs (Secure) > Offloader header) and "
    "that X-Forwarded-Proto reaches PHP"
)


class MissingRight(Permanent):
    """The integration may not do this."""

    def __init__(self, resources: tuple[str, ...]) -> None:
        words = " ".join(missing_rights(resources)) or (
            "The integration may not do this, or its access is not active. In Magento open System > Extensions > "
            "Integrations: the integration has to be active, with its rights ticked on the API tab"
        )
        super().__init__(words)
        self.resources = resources


class NoSuchRoute(Permanent):
    """This shop's API does not know the request."""


class NotFound(Permanent):
    """The shop knows no such object."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class PageTooLarge(Permanent):
    """The merchant limits the page size, and this was more."""


def refusal(store: Store, answer: Answer) -> Permanent | Retryable:
    """The error to raise for an answer that is not 200 (magento reference, sections 1.1 and 3)."""
    host, status = store.access.host, answer.status
    if 300 <= status < 400:
        return _redirect(host, answer)
    message = message_of(answer)
    if message is None:
        return _no_magento(store, answer)
    lowered = message.lower()
    if status in (401, 403):
        return _unauthorized(host, message, answer)
    if status == 404 and "does not match any route" in lowered:
        return NoSuchRoute(f"{host} does not know this part of Magento's API (it answered: {message})")
    if status == 404:
        return NotFound(f"{host} answered: {message}", answer)
    if "pagesize" in lowered and "maximum" in lowered:
        return PageTooLarge(f"{host} answered: {message}")
    if "timestamp" in lowered:
        return Permanent(f"{host} answered: {message}. The clocks of both servers have to agree within ten minutes")
    return Permanent(f"{host} refused the request (it answered {status}: {message or 'nothing'})")


def message_of(answer: Answer) -> str | None:
    """What Magento says, on one line and short; None when these are not Magento's words."""
    try:
        document = read_object(answer.body)
        if not document.has("message"):
            return None
        words = document.text("message")
    except UnreadableDelivery:
        return None
    with contextlib.suppress(UnreadableDelivery):
        # Its schema knows parameters of other forms; the template alone then has to do.
        words = error_message(document)
    return one_line(words)


def one_line(words: str) -> str:
    """Words of a stranger for a message of ours."""
    return quoted(words, LONGEST_WORDS)


def _unauthorized(host: str, message: str, answer: Answer) -> Permanent | Retryable:
    lowered = message.lower()
    if "authorized to access" in lowered:
        found = _RESOURCE.findall(answer.body[:4000].decode("utf-8", "replace"))
        return MissingRight(tuple(dict.fromkeys(found)))
    if "signature" in lowered:
        return Permanent(f"{host} answered: {message}. {OFFLOADER}. Otherwise give the four secrets again")
    if "nonce" in lowered:
        return Retryable(f"{host} answered: {message}", after=timedelta(seconds=5))
    if any(word in lowered for word in _TOKEN_IS_GONE):
        return Permanent(
            f"{host} no longer accepts our credentials (it answered: {message}). {REAUTHORIZE}, or give its new secrets"
        )
    return Permanent(f"{host} refused our credentials (it answered: {message or 'nothing'}). {REAUTHORIZE}")


def _redirect(host: str, answer: Answer) -> Permanent:
    try:
        place = urlsplit(answer.headers.get("location", "")).hostname or ""
    except ValueError:
        place = ""
    where = f" to {one_line(place)}" if place and place != host.partition(":")[0] else ""
    return Permanent(
        f"{host} sends its API's visitors on{where} instead of answering. Connect the shop again by the address it is "
        "really at (with or without www, and with its path), as under Stores > Configuration > Web > Base URLs (Secure)"
    )


def _no_magento(store: Store, answer: Answer) -> Permanent:
    host = store.access.host
    if "basic" in answer.headers.get("www-authenticate", "").lower():
        return Permanent(f"{host} asks for a password before Magento is reached: let requests to /rest/ through")
    if answer.status in (401, 403):
        return Permanent(
            f"{host} answered {answer.status}, and not in Magento's words: a firewall in front of it refuses us. "
            "Let requests to /rest/ from this server through"
        )
    if answer.status in (404, 405):
        return Permanent(
            f"there is no Magento API at {store.access.base}/rest/V1: check the address, with the path the shop is "
            "under. A shop without URL rewriting is connected as https://…/index.php"
        )
    return Permanent(f"{host} answered {answer.status}, and not in Magento's words")
