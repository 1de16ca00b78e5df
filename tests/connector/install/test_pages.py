"""Connecting a shop as its merchant and its platform go through it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connector import connecting
from connector.domain.connection import ConnectionState
from connector.install.pages import REFRESH_SECONDS
from connector.tables import connections
from tests.connector.install.conftest import ADDRESS, HOST, NOW, Desk
from tests.fake_connect import TOKEN, signed_visit


def callback(desk: Desk, **changes: object) -> dict[str, object]:
    """What the shop's server posts."""
    return {"nonce": desk.nonce, "token": TOKEN} | changes


def signed(desk: Desk, host: str) -> str:
    return signed_visit(host, desk.service.settings.app("fake"))


# An invitation


def test_an_invitation_says_what_is_asked_and_leads_to_the_shops_own_page(desk: Desk) -> None:
    page = desk.pages.get(desk.link)
    assert page.status_code == 200
    assert f"Connect <bdi>{HOST}</bdi>" in page.text
    assert "Nobody is mailed about past orders" in page.text
    assert f'href="https://{HOST}/grant?app=Connector&amp;back=' in page.text
    assert "27 November 2026, 09:30 UTC" in page.text


def test_a_shop_that_is_tried_without_https_is_led_to_by_http(desk: Desk) -> None:
    """Its own address was let in as such; no other http address is ever linked."""
    with desk.service.database.write() as connection:
        connecting.find_or_make(connection, "fake", HOST, f"http://{HOST}", desk.service.seal, NOW)
    assert f'href="http://{HOST}/grant?app=Connector&amp;back=' in desk.pages.get(desk.link).text


def test_our_own_addresses_in_an_instruction_can_be_copied_whole(desk: Desk) -> None:
    assert f'<code class="copy">{ADDRESS}{desk.link}/callback</code> Then save.' in desk.pages.get(desk.link).text


def test_looking_at_an_invitation_changes_nothing(desk: Desk) -> None:
    desk.pages.get(desk.link)
    desk.pages.head(desk.link)
    assert desk.connection().state is ConnectionState.INVITED
    assert desk.offers() == []


def test_what_the_platform_hands_over_is_kept_before_it_is_answered(desk: Desk) -> None:
    answer = desk.pages.post(f"{desk.link}/callback", json=callback(desk))
    assert (answer.status_code, answer.data, answer.headers["X-Kept"]) == (200, b"kept", "yes")
    assert desk.offers() == [{"token": TOKEN}]
    assert desk.connection().state is ConnectionState.OFFERED
    assert desk.connection().run_at == NOW


def test_the_worker_is_woken_by_an_offer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(type(desk.service), "nudge", lambda _service: woken.append(True))
    desk.pages.post(f"{desk.link}/callback", json=callback(desk))
    assert woken == [True]


def test_an_offer_that_comes_twice_is_kept_once(desk: Desk) -> None:
    for _ in range(2):
        desk.pages.post(f"{desk.link}/callback", json=callback(desk))
    assert desk.offers() == [{"token": TOKEN}]


def test_only_the_newest_five_offers_are_kept(desk: Desk) -> None:
    for number in range(7):
        desk.pages.post(f"{desk.link}/callback", json=callback(desk, token=f"t{number}"))
    assert [offer["token"] for offer in desk.offers()] == ["t6", "t5", "t4", "t3", "t2"]


def test_the_browser_that_comes_back_is_led_to_the_progress(desk: Desk) -> None:
    answer = desk.pages.get(f"{desk.link}/return?yes=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{desk.link}/done")


def test_who_says_no_is_told_that_nothing_was_connected_and_how_to_begin_again(desk: Desk) -> None:
    page = desk.pages.get(f"{desk.link}/return?yes=0")
    assert "Nothing was connected" in page.text
    assert f'href="{desk.link}"' in page.text


def test_a_redirect_of_the_adapter_goes_out_byte_for_byte(desk: Desk) -> None:
    target = f"https://{HOST}/admin/x/?a=%2F&b[]=1|2&c=~%e2%82%ac'"
    answer = desk.pages.get(f"{desk.link}/window", environ_overrides={"QUERY_STRING": f"to={target}"})
    assert (answer.status_code, answer.headers["Location"]) == (302, target)


