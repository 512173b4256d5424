"""Our pages' fenced blocks, and what is shown in them below a command.

In a ``console`` block a line that begins with ``$`` is a command, those below are what a terminal shows of it. ``…``
stands for anything within a line, alone on a line for any number of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("docs", "examples", "protos", "machinery", "clients", "services", "tests")
_FENCE = re.compile(r"^```(.*)\n((?:(?!```).*\n)*)```$", re.MULTILINE)
_FAILURE = re.compile(r'^(error: |BROKEN: |Error from server|The connection |The \w+ ")', re.MULTILINE)
ANYTHING = "…"


def all_pages() -> list[Path]:
    """Return every page for readers, README.md first; the changelog tells of the past."""
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.md")) if "node_modules" not in path.parts]
    return [ROOT / "README.md", *found]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``language`` and ``file``, which it shows, are empty where the fence names none."""

    language: str
    text: str
    file: str = ""


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    return [_block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def _block(fence: str, text: str) -> Block:
    language, _, file = fence.partition(" ")
    return Block(language, text, file)


@dataclass(frozen=True, slots=True)
class Step:
    """One command line, and what is shown of it."""

    line: str
    shown: str

    @property
    def fails(self) -> bool:
        """Tell whether what is shown is a failure, by the words that every failure of ``rollplane`` begins with."""
        return _FAILURE.search(self.shown) is not None

    def matches(self, output: str) -> bool:
        """Tell whether ``output`` is what is shown."""
        return re.fullmatch("".join(map(_pattern, self.shown.splitlines())), output) is not None


def steps_of(text: str) -> Iterator[Step]:
    """Yield the steps of a ``console`` block; raises AssertionError when it does not begin with a command."""
    before, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not before, f"shown without a command: {before}"
    for part in parts:
        line, _, shown = part.partition("\n")
        yield Step(line, shown)


def _pattern(line: str) -> str:
    if line == ANYTHING:
        return r"(?:[^\n]*\n)*"
    # Columns are as wide as their longest cell, which may be one that is not shown.
    parts = [re.sub(r"(?:\\ ){2,}", " +", re.escape(part)) for part in line.split(ANYTHING)]
    return r"[^\n]*".join(parts) + r"\n"
