"""Which pods die first when there are too many (docs/semantics/replicaset.md section 5).

Releases from 1.22 on take deletion cost into account and compare ages by order of magnitude.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rollplane_machinery.pods import PENDING, RUNNING
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.pods import PodView

_PHASE_ORDER = {PENDING: 0, "": 0, "Unknown": 1, RUNNING: 2}
_NANOSECONDS = 1_000_000_000
_Age = Callable[[float], float]


def choose_victims(
    pods: Sequence[PodView],
    count: int,
    related_on_node: Mapping[str, int],
    now: float,
    release: Release = LATEST,
) -> list[PodView]:
    """Return the ``count`` pods to delete.

    ``related_on_node`` counts, by node, the active pods of all ReplicaSets with the same controller: the fullest nodes
    give theirs up first, so that survivors are spread.
    """
    if count >= len(pods):
        return list(pods)

    def age(since: float) -> float:
        return _magnitude(now - since) if release.victims_by_cost else now - since

    if not release.victims_by_cost:
        pods = [replace(pod, deletion_cost=0) for pod in pods]
    among_equals = functools.cmp_to_key(functools.partial(_compare, age))
    return sorted(pods, key=lambda pod: (_standing(pod, related_on_node), among_equals(pod)))[:count]


def _compare(age: _Age, one: PodView, other: PodView) -> int:
    """Return a negative number when ``one`` dies before ``other``, which has the same standing."""
    if one.ready and one.ready_since != other.ready_since:
        return _younger_first(one.ready_since, other.ready_since, one.uid, other.uid, age)
    if one.restarts != other.restarts:
        return other.restarts - one.restarts
    if one.created != other.created:
        return _younger_first(one.created, other.created, one.uid, other.uid, age)
    return -1 if one.uid < other.uid else 1


def _standing(pod: PodView, related_on_node: Mapping[str, int]) -> tuple[bool, int, bool, int, int]:
    """Return rules 1 to 5: unassigned, then by phase, not ready, cheap, and crowded pods come first."""
    crowd = related_on_node.get(pod.node_name, 0)
    return (bool(pod.node_name), _PHASE_ORDER.get(pod.phase, 2), pod.ready, pod.deletion_cost, -crowd)


def _younger_first(one: float | None, other: float | None, one_uid: str, other_uid: str, age: _Age) -> int:
    """Compare ages as ``age`` counts them; equals by uid. A missing time is youngest."""
    if not one or not other:
        return -1 if not one else 1
    ages = age(one), age(other)
    if ages[0] == ages[1]:
        return -1 if one_uid < other_uid else 1
    return -1 if ages[0] < ages[1] else 1


def _magnitude(age: float) -> int:
    """Return the base-2 logarithm of an age in nanoseconds, truncated."""
    return max(0, int(age * _NANOSECONDS)).bit_length()
