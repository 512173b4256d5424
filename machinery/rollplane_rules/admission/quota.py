"""ResourceQuotas as admission reads them: what they limit, and which pods they are about.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core/pods.go and kubernetes/apiserver pkg/quota/v1/generic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.core.v1 import Pod, PodAffinityTerm, PodSpec
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import qos
from rollplane_rules.admission.amounts import Amounts, read_amounts
from rollplane_rules.admission.reading import Object, list_in, object_in, spec_of

PRIORITY_CLASS = "PriorityClass"


@dataclass(frozen=True, slots=True)
class Scope:
    """One condition on pods; ``operator`` and ``values`` are of a selector, and count for priority classes only."""

    name: str
    operator: str = "Exists"
    values: frozenset[str] = frozenset()

    def matches(self, pod: Pod) -> bool:
        """Tell whether ``pod`` meets the condition; of an unknown one, none does."""
        if self.name == PRIORITY_CLASS:
            return self._has_class(pod.spec.priority_class_name)
        meets = _CONDITIONS.get(self.name)
        return meets is not None and meets(pod.spec)

    def _has_class(self, name: str) -> bool:
        match self.operator:
            case "Exists":
                return bool(name)
            case "DoesNotExist":
                return not name
            case "In":
                return name in self.values
            case "NotIn":
                return name not in self.values
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Quota:
    """``hard`` is how much of each resource there may be in the namespace, of what is in all of ``scopes``."""

    name: str
    hard: Amounts
    scopes: tuple[Scope, ...] = ()


def read_quota(stored: StoredObject) -> Quota:
    """Return the quota in ``stored``; what is not understood is left out."""
    spec = spec_of(stored)
    return Quota(stored.metadata.name, read_amounts(spec.get("hard")), tuple(_scopes(spec)))


def _scopes(spec: Object) -> Iterable[Scope]:
    for name in list_in(spec.get("scopes")):
        yield Scope(str(name))
    for one in map(object_in, list_in(object_in(spec.get("scopeSelector")).get("matchExpressions"))):
        yield Scope(
            str(one.get("scopeName")), str(one.get("operator")), frozenset(map(str, list_in(one.get("values"))))
        )


def _ends_by_itself(spec: PodSpec) -> bool:
    return spec.HasField("active_deadline_seconds") and spec.active_deadline_seconds >= 0


def _is_best_effort(spec: PodSpec) -> bool:
    return qos.qos_class(spec) == qos.BEST_EFFORT


def _looks_abroad(spec: PodSpec) -> bool:
    return any(term.namespaces or term.HasField("namespace_selector") for term in _terms(spec))


def _terms(spec: PodSpec) -> Iterable[PodAffinityTerm]:
    if not spec.HasField("affinity"):
        return
    for affinity in (spec.affinity.pod_affinity, spec.affinity.pod_anti_affinity):
        yield from affinity.required_during_scheduling_ignored_during_execution
        for preferred in affinity.preferred_during_scheduling_ignored_during_execution:
            yield preferred.pod_affinity_term


_CONDITIONS: Mapping[str, Callable[[PodSpec], bool]] = MappingProxyType(
    {
        "Terminating": _ends_by_itself,
        "NotTerminating": lambda spec: not _ends_by_itself(spec),
        "BestEffort": _is_best_effort,
        "NotBestEffort": lambda spec: not _is_best_effort(spec),
        "CrossNamespacePodAffinity": _looks_abroad,
    }
)
SCOPES = frozenset({*_CONDITIONS, PRIORITY_CLASS})
