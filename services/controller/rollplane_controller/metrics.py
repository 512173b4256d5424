"""What the controllers count, under the names that people know from kube-controller-manager.

Loops and queues count in plain numbers (``Tally``); they are read here at each scrape, so that counting costs next to
nothing. There are as many series as controllers, results and buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from rollplane_client.tally import Tally
from rollplane_controller.reconcile.loop import ERROR, TERMINAL, Loop
from rollplane_controller.shards import ShardOwner
from rollplane_machinery.clock import Clock
from rollplane_service.metrics import WriteMetrics, show

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class Metrics:
    """The figures of one process; ``registry`` is what a scrape reads."""

    def __init__(self, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self.writes = WriteMetrics(self.registry, clock)

    def show(self, loops: Sequence[Loop], shards: ShardOwner) -> None:
        """Show the loops, and how many shards may be written for."""
        self.registry.register(_Loops(loops))
        show(self.registry, "shards_held", "Shards this process may write for.", lambda: len(shards.owned))


class _Loops(Collector):
    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops

    def collect(self) -> Iterator[Family]:
        """Yield a family of each kind, with a sample for each controller."""
        yield from self._queues()
        yield from self._reconciles()

    def _queues(self) -> Iterator[Family]:
        yield self._gauge("workqueue_depth", "Keys that are ready.", lambda loop: len(loop.queue))
        yield self._counter("workqueue_adds", "Keys added.", lambda loop: loop.queue.stats.adds)
        yield self._counter(
            "workqueue_retries", "Keys added again by their back-off.", lambda loop: loop.queue.stats.retries
        )
        text = "From a key's being ready until it is taken."
        yield self._histogram("workqueue_queue_duration_seconds", text, lambda loop: loop.queue.stats.waits)
        text = "From taking a key until its writes are answered."
        yield self._histogram("workqueue_work_duration_seconds", text, lambda loop: loop.queue.stats.works)

    def _reconciles(self) -> Iterator[Family]:
        text = "Looks at keys, by how they ended."
        totals = CounterMetricFamily("rollplane_reconcile", text, labels=("controller", "result"))
        for loop in self._loops:
            for result, count in sorted(loop.results.items()):
                totals.add_metric((loop.name, result), count)
        yield totals
        text = "Looks at keys that failed, conflicts not counted."
        yield self._counter(
            "rollplane_reconcile_errors", text, lambda loop: loop.results[ERROR] + loop.results[TERMINAL]
        )
        text = "Planning one round of keys."
        yield self._histogram("rollplane_plan_round_seconds", text, lambda loop: loop.planning)

    def _gauge(self, name: str, text: str, read: Callable[[Loop], float]) -> Family:
        family = GaugeMetricFamily(name, text, labels=("name",))
        for loop in self._loops:
            family.add_metric((loop.name,), read(loop))
        return family

    def _counter(self, name: str, text: str, read: Callable[[Loop], float]) -> Family:
        family = CounterMetricFamily(name, text, labels=("name",))
        for loop in self._loops:
            family.add_metric((loop.name,), read(loop))
        return family

    def _histogram(self, name: str, text: str, read: Callable[[Loop], Tally]) -> Family:
        family = HistogramMetricFamily(name, text, labels=("name",))
        for loop in self._loops:
            tally = read(loop)
            family.add_metric((loop.name,), tally.buckets(), tally.sum)
        return family
