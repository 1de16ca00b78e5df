"""What a stranger may try on the pages of connecting, and why it leads nowhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.domain.connection import ConnectionState
from connector.tables import connections
from tests.connector.install.conftest import HOST, Desk
from tests.fake_connect import TOKEN, signed_visit

NO_NONCE = "A" * 32


def test_unknown_old_ended_and_foreign_links_get_the_very_same_page(desk: Desk) -> None:
    old, ended = desk.make_shop("old.example.test"), desk.make_shop("ended.example.test")
    old_nonce, ended_nonce = desk.invite(old), desk.invite(ended)
    with desk.service.database.write() as connection:
        connections.end(connection, ended.shop_id, desk.service.seal, "uninstalled")
    desk.clock.moment += timedelta(days=8)
    fresh = desk.invite(desk.shop)
    paths = [f"/connect/fake/{nonce}" for nonce in (NO_NONCE, old_nonce, ended_nonce, "short", "x" * 500, "a'b\"<c>")]
    answers = [desk.pages.get(path) for path in (*paths, f"/connect/other/{fresh}", f"/connect/third/{fresh}")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert desk.pages.get(f"/connect/fake/{fresh}").status_code == 200


@pytest.mark.parametrize("path", ["done", "return", "callback", "window", "keys", "nowhere", "app", "..%2fdone"])
def test_without_the_nonce_no_address_of_an_invitation_does_anything(desk: Desk, path: str) -> None:
    for answer in (
        desk.pages.get(f"/connect/fake/{NO_NONCE}/{path}"),
        desk.pages.post(f"/connect/fake/{NO_NONCE}/{path}"),
    ):
        assert answer.status_code in (404, 405)


def test_a_newer_link_ends_the_older_one(desk: Desk) -> None:
    desk.invite(desk.shop)
    assert desk.pages.get(desk.link).status_code == 404


def test_a_place_the_adapter_does_not_know_is_not_there(desk: Desk) -> None:
    for path in (f"{desk.link}/elsewhere", "/connect/fake/app/elsewhere"):
        assert desk.pages.get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'{"token": "x"}', b'{"nonce": "wrong", "token": "x"}', b"\xff\xfe", b"[" * 60_000],
)
def test_what_is_no_offer_is_refused_and_nothing_is_kept(desk: Desk, body: bytes) -> None:
    answer = desk.pages.post(f"{desk.link}/callback", data=body, content_type="application/json")
    assert answer.status_code in (400, 500)
    assert desk.offers() == []
    assert desk.connection().state is ConnectionState.INVITED


def test_an_offer_for_another_shop_is_refused(desk: Desk) -> None:
    given = {"nonce": desk.nonce, "token": TOKEN, "host": "evil.example"}
    answer = desk.pages.post(f"{desk.link}/callback", json=given)
    assert answer.status_code == 400
    assert desk.offers() == []


@pytest.mark.parametrize("path", ["callback", "keys", "return"])
def test_a_body_that_is_too_large_is_not_read(desk: Desk, path: str) -> None:
    answer = desk.pages.post(f"{desk.link}/{path}", data=b"x" * (64 * 1024 + 1), content_type="text/plain")
    if path == "keys":
        answer = desk.pages.post(f"{desk.link}/{path}", data={"token": "x" * 64 * 1024})
    assert answer.status_code == 413
    assert desk.offers() == []


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/connect",
        "https://a b",
        "https://a/%0d%0aX: y\r\nZ: 1",
    ],
)
def test_nothing_but_an_https_address_is_redirected_to(desk: Desk, target: str) -> None:
    answer = desk.pages.get(f"{desk.link}/window", query_string=f"to={target}")
    assert answer.status_code in (302, 500)
    assert answer.headers.get("Location", "https://").startswith("https://")
    assert "Z" not in answer.headers


@pytest.mark.parametrize("query", ["", "shop=shop.example.test", "shop=shop.example.test&sig=00", "sig=%ff&shop=%00"])
def test_an_app_visit_that_is_not_signed_makes_no_shop_and_no_offer(desk: Desk, query: str) -> None:
    answer = desk.pages.get(f"/connect/fake/app?{query}")
    assert answer.status_code == 400
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert desk.offers() == []


@pytest.mark.parametrize("host", ["", "a b", "<script>", "x;frame-ancestors *"])
def test_a_signed_visit_with_a_name_no_shop_has_makes_no_shop(desk: Desk, host: str) -> None:
    answer = desk.pages.get(f"/connect/fake/app?{signed_visit(host, desk.service.settings.app('fake'))}")
    assert answer.status_code == 400
    assert desk.shop_named(host) is None
    assert "script>" not in answer.text.replace("</script>", "")


def test_a_ticket_of_another_service_or_a_changed_one_shows_nothing(desk: Desk, make_desk: Callable[..., Desk]) -> None:
    other = make_desk()
    query = signed_visit(HOST, other.service.settings.app("fake"))
    ticket = other.pages.get(f"/connect/fake/app/back?{query}").headers["Location"]
    assert other.pages.get(ticket).status_code == 200
    for tried in (ticket, ticket[:-1], f"{ticket}x", "/connect/fake/app/progress/e30.x"):
        assert desk.pages.get(tried).status_code == 404
    assert other.pages.get(ticket.replace("/fake/", "/other/")).status_code == 404


def test_a_ticket_is_only_to_look(desk: Desk) -> None:
    query = signed_visit(HOST, desk.service.settings.app("fake"))
    ticket = desk.pages.get(f"/connect/fake/app/back?{query}").headers["Location"]
    assert desk.pages.post(ticket, data={"token": "x"}).status_code == 405
    assert "<form" not in desk.pages.get(ticket).text


def test_who_is_refused_too_often_has_to_wait(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(refusals_per_minute=3, client_header="X-Forwarded-For")
    stranger = {"X-Forwarded-For": "93.184.216.34"}
    for _ in range(3):
        assert desk.pages.get(f"/connect/fake/{NO_NONCE}", headers=stranger).status_code == 404
    refused = desk.pages.get(desk.link, headers=stranger)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert desk.pages.get(desk.link, headers={"X-Forwarded-For": "93.184.216.35"}).status_code == 200


def test_a_service_without_a_public_address_has_none_of_it(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk(address="")
    assert desk.pages.get(desk.link).status_code == 404
    assert desk.pages.post(f"{desk.link}/keys", data={"token": TOKEN}).status_code == 404
    assert desk.offers() == []


def test_links_are_made_from_the_setting_and_never_from_the_host_header(desk: Desk) -> None:
    page = desk.pages.get(desk.link, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in page.text


def test_what_platforms_and_strangers_say_is_shown_as_text(desk: Desk) -> None:
    desk.stand(ConnectionState.BROKEN, problem="<img src=x onerror=alert(1)>\u202e")
    for page in (desk.pages.get(desk.link), desk.pages.get(f"{desk.link}/done")):
        assert "<img src=x" not in page.text
        assert "&lt;img src=x" in page.text


def test_p10_a_fault_of_ours_is_logged_without_the_address_and_shown_without_detail(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(connections, "by_nonce", broken)
    page = desk.pages.get(desk.link)
    assert page.status_code == 500
    assert "inner detail" not in page.text
    assert "could not be made" in caplog.text
    assert desk.nonce not in caplog.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=st.text(alphabet="abc/.%<>\"'\\?#é\x00 -_0", max_size=30),
    query=st.text(alphabet=[chr(letter) for letter in range(0x21, 0x7F)], max_size=30),
    body=st.binary(max_size=60),
    post=st.booleans(),
)
def test_whatever_is_sent_is_answered_and_nothing_is_kept(
    desk: Desk, path: str, query: str, body: bytes, post: bool
) -> None:
    for begin in ("/connect/", "/connect/fake/", f"{desk.link}/", "/connect/fake/app/"):
        sent = {"PATH_INFO": (begin + path).encode().decode("latin-1"), "QUERY_STRING": query}
        answer = desk.pages.open(method="POST" if post else "GET", data=body, environ_overrides=sent)
        assert answer.status_code < 500 or path.startswith("window")
    assert desk.offers() == []
