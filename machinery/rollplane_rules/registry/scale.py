"""The scale subresource: one view of whatever has replicas."""

from __future__ import annotations

from rollplane.apps.v1 import Deployment, ReplicaSet, StatefulSet
from rollplane.autoscaling.v1 import Scale
from rollplane.core.v1 import ReplicationController
from rollplane_machinery.errors import Cause, CauseReason, ConflictError, InvalidError, UnsupportedError
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.selectors import pod_selector_of

Scalable = Deployment | ReplicaSet | StatefulSet | ReplicationController


def scalable(kind: Kind, obj: ApiObject) -> Scalable:
    """Return ``obj`` as something with replicas; raises UnsupportedError for a kind without a scale."""
    if not isinstance(obj, Scalable):
        raise UnsupportedError(f"{kind.resource} cannot be scaled", resource=kind.resource)
    return obj


def scale_of(obj: Scalable) -> Scale:
    """Return the scale of ``obj``, its resource version included."""
    scale = Scale()
    meta = obj.metadata
    scale.metadata.name = meta.name
    scale.metadata.namespace = meta.namespace
    scale.metadata.uid = meta.uid
    scale.metadata.resource_version = meta.resource_version
    scale.metadata.creation_timestamp.CopyFrom(meta.creation_timestamp)
    scale.spec.replicas = obj.spec.replicas
    scale.status.replicas = obj.status.replicas
    scale.status.selector = str(pod_selector_of(obj))
    return scale


def apply_scale(obj: Scalable, scale: Scale) -> None:
    """Write the replicas of ``scale`` into ``obj``.

    Raises ConflictError when the scale was made for another object or version, InvalidError for a negative number.
    """
    wanted, meta = scale.metadata, obj.metadata
    if wanted.resource_version not in ("", meta.resource_version) or wanted.uid not in ("", meta.uid):
        raise ConflictError(f'the scale is not that of "{meta.name}" as stored; read again', name=meta.name)
    if scale.spec.replicas < 0:
        cause = Cause(CauseReason.INVALID, "spec.replicas", "must be greater than or equal to 0")
        raise InvalidError(f'Scale "{meta.name}" is invalid: {cause}', name=meta.name, causes=[cause])
    obj.spec.replicas = scale.spec.replicas
