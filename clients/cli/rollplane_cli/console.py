"""Where a command reads and writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rollplane_machinery.frozen import frozen

_CARETS = {code: f"^{chr(code ^ 64)}" for code in (*range(32), 127) if chr(code) not in "\t\n\r"}
_ESCAPES = {**_CARETS, ord("\r"): "\\r", **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}}


def escaped(line: str) -> str:
    """Return ``line`` with control characters made visible: what others wrote must not steer the terminal.

    Source: ``^[`` and ``\\r`` as in kubernetes/kubernetes pkg/util terminal escaping of kubectl; the others likewise.
    """
    return line if line.isprintable() else line.translate(_ESCAPES)


@frozen
class Console:
    """The three streams of a process; tests pass buffers."""

    out: TextIO
    err: TextIO
    input: TextIO

    @property
    def is_terminal(self) -> bool:
        """Whether a person watches the output."""
        return self.out.isatty()

    def read(self) -> str | bytes:
        """Return all of the input; a process's as bytes, whose encoding is for the reader to find out."""
        content: str | bytes = getattr(self.input, "buffer", self.input).read()
        return content

    def say(self, line: str = "") -> None:
        """Write one line of the answer, at once: whoever reads through a pipe wants to see it now."""
        self.out.write(f"{escaped(line)}\n")
        self.out.flush()

    def say_all(self, lines: Iterable[str]) -> None:
        """Write many lines of the answer at once: ten thousand one by one take longer to write than to work out."""
        self.write("".join([f"{escaped(line)}\n" for line in lines]))

    def write(self, text: str) -> None:
        """Write ``text`` as it is."""
        self.out.write(text)
        self.out.flush()

    def warn(self, line: str) -> None:
        """Write one line beside the answer."""
        self.err.write(f"{escaped(line)}\n")
        self.err.flush()
