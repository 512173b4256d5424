"""What a write expects of the object that is stored, and the conflict when that is another."""

from __future__ import annotations

from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Key, Preconditions
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.kinds import ApiObject


def conflict(key: Key, why: str) -> ConflictError:
    """The object is not what the caller thought it was."""
    message = f'Operation cannot be fulfilled on {key.kind.resource} "{key.name}": {why}'
    return ConflictError(message, resource=key.kind.resource, name=key.name)


def stale(key: Key) -> ConflictError:
    """The resource version given, or read, is no longer the stored one."""
    return conflict(key, "the object has been modified; please apply your changes to the latest version and try again")


def check_preconditions(key: Key, obj: ApiObject | None, preconditions: Preconditions) -> None:
    """Raise ConflictError unless ``obj``, as stored, is what the caller wants to change; None: nothing is stored."""
    meta = ObjectMeta() if obj is None else obj.metadata
    if preconditions.uid and preconditions.uid != meta.uid:
        why = f"the UID in the precondition ({preconditions.uid}) is not that of the stored object ({meta.uid})"
        raise conflict(key, why)
    if preconditions.resource_version and preconditions.resource_version != meta.resource_version:
        raise stale(key)
