"""Cells in aligned columns, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest


class TextTable:
    """Lays out rows; each column is as wide as its widest cell so far, so that rows that come later stay in line.

    ``gap`` spaces stand between columns. The last cell of a row is not padded.
    """

    def __init__(self, gap: int = 3) -> None:
        self._gap = gap
        self._widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Return a line for each row."""
        for at, cells in enumerate(zip_longest(*rows, fillvalue="")):
            self._widen(at, max(map(len, cells)))
        templates = {count: self._template(count) for count in set(map(len, rows))}
        return [templates[len(row)] % tuple(row) for row in rows]

    def _widen(self, at: int, width: int) -> None:
        if at == len(self._widths):
            self._widths.append(0)
        self._widths[at] = max(self._widths[at], width)

    def _template(self, count: int) -> str:
        """How a row of ``count`` cells is written."""
        padded = [f"%-{width + self._gap}s" for width in self._widths[: max(count - 1, 0)]]
        return "".join([*padded, "%s" if count else ""])


def aligned(rows: Sequence[Sequence[str]], gap: int = 3) -> list[str]:
    """Return ``rows`` as lines in aligned columns."""
    return TextTable(gap).lines(rows)
