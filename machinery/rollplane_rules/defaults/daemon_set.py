"""Defaults of DaemonSets in apps/v1. An unset maxSurge is 0 and stays unset, as the recorded server stores it."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_machinery import int_or_string

MAX_UNAVAILABLE = 1
REVISION_HISTORY_LIMIT = 10


def default_daemon_set(daemon_set: apps.DaemonSet) -> None:
    """Fill in ``daemon_set`` in place, but for its template."""
    spec = daemon_set.spec
    if not spec.update_strategy.type:
        spec.update_strategy.type = "RollingUpdate"
    default_daemon_set_spec(spec)


def default_daemon_set_spec(spec: apps.DaemonSetSpec) -> None:
    """Fill in what all API versions default alike, once the strategy's type is known."""
    strategy = spec.update_strategy
    if strategy.type == "RollingUpdate" and not strategy.rolling_update.HasField("max_unavailable"):
        strategy.rolling_update.max_unavailable.CopyFrom(int_or_string.of(MAX_UNAVAILABLE))
    if not spec.HasField("revision_history_limit"):
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
