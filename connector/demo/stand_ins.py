"""Shops that do not exist: each sends its platform's real documents, signed as its platform signs, from data."""

import json
import re
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import requests

import adapters
from connector.domain.delivery import Delivery, LookAgain
from connector.domain.errors import Permanent
from connector.domain.shop import Brand, Seller, Shop
from connector.domain.signing import HmacSignature, Secrets
from connector.inspection import read_stored_delivery
from webhooks.verification import sign

SLOWEST_ANSWER = 15
"""Seconds."""

_PLACEHOLDER = re.compile(r"\{\{(-\d+:\d\d|now|unique|event)\}\}")
_AGO = re.compile(r"-(\d+):(\d\d)")


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shop answers when it is asked about an order: a document with changes, or a part of it."""

    order: str
    document: str
    changes: dict[str, Any] = {}
    part: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of news a shop sends, as `story.json` states it."""

    at: str
    """Hours and minutes before now: `-46:00`."""
    document: str
    """A file `<document>.http` beside the story, without a signature."""
    event: str
    says: str
    """What is shown by it, for people."""
    changes: dict[str, Any] = {}
    """What differs from the document, as a JSON merge patch (RFC 7396)."""
    copies: int = 1
    """How often the very same request is sent, all at the same moment."""
    fresh_copies: int = 0
    """How often the same body is sent once more, each under a delivery id of its own."""
    tampered: bool = False
    """Whether the changes happen after signing: such a delivery must be refused."""
    answer: Answer | None = None

    @property
    def posts(self) -> int:
        return self.copies + self.fresh_copies


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer of one order must be told, and must not; each is `kind` or `kind:subject`."""

    language: str
    invoice: bool
    told: tuple[str, ...]
    not_told: tuple[str, ...]


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One shop's days, as data."""

    shop: dict[str, Any]
    moments: str
    """How the platform writes a moment in UTC, as strftime does."""
    steps: tuple[Step, ...]
    orders: dict[str, Expected]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request a shop made, and what it was answered."""

    step: Step
    idempotency_key: str
    status: int


class StandIn:
    """One shop on one platform."""

    def __init__(self, platform: str, now: datetime) -> None:
        """`now`: what the story's times count back from."""
        self.platform = platform
        self.sent: list[Sent] = []
        self.secret = secrets.token_urlsafe(32)
        self._manifest = adapters.manifest(platform)
        self._folder = Path(adapters.__file__).parent / platform / "samples" / "demo"
        self._now = now
        self._answers: dict[str, bytes] = {}
        self.story = msgspec.json.decode((self._folder / "story.json").read_bytes(), type=Story)
        self.shop = self._made_shop()
        signature = next(one for one in self._manifest.signatures if isinstance(one, HmacSignature))
        self._signature = signature

    @property
    def secrets(self) -> Secrets:
        """What Connector needs to know of it."""
        return Secrets((self.secret,))

    def send(self, step: Step, address: str) -> None:
        """Post one step's deliveries to the service at `address` (`http://host:port`), copies at the same moment."""
        if step.answer:
            self._answers[step.answer.order] = self._answer_body(step.answer)
        first = self.delivery(step)
        with ThreadPoolExecutor(step.copies) as pool:
            list(pool.map(lambda _: self._post(step, first, address), range(step.copies)))
        for _ in range(step.fresh_copies):
            self._post(step, self.delivery(step), address)

    def answer(self, hint: LookAgain) -> bytes:
        """What this shop says when it is asked about an order. Raises Permanent for one it does not know."""
        try:
            return self._answers[hint.order_id or hint.subject_id]
        except KeyError:
            raise Permanent("the stand-in shop has no such order") from None

    def _made_shop(self) -> Shop:
        stated = dict(self.story.shop)
        connected_at = ago(self._now, stated.pop("connected_at"))
        return Shop(
            shop_id=f"demo-{self.platform}",
            platform=self.platform,
            key=secrets.token_urlsafe(18),
            connected_at=connected_at,
            seller=msgspec.convert(stated.pop("seller"), Seller),
            brand=msgspec.convert(stated.pop("brand"), Brand),
            store_locales=tuple((view, locale) for view, locale in stated.pop("store_locales", ())),
            **stated,
        )

    def delivery(self, step: Step) -> Delivery:
        """A step as the request its platform would make, with a delivery id of its own."""
        delivery = self._document(step.document, step.event)
        changed = self._changed(delivery.body, step.changes)
        signed = delivery.body if step.tampered else changed
        header = {self._signature.headers[0]: sign(self._signature, signed, self.secret)}
        return replace(delivery, body=changed, headers={**delivery.headers, **header})

    def _post(self, step: Step, delivery: Delivery, address: str) -> None:
        event = f"/{delivery.path_event}" if delivery.path_event else ""
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{address}/webhooks/{self.platform}/{self.shop.key}{event}",
                data=delivery.body,
                headers=dict(delivery.headers),
                timeout=SLOWEST_ANSWER,
            )
        self.sent.append(Sent(step, self._manifest.idempotency_key(delivery), answer.status_code))

    def _answer_body(self, answer: Answer) -> bytes:
        document = json.loads(self._changed(self._document(answer.document, "").body, answer.changes))
        return _encoded(document[answer.part] if answer.part else document)

    def _document(self, name: str, event: str) -> Delivery:
        source = (self._folder / f"{name}.http").read_text(encoding="utf-8")
        return read_stored_delivery(self.platform, self._filled(source, event).encode(), received_at=self._now)

    def _changed(self, body: bytes, changes: Mapping[str, Any]) -> bytes:
        if not changes:
            return body
        return _encoded(merged(json.loads(body), json.loads(self._filled(json.dumps(changes)))))

    def _filled(self, source: str, event: str = "") -> str:
        """A text with its moments, names and fresh ids written in."""

        def words(match: re.Match[str]) -> str:
            name = match[1]
            if name == "event":
                return event
            if name == "unique":
                return secrets.token_hex(16)
            return (self._now if name == "now" else ago(self._now, name)).strftime(self.story.moments)

        return _PLACEHOLDER.sub(words, source)


def ago(now: datetime, text: str) -> datetime:
    """The moment that `-46:00` (hours and minutes) means. Raises ValueError for anything else."""
    match = _AGO.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not hours and minutes before now, as -46:00")
    return now - timedelta(hours=int(match[1]), minutes=int(match[2]))


def merged(document: Any, patch: Any) -> Any:
    """A document after a JSON merge patch (RFC 7396): objects merge, None takes a member away, the rest replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
