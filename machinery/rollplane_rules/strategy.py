"""What create, update and status update may change, whatever the client sends: the rest strategy of every kind.

All functions work on freshly parsed messages, in place. They see objects whose defaults are filled in (an update
compares specs), and leave judging values to ``validation``. ``prepare_create`` may come before or after defaulting and
admission.

Source: kubernetes/apiserver pkg/registry/rest (create.go, update.go, delete.go), kubernetes/kubernetes
pkg/registry/*/strategy.go; ``docs/semantics/api-conventions.md`` sections 1 to 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.conditions import FALSE
from rollplane_machinery.equality import same_texts
from rollplane_machinery.equality import semantic_equal as semantic_equal
from rollplane_machinery.errors import BadRequestError, ConflictError, UnsupportedError
from rollplane_machinery.extensions import ROLLED_BACK
from rollplane_machinery.kinds import (
    ACTING_KINDS,
    CUSTOM_RESOURCE_DEFINITION,
    POD,
    UNCALLED_KINDS,
    ApiObject,
    Kind,
    kind_of,
)
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import POD_SCHEDULED, SCHEDULING_GATED
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.times import is_set, set_time, time_of, to_seconds
from rollplane_machinery.well_known import TEMPLATE_GENERATION
from rollplane_rules.disabled import drop_disabled_fields
from rollplane_rules.label_keys import merge_label_keys
from rollplane_rules.registry.addresses import keep_addresses
from rollplane_rules.registry.definitions import note_stored_versions

DEFAULT_NAMESPACE = "default"
NAMESPACE_FINALIZER = "kubernetes"


def prepare_create(obj: ApiObject, *, now: float, uid: str, namespace: str = "", release: Release = LATEST) -> None:
    """Give the new ``obj`` its identity and take out what only the server may set; in place.

    ``namespace`` is that of the request, empty when it names none. What ``release`` does not know goes as well. Raises
    BadRequestError when the object names another namespace. The name must be chosen already.
    """
    kind = kind_of(obj)
    metadata = obj.metadata
    _place(metadata, kind, namespace)
    for field in ("self_link", "resource_version", "deletion_timestamp", "deletion_grace_period_seconds", "generation"):
        metadata.ClearField(field)
    metadata.uid = uid
    set_time(metadata.creation_timestamp, now)
    drop_disabled_fields(obj, None, release)
    if isinstance(obj, core.Pod):
        merge_label_keys(obj, release)
    if _has_generation(kind, release):
        metadata.generation = 1
    if kind.has_status:
        _INITIAL_STATUS.get(type(obj), _clear_status)(obj)
    if isinstance(obj, core.Namespace) and NAMESPACE_FINALIZER not in obj.spec.finalizers:
        obj.spec.finalizers.append(NAMESPACE_FINALIZER)
    if isinstance(obj, apps.DaemonSet):
        # A larger number is kept: it comes with an object moved here from another cluster.
        _set_template_generation(obj, max(1, _template_generation(obj)))


def not_acted_upon(kind: Kind) -> tuple[str, ...]:
    """Return what whoever creates an object of ``kind``, which is kept as JSON, is warned of."""
    if kind.is_custom or kind in ACTING_KINDS:
        return ()
    if kind in UNCALLED_KINDS:
        return (f"Rollplane does not call this {kind.name}: what it would change or refuse passes as it is",)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(kind.singular, kind.plural, strict=False)))
    return (f"Rollplane stores {kind.name[:common]}{kind.plural[common:]} but does not act on them",)


def _has_generation(kind: Kind, release: Release) -> bool:
    return kind.has_generation or (kind is POD and release.pod_generation)


def prepare_update(new: ApiObject, old: ApiObject, release: Release = LATEST) -> None:
    """Take into ``new`` what a write of the main resource cannot change, and count its generation; in place.

    Both must be defaulted. What ``release`` does not know goes, unless it was there before. Raises ConflictError when
    ``new`` names another uid; other changes of immutable metadata are left in for validation to refuse.
    """
    kind = kind_of(new)
    _keep_metadata(new, old)
    if kind.has_status:
        _keep_message(new, old, "status")
    if isinstance(new, core.Namespace):
        _keep_message(new, old, "spec")  # finalizers, which have a subresource of their own
    if isinstance(new, core.Pod) and isinstance(old, core.Pod):
        _keep_priority(new.spec, old.spec)
    if isinstance(new, core.Service) and isinstance(old, core.Service):
        keep_addresses(new, old)
    if kind is CUSTOM_RESOURCE_DEFINITION and isinstance(new, StoredObject):
        note_stored_versions(new)
    if isinstance(new, apps.Deployment | apps.StatefulSet | apps.DaemonSet):
        _end_story(new, old)
    drop_disabled_fields(new, old, release)
    changed = _has_generation(kind, release) and _has_new_generation(new, old)
    if isinstance(new, apps.DaemonSet) and isinstance(old, apps.DaemonSet):
        _count_template(new, old)
    _set_generation(new.metadata, old.metadata, 1 if changed else 0)


def prepare_status_update(new: ApiObject, old: ApiObject) -> None:
    """Take everything but the status, and the metadata that may change along with it, from ``old``; in place.

    Annotations may change, and labels except a Deployment's. Raises UnsupportedError for kinds without a status,
    ConflictError when ``new`` names another uid.
    """
    kind = kind_of(new)
    if not kind.has_status:
        raise UnsupportedError(f"{kind.name} has no status", resource=kind.resource, name=old.metadata.name)
    # A kubelet may have read the pod before a deletion changed these.
    _keep_message(new.metadata, old.metadata, "deletion_timestamp")
    _keep_scalar(new.metadata, old.metadata, "deletion_grace_period_seconds")
    _keep_metadata(new, old)
    _keep_message(new, old, "spec")
    if isinstance(new, StoredObject):
        _keep_entries(new, old, "members")
        if kind.is_custom:
            _keep_all_metadata(new.metadata, old.metadata)
    if isinstance(new, apps.Deployment) and not same_texts(new.metadata.labels, old.metadata.labels):
        _keep_entries(new.metadata, old.metadata, "labels")
    if isinstance(new, core.Pod) and new.metadata.owner_references != old.metadata.owner_references:
        _keep_entries(new.metadata, old.metadata, "owner_references")
    _set_generation(new.metadata, old.metadata, 0)


def mark_deleted(obj: ApiObject, now: float, grace_period_seconds: int) -> bool:
    """Mark ``obj`` as being deleted, in place; return whether that changed anything.

    The first mark raises the generation and says when the grace period ends. A later one can only shorten the period.
    """
    metadata = obj.metadata
    if is_being_deleted(metadata):
        present = metadata.deletion_grace_period_seconds
        if grace_period_seconds >= present:
            return False
        due = to_seconds(metadata.deletion_timestamp) - present + grace_period_seconds
    else:
        due = now + grace_period_seconds
        if metadata.generation > 0:
            metadata.generation += 1
    metadata.deletion_timestamp.CopyFrom(time_of(due))
    metadata.deletion_grace_period_seconds = grace_period_seconds
    if isinstance(obj, core.Namespace):
        obj.status.phase = "Terminating"
    return True


def is_unchanged(new: ApiObject, old: ApiObject) -> bool:
    """Whether ``new`` means the same as ``old``, the resource_version aside; such a write is not stored."""
    return semantic_equal(new, old, ignore=("metadata",)) and semantic_equal(
        _without_version(new.metadata), _without_version(old.metadata)
    )


def _without_version(metadata: meta.ObjectMeta) -> meta.ObjectMeta:
    bare = meta.ObjectMeta()
    bare.CopyFrom(metadata)
    bare.ClearField("resource_version")
    return bare


# Creation


def _place(metadata: meta.ObjectMeta, kind: Kind, namespace: str) -> None:
    if not kind.namespaced:
        metadata.ClearField("namespace")
        return
    if namespace and metadata.namespace and metadata.namespace != namespace:
        raise BadRequestError(
            f"the namespace of the object ({metadata.namespace}) is not that of the request ({namespace})",
            resource=kind.resource,
            name=metadata.name,
        )
    metadata.namespace = metadata.namespace or namespace or DEFAULT_NAMESPACE


def _clear_status(obj: Any) -> None:
    obj.ClearField("status")


def _initial_pod_status(pod: core.Pod) -> None:
    # The class was, or will be, computed by admission from the requests.
    pod.status.CopyFrom(core.PodStatus(phase="Pending", qos_class=pod.status.qos_class))
    if pod.spec.scheduling_gates:
        message = "Scheduling is blocked due to non-empty scheduling gates"
        pod.status.conditions.add(type=POD_SCHEDULED, status=FALSE, reason=SCHEDULING_GATED, message=message)


def _initial_claim_status(claim: core.PersistentVolumeClaim) -> None:
    claim.status.CopyFrom(core.PersistentVolumeClaimStatus(phase="Pending"))


def _initial_namespace_status(namespace: core.Namespace) -> None:
    namespace.status.CopyFrom(core.NamespaceStatus(phase="Active"))


def _keep_status(_node: core.Node) -> None:
    """A node is registered with its status, by the kubelet that knows it."""


_INITIAL_STATUS: Mapping[type, Callable[[Any], None]] = MappingProxyType(
    {
        core.Pod: _initial_pod_status,
        core.PersistentVolumeClaim: _initial_claim_status,
        core.Namespace: _initial_namespace_status,
        core.Node: _keep_status,
    }
)


# Metadata


def _keep_metadata(new: ApiObject, old: ApiObject) -> None:
    """Fill in what only the server sets and a client may leave out."""
    metadata, stored = new.metadata, old.metadata
    if metadata.uid and metadata.uid != stored.uid:
        raise ConflictError(
            f"the uid given is {metadata.uid}, that of the stored object is {stored.uid}",
            resource=kind_of(new).resource,
            name=stored.name,
        )
    metadata.uid = stored.uid
    for field in ("namespace", "deletion_grace_period_seconds", "self_link"):
        if not metadata.HasField(field):
            _keep_scalar(metadata, stored, field)
    for field in ("creation_timestamp", "deletion_timestamp"):
        if not is_set(getattr(metadata, field)):
            _keep_message(metadata, stored, field)
    if not metadata.managed_fields:
        metadata.managed_fields.extend(stored.managed_fields)


def _keep_scalar(new: Message, old: Message, field: str) -> None:
    """Make ``field`` of ``new`` what it is in ``old``, absence included."""
    if old.HasField(field):
        setattr(new, field, getattr(old, field))
    else:
        new.ClearField(field)


def _keep_message(new: Message, old: Message, field: str) -> None:
    """As ``_keep_scalar``, for a field that holds a message."""
    if old.HasField(field):
        getattr(new, field).CopyFrom(getattr(old, field))
    else:
        new.ClearField(field)


def _keep_priority(new: core.PodSpec, old: core.PodSpec) -> None:
    """An update that leaves out what admission made of the pod's class keeps it."""
    for field in ("priority", "preemption_policy"):
        if not new.HasField(field):
            _keep_scalar(new, old, field)


