"""Progress on a terminal: a few lines that change in place, on standard error; nothing where nobody watches."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO

from rollplane_load.course import Course
from rollplane_machinery.clock import Clock

EVERY_SECONDS = 0.2
UP, ERASE = "\x1b[A", "\x1b[2K"


class Progress:
    """Shows the course of a run on ``stream``, a terminal."""

    def __init__(self, stream: TextIO, clock: Clock, title: str) -> None:
        self._stream = stream
        self._clock = clock
        self._title = title
        self._shown = 0

    async def follow(self, course: Course) -> None:
        """Show ``course`` until cancelled; then nothing of it is left on the terminal."""
        try:
            while True:
                self._show(lines_of(course, self._title))
                await self._clock.sleep(EVERY_SECONDS)
        finally:
            self._show(())

    def _show(self, lines: Sequence[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        back = f"{UP}{ERASE}" * self._shown
        self._stream.write(back + "\r" + "".join(f"{line[:width]}\n" for line in lines))
        self._stream.flush()
        self._shown = len(lines)


def lines_of(course: Course, title: str) -> list[str]:
    """Return how far a run is, in three lines."""
    sampler, watcher, tally = course.sampler, course.watcher, course.tally
    last = sampler.points[-1] if sampler.points else None
    changes = last.changes if last is not None else 0.0
    lag = f"{last.lag * 1e3:.0f} ms" if last is not None and last.lag is not None else "-"
    cores = sum(last.cores.values()) if last is not None else 0.0
    troubles = sum(tally.errors.values())
    return [
        f"{title}   {course.phase}   {sampler.now:.1f} s",
        f"  rollouts {len(tally.rollouts)} done, {tally.in_flight} in flight   "
        f"pods {watcher.available} of {watcher.desired}" + (f"   {troubles} errors" if troubles else ""),
        f"  {changes:.0f} changes/s   watch lag {lag}   {cores:.2f} cores",
    ]
