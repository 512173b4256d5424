"""Watch lag: from the answer to a write until a watch on another connection has shown it."""

from __future__ import annotations

from collections import defaultdict

from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Kind

MOST_AWAITED = 10_000
"""Writes that changed nothing are never shown: of so many the oldest is forgotten."""


class LagMeter:
    """Told of answers and of events; ``seconds`` are the lags so far, 0 for what was seen before its answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._awaited: dict[tuple[Kind, int], float] = {}
        self._seen: dict[Kind, int] = defaultdict(int)
        self.seconds: list[float] = []

    def answered(self, kind: Kind, revision: int) -> None:
        """A write of an object of a watched ``kind`` has been answered."""
        if revision <= self._seen[kind]:
            self.seconds.append(0.0)
            return
        self._awaited[kind, revision] = self._clock.monotonic()
        if len(self._awaited) > MOST_AWAITED:
            del self._awaited[next(iter(self._awaited))]

    def seen(self, kind: Kind, revision: int) -> None:
        """The watch has shown a change."""
        self._seen[kind] = revision
        if self._awaited and (at := self._awaited.pop((kind, revision), None)) is not None:
            self.seconds.append(self._clock.monotonic() - at)
