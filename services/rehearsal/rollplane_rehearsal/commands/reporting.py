"""What a rehearsal tells: how far it is, reports into files by their ending, and exit codes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO

from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.session import Session
from rollplane_machinery.clock import Clock

KEPT, BROKEN, NOT_REHEARSED = 0, 1, 2
"""Exit codes."""

QUIET_SECONDS, SHOW_SECONDS = 2.0, 0.2
"""How long a run may take until its progress is shown, and how often it is shown from then on."""
CLEAR = "\r\x1b[K"

BY_SUFFIX: Mapping[str, str] = {
    ".txt": "text",
    ".json": "json",
    ".xml": "junit",
    ".md": "markdown",
    ".html": "html",
}


def formats_of(names: Iterable[str], known: Iterable[str]) -> list[tuple[Path, str]]:
    """Return each file with the form that its ending asks for.

    Raises UsageError for one that is not ``known``, CommandError for a file that cannot be written.
    """
    endings = {ending: form for ending, form in BY_SUFFIX.items() if form in known}
    found = []
    for name in names:
        if (form := endings.get(Path(name).suffix)) is None:
            told = f"its ending must be one of {', '.join(endings)}"
            raise UsageError(f'invalid argument "{name}" for "--report" flag: {told}')
        _check_writable(Path(name))
        found.append((Path(name), form))
    return found


def _check_writable(path: Path) -> None:
    """Raise CommandError before anything is rehearsed, rather than behind it."""
    if not path.parent.is_dir():
        raise CommandError(f"cannot write {path}: there is no folder {path.parent}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandError(f"cannot write {path}: {'it is a folder' if path.is_dir() else 'Permission denied'}")


def write_reports(files: Iterable[tuple[Path, str]], report: Callable[[str], str]) -> None:
    """Write each file, whose content ``report`` returns for its form; raises CommandError naming one that cannot be."""
    for path, form in files:
        try:
            path.write_text(report(form), encoding="utf-8")
        except OSError as exc:
            raise CommandError(f"cannot write {path}: {exc.strerror}") from exc


def progress(session: Session, runs: int) -> Callable[[int], None]:
    """Tell how far many runs are, where a person watches."""

    def tell(done: int) -> None:
        if session.console.err.isatty() and runs > 1:
            session.console.err.write(f"\r{done} of {runs} runs" + ("\n" if done == runs else ""))
            session.console.err.flush()

    return tell


class Sight:
    """A line that says how far a single run is, where a person watches and it takes more than two seconds."""

    def __init__(self, err: TextIO, clock: Clock) -> None:
        self._err = err
        self._clock = clock
        self._next = clock.monotonic() + QUIET_SECONDS if err.isatty() else math.inf
        self._shown = False

    def tell(self, seconds: float, updated: int, wanted: int) -> None:
        """Show it, a few times a second at most."""
        if (now := self._clock.monotonic()) >= self._next:
            self._next = now + SHOW_SECONDS
            self._write(f"{CLEAR}rehearsed {seconds:.0f} s, {updated} of {wanted} pods updated")
            self._shown = True

    def end(self) -> None:
        """Take the line away again."""
        if self._shown:
            self._write(CLEAR)
            self._shown = False

    def _write(self, text: str) -> None:
        self._err.write(text)
        self._err.flush()
