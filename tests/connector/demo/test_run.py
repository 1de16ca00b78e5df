"""The demo as a stranger runs it: figures, exit codes, and that a fault of the service would be seen."""

import copy
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from email.message import EmailMessage
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import adapters
from connector.demo.report import Report, measure
from connector.demo.show import free_port
from connector.domain.errors import WrongSetting
from notifications.kinds import KINDS
from notifications.wording import LOCALES
from tests.connector.demo.conftest import Played

DEMO = "from connector.demo import run_demo; raise SystemExit(run_demo(once=True, as_json=True, port=18190))"

REFUSING = """
import connector.demo.show as show
class Refusing(show.MailSink):
    def take(self, content):
        return b"550 no such mailbox"
show.MailSink = Refusing
"""


def run(source: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the figures, and what was said beside them."""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


def test_a_run_tells_every_customer_everything_once_and_says_so_as_json_alone_on_standard_output() -> None:
    code, figures, said = run(DEMO)
    assert (code, figures["lost"], figures["doubled"], figures["problems"]) == (0, 0, 0, [])
    assert (figures["platforms"], figures["languages"]) == (3, 5)
    assert figures["deliveries"] == figures["accepted"] + figures["refused"]
    assert f"{figures['deliveries']}/{figures['deliveries']} deliveries sent" in said
    assert "Traceback" not in said


def test_it_serves_its_pages_until_ctrl_c_and_then_ends_cleanly_and_leaves_nothing(tmp_path: Path) -> None:
    source = DEMO.replace("once=True", "once=False").replace("18190", "18290")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", source], stderr=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stderr is not None
        said = list(takewhile(lambda line: not line.startswith("Ctrl-C"), demo.stderr))
        address = next(line.split()[1] for line in said if line.startswith("Open "))
        with urlopen(f"{address}mails/") as page:  # noqa: S310 - our own address
            assert "Portuguese (Brazil)" in page.read().decode()
        demo.send_signal(signal.SIGINT)
        rest = demo.stderr.read()
    assert (demo.returncode, rest) == (0, "")
    assert not list(tmp_path.iterdir())


def test_mails_that_the_mail_server_refuses_are_lost_and_the_exit_code_says_so() -> None:
    code, figures, _ = run(REFUSING + DEMO)
    assert (code, figures["messages"]) == (1, 0)
    # What follows a message that was never sent (a late tracking number) is lost too, without a row of its own.
    assert figures["lost"] >= figures["needs_review"] - 1 > 0


def measured(played: Played, mails: Sequence[EmailMessage]) -> Report:
    """What would have been reported if the mailbox had held these."""
    return measure(played.demo.service, played.demo.scenario.shops, mails, 1.0)


def test_a_missing_mail_is_lost_and_one_that_arrives_twice_is_doubled(played: Played) -> None:
    mails = played.demo.sink.mails
    for position, mail in enumerate(mails):
        without, twice = measured(played, mails[:position] + mails[position + 1 :]), measured(played, [*mails, mail])
        assert (without.lost, without.doubled, without.good) == (1, 0, False)
        assert (twice.lost, twice.doubled, twice.good) == (0, 1, False)


def test_a_mail_nobody_planned_and_one_in_another_language_are_noticed(played: Played) -> None:
    stranger, translated = EmailMessage(), copy.deepcopy(played.demo.sink.mails[0])
    stranger["Message-ID"] = "<nobody@planned.example>"
    translated.replace_header("Content-Language", "fr")
    report = measured(played, [translated, *played.demo.sink.mails[1:], stranger])
    assert (report.unexpected, report.wrong_language, report.lost, report.doubled) == (1, 1, 0, 0)
    assert not report.good


def test_an_invoice_that_does_not_come_is_noticed(played: Played) -> None:
    bare = [copy.deepcopy(mail) for mail in played.demo.sink.mails]
    for mail in bare:
        if mail.is_multipart():
            mail.set_payload([part for part in mail.iter_parts() if part.get_content_type() != "application/pdf"])
    report = measured(played, bare)
    assert report.lost_documents == sum(
        expected.invoice for shop in played.demo.scenario.shops for expected in shop.story.orders.values()
    )


def test_the_story_holds_every_kind_of_message_every_language_and_every_platform(played: Played) -> None:
    assert played.report.messages_by_kind.keys() == KINDS.keys()
    assert set(played.report.messages_by_language) == set(LOCALES)
    assert played.report.platforms == len(adapters.NAMES)
    assert played.report.orders >= 12


def test_every_copy_of_a_delivery_counts_as_a_duplicate_and_every_forged_one_is_refused(played: Played) -> None:
    steps = [step for shop in played.demo.scenario.shops for step in shop.story.steps]
    assert played.report.refused == sum(step.tampered for step in steps) > 0
    assert played.report.duplicates >= sum(step.posts - 1 for step in steps) > 0
    assert played.report.needs_review == 1


def test_what_was_not_told_is_explained_on_the_timeline(played: Played) -> None:
    for shop in played.demo.scenario.shops:
        for order_id, expected in shop.story.orders.items():
            story = played.demo.showcase.order(shop.shop.shop_id, order_id)
            assert story is not None
            declined = {entry.subject for entry in story.entries if entry.tag.value == "message:declined"}
            assert {f"{what}:" if ":" not in what else what for what in expected.not_told} <= declined


def test_the_report_for_people_names_the_figures(played: Played) -> None:
    text = played.report.as_text()
    assert f"{played.report.messages} in 5 languages" in text
    assert "PROBLEM" not in text


def test_a_taken_port_is_left_to_its_owner() -> None:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        taken = owner.getsockname()[1]
        assert free_port(taken) != taken


def test_what_is_no_port_is_refused_with_what_is() -> None:
    with pytest.raises(WrongSetting, match="1 to 65535"):
        free_port(0)
