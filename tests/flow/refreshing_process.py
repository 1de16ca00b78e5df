"""A process of its own that asks a stand-in shop something, for which it needs fresh credentials first.

`python -m tests.flow.refreshing_process FILE NAME`: FILE is JSON with the settings and the moment it is; it writes the
access token it asked with, once the shop has answered.
"""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

import msgspec

from connector.app import build_service
from connector.domain.clock import FixedClock
from connector.domain.errors import Retryable
from connector.settings import Settings
from connector.tables import shops


def main(file: Path, name: str) -> None:
    given = json.loads(file.read_text())
    clock = FixedClock(datetime.fromisoformat(given.pop("now")))
    service = build_service(msgspec.convert(given, Settings), clock=clock, channels={}, asking_threads=0)
    with service.database.read() as connection:
        (shop,) = shops.everyone(connection)
    file.with_name(f"ready-{name}").touch()
    while not file.with_name("go").exists():
        time.sleep(0.005)
    while True:
        try:
            store = service.stores.open(shop)
            service.stores.api(shop).probe(store)
        except Retryable:
            time.sleep(0.02)
            continue
        sys.stdout.write(store.access.credentials.values["access_token"])
        return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
