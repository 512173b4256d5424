"""The recorded session with the real kubectl, entry by entry."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TRANSCRIPT = Path(__file__).parents[2] / "golden" / "kubectl-transcript.txt"

_COMMAND = re.compile(r"\$ kubectl (.*) \[(\d+)\]")
_ERR = "ERR "
_AGE = re.compile(r"(?<= )(\d+[ydhms]){1,2}(?= |$|\))|^(\d+[ydhms]){1,2}(?= )")
_TIME = re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000|\d{4}-\d\d-\d\dT[\d:]{8}Z")

_AGE_COLUMN = re.compile(r"\bAGE\b|LAST SEEN|^  Type +Reason +Age|^  -+ +-+ +-+ +-+ +-+$")


@dataclass(frozen=True)
class Entry:
    """One command, how it ended and what it printed."""

    number: int
    command: str
    code: int
    out: str
    err: str

    @property
    def line(self) -> list[str]:
        return shlex.split(self.command)

    @property
    def out_lines(self) -> list[str]:
        return self.out.splitlines()


def read_transcript() -> list[Entry]:
    """Return all entries, in order."""
    entries: list[Entry] = []
    lines = TRANSCRIPT.read_text().splitlines()
    starts = [at for at, line in enumerate(lines) if _COMMAND.fullmatch(line)]
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True), start=1):
        found = _COMMAND.fullmatch(lines[start])
        assert found is not None
        body = lines[start + 1 : end]
        out = _text(line for line in body if not line.startswith(_ERR))
        err = _text(line.removeprefix(_ERR) for line in body if line.startswith(_ERR))
        entries.append(Entry(number, found[1], int(found[2]), _without_separator(out), err))
    return entries


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _without_separator(text: str) -> str:
    """Entries with output are followed by an empty line of the record's own."""
    return text.removesuffix("\n") if text.endswith("\n\n") or text == "\n" else text


def normalized(text: str) -> str:
    """Return ``text`` with times and ages blotted out, and the columns of lines that have an age no longer aligned."""
    return "\n".join(_line(line) for line in text.splitlines())


def _line(line: str) -> str:
    line = _TIME.sub("TIME", line)
    blotted = _AGE.sub("AGE", line)
    has_ages = blotted != line or _AGE_COLUMN.search(line)
    return re.sub(r" {2,}", "  ", blotted).rstrip() if has_ages else line