def test_a_shop_that_is_connected_may_give_its_permission_again(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    page = desk.pages.get(desk.link)
    assert "This shop is connected, or is being connected" in page.text
    assert f"https://{HOST}/grant" in page.text


# Pasted keys


def test_pasted_keys_are_kept_without_the_spaces_around_them(desk: Desk) -> None:
    answer = desk.pages.post(f"{desk.link}/keys", data={"token": f"  {TOKEN}\n", "unknown": "x"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{desk.link}/done")
    assert desk.offers() == [{"token": TOKEN}]


@pytest.mark.parametrize("given", [{}, {"token": " "}, {"token": "x" * 4097}, {"token": "two\nlines"}, {"note": "n"}])
def test_keys_that_cannot_be_right_are_asked_for_again_and_never_shown(desk: Desk, given: dict[str, str]) -> None:
    page = desk.pages.post(f"{desk.link}/keys", data=given)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert "<details open>" in page.text
    assert "two\nlines" not in page.text
    assert "value=" not in page.text
    assert desk.offers() == []


# The app's own address


def test_a_shop_nobody_knew_is_made_when_the_app_is_opened_from_it(desk: Desk) -> None:
    page = desk.pages.get(f"/connect/fake/app?{signed(desk, 'new.example')}")
    assert page.status_code == 200
    made = desk.shop_named("new.example")
    assert made is not None
    assert desk.connection(made).state is ConnectionState.OFFERED
    assert desk.offers(made) == [{"token": TOKEN}]


def test_an_app_that_is_opened_again_makes_no_second_shop(desk: Desk) -> None:
    for _ in range(2):
        desk.pages.get(f"/connect/fake/app?{signed(desk, HOST)}")
    assert desk.shop_named(HOST) == desk.shop
    assert desk.offers() == [{"token": TOKEN}]


def test_an_app_that_was_proven_a_moment_ago_is_not_proven_again_when_it_is_opened_twice(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    with desk.service.database.write() as connection:
        connections.settle(connection, desk.shop.shop_id, ConnectionState.CONNECTED, NOW, "", proven=True)
    desk.pages.get(f"/connect/fake/app?{signed(desk, HOST)}")
    assert desk.offers() == []
    desk.clock.moment += timedelta(minutes=2)
    desk.pages.get(f"/connect/fake/app?{signed(desk, HOST)}")
    assert desk.offers() == [{"token": TOKEN}]


def test_the_app_stands_inside_its_own_shops_pages_and_loads_the_platforms_script_first(desk: Desk) -> None:
    page = desk.pages.get(f"/connect/fake/app?{signed(desk, HOST)}")
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-ancestors https://{HOST} https://admin.fake.example" in policy
    assert "script-src 'self' https://cdn.fake.example;" in policy
    assert "X-Frame-Options" not in page.headers
    first = page.text[page.text.index("<script") :]
    assert first.startswith('<script src="https://cdn.fake.example/bridge.js" data-api-key="client-1"></script>')
    assert "http-equiv" not in page.text


def test_the_app_looks_again_by_a_ticket_that_shows_its_progress(desk: Desk) -> None:
    page = desk.pages.get(f"/connect/fake/app?{signed(desk, HOST)}").text
    ticket = page.split('data-refresh="')[1].split('"')[0]
    assert "Checking the permission" in desk.pages.get(ticket).text
    desk.clock.moment += timedelta(minutes=61)
    assert desk.pages.get(ticket).status_code == 404


def test_who_comes_back_to_the_app_is_led_to_the_progress(desk: Desk) -> None:
    answer = desk.pages.get(f"/connect/fake/app/back?{signed(desk, HOST)}")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/connect/fake/app/progress/")
    assert TOKEN not in answer.headers["Location"]


def test_a_problem_inside_the_platforms_pages_can_be_read_there(desk: Desk) -> None:
    page = desk.pages.get(f"/connect/fake/app/no?{signed(desk, HOST)}")
    assert "Not like this." in page.text
    assert f"frame-ancestors https://{HOST} " in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("missing", [{"app_ids": ()}, {"app_secrets": ()}])
def test_without_the_operators_app_its_address_is_not_there(
    make_desk: Callable[..., Desk], missing: dict[str, object]
) -> None:
    assert make_desk(**missing).pages.get("/connect/fake/app?shop=x").status_code == 404


# Progress


def test_the_progress_loads_itself_again_while_something_happens(desk: Desk) -> None:
    refresh = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
    assert refresh in desk.pages.get(f"{desk.link}/done").text
    desk.stand(ConnectionState.CONNECTED)
    assert refresh not in desk.pages.get(f"{desk.link}/done").text
    desk.stand(ConnectionState.BROKEN, problem="Click there.")
    assert refresh not in desk.pages.get(f"{desk.link}/done").text


# What every page keeps to


def every_page(desk: Desk) -> list[str]:
    app = f"/connect/fake/app?{signed(desk, HOST)}"
    return [desk.link, f"{desk.link}/done", f"{desk.link}/return", f"{desk.link}/callback", "/connect/fake/no", app]


def test_every_page_is_kept_by_nobody_and_loads_nothing_it_may_not(desk: Desk) -> None:
    for path in every_page(desk):
        headers = desk.pages.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_only_the_app_may_be_shown_inside_other_pages(desk: Desk) -> None:
    for path in every_page(desk)[:-1]:
        assert "frame-ancestors 'none'" in desk.pages.get(path).headers["Content-Security-Policy"]


def test_p10_no_page_no_header_and_no_log_holds_what_was_handed_over(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    answers = [
        desk.pages.post(f"{desk.link}/callback", json=callback(desk)),
        desk.pages.post(f"{desk.link}/callback", json=callback(desk, nonce="wrong")),
        desk.pages.post(f"{desk.link}/keys", data={"token": TOKEN}),
        desk.pages.post(f"{desk.link}/keys", data={"token": TOKEN + "x" * 5000}),
        desk.pages.get(f"{desk.link}/done"),
        desk.pages.get(desk.link),
    ]
    for answer in answers:
        assert TOKEN not in answer.text + str(answer.headers)
    assert TOKEN not in caplog.text
    assert desk.nonce not in caplog.text


@pytest.mark.parametrize("path", ["", "/done", "/return"])
def test_head_answers_as_get_does_but_without_a_body(desk: Desk, path: str) -> None:
    answer = desk.pages.head(desk.link + path)
    assert answer.status_code == 200
    assert answer.data == b""
    assert desk.offers() == []


def test_options_says_what_may_be_done(desk: Desk) -> None:
    assert desk.pages.options(f"{desk.link}/callback").allow == {"GET", "HEAD", "OPTIONS", "POST"}
    answer = desk.pages.delete(f"{desk.link}/callback")
    assert (answer.status_code, answer.allow) == (405, {"GET", "HEAD", "OPTIONS", "POST"})
