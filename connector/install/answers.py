"""From what an adapter tells to what is sent: a page, a redirect, or exact bytes."""

import re
from typing import Any

from flask import Response, render_template
from markupsafe import Markup, escape
from werkzeug.datastructures import Headers

from adapters.contract import Connect, Script, Told
from connector.domain.connection import App
from connector.install import policy

TITLES = {"declined": "Nothing was connected", "problem": "That did not work"}
_REDIRECT = re.compile(r"https://[!-~]+", re.ASCII)


class _ExactRedirect(Response):
    """Leads to an address as it was given: a platform may compare it byte for byte."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self.headers["Location"]
        return headers


def answer(told: Told, connect: Connect, app: App, *, again: str = "") -> Response:
    """What an adapter told, as an answer. `again`: where a merchant may begin again.

    Raises ValueError for a redirect to anything but an https address.
    """
    if told.redirect:
        return _redirect(told)
    if not told.page:
        return _headed(Response(told.body, told.status, content_type=told.content_type), told)
    script = script_of(connect, app) if told.host else None
    page = message(told.page, told.words, again=again, status=told.status, script=script)
    return framed(page, connect, app, told)


def message(page: str, words: str, *, again: str = "", status: int = 200, script: Script | None = None) -> Response:
    """A page that says one thing. What is said may come from anybody; it is shown as text."""
    title = TITLES.get(page, TITLES["problem"])
    return Response(
        render_template("install/message.html", title=title, words=words, again=again, script=script), status
    )


def framed(page: Response, connect: Connect, app: App, told: Told, host: str = "") -> Response:
    """The page with leave to stand inside the pages of `told.host`, or of `host`."""
    shown_for = told.host or host
    if shown_for and connect.embedded_in:
        rules = policy.inside(connect.embedded_in(shown_for), script_of(connect, app))
        page.headers["Content-Security-Policy"] = rules
    return _headed(page, told)


def script_of(connect: Connect, app: App) -> Script | None:
    """What a page inside the platform's loads first."""
    return connect.script(app) if connect.script else None


def with_addresses(sentence: str, address: str) -> Markup:
    """A sentence with our own addresses set apart, so that one click takes each whole for copying."""
    parts = re.split(rf"({re.escape(address)}/\S*[\w/=-])\s?[.,;]?", sentence) if address else [sentence]
    shown = [
        Markup('<code class="copy">{}</code>').format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    ]
    return Markup("").join(shown)


def full_stop(words: str) -> str:
    """Words that came without one, as a sentence."""
    return words if not words or words.endswith((".", "!", "?", ")")) else f"{words}."


def _redirect(told: Told) -> Response:
    if not _REDIRECT.fullmatch(told.redirect):
        raise ValueError("a redirect leads to an https address")
    status = told.status if 300 <= told.status < 400 else 302
    return _headed(_ExactRedirect(status=status, headers={"Location": told.redirect}), told)


def _headed(response: Response, told: Told) -> Response:
    for name, value in told.headers:
        response.headers[name] = value
    return response
