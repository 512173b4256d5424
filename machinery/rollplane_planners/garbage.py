"""What becomes of an object whose owners go (docs/semantics/api-conventions.md section 4).

An owner is *solid* when it exists under the uid named, *waiting* when it exists and is being deleted in the
foreground, *dangling* when it is not there, or there under another uid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Propagation
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.well_known import FOREGROUND, ORPHAN


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
    """Go, with dependents treated as ``propagation`` says.

    ``unblock``: first let the owners no longer wait for it. Else, in a circle, each would wait for the next for ever.
    """

    propagation: Propagation
    unblock: bool = False


Verdict = Keep | Detach | Collect


def judge(
    metadata: ObjectMeta, standings: Sequence[Standing], *, has_dependents: bool, in_circle: bool = False
) -> Verdict:
    """Return what becomes of a dependent; ``standings`` go with its owner references, in their order.

    ``in_circle`` tells that, by way of waiting owners, it is an owner of its own.
    """
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
    if is_being_deleted(metadata):
        return Keep()
    if Standing.WAITING in standings and has_dependents:
        return Collect(Propagation.FOREGROUND, unblock=in_circle)
    return Collect(_own_policy(metadata))


def _own_policy(metadata: ObjectMeta) -> Propagation:
    """Return the policy an earlier deletion left in the finalizers, else Background."""
    if ORPHAN in metadata.finalizers:
        return Propagation.ORPHAN
    if FOREGROUND in metadata.finalizers:
        return Propagation.FOREGROUND
    return Propagation.BACKGROUND


def detach(metadata: ObjectMeta, uids: frozenset[str]) -> None:
    """Drop the references to owners with these uids in place."""
    kept = [reference for reference in metadata.owner_references if reference.uid not in uids]
    del metadata.owner_references[:]
    metadata.owner_references.extend(kept)


def unblock(metadata: ObjectMeta) -> None:
    """Let no owner's foreground deletion wait for this object any more, in place."""
    for reference in metadata.owner_references:
        reference.block_owner_deletion = False


def drop_finalizer(metadata: ObjectMeta, finalizer: str) -> None:
    """Drop ``finalizer`` in place."""
    kept = [one for one in metadata.finalizers if one != finalizer]
    del metadata.finalizers[:]
    metadata.finalizers.extend(kept)
