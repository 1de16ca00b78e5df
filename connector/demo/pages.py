"""The demo's pages: plain HTML that works without scripts, on a phone, with a keyboard and a screen reader."""

from datetime import datetime
from decimal import Decimal
from email.message import EmailMessage
from itertools import groupby
from urllib.parse import quote

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from connector.demo.filters import FILTERS
from connector.demo.report import language_of
from connector.demo.showcase import Letter, Showcase, parcel_ids
from connector.story import says_more, sentence
from notifications.wording import LOCALES

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
MOST_PAGES = 1000


def demo_pages(showcase: Showcase) -> Blueprint:
    """Everything under /demo/, and / which leads there."""
    blueprint = Blueprint(
        "demo", __name__, template_folder="templates", static_folder="static", static_url_path="/demo/static"
    )
    blueprint.context_processor(lambda: {"showcase": showcase, "written": showcase.written})
    filters = {**FILTERS, "sentence": lambda entry, parcels: sentence(entry, showcase.written, parcels)}
    blueprint.record_once(lambda state: state.app.jinja_env.filters.update(filters))
    pages = Pages(showcase)
    for path, view in (
        ("/", pages.home),
        ("/demo/", pages.overview),
        ("/demo/shops/<shop_id>", pages.shop),
        ("/demo/orders/<shop_id>/<order_id>", pages.order),
        ("/demo/mails/", pages.mails),
        ("/demo/mails/<shop_id>/<intent_id>", pages.mail),
        ("/demo/mails/<shop_id>/<intent_id>/body", pages.mail_body),
        ("/demo/documents/<shop_id>/<order_id>/<number>.pdf", pages.document),
        ("/demo/to-look-at", pages.to_look_at),
    ):
        blueprint.add_url_rule(path, view_func=view)
    blueprint.register_error_handler(404, lambda _: (render_template("demo/missing.html"), 404))
    blueprint.after_request(_with_page_policy)
    return blueprint


class Pages:
    """One method a page."""

    def __init__(self, showcase: Showcase) -> None:
        self._showcase = showcase

    def home(self) -> AnyResponse:
        return redirect("/demo/")

    def overview(self) -> str:
        """What this is, the figures, the shops, and a page of orders."""
        page = request.args.get("page", 1, type=int)
        if not 1 <= page <= MOST_PAGES:
            abort(404)
        lines, more = self._showcase.order_lines(page)
        return render_template("demo/overview.html", counts=self._showcase.counts(), lines=lines, page=page, more=more)

    def order(self, shop_id: str, order_id: str) -> str:
        """One order's story."""
        story = self._showcase.order(shop_id, order_id) or abort(404)
        entries = [entry for entry in story.entries if says_more(entry)]
        return render_template(
            "demo/order.html",
            story=story,
            order=story.record.snapshot,
            entries=entries,
            parcels=parcel_ids(story.record),
            refunded=sum((refund.amount for refund in story.record.refunds), Decimal(0)),
        )

    def shop(self, shop_id: str) -> str:
        """How one shop was connected, and how well that works."""
        return render_template("demo/shop.html", story=self._showcase.shop_story(shop_id) or abort(404))

    def mails(self) -> str:
        """All mails, by language."""
        letters = sorted(self._showcase.letters(), key=_by_language)
        groups = [(language, list(found)) for language, found in groupby(letters, key=_language)]
        return render_template("demo/mails.html", groups=groups)

    def mail(self, shop_id: str, intent_id: str) -> str:
        """One mail as the customer has it."""
        letter = self._letter(shop_id, intent_id)
        return render_template("demo/mail.html", letter=letter, text=_part(letter.mail, "plain"))

    def mail_body(self, shop_id: str, intent_id: str) -> Response:
        """The HTML part by itself, for a frame that may do nothing."""
        content = _part(self._letter(shop_id, intent_id).mail, "html")
        return _with_policy(Response(content, content_type="text/html; charset=utf-8"), MAIL_POLICY)

    def document(self, shop_id: str, order_id: str, number: str) -> Response:
        """An invoice, byte for byte as it was issued."""
        issued = self._showcase.document(shop_id, order_id, number) or abort(404)
        response = Response(issued.content, content_type="application/pdf")
        response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(issued.number)}.pdf"
        return _with_policy(response, PDF_POLICY)

    def to_look_at(self) -> str:
        """What needs a person, and what was refused."""
        return render_template("demo/to_look_at.html")

    def _letter(self, shop_id: str, intent_id: str) -> Letter:
        return self._showcase.letter(shop_id, intent_id) or abort(404)


def _with_page_policy(response: Response) -> Response:
    return response if "Content-Security-Policy" in response.headers else _with_policy(response, PAGE_POLICY)


def _with_policy(response: Response, policy: str) -> Response:
    response.headers["Content-Security-Policy"] = policy
    return response


def _language(letter: Letter) -> str:
    return language_of(letter.mail)


def _by_language(letter: Letter) -> tuple[int, datetime]:
    language = _language(letter)
    return LOCALES.index(language) if language in LOCALES else len(LOCALES), letter.said.created_at


def _part(mail: EmailMessage, kind: str) -> str:
    """The text or HTML part of a mail; empty when it has none."""
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""
