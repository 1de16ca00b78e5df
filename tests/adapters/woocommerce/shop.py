"""A shop for the client's tests: what each call is answered with, and what was asked."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapters.contract import Store
from adapters.http import Answer, Request
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, Credentials
from tests.adapters.talking import FakeWeb, answered

HOST = "laden.example.test"
BASE = f"https://{HOST}"
ROOT = f"{BASE}/wp-json"
KEY, SECRET = "ck_" + "a" * 40, "cs_" + "b" * 40
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CREDENTIALS = {"consumer_key": KEY, "consumer_secret": SECRET, "rest_root": ROOT, "key_in": "header"}
ABOUT = {
    "name": "Müller &amp; Söhne",
    "home": BASE,
    "gmt_offset": 1,
    "timezone_string": "Europe/Berlin",
    "namespaces": ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wp/v2"],
}

Reply = Callable[[Request], Answer]


def error(code: str, status: int) -> Answer:
    """An error as WordPress tells it."""
    return answered({"code": code, "message": "…", "data": {"status": status}}, status)


def page(status: int, words: str = "<!DOCTYPE html><p>Hello</p>", **headers: str) -> Answer:
    """A web page, from whomever."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "text/html"} | named, words.encode())


class FakeShop:
    """Answers what was laid down for `METHOD /path`; everything else is no route of WordPress."""

    def __init__(self, base: str = BASE) -> None:
        self.base = base
        self.replies: dict[str, Reply] = {}
        self.web = FakeWeb(self._answer)
        self.says("GET /wp-json/", ABOUT)

    def says(self, call: str, document: object, status: int = 200, **headers: str) -> None:
        self.replies[call] = lambda _: answered(document, status, **headers)

    def answers(self, call: str, answer: Answer) -> None:
        self.replies[call] = lambda _: answer

    def does(self, call: str, reply: Reply) -> None:
        self.replies[call] = reply

    def store(self, **features: str) -> Store:
        root = f"{self.base}/wp-json"
        return self._store(Credentials(CREDENTIALS | {"rest_root": root, "own_root": root}), features)

    def stranger(self) -> Store:
        """Before it is connected."""
        return self._store(Credentials(), {})

    def asked(self, call: str) -> list[Request]:
        return [request for request in self.web.asked if _call(request) == call]

    def sent(self, call: str) -> list[Any]:
        return [json.loads(request.body) for request in self.asked(call)]

    def queries(self, call: str) -> list[dict[str, str]]:
        return [query_of(request) for request in self.asked(call)]

    def calls(self) -> list[str]:
        return [_call(request) for request in self.web.asked]

    def _store(self, credentials: Credentials, features: dict[str, str]) -> Store:
        access = Access(urlsplit(self.base).netloc, self.base, credentials, features=features)
        return Store(self.web, FixedClock(NOW), access)

    def _answer(self, request: Request) -> Answer:
        reply = self.replies.get(_call(request))
        return reply(request) if reply else error("rest_no_route", 404)


def query_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


def basic(request: Request) -> str:
    """The pair in the Authorization header; empty without one."""
    kind, _, pair = request.headers.get("Authorization", "").partition(" ")
    return base64.b64decode(pair).decode() if kind == "Basic" else ""


def _call(request: Request) -> str:
    return f"{request.method} {urlsplit(request.url).path}"
