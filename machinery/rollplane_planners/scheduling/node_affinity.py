"""Node affinity, node selectors and taints: what a node must or should be for a pod to run there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollplane.core.v1 import (
    Affinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodSpec,
    Taint,
    Toleration,
)

NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE = "NoSchedule", "NoExecute", "PreferNoSchedule"


def required_terms(affinity: Affinity) -> NodeSelector | None:
    """Return the required node affinity, None when there is none."""
    node = affinity.node_affinity
    if node.HasField("required_during_scheduling_ignored_during_execution"):
        return node.required_during_scheduling_ignored_during_execution
    return None


def matches_affinity(spec: PodSpec, name: str, labels: Mapping[str, str]) -> bool:
    """Tell whether a node of that name and those labels is one that the pod's selector and required affinity choose."""
    terms = required_terms(spec.affinity)
    selected = not spec.node_selector or spec.node_selector.items() <= labels.items()
    return selected and (terms is None or matches_selector(terms, name, labels))


def preference(affinity: Affinity, name: str, labels: Mapping[str, str]) -> int:
    """Return the sum of the weights of all preferred terms that hold for a node; an empty term always does."""
    wishes = affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    return sum(one.weight for one in wishes if _is_empty(one.preference) or _matches_term(one.preference, name, labels))


def _is_empty(term: NodeSelectorTerm) -> bool:
    return not term.match_expressions and not term.match_fields


def matches_selector(selector: NodeSelector, name: str, labels: Mapping[str, str]) -> bool:
    """Tell whether any term holds: terms are alternatives, and none at all match nothing."""
    return any(_matches_term(term, name, labels) for term in selector.node_selector_terms)


def _matches_term(term: NodeSelectorTerm, name: str, labels: Mapping[str, str]) -> bool:
    """Tell whether all expressions of a term hold; an empty term matches nothing."""
    if _is_empty(term):
        return False
    fields = {"metadata.name": name}
    return all(_holds(one, labels) for one in term.match_expressions) and all(
        _holds(one, fields) for one in term.match_fields
    )


def _holds(requirement: NodeSelectorRequirement, values: Mapping[str, str]) -> bool:
    present = requirement.key in values
    value = values.get(requirement.key, "")
    match requirement.operator:
        case "In":
            return present and value in requirement.values
        case "NotIn":
            return not present or value not in requirement.values
        case "Exists":
            return present
        case "DoesNotExist":
            return not present
        case "Gt":
            return present and _greater(value, requirement.values)
        case "Lt":
            return present and _greater(next(iter(requirement.values), ""), [value])
        case _:
            return False


def _greater(value: str, bounds: Sequence[str]) -> bool:
    """Compare whole numbers; what is no number is never greater."""
    try:
        return int(value) > int(bounds[0])
    except (ValueError, IndexError):
        return False


def named_nodes(affinity: Affinity) -> list[str] | None:
    """Return the only nodes that an affinity by name allows, None when it names none: spares looking at all others."""
    selector = required_terms(affinity)
    if selector is None or not selector.node_selector_terms:
        return None
    names: list[str] = []
    for term in selector.node_selector_terms:
        by_name = [one for one in term.match_fields if one.key == "metadata.name" and one.operator == "In"]
        if not by_name:
            return None
        names.extend(by_name[0].values)
    return names


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Tell whether any toleration covers the taint."""
    return any(_covers(toleration, taint) for toleration in tolerations)


def _covers(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return bool(toleration.key) and toleration.value == taint.value


def untolerated(taints: Iterable[Taint], tolerations: Sequence[Toleration], effects: Sequence[str]) -> Taint | None:
    """Return the first taint of one of ``effects`` that nothing tolerates."""
    return next((one for one in taints if one.effect in effects and not tolerates(tolerations, one)), None)


def count_untolerated(taints: Iterable[Taint], tolerations: Sequence[Toleration], effect: str) -> int:
    """Return how many taints of ``effect`` nothing tolerates."""
    return sum(one.effect == effect and not tolerates(tolerations, one) for one in taints)
