"""The current revision of a DaemonSet, and the hash its pods carry (section 7)."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, DaemonSet
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners.claims import Owner
from rollplane_planners.hashing import template_hash
from rollplane_planners.model import CreateObject, DeleteObject, UpdateObject
from rollplane_planners.revision_history import deletion, in_order, new_revision, numbered
from rollplane_planners.templates import Templates, template_data


@dataclass(frozen=True, slots=True)
class Current:
    """The present template's revision. ``hash`` labels its pods; ``spare`` are older revisions that say the same."""

    hash: str
    old: Sequence[ControllerRevision]
    writes: Sequence[CreateObject | UpdateObject] = ()
    spare: Sequence[ControllerRevision] = ()
    collision_count: int | None = None

    @property
    def merged(self) -> frozenset[str]:
        """The hashes that pods of the present template may carry beside ``hash``."""
        return frozenset(hash_of(one) for one in self.spare)


def labelled(revisions: Iterable[ControllerRevision]) -> list[UpdateObject]:
    """Return the writes that give each revision without a hash label one: its own name."""
    writes = []
    for one in revisions:
        if REVISION_LABEL not in one.metadata.labels:
            wanted = ControllerRevision()
            wanted.CopyFrom(one)
            wanted.metadata.labels[REVISION_LABEL] = one.metadata.name
            writes.append(UpdateObject(wanted))
    return writes


def current_of(
    daemon_set: DaemonSet,
    owner: Owner,
    revisions: Sequence[ControllerRevision],
    taken: Container[str],
    templates: Templates,
) -> Current:
    """Return the current revision: found, raised to the latest number, or made.

    ``taken`` are the names of all revisions in the namespace, whoever owns them: a hash that meets one collides.
    """
    data = template_data(daemon_set.spec.template)
    known = in_order(revisions)
    template = daemon_set.spec.template
    same = [one for one in known if templates.held(one.data.raw, template, by_meaning=False)]
    old = [one for one in known if one not in same]
    number = max((one.revision for one in old), default=0) + 1
    if not same:
        return _made(daemon_set, owner, old, number, data, taken)
    kept = same[-1]
    writes = [numbered(kept, number)] if kept.revision < number else []
    return Current(hash_of(kept), old, writes, same[:-1])


def hash_of(revision: ControllerRevision) -> str:
    """Return the hash a revision's pods carry; one without a label goes by its own name."""
    return revision.metadata.labels.get(REVISION_LABEL, revision.metadata.name)


def _made(
    daemon_set: DaemonSet,
    owner: Owner,
    old: Sequence[ControllerRevision],
    number: int,
    data: bytes,
    taken: Container[str],
) -> Current:
    """Return a new revision under a name that nobody has."""
    stored = daemon_set.status
    collisions = stored.collision_count if stored.HasField("collision_count") else None
    digest = template_hash(daemon_set.spec.template, collisions)
    while f"{daemon_set.metadata.name}-{digest}" in taken:
        collisions = (collisions or 0) + 1
        digest = template_hash(daemon_set.spec.template, collisions)
    name = f"{daemon_set.metadata.name}-{digest}"
    made = new_revision(daemon_set, owner, name, number, data, (REVISION_LABEL, digest))
    return Current(digest, old, (CreateObject(made),), collision_count=collisions)


def surplus(current: Current, live: Collection[str], limit: int) -> list[DeleteObject]:
    """Return deletions of the oldest revisions beyond ``limit`` whose hash no live pod carries."""
    excess = len(current.old) - limit
    idle = [one for one in current.old if hash_of(one) not in live]
    return [deletion(one) for one in idle[: max(0, excess)]]
