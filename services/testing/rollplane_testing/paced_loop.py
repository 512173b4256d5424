"""A loop with sockets whose time can be stepped: as fast as wanted, standing still, or leaping to what is due.

Time moves only where the loop waits for the world, and never beyond the next timer: whatever it is told, everything
happens in its order, and a machine that stands still for a moment lets nobody's lease run out.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollplane_rehearsal.virtual_time import OwnTime

MOST_DEBT_SECONDS = 5.0
"""How much real time is caught up on after the loop was busy or the machine asleep; the rest never was."""

Ready = list[tuple[selectors.SelectorKey, int]]


class PacedSelector(selectors.DefaultSelector):
    """Waits for the world, and lets ``move`` move time on meanwhile.

    ``speed`` is how many seconds pass in a real one, 0 for none. While ``leaps`` is not 0 time leaps to the next timer
    whenever nobody outside has anything to say.
    """

    def __init__(self, speed: float, move: Callable[[float], None]) -> None:
        super().__init__()
        self._move = move
        self.speed = speed
        self.leaps = 0
        self._counted = time.monotonic()

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.leaps:
            return self._leap(timeout)
        if not self.speed:
            ready = super().select(None)
            self._counted = time.monotonic()
            return ready
        return self._pass(timeout)

    def _leap(self, timeout: float) -> Ready:
        ready = super().select(0)
        if not ready:
            self._move(timeout)
        self._counted = time.monotonic()
        return ready

    def _pass(self, timeout: float) -> Ready:
        ready = super().select(max(0.0, timeout / self.speed - self._debt()))
        passed = min(self._debt() * self.speed, timeout)
        self._move(passed)
        self._counted += passed / self.speed
        return ready

    def _debt(self) -> float:
        """Return the real seconds that have not been counted yet."""
        real = time.monotonic()
        self._counted = max(self._counted, real - MOST_DEBT_SECONDS)
        return real - self._counted


class PacedLoop(OwnTime, asyncio.SelectorEventLoop):
    """A loop in a time of its own that begins now, at ``speed``."""

    def __init__(self, speed: float = 1.0) -> None:
        self.now = 0.0
        self._pace = PacedSelector(speed, self._move)
        super().__init__(self._pace)
        self._clock_resolution = 1e-9  # else the machine's, in which the next timer could be due before its time
        self.epoch = time.time()

    def time(self) -> float:
        return self.now

    def _move(self, seconds: float) -> None:
        self.now += seconds

    @property
    def speed(self) -> float:
        """Seconds that pass in a real one; 0 holds time."""
        return self._pace.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed < 0:
            raise ValueError(f"the speed is {speed}, want 0 or more")
        self._pace.speed = speed

    @contextmanager
    def leaping(self) -> Iterator[None]:
        """Let time leap to what is due, within the context, as long as nobody outside has anything to say."""
        self._pace.leaps += 1
        try:
            yield
        finally:
            self._pace.leaps -= 1

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, with all that happens in them."""
        with self.leaping():
            await asyncio.sleep(seconds)


def paced_loop() -> PacedLoop:
    """Return the running loop; raises RuntimeError when it is none of these."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, PacedLoop):
        return loop
    raise RuntimeError("the time of this loop cannot be stepped")
