"""Where a pod may run: tolerations, affinities, spreading."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    duplicate,
    each,
    forbidden,
    invalid,
    not_supported,
    one_of,
    problems,
    required,
    under,
)
from rollplane_rules.validation.labels import (
    check_effect,
    check_label_selector,
    check_node_selector,
    check_node_selector_term,
)
from rollplane_rules.validation.parts import check_parts, checks_of

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

_UNSATISFIABLE = frozenset({"DoNotSchedule", "ScheduleAnyway"})
_NODE_POLICIES = frozenset({"Honor", "Ignore"})
_TOLERATION_OPERATORS = frozenset({"Equal", "Exists"})


def check_toleration(toleration: core.Toleration) -> list[Cause]:
    """Return what is wrong with one toleration."""
    found: list[Cause] = []
    key, operator = toleration.key, toleration.operator
    if key:
        if sentences := names.check_qualified_name(key):
            found += problems("key", key, sentences)
    elif operator != "Exists":
        found.append(invalid("operator", operator, "choose Exists, or give a key"))
    if toleration.HasField("toleration_seconds") and toleration.effect != "NoExecute":
        found.append(invalid("effect", toleration.effect, "choose NoExecute, or drop tolerationSeconds"))
    if operator in ("", "Equal"):
        if sentences := names.check_label_value(toleration.value):
            found += problems("operator", toleration.value, sentences)
    elif operator != "Exists":
        found.append(not_supported("operator", operator, _TOLERATION_OPERATORS))
    elif toleration.value:
        found.append(invalid("operator", toleration.value, "drop the value, which Exists does not look at"))
    effect = toleration.effect
    return found if effect == "NoExecute" else found + check_effect(effect, optional=True)


def check_affinity(affinity: core.Affinity) -> list[Cause]:
    """Return what is wrong with the affinities of a pod."""
    return check_parts(affinity, _AFFINITIES)


def _check_node_affinity(affinity: core.NodeAffinity) -> list[Cause]:
    found: list[Cause] = []
    if affinity.HasField("required_during_scheduling_ignored_during_execution"):
        found += under(REQUIRED, check_node_selector(affinity.required_during_scheduling_ignored_during_execution))
    found += each(PREFERRED, affinity.preferred_during_scheduling_ignored_during_execution, _check_preferred_term)
    return found


def _check_preferred_term(term: core.PreferredSchedulingTerm) -> list[Cause]:
    return _check_weight(term.weight) + under("preference", check_node_selector_term(term.preference))


def _check_weight(weight: int) -> list[Cause]:
    return [] if 1 <= weight <= 100 else [invalid("weight", weight, "choose a weight from 1 to 100")]


def _check_pod_affinity(affinity: core.PodAffinity | core.PodAntiAffinity) -> list[Cause]:
    found = each(REQUIRED, affinity.required_during_scheduling_ignored_during_execution, _check_term)
    found += each(PREFERRED, affinity.preferred_during_scheduling_ignored_during_execution, _check_weighted_term)
    return found


def _check_weighted_term(term: core.WeightedPodAffinityTerm) -> list[Cause]:
    return _check_weight(term.weight) + under("podAffinityTerm", _check_term(term.pod_affinity_term))


def _check_term(term: core.PodAffinityTerm) -> list[Cause]:
    found: list[Cause] = []
    if term.HasField("label_selector"):
        found += under("labelSelector", check_label_selector(term.label_selector))
    if term.HasField("namespace_selector"):
        found += under("namespaceSelector", check_label_selector(term.namespace_selector))
    found += _check_label_keys("matchLabelKeys", term, term.match_label_keys)
    found += _check_label_keys("mismatchLabelKeys", term, term.mismatch_label_keys)
    for index, key in enumerate(term.mismatch_label_keys or ()):
        if key in term.match_label_keys:
            found.append(
                invalid(f"mismatchLabelKeys[{index}]", key, "exists in both matchLabelKeys and mismatchLabelKeys")
            )
    for namespace in term.namespaces or ():
        found += problems("namespace", namespace, names.check_dns1123_label(namespace))
    return found + _check_topology_key(term.topology_key)


def _check_label_keys(
    field: str, of: core.PodAffinityTerm | core.TopologySpreadConstraint, keys: Sequence[str]
) -> list[Cause]:
    """They narrow a selector, so there must be one."""
    if not keys:
        return []
    if not of.HasField("label_selector"):
        return [forbidden(field, "must not be specified when labelSelector is not set")]
    return [
        cause
        for index, key in enumerate(keys)
        for cause in problems(f"{field}[{index}]", key, names.check_qualified_name(key))
    ]


def _check_topology_key(key: str) -> list[Cause]:
    if not key:
        return [required("topologyKey", "name the node label to compare")]
    return problems("topologyKey", key, names.check_qualified_name(key))


def check_spread(constraints: Sequence[core.TopologySpreadConstraint]) -> list[Cause]:
    """Return what is wrong with the constraints on spreading, paths from the first constraint's index on."""
    found = each("", constraints, _check_constraint)
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(constraints):
        pair = (constraint.topology_key, constraint.when_unsatisfiable)
        if pair in seen:
            found.append(duplicate(f"[{index}].{{topologyKey, whenUnsatisfiable}}", ", ".join(pair)))
        seen.add(pair)
    return found


def _check_constraint(constraint: core.TopologySpreadConstraint) -> list[Cause]:
    found: list[Cause] = []
    if constraint.max_skew <= 0:
        found.append(invalid("maxSkew", constraint.max_skew, "set it to 1 or more"))
    found += _check_topology_key(constraint.topology_key)
    found += one_of("whenUnsatisfiable", constraint.when_unsatisfiable, _UNSATISFIABLE)
    if constraint.HasField("label_selector"):
        found += under("labelSelector", check_label_selector(constraint.label_selector))
    found += _check_label_keys("matchLabelKeys", constraint, constraint.match_label_keys)
    if constraint.HasField("min_domains"):
        if constraint.min_domains <= 0:
            found.append(invalid("minDomains", constraint.min_domains, "set it to 1 or more"))
        if constraint.when_unsatisfiable != "DoNotSchedule":
            found.append(
                invalid("minDomains", constraint.min_domains, "drop it, or set whenUnsatisfiable DoNotSchedule")
            )
    if constraint.HasField("node_affinity_policy") and constraint.node_affinity_policy not in _NODE_POLICIES:
        found.append(not_supported("nodeAffinityPolicy", constraint.node_affinity_policy, _NODE_POLICIES))
    if constraint.HasField("node_taints_policy") and constraint.node_taints_policy not in _NODE_POLICIES:
        found.append(not_supported("nodeTaintsPolicy", constraint.node_taints_policy, _NODE_POLICIES))
    return found


_AFFINITIES = checks_of(
    core.Affinity,
    node_affinity=_check_node_affinity,
    pod_affinity=_check_pod_affinity,
    pod_anti_affinity=_check_pod_affinity,
)
