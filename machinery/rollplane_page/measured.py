"""What a page of measurements shows: figures, and for each run charts and tables. Plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rollplane_page.recording import Figure, Verdict

VERSION = 1
"""Raised when a page could no longer read older data."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: its values at the places of the chart, None where there is none."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over ``places``, which are seconds (``s``) or percents (``%``).

    ``unit`` of the values is ``s``, ``MiB``, ``cores`` or empty for a count; ``marks`` are places that have a name.
    ``log`` draws values by their order of magnitude.
    """

    title: str
    places: Sequence[float]
    lines: Sequence[Line]
    across: str = "s"
    unit: str = ""
    log: bool = False
    marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts below a head; the first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One run."""

    title: str
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()


@dataclass(slots=True)
class Measurements:
    """All of it; ``figures`` are about all parts together, ``notes`` tell how it was measured."""

    title: str
    verdict: Verdict | None = None
    notes: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    parts: list[Part] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as the page's own modules read it."""
        return {"version": VERSION, **asdict(self)}
