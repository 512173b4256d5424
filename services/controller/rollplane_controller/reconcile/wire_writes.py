"""From planned writes to writes on the wire: pods get their names, everything its owner, fence and group."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from random import Random

from rollplane.core.v1 import Pod
from rollplane_controller.reconcile.pod_names import named, new_pods
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    Key,
    Patch,
    PatchType,
    Preconditions,
    Update,
    UpdateStatus,
    Write,
    WriteOptions,
)
from rollplane_machinery.codec import message_to_json
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import POD, Encoded
from rollplane_planners.claims import Owner
from rollplane_planners.model import (
    BindPod,
    CreateDistinctPods,
    CreateObject,
    CreatePods,
    DeleteObject,
    MarkPod,
    PlannedEvent,
    PlannedWrite,
    UpdateMetadata,
    UpdateObject,
    UpdateObjectStatus,
)


@frozen
class Sent:
    """One write on its way, and the events its success deserves."""

    write: Write
    events: Sequence[PlannedEvent] = ()


def wire_writes(write: PlannedWrite, key: Key, uid: str, options: WriteOptions, random: Random) -> Iterator[Sent]:
    """Yield what a write is on the wire that was planned for the object of ``key`` with that uid.

    Creates and updates hang together in one group: after the first refusal the rest is not attempted, so that a quota
    costs one doomed call and no status tells of a ReplicaSet that could not be made.
    """
    group = str(key)
    match write:
        case CreatePods():
            owner = Owner(key.kind, key.name, uid, deleting=False)
            pods = new_pods(write, owner, key.namespace, random)
            yield from (_creation(pod, options, group) for pod in pods)
        case CreateDistinctPods():
            yield from (_creation(pod, options, group) for pod in named(write, random))
        case CreateObject():
            yield Sent(Create(Encoded.of(write.object), options, group), write.events)
        case UpdateObject():
            yield Sent(Update(Encoded.of(write.object), options, "" if write.regardless else group), write.events)
        case UpdateObjectStatus():
            yield Sent(UpdateStatus(Encoded.of(write.object), options, "" if write.regardless else group), write.events)
        case UpdateMetadata():
            yield Sent(_metadata_patch(write, options, "" if write.regardless else group), write.events)
        case BindPod():
            pod = Key(POD, write.namespace, write.name)
            yield Sent(Bind(pod, write.node, Preconditions(uid=write.uid), options), write.events)
        case MarkPod():
            yield Sent(_mark(write, options, group))
        case DeleteObject():
            yield Sent(_deletion(write, options, group if write.is_last else ""), write.events)


def _creation(pod: Pod, options: WriteOptions, group: str) -> Sent:
    event = PlannedEvent("SuccessfulCreate", f"Created pod: {pod.metadata.name}")
    return Sent(Create(Encoded.of(pod), options, group), (event,))


def _metadata_patch(write: UpdateMetadata, options: WriteOptions, group: str) -> Patch:
    metadata = write.metadata
    document = {
        "uid": metadata.uid,
        "resourceVersion": metadata.resource_version,
        "ownerReferences": [message_to_json(reference) for reference in metadata.owner_references],
        "finalizers": list(metadata.finalizers),
    }
    target = Key(write.kind, metadata.namespace, metadata.name)
    return Patch(target, PatchType.MERGE, json.dumps({"metadata": document}).encode(), options=options, group=group)


def _mark(write: MarkPod, options: WriteOptions, group: str) -> Patch:
    document = {"metadata": {"uid": write.uid}, "status": {"conditions": [message_to_json(write.condition)]}}
    pod = Key(POD, write.namespace, write.name)
    return Patch(pod, PatchType.STRATEGIC_MERGE, json.dumps(document).encode(), "status", options, group)


def _deletion(write: DeleteObject, options: WriteOptions, group: str) -> Delete:
    target = Key(write.kind, write.namespace, write.name)
    preconditions = Preconditions(write.uid, write.resource_version)
    return Delete(target, write.grace_period_seconds, write.propagation, preconditions, options, group)
