"""What follows the last resize: the old controller goes, and where only an image was named its name is taken over.

Source: docs/semantics/rolling-update.md section 8, but for two things that keep an interrupted update from losing its
memory. The annotations leave the new controller after the old one is gone, not before. And a rename first makes a
place holder that bears the old name, has no pods and selects none: it remembers the update when the temporary
controller, which lets go of its pods, is no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import ReplicationController
from rollplane_machinery.api import Propagation
from rollplane_machinery.kinds import REPLICATION_CONTROLLER
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    BOOKKEEPING,
    DESIRED_REPLICAS,
    PARTNER,
    RENAMED_FROM,
    RENAMING_LABEL,
    SOURCE_ID,
    STATE,
    CleanupPolicy,
    Source,
    Step,
    UpdateState,
    set_state,
)
from rollplane_planners.model import CreateObject, DeleteObject, PlannedWrite, UpdateObject
from rollplane_planners.rolling_update.view import copy_of

PLACE_HOLDER_REPLICAS = 0


def plan_deletion(source: ReplicationController) -> Sequence[PlannedWrite]:
    """Return the deletion of the emptied source; none while it is on its way."""
    return [] if is_being_deleted(source.metadata) else [_deletion(source, None)]


def plan_completion(target: ReplicationController) -> Sequence[PlannedWrite]:
    """Return the write that ends the update: its annotations go."""
    wanted = copy_of(target)
    for key in (SOURCE_ID, DESIRED_REPLICAS, PARTNER, STATE):
        wanted.metadata.annotations.pop(key, None)
    return [UpdateObject(wanted)]


def plan_place_holder(target: ReplicationController, state: UpdateState, name: str) -> Sequence[PlannedWrite]:
    """Return the creation of the controller that is to take over ``target``'s pods under ``name``."""
    holder = ReplicationController()
    holder.metadata.name, holder.metadata.namespace = name, target.metadata.namespace
    holder.metadata.labels.update(target.metadata.labels)
    holder.metadata.annotations.update(
        {key: value for key, value in target.metadata.annotations.items() if key not in BOOKKEEPING}
    )
    holder.metadata.annotations[RENAMED_FROM] = target.metadata.name
    holder.metadata.annotations[SOURCE_ID] = str(Source(target.metadata.name, target.metadata.uid))
    holder.metadata.annotations[DESIRED_REPLICAS] = str(target.spec.replicas)
    message = f"Renaming {target.metadata.name} to {name}"
    set_state(
        holder,
        UpdateState(Step.RENAME, CleanupPolicy.RENAME, state.pace, state.turn, state.since, messages=(message,)),
    )
    holder.spec.CopyFrom(target.spec)
    holder.spec.replicas = PLACE_HOLDER_REPLICAS
    holder.spec.selector[RENAMING_LABEL] = target.metadata.uid
    holder.spec.template.metadata.labels[RENAMING_LABEL] = target.metadata.uid
    return [CreateObject(holder)]


def plan_rename(
    holder: ReplicationController, temporary: ReplicationController | None, size: int
) -> Sequence[PlannedWrite]:
    """Return the next step of a rename: the temporary controller lets go of its pods, then the holder takes them.

    None while the temporary one is on its way. ``size`` is how many pods there are to take over.
    """
    if temporary is None:
        return [_taking_over(holder, size)]
    if is_being_deleted(temporary.metadata):
        return []
    return [_deletion(temporary, Propagation.ORPHAN)]


def _taking_over(holder: ReplicationController, size: int) -> UpdateObject:
    wanted = copy_of(holder)
    for key in (SOURCE_ID, DESIRED_REPLICAS, STATE):
        wanted.metadata.annotations.pop(key, None)
    wanted.spec.replicas = size
    wanted.spec.selector.pop(RENAMING_LABEL, None)
    wanted.spec.template.metadata.labels.pop(RENAMING_LABEL, None)
    return UpdateObject(wanted)


def _deletion(one: ReplicationController, propagation: Propagation | None) -> DeleteObject:
    metadata = one.metadata
    return DeleteObject(
        REPLICATION_CONTROLLER,
        metadata.namespace,
        metadata.name,
        metadata.uid,
        resource_version=metadata.resource_version,
        propagation=propagation,
    )
