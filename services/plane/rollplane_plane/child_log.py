"""The log of a child: bounded, and what it complained of last is what is told when a life ends."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import IO

from rollplane_apiserver.store.disk import full_disk

LOG_BYTES = 4 * 1024 * 1024
PROGRAM = re.compile(r"^rollplane_[a-z_.]+: ")
"""What services begin their complaints with."""


class ChildLog:
    """The file at ``path``; what earlier lives wrote stays, until it is too much."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def begin(self) -> IO[bytes]:
        """Open it for another life; one of LOG_BYTES or more is set aside first. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > LOG_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
        output = self.path.open("ab")
        self._start = output.tell()
        return output

    def said(self) -> str:
        """Return what the present life has written so far."""
        with self.path.open("rb") as written:
            written.seek(self._start)
            return written.read().decode(errors="replace")

    def last_words(self, code: int) -> str:
        """Return the complaint that the present life left, in a line, or its exit code, and where to read more.

        That is the last line, but of a complaint of several the first. A full disk is told instead.
        """
        if full := full_disk(self.path.parent):
            return full  # where nobody can write last words either
        lines = [line.strip(" |+-") for line in self.said().splitlines()]
        complaints = [line for line in lines if PROGRAM.match(line)] or [line for line in lines if line]
        said = complaints[-1] if complaints else f"code {code}, without a word"
        return f"{PROGRAM.sub('', _message(said))} (more in {self.path})"


def _message(line: str) -> str:
    """What a line says: of a JSON line its message, with the cause that it names."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    # Of a traceback the last line says what happened.
    causes = (str(fields[name]).splitlines()[-1] for name in ("detail", "error", "cause") if fields.get(name))
    return ": ".join([str(fields.get("message", line)), *causes])
