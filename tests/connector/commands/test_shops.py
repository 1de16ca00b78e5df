"""Connecting, checking, changing and letting go of a shop at the command line, against a stand-in shop."""

import json
import re
from pathlib import Path

import pytest

from tests.connector.commands.conftest import HOST, PLATFORM, Desk


def test_a_shop_is_connected_by_pasted_keys_and_every_step_is_said(desk: Desk) -> None:
    said = desk.connect()
    assert "proving the keys" in said or "connected" in said
    assert re.search(r"^state +connected$", said, re.MULTILINE)
    assert "only watching for: order_received" in said
    assert [one.topic for one in desk.twin.webhooks]


def test_keys_that_do_not_hold_are_said_with_what_to_do_and_are_never_shown(desk: Desk) -> None:
    wrong = {"consumer_key": "ck_" + "1" * 40, "consumer_secret": "cs_" + "2" * 40}
    Path("wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    said = desk.run("shop", "connect", PLATFORM, f"https://{HOST}", "--credentials", "wrong.json", status=1)
    assert "REST API" in said
    assert "1" * 20 not in said
    assert "2" * 20 not in said


def test_a_link_for_the_merchant_is_printed_when_nothing_is_pasted(desk: Desk) -> None:
    said = desk.run("shop", "connect", PLATFORM, HOST)
    assert re.search(rf"link +https://connector\.example/connect/{PLATFORM}/[\w-]{{32,}}", said)
    assert "invited" in desk.run("shop", "list")


def test_without_an_address_of_our_own_there_is_no_link(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECTOR_ADDRESS")
    assert "--paste" in desk.run("shop", "connect", PLATFORM, HOST, status=1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"consumer_key": "x"}, "missing: consumer_secret"),
        ({"colour": "red"}, "no credential 'colour'"),
        (["a"], "JSON object"),
    ],
)
def test_credentials_of_another_form_are_refused_by_name(desk: Desk, given: object, says: str) -> None:
    Path("given.json").write_text(json.dumps(given), encoding="utf-8")
    assert says in desk.run("shop", "connect", PLATFORM, HOST, "--credentials", "given.json", status=1)


def test_a_shop_without_https_is_connected_at_home_where_the_operator_says_so_and_nowhere_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted keys, our own address by http, and no detour: as somebody tries it on one machine."""
    monkeypatch.delenv("CONNECTOR_ROUTES")
    monkeypatch.setenv("CONNECTOR_ADDRESS", "http://127.0.0.1:8080")
    desk.twin.site.scheme, desk.twin.site.is_ssl, desk.twin.site.own_host = "http", False, "127.0.0.1:8899"
    arguments = ("shop", "connect", PLATFORM, desk.twin.server.address, "--credentials", "keys.json")
    key = desk.twin.make_key()
    Path("keys.json").write_text(
        json.dumps({"consumer_key": key.consumer_key, "consumer_secret": key.consumer_secret}), encoding="utf-8"
    )
    assert "CONNECTOR_PLAIN_HTTP=yes" in desk.run(*arguments, status=1)
    monkeypatch.setenv("CONNECTOR_PLAIN_HTTP", "yes")
    assert "CONNECTOR_PRIVATE_ADDRESSES=yes" in desk.run(*arguments, status=1)
    monkeypatch.setenv("CONNECTOR_PRIVATE_ADDRESSES", "yes")
    said = desk.run(*arguments)
    assert re.search(r"^state +connected$", said, re.MULTILINE)
    assert "asked by http://" in said
    assert {one.delivery_url.partition("/webhooks/")[0] for one in desk.twin.webhooks} == {"http://127.0.0.1:8080"}
    doctor = desk.run("doctor", status=1)
    assert "Take it away before real customers' orders come in" in doctor
    assert "in your own network" in doctor


def test_an_address_the_shop_will_not_send_to_is_said_by_check_and_doctor(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_ADDRESS", "https://connector.example:8443")
    assert "80, 443 and 8080 only" in desk.connect()
    assert "80, 443 and 8080 only" in desk.run("shop", "check", HOST)
    assert "80, 443 and 8080 only" in desk.run("doctor", status=1)
    assert desk.twin.webhooks == []


def test_a_file_that_is_not_there_is_said(desk: Desk) -> None:
    assert "cannot be read" in desk.run("shop", "connect", PLATFORM, HOST, "--credentials", "none.json", status=1)


def test_nobody_is_asked_where_nobody_is(desk: Desk) -> None:
    assert "nobody is here to be asked" in desk.run("shop", "connect", status=1)


def test_a_check_tells_webhooks_sweeps_history_and_gaps(desk: Desk) -> None:
    desk.connect()
    desk.work()
    said = desk.run("shop", "check", HOST)
    assert "25 known" in said
    assert re.search(r"history +done", said)
    assert re.search(r"healed +0 gaps", said)


def test_a_subscription_that_was_switched_off_is_put_right_by_a_check(desk: Desk) -> None:
    desk.connect()
    desk.twin.break_subscription()
    said = desk.run("shop", "check", HOST)
    assert re.search(r"[1-9]\d* subscriptions put right", said)


def test_what_customers_and_invoices_see_can_be_changed_later(desk: Desk) -> None:
    assert "missing" in desk.connect()
    said = desk.run(
        "shop", "set", HOST, "--name", "Linen & Co", "--seller-name", "Linen OE", "--seller-street", "Ermou 1",
        "--seller-city", "Athina", "--seller-postcode", "10563", "--seller-country", "GR", "--seller-tax-id", "EL1",
    )  # fmt: skip
    assert "nothing is missing" in said
    assert "Linen & Co" in desk.run("shop", "list")


def test_a_wrong_value_changes_nothing(desk: Desk) -> None:
    desk.connect()
    assert "Europe/Athens" in desk.run("shop", "set", HOST, "--timezone", "Mars/Base", "--name", "New", status=1)
    assert "New" not in desk.run("shop", "list")


def test_disconnecting_takes_our_webhooks_back_and_forgets_the_keys(desk: Desk) -> None:
    desk.connect()
    said = desk.run("shop", "disconnect", HOST, "--yes")
    assert said == "disconnected; the platform has nothing of ours any more\n"
    assert desk.twin.webhooks == []
    assert "disconnected" in desk.run("shop", "list")


def test_p10_what_is_left_behind_is_said_and_nothing_that_is_nobodys_business(desk: Desk) -> None:
    desk.connect("--seller-email", "kostas@example.test")
    desk.twin.faults.fail = 100
    said = desk.run("shop", "disconnect", HOST, "--yes")
    assert "may go on sending webhooks" in said
    assert "kostas" not in said
    assert "key=" not in said


def test_a_shop_nobody_knows_is_said_with_where_to_look(desk: Desk) -> None:
    assert "connector shop list" in desk.run("shop", "check", "nowhere.example", status=1)


def test_an_empty_list_says_how_to_begin(desk: Desk) -> None:
    assert "connector shop connect" in desk.run("shop", "list")


def test_a_shop_can_be_connected_again_after_it_left(desk: Desk) -> None:
    desk.connect()
    desk.run("shop", "disconnect", HOST, "--yes")
    assert re.search(r"^state +connected$", desk.connect(), re.MULTILINE)
