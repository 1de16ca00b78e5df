"""Many callers, few transactions; nobody hears "done" before it is on disk (P1)."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from connector.database import Database
from connector.group_commit import GroupCommit, Stopped

WAIT = 10
kept = sa.Table("kept", sa.MetaData(), sa.Column("value", sa.Integer, primary_key=True))


class Writer:
    """Writes numbers, and can be told to hold or to fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.groups: list[list[int]] = []
        self.may_write = threading.Event()
        self.may_write.set()
        self.writing = threading.Event()
        self.error: BaseException | None = None
        self.commits: list[int] = []
        self.commit: GroupCommit[int, int] = GroupCommit(
            database,
            self.write,
            name="test-writer",
            committed=lambda: self.commits.append(self.count()),
            largest_group=50,
        )

    def write(self, connection: sa.Connection, items: list[int]) -> list[int]:
        self.writing.set()
        assert self.may_write.wait(WAIT)
        self.groups.append(items)
        connection.execute(sa.insert(kept), [{"value": item} for item in items])
        if self.error:
            raise self.error
        return [item * 10 for item in items]

    def count(self) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(kept)).scalar_one()

    def hold(self) -> Future[int]:
        """A first item that keeps the writer busy until `may_write` is set."""
        self.may_write.clear()
        first = self.commit.submit(0)
        assert self.writing.wait(WAIT)
        return first


@pytest.fixture
def writer(database_url: str) -> Iterator[Writer]:
    database = Database(database_url)
    with database.write() as connection:
        kept.create(connection)
    made = Writer(database)
    yield made
    made.may_write.set()
    made.commit.stop()
    database.close()


def test_p1_the_answer_comes_after_the_commit(writer: Writer) -> None:
    assert writer.commit.submit(7).result(WAIT) == 70
    assert writer.count() == 1
    assert writer.commits == [1]


def test_what_came_while_another_group_was_written_is_committed_together(writer: Writer) -> None:
    first = writer.hold()
    rest = [writer.commit.submit(number) for number in range(1, 21)]
    writer.may_write.set()
    assert first.result(WAIT) == 0
    assert [future.result(WAIT) for future in rest] == [number * 10 for number in range(1, 21)]
    assert writer.groups == [[0], list(range(1, 21))]


def test_a_group_has_a_largest_size(writer: Writer) -> None:
    writer.hold()
    rest = [writer.commit.submit(number) for number in range(1, 121)]
    writer.may_write.set()
    for future in rest:
        future.result(WAIT)
    assert [len(group) for group in writer.groups] == [1, 50, 50, 20]


def test_many_threads_each_get_their_own_answer(writer: Writer) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: writer.commit.submit(number).result(WAIT), range(200)))
    assert answers == [number * 10 for number in range(200)]
    assert writer.count() == 200


def test_p1_a_failed_group_is_rolled_back_and_every_caller_hears_of_it(writer: Writer) -> None:
    first = writer.hold()
    others = [writer.commit.submit(number) for number in (1, 2)]
    writer.error = RuntimeError("disk full")
    writer.may_write.set()
    for future in (first, *others):
        with pytest.raises(RuntimeError, match="disk full"):
            future.result(WAIT)
    assert writer.count() == 0
    assert writer.commits == []


def test_after_a_failure_the_next_group_is_written(writer: Writer) -> None:
    writer.error = RuntimeError("for a moment")
    with pytest.raises(RuntimeError):
        writer.commit.submit(1).result(WAIT)
    writer.error = None
    assert writer.commit.submit(1).result(WAIT) == 10


def test_even_an_end_of_the_interpreter_reaches_the_callers(writer: Writer) -> None:
    writer.error = SystemExit()
    with pytest.raises(SystemExit):
        writer.commit.submit(1).result(WAIT)
    writer.error = None
    assert writer.commit.submit(2).result(WAIT) == 20


def test_p1_a_caller_that_gives_up_cannot_take_its_item_back_and_stops_nobody(writer: Writer) -> None:
    writer.hold()
    given_up, after = writer.commit.submit(1), writer.commit.submit(2)
    assert not given_up.cancel()
    writer.may_write.set()
    assert [given_up.result(WAIT), after.result(WAIT)] == [10, 20]


def test_p1_stopping_commits_what_was_waiting_and_takes_no_more(writer: Writer) -> None:
    writer.hold()
    rest = [writer.commit.submit(number) for number in range(1, 121)]
    threading.Timer(0.05, writer.may_write.set).start()
    writer.commit.stop()
    assert all(future.done() for future in rest)
    assert writer.count() == 121
    with pytest.raises(Stopped):
        writer.commit.submit(999)


def test_nobody_who_comes_while_it_stops_is_left_waiting(writer: Writer) -> None:
    together = threading.Barrier(5)

    def come(start: int) -> list[Future[int]]:
        answers: list[Future[int]] = []
        together.wait()
        with suppress(Stopped):
            answers.extend(writer.commit.submit(number) for number in range(start, start + 200))
        return answers

    with ThreadPoolExecutor(4) as pool:
        coming = [pool.submit(come, place * 1000) for place in range(4)]
        together.wait()
        writer.commit.stop()
        answers = [future for one in coming for future in one.result(WAIT)]
    assert all(future.done() for future in answers)
    assert writer.count() == len(answers)
