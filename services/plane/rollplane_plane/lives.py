"""Counting the lives of a process that is started only when the one before has ended."""

from __future__ import annotations

from pathlib import Path


def next_life(path: Path) -> int:
    """Return the number of the life that begins now, one more than the last that ``path`` tells of.

    An unreadable file begins anew: its reader then merely waits for what it could have taken over. Raises OSError.
    """
    told = path.read_text() if path.exists() else ""
    life = int(told) + 1 if told.isdecimal() else 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(life))
    return life
