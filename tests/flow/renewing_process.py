"""A process of its own that opens a shop's store once the others are ready too; its platform is a file.

`python -m tests.flow.renewing_process DATABASE_URL SECRET_KEY FOLDER NAME` writes the access token it was given.
"""

import fcntl
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.contract import Manifest, Store
from connector.domain.connection import Credentials
from connector.domain.errors import Permanent, Retryable
from connector.tables import shops
from tests.fake_api import FakeApi
from tests.flow.road import service_on

BOTH_MAY_ASK = 0.3
"""Seconds a renewal takes: long enough for another process to want one too."""


def renewal_in(folder: Path) -> Callable[[Store], Credentials]:
    """A platform that gives each pair once: the refresh token that was handed in ends at once."""

    def renew(store: Store) -> Credentials:
        time.sleep(BOTH_MAY_ASK)
        with (folder / "platform.json").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = json.load(file)
            if store.access.credentials.values["refresh"] != f"refresh-{state['number']}":
                raise Permanent("this refresh token was used already")
            number = state["number"] + 1
            file.seek(0)
            file.truncate()
            json.dump({"number": number}, file)
        lasts = datetime.now(UTC) + timedelta(hours=1)
        return Credentials({"token": f"access-{number}", "refresh": f"refresh-{number}"}, lasts)

    return renew


def platform_in(folder: Path) -> Manifest:
    """The fake platform with this renewal."""
    return FakeApi(renew=renewal_in(folder)).manifest


def main(database_url: str, secret_key: str, folder: Path, name: str) -> None:
    service = service_on(database_url, secret_key, platform_in(folder))
    with service.database.read() as connection:
        (shop,) = shops.everyone(connection)
    (folder / f"ready-{name}").touch()
    while not (folder / "go").exists():
        time.sleep(0.005)
    while True:
        try:
            store = service.stores.open(shop)
        except Retryable:
            time.sleep(0.02)
            continue
        sys.stdout.write(store.access.credentials.values["token"])
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
