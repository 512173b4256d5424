"""Who is asking, as authentication established it, and the one rule that follows from it today: fences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rollplane_machinery import kinds
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import FencedError, ForbiddenError
from rollplane_machinery.kinds import Kind


class Role(Enum):
    """What a caller may be, each by the name that calls carry."""

    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"
    NODE = "node"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller; ``name`` is for logs and managed fields."""

    name: str
    role: Role


ADMIN = Identity("admin", Role.ADMIN)
"""The caller of a plane that trusts its loopback."""


def check_fence(identity: Identity, kind: Kind, fence: Fence | None) -> None:
    """Raise when a write to ``kind`` carries the wrong proof of ownership for its caller.

    A controller without an epoch may be one that was deposed and does not know it: FencedError. Leases are exempt,
    since an epoch *is* the revision of the Lease write that won the shard. Anyone else's fence is a ForbiddenError.
    """
    if identity.role is not Role.CONTROLLER:
        if fence is not None:
            raise ForbiddenError(f"{identity.name} is no controller and must not send a fence", resource=kind.resource)
    elif fence is None and kind is not kinds.LEASE:
        raise FencedError(f"controller {identity.name} sent no fence", resource=kind.resource)
