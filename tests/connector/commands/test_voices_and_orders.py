"""Deciding who speaks, saying by hand what the shop does not know, answering customers, and the doctor."""

import json

import pytest

import adapters
from tests.connector.commands.conftest import HOST, Desk


def first_order(desk: Desk) -> str:
    desk.connect()
    order_id = desk.twin.place_order(email="eleni@example.test")
    desk.twin.pay(order_id)
    desk.work()
    return order_id


# voice


def test_after_connecting_nobody_is_told_until_the_merchant_decides(desk: Desk) -> None:
    desk.connect()
    said = desk.run("voice", "list", HOST)
    assert said.count("only notes what it would have sent") == 7
    assert "push_note           off" in said


def test_the_merchant_sees_that_two_would_speak_and_can_switch_the_other_off(desk: Desk) -> None:
    desk.connect()
    desk.run("voice", "set", HOST, "us", "order_received", "shipped")
    assert "THE PLATFORM MAILS IT TOO" in desk.run("voice", "list", HOST)
    said = desk.run("voice", "set", HOST, "us", "order_received", "--switch-platform")
    assert "the platform's own mail is off now" in said
    order_id = desk.twin.place_order(email="nikos@example.test")
    desk.twin.pay(order_id)
    assert [mail for mail in desk.twin.mails if "processing" in str(mail)] == []


def test_all_kinds_are_decided_at_once_and_a_wrong_kind_is_refused(desk: Desk) -> None:
    desk.connect()
    assert desk.run("voice", "set", HOST, "us", "all").count("Connector writes to the customer") == 7
    assert "accepted: all" in desk.run("voice", "set", HOST, "us", "birthday", status=1)


def test_all_of_the_shops_own_mails_that_there_are_can_be_switched_off_at_once(desk: Desk) -> None:
    desk.connect()
    said = desk.run("voice", "set", HOST, "us", "all", "--switch-platform")
    assert said.count("is off now") == 4
    order_id = desk.twin.place_order(email="nikos@example.test")
    desk.twin.pay(order_id)
    desk.twin.ship(order_id, "1Z999AA10123456784", "UPS")
    assert [mail for mail in desk.twin.mails if "nikos@example.test" in str(mail)] == []
    again = desk.run("voice", "set", HOST, "us", "all", "--switch-platform")
    assert "is off now" not in again


# order


def test_a_number_entered_here_reaches_the_shop_and_comes_back_as_its_own_news(desk: Desk) -> None:
    order_id = first_order(desk)
    desk.run("voice", "set", HOST, "us", "all")
    desk.run("order", "ship", HOST, order_id, "1Z999AA10123456784", "--carrier", "UPS")
    desk.work()
    assert "1Z999AA10123456784" in str(desk.twin.shipments(order_id))
    desk.run("order", "ship", HOST, order_id, "1Z999AA10123456784", "--carrier", "UPS")
    desk.work()
    assert str(desk.twin.truth()[order_id].tracking_numbers).count("1Z999AA10123456784") == 1
    story = desk.run("order", "show", HOST, order_id)
    assert "The shop was given the parcel with its tracking number" in story
    assert desk.twin.mails == [] or all("1Z999" not in str(mail) for mail in desk.twin.mails)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bad\nnumber",), "number: accepted"),
        (("N1", "--url", "http://track.example"), "https"),
        (("N1", "--item", "77=1"), "no line '77'"),
        (("N1", "--item", "LINE=zero"), "no line 'LINE'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_accepted(
    desk: Desk, arguments: tuple[str, ...], says: str
) -> None:
    order_id = first_order(desk)
    assert says in desk.run("order", "ship", HOST, order_id, *arguments, status=1)


def test_an_order_nobody_knows_is_said(desk: Desk) -> None:
    desk.connect()
    assert "no order '99999'" in desk.run("order", "show", HOST, "99999", status=1)


def test_how_far_a_parcel_has_come_can_be_said_by_hand(desk: Desk) -> None:
    order_id = first_order(desk)
    desk.run("voice", "set", HOST, "us", "delivered")
    desk.twin.ship(order_id, "1Z999AA10123456784", "UPS")
    service_saw = desk.run("shop", "check", HOST)
    assert "connected" in service_saw
    desk.work()
    story = desk.run("order", "show", HOST, order_id)
    parcel = story.split("parcel ")[-1].split(":")[0]
    assert "it has" in desk.run("order", "status", HOST, order_id, "no such parcel", "delivered", status=1)
    desk.run("order", "status", HOST, order_id, parcel, "delivered")
    desk.work()
    assert "was delivered" in desk.run("order", "show", HOST, order_id)


# privacy


def test_a_customer_is_erased_on_the_merchants_word(desk: Desk) -> None:
    order_id = first_order(desk)
    assert "Nobody waits" in desk.run("privacy", "list")
    assert "1 of 1 orders erased" in desk.run("privacy", "erase", HOST, order_id)


# doctor and files for platforms


def test_the_doctor_says_what_is_wrong_and_what_to_do(desk: Desk) -> None:
    said = desk.run("doctor", status=1)
    assert "CONNECTOR_SMTP_HOST" in said
    assert "connector shop connect" in said
    desk.connect()
    found = json.loads(desk.run("doctor", "--json", status=1))
    assert any("only watches" in one["wrong"] for one in found)
    assert all(one["do"] for one in found)


def test_the_doctor_names_a_broken_connection_with_what_to_click(desk: Desk) -> None:
    desk.connect()
    desk.twin.uninstall()
    desk.run("shop", "check", HOST, status=1)
    assert "the connection is broken" in desk.run("doctor", status=1)


def test_the_file_for_an_operators_app_needs_an_address_and_a_client_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = adapters.NAMES[0]
    assert "CONNECTOR_APP_IDS" in desk.run(platform, "toml", "--print", status=1)
    monkeypatch.setenv("CONNECTOR_APP_IDS", f"{platform}:0123456789abcdef0123456789abcdef")
    printed = desk.run(platform, "toml", "--print")
    assert "https://connector.example" in printed
    desk.run(platform, "toml")
    assert "there already" in desk.run(platform, "toml", status=1)
