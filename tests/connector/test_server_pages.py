"""What a page hears of a request is what its proxy said, and not what a stranger makes look like it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connector.server import Application, Headers
from tests.flow.road import Road


@dataclass
class Request:
    """A request as granian tells it, and what it is answered."""

    sent: list[tuple[str, str]]
    proto: str = "http"
    http_version: str = "1.1"
    server: str = "127.0.0.1:8080"
    client: str = "203.0.113.7:4711"
    scheme: str = "http"
    method: str = "GET"
    path: str = "/page"
    query_string: str = ""
    status: int = 0
    heard: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers: Headers = self

    def items(self) -> list[tuple[str, str]]:
        return self.sent

    async def __call__(self) -> bytes:
        return b""

    def __aiter__(self) -> Any:
        raise NotImplementedError

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status


def heard(road: Road, *sent: tuple[str, str]) -> dict[str, Any]:
    """The WSGI environment of a request with these headers."""
    request = Request(list(sent))

    def page(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request.heard = environment
        start_response("200 OK", [])
        return [b""]

    application = Application(road.door, page, slowest=5, threads=1)
    asyncio.run(application.__rsgi__(request, request))
    assert request.status == 200
    return request.heard


def test_a_header_with_an_underscore_does_not_pass_for_the_proxys(make_road: Callable[..., Road]) -> None:
    told = heard(make_road(), ("x-forwarded-for", "198.51.100.1"), ("x_forwarded_for", "127.0.0.1"))
    assert told["HTTP_X_FORWARDED_FOR"] == "198.51.100.1"


def test_a_header_sent_twice_is_heard_whole_and_in_its_order(make_road: Callable[..., Road]) -> None:
    told = heard(make_road(), ("x-forwarded-for", "made up"), ("x-forwarded-for", "198.51.100.1"))
    assert told["HTTP_X_FORWARDED_FOR"] == "made up, 198.51.100.1"
