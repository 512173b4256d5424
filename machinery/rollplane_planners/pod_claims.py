"""Claiming pods: one protocol for every controller that owns pods (docs/semantics/replicaset.md section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rollplane.core.v1 import Pod
from rollplane_planners.claims import Claim, Owner, adopt, claim, release
from rollplane_planners.model import PlanBuilder, UpdateObject
from rollplane_planners.pods import PodView


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
            result.writes.append(_with_owner_changed(owner, fetch(pod), verdict))
            result.confirm_owner = result.confirm_owner or verdict is Claim.ADOPT
    return mine


def _with_owner_changed(owner: Owner, pod: Pod, verdict: Claim) -> UpdateObject:
    wanted = Pod()
    wanted.CopyFrom(pod)
    (adopt if verdict is Claim.ADOPT else release)(wanted.metadata, owner)
    return UpdateObject(wanted)
