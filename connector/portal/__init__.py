"""What a customer can open with a signed link, without an account."""

from flask import Blueprint, Response, request

from connector.database import Database
from connector.links import DOCUMENTS, Links, UnknownLink
from connector.tables import documents
from webhooks.limits import RefusalLimit

LONGEST_TOKEN = 512


def document_pages(database: Database, links: Links, limit: RefusalLimit) -> Blueprint:
    """`GET /documents/<token>`: the PDF, exactly as it was issued (P7), to whoever holds its link (P8).

    `limit`: a stranger who tries tokens is soon asked to wait.
    """
    pages = Blueprint("documents", __name__)

    @pages.get(f"{DOCUMENTS}<token>")
    def document(token: str) -> Response:
        client = limit.client(f"{request.remote_addr}:0", {k.lower(): v for k, v in request.headers.items()})
        if limit.is_over(client):
            return _words("Asked too often; please wait a minute.", 429)
        issued = _issued(database, links, token)
        if issued is None:
            limit.count(client)
            return _words("There is no such document. Copy the whole link from the message it came in.", 404)
        answer = Response(issued.content, content_type="application/pdf")
        answer.headers["Content-Disposition"] = f'inline; filename="{_file_name(issued.number)}.pdf"'
        answer.headers["Cache-Control"] = "private, no-store"
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return pages


def _issued(database: Database, links: Links, token: str) -> documents.Issued | None:
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        shop_id, series, serial = links.open_document(token)
    except UnknownLink:
        return None
    with database.read() as connection:
        return documents.by_serial(connection, shop_id, series, serial)


def _file_name(number: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "-" for letter in number)


def _words(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
