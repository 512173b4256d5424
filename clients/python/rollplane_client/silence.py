"""Finding out that a peer is silent, where it has promised to say something from time to time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

TICK_SECONDS = 1.0
"""How often an idle watch gets a batch."""

LISTENING_TICKS = 4
"""Ticks without a word after which a peer that has spoken before is given up."""

OPENING_TICKS = 15
"""The same before its first word, for which it may have to read much."""


class Watchdog:
    """Calls ``give_up`` once when a peer has been silent for too long while one listened to it.

    It counts from the start, as for a first word. Ticks are counted, not seconds: when it was we who stood still, the
    peer has the ticks that are left to be heard. By the loop's time, as gRPC's own deadlines.
    """

    def __init__(self, give_up: Callable[[], object]) -> None:
        self._give_up = give_up
        self._left: float = OPENING_TICKS
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        self.gave_up = False

    def rest(self) -> None:
        """Do not count: one is busy with what was heard."""
        self._left = math.inf

    def listen(self) -> None:
        """Count from here: the next word is waited for."""
        self._left = LISTENING_TICKS

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._left -= 1
        if self._left > 0:
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        else:
            self.gave_up = True
            self._give_up()
