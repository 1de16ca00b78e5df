"""A way out to platforms for tests: a function answers, and refusals are raised as the real one raises them."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from adapters.http import LARGEST_ANSWER, Answer, Busy, Failed, Request, Web
from connector.domain.errors import Retryable

LONGEST_WAIT = 10
"""Seconds; longer waits are raised even where a try is left, as `Web` does."""


class FakeWeb(Web):
    """Asks a function. 429 and 5xx become Busy and Failed; what the function raises is raised."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.private_addresses = False
        self.asked: list[Request] = []
        self._answer = answer

    def ask(
        self,
        make: Callable[[], Request],
        *,
        tries: int = 1,
        read_seconds: float = 30.0,
        largest: int = LARGEST_ANSWER,
        check: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """As `Web.ask`, without waiting."""
        for left in range(tries - 1, -1, -1):
            try:
                return self._once(make(), check)
            except Retryable as problem:
                if not left or (problem.after and problem.after > timedelta(seconds=LONGEST_WAIT)):
                    raise
        raise ValueError("tries must be 1 or more")

    def calls(self, host: str) -> int:
        return sum(urlsplit(request.url).netloc == host for request in self.asked)

    def _once(self, request: Request, check: Callable[[Answer], object] | None) -> Answer:
        self.asked.append(request)
        answer = self._answer(request)
        if answer.status != 429 and answer.status < 500:
            if check:
                check(answer)
            return answer
        wait = answer.headers.get("retry-after", "")
        after = timedelta(seconds=float(wait)) if wait else None
        if answer.status in (429, 503):
            raise Busy(f"it answered {answer.status}", after=after)
        raise Failed(f"it answered {answer.status}", answer, after=after)


def answered(document: object, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON document; `_` in a header's name is `-`."""
    named = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json"} | named, json.dumps(document).encode())
