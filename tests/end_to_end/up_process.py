"""``rollplane up`` as a process, as a user starts it, and ``rollplane`` commands against it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.02
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a finished command printed, and its exit code."""

    code: int
    out: str
    err: str


def rollplane(line: str, *, server: str = "", environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run ``rollplane <line>`` in a process of its own to its end."""
    done = subprocess.run(
        [*COMMAND, *line.split()],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        env={**os.environ, "ROLLPLANE_SERVER": server, **(environ or {})},
        cwd=cwd,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


COMMAND = (sys.executable, "-m", "rollplane_cli")


class Up:
    """A running ``rollplane up``; ``ready`` holds its ready line's words, empty until ``wait_until_ready``."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "up", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.ready: dict[str, str] = {}

    def wait_until_ready(self) -> None:
        """Block until the ready line; raises AssertionError with what it printed when it ends instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise AssertionError(f"no ready line: {line!r}, {self.process.communicate()[1]}")
        self.ready = dict(word.split("=", 1) for word in line.split()[1:])

    @property
    def server(self) -> str:
        return self.ready["server"]

    def descendants(self) -> dict[int, str]:
        """Return every process it has started, children's children too, with their command lines."""
        found: dict[int, str] = {}
        parents = [self.process.pid]
        while parents:
            for pid in _children(parents.pop()):
                with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                    found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
                    parents.append(pid)
        return found

    def end(self, number: signal.Signals = signal.SIGINT) -> Ran:
        """Send a signal, wait for the end, and return what it still printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=STOP_SECONDS)
        return Ran(self.process.returncode, out, err)


@contextmanager
def running(*arguments: str) -> Iterator[Up]:
    """Run ``rollplane up`` until the context is left."""
    with starting(*arguments) as up:
        up.wait_until_ready()
        yield up


@contextmanager
def starting(*arguments: str) -> Iterator[Up]:
    """Start ``rollplane up`` and end it with the context, whatever it has come to."""
    up = Up(*arguments)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.end()
        for stream in (up.process.stdout, up.process.stderr):
            assert stream is not None
            stream.close()


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(holds: Callable[[], bool], otherwise: str) -> None:
    """Look again and again until ``holds()``; raises AssertionError with ``otherwise`` after WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(LOOK_SECONDS)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
