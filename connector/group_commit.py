"""Many small writes in one synced transaction: each caller waits until its own write is on disk."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import sqlalchemy as sa

from connector.database import Database
from connector.domain.errors import Retryable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stopped(Retryable):
    """The service is stopping; the other side should try again."""


class GroupCommit(Generic[Item, Result]):
    """A writer thread that commits what came together, together.

    `write` gets a connection inside a transaction and the items of one group, and returns one result for each. A group
    is what has arrived while the previous one was being synced, so a lone caller never waits for company.
    """

    def __init__(
        self,
        database: Database,
        write: Callable[[sa.Connection, list[Item]], list[Result]],
        *,
        name: str,
        committed: Callable[[], None] = lambda: None,
        largest_group: int = 256,
    ) -> None:
        """`committed` is called after each group's commit, from the writer thread, before the callers hear of it."""
        self._database = database
        self._write = write
        self._committed = committed
        self._largest_group = largest_group
        self._waiting: queue.SimpleQueue[tuple[Item, Future[Result]] | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """Queue an item; the future is done once its transaction is committed, or has failed. Raises Stopped."""
        future: Future[Result] = Future()
        # Whoever gives up waiting cannot take the item back: it is written all the same.
        future.set_running_or_notify_cancel()
        with self._door:
            if self._stopped:
                raise Stopped
            self._waiting.put((item, future))
        return future

    def stop(self, timeout: float = 10.0) -> None:
        """Commit what is waiting, then end; at most `timeout` seconds."""
        with self._door:
            self._stopped = True
            self._waiting.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        running = True
        while running:
            group, running = self._next_group()
            if group:
                self._commit(group)

    def _next_group(self) -> tuple[list[tuple[Item, Future[Result]]], bool]:
        group: list[tuple[Item, Future[Result]]] = []
        entry = self._waiting.get()
        while entry is not None:
            group.append(entry)
            if len(group) >= self._largest_group:
                return group, True
            try:
                entry = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[tuple[Item, Future[Result]]]) -> None:
        try:
            with self._database.write() as connection:
                results = self._write(connection, [item for item, _ in group])
        # Whatever happened, every caller of the group must hear of it instead of waiting for ever.
        except BaseException as error:
            for _, future in group:
                future.set_exception(error)
            return
        self._committed()
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
