"""Points over time as text: a line for each level, a number for each point, and behind it how far it spreads."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_page.comparing import Point
from rollplane_rehearsal.rehearse.durations import seconds_text

WIDTH = 60
"""How many characters the time has."""


def plot(points: Sequence[Point]) -> list[str]:
    """Return the lines of a plot: the highest level first; each number stands at its P95, with a line from its P50.

    What never finished has no place in time, and is left out. Numbers that would meet stand beside each other.
    """
    placed = [each for each in points if each.p50 is not None and each.p95 is not None]
    if not placed:
        return []
    end = max(each.p95 or 0.0 for each in placed) or 1.0
    levels = sorted({each.level for each in placed}, reverse=True)
    lines = [f"{level:>4.0f}% │{_level([each for each in placed if each.level == level], end)}" for level in levels]
    middle, last = seconds_text(end / 2), seconds_text(end)
    scale = f"0 s{middle:^{WIDTH - 3}}"
    return [*lines, f"      └{'─' * (WIDTH + 4)}", f"       {scale}{last}"]


def _level(points: Sequence[Point], end: float) -> str:
    cells: list[str] = []
    for point in sorted(points, key=lambda each: (each.p95 or 0.0, each.number)):
        begin, own = _column(point.p50, end), _column(point.p95, end)
        name = f"{point.number}{'*' if point.best else ''}"
        place = max(own, len(cells) + 1 if cells else 0)
        cells += [" "] * (place - len(cells))
        for column in range(begin, own):
            if cells[column] == " ":
                cells[column] = "─"
        cells += name
    return "".join(cells)


def _column(seconds: float | None, end: float) -> int:
    return round((seconds or 0.0) / end * WIDTH)
