"""Asks a shop's GraphQL Admin API: one question, one answer, every refusal as a sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from adapters.contract import Store
from adapters.http import Answer, Busy, Request
from adapters.reading import Reader, cleaned, quoted, read_object
from connector import __version__
from connector.domain.errors import Permanent, Retryable, UnreadableDelivery

API_VERSION = "2026-10"
"""Asked for in every address; Shopify moves on silently when it ends (shopify reference, section 3.3)."""
USER_AGENT = f"Connector/{__version__} (+order updates)"
TRIES = 3
"""For questions; what changes something is asked once, and looked for before it is asked again."""
READ_SECONDS = 20.0
STATUS_PAGE = "statusPage"
"""The variable that asks for the status page, and the feature that says it is `hidden`."""

_QUESTIONS = Path(__file__).parent / "questions"
_FRAGMENTS = {"...WholeOrder": "order_fields"}
_LONGEST_WORDS = 200
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_SENTENCES: Mapping[int, str] = {
    402: "Shopify has frozen the shop over an unpaid bill: its owner pays it under Settings > Billing",
    403: "Shopify refuses this app's access: open the app in Shopify once, and say yes to what it asks for",
    404: "Shopify knows no shop of this name: check it in the address bar of Shopify's admin",
    423: "Shopify has locked the shop: its owner asks Shopify's support why",
}


class AccessLost(Permanent):
    """The shop has taken back our access: open the app in Shopify once, or connect the shop again."""


class Throttled(Busy):
    """The shop's points are used up; they come back by themselves."""


class TooCostly(Permanent):
    """One question costs more points than a shop gives at once."""


class Refused(Permanent):
    """Shopify did not accept the question as it was asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is told, also where the app may not see all of it (shopify reference, section 4)."""

    data: Reader
    withheld: tuple[Reader, ...] = ()
    """The errors that say which fields were left out."""
    notes: tuple[str, ...] = ()


@cache
def question(name: str) -> str:
    """The text of `questions/<name>.graphql`, with the fragments it uses."""
    text = (_QUESTIONS / f"{name}.graphql").read_text("utf-8")
    parts = [fragment for mark, fragment in _FRAGMENTS.items() if mark in text]
    return "\n".join((text, *map(question, parts)))


def ask(store: Store, name: str, variables: Mapping[str, object], *, tries: int = TRIES) -> Reply:
    """Ask `questions/<name>.graphql`.

    Raises Throttled, Busy, Unanswered, Failed or Retryable; AccessLost, TooCostly, Refused or Permanent. The order of
    checks is that of the shopify reference, section 4.
    """
    body = _ENCODER.encode({"query": question(name), "variables": variables})
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
        "X-Shopify-Access-Token": _token(store),
    }
    address = f"{store.access.base}/admin/api/{API_VERSION}/graphql.json"
    answer = store.web.ask(
        lambda: Request("POST", address, headers, body),
        tries=tries,
        read_seconds=READ_SECONDS,
        check=_check,
    )
    return read_reply(answer)


def ask_openly(store: Store, name: str, variables: Mapping[str, object]) -> Reply:
    """Ask for orders with their status pages, and without them where the app may not see these.

    The address of a status page counts as a name and may not be null, so that an order that must not show it is missing
    as a whole (schema, `Order.statusPageUrl`). Raises as `ask`.
    """
    hidden = store.access.features.get(STATUS_PAGE) == "hidden"
    reply = ask(store, name, {**variables, STATUS_PAGE: not hidden})
    return ask(store, name, {**variables, STATUS_PAGE: False}) if hides_status_page(reply) else reply


def hides_status_page(reply: Reply) -> bool:
    """Whether the app may not see the status pages of orders."""
    return any("statusPageUrl" in one.values("path") for one in reply.withheld)


def change(store: Store, name: str, variables: Mapping[str, object], field: str) -> Reader:
    """Ask for a change, once, and return what the mutation `field` says of it.

    Raises as `ask`, and Permanent with the shop's own words where it says no.
    """
    reply = ask(store, name, variables, tries=1)
    done = reply.data.part(field)
    said = [one.text("message") for one in done.items("userErrors")]
    if said:
        raise Permanent(f"Shopify says no: {words('; '.join(filter(None, said)))}")
    if not done.document:
        raise Permanent("Shopify does not let the app change this: open the app in Shopify once to give it its rights")
    return done


def read_reply(answer: Answer) -> Reply:
    """What an answer says. Raises as `ask`."""
    check_status(answer)
    document = read_document(answer)
    errors = _errors(document)
    withheld = tuple(one for one in errors if one.text("extensions.code") == "ACCESS_DENIED")
    _refuse([one for one in errors if one not in withheld], document)
    return Reply(document.part("data"), withheld, _version_notes(answer))


