"""The measurements run: each part once, over next to nothing."""

from pathlib import Path

import adapters
from tests.bench import fleet, idle, importing, steady
from tests.bench.places import Place
from tests.bench.reconcile import busiest
from tests.bench.report import Figure, table


def place(folder: Path) -> Place:
    return Place("SQLite", folder)


def values(figures: list[Figure]) -> dict[str, float]:
    """By the last words of each name."""
    assert table("measured", figures)
    return {figure.name: figure.value for figure in figures}


def test_an_import_is_measured_from_a_shop_elsewhere(tmp_path: Path) -> None:
    figures = list(importing.of_platform(adapters.NAMES[1], [place(tmp_path)], orders=25))
    assert "25 orders" in figures[0].name
    assert all(figure.value > 0 for figure in figures)
    assert figures[0].ratio


def test_the_calls_of_a_day_are_counted_by_what_they_are_for(tmp_path: Path) -> None:
    counted = steady.Day(busiest(), place(tmp_path).new_database(), webhooks=True).count(1)
    assert counted["sweeps"] > 0


def test_shops_are_looked_through_in_time_whether_or_not_some_hang(tmp_path: Path) -> None:
    seen = values(list(fleet.watched(place(tmp_path), busiest(), 12, 1.0, [9])))
    rates = [value for name, value in seen.items() if name.endswith("sweeps of the others")]
    assert len(rates) == 3
    assert all(rates)


def test_all_shops_at_once_are_counted_to_the_last(tmp_path: Path) -> None:
    assert all(values(list(fleet.drained(place(tmp_path), adapters.NAMES[1], 5))).values())


def test_a_service_that_does_nothing_is_watched(tmp_path: Path) -> None:
    figures = list(idle.measure(place(tmp_path), shops=(2,), seconds=0.2))
    assert [figure.unit for figure in figures] == ["%", "MB"]
