"""The current and the update revision of a StatefulSet (section 4)."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, StatefulSet
from rollplane.core.v1 import PodTemplateSpec
from rollplane_planners.claims import Owner
from rollplane_planners.hashing import fnv1_32, safe_encode
from rollplane_planners.model import CreateObject, UpdateObject
from rollplane_planners.revision_history import in_order, new_revision, numbered
from rollplane_planners.templates import template_data, template_in

HASH_LABEL = "controller.kubernetes.io/hash"
NAME_LIMIT = 223


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two versions a set runs: the revision's name, and the template it stands for."""

    name: str
    template: PodTemplateSpec


@dataclass(frozen=True, slots=True)
class Versions:
    """What pods are made from, and the write that the history needs, if it needs one."""

    current: Version
    update: Version
    collision_count: int
    write: CreateObject | UpdateObject | None = None


def versions_of(
    stateful_set: StatefulSet,
    owner: Owner,
    revisions: Sequence[ControllerRevision],
    taken: Container[str],
    holds: Callable[[ControllerRevision], bool],
) -> Versions:
    """Return both versions; the update revision is found, raised to the latest number, or made.

    ``holds`` tells whether a revision holds the present template.

    For a set that is being deleted no history is made: its revisions may have been cut loose already, and each sync
    would make another. ``taken`` are the names of all revisions in the namespace, whoever owns them: a hash that meets
    one collides.
    """
    known = in_order(revisions)
    data = template_data(stateful_set.spec.template)
    equal = [one for one in known if holds(one)]
    number = (known[-1].revision if known else 0) + 1
    collisions = stateful_set.status.collision_count
    write: CreateObject | UpdateObject | None = None
    if owner.deleting:
        name = equal[-1].metadata.name if equal else stateful_set.status.update_revision
        update = Version(name, stateful_set.spec.template)
        return Versions(_current(stateful_set, known, update), update, collisions)
    if equal:
        found = equal[-1]
        if found.metadata.name != known[-1].metadata.name:
            write = numbered(found, number)
    else:
        found, collisions = _new(stateful_set, owner, taken, number, data)
        write = CreateObject(found)
    update = Version(found.metadata.name, stateful_set.spec.template)
    return Versions(_current(stateful_set, known, update), update, collisions, write)


def _new(
    stateful_set: StatefulSet, owner: Owner, taken: Container[str], number: int, data: bytes
) -> tuple[ControllerRevision, int]:
    """Return a revision whose name nobody has, and the collision count that took."""
    collisions = stateful_set.status.collision_count
    while (name := revision_name(stateful_set, data, collisions)) in taken:
        collisions += 1
    hash_label = (HASH_LABEL, name.rpartition("-")[2])
    return new_revision(stateful_set, owner, name, number, data, hash_label), collisions


def revision_name(stateful_set: StatefulSet, data: bytes, collision_count: int) -> str:
    """Return the name of the revision with that data."""
    digest = safe_encode(fnv1_32(data + str(collision_count).encode()))
    return f"{stateful_set.metadata.name[:NAME_LIMIT]}-{digest}"


def _current(stateful_set: StatefulSet, known: Sequence[ControllerRevision], update: Version) -> Version:
    """Return the version the status names; one that is not there any more becomes the update version."""
    name = stateful_set.status.current_revision
    found = next((one for one in known if one.metadata.name == name), None)
    if found is None or found.metadata.name == update.name:
        return update
    return Version(name, template_in(found.data.raw))
