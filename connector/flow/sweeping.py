"""The rules of a sweep, without any I/O: what of a page is kept, how far it leads, and when to look again."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.contract import Pace
from connector.domain.connection import Found, Page
from connector.domain.delivery import Source
from connector.domain.shop import Shop
from connector.tables.connections import Connection
from connector.tables.sweeps import NEVER, Sweep, SweepKind

MOST_PAGES = 20_000
"""Of one sweep; a shop with a million orders has fewer."""
MOST_FAILURES = 5
"""After so many tries with the same cursor the sweep begins again where it has got to: a platform may have forgotten
what its cursor meant."""
INCOMPLETE_RESTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Course:
    """What a sweep's rules need to know of its shop."""

    shop: Shop
    connection: Connection
    pace: Pace

    def live(self, now: datetime) -> bool:
        """Whether webhooks tell of changes too."""
        return self.connection.webhooks_live(now)


def started(held: Sweep, now: datetime) -> Sweep:
    """The sweep with its first page before it; one that is under way goes on."""
    if held.begun_at is not None:
        return held
    return replace(held, begun_at=now, cursor="", newest=None, pages=0, problem="")


def kept(held: Sweep, page: Page, course: Course) -> tuple[Found, ...]:
    """What of a page is recorded.

    While webhooks come, what is younger than they may take is left to them; history ends where watching began.
    """
    limit = _limit(held, course)
    return tuple(found for found in page.found if limit is None or found.updated_at < limit)


def source(held: Sweep, found: Found, course: Course) -> Source:
    """What changed before the shop was connected is its past, whichever sweep comes upon it."""
    past = held.kind is SweepKind.HISTORY or found.updated_at < course.shop.connected_at
    return Source.IMPORT if past else Source.SWEEP


def after_page(
    held: Sweep, page: Page, taken: tuple[Found, ...], before: frozenset[str], course: Course, now: datetime
) -> Sweep:
    """The sweep with this page behind it; it has ended when `begun_at` is None. `before`: the last page's keys."""
    moved = replace(
        held,
        cursor=page.cursor,
        documents=held.documents + len(taken),
        pages=held.pages + 1,
        newest=_newest(held, taken),
        problem="; ".join(page.notes) or ("" if held.failures else held.problem),
        failures=0,
    )
    wrong = _wrong(held, moved, page, before)
    if wrong:
        return _at_end(replace(moved, problem=wrong), course, now, complete=False)
    if not page.cursor or _past_the_end(held, page, course):
        return _at_end(moved, course, now, complete=True)
    return moved


def keys(page: Page) -> frozenset[str]:
    """What a page holds, to know it again."""
    return frozenset(f"{found.about}:{found.key}" for found in page.found)


def after_failure(held: Sweep, problem: str, run_at: datetime, overlap: timedelta) -> Sweep:
    """The sweep after a try that failed: it goes on with the same page, or begins again where it has got to."""
    failed = replace(held, failures=held.failures + 1, problem=problem, run_at=run_at)
    if not held.cursor:
        return replace(failed, begun_at=None)
    if failed.failures < MOST_FAILURES:
        return failed
    since = max(held.since, held.newest - overlap) if held.newest else held.since
    return replace(failed, cursor="", begun_at=None, since=since)


def _at_end(held: Sweep, course: Course, now: datetime, *, complete: bool) -> Sweep:
    """The sweep with its last page behind it: how far all has been read, and when to look again.

    The watermark never goes back, and never beyond the moment the sweep began: a shop whose clock is ahead, or that
    tells of the future, costs a few documents read again and never one that is skipped.
    """
    began = held.begun_at or now
    watermark = max(held.watermark, min(held.newest or held.watermark, began))
    ended = replace(held, cursor="", begun_at=None, newest=None, failures=0, watermark=watermark)
    if held.kind is SweepKind.CHANGES:
        since = watermark - course.pace.overlap
        return replace(ended, since=since, finished_at=now, run_at=now + _wait(course, now))
    if complete:
        return replace(ended, finished_at=now, run_at=NEVER)
    return replace(ended, since=watermark, run_at=now + INCOMPLETE_RESTS)


def _newest(held: Sweep, taken: tuple[Found, ...]) -> datetime | None:
    return max([one.updated_at for one in taken] + ([held.newest] if held.newest else []), default=None)


def _limit(held: Sweep, course: Course) -> datetime | None:
    if held.kind is SweepKind.HISTORY:
        return course.shop.connected_at
    if held.begun_at is None or not course.live(held.begun_at):
        return None
    return held.begun_at - course.pace.grace


def _past_the_end(held: Sweep, page: Page, course: Course) -> bool:
    """History: pages are told oldest first, and from here on all of it is watched."""
    past = held.kind is SweepKind.HISTORY
    return past and bool(page.found) and all(one.updated_at >= course.shop.connected_at for one in page.found)


def _wrong(held: Sweep, moved: Sweep, page: Page, before: frozenset[str]) -> str:
    """Why a sweep must not go on, in words for a person; empty when all is well."""
    if not page.cursor:
        return ""
    if page.cursor == held.cursor:
        return "the platform led to the same page twice; the rest is looked for next time"
    if page.found and keys(page) == before:
        return "the platform gave the same page twice; the rest is looked for next time"
    if moved.pages >= MOST_PAGES:
        return f"there are more than {MOST_PAGES} pages; the rest is looked for next time"
    return ""


def _wait(course: Course, now: datetime) -> timedelta:
    wait = course.pace.with_webhooks if course.live(now) else course.pace.alone
    return wait * random.uniform(0.9, 1.1)  # noqa: S311  # spreading load, nothing secret
