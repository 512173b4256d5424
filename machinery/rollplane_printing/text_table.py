"""Cells in aligned columns, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence


class TextTable:
    """Lays out rows; each column is as wide as its widest cell so far, so that rows that come later stay in line.

    ``gap`` spaces stand between columns. The last cell of a row is not padded.
    """

    def __init__(self, gap: int = 3) -> None:
        self._gap = gap
        self._widths: list[int] = []

    def lines(self, rows: Sequence[Sequence[str]]) -> list[str]:
        """Return a line for each row."""
        for row in rows:
            self._widen(row)
        return [self._line(row) for row in rows]

    def _widen(self, row: Sequence[str]) -> None:
        self._widths += [0] * (len(row) - len(self._widths))
        for at, cell in enumerate(row):
            self._widths[at] = max(self._widths[at], len(cell))

    def _line(self, row: Sequence[str]) -> str:
        padded = [cell.ljust(self._widths[at] + self._gap) for at, cell in enumerate(row[:-1])]
        return "".join([*padded, *row[-1:]])


def aligned(rows: Sequence[Sequence[str]], gap: int = 3) -> list[str]:
    """Return ``rows`` as lines in aligned columns."""
    return TextTable(gap).lines(rows)
