"""The scale subresource: one view of whatever has replicas."""

from __future__ import annotations

from typing import Any

from rollplane.apps.v1 import Deployment, ReplicaSet, StatefulSet
from rollplane.autoscaling.v1 import Scale
from rollplane.core.v1 import ReplicationController
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.errors import Cause, CauseReason, ConflictError, InvalidError, UnsupportedError
from rollplane_machinery.kinds import ApiObject, CustomKind, Kind
from rollplane_machinery.selectors import pod_selector_of
from rollplane_machinery.stored import at, document_of, put_document, with_value_at
from rollplane_machinery.structural.definition import ScalePaths

Scalable = Deployment | ReplicaSet | StatefulSet | ReplicationController


def scalable(kind: Kind, obj: ApiObject) -> Scalable:
    """Return ``obj`` as something with replicas; raises UnsupportedError for a kind without a scale."""
    if not isinstance(obj, Scalable):
        raise UnsupportedError(f"{kind.resource} cannot be scaled", resource=kind.resource)
    return obj


def scale_of(kind: Kind, obj: ApiObject) -> Scale:
    """Return the scale of ``obj``, its resource version included; raises UnsupportedError for a kind without one.

    Of a custom object it is what stands at the paths that its definition names, 0 where nothing does.
    """
    scale = Scale()
    meta = obj.metadata
    scale.metadata.name = meta.name
    scale.metadata.namespace = meta.namespace
    scale.metadata.uid = meta.uid
    scale.metadata.resource_version = meta.resource_version
    scale.metadata.creation_timestamp.CopyFrom(meta.creation_timestamp)
    if isinstance(kind, CustomKind):
        _fill_custom(kind, obj, scale)
        return scale
    workload = scalable(kind, obj)
    scale.spec.replicas = workload.spec.replicas
    scale.status.replicas = workload.status.replicas
    scale.status.selector = str(pod_selector_of(workload))
    return scale


def apply_scale(kind: Kind, obj: ApiObject, scale: Scale) -> None:
    """Write the replicas of ``scale`` into ``obj``.

    Raises ConflictError when the scale was made for another object or version, InvalidError for a negative number,
    UnsupportedError for a kind without a scale.
    """
    wanted, meta = scale.metadata, obj.metadata
    if wanted.resource_version not in ("", meta.resource_version) or wanted.uid not in ("", meta.uid):
        raise ConflictError(f'the scale is not that of "{meta.name}" as stored; read again', name=meta.name)
    if scale.spec.replicas < 0:
        cause = Cause(CauseReason.INVALID, "spec.replicas", "must be greater than or equal to 0")
        raise InvalidError(f'Scale "{meta.name}" is invalid: {cause}', name=meta.name, causes=[cause])
    set_replicas(kind, obj, scale.spec.replicas)


def replicas_of(kind: Kind, obj: ApiObject) -> int:
    """Return how many replicas are wanted; raises UnsupportedError for a kind without a scale."""
    return scale_of(kind, obj).spec.replicas


def set_replicas(kind: Kind, obj: ApiObject, replicas: int) -> None:
    """Have ``obj`` want that many replicas; raises UnsupportedError for a kind without a scale."""
    if isinstance(kind, CustomKind):
        stored, steps = _custom(kind, obj), _steps(_paths(kind).spec_replicas)
        put_document(stored, with_value_at(document_of(stored), steps, replicas))
    else:
        scalable(kind, obj).spec.replicas = replicas


def _fill_custom(kind: CustomKind, obj: ApiObject, scale: Scale) -> None:
    paths, document = _paths(kind), document_of(_custom(kind, obj))
    scale.spec.replicas = _number(document, paths.spec_replicas)
    scale.status.replicas = _number(document, paths.status_replicas)
    selector = at(document, _steps(paths.label_selector)) if paths.label_selector else None
    scale.status.selector = selector if isinstance(selector, str) else ""


def _number(document: dict[str, Any], path: str) -> int:
    found = at(document, _steps(path))
    return found if isinstance(found, int) else 0


def _paths(kind: CustomKind) -> ScalePaths:
    paths = kind.described.scale
    if paths is None:
        raise UnsupportedError(f"{kind.resource} cannot be scaled", resource=kind.resource)
    return paths


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.removeprefix(".").split("."))


def _custom(kind: CustomKind, obj: ApiObject) -> StoredObject:
    if not isinstance(obj, StoredObject):
        raise TypeError(f"{kind.resource} are kept as JSON")
    return obj
