"""When to try again."""

import random
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)


def next_try(now: datetime, attempts: int, asked: timedelta | None = None) -> datetime:
    """Twice as long each time, an hour at most, a fifth more or less so that not all come back at once.

    `asked`: the wait the other side asked for; it is kept to.
    """
    wait: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 20))
    spread = random.uniform(0.8, 1.2)  # noqa: S311  # spreading load, nothing secret
    return now + max(wait * spread, asked or timedelta(0))
