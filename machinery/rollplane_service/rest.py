"""What a process does while little happens: it packs what its caches hold, and gives memory back."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

from rollplane_machinery.clock import Clock

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

TURN_SECONDS = 30.0
"""An object is packed when it has not changed for so long; twice as long at most."""
SLICE = 100
"""How many are packed at a time, some 2 ms; others get the loop in between."""
PAUSE_SECONDS = 0.02
MANY = 5_000
"""After so many the system gets back what is free of the memory they took."""


class Cache(Protocol[K]):
    """A cache whose objects can be packed."""

    def settled(self) -> Sequence[K]:
        """Return what has come to rest between the last two calls; the first begins to take note."""
        ...

    def pack(self, key: K) -> None:
        """Pack an object, if it is still there."""
        ...


async def keep_packed(cache: Cache[K], clock: Clock) -> None:
    """Pack what comes to rest in ``cache``, with a tenth of a core at most, until cancelled."""
    while True:
        settled = cache.settled()
        for start in range(0, len(settled), SLICE):
            for key in settled[start : start + SLICE]:
                cache.pack(key)
            await clock.sleep(PAUSE_SECONDS)
        if len(settled) >= MANY:
            give_back()
            log.debug("packed", extra={"objects": len(settled)})
        await clock.sleep(TURN_SECONDS)


def give_back() -> None:
    """Return free memory to the system, where the C library can: blocks freed between others stay with it else."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
