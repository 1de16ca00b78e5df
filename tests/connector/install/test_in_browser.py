"""The pages as a browser shows them: nothing forbidden is loaded, nothing is wider than a phone, and it can be used."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, ViewportSize, sync_playwright
from werkzeug.serving import make_server

from connector.domain.connection import ConnectionState
from tests.connector.install.conftest import HOST, Desk
from tests.fake_connect import TOKEN, signed_visit

PHONE = ViewportSize(width=390, height=760)
BRIDGE = "https://cdn.fake.example/**"


@pytest.fixture(scope="module")
def phone(chromium_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=PHONE)
        page.route(BRIDGE, _bridge)
        yield page
        browser.close()


def _bridge(route: Route) -> None:
    route.fulfill(content_type="text/javascript", body="window.bridge = document.currentScript.dataset.apiKey")


@pytest.fixture
def desk(make_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One whose pages look again at once."""
    monkeypatch.setattr("connector.install.pages.REFRESH_SECONDS", 0)
    return make_desk()


@pytest.fixture
def served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the pages on a real server."""
    monkeypatch.setattr("werkzeug.serving.WSGIRequestHandler.log", lambda *_: None)
    server = make_server("127.0.0.1", 0, desk.flask, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def app_path(desk: Desk) -> str:
    return f"/connect/fake/app?{signed_visit(HOST, desk.service.settings.app('fake'))}"


def test_no_page_loads_what_its_policy_forbids_or_is_wider_than_a_phone(desk: Desk, served: str, phone: Page) -> None:
    wrong: list[str] = []
    phone.on("console", lambda said: wrong.append(said.text) if "Policy" in said.text else None)
    desk.stand(ConnectionState.CONNECTED, problem="https://a.example/" + "x" * 300)
    for path in (desk.link, f"{desk.link}/done", f"{desk.link}/return", "/connect/fake/nowhere", app_path(desk)):
        phone.goto(served + path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    assert wrong == []


def test_keys_can_be_pasted_with_the_keyboard_alone(desk: Desk, served: str, phone: Page) -> None:
    phone.goto(served + desk.link)
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.textContent") == f"Go on to {HOST}"
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    phone.keyboard.press("Tab")
    phone.keyboard.type(TOKEN)
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/done")
    assert desk.offers() == [{"token": TOKEN}]
    phone.get_by_role("heading", name="Checking the permission").wait_for(timeout=8000)


def test_inside_the_platforms_pages_progress_moves_on_by_itself(desk: Desk, served: str, phone: Page) -> None:
    phone.goto(served + app_path(desk))
    assert phone.evaluate("window.bridge") == "client-1"
    phone.get_by_role("heading", name="Checking the permission").wait_for(timeout=8000)
    phone.evaluate("window.stayed = true")
    desk.stand(ConnectionState.CONNECTED)
    phone.get_by_role("heading", name="Connected", exact=True).wait_for(timeout=8000)
    assert phone.evaluate("window.stayed")


def test_without_scripts_progress_moves_on_too(desk: Desk, served: str, phone: Page) -> None:
    phone.goto(f"{served}{desk.link}/done")
    desk.stand(ConnectionState.CONNECTED)
    phone.get_by_role("heading", name="Connected", exact=True).wait_for(timeout=8000)
