"""The deletion protocol: what a DELETE does to an object, and when an object that is being deleted is done.

Finalizers hold an object; a propagation policy is stored as one of two finalizers that the garbage collector serves;
pods end gracefully (docs/semantics/pod-lifecycle.md section 8).
Source: kubernetes/apiserver pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from rollplane.core.v1 import Namespace, Pod
from rollplane.meta.v1 import ObjectMeta
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import Propagation
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, PRIORITY_CLASS, ApiObject, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_finished
from rollplane_machinery.well_known import FOREGROUND, ORPHAN
from rollplane_rules.admission.priority import check_deletable
from rollplane_rules.registry.definitions import begin_deletion
from rollplane_rules.registry.namespaces import check_mortal
from rollplane_rules.registry.rules import rules_of
from rollplane_rules.strategy import mark_deleted

DEFAULT_GRACE_SECONDS = 30

_FINALIZER_OF: Mapping[Propagation, str] = MappingProxyType(
    {Propagation.FOREGROUND: FOREGROUND, Propagation.ORPHAN: ORPHAN}
)


class Fate(Enum):
    """What a DELETE comes to: the object goes, is marked, or stays as it is because it is going already."""

    REMOVE = "remove"
    MARK = "mark"
    KEEP = "keep"


@frozen
class DeleteRequest:
    """What was asked for; None takes the object's or the kind's own."""

    grace_period_seconds: int | None = None
    propagation: Propagation | None = None


def apply_deletion(kind: Kind, obj: ApiObject, request: DeleteRequest, now: float) -> Fate:
    """Change ``obj`` in place as the DELETE demands and say what is to become of it.

    MARK may leave the object as it was (a repeated DELETE): the caller compares. Raises ForbiddenError for a namespace
    or PriorityClass that must stay.
    """
    if isinstance(obj, Namespace):
        check_mortal(obj)
    if kind is PRIORITY_CLASS:
        check_deletable(obj.metadata.name)
    meta = obj.metadata
    if kind is CUSTOM_RESOURCE_DEFINITION and isinstance(obj, StoredObject) and not is_being_deleted(meta):
        begin_deletion(obj, now)
    grace = _grace(obj, request.grace_period_seconds) if isinstance(obj, Pod) else 0
    granted = meta.deletion_grace_period_seconds
    if is_being_deleted(meta) and 0 < granted <= grace:
        return Fate.KEEP
    _set_propagation(kind, meta, request.propagation)
    if grace == 0 and not _is_held(obj):
        return Fate.REMOVE
    mark_deleted(obj, now, grace)
    return Fate.MARK


def is_finished(obj: ApiObject) -> bool:
    """Return whether an object that is being deleted has nothing left to wait for."""
    meta = obj.metadata
    return is_being_deleted(meta) and meta.deletion_grace_period_seconds == 0 and not _is_held(obj)


def _is_held(obj: ApiObject) -> bool:
    return bool(obj.metadata.finalizers) or (isinstance(obj, Namespace) and bool(obj.spec.finalizers))


def _grace(pod: Pod, asked: int | None) -> int:
    """Seconds the pod gets: none if no kubelet has it or it has ended already."""
    if not pod.spec.node_name or is_pod_finished(pod):
        return 0
    if asked is None:
        asked = _own_grace(pod)
    return 1 if asked < 0 else asked


def _own_grace(pod: Pod) -> int:
    if is_being_deleted(pod.metadata):
        return pod.metadata.deletion_grace_period_seconds
    spec = pod.spec
    if spec.HasField("termination_grace_period_seconds"):
        return spec.termination_grace_period_seconds
    return DEFAULT_GRACE_SECONDS


def _set_propagation(kind: Kind, meta: ObjectMeta, asked: Propagation | None) -> None:
    """Replace the finalizer that stands for a policy: explicit before the one that is there before the kind's own."""
    present = [name for name in meta.finalizers if name in (ORPHAN, FOREGROUND)]
    if asked is None and present:
        return
    wanted = _FINALIZER_OF.get(asked or rules_of(kind).propagation)
    if present == ([wanted] if wanted else []):
        return
    kept = [name for name in meta.finalizers if name not in (ORPHAN, FOREGROUND)]
    del meta.finalizers[:]
    meta.finalizers.extend([*kept, wanted] if wanted else kept)