def _keep_entries(new: Message, old: Message, field: str) -> None:
    """As ``_keep_scalar``, for a list or map."""
    new.ClearField(field)
    getattr(new, field).MergeFrom(getattr(old, field))


def _end_story(new: apps.Deployment | apps.StatefulSet | apps.DaemonSet, old: Any) -> None:
    """A template that is changed again is another rollout, of which no rollback that went before tells anything."""
    story = old.metadata.annotations.get(ROLLED_BACK)
    if story is None or new.metadata.annotations.get(ROLLED_BACK) != story:
        return
    if not semantic_equal(new.spec.template, old.spec.template):
        del new.metadata.annotations[ROLLED_BACK]


def _keep_all_metadata(metadata: meta.ObjectMeta, stored: meta.ObjectMeta) -> None:
    """Of a custom object nothing changes along with the status but who wrote it."""
    owners = list(metadata.managed_fields)
    metadata.CopyFrom(stored)
    metadata.ClearField("managed_fields")
    metadata.managed_fields.extend(owners)


# Generation


def _has_new_generation(new: Any, old: Any) -> bool:
    """Whether the spec changed; a Deployment's controller reads its annotations too, so they count as well.

    What is kept as JSON may have its wishes elsewhere than in a spec.
    """
    if isinstance(new, StoredObject):
        beside = ("metadata", "status") if kind_of(new).has_status else ("metadata",)
        return not semantic_equal(new, old, ignore=beside)
    if not semantic_equal(new.spec, old.spec):
        return True
    return isinstance(new, apps.Deployment) and dict(new.metadata.annotations) != dict(old.metadata.annotations)


def _set_generation(new: meta.ObjectMeta, old: meta.ObjectMeta, step: int) -> None:
    _keep_scalar(new, old, "generation")
    if step:
        new.generation += step


def _count_template(new: apps.DaemonSet, old: apps.DaemonSet) -> None:
    changed = not semantic_equal(new.spec.template, old.spec.template)
    _set_template_generation(new, _template_generation(old) + (1 if changed else 0))


def _template_generation(daemon_set: apps.DaemonSet) -> int:
    text = daemon_set.metadata.annotations.get(TEMPLATE_GENERATION, "0")
    try:
        return int(text)
    except ValueError as exc:
        raise BadRequestError(f"annotation {TEMPLATE_GENERATION} is {text!r}, want an integer") from exc


def _set_template_generation(daemon_set: apps.DaemonSet, generation: int) -> None:
    daemon_set.metadata.annotations[TEMPLATE_GENERATION] = str(generation)
