"""What the controllers' informer keeps of each object beside its bytes.

Whole messages are parsed only when a key is planned; between two looks these few fields answer who is meant.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta, PartialObjectMetadata
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_planners.pods import PodView, pod_view


@frozen
class ObjectView:
    """An object's metadata, as far as controllers ask for it."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    controller_uid: str | None
    owner_uids: tuple[str, ...]
    blocked_uids: tuple[str, ...]
    """The owners whose foreground deletion waits for this object."""
    finalizers: tuple[str, ...]
    terminating: bool


@frozen
class WatchedPod(ObjectView):
    """A pod: its metadata, and what planners read of it."""

    pod: PodView


View = ObjectView


def make_view(encoded: Encoded) -> View:
    """Return the view of the object."""
    if encoded.kind is POD:
        pod = encoded.read_as(Pod)
        view = pod_view(pod)
        return WatchedPod(
            view.namespace,
            view.name,
            view.uid,
            view.labels,
            view.controller_uid,
            _owner_uids(pod.metadata),
            _blocked_uids(pod.metadata),
            tuple(pod.metadata.finalizers),
            view.terminating,
            view,
        )
    return _object_view(encoded.read_as(PartialObjectMetadata).metadata)


def _owner_uids(metadata: ObjectMeta) -> tuple[str, ...]:
    return tuple([reference.uid for reference in metadata.owner_references])


def _blocked_uids(metadata: ObjectMeta) -> tuple[str, ...]:
    return tuple([one.uid for one in metadata.owner_references if one.block_owner_deletion])


def _object_view(metadata: ObjectMeta) -> ObjectView:
    return ObjectView(
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        labels=dict(metadata.labels),
        controller_uid=controller_uid(metadata) or None,
        owner_uids=_owner_uids(metadata),
        blocked_uids=_blocked_uids(metadata),
        finalizers=tuple(metadata.finalizers),
        terminating=is_being_deleted(metadata),
    )
