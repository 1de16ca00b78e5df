"""Entering a shop by hand, as a person types it."""

from pathlib import Path

import pytest

from connector.cli import main
from tests.flow.dying_process import KEY
from tests.stores import PLATFORM


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", KEY)


def add(*options: str) -> int:
    return main(["shop", "add", PLATFORM, "shop.example.test", "--name", "Linen & Co", *options])


def test_an_empty_list_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop", "list"]) == 0
    assert "connector shop connect" in capsys.readouterr().out


def test_a_new_shop_gets_an_address_a_secret_and_advice_about_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert add() == 0
    said = capsys.readouterr().out
    assert f"/webhooks/{PLATFORM}/" in said
    assert "secret " in said
    assert "no invoices can be made" in said
    assert main(["shop", "list"]) == 0
    assert "Linen & Co" in capsys.readouterr().out


def test_a_given_secret_is_not_printed_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert add("--secret", "given-by-the-shop") == 0
    assert "given-by-the-shop" not in capsys.readouterr().out


def test_the_same_shop_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert add() == 0
    assert add() == 1
    assert "there already" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--timezone", "Mars/Base"), ("--colour", "red"), ("--country", "Greece")])
def test_an_option_that_cannot_be_used_is_named_with_what_it_accepts(
    option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(*option) == 1
    said = capsys.readouterr().err
    assert option[0] in said
    assert "accepted" in said


def test_replay_needs_ids_or_a_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "shop-1"]) == 1
    assert "--all" in capsys.readouterr().err
    assert main(["replay", "shop-1", "--all", "dead"]) == 0


def test_an_empty_review_says_so_and_an_unknown_message_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["review", "list"]) == 0
    assert "Nothing waits" in capsys.readouterr().out
    assert main(["review", "decide", "shop-1", "unknown", "sent"]) == 1
    assert "no such message" in capsys.readouterr().err
