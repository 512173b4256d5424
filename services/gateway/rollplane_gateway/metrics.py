"""What the gateway counts, under the names that kube-apiserver uses, so that its dashboards show something."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from rollplane_gateway.routing import Match
from rollplane_service.metrics import show

_SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
_LABELS = ("verb", "resource", "subresource")
UNKNOWN = ("other", "", "")
"""What requests are counted under that nothing answers: a client must not make labels."""


class Metrics:
    """Counters in ``registry``; labels are verbs and served resources, so there are only so many."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "apiserver_request", "REST requests ended, by HTTP status.", (*_LABELS, "code"), registry=registry
        )
        self._seconds = Histogram(
            "apiserver_request_duration_seconds",
            "Duration of REST requests; watches are left out.",
            _LABELS,
            buckets=_SECONDS,
            registry=registry,
        )

    def ended(self, match: Match | None, code: int, seconds: float) -> None:
        """Count a request, answered by ``match`` (None: by nothing) with ``code`` after ``seconds``."""
        labels = UNKNOWN if match is None else (match.verb, match.resource, match.subresource)
        self._requests.labels(*labels, str(code)).inc()
        if match is not None and match.verb != "WATCH":
            self._seconds.labels(*labels).observe(seconds)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show ``read()`` as ``rollplane_<name>`` at each scrape."""
        show(self.registry, name, text, read)
