"""Text whose cells are separated by tabs, aligned the way kubectl's ``describe`` is.

A column reaches over neighbouring lines that have a cell in it, and is as wide as its widest cell there; a line without
such a cell ends it. So the widths of one paragraph do not change those of the next. The idea is that of elastic
tabstops, as in Go's text/tabwriter.
"""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2


def tabbed(lines: Sequence[str]) -> list[str]:
    """Return ``lines`` with their tabs replaced by spaces. The last cell of a line is not padded."""
    rows = [line.split("\t") for line in lines]
    widths: list[list[int]] = [[0] * (len(row) - 1) for row in rows]
    _measure(rows, widths, 0, len(rows), 0)
    return [_padded(row, each) for row, each in zip(rows, widths, strict=True)]


def _measure(rows: list[list[str]], widths: list[list[int]], start: int, end: int, column: int) -> None:
    """Set the widths of ``column`` in the lines from ``start`` to ``end``, then those to its right."""
    at = start
    while at < end:
        if len(widths[at]) <= column:
            at += 1
            continue
        until = at
        while until < end and len(widths[until]) > column:
            until += 1
        width = max(len(rows[line][column]) for line in range(at, until)) + GAP
        for line in range(at, until):
            widths[line][column] = width
        _measure(rows, widths, at, until, column + 1)
        at = until


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return "".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
