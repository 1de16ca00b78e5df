"""What holds for every page of connecting: who is let in, how much they may send, and what an error looks like."""

import logging

from flask import Blueprint, Response, abort, render_template, request
from werkzeug.exceptions import HTTPException, TooManyRequests

from connector.install import policy
from connector.settings import Settings
from webhooks.limits import RefusalLimit

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024
REFUSALS = frozenset({400, 404, 405, 413})
"""Answers that count against a client."""


class Guard:
    """Stands before and behind the pages of a blueprint."""

    def __init__(self, settings: Settings) -> None:
        self._open = bool(settings.address)
        self._limit = RefusalLimit(settings.refusals_per_minute, client_header=settings.client_header)

    def watch(self, blueprint: Blueprint) -> None:
        """Guard all of its routes."""
        blueprint.before_request(self._before)
        blueprint.after_request(self._after)
        blueprint.register_error_handler(Exception, self._failed)

    def _before(self) -> None:
        if self._limit.is_over(self._client()):
            raise TooManyRequests(retry_after=60)
        if not self._open:
            abort(404)
        request.max_content_length = LARGEST_BODY

    def _after(self, response: Response) -> Response:
        """What is refused is counted; nothing is kept by browsers or found by search engines."""
        if response.status_code in REFUSALS:
            self._limit.count(self._client())
        response.headers.setdefault("Content-Security-Policy", policy.STANDING_ALONE)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def _failed(self, error: Exception) -> Response:
        """A page for every error; the log gets neither the address, which is a key, nor what was sent (P10)."""
        if not isinstance(error, HTTPException):
            log.error("a page of connecting could not be made", exc_info=error)
            return Response(render_template("install/error.html", code=500), 500)
        page = Response(render_template("install/error.html", code=error.code), error.code)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After"):
                page.headers[name] = value
        return page

    def _client(self) -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._limit.client(f"{request.remote_addr}:0", headers)
