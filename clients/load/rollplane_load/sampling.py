"""The course of a load over time: points at even distances, thinned out as it gets long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollplane_load.tally import Tally
from rollplane_load.usage import Spending, UsageSource
from rollplane_load.watcher import Watcher
from rollplane_machinery.clock import Clock

MOST_POINTS = 600


@dataclass(slots=True)
class Point:
    """A moment, in seconds of the run. Rates are since the point before: changes and pods made a second, and cores.

    ``lag`` is the longest watch lag of a write since then, None without any.
    """

    at: float
    in_flight: int
    desired: int
    available: int
    changes: float
    pods_made: float
    rollouts: float
    lag: float | None
    cores: Mapping[str, float] = field(default_factory=dict)
    mib: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sums:
    at: float
    changes: int
    pods_made: int
    rollouts: int
    lags: int
    cpu: Mapping[str, float]


class Sampler:
    """Takes points while ``run`` is running; ``points`` are never more than MOST_POINTS."""

    def __init__(self, watcher: Watcher, tally: Tally, usages: UsageSource, clock: Clock) -> None:
        self._watcher = watcher
        self._tally = tally
        self._usages = usages
        self._clock = clock
        self._began = clock.monotonic()
        self.every_seconds = usages.every_seconds
        self.spending = Spending()
        self._before: _Sums | None = None
        self.points: list[Point] = []
        self.marks: list[tuple[float, str]] = []

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self._clock.monotonic() - self._began

    def mark(self, label: str) -> None:
        """Give this moment a name."""
        self.marks.append((self.now, label))

    async def run(self) -> None:
        """Take a point now and then until cancelled."""
        while True:
            await self.take()
            await self._clock.sleep(self.every_seconds)

    async def take(self) -> None:
        """Take a point now."""
        self.spending.take(await self._usages.look())
        before, now = self._before, self._sums()
        if before is None:
            self._before = now
        if before is None or now.at - before.at < self.every_seconds / 2:
            return  # in so short a time nothing is spent but the kernel's ticks
        self._before = now
        self.points.append(self._point(before, now))
        if len(self.points) > MOST_POINTS:
            self.points = [_joined(*pair) for pair in zip(self.points[::2], self.points[1::2], strict=False)]
            self.every_seconds *= 2

    def _sums(self) -> _Sums:
        watcher = self._watcher
        return _Sums(
            self.now,
            watcher.changes,
            watcher.pods_made,
            len(self._tally.rollouts),
            len(watcher.lag.seconds),
            dict(self.spending.cpu_seconds),
        )

    def _point(self, before: _Sums, now: _Sums) -> Point:
        seconds = now.at - before.at
        lags = self._watcher.lag.seconds[before.lags : now.lags]
        return Point(
            now.at,
            self._tally.in_flight,
            self._watcher.desired,
            self._watcher.available,
            (now.changes - before.changes) / seconds,
            (now.pods_made - before.pods_made) / seconds,
            (now.rollouts - before.rollouts) / seconds,
            max(lags, default=None),
            {name: (cpu - before.cpu.get(name, cpu)) / seconds for name, cpu in now.cpu.items()},
            dict(self.spending.resident_mib),
        )


def _joined(first: Point, second: Point) -> Point:
    """Return one point for two neighbours that are equally long."""
    lags = [lag for lag in (first.lag, second.lag) if lag is not None]
    return Point(
        second.at,
        second.in_flight,
        second.desired,
        second.available,
        (first.changes + second.changes) / 2,
        (first.pods_made + second.pods_made) / 2,
        (first.rollouts + second.rollouts) / 2,
        max(lags, default=None),
        {name: (first.cores.get(name, cores) + cores) / 2 for name, cores in second.cores.items()},
        second.mib,
    )
