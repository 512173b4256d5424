"""Who owns what: adopt matching orphans, release what no longer matches, leave others' alone.

Source: docs/semantics/deployment.md section 12, the same for ReplicaSets of a Deployment, pods of any controller and
ControllerRevisions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery.kinds import Kind


class Claim(Enum):
    """What an owner's claim on one object comes to."""

    IGNORE = "ignore"
    KEEP = "keep"
    ADOPT = "adopt"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Owner:
    """The one who claims."""

    kind: Kind
    name: str
    uid: str
    deleting: bool

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


def claim(owner: Owner, controller_uid: str | None, *, matches: bool, deleting: bool) -> Claim:
    """Return what ``owner`` does about an object controlled by ``controller_uid`` (None: an orphan)."""
    if controller_uid is not None:
        if controller_uid != owner.uid:
            return Claim.IGNORE
        if matches:
            return Claim.KEEP
        return Claim.IGNORE if owner.deleting else Claim.RELEASE
    if owner.deleting or deleting or not matches:
        return Claim.IGNORE
    return Claim.ADOPT


def adopt(metadata: ObjectMeta, owner: Owner) -> None:
    """Add ``owner``'s reference in place."""
    metadata.owner_references.append(owner.reference())


def release(metadata: ObjectMeta, owner: Owner) -> None:
    """Drop ``owner``'s reference in place."""
    kept = [reference for reference in metadata.owner_references if reference.uid != owner.uid]
    del metadata.owner_references[:]
    metadata.owner_references.extend(kept)


Matcher = Callable[[dict[str, str]], bool]
