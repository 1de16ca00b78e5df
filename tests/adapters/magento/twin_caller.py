"""Somebody who speaks with the Magento twin over HTTP, signing with a library that is not ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

import requests
from oauthlib.oauth1 import Client

from adapters.magento.twin import MagentoTwin
from connector.domain.clock import FixedClock

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOST = "harbour.example.test"
GATEWAY = "connector.example.test"


@dataclass(frozen=True)
class Said:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Caller:
    """A client of the REST API with four secrets."""

    def __init__(self, twin: MagentoTwin, clock: FixedClock, secrets: Mapping[str, str] | None = None) -> None:
        self.twin = twin
        self.clock = clock
        self.secrets = secrets if secrets is not None else twin.integration_tokens()

    def signed(self, method: str, path: str, **changes: object) -> dict[str, str]:
        """The headers of a request, signed now; `changes` go to oauthlib's client."""
        given: dict[str, Any] = {
            "client_secret": self.secrets["consumer_secret"],
            "resource_owner_key": self.secrets.get("access_token"),
            "resource_owner_secret": self.secrets.get("access_token_secret"),
            "signature_method": "HMAC-SHA256",
            "timestamp": str(int(self.clock.now().timestamp())),
        }
        client: Any = Client(self.secrets["consumer_key"], **(given | changes))
        _, headers, _ = client.sign(self.twin.base + path, http_method=method)
        return dict(headers)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Said:
        sent = dict(self.signed(method, path) if headers is None else headers) | {"Host": self.twin.host}
        if body is not None:
            sent["Content-Type"] = "application/json"
        target = self.twin.server.address + path
        content = json.dumps(body).encode() if body is not None else None
        answer = requests.request(method, target, headers=sent, data=content, timeout=10, allow_redirects=False)
        return Said(answer.status_code, answer.text, {name.lower(): one for name, one in answer.headers.items()})

    def get(self, path: str) -> Any:
        said = self.ask("GET", f"/rest/V1/{path}")
        assert said.status == 200, said.text
        return said.json

    def post(self, path: str, body: object = None) -> Said:
        return self.ask("POST", f"/rest/V1/{path}", body if body is not None else {})

    def exchange(self, verifier: str) -> dict[str, str]:
        """The two steps after an activation; returns the four secrets."""
        first = dict(parse_qsl(self.ask("POST", "/oauth/token/request").text))
        self.secrets = {
            **self.secrets,
            "access_token": first["oauth_token"],
            "access_token_secret": first["oauth_token_secret"],
        }
        path = "/oauth/token/access"
        second = dict(parse_qsl(self.ask("POST", path, headers=self.signed("POST", path, verifier=verifier)).text))
        self.secrets = {
            **self.secrets,
            "access_token": second["oauth_token"],
            "access_token_secret": second["oauth_token_secret"],
        }
        return dict(self.secrets)


def criteria(*filters: tuple[str, str, str], size: int = 0, page: int = 0, sort: tuple[str, ...] = ()) -> str:
    """A query string; each filter (field, condition, value) is a group of its own; `sort` is ascending."""
    pairs = []
    for place, (field, condition, value) in enumerate(filters):
        prefix = f"searchCriteria[filter_groups][{place}][filters][0]"
        pairs += [
            (f"{prefix}[field]", field),
            (f"{prefix}[condition_type]", condition),
            (f"{prefix}[value]", value),
        ]
    for place, field in enumerate(sort):
        prefix = f"searchCriteria[sortOrders][{place}]"
        pairs += [(f"{prefix}[field]", field), (f"{prefix}[direction]", "ASC")]
    pairs += [("searchCriteria[pageSize]", str(size))] if size else []
    pairs += [("searchCriteria[currentPage]", str(page))] if page else []
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs) or "searchCriteria="


def ids(answer: Any) -> list[int]:
    return [item["entity_id"] for item in answer["items"]]
