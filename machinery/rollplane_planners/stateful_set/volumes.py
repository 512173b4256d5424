"""The claims of each ordinal: their names, their making, and who owns them (section 8)."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, Volume
from rollplane.meta.v1 import OwnerReference
from rollplane_machinery.kinds import POD, STATEFUL_SET
from rollplane_planners.claims import Owner

DELETE = "Delete"


def claims_of(stateful_set: StatefulSet, ordinal: int) -> Iterator[tuple[str, PersistentVolumeClaim]]:
    """Yield the claims of an ordinal by the names of their templates, as they are created."""
    for template in stateful_set.spec.volume_claim_templates:
        claim = PersistentVolumeClaim(spec=template.spec)
        name = template.metadata.name
        claim.metadata.name = f"{name}-{stateful_set.metadata.name}-{ordinal}"
        claim.metadata.namespace = stateful_set.metadata.namespace
        claim.metadata.labels.update(template.metadata.labels)
        claim.metadata.labels.update(stateful_set.spec.selector.match_labels)
        claim.metadata.annotations.update(template.metadata.annotations)
        yield name, claim


def set_claims(stateful_set: StatefulSet, pod: Pod, ordinal: int) -> None:
    """Make the pod use its claims, in place; a volume of the template with a claim's name gives way."""
    claims = dict(claims_of(stateful_set, ordinal))
    if not claims:
        return
    kept = [volume for volume in pod.spec.volumes if volume.name not in claims]
    del pod.spec.volumes[:]
    pod.spec.volumes.extend(_volume(name, claim) for name, claim in claims.items())
    pod.spec.volumes.extend(kept)


def _volume(name: str, claim: PersistentVolumeClaim) -> Volume:
    volume = Volume(name=name)
    source = PersistentVolumeClaimVolumeSource(claim_name=claim.metadata.name, read_only=False)
    volume.volume_source.persistent_volume_claim.CopyFrom(source)
    return volume


def uses_claims(stateful_set: StatefulSet, pod: Pod, ordinal: int) -> bool:
    """Tell whether the pod mounts the claims of its ordinal."""
    used = {volume.name: volume.volume_source.persistent_volume_claim.claim_name for volume in pod.spec.volumes}
    return all(used.get(name) == claim.metadata.name for name, claim in claims_of(stateful_set, ordinal))


def wanted_owner(stateful_set: StatefulSet, pod: Pod | None, *, condemned: bool) -> OwnerReference | None:
    """Return the owner that the retention policy gives a claim, None when nobody shall own it.

    With a condemned pod go the claims that whenScaled deletes; with the set go those that whenDeleted deletes.
    """
    policy = stateful_set.spec.persistent_volume_claim_retention_policy
    if condemned and policy.when_scaled == DELETE and pod is not None:
        return Owner.of(POD, pod.metadata).reference()
    if policy.when_deleted == DELETE:
        return Owner.of(STATEFUL_SET, stateful_set.metadata).reference()
    return None


def fix_owner(
    stateful_set: StatefulSet, claim: PersistentVolumeClaim, pod: Pod | None, *, condemned: bool
) -> PersistentVolumeClaim | None:
    """Return the claim with the owner it should have, None when it has it. One that others control is left alone."""
    ours = {(STATEFUL_SET.name, stateful_set.metadata.name)}
    if pod is not None:
        ours.add((POD.name, pod.metadata.name))
    references = claim.metadata.owner_references
    if any(one.controller and (one.kind, one.name) not in ours for one in references):
        return None
    wanted = wanted_owner(stateful_set, pod, condemned=condemned)
    kept = [one for one in references if (one.kind, one.name) not in ours]
    goal = [*kept, wanted] if wanted is not None else kept
    if list(references) == goal:
        return None
    fixed = PersistentVolumeClaim()
    fixed.CopyFrom(claim)
    del fixed.metadata.owner_references[:]
    fixed.metadata.owner_references.extend(goal)
    return fixed


def is_stale(stateful_set: StatefulSet, claim: PersistentVolumeClaim, pod_name: str) -> bool:
    """Tell whether a claim belongs to a pod or set of this name that is gone: the collector will delete it.

    Asked before the pod ``pod_name`` is created, so whatever pod of that name the claim refers to is no more.
    """
    for reference in claim.metadata.owner_references:
        if (reference.kind, reference.name) == (POD.name, pod_name):
            return True
        named = (reference.kind, reference.name) == (STATEFUL_SET.name, stateful_set.metadata.name)
        if named and reference.uid != stateful_set.metadata.uid:
            return True
    return False
