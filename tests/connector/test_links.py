"""Links only we can make, and what a customer can open with one."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from connector.links import Links, UnknownLink
from connector.portal import document_pages
from tests.fake_platform import order_document
from tests.flow.road import Road
from webhooks.limits import RefusalLimit

LINKS = Links("https://connector.example.test", ("new key", "old key"))


def pages(road: Road, *, refusals: int = 100) -> FlaskClient:
    app = Flask("pages")
    limit = RefusalLimit(refusals, client_header="x-client")
    app.register_blueprint(document_pages(road.service.database, LINKS, limit))
    return app.test_client()


def test_a_link_opens_to_what_it_was_made_for_and_names_no_person() -> None:
    link = LINKS.document("shop-1", "2026-", 7)
    assert link.startswith("https://connector.example.test/documents/")
    assert LINKS.open_document(link.rpartition("/")[2]) == ("shop-1", "2026-", 7)


def test_a_link_made_with_an_older_key_still_opens() -> None:
    older = Links("https://connector.example.test", ("old key",)).document("shop-1", "2026-", 7)
    assert LINKS.open_document(older.rpartition("/")[2]) == ("shop-1", "2026-", 7)


@pytest.mark.parametrize("change", ["", "x", "WyJzaG9wLTEiLCIyMDI2LSIsN10", "WyJzaG9wLTEiLCIyMDI2LSIsN10.aaaa"])
def test_p8_a_link_that_was_not_made_here_opens_nothing(change: str) -> None:
    with pytest.raises(UnknownLink):
        LINKS.open_document(change)


def test_p8_a_link_of_another_service_opens_nothing() -> None:
    foreign = Links("https://connector.example.test", ("another key",)).document("shop-1", "2026-", 7)
    with pytest.raises(UnknownLink):
        LINKS.open_document(foreign.rpartition("/")[2])


def test_p7_the_holder_of_a_link_gets_the_very_bytes_that_were_issued(make_road: Callable[..., Road]) -> None:
    road = make_road()
    road.tell(order_document())
    (issued,) = road.invoices()
    path = LINKS.document(road.shop.shop_id, issued.series, issued.serial).removeprefix(
        "https://connector.example.test"
    )
    answer = pages(road).get(path)
    assert (answer.status_code, answer.data, answer.content_type) == (200, issued.content, "application/pdf")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_stranger_who_tries_links_is_refused_and_soon_has_to_wait(make_road: Callable[..., Road]) -> None:
    browser = pages(make_road(), refusals=3)
    unknown = LINKS.document("shop-1", "2026-", 999).removeprefix("https://connector.example.test")
    tried = [browser.get(path, headers={"x-client": "203.0.113.9"}).status_code for path in ("/documents/a", unknown)]
    tried += [browser.get("/documents/" + "b" * 600, headers={"x-client": "203.0.113.9"}).status_code]
    assert tried == [404, 404, 404]
    assert browser.get("/documents/c", headers={"x-client": "203.0.113.9"}).status_code == 429
    assert browser.get("/documents/c", headers={"x-client": "203.0.113.10"}).status_code == 404
