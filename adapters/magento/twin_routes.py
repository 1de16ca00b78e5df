"""A route of the twin's REST API, and what a request looks like once its route is found."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A request after its route was found."""

    number: int
    """The id in the path; 0 without one."""
    query: Mapping[str, object]
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: re.Pattern[str]
    resource: str
    """The right it needs."""
    act: Callable[[Call], object]

    def number(self, method: str, path: str) -> str | None:
        """The id in a path of this route, "0" for a route without one; None for another route."""
        found = self.path.fullmatch(path) if method == self.method else None
        if found is None:
            return None
        return found["id"] if "id" in self.path.groupindex else "0"


def route(words: str, resource: str, act: Callable[[Call], object]) -> Route:
    """`words`: method and path behind `/V1`, with `:id` for a number."""
    method, _, path = words.partition(" ")
    return Route(method, re.compile(f"V1/{path.replace(':id', '(?P<id>[^/]+)')}"), resource, act)
