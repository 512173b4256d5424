"""Claims of StatefulSets and their retention: docs/semantics/statefulset.md section 8."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane_planners.claim_binding import plan_claim
from rollplane_planners.model import NOTHING, CreateObject, UpdateObjectStatus
from tests.planners.pods import NOW, said
from tests.planners.stateful_sets import (
    UID,
    a_claim_template,
    a_stateful_set,
    claim_steps,
    member,
    members,
    plan,
    steps,
)


def a_set(replicas: int = 2, *, deleted: str = "Retain", scaled: str = "Retain", **spec: Any) -> StatefulSet:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    templates = [a_claim_template()]
    return a_stateful_set(
        "v1", replicas, volumeClaimTemplates=templates, persistentVolumeClaimRetentionPolicy=policy, **spec
    )


def a_claim(ordinal: int, *owners: tuple[str, str, str], controller: bool = True) -> PersistentVolumeClaim:
    """Return the stored claim of an ordinal; ``owners`` are kind, name and uid."""
    claim = PersistentVolumeClaim()
    claim.metadata.name, claim.metadata.namespace = f"data-db-{ordinal}", "shop"
    for kind, name, uid in owners:
        claim.metadata.owner_references.add(
            api_version="v1" if kind == "Pod" else "apps/v1",
            kind=kind,
            name=name,
            uid=uid,
            controller=controller,
            block_owner_deletion=True,
        )
    return claim


SET_OWNER = ("StatefulSet", "db", UID)


def with_storage(pod: Pod) -> Pod:
    """Let a pod use the claim of its ordinal."""
    volume = pod.spec.volumes.add(name="data")
    volume.volume_source.persistent_volume_claim.claim_name = f"data-{pod.metadata.name}"
    return pod


def test_claims_come_before_the_pod() -> None:
    made = plan(a_set(), [])
    assert claim_steps(made) == ["+data-db-0"]
    assert steps(made) == ["+db-0@v1"]
    first, second = (write.object for write in made.writes if isinstance(write, CreateObject))
    assert isinstance(first, PersistentVolumeClaim)
    assert dict(first.metadata.labels) == {"app": "db"}
    assert first.spec.access_modes == ["ReadWriteOnce"]
    assert isinstance(second, Pod)
    (volume,) = second.spec.volumes
    assert (volume.name, volume.volume_source.persistent_volume_claim.claim_name) == ("data", "data-db-0")


def test_existing_claim_is_used_whatever_it_asks_for() -> None:
    made = plan(a_set(), [], claims=[a_claim(0)])
    assert claim_steps(made) == []
    assert steps(made) == ["+db-0@v1"]


def test_claim_replaces_a_volume_of_its_name() -> None:
    stateful_set = a_set()
    volume = stateful_set.spec.template.spec.volumes.add(name="data")
    volume.volume_source.empty_dir.SetInParent()
    made = plan(stateful_set, [])
    (pod,) = (w.object for w in made.writes if isinstance(w, CreateObject) and isinstance(w.object, Pod))
    assert isinstance(pod, Pod)
    assert [one.volume_source.persistent_volume_claim.claim_name for one in pod.spec.volumes] == ["data-db-0"]


def test_pending_pod_gets_its_missing_claims() -> None:
    """5.7c, before the gate holds everything else."""
    made = plan(a_set(), [with_storage(member(0, phase="Pending", ready=None))])
    assert claim_steps(made) == ["+data-db-0"]
    assert steps(made) == []


def test_lost_storage_is_repaired() -> None:
    """5.7e: the pod is updated to use its claims, and those are made."""
    made = plan(a_set(1), [member(0)])
    assert claim_steps(made) == ["+data-db-0"]
    assert steps(made) == ["~db-0"]


RETENTION: dict[str, tuple[str, str, str, str]] = {
    # whenDeleted, whenScaled: the owner of a live pod's claim, of a condemned pod's claim
    "Retain, Retain": ("Retain", "Retain", "", ""),
    "Delete, Retain": ("Delete", "Retain", "StatefulSet", "StatefulSet"),
    "Retain, Delete": ("Retain", "Delete", "", "Pod"),
    "Delete, Delete": ("Delete", "Delete", "StatefulSet", "Pod"),
}


@pytest.mark.parametrize(("deleted", "scaled", "live", "condemned"), RETENTION.values(), ids=RETENTION)
def test_retention(deleted: str, scaled: str, live: str, condemned: str) -> None:
    """Every row: claims of live and of condemned pods that have the wrong owner, or none, get the right one."""
    stateful_set = a_set(1, deleted=deleted, scaled=scaled)
    pods = [with_storage(pod) for pod in members("v1", "v1")]
    wrong = [a_claim(0, ("Pod", "db-0", "db-0-uid")), a_claim(1)]
    changed = [f"~data-db-0:{live}"] + ([f"~data-db-1:{condemned}"] if condemned else [])
    made = plan(stateful_set, pods, claims=wrong)
    assert claim_steps(made) == changed
    assert steps(made) == ([] if condemned else ["-db-1"])


def test_condemned_pod_goes_once_its_claim_is_owned() -> None:
    pods = [with_storage(pod) for pod in members("v1", "v1")]
    claims = [a_claim(0), a_claim(1, ("Pod", "db-1", "db-1-uid"))]
    made = plan(a_set(1, scaled="Delete"), pods, claims=claims)
    assert (steps(made), claim_steps(made)) == (["-db-1"], [])


def test_created_claims_have_their_owner() -> None:
    made = plan(a_set(deleted="Delete"), [])
    (claim,) = (w.object for w in made.writes if isinstance(w, CreateObject) and not isinstance(w.object, Pod))
    (owner,) = claim.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller, owner.block_owner_deletion) == ("StatefulSet", UID, True, True)


def test_claim_of_somebody_else_is_left_alone() -> None:
    foreign = a_claim(0, ("Database", "main", "main-uid"))
    made = plan(a_set(1, deleted="Delete"), [with_storage(member(0))], claims=[foreign])
    assert claim_steps(made) == []


STALE: dict[str, PersistentVolumeClaim] = {
    "of a former pod of this name": a_claim(0, ("Pod", "db-0", "former-uid")),
    "of a former set of this name": a_claim(0, ("StatefulSet", "db", "former-uid")),
}


@pytest.mark.parametrize("claim", STALE.values(), ids=STALE)
@pytest.mark.parametrize(("policy", "others"), [("OrderedReady", []), ("Parallel", ["+db-1@v1"])])
def test_stale_claim_keeps_its_pod_back(claim: PersistentVolumeClaim, policy: str, others: list[str]) -> None:
    """It will be collected, and the pod must not lose it while it runs. Ordered sets wait as a whole."""
    made = plan(a_set(podManagementPolicy=policy), [], claims=[claim])
    assert steps(made) == others
    assert "waits for claim data-db-0 of db-0's predecessor to be gone" in said(made)


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_claim_being_deleted_ends_the_round(policy: str) -> None:
    claim = a_claim(0)
    claim.metadata.deletion_timestamp.seconds = int(NOW)
    made = plan(a_set(podManagementPolicy=policy), [], claims=[claim])
    assert steps(made) == []
    assert "waits for claim data-db-0 of db-0, which is being deleted" in said(made)


def test_recreated_pod_keeps_its_claim() -> None:
    """A pod that is replaced by an update is not condemned, whatever the policy."""
    made = plan(a_set(1, deleted="Delete", scaled="Delete"), [], claims=[a_claim(0, SET_OWNER)])
    assert (steps(made), claim_steps(made)) == (["+db-0@v1"], [])


def test_claims_are_bound_at_once() -> None:
    claim = a_claim(0)
    claim.spec.access_modes.append("ReadWriteOnce")
    claim.spec.resources.requests["storage"].string = "1Gi"
    claim.status.phase = "Pending"
    (write,) = plan_claim(claim).writes
    assert isinstance(write, UpdateObjectStatus)
    assert isinstance(write.object, PersistentVolumeClaim)
    status = write.object.status
    assert (status.phase, list(status.access_modes)) == ("Bound", ["ReadWriteOnce"])
    assert status.capacity["storage"].string == "1Gi"
    assert plan_claim(write.object) == NOTHING
