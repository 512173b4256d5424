"""How a watcher waits at the ring: woken by what concerns it, and by nothing else before its time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Set

from rollplane_machinery import kinds
from rollplane_machinery.kinds import Kind


class Waiter:
    """One cursor that waits for ``kinds``; of other changes it takes note ``progress_seconds`` after the first.

    Timers are set seldom: one that goes off before it is due is set again then, whatever was waited for meanwhile.
    """

    __slots__ = ("_alarm", "_due", "_kinds", "_progress_seconds", "_woken")

    def __init__(self, wanted: Iterable[Kind], progress_seconds: float) -> None:
        self._kinds = frozenset(wanted)
        self._progress_seconds = progress_seconds
        self._woken: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._due = 0.0

    def concerns(self, changed: Set[Kind]) -> bool:
        """Return whether any kind of ``changed`` (``kinds_of``) is waited for."""
        return not self._kinds.isdisjoint(changed)

    async def wait(self, due: float) -> float:
        """Wait to be woken, until ``due`` (of the loop's time) at the latest; return what was due in the end."""
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        self._due = due
        self._set_alarm(loop)
        try:
            await self._woken
        finally:
            self._woken = None
        return self._due

    def wake(self) -> None:
        """End the wait."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def pass_by(self) -> None:
        """Take note of a change that does not concern the watcher, which has to hear of it all the same."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._progress_seconds
        if due < self._due:
            self._due = due
            self._set_alarm(loop)

    def end(self) -> None:
        """Wait no more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            if self._alarm.when() <= self._due:
                return
            self._alarm.cancel()
        self._alarm = loop.call_at(self._due, self._ring) if self._due < math.inf else None

    def _ring(self) -> None:
        self._alarm = None
        if self._woken is None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._due:
            self._set_alarm(loop)
        else:
            self.wake()


def kinds_of(changed: Iterable[Kind]) -> Set[Kind]:
    """Return each of the kinds once, and with a custom one that which stands for all of those."""
    found = set(changed)
    if any(kind.is_custom for kind in found):
        found.add(kinds.ANY_CUSTOM)
    return found
