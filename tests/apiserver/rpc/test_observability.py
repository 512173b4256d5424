"""What an apiserver counts."""

from __future__ import annotations

from prometheus_client.exposition import generate_latest

from rollplane_apiserver.metrics import Metrics


def test_calls_commits_and_gauges_are_counted() -> None:
    metrics = Metrics()
    metrics.call_ended("rollplane.api.v1.ObjectService", "Get", "OK", 0.003)
    metrics.committed(200, 0.004)
    metrics.gauge("store_up", "1 while the store answers.", lambda: True)
    body = generate_latest(metrics.registry).decode()
    figures = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
    labels = 'method="Get",service="rollplane.api.v1.ObjectService"'
    assert figures[f'rollplane_calls_total{{code="OK",{labels}}}'] == "1.0"
    assert figures[f'rollplane_call_seconds_bucket{{le="0.005",{labels}}}'] == "1.0"
    assert figures["rollplane_commit_items_sum"] == "200.0"
    assert figures["rollplane_store_up"] == "1.0"
