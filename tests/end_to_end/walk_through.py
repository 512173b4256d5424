"""Walk-throughs in examples: their commands are run, and what they show is what is printed.

In a ``console`` block a line that begins with ``$`` is a command, those below are its output. ``…`` stands for anything
within a line, alone on a line for any number of lines. ``get`` is asked again until it shows what is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.up_process import Ran, eventually, rollplane

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


@dataclass(frozen=True, slots=True)
class Step:
    """One command without the program's name, and the output shown."""

    line: str
    shown: str

    def matches(self, output: str) -> bool:
        """Tell whether ``output`` is what is shown."""
        return re.fullmatch("".join(map(_pattern, self.shown.splitlines())), output) is not None


def steps_of(page: Path) -> Iterator[Step]:
    """Yield the steps of a page, in order."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ rollplane ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield Step(line, shown)


def walk(page: Path, server: str) -> int:
    """Take every step of ``page`` and return how many there were; raises AssertionError where it shows otherwise."""
    steps = list(steps_of(page))
    for step in steps:
        _take(step, server)
    return len(steps)


def _take(step: Step, server: str) -> None:
    ran = rollplane(step.line, server=server, cwd=ROOT)
    if step.line.startswith("get "):

        def shows() -> bool:
            nonlocal ran
            ran = ran if step.matches(ran.out) else rollplane(step.line, server=server, cwd=ROOT)
            return step.matches(ran.out)

        eventually(shows, f"{step.line} never shows\n{step.shown}")
    _check(step, ran)


def _check(step: Step, ran: Ran) -> None:
    assert ran.code == 0, (step.line, ran)
    assert step.matches(ran.out), f"{step.line} shows\n{ran.out}, not\n{step.shown}"


def _pattern(line: str) -> str:
    if line == ANYTHING:
        return r"(?:[^\n]*\n)*"
    # Columns are as wide as their longest cell, which may be one that is not shown.
    parts = [re.sub(r"(?:\\ ){2,}", " +", re.escape(part)) for part in line.split(ANYTHING)]
    return r"[^\n]*".join(parts) + r"\n"
