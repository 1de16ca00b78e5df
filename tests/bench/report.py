"""Figures, their floors, and the table they are printed in."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Measure = Callable[[], Mapping[str, float]]
"""Measures once; each value under its own name."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what we do, the floor it stands beside, and the aim if there is one."""

    name: str
    value: float
    unit: str
    floor: str = ""
    floor_value: float = 0.0
    aim: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor_value if self.floor_value else None


def interleaved(measures: Mapping[str, Measure], rounds: int) -> dict[str, dict[str, float]]:
    """Every measure once a round, so that a noisy moment hits all of them; the median of the rounds for each value."""
    seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            seen[name].append(measure())
    return {
        name: {key: statistics.median(round_[key] for round_ in found) for key in found[0]}
        for name, found in seen.items()
    }


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("", "value", "unit", "floor", "ratio", "aim"), *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([title, "-" * len(title), *lines, ""])


def _row(figure: Figure) -> tuple[str, ...]:
    floor = f"{_shown(figure.floor_value)} {figure.floor}" if figure.floor else ""
    ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
    return figure.name, _shown(figure.value), figure.unit, floor, ratio, figure.aim


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
