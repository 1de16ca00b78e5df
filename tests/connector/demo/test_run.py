"""The demo as a stranger runs it: figures, exit codes, and that a fault of the service would be seen."""

import copy
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from email.message import EmailMessage
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

import adapters
from adapters.stories import Act, Given, Webhooks
from connector.demo.report import Report, all_messages, measure, named
from connector.demo.show import free_port
from connector.demo.truths import compared, known
from connector.domain.connection import SubscriptionState
from connector.domain.errors import WrongSetting
from connector.domain.timeline import Tag
from notifications.history import Said
from notifications.kinds import KINDS
from notifications.outbox import OutboxState
from notifications.wording import LOCALES
from tests.connector.demo.conftest import Played

DEMO = "from connector.demo import run_demo; raise SystemExit(run_demo(once=True, as_json=True, port=18190))"

ONE_SHOP = """
import adapters
adapters.NAMES = adapters.NAMES[1:2]
"""
"""The same with one shop, which is done sooner."""

REFUSING = """
import connector.demo.show as show
class Refusing(show.MailSink):
    def take(self, content):
        return b"550 no such mailbox"
show.MailSink = Refusing
"""

BLIND = """
import connector.flow.sweeping as sweeping
from connector.tables.sweeps import SweepKind
seen = sweeping.kept
sweeping.kept = lambda held, page, course: () if held.kind is SweepKind.CHANGES else seen(held, page, course)
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
    assert (figures["connected"], figures["wrong_answers"], figures["unexpected"]) == (3, 0, 0)
    assert min(figures[name] for name in ("imported", "healed", "written_back", "api_calls")) > 0
    assert f"{figures['messages']} mails received" in said
    assert "Traceback" not in said


def test_it_serves_its_pages_until_ctrl_c_and_then_ends_cleanly_and_leaves_nothing(tmp_path: Path) -> None:
    source = ONE_SHOP + DEMO.replace("once=True", "once=False").replace("18190", "18290")
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
    code, figures, _ = run(ONE_SHOP + REFUSING + DEMO)
    assert (code, figures["messages"]) == (1, 0)
    # What follows a message that was never sent (a late tracking number) is lost too, without a row of its own.
    assert figures["lost"] >= figures["needs_review"] - 1 > 0


def test_without_looking_through_the_shops_lost_news_stays_lost_and_the_exit_code_says_so() -> None:
    code, figures, _ = run(ONE_SHOP + BLIND + DEMO)
    assert (code, figures["healed"], figures["doubled"]) == (1, 0, 0)
    assert min(figures["lost"], figures["lost_documents"], figures["wrong_answers"]) > 0


def said(played: Played) -> list[Said]:
    """Everything that was meant for a customer or a platform."""
    return all_messages(played.demo.service, played.demo.places)


def measured(played: Played, mails: Sequence[EmailMessage]) -> Report:
    """What would have been reported if the mailbox had held these."""
    return measure(played.demo.service, played.demo.places, mails, 1.0)


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
        expected.invoice for place in played.demo.places for expected in place.story.orders.values()
    )


def test_the_story_holds_every_kind_of_message_every_language_and_every_platform(played: Played) -> None:
    assert played.report.messages_by_kind.keys() == KINDS.keys()
    assert set(played.report.messages_by_language) == set(LOCALES)
    assert played.report.platforms == len(adapters.NAMES)
    assert played.report.orders >= 12


def test_what_the_shops_sent_twice_forged_or_unreadable_is_counted_as_that(played: Played) -> None:
    acts = [act for place in played.demo.places for act in place.story.acts if isinstance(act, Act)]
    assert played.report.refused == sum(act.forged is not None for act in acts) > 0
    assert played.report.duplicates >= sum(act.webhooks is Webhooks.TWICE for act in acts) > 0
    assert played.report.needs_review == 1


def test_every_lost_webhook_is_a_gap_that_was_healed_and_what_was_switched_off_is_on_again(played: Played) -> None:
    for place in played.demo.places:
        story = played.demo.showcase.shop_story(place.shop_id)
        assert story is not None
        lost = sum(isinstance(act, Act) and act.webhooks is Webhooks.LOST for act in place.story.acts)
        assert story.connection.healed >= lost > 0
        assert all(one.state is not SubscriptionState.UNAVAILABLE for one in story.connection.subscribed.subscriptions)
    assert played.report.healed >= 8


def test_each_shop_is_connected_by_its_own_way_in_and_its_past_is_known_and_mails_nobody(played: Played) -> None:
    assert played.report.connected == len(adapters.NAMES)
    assert played.report.imported >= sum(place.story.past_orders for place in played.demo.places)
    grown = {place.shop_id: set(place.twin.truth()) - set(place.ids.values()) for place in played.demo.places}
    told = {(one.notification.shop_id, one.notification.order_id) for one in said(played)}
    assert all((shop_id, order_id) not in told for shop_id, ids in grown.items() for order_id in ids)


def test_a_number_the_merchant_gives_us_reaches_the_shop_and_comes_back_as_one_mail(played: Played) -> None:
    for place in played.demo.places:
        (given,) = [act for act in place.story.acts if isinstance(act, Given)]
        order_id = place.ids[given.order]
        assert given.number in place.twin.truth()[order_id].tracking_numbers
        about = [
            one
            for one in said(played)
            if (one.notification.shop_id, one.notification.order_id) == (place.shop_id, order_id)
        ]
        kinds = [one.notification.kind for one in about if one.state is OutboxState.SENT]
        assert (kinds.count("push_shipment"), kinds.count("shipped")) == (1, 1)


def test_an_order_that_is_missing_made_up_or_known_otherwise_is_noticed(played: Played) -> None:
    place = played.demo.places[0]
    truth, ours = dict(place.twin.truth()), known(played.demo.service, place.shop_id)
    assert not list(compared(place.twin.host, truth, ours))
    first, second, third = sorted(truth)[:3]
    truth[first] = replace(truth[first], tracking_numbers=frozenset({"another"}))
    del truth[second], ours[third]
    words = list(compared(place.twin.host, truth, ours))
    assert [first in words[0], "is not there" in words[1], "is not known" in words[2]] == [True] * 3


def test_what_was_not_told_is_explained_on_the_timeline(played: Played) -> None:
    for place in played.demo.places:
        names = place.names(played.demo.service)
        for order_id, expected in place.expected().items():
            story = played.demo.showcase.order(place.shop_id, order_id)
            assert story is not None
            declined = [entry.subject.partition(":") for entry in story.entries if entry.tag is Tag.MESSAGE_DECLINED]
            assert set(expected.not_told) <= {named(kind, subject, names) for kind, _, subject in declined}


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
