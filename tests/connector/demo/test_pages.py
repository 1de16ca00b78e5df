"""The demo's pages: complete, safe, and usable on a phone and without a mouse."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from connector.demo.show import Demo, free_port
from connector.demo.showcase import Showcase
from connector.demo.sink import MailSink
from notifications.wording import LOCALES
from tests.connector.demo.conftest import Played

HOSTILE = "<script>alert(1)</script>"
PHONE = 390


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the text of the title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""
        self._in_title = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""

    def handle_endtag(self, _: str) -> None:
        self._in_title = False

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def linked(page: str, start: str) -> list[str]:
    return re.findall(rf'href="({start}[^"]+)"', page)


@pytest.fixture(scope="package")
def addresses(played: Played) -> list[str]:
    """Every page there is, once; of mails the first of each language."""
    overview, mails = played.pages.get("/demo/").text, played.pages.get("/demo/mails/").text
    letters = [re.findall(rf'href="(/demo/mails/[^"]+)" lang="{language}"', mails)[0] for language in LOCALES]
    orders = linked(overview, "/demo/orders/")
    return ["/demo/", "/demo/mails/", "/demo/to-look-at", *linked(overview, "/demo/shops/"), *orders, *letters]


def test_every_page_answers_with_a_policy_that_allows_no_script_and_no_stranger(
    played: Played, addresses: list[str]
) -> None:
    for address in addresses:
        answer = played.pages.get(address)
        assert answer.status_code == 200, address
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "http" not in policy


def test_nothing_is_loaded_from_anywhere_else_and_nothing_is_inline(played: Played, addresses: list[str]) -> None:
    for address in addresses:
        elements = Elements(played.pages.get(address).text)
        loaded = [attributes.get("src") or attributes.get("href") or "" for _, attributes in elements.found]
        assert all(target.startswith(("/", "#")) for target in loaded if target), address
        assert not elements.all("script")
        assert not elements.all("style")
        assert not any("style" in attributes for _, attributes in elements.found)


def test_a_hostile_name_is_shown_and_never_markup(played: Played, addresses: list[str]) -> None:
    pages = [played.pages.get(address).text for address in addresses]
    assert any("&lt;script&gt;alert(1)" in page for page in pages)
    assert not any(HOSTILE in page for page in pages)


def test_pages_say_their_language_title_and_one_heading_and_tables_have_headers(
    played: Played, addresses: list[str]
) -> None:
    for address in addresses:
        elements = Elements(played.pages.get(address).text)
        assert elements.all("html")[0]["lang"] == "en"
        assert elements.title.endswith("Connector demo")
        assert len(elements.all("h1")) == 1
        assert all(header.get("scope") in {"col", "row"} for header in elements.all("th"))
        assert all(frame.get("title") and frame.get("sandbox") is None for frame in elements.all("iframe"))
        assert all("sandbox" in frame for frame in elements.all("iframe"))
        names = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        assert len(names) == len(set(names)), address


def test_a_mail_in_arabic_is_shown_from_right_to_left(played: Played, addresses: list[str]) -> None:
    address = addresses[-len(LOCALES) + LOCALES.index("ar")]
    elements = Elements(played.pages.get(address).text)
    assert (elements.all("h1")[0]["lang"], elements.all("h1")[0]["dir"]) == ("ar", "rtl")
    assert elements.all("pre")[0]["dir"] == "rtl"
    body = played.pages.get(f"{address}/body")
    assert Elements(body.text).all("html")[0]["dir"] == "rtl"
    assert body.headers["Content-Security-Policy"].startswith("sandbox;")


def test_an_invoice_is_served_as_it_was_issued(played: Played) -> None:
    place = played.demo.places[0]
    order_id = next(order_id for order_id, expected in place.expected().items() if expected.invoice)
    story = played.demo.showcase.order(place.shop_id, order_id)
    assert story is not None
    issued = story.documents[0]
    answer = played.pages.get(f"/demo/documents/{place.shop_id}/{order_id}/{issued.number}.pdf")
    assert (answer.content_type, answer.data) == ("application/pdf", issued.content)
    assert answer.headers["Content-Disposition"].startswith("inline;")


def test_the_timeline_says_why_a_mail_was_sent_and_why_another_was_not(played: Played, addresses: list[str]) -> None:
    pages = [played.pages.get(address).text for address in addresses if "/orders/" in address]
    for words in (
        "Mail “order received” was planned. The order came in.",
        "No mail “payment received”. It is told in another message about the same moment.",
        "No mail “order received”. It happened before this shop was connected.",
        "No mail “shipped”. Nothing in this order is shipped.",
        "Parcel 3 of 3 left.",
        "It arrived 2 times; it was kept and understood once.",
        "Found by looking through the shop",
        "Found by looking at the parcel again",
        "The shop was given the parcel with its tracking number",
        "kept until the order itself is known",
        "nobody here knows",
    ):
        assert any(words in page for page in pages), words


def test_what_could_not_be_understood_is_shown_with_its_reason_and_body(played: Played) -> None:
    page = played.pages.get("/demo/to-look-at").text
    assert "it is empty, as after an error in the webhook" in page
    assert "answered 401" in page


def test_a_shops_page_says_how_it_was_connected_what_it_can_do_and_how_well_it_works(played: Played) -> None:
    for place in played.demo.places:
        page = html.unescape(played.pages.get(f"/demo/shops/{place.shop_id}").text)
        story = played.demo.showcase.shop_story(place.shop_id)
        assert story is not None
        for words in (
            *(sentence[1:] for sentence in place.story.connects),
            *(one.topic for one in story.connection.subscribed.subscriptions),
            *story.connection.findings.notes,
            "The merchant switched our voice on",
            "the platform does not tell" if story.voices[0].platform_mails is None else "off",
            f"<dt>past orders read</dt><dd>{place.imported}</dd>",
            f"<dt>gaps healed</dt><dd>{story.connection.healed}</dd>",
            "Shipment<",
            "Invoice link<",
        ):
            assert words in page, words


def test_the_pages_a_merchant_was_led_through_are_there_to_look_at(played: Played) -> None:
    for place in played.demo.places:
        invitation, progress = played.pages.get(place.invitation), played.pages.get(f"{place.invitation}/done")
        assert (invitation.status_code, progress.status_code) == (200, 200)
        assert place.twin.host in invitation.text
        assert "<h1>Connected</h1>" in progress.text


def test_before_it_was_invited_a_shop_is_only_a_name(tmp_path: Path) -> None:
    with MailSink() as sink, Demo(tmp_path, sink, free_port(18390)) as demo:
        page = demo.pages.test_client().get("/demo/").text
        demo.service.stop_asking()
        demo.service.database.close()
    assert page.count("Not connected yet.") == len(demo.places)


def test_before_the_first_delivery_the_page_says_what_to_wait_for(played: Played) -> None:
    assert "Orders appear within seconds" in played.before


def test_what_is_not_there_is_not_found(played: Played) -> None:
    for address in (
        "/demo/orders/nobody/1",
        "/demo/shops/nobody",
        f"/demo/orders/{played.demo.places[0].shop_id}/nobody",
        "/demo/mails/nobody/1",
        "/demo/mails/nobody/1/body",
        "/demo/documents/nobody/1/2.pdf",
        "/demo/?page=0",
        "/demo/?page=99999999999",
    ):
        answer = played.pages.get(address)
        assert answer.status_code == 404, address
        assert "There is nothing here" in answer.text
    assert played.pages.get("/").headers["Location"] == "/demo/"


def test_more_orders_than_fit_have_another_page(played: Played) -> None:
    demo = played.demo
    showcase = Showcase(demo.service, demo.places, demo.sink, page_size=60)
    (first, more), (second, no_more) = showcase.order_lines(1), showcase.order_lines(2)
    numbers = [line.record.order_id for line in first + second]
    assert (len(first), more, no_more) == (60, True, False)
    assert len(numbers) == len(set(numbers)) == played.report.orders


@pytest.fixture(scope="module")
def phone(chromium_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": PHONE, "height": 800})
        browser.close()


def test_no_page_is_wider_than_a_phone_and_none_breaks_its_own_policy(
    phone: Page, served: str, addresses: list[str]
) -> None:
    complaints: list[str] = []
    phone.on("console", lambda message: complaints.append(message.text))
    phone.on("request", lambda request: complaints.append(request.url) if served not in request.url else None)
    orders = [address for address in addresses if "/orders/" in address]
    for address in {*addresses} - {*orders[4:]}:
        phone.goto(served + address)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE, address
    assert not complaints


def test_the_keyboard_reaches_the_content_first_and_then_every_page(phone: Page, served: str) -> None:
    phone.goto(f"{served}/demo/")
    reached = []
    for _ in range(4):
        phone.keyboard.press("Tab")
        reached.append(phone.evaluate("document.activeElement.textContent"))
    assert reached == ["Skip to the content", "Orders", "Mails", "To look at"]
