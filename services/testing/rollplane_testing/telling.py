"""What is told of a plane when a test failed: how far its rollouts are and why, and what happened last."""

from __future__ import annotations

from collections import deque

from rollplane_machinery.kinds import EVENT, LEASE, NODE
from rollplane_rehearsal.diagnosing import diagnose, workloads
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rollouts import has_rollout, name_of

LAST = 12
"""How many changes are told, without those that happen by themselves."""
_NOISE = frozenset({EVENT, LEASE, NODE})


def told(plane: Plane) -> list[str]:
    """Return the lines; takes no time and changes nothing."""
    return [*_rollouts(plane), *_violations(plane), *_changes(plane)]


def _rollouts(plane: Plane) -> list[str]:
    lines = [f"  {name_of(each)}: {diagnose(plane, each).sentence}" for each in workloads(plane) if has_rollout(each)]
    return ["rollouts:", *lines] if lines else []


def _violations(plane: Plane) -> list[str]:
    lines = [f"  {violation}" for violation in plane.violations]
    return ["invariants broken:", *lines] if lines else []


def _changes(plane: Plane) -> list[str]:
    changes = deque((each for each in plane.log if each.object.kind not in _NOISE), LAST)
    lines = [f"  {each.at:9.2f} s  {each.type.name.lower()} {each.object.key}" for each in changes]
    return [f"last changes, of {len(plane.log)}:", *lines] if lines else []
