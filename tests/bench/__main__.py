"""`make bench`: measures on this machine and prints a table; nothing is asserted, and nothing leaves loopback."""

import argparse
import logging
import platform
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from tests.bench import door, filled, importing, life, reconcile, road
from tests.bench.places import Place, places
from tests.bench.report import Figure, table

Part = Callable[..., Iterator[list[Figure]]]

PARTS: dict[str, tuple[str, Part]] = {
    "door": ("Accepted deliveries (10 kB, verified, committed, synced)", door.measure),
    "road": ("From inbox to outbox to mail, one worker", road.measure),
    "filled": ("The same with many orders stored", filled.measure),
    "life": ("The whole service in one process", life.measure),
    "import": ("A shop's history, connected, read and processed", importing.measure),
    "reconcile": ("Connected shops: API calls, sweeps, shops that hang", reconcile.measure),
}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part only; may be given twice")
    parser.add_argument("--quick", action="store_true", help="SQLite alone, one round, small amounts: two minutes")
    parser.add_argument("--full", action="store_true", help="with 1,000,000 orders stored instead of 100,000")
    chosen = parser.parse_args()
    logging.basicConfig(level="ERROR")
    rounds, size = (1, 1_000) if chosen.quick else (3, 4_000)
    started = time.monotonic()
    _say(f"{platform.platform()}, Python {platform.python_version()}; medians of {rounds} interleaved rounds\n\n")
    with places() as found:
        for name in chosen.only or [part for part in PARTS if part != "filled" or not chosen.quick]:
            title, measure = PARTS[name]
            if name == "filled":
                measure = partial(measure, many=filled.MANY if chosen.full else filled.MANY // 10)
            elif name == "import" and chosen.quick:
                measure = partial(measure, orders=size // 5)
            elif name == "reconcile" and chosen.quick:
                measure = partial(measure, extent=reconcile.SMALL)
            _part(title, measure, found[:1] if chosen.quick else found, rounds, size)
    _say(f"Measured in {time.monotonic() - started:.0f} s.\n")


def _part(title: str, measure: Part, found: list[Place], rounds: int, size: int) -> None:
    for figures in measure(found, rounds=rounds, size=size):
        _say(table(title, figures) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
