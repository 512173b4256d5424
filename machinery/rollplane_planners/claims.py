"""Who owns what: adopt matching orphans, release what no longer matches, leave others' alone.

One protocol for every controller: Deployments claim ReplicaSets, all others pods, and those with a history
ControllerRevisions. Source: docs/semantics/deployment.md section 12, replicaset.md section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from enum import Enum
from typing import TypeVar

from rollplane.apps.v1 import ControllerRevision, ReplicaSet
from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Kind
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.selectors import LabelSelector
from rollplane_planners.model import PlanBuilder, UpdateObject
from rollplane_planners.pods import PodView

Claimed = TypeVar("Claimed", ReplicaSet, ControllerRevision)
Whole = Pod | ReplicaSet | ControllerRevision


class Claim(Enum):
    """What an owner's claim on one object comes to."""

    IGNORE = "ignore"
    KEEP = "keep"
    ADOPT = "adopt"
    RELEASE = "release"


@frozen
class Owner:
    """The one who claims."""

    kind: Kind
    name: str
    uid: str
    deleting: bool

    @classmethod
    def of(cls, kind: Kind, metadata: ObjectMeta) -> Owner:
        """Return the object of ``kind`` with that metadata, as an owner."""
        return cls(kind, metadata.name, metadata.uid, is_being_deleted(metadata))

    def reference(self) -> OwnerReference:
        """Return the reference a dependent carries: controller, and blocking the owner's foreground deletion."""
        return OwnerReference(
            api_version=self.kind.api_version,
            kind=self.kind.name,
            name=self.name,
            uid=self.uid,
            controller=True,
            block_owner_deletion=True,
        )


def claim(owner: Owner, controller: str | None, *, matches: bool, deleting: bool) -> Claim:
    """Return what ``owner`` does about an object controlled by the owner of uid ``controller`` (none: an orphan)."""
    if controller:
        if controller != owner.uid:
            return Claim.IGNORE
        if matches:
            return Claim.KEEP
        return Claim.IGNORE if owner.deleting else Claim.RELEASE
    if owner.deleting or deleting or not matches:
        return Claim.IGNORE
    return Claim.ADOPT


def claim_pods(
    owner: Owner,
    pods: Iterable[PodView],
    *,
    selects: Callable[[PodView], bool],
    fetch: Callable[[PodView], Pod],
    result: PlanBuilder,
) -> list[PodView]:
    """Return the pods that are the owner's; adoptions and releases of others are planned in ``result``.

    An adopted pod is not among them: it counts once it is the owner's in the store too.
    """
    mine = []
    for pod in pods:
        verdict = claim(owner, pod.controller_uid, matches=selects(pod), deleting=pod.terminating)
        if verdict is Claim.KEEP:
            mine.append(pod)
        elif verdict is not Claim.IGNORE:
            _change_owner(owner, verdict, fetch(pod), result)
    return mine


def claim_objects(
    owner: Owner, objects: Iterable[Claimed], selector: LabelSelector, result: PlanBuilder
) -> list[Claimed]:
    """Return those of ``objects`` that are the owner's, as ``claim_pods`` does."""
    mine = []
    for one in objects:
        metadata = one.metadata
        matches, deleting = selector.matches(metadata.labels), is_being_deleted(metadata)
        verdict = claim(owner, controller_uid(metadata), matches=matches, deleting=deleting)
        if verdict is Claim.KEEP:
            mine.append(one)
        elif verdict is not Claim.IGNORE:
            _change_owner(owner, verdict, one, result)
    return mine


def _change_owner(owner: Owner, verdict: Claim, present: Whole, result: PlanBuilder) -> None:
    """Plan the adoption or release of an object."""
    wanted = deepcopy(present)
    (_adopt if verdict is Claim.ADOPT else _release)(wanted.metadata, owner)
    result.writes.append(UpdateObject(wanted))
    # A claim is only made in the name of an owner that is seen alive.
    result.confirm_owner = result.confirm_owner or verdict is Claim.ADOPT


def _adopt(metadata: ObjectMeta, owner: Owner) -> None:
    metadata.owner_references.append(owner.reference())


def _release(metadata: ObjectMeta, owner: Owner) -> None:
    kept = [reference for reference in metadata.owner_references if reference.uid != owner.uid]
    del metadata.owner_references[:]
    metadata.owner_references.extend(kept)
