"""What the controllers' informer keeps of each object beside its bytes.

Whole messages are parsed only when a key is planned; between two looks these few fields answer who is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta, PartialObjectMetadata
from rollplane_machinery.api import Key
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.remembering import same, same_labels, same_texts
from rollplane_planners.pods import PodView, pod_view


@frozen
class ObjectView:
    """An object's metadata, as far as controllers ask for it."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    controller_uid: str | None
    other_owner_uids: tuple[str, ...]
    """The owners beside the controller."""
    blocked_uids: tuple[str, ...]
    """The owners whose foreground deletion waits for this object."""
    finalizers: tuple[str, ...]
    terminating: bool

    @property
    def owner_uids(self) -> tuple[str, ...]:
        """All owners, the controller first."""
        return (self.controller_uid, *self.other_owner_uids) if self.controller_uid else self.other_owner_uids


@frozen
class WatchedPod(ObjectView):
    """A pod: its metadata, and what planners read of it."""

    pod: PodView


View = ObjectView


def _nothing_known(_key: Key) -> View | None:
    return None


def make_view(encoded: Encoded, known: Callable[[Key], View | None] = _nothing_known) -> View:
    """Return the view of the object; ``known`` returns that of what was stored under its key before."""
    if encoded.kind is not POD:
        return _object_view(encoded.read_as(PartialObjectMetadata).metadata)
    pod = encoded.read_as(Pod)
    key = encoded.key
    former = known(key)
    view = pod_view(pod, key.name, former.pod if isinstance(former, WatchedPod) else None)
    metadata = pod.metadata
    return WatchedPod(
        view.namespace,
        view.name,
        view.uid,
        view.labels,
        view.controller_uid,
        _other_owner_uids(metadata),
        _blocked_uids(metadata),
        tuple(metadata.finalizers),
        view.terminating,
        view,
    )


def _other_owner_uids(metadata: ObjectMeta) -> tuple[str, ...]:
    return same_texts(*[one.uid for one in metadata.owner_references if not one.controller])


def _blocked_uids(metadata: ObjectMeta) -> tuple[str, ...]:
    return same_texts(*[one.uid for one in metadata.owner_references if one.block_owner_deletion])


def _object_view(metadata: ObjectMeta) -> ObjectView:
    return ObjectView(
        namespace=same(metadata.namespace),
        name=metadata.name,
        uid=metadata.uid,
        labels=same_labels(metadata.labels),
        controller_uid=same(controller_uid(metadata)) or None,
        other_owner_uids=_other_owner_uids(metadata),
        blocked_uids=_blocked_uids(metadata),
        finalizers=tuple(metadata.finalizers),
        terminating=is_being_deleted(metadata),
    )
