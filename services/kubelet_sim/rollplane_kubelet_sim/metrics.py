"""What a fleet counts: its pods by phase, its reports and heartbeats, its batches and how far its watch is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rollplane_machinery.api import WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_service.metrics import WriteMetrics, show

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")

Answer = WriteResult | RollplaneError


class Metrics:
    """The figures of one fleet; ``registry`` is what a scrape reads."""

    def __init__(self, clock: Clock) -> None:
        self.registry = CollectorRegistry()
        self.writes = WriteMetrics(self.registry, clock)
        self._reports = Counter(
            "rollplane_kubelet_status_reports",
            "Pod statuses reported, by what became of them: stored, stale (the pod had changed or gone), refused.",
            ("result",),
            registry=self.registry,
        )
        self._heartbeats = Counter(
            "rollplane_kubelet_heartbeats",
            "Node leases renewed, by what became of them.",
            ("result",),
            registry=self.registry,
        )

    def reported(self, answer: Answer) -> None:
        """Count a status report by its answer."""
        self._reports.labels(result_of(answer)).inc()

    def heartbeats(self, answers: Sequence[Answer]) -> None:
        """Count the renewals of one tick by their answers."""
        for answer in answers:
            self._heartbeats.labels(result_of(answer)).inc()

    def show(self, nodes: Callable[[], int], phases: Callable[[], Mapping[str, int]]) -> None:
        """Show how many nodes there are, and how many pods in which phase, as they are at each scrape."""
        show(self.registry, "kubelet_nodes", "Nodes of this fleet.", nodes)
        self.registry.register(_PodsByPhase(phases))


def result_of(answer: Answer) -> str:
    """Return the word for an answer: what is stale is in the order of things, what is refused is not."""
    if isinstance(answer, WriteResult):
        return "stored"
    return "stale" if isinstance(answer, ConflictError | NotFoundError) else "refused"


class _PodsByPhase(Collector):
    def __init__(self, phases: Callable[[], Mapping[str, int]]) -> None:
        self._phases = phases

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = GaugeMetricFamily("rollplane_kubelet_pods", "Pods of this fleet, by phase.", labels=("phase",))
        seen = self._phases()
        for phase in PHASES:  # a bounded set, whatever somebody writes into a status
            found.add_metric((phase,), seen.get(phase, 0))
        yield found
