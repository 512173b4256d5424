"""What every process counts: itself, and what it writes and watches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from rollplane_machinery.api import Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_service.health import Health

_BATCH_WRITES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def show_process(registry: CollectorRegistry, health: Health) -> None:
    """Show the process itself in ``registry``: memory, CPU, files, Python's collector, and whether it is ready."""
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    show(registry, "ready", "1 while the process can do its work.", lambda: health.is_ready)


def show(registry: CollectorRegistry, name: str, text: str, read: Callable[[], float]) -> None:
    """Show ``read()`` as the gauge ``rollplane_<name>`` at each scrape."""
    Gauge(f"rollplane_{name}", text, registry=registry).set_function(read)


class Batches(Protocol):
    """The one method of an Api that is measured."""

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]: ...


class WriteMetrics:
    """What a client of the API writes, and how long until its own watch shows it."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._sizes = Histogram(
            "rollplane_batch_writes", "Writes of a batch sent.", buckets=_BATCH_WRITES, registry=registry
        )
        self._seconds = Histogram(
            "rollplane_batch_seconds", "From sending a batch to its answer.", buckets=_SECONDS, registry=registry
        )
        self._untaken = Counter(
            "rollplane_batch_writes_untaken",
            "Writes sent that were neither made nor refused for good; most are sent again.",
            registry=registry,
        )
        self._lags = Histogram(
            "rollplane_watch_lag_seconds",
            "From the answer to a batch until the watch has shown all of it.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._awaited: deque[tuple[int, float]] = deque()
        self._reached = 0

    def answered(self, writes: int, seconds: float, revision: int) -> None:
        """Count a batch of ``writes`` answered after ``seconds``, the last of them stored at ``revision``."""
        self._sizes.observe(writes)
        self._seconds.observe(seconds)
        if revision <= self._reached:
            self._lags.observe(0.0)
        elif not self._awaited or revision > self._awaited[-1][0]:
            self._awaited.append((revision, self._clock.monotonic()))

    def untaken(self, writes: int) -> None:
        """Count writes that were neither made nor refused for good."""
        self._untaken.inc(writes)

    def reached(self, revision: int) -> None:
        """Take note that the watch has shown everything up to ``revision``."""
        self._reached = max(self._reached, revision)
        while self._awaited and self._awaited[0][0] <= revision:
            self._lags.observe(self._clock.monotonic() - self._awaited.popleft()[1])


class MeasuredBatches:
    """``api``, each batch through it measured; of one without any answer only its writes are counted, as untaken."""

    def __init__(self, api: Batches, metrics: WriteMetrics, clock: Clock) -> None:
        self._api = api
        self._metrics = metrics
        self._clock = clock

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        started = self._clock.monotonic()
        try:
            answers = await self._api.batch(writes)
        except RollplaneError:
            self._metrics.untaken(len(writes))
            raise
        revision = untaken = 0
        for answer in answers:
            if isinstance(answer, WriteResult):
                revision = max(revision, answer.revision)
            elif answer.outcome is not None:
                untaken += 1
        self._metrics.untaken(untaken)
        self._metrics.answered(len(writes), self._clock.monotonic() - started, revision)
        return answers
