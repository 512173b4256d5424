"""What Kubernetes' admission plugins and registry add to a new Pod after defaulting.

The plugins meant are ServiceAccount, Priority and DefaultTolerationSeconds. The last gives a node five minutes to come
back before its pods are evicted.
"""

from __future__ import annotations

from rollplane.core import v1 as core
from rollplane_machinery import qos
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.admission.priority import PREEMPT_LOWER, SYSTEM_CLASSES

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
TOLERATION_SECONDS = 300


def admit(obj: ApiObject) -> None:
    """Add to a new, defaulted Pod what admission adds, and its first status; other kinds are left as they are."""
    if isinstance(obj, core.Pod):
        admit_pod_spec(obj.spec)
        set_initial_status(obj, qos.qos_class(obj.spec))


def set_initial_status(pod: core.Pod, qos_class: str) -> None:
    """Write the status a pod has before anything has happened to it."""
    status = pod.status
    status.phase = "Pending"
    status.qos_class = qos_class


def admit_pod_spec(spec: core.PodSpec) -> None:
    """Add service account, priority and tolerations of node loss where ``spec`` names none; in place."""
    if not spec.service_account_name:
        spec.service_account_name = spec.service_account = "default"
    if not spec.HasField("preemption_policy"):
        spec.preemption_policy = PREEMPT_LOWER
    if not spec.HasField("priority"):
        _set_priority(spec)
    _tolerate_node_loss(spec)


def _set_priority(spec: core.PodSpec) -> None:
    """The apiserver has asked the PriorityClasses before; without one, a class that is not the system's stays open."""
    known = SYSTEM_CLASSES.get(spec.priority_class_name)
    if known is not None or not spec.priority_class_name:
        spec.priority = known.value if known is not None else 0


def _tolerate_node_loss(spec: core.PodSpec) -> None:
    missing = [NOT_READY, UNREACHABLE]
    for toleration in spec.tolerations:
        if toleration.effect in ("", "NoExecute"):
            key = toleration.key
            missing = [] if not key else [name for name in missing if name != key]
    for name in missing:
        spec.tolerations.add(key=name, operator="Exists", effect="NoExecute", toleration_seconds=TOLERATION_SECONDS)
