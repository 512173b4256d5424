"""What becomes of an object whose owners go (semantics/api-conventions.md section 4).

An owner is *solid* when it exists under the uid named, *waiting* when it exists and is being deleted in the
foreground, *dangling* when it is not there, or there under another uid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery.api import Propagation

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Standing(Enum):
    """How it stands with one owner."""

    SOLID = "solid"
    WAITING = "waiting"
    DANGLING = "dangling"


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Detach:
    """Stay, without the references to owners with these uids."""

    uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Collect:
    """Go, with dependents treated as ``propagation`` says."""

    propagation: Propagation


Verdict = Keep | Detach | Collect


def judge(metadata: ObjectMeta, standings: Sequence[Standing], *, has_dependents: bool) -> Verdict:
    """Return what becomes of a dependent; ``standings`` go with its owner references, in their order."""
    references = metadata.owner_references
    if not references:
        return Keep()
    if Standing.SOLID in standings:
        gone = frozenset(
            reference.uid
            for reference, standing in zip(references, standings, strict=True)
            if standing is not Standing.SOLID
        )
        return Detach(gone) if gone else Keep()
    if metadata.HasField("deletion_timestamp"):
        return Keep()
    if Standing.WAITING in standings and has_dependents:
        return Collect(Propagation.FOREGROUND)
    return Collect(_own_policy(metadata))


def _own_policy(metadata: ObjectMeta) -> Propagation:
    """Return the policy an earlier deletion left in the finalizers, else Background."""
    if ORPHAN in metadata.finalizers:
        return Propagation.ORPHAN
    if FOREGROUND in metadata.finalizers:
        return Propagation.FOREGROUND
    return Propagation.BACKGROUND


def without_references(references: Sequence[OwnerReference], uids: frozenset[str]) -> list[OwnerReference]:
    """Return the references to all other owners."""
    return [reference for reference in references if reference.uid not in uids]
