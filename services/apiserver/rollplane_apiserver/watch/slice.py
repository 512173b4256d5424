"""How long many objects are asked what a request selects before other tasks get their turn."""

from __future__ import annotations

import asyncio

SLICE_SECONDS = 0.002
_TESTS = 20_480  # in a slice where the loop's time stands still: about a millisecond's
_OBJECT_TESTS = 40  # what looking at one object costs, in terms


class Slice:
    """One turn, of objects that are asked ``terms`` each: it is over after 2 ms, or after its number of objects."""

    def __init__(self, terms: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = _TESTS // (_OBJECT_TESTS + terms)
        self._end = self._loop.time() + SLICE_SECONDS

    def is_over(self) -> bool:
        """Count one more object; return whether others must have their turn."""
        self._left -= 1
        return self._left <= 0 or self._loop.time() > self._end
