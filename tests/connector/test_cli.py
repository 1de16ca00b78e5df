"""The command line says what it understood, and for every problem what to do."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError

import adapters
from connector import __version__
from connector.cli import main
from connector.database import Database
from connector.domain.delivery import Delivery
from connector.migrations import migrate
from connector.tables import inbox, shops
from connector.tables.inbox import InboxState, Outcome, Recorded
from tests import stores

KEY = Fernet.generate_key().decode()
PLATFORM = stores.PLATFORM


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", KEY)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield tmp_path
    root.handlers[:], root.level = handlers, level


def stored(document: object | None = None, **headers: str) -> Path:
    """A genuinely signed delivery in a file."""
    post = stores.post(stores.order(7) if document is None else document)
    lines = "\n".join(f"{name}: {value}" for name, value in {**post.headers, **headers}.items())
    path = Path("delivery.http")
    path.write_bytes(f"{lines}\n\n".encode() + post.body)
    return path


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


# inspect


def test_inspect_says_what_a_delivery_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", PLATFORM, str(stored())]) == 0
    found = said(capsys)
    assert (found["kind"], found["id"], found["total"]) == ("order", "7", "53.41")


def test_inspect_checks_the_signature_with_any_of_the_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(stored())
    assert main(["inspect", PLATFORM, path, "--secret", "old one", "--secret", stores.SECRET]) == 0
    assert said(capsys)["kind"] == "order"
    assert main(["inspect", PLATFORM, path, "--secret", "wrong"]) == 0
    refused = said(capsys)
    assert refused["kind"] == "error"
    assert "signature" in refused["reason"]


@pytest.mark.parametrize("content", [b"", b"no empty line", b"a: b\n\n", b"a: b\n\n[1", b"\xff\n\n\xff", None])
def test_inspect_answers_in_json_whatever_the_file_is(
    content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("file.http").write_bytes(content)
    assert main(["inspect", PLATFORM, "file.http"]) == 0
    assert said(capsys)["kind"] == "error"


def test_inspect_reads_the_platforms_answer_to_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    samples = Path(adapters.__file__).parent / PLATFORM / "samples"
    answer = next(iter(sorted(samples.glob("*.answer.json"))))
    hint, expected = answer.with_suffix("").with_suffix(".http"), answer.with_suffix("").with_suffix(".resolved.json")
    assert main(["inspect", PLATFORM, str(hint), "--resolve", str(answer)]) == 0
    assert said(capsys) == json.loads(expected.read_bytes())


def test_inspect_needs_no_settings_and_no_database(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CONNECTOR_SECRET_KEYS")
    assert main(["inspect", PLATFORM, str(stored())]) == 0
    assert [path.name for path in own_folder.iterdir()] == ["delivery.http"]
    capsys.readouterr()


# replay


def keep(*names: str) -> Database:
    database = Database("sqlite:///data/connector.db")
    migrate(database)
    now = stores.shop().connected_at
    with database.write() as connection:
        inbox.record(
            database,
            connection,
            [Recorded("shop-1", name, name, Delivery(PLATFORM, {}, b"{}", now)) for name in names],
        )
        claimed = inbox.claim(connection, now, lease=now - now, limit=10)
        inbox.finish(connection, [Outcome(one, InboxState.REVIEW, "not understood") for one in claimed])
    return database


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        found = inbox.counts(connection)
    database.close()
    return found


def test_replay_puts_deliveries_back_to_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    database = keep("d1", "d2", "d3")
    assert main(["replay", "shop-1", "d1", "d2"]) == 0
    assert capsys.readouterr().out == "2 of 2 put back to the start\n"
    assert states(database) == {"new": 2, "review": 1}


def test_replay_by_state_takes_all_of_the_shop(capsys: pytest.CaptureFixture[str]) -> None:
    database = keep("d1", "d2")
    assert main(["replay", "shop-1", "--all", "review"]) == 0
    assert capsys.readouterr().out == "2 of 2 put back to the start\n"
    assert states(database) == {"new": 2}


def test_replay_says_when_a_delivery_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    database = keep("d1")
    assert main(["replay", "shop-1", "d1", "unknown"]) == 1
    assert capsys.readouterr().out == "1 of 2 put back to the start\n"
    database.close()


@pytest.mark.parametrize("arguments", [[], ["d1", "--all", "review"]])
def test_replay_wants_ids_or_a_state(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "shop-1", *arguments]) == 1
    assert "name delivery ids, or use --all with a state" in capsys.readouterr().err


# The rest


def test_a_new_key_can_be_used_at_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["new-key"]) == 0
    key = capsys.readouterr().out.strip()
    monkeypatch.setenv("CONNECTOR_SECRET_KEYS", key)
    assert main(["shop", "list"]) == 0
    assert main(["new-key"]) == 0
    assert capsys.readouterr().out.strip().splitlines()[-1] != key


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"connector {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["inspect"],
        ["inspect", "no-such-platform", "file"],
        ["replay"],
        ["replay", "shop-1", "--all", "done"],
        ["shop"],
        ["demo", "--port", "http"],
        ["serve", "extra"],
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_how_it_goes(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: connector" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CONNECTOR_SECRET_KEYS", "", "connector new-key"),
        ("CONNECTOR_SECRET_KEYS", "not-a-key", "connector new-key"),
        ("CONNECTOR_PORT", "http", "CONNECTOR_PORT is 'http'; accepted: a port number"),
        ("CONNECTOR_PROT", "1", "CONNECTOR_PROT is not a setting"),
        ("CONNECTOR_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/x", "the database cannot be used"),
    ],
)
@pytest.mark.parametrize("command", [["serve"], ["shop", "list"]])
def test_settings_that_cannot_work_end_with_1_and_say_what_to_do(
    variable: str,
    value: str,
    says: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.startswith("connector: ")
    assert says in error
    assert "hidden" not in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("command", ["web", "worker"])
def test_sqlite_is_not_shared_between_processes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 1
    assert "use `connector serve`" in capsys.readouterr().err


def test_a_database_that_somebody_else_holds_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise OperationalError("INSERT …", None, sqlite3.OperationalError("database is locked")) from (
            sqlite3.OperationalError("database is locked")
        )

    monkeypatch.setattr(shops, "save", held)
    assert main(["shop", "add", PLATFORM, "shop.example", "--name", "Linen"]) == 1
    said = capsys.readouterr().err
    assert said == "connector: the database did not do it (database is locked); wait a moment and try again\n"
