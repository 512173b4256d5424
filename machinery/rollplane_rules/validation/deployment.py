"""Deployments.

Source: ``docs/semantics/deployment.md`` section 1 and ``docs/semantics/api-conventions.md`` section 8.
"""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    forbidden,
    immutable,
    invalid,
    not_negative,
    not_supported,
    required,
    under,
)
from rollplane_rules.validation.rolling import check_share, is_zero
from rollplane_rules.validation.status import check_collisions, check_counters, check_replica_counters
from rollplane_rules.validation.template import check_selected, check_template

_STRATEGIES = frozenset({"Recreate", "RollingUpdate"})


def check_deployment(deployment: apps.Deployment) -> list[Cause]:
    """Return what is wrong with a defaulted Deployment, metadata and pod spec aside."""
    spec = deployment.spec
    found = not_negative("replicas", spec.replicas)
    if not spec.HasField("selector"):
        found.append(required("selector", "select the labels of the template"))
    else:
        found += check_selected(spec.selector, spec.template)
    found += under("template", check_template(spec.template))
    found += under("strategy", _check_strategy(spec.strategy))
    found += not_negative("minReadySeconds", spec.min_ready_seconds)
    found += not_negative("revisionHistoryLimit", spec.revision_history_limit)
    return under("spec", found + _check_deadline(spec))


def _check_deadline(spec: apps.DeploymentSpec) -> list[Cause]:
    if not spec.HasField("progress_deadline_seconds"):
        return []
    deadline = spec.progress_deadline_seconds
    found = not_negative("progressDeadlineSeconds", deadline)
    if deadline <= spec.min_ready_seconds:
        fix = f"allow more than minReadySeconds, {spec.min_ready_seconds}"
        found.append(invalid("progressDeadlineSeconds", deadline, fix))
    return found


def _check_strategy(strategy: apps.DeploymentStrategy) -> list[Cause]:
    if strategy.type not in _STRATEGIES:
        return [not_supported("", strategy.type, _STRATEGIES)]
    if strategy.type == "RollingUpdate":
        return under("rollingUpdate", _check_rolling_update(strategy.rolling_update))
    if strategy.HasField("rolling_update"):
        return [forbidden("rollingUpdate", "drop it, or choose type RollingUpdate")]
    return []


def _check_rolling_update(rolling: apps.RollingUpdateDeployment) -> list[Cause]:
    found = check_share("maxUnavailable", rolling.max_unavailable)
    found += check_share("maxSurge", rolling.max_surge, at_most_all=False)
    if is_zero(rolling.max_unavailable) and is_zero(rolling.max_surge):
        found.append(invalid("maxUnavailable", 0, "allow at least one pod: maxSurge is 0 too"))
    return found


def check_deployment_update(new: apps.Deployment, old: apps.Deployment) -> list[Cause]:
    """Return what an update may not change: the selector, by which the Deployment knows its ReplicaSets."""
    same = semantic_equal(new.spec.selector, old.spec.selector)
    return under("spec", immutable("selector", None, same))


def check_deployment_status(new: apps.Deployment, old: apps.Deployment) -> list[Cause]:
    """Return what is wrong with a status."""
    status = new.status
    among = {
        "updatedReplicas": status.updated_replicas,
        "readyReplicas": status.ready_replicas,
        "availableReplicas": status.available_replicas,
    }
    found = check_replica_counters(status, among)
    others = {
        "unavailableReplicas": status.unavailable_replicas,
        "terminatingReplicas": status.terminating_replicas,
        "collisionCount": status.collision_count,
    }
    return under("status", found + check_counters(others) + check_collisions(status, old.status))
