"""ControllerRevisions: the history that StatefulSets and DaemonSets keep of their pod templates.

A revision's data is a strategic merge patch that brings its template back; which revision holds a template is for
``templates`` to say. Source:
docs/semantics/statefulset.md section 4, daemonset.md section 7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rollplane.apps.v1 import ControllerRevision, DaemonSet, StatefulSet
from rollplane_machinery.kinds import CONTROLLER_REVISION
from rollplane_planners.claims import Owner
from rollplane_planners.model import DeleteObject, UpdateObject

RevisionOwner = StatefulSet | DaemonSet


def in_order(revisions: Iterable[ControllerRevision]) -> list[ControllerRevision]:
    """Return revisions by number, then age, then name."""
    return sorted(revisions, key=lambda one: (one.revision, one.metadata.creation_timestamp.seconds, one.metadata.name))


def new_revision(
    holder: RevisionOwner, owner: Owner, name: str, number: int, data: bytes, hash_label: tuple[str, str]
) -> ControllerRevision:
    """Return the revision to create: the template's labels and the set's annotations make history readable."""
    revision = ControllerRevision(revision=number)
    revision.metadata.name, revision.metadata.namespace = name, holder.metadata.namespace
    revision.metadata.labels.update(holder.spec.template.metadata.labels)
    revision.metadata.labels[hash_label[0]] = hash_label[1]
    revision.metadata.annotations.update(holder.metadata.annotations)
    revision.metadata.owner_references.append(owner.reference())
    revision.data.raw = data
    return revision


def numbered(revision: ControllerRevision, number: int) -> UpdateObject:
    """Return the write that gives an existing revision a new number: a rollback has made it the latest."""
    wanted = ControllerRevision()
    wanted.CopyFrom(revision)
    wanted.revision = number
    return UpdateObject(wanted)


def truncated(revisions: Sequence[ControllerRevision], live: Collection[str], limit: int) -> list[DeleteObject]:
    """Return deletions of the oldest revisions that nothing uses, beyond ``limit``; live ones do not count."""
    idle = [one for one in in_order(revisions) if one.metadata.name not in live]
    return [deletion(one) for one in idle[: max(0, len(idle) - limit)]]


def deletion(revision: ControllerRevision) -> DeleteObject:
    """Return the write that deletes a revision."""
    metadata = revision.metadata
    return DeleteObject(CONTROLLER_REVISION, metadata.namespace, metadata.name, metadata.uid)
