"""A comparison as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_load.compare import Comparison, Row
from rollplane_load.statistics import Spread
from rollplane_load.tables import aligned

_TOLD = {"less": "less, beyond noise", "more": "more, beyond noise", "noise": "within noise", "": ""}


def told(comparison: Comparison) -> Iterator[str]:
    """Yield its lines: warnings, then a row for each figure."""
    yield from (f"warning: {each}" for each in comparison.warnings)
    yield from aligned(("FIGURE", "A", "B", "B/A", ""), [_cells(row) for row in comparison.rows])


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    figure = f"{row.figure}, {row.unit}" if row.unit else row.figure
    return figure, _spread(row.first), _spread(row.second), ratio, _TOLD[row.verdict]


def _spread(spread: Spread) -> str:
    ends = f" ({_short(spread.low)} to {_short(spread.high)})" if spread.runs > 1 else ""
    return f"{_short(spread.median)}{ends}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
