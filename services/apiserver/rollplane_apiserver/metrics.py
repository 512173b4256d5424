"""Counters and gauges of one apiserver, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from rollplane_service.metrics import show

_CALL_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_COMMIT_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
_COMMIT_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What is counted; ``registry`` is what a scrape reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "rollplane_calls", "Calls ended, by gRPC code.", ("service", "method", "code"), registry=self.registry
        )
        self._call_seconds = Histogram(
            "rollplane_call_seconds",
            "Duration of calls; of a watch, how long it was open.",
            ("service", "method"),
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        # A look-up by labels costs more than the counting; there are as many series as methods and codes.
        self._series: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        self._commit_items = Histogram(
            "rollplane_commit_items", "Writes that shared a commit.", buckets=_COMMIT_ITEMS, registry=self.registry
        )
        self._commit_seconds = Histogram(
            "rollplane_commit_seconds", "Duration of commits.", buckets=_COMMIT_SECONDS, registry=self.registry
        )

    def call_ended(self, service: str, method: str, code: str, seconds: float) -> None:
        """Count a call that ended with ``code`` (gRPC's name) after ``seconds``."""
        if (series := self._series.get((service, method, code))) is None:
            series = self._calls.labels(service, method, code), self._call_seconds.labels(service, method)
            self._series[service, method, code] = series
        ended, durations = series
        ended.inc()
        durations.observe(seconds)

    def committed(self, items: int, seconds: float) -> None:
        """Count a commit of ``items`` writes that took ``seconds``."""
        self._commit_items.observe(items)
        self._commit_seconds.observe(seconds)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show ``read()`` as ``rollplane_<name>`` at each scrape."""
        show(self.registry, name, text, read)
