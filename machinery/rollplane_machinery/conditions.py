"""Conditions in the status of objects: read, set, remove. All pure.

Workload controllers move a condition to the end of the list whenever they replace it, kubelets write in place. Both
are visible to users, so both are here.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from typing import TypeVar

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core

TRUE = "True"
FALSE = "False"
UNKNOWN = "Unknown"

AnyCondition = TypeVar(
    "AnyCondition",
    apps.DeploymentCondition,
    apps.ReplicaSetCondition,
    apps.StatefulSetCondition,
    apps.DaemonSetCondition,
    core.ReplicationControllerCondition,
    core.PodCondition,
    core.NodeCondition,
    core.NamespaceCondition,
)


def get_condition(conditions: Iterable[AnyCondition], type_: str) -> AnyCondition | None:
    """Return the condition of ``type_``, None when there is none."""
    for condition in conditions:
        if condition.type == type_:
            return condition
    return None


def is_true(conditions: Iterable[AnyCondition], type_: str) -> bool:
    """Whether the condition of ``type_`` is there and its status is True."""
    condition = get_condition(conditions, type_)
    return condition is not None and condition.status == TRUE


def replace_condition(conditions: MutableSequence[AnyCondition], new: AnyCondition, *, refresh: bool = False) -> bool:
    """Put ``new`` at the end of ``conditions`` in place of its namesake; return whether anything changed.

    For workload controllers. A condition whose status and reason stay is left alone, message and times included, unless
    ``refresh`` asks for new ones; one whose status stays keeps its last_transition_time.
    Source: kubernetes/kubernetes pkg/controller/deployment/util/deployment_util.go, SetDeploymentCondition.
    """
    present = get_condition(conditions, new.type)
    if present is not None and not refresh and (present.status, present.reason) == (new.status, new.reason):
        return False
    placed = _with_transition_of(present, new)
    remove_condition(conditions, new.type)
    conditions.append(placed)
    return True


def set_condition(conditions: MutableSequence[AnyCondition], new: AnyCondition) -> bool:
    """Write ``new`` over its namesake in ``conditions``, or append it; return whether anything changed.

    For pods, nodes and namespaces. A condition whose status stays keeps its last_transition_time.
    Source: kubernetes/kubernetes pkg/api/v1/pod/util.go, UpdatePodCondition.
    """
    present = get_condition(conditions, new.type)
    placed = _with_transition_of(present, new)
    if present is None:
        conditions.append(placed)
        return True
    if present == placed:
        return False
    present.CopyFrom(placed)
    return True


def remove_condition(conditions: MutableSequence[AnyCondition], type_: str) -> bool:
    """Take every condition of ``type_`` out; return whether there was one."""
    found = [index for index, condition in enumerate(conditions) if condition.type == type_]
    for index in reversed(found):
        del conditions[index]
    return bool(found)


def _with_transition_of(present: AnyCondition | None, new: AnyCondition) -> AnyCondition:
    placed = type(new)()
    placed.CopyFrom(new)
    if present is not None and present.status == new.status:
        placed.last_transition_time.CopyFrom(present.last_transition_time)
    return placed
