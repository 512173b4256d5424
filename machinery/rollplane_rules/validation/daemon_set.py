"""DaemonSets. Source: ``docs/semantics/daemonset.md`` section 1."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    immutable,
    invalid,
    not_negative,
    not_supported,
    required,
    under,
)
from rollplane_rules.validation.rolling import check_share, is_zero
from rollplane_rules.validation.status import check_collisions, check_counters
from rollplane_rules.validation.template import check_selected, check_template

_STRATEGIES = frozenset({"OnDelete", "RollingUpdate"})


def check_daemon_set(daemon_set: apps.DaemonSet) -> list[Cause]:
    """Return what is wrong with a defaulted DaemonSet, metadata and pod spec aside."""
    spec = daemon_set.spec
    if not spec.HasField("selector"):
        found = [required("selector", "select the labels of the template")]
    else:
        found = check_selected(spec.selector, spec.template, names_whole=False)
    found += under("template", check_template(spec.template))
    found += not_negative("minReadySeconds", spec.min_ready_seconds)
    found += not_negative("revisionHistoryLimit", spec.revision_history_limit)
    return under("spec", found + under("updateStrategy", _check_strategy(spec.update_strategy)))


def _check_strategy(strategy: apps.DaemonSetUpdateStrategy) -> list[Cause]:
    if strategy.type not in _STRATEGIES:
        return [not_supported("", strategy.type, _STRATEGIES)]
    if strategy.type == "OnDelete":
        return []
    return under("rollingUpdate", _check_rolling_update(strategy.rolling_update))


def _check_rolling_update(rolling: apps.RollingUpdateDaemonSet) -> list[Cause]:
    """Exactly one of the two limits is more than zero: a node either surges or goes without."""
    found = check_share("maxUnavailable", rolling.max_unavailable) + check_share("maxSurge", rolling.max_surge)
    no_unavailable, no_surge = is_zero(rolling.max_unavailable), is_zero(rolling.max_surge)
    if no_unavailable and no_surge:
        found.append(invalid("maxUnavailable", 0, "allow at least one node, or a maxSurge"))
    if not no_unavailable and not no_surge:
        found.append(invalid("maxSurge", None, "set maxUnavailable to 0 to surge"))
    return found


def check_daemon_set_update(new: apps.DaemonSet, old: apps.DaemonSet) -> list[Cause]:
    """Return what an update may not change: the selector."""
    same = semantic_equal(new.spec.selector, old.spec.selector)
    return under("spec", immutable("selector", None, same))


def check_daemon_set_status(new: apps.DaemonSet, old: apps.DaemonSet) -> list[Cause]:
    """Return what is wrong with a status."""
    status = new.status
    counters = {
        "currentNumberScheduled": status.current_number_scheduled,
        "numberMisscheduled": status.number_misscheduled,
        "desiredNumberScheduled": status.desired_number_scheduled,
        "numberReady": status.number_ready,
        "observedGeneration": status.observed_generation,
        "updatedNumberScheduled": status.updated_number_scheduled,
        "numberAvailable": status.number_available,
        "numberUnavailable": status.number_unavailable,
        "collisionCount": status.collision_count,
    }
    return under("status", check_counters(counters) + check_collisions(status, old.status))
