"""Two transactions at once, the second begun while the first is still open."""

import threading
from collections.abc import Callable

import sqlalchemy as sa

from connector.database import Database

Work = Callable[[sa.Connection], object]
BLOCKED_SECONDS = 0.3
"""As long as the second may go on before the first is committed; it comes to its end only if nothing holds it."""


def _nothing(_connection: sa.Connection) -> None:
    """The first has done all it wants when the second begins."""


def interleaved(database: Database, first: Work, second: Work, *, then: Work = _nothing) -> None:
    """Both are committed in the end; what either raises is raised. `then`: what the first does beside the second."""
    failed: list[BaseException] = []

    def begin_second() -> None:
        try:
            with database.write() as connection:
                second(connection)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=begin_second)
    with database.write() as connection:
        first(connection)
        thread.start()
        thread.join(BLOCKED_SECONDS)
        then(connection)
    thread.join(20)
    assert not thread.is_alive()
    if failed:
        raise failed[0]
