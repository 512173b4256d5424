"""Defaults of StatefulSets in apps/v1.

Newer fields stay unset where unset means the default: minReadySeconds and ordinals.start 0,
rollingUpdate.maxUnavailable 1, persistentVolumeClaimRetentionPolicy Retain. So objects are stored as the recorded
server stores them.
"""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_rules.defaults.claim import default_claim

REVISION_HISTORY_LIMIT = 10


def default_stateful_set(stateful_set: apps.StatefulSet) -> None:
    """Fill in ``stateful_set`` in place, but for its template."""
    spec = stateful_set.spec
    strategy = spec.update_strategy
    if not strategy.type:
        strategy.type = "RollingUpdate"
        strategy.rolling_update.SetInParent()
    default_stateful_set_spec(spec)
    for claim in spec.volume_claim_templates:
        default_claim(claim)


def default_stateful_set_spec(spec: apps.StatefulSetSpec) -> None:
    """Fill in what all API versions default alike; a partition only where its struct was given."""
    if not spec.HasField("replicas"):
        spec.replicas = 1
    if not spec.pod_management_policy:
        spec.pod_management_policy = "OrderedReady"
    if not spec.HasField("revision_history_limit"):
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
    strategy = spec.update_strategy
    is_rolling = strategy.type == "RollingUpdate" and strategy.HasField("rolling_update")
    if is_rolling and not strategy.rolling_update.HasField("partition"):
        strategy.rolling_update.partition = 0
    if spec.HasField("persistent_volume_claim_retention_policy"):
        policy = spec.persistent_volume_claim_retention_policy
        policy.when_deleted = policy.when_deleted or "Retain"
        policy.when_scaled = policy.when_scaled or "Retain"
