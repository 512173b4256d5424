"""What an object's metadata says: who controls it, and whether it is being deleted."""

from __future__ import annotations

from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery.times import is_set


def controller_of(metadata: ObjectMeta) -> OwnerReference | None:
    """Return the reference that is marked as controller, if any."""
    for reference in metadata.owner_references:
        if reference.controller:
            return reference
    return None


def controller_uid(metadata: ObjectMeta) -> str:
    """Return the uid of the object's controller, empty when there is none."""
    controller = controller_of(metadata)
    return controller.uid if controller is not None else ""


def is_being_deleted(metadata: ObjectMeta) -> bool:
    """Return whether a deletion was asked for; a time without fields, as a message may carry it, means never."""
    return metadata.HasField("deletion_timestamp") and is_set(metadata.deletion_timestamp)
