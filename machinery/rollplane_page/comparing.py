"""What the page of a comparison shows: a table, and its rows as points over time. Plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rollplane_page.recording import Tone, Verdict


@dataclass(frozen=True, slots=True)
class Point:
    """A row, by its number: ``p50`` and ``p95`` are seconds, None for never; ``level`` is a part of all, in percent.

    ``best`` says that no other row beats it.
    """

    number: int
    name: str
    p50: float | None
    p95: float | None
    level: float
    best: bool
    tone: Tone


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table whose first column is the number of each row; ``tones`` are those of its rows."""

    title: str
    verdict: Verdict
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    tones: Sequence[Tone]
    points: Sequence[Point] = ()
    notes: Sequence[str] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as the page's own modules read it."""
        return asdict(self)
