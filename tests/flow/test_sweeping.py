"""The rules of a sweep, alone."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from connector.domain.connection import ConnectionState, Findings, Found, Page, Subscribed
from connector.domain.delivery import Source
from connector.flow import sweeping
from connector.flow.sweeping import Course
from connector.tables.connections import Connection
from connector.tables.sweeps import Sweep, SweepKind
from tests import builders
from tests.fake_api import PACE
from tests.flow.road import NOW

CONNECTION = Connection(
    shop_id="s",
    platform="fake",
    base="https://a.example.test",
    state=ConnectionState.CONNECTED,
    invited_until=None,
    renew_at=None,
    run_at=NOW,
    claims=1,
    failures=0,
    problem="",
    findings=Findings(),
    subscribed=Subscribed(()),
    proven_at=NOW,
    probed_at=NOW,
    checked_at=NOW,
    heard_at=None,
    healed=0,
    repaired=0,
)
COURSE = Course(builders.shop(connected_at=NOW), CONNECTION, PACE)
SWEEP = Sweep(
    shop_id="s",
    kind=SweepKind.CHANGES,
    watermark=NOW,
    since=NOW - PACE.overlap,
    cursor="",
    newest=None,
    run_at=NOW,
    claims=1,
    failures=0,
    documents=0,
    pages=0,
    problem="",
    begun_at=None,
    finished_at=None,
)


def found(minutes: float) -> Found:
    return Found(f"k{minutes}", "order", b"{}", NOW + timedelta(minutes=minutes))


def read(sweep: Sweep, *pages: Page, minutes: float = 60) -> Sweep:
    """The sweep after these pages, begun so many minutes after NOW."""
    now = NOW + timedelta(minutes=minutes)
    sweep = sweeping.started(sweep, now)
    before: frozenset[str] = frozenset()
    for page in pages:
        taken = sweeping.kept(sweep, page, COURSE)
        sweep = sweeping.after_page(sweep, page, taken, before, COURSE, now)
        before = sweeping.keys(page)
    return sweep


def test_a_first_page_that_failed_is_asked_anew_as_of_then() -> None:
    begun = sweeping.started(SWEEP, NOW)
    failed = sweeping.after_failure(begun, "away", NOW + timedelta(hours=3), PACE.overlap)
    assert failed.begun_at is None
    assert sweeping.started(failed, NOW + timedelta(hours=3)).begun_at == NOW + timedelta(hours=3)


def test_a_later_page_that_failed_goes_on_with_its_own_beginning() -> None:
    begun = read(SWEEP, Page((found(1),), "on"))
    failed = sweeping.after_failure(begun, "away", NOW, PACE.overlap)
    assert (failed.begun_at, failed.cursor, failed.newest) == (begun.begun_at, "on", begun.newest)


def test_what_changed_before_the_shop_was_connected_is_history_whoever_finds_it() -> None:
    assert sweeping.source(SWEEP, found(-1), COURSE) is Source.IMPORT
    assert sweeping.source(SWEEP, found(1), COURSE) is Source.SWEEP
    assert sweeping.source(replace(SWEEP, kind=SweepKind.HISTORY), found(-1), COURSE) is Source.IMPORT


def test_history_ends_where_watching_began() -> None:
    history = replace(SWEEP, kind=SweepKind.HISTORY, since=NOW - timedelta(days=90))
    half = Page((found(-1), found(1)), "on")
    assert sweeping.kept(history, half, COURSE) == (found(-1),)
    assert read(history, half).finished_at is None
    assert read(history, half, Page((found(1), found(2)), "on and on")).finished_at is not None


def test_a_history_that_could_not_be_read_to_its_end_is_not_called_finished() -> None:
    history = replace(SWEEP, kind=SweepKind.HISTORY, since=NOW - timedelta(days=90))
    stuck = read(history, Page((found(-5),), "on"), Page((found(-4),), "on"))
    assert (stuck.finished_at, stuck.begun_at, stuck.cursor) == (None, None, "")
    assert stuck.since == stuck.watermark
    assert "looked for next time" in stuck.problem


MINUTES = st.lists(st.integers(-100, 100), max_size=8)


@given(pages=st.lists(MINUTES, min_size=1, max_size=5), minutes=st.integers(-50, 150))
def test_p1_the_watermark_never_goes_back_and_never_passes_what_was_not_read(
    pages: list[list[int]], minutes: int
) -> None:
    told = [Page(tuple(found(one) for one in page), f"{place}") for place, page in enumerate(pages)]
    told[-1] = replace(told[-1], cursor="")
    after = read(SWEEP, *told, minutes=minutes)
    if after.begun_at is not None:
        return
    newest = max((one.updated_at for page in told for one in page.found), default=NOW)
    assert NOW <= after.watermark <= max(NOW, newest)
    assert after.watermark <= max(NOW, NOW + timedelta(minutes=minutes))
    assert after.since == after.watermark - PACE.overlap
