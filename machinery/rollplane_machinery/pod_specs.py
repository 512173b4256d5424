"""Where the spec of pods stands in each kind of object that has one, and which rules it is under there."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery.kinds import ApiObject


class Role(Enum):
    """What a pod spec is for; some rules and defaults depend on it."""

    POD = "the spec of a Pod object"
    NEW_POD = "the spec of a Pod object being created, to which admission adds"
    TEMPLATE = "the template of a workload"
    CLAIMED_TEMPLATE = "the template of a StatefulSet, whose volumes may come from its claim templates"


class Located(NamedTuple):
    """A pod spec inside an object; ``path`` is its field there."""

    spec: core.PodSpec
    path: str
    role: Role


_WITH_PODS = frozenset(
    {core.Pod, core.ReplicationController, apps.StatefulSet, apps.Deployment, apps.ReplicaSet, apps.DaemonSet}
)


def pod_spec_of(obj: ApiObject) -> Located | None:
    """Return the pod spec of ``obj``, which may be edited in place; None when its kind, or it, has none."""
    if type(obj) not in _WITH_PODS:
        return None
    if isinstance(obj, core.Pod):
        return Located(obj.spec, "spec", Role.POD)
    if isinstance(obj, apps.StatefulSet):
        return Located(obj.spec.template.spec, "spec.template.spec", Role.CLAIMED_TEMPLATE)
    if isinstance(obj, apps.Deployment | apps.ReplicaSet | apps.DaemonSet):
        return Located(obj.spec.template.spec, "spec.template.spec", Role.TEMPLATE)
    if isinstance(obj, core.ReplicationController) and obj.spec.HasField("template"):
        return Located(obj.spec.template.spec, "spec.template.spec", Role.TEMPLATE)
    return None
