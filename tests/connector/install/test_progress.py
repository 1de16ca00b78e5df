"""Progress says what is so, in every state, and shows each step once."""

import pytest

from connector.domain.connection import ConnectionState, Findings, Subscribed, Subscription, SubscriptionState
from connector.install.progress import Phase, Progress, look
from tests.connector.install.conftest import Desk

SENDS = Subscribed((Subscription("orders", SubscriptionState.ACTIVE),))
SILENT = Subscribed((Subscription("orders", SubscriptionState.UNAVAILABLE),))


def progress(desk: Desk, *, history: bool = True) -> Progress:
    with desk.service.database.read() as connection:
        found = look(connection, desk.shop.shop_id, history=history)
    assert found is not None
    return found


def states(desk: Desk) -> list[str]:
    return [step.state for step in progress(desk).steps]


def test_a_shop_without_a_connection_has_no_progress(desk: Desk) -> None:
    with desk.service.database.read() as connection:
        assert look(connection, "nobody", history=True) is None


@pytest.mark.parametrize(
    ("state", "phase", "steps"),
    [
        (ConnectionState.INVITED, Phase.WAITING, ["now", "later", "later", "later"]),
        (ConnectionState.OFFERED, Phase.PROVING, ["done", "now", "later", "later"]),
        (ConnectionState.CONNECTING, Phase.SETTING_UP, ["done", "done", "now", "later"]),
        (ConnectionState.CONNECTED, Phase.CONNECTED, ["done", "done", "done", "done"]),
        (ConnectionState.BROKEN, Phase.BROKEN, []),
        (ConnectionState.ENDED, Phase.ENDED, []),
    ],
)
def test_each_state_is_shown_as_a_step(desk: Desk, state: ConnectionState, phase: Phase, steps: list[str]) -> None:
    desk.stand(state)
    assert progress(desk).phase is phase
    assert states(desk) == steps


def test_past_orders_are_counted_while_they_are_read(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    desk.import_history(1234)
    assert (progress(desk).phase, progress(desk).read) == (Phase.IMPORTING, 1234)
    assert states(desk) == ["done", "done", "done", "now"]
    assert "1,234 so far" in desk.pages.get(f"{desk.link}/done").text


def test_when_all_past_orders_are_read_it_is_connected(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    desk.import_history(5678, finished=True)
    page = desk.pages.get(f"{desk.link}/done").text
    assert progress(desk).phase is Phase.CONNECTED
    assert '<span class="count">5,678</span>' in page


def test_a_permission_given_again_does_not_unread_past_orders(desk: Desk) -> None:
    desk.import_history(10, finished=True)
    desk.stand(ConnectionState.OFFERED)
    assert states(desk) == ["done", "now", "later", "done"]


def test_without_history_there_is_no_such_step(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    assert [step.state for step in progress(desk, history=False).steps] == ["done", "done", "done"]


def test_a_history_that_cannot_be_read_just_now_says_why(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    desk.import_history(10, problem="The shop is busy", failures=3)
    page = desk.pages.get(f"{desk.link}/done").text
    assert "The shop is busy. <em>It is tried again by itself.</em>" in page


def test_what_was_left_out_of_history_is_good_to_know_and_no_problem(desk: Desk) -> None:
    desk.stand(ConnectionState.CONNECTED)
    desk.import_history(10, finished=True, problem="Two orders could not be read")
    found = progress(desk)
    assert (found.problem, found.notes) == ("", ("Two orders could not be read",))


def test_what_did_not_hold_is_said_with_what_to_click(desk: Desk) -> None:
    desk.stand(ConnectionState.INVITED, problem="The shop does not know this token. Make a new one")
    page = desk.pages.get(f"{desk.link}/done").text
    assert "This needs a hand" in page
    assert "Make a new one." in page
    assert "tried again by itself" not in page
    assert "Make a new one." in desk.pages.get(desk.link).text


def test_a_broken_connection_says_that_it_is_tried_again_too(desk: Desk) -> None:
    desk.stand(ConnectionState.BROKEN, problem="Give the key Read/Write rights.")
    page = desk.pages.get(f"{desk.link}/done").text
    assert 'role="alert"' in page
    assert "Give the key Read/Write rights." in page
    assert "tried again by itself" in page
    assert "Give the permission again" in page


def test_missing_rights_are_said_once(desk: Desk) -> None:
    desk.stand(ConnectionState.BROKEN, problem="Tick Orders.", findings=Findings(missing_rights=("Tick Orders.",)))
    assert progress(desk).rights == ()


@pytest.mark.parametrize(("subscribed", "words"), [(SENDS, "of every change at once"), (SILENT, "every few minutes")])
def test_it_says_how_changes_are_learned(desk: Desk, subscribed: Subscribed, words: str) -> None:
    desk.stand(ConnectionState.CONNECTED, subscribed=subscribed)
    assert words in desk.pages.get(f"{desk.link}/done").text


def test_progress_can_be_heard(desk: Desk) -> None:
    page = desk.pages.get(f"{desk.link}/done").text
    assert '<div role="status" aria-live="polite">' in page
    assert 'aria-current="step"' in page
    assert "(to come)" in page
