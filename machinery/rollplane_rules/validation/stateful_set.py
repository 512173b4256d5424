"""StatefulSets. Source: ``docs/semantics/statefulset.md`` section 1."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import forbidden, invalid, not_negative, one_of, required, under
from rollplane_rules.validation.rolling import check_share, is_zero
from rollplane_rules.validation.status import check_collisions, check_counters, check_replica_counters
from rollplane_rules.validation.template import check_selected, check_template

_POLICIES = ("OrderedReady", "Parallel")
_RETENTIONS = frozenset({"Delete", "Retain"})

MUTABLE = (
    "replicas",
    "template",
    "update_strategy",
    "min_ready_seconds",
    "persistent_volume_claim_retention_policy",
    "ordinals",
    "revision_history_limit",
)
"""What an update of the spec may change; everything else is part of the identity of the set or its pods."""


def check_stateful_set(stateful_set: apps.StatefulSet) -> list[Cause]:
    """Return what is wrong with a defaulted StatefulSet, metadata and pod spec aside."""
    spec = stateful_set.spec
    found = _check_policy(spec.pod_management_policy)
    found += _check_strategy(spec.update_strategy)
    if spec.HasField("persistent_volume_claim_retention_policy"):
        causes = _check_retention(spec.persistent_volume_claim_retention_policy)
        found += under("persistentVolumeClaimRetentionPolicy", causes)
    found += not_negative("replicas", spec.replicas)
    found += not_negative("minReadySeconds", spec.min_ready_seconds)
    found += not_negative("revisionHistoryLimit", spec.revision_history_limit)
    found += not_negative("ordinals.start", spec.ordinals.start)
    if not spec.HasField("selector"):
        found.append(required("selector", "select the labels of the template"))
    else:
        found += check_selected(spec.selector, spec.template)
    return under("spec", found + under("template", check_template(spec.template)))


def _check_policy(policy: str) -> list[Cause]:
    if policy in _POLICIES:
        return []
    fix = f"choose {' or '.join(_POLICIES)}"
    return [invalid("podManagementPolicy", policy, fix) if policy else required("podManagementPolicy", fix)]


def _check_strategy(strategy: apps.StatefulSetUpdateStrategy) -> list[Cause]:
    field = "updateStrategy"
    if strategy.type == "RollingUpdate":
        return under(f"{field}.rollingUpdate", _check_rolling_update(strategy.rolling_update))
    if strategy.type != "OnDelete":
        fix = "choose RollingUpdate or OnDelete"
        return [invalid(field, strategy.type, fix) if strategy.type else required(field, fix)]
    if strategy.HasField("rolling_update"):
        return [invalid(f"{field}.rollingUpdate", None, "drop it, or choose type RollingUpdate")]
    return []


def _check_rolling_update(rolling: apps.RollingUpdateStatefulSetStrategy) -> list[Cause]:
    found = not_negative("partition", rolling.partition)
    if rolling.HasField("max_unavailable"):
        found += check_share("maxUnavailable", rolling.max_unavailable)
        if is_zero(rolling.max_unavailable):
            found.append(invalid("maxUnavailable", 0, "allow at least one pod"))
    return found


def _check_retention(policy: apps.StatefulSetPersistentVolumeClaimRetentionPolicy) -> list[Cause]:
    return one_of("whenDeleted", policy.when_deleted, _RETENTIONS) + one_of(
        "whenScaled", policy.when_scaled, _RETENTIONS
    )


def check_stateful_set_update(new: apps.StatefulSet, old: apps.StatefulSet) -> list[Cause]:
    """Return what an update may not change: all of the spec but ``MUTABLE``."""
    if semantic_equal(new.spec, old.spec, ignore=MUTABLE):
        return []
    fix = (
        "only replicas, ordinals, template, updateStrategy, persistentVolumeClaimRetentionPolicy, minReadySeconds and "
        "revisionHistoryLimit may change: keep the rest"
    )
    return [forbidden("spec", fix)]


def check_stateful_set_status(new: apps.StatefulSet, old: apps.StatefulSet) -> list[Cause]:
    """Return what is wrong with a status."""
    status = new.status
    among = {
        "readyReplicas": status.ready_replicas,
        "currentReplicas": status.current_replicas,
        "updatedReplicas": status.updated_replicas,
        "availableReplicas": status.available_replicas,
    }
    found = check_replica_counters(status, among) + check_counters({"collisionCount": status.collision_count})
    return under("status", found + check_collisions(status, old.status))
