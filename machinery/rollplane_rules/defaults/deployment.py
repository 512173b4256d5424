"""Defaults of Deployments in apps/v1."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_machinery import int_or_string

ROLLING_SHARE = "25%"
REVISION_HISTORY_LIMIT = 10
PROGRESS_DEADLINE_SECONDS = 600


def default_deployment(deployment: apps.Deployment) -> None:
    """Fill in ``deployment`` in place, but for its template."""
    spec = deployment.spec
    if not spec.HasField("replicas"):
        spec.replicas = 1
    default_rolling_update(spec.strategy, ROLLING_SHARE)
    if not spec.HasField("revision_history_limit"):
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
    if not spec.HasField("progress_deadline_seconds"):
        spec.progress_deadline_seconds = PROGRESS_DEADLINE_SECONDS


def default_rolling_update(strategy: apps.DeploymentStrategy, share: int | str) -> None:
    """Fill in the strategy, with ``share`` as both limits of a rolling update."""
    if not strategy.type:
        strategy.type = "RollingUpdate"
    if strategy.type == "RollingUpdate":
        rolling = strategy.rolling_update
        if not rolling.HasField("max_unavailable"):
            rolling.max_unavailable.CopyFrom(int_or_string.of(share))
        if not rolling.HasField("max_surge"):
            rolling.max_surge.CopyFrom(int_or_string.of(share))