def check_status(answer: Answer) -> None:
    """Raises Permanent or Retryable for any answer but 200; what Web raises itself does not come here."""
    status = answer.status
    if status == 200:
        return
    if status == 401:
        raise AccessLost
    if status in _SENTENCES:
        raise Permanent(_SENTENCES[status])
    if 300 <= status < 400:
        raise Permanent("Shopify leads elsewhere: the shop has a new name, connect it again under that one")
    if status in (408, 430):
        raise Retryable(f"Shopify turns requests away for a while ({status})", after=timedelta(minutes=1))
    raise Permanent(f"Shopify answered {status}, which it never should: look for a newer version of Connector")


def read_document(answer: Answer) -> Reader:
    """The JSON object in an answer. Raises Retryable for anything else: only something in between says that."""
    try:
        return read_object(answer.body)
    except UnreadableDelivery as error:
        raise Retryable("Something between us and Shopify answered with a page instead of data") from error


def encoded(document: object) -> bytes:
    """A document that was read, as JSON again, its decimals as they were written."""
    try:
        return _ENCODER.encode(document)
    except UnicodeEncodeError:
        return _ENCODER.encode(_clean(document))


def words(told: str) -> str:
    """What Shopify said, on one line and short."""
    return quoted(told, _LONGEST_WORDS)


def _check(answer: Answer) -> None:
    """Lets a refusal that comes with status 200 be waited out; an answer without errors is not read twice for that."""
    if b'"errors"' in answer.body:
        read_reply(answer)


def _token(store: Store) -> str:
    credentials = store.access.credentials
    token = credentials.values.get("access_token", "")
    if not token:
        raise Permanent("The shop is not connected: open the app in Shopify once, or connect the shop again")
    if credentials.expires_at and credentials.expires_at <= store.clock.now():
        raise Retryable("The shop's access has run out and is being renewed", after=timedelta(minutes=1))
    return token


def _errors(document: Reader) -> list[Reader]:
    """The errors of an answer; where Shopify says them as one text or in another form, as one error."""
    told = document.value("errors")
    if isinstance(told, list) and all(isinstance(one, dict) for one in told):
        return [Reader(one, "errors") for one in told]
    return [Reader({"message": told if isinstance(told, str) else "an error"}, "errors")] if told else []


def _refuse(errors: list[Reader], document: Reader) -> None:
    codes = {one.text("extensions.code"): one for one in errors}
    if "THROTTLED" in codes:
        raise _throttled(document)
    if "MAX_COST_EXCEEDED" in codes:
        raise TooCostly
    if "SHOP_INACTIVE" in codes:
        raise Permanent("Shopify says that the shop is closed: its owner opens it again, or disconnects it here")
    if {"INTERNAL_SERVER_ERROR", "TIMEOUT"} & codes.keys():
        raise Retryable("Shopify has an error of its own; asked again later")
    if errors:
        raise Refused(f"Shopify does not understand us: {words('; '.join(one.text('message') for one in errors))}")
    if not isinstance(document.value("data"), dict) and not document.has("errors"):
        raise Retryable("Shopify answered without data; asked again later")


def _throttled(document: Reader) -> Permanent | Retryable:
    """How long until the shop has the points for this question (shopify reference, section 3.3)."""
    cost = document.part("extensions.cost")
    requested = _number(cost, "requestedQueryCost")
    bucket = cost.part("throttleStatus")
    restored, largest = _number(bucket, "restoreRate"), _number(bucket, "maximumAvailable")
    if 0 < largest < requested:
        return TooCostly()
    missing = max(requested - _number(bucket, "currentlyAvailable"), 1.0)
    seconds = math.ceil(missing / restored) if restored > 0 else 2
    return Throttled(after=timedelta(seconds=min(seconds, 3600)))


def _number(document: Reader, name: str) -> float:
    value: Any = document.value(name)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _version_notes(answer: Answer) -> tuple[str, ...]:
    spoken = answer.headers.get("x-shopify-api-version", API_VERSION)
    notes = []
    if spoken != API_VERSION:
        notes.append(
            f"Shopify answers in version {words(spoken)[:20]} and no longer in {API_VERSION}: install a newer Connector"
        )
    if answer.headers.get("x-shopify-api-deprecated-reason"):
        notes.append(f"Shopify will take away something that version {API_VERSION} asks for: install a newer Connector")
    return tuple(notes)


def _clean(value: object) -> object:
    """The same without halves of surrogate pairs, which no JSON can carry."""
    if isinstance(value, str):
        return cleaned(value)
    if isinstance(value, dict):
        return {cleaned(str(key)): _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list) else value
