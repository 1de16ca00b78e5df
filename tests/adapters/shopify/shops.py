"""A shop that answers what a test says, and the keys that open it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.contract import Store
from adapters.http import Answer, Request
from connector.domain.clock import FixedClock
from connector.domain.connection import Access, App, Credentials
from tests.adapters.talking import FakeWeb, answered

HOST = "meltemi-goods.myshopify.com"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
APP = App(
    "0123456789abcdef0123456789abcdef",
    ("shpss_the-newest-secret-of-the-app-0123", "shpss_an-older-secret-of-the-app-0123456"),
)
OPERATORS = Credentials(
    {"access_token": "shpat_operators", "refresh_token": "shprt_operators"},
    NOW + timedelta(hours=1),
    NOW + timedelta(days=90),
)
OWN = Credentials({"access_token": "shpat_own", "client_secret": "the-merchants-own-secret"})

Asked = tuple[str, dict[str, Any]]
"""An operation's name and its variables."""


def asked(request: Request) -> Asked:
    document = json.loads(request.body)
    found = re.search(r"(?:query|mutation) (\w+)", document["query"])
    assert found
    return found[1], document["variables"]


def operations(store: Store) -> list[Asked]:
    """What a shop was asked, in its order."""
    assert isinstance(store.web, FakeWeb)
    return [asked(request) for request in store.web.asked]


def store(
    answer: Callable[[Request], Answer], credentials: Credentials = OPERATORS, app: App = APP, host: str = HOST
) -> Store:
    return Store(FakeWeb(answer), FixedClock(NOW), Access(host, f"https://{host}", credentials, app))


def telling(
    answers: Mapping[str, Callable[[dict[str, Any]], object] | object], credentials: Credentials = OPERATORS
) -> Store:
    """A shop that tells `data` by operation; a function is given the variables. An Answer is given as it is."""

    def answer(request: Request) -> Answer:
        name, variables = asked(request)
        told = answers[name]
        told = told(variables) if callable(told) else told
        return told if isinstance(told, Answer) else answered({"data": told})

    return store(answer, credentials)


def errors(*codes: str, data: object = None, path: tuple[object, ...] = (), **cost: object) -> Answer:
    """An answer with errors of these codes."""
    told = [{"message": code.title(), "path": list(path), "extensions": {"code": code}} for code in codes]
    return answered({"data": data, "errors": told, "extensions": {"cost": cost}})


def throttled(requested: int = 800, available: int = 300, maximum: int = 2000, restored: int = 100) -> Answer:
    """Shopify's refusal of too many questions, which comes with status 200."""
    status = {"maximumAvailable": maximum, "currentlyAvailable": available, "restoreRate": restored}
    return errors("THROTTLED", requestedQueryCost=requested, throttleStatus=status)
