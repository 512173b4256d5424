"""PriorityClasses: what a pod's class makes of its priority, and the classes that every plane has.

The objects are kept as JSON; a class is what they say. Source: kubernetes/kubernetes
plugin/pkg/admission/priority/admission.go and pkg/apis/scheduling/v1/helpers.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rollplane.core.v1 import PodSpec
from rollplane.stored.v1 import AnyValue, StoredObject
from rollplane_machinery.errors import ForbiddenError
from rollplane_machinery.kinds import PRIORITY_CLASS
from rollplane_rules.admission.reading import json_text

PREEMPT_LOWER = "PreemptLowerPriority"
POLICIES = frozenset({PREEMPT_LOWER, "Never"})
SYSTEM_PREFIX = "system-"
HIGHEST_OF_USERS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """One class; the default one is that of pods that name none."""

    name: str
    value: int
    policy: str = PREEMPT_LOWER
    is_default: bool = False


_NO_CLASS = PriorityClass("", 0)
"""What a pod is under that names no class where none is the default."""
_SYSTEM: Mapping[PriorityClass, str] = MappingProxyType(
    {
        PriorityClass("system-cluster-critical", 2_000_000_000): (
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
        ),
        PriorityClass("system-node-critical", 2_000_001_000): (
            "Used for system critical pods that must not be moved from their node."
        ),
    }
)
SYSTEM_CLASSES: Mapping[str, PriorityClass] = MappingProxyType({one.name: one for one in _SYSTEM})


def give_priority(spec: PodSpec, classes: Sequence[PriorityClass]) -> str:
    """Write into a new pod what its class gives it; return why the pod is refused, "" when it is not.

    ``classes`` are all there are.
    """
    name = spec.priority_class_name
    known = (one for one in classes if one.name == name)
    found = next(known, None) if name else the_default(classes) or _NO_CLASS
    if found is None:
        return f"no PriorityClass with name {name} was found"
    if refusal := _contradiction(spec, found):
        return refusal
    if found.name:
        spec.priority_class_name = found.name
    spec.priority, spec.preemption_policy = found.value, found.policy
    return ""


def _contradiction(spec: PodSpec, found: PriorityClass) -> str:
    computed = "priority admission controller computed {} from the given PriorityClass name"
    if spec.HasField("priority") and spec.priority != found.value:
        said = f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
        return said + computed.format(found.value)
    if spec.HasField("preemption_policy") and spec.preemption_policy != found.policy:
        said = f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be provided in pod spec; "
        return said + computed.format(found.policy)
    return ""


def second_default(stored: StoredObject, classes: Iterable[PriorityClass]) -> str:
    """Return why a class that is written cannot be the default, "" when it can or does not want to be."""
    mine, present = priority_class_of(stored), the_default(classes)
    if not mine.is_default or present is None or present.name == mine.name:
        return ""
    return f"PriorityClass {present.name} is already marked as default. Only one default can exist"


def the_default(classes: Iterable[PriorityClass]) -> PriorityClass | None:
    """Return the default class; of several the one with the lowest value."""
    return min((one for one in classes if one.is_default), key=lambda one: one.value, default=None)


def check_deletable(name: str) -> None:
    """Raise ForbiddenError for a class that every plane must have."""
    if name in SYSTEM_CLASSES:
        resource = PRIORITY_CLASS.resource
        why = "this is a system priority class and cannot be deleted"
        raise ForbiddenError(f'{resource} "{name}" is forbidden: {why}', resource=resource, name=name)


# The objects.


def priority_class_of(stored: StoredObject) -> PriorityClass:
    """Return the class that a valid object describes."""
    policy = member(stored, "preemptionPolicy") or PREEMPT_LOWER
    return PriorityClass(
        stored.metadata.name, member(stored, "value") or 0, policy, bool(member(stored, "globalDefault"))
    )


def member(stored: StoredObject, name: str) -> Any:
    """Return a member of the object as JSON has it, None where there is none."""
    return json.loads(stored.members[name].json) if name in stored.members else None


def default_priority_class(stored: StoredObject) -> None:
    """Fill in what a class leaves out, in place."""
    for name, value in (("value", 0), ("preemptionPolicy", PREEMPT_LOWER)):
        if name not in stored.members:
            stored.members[name].CopyFrom(_json(value))


def system_objects() -> list[StoredObject]:
    """Return the classes that every plane has, as objects to be created."""
    return [_object(one, description) for one, description in _SYSTEM.items()]


def _object(one: PriorityClass, description: str) -> StoredObject:
    stored = StoredObject(api_version=PRIORITY_CLASS.api_version, kind=PRIORITY_CLASS.name)
    stored.metadata.name = one.name
    for name, value in (("value", one.value), ("description", description), ("preemptionPolicy", one.policy)):
        stored.members[name].CopyFrom(_json(value))
    return stored


def _json(value: object) -> AnyValue:
    return AnyValue(json=json_text(value))
