"""docs/semantics/deployment.md section 4 (order of a sync), 9 (pause and resume) and 12 (claims)."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_machinery.deployments import ROLLBACK_TO
from rollplane_machinery.kinds import DEPLOYMENT
from rollplane_machinery.selectors import selector_of_map
from rollplane_planners.claims import Claim, Owner, claim, claim_objects
from rollplane_planners.limits import NO_LIMIT
from rollplane_planners.model import PlanBuilder, UpdateObject
from tests.planners.deployments import (
    GENERATION,
    NOW,
    a_deployment,
    a_set,
    condition,
    plan,
    shown,
    sizes,
    status_of,
    told,
    with_condition,
    written_sets,
    written_status,
)


def test_1_an_empty_selector_warns_observes_and_stops() -> None:
    deployment = a_deployment()
    deployment.spec.selector.Clear()
    deployment.metadata.generation += 1
    made = plan(deployment)
    assert [reason for reason, _ in told(made)] == ["SelectingAll"]
    assert status_of(made).observed_generation == GENERATION + 1
    assert sizes(made) == {}
    deployment.status.observed_generation += 1
    assert plan(deployment).writes == ()


def test_3_a_deployment_being_deleted_gets_status_only() -> None:
    deployment = a_deployment("v2")
    deployment.metadata.deletion_timestamp.seconds = int(NOW)
    made = plan(deployment, a_set(deployment, "v1", 3))
    assert written_sets(made) == {}
    assert status_of(made).replicas == 3
    assert shown(made) is None


def test_3_before_4_a_paused_deployment_being_deleted_is_not_shown_as_paused() -> None:
    deployment = a_deployment("v1", paused=True)
    deployment.metadata.deletion_timestamp.seconds = int(NOW)
    assert shown(plan(deployment, a_set(deployment, "v1", 3))) is None


def test_5_before_6_pause_wins_over_a_rollback() -> None:
    deployment = a_deployment("v2", paused=True, progressDeadlineSeconds=NO_LIMIT)
    deployment.metadata.annotations[ROLLBACK_TO] = "1"
    made = plan(deployment, a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2))
    assert not [write for write in made.writes if isinstance(write, UpdateObject)]


def test_6_before_7_a_rollback_wins_over_a_scaling_event() -> None:
    deployment = a_deployment("v2", replicas=6)
    deployment.metadata.annotations[ROLLBACK_TO] = "1"
    sets = (a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2, desired=3))
    assert sizes(plan(deployment, *sets)) == {}


SCALING_EVENTS: dict[str, tuple[int, int | None, dict[str, int]]] = {
    "another size in the annotation": (3, 3, {"v1": 5}),
    "the right size": (3, 5, {"new": 3}),
    "no annotation": (3, None, {"new": 3}),
    "a set without pods does not count": (0, 3, {"new": 5}),
}


@pytest.mark.parametrize(("size", "desired", "expected"), SCALING_EVENTS.values(), ids=SCALING_EVENTS)
def test_7_scaling_event(size: int, desired: int | None, expected: dict[str, int]) -> None:
    deployment = a_deployment("v2", replicas=5, surge=1, unavailable=0)
    old = a_set(deployment, "v1", size, desired=desired)
    if desired is None:
        del old.metadata.annotations["deployment.kubernetes.io/desired-replicas"]
    assert sizes(plan(deployment, old)) == expected


PAUSES: dict[str, tuple[bool, tuple[str, str] | None, tuple[str, str] | None]] = {
    "paused": (True, ("True", "NewReplicaSetAvailable"), ("Unknown", "DeploymentPaused")),
    "paused without a condition": (True, None, ("Unknown", "DeploymentPaused")),
    "paused and shown": (True, ("Unknown", "DeploymentPaused"), ("Unknown", "DeploymentPaused")),
    "resumed": (False, ("Unknown", "DeploymentPaused"), ("Unknown", "DeploymentResumed")),
    "paused after the deadline": (True, ("False", "ProgressDeadlineExceeded"), ("False", "ProgressDeadlineExceeded")),
}


@pytest.mark.parametrize(("paused", "stored", "expected"), PAUSES.values(), ids=PAUSES)
def test_9_pause_is_shown(paused: bool, stored: tuple[str, str] | None, expected: tuple[str, str] | None) -> None:
    deployment = a_deployment("v1", paused=paused)
    if stored:
        with_condition(deployment, stored[1], stored[0], at=NOW - 500)
    assert shown(plan(deployment, a_set(deployment, "v1", 3))) == expected


def test_9_resuming_starts_the_deadline_anew() -> None:
    deployment = with_condition(a_deployment("v1"), "DeploymentPaused", "Unknown", at=NOW - 9_000)
    found = condition(plan(deployment, a_set(deployment, "v1", 3)))
    assert found is not None
    assert found.last_update_time.seconds == int(NOW)


def test_9_without_a_deadline_pausing_is_not_shown() -> None:
    deployment = a_deployment("v1", paused=True, progressDeadlineSeconds=NO_LIMIT)
    assert shown(plan(deployment, a_set(deployment, "v1", 3))) is None


def paused(image: str = "v2", replicas: int = 3, **spec: object) -> Deployment:
    deployment = a_deployment(image, replicas, paused=True, **spec)
    return with_condition(deployment, "DeploymentPaused", "Unknown")


def test_9_a_paused_deployment_creates_no_set() -> None:
    assert sizes(plan(paused())) == {}
    deployment = paused("v2")
    assert sizes(plan(deployment, a_set(deployment, "v1", 3))) == {}


def test_9_a_paused_deployment_shifts_nothing_between_sets() -> None:
    deployment = paused("v2", surge=1, unavailable=1)
    sets = (a_set(deployment, "v1", 2, age=9), a_set(deployment, "v2", 2, revision=2, available=1))
    assert sizes(plan(deployment, *sets)) == {}


def test_9_min_ready_seconds_and_annotations_reach_the_new_set_while_paused() -> None:
    deployment = paused("v1")
    present = a_set(deployment, "v1", 3)
    deployment.spec.min_ready_seconds = 9
    deployment.metadata.annotations["kubernetes.io/change-cause"] = "while paused"
    written = written_sets(plan(deployment, present))["v1"]
    assert written.spec.min_ready_seconds == 9
    assert written.metadata.annotations["kubernetes.io/change-cause"] == "while paused"


def test_9_scaling_works_while_paused() -> None:
    deployment = paused("v2", replicas=5)
    assert sizes(plan(deployment, a_set(deployment, "v1", 3, desired=3))) == {"v1": 5}


ME = Owner(DEPLOYMENT, "web", "me", deleting=False)
GOING = Owner(DEPLOYMENT, "web", "me", deleting=True)
CLAIMS: dict[str, tuple[Owner, str | None, bool, bool, Claim]] = {
    "another's": (ME, "other", True, False, Claim.IGNORE),
    "mine, matching": (ME, "me", True, False, Claim.KEEP),
    "mine, matching, going itself": (ME, "me", True, True, Claim.KEEP),
    "mine, not matching": (ME, "me", False, False, Claim.RELEASE),
    "mine, not matching, while I go": (GOING, "me", False, False, Claim.IGNORE),
    "mine, matching, while I go": (GOING, "me", True, False, Claim.KEEP),
    "orphan, matching": (ME, None, True, False, Claim.ADOPT),
    "orphan, not matching": (ME, None, False, False, Claim.IGNORE),
    "orphan, matching, going itself": (ME, None, True, True, Claim.IGNORE),
    "orphan, matching, while I go": (GOING, None, True, False, Claim.IGNORE),
}


@pytest.mark.parametrize(("owner", "controller", "matches", "deleting", "expected"), CLAIMS.values(), ids=CLAIMS)
def test_12_claims(owner: Owner, controller: str | None, matches: bool, deleting: bool, expected: Claim) -> None:
    assert claim(owner, controller, matches=matches, deleting=deleting) is expected


def test_12_release_leaves_other_owners() -> None:
    one = ReplicaSet()
    one.metadata.owner_references.add(uid="other", name="o")
    one.metadata.owner_references.append(ME.reference())
    result = PlanBuilder()
    assert claim_objects(ME, [one], selector_of_map({"app": "web"}), result) == []
    (write,) = result.writes
    assert isinstance(write, UpdateObject)
    assert [reference.uid for reference in write.object.metadata.owner_references] == ["other"]
    assert len(one.metadata.owner_references) == 2, "what was observed is left as it is"


def test_12_an_orphan_is_adopted_and_counted_only_afterwards() -> None:
    deployment = a_deployment("v1")
    orphan = a_set(deployment, "v1", 3)
    del orphan.metadata.owner_references[:]
    made = plan(deployment, orphan)
    assert made.confirm_owner, "the owner is read live before an adoption"
    (write,) = made.writes
    assert isinstance(write, UpdateObject)
    (reference,) = write.object.metadata.owner_references
    assert (reference.uid, reference.controller) == ("web-uid", True)
    assert write.object.metadata.uid == "v1-uid", "so that a namesake is not hit"


def test_12_a_set_that_no_longer_matches_is_released() -> None:
    deployment = a_deployment("v1")
    strange = a_set(deployment, "v1", 3)
    strange.metadata.labels["app"] = "other"
    made = plan(deployment, strange)
    assert not made.confirm_owner
    (write,) = made.writes
    assert isinstance(write, UpdateObject)
    assert list(write.object.metadata.owner_references) == []


def test_12_a_set_of_another_deployment_is_left_alone() -> None:
    deployment = a_deployment("v1")
    theirs = a_set(deployment, "v1", 3)
    theirs.metadata.owner_references[0].uid = "somebody-else"
    assert sizes(plan(deployment, theirs)) == {"new": 3}


def test_12_after_orphaning_the_adopted_chain_of_revisions_goes_on() -> None:
    deployment = a_deployment("v3", progressDeadlineSeconds=NO_LIMIT)
    sets = (a_set(deployment, "v1", 0, revision=4, age=9), a_set(deployment, "v2", 3, revision=5))
    created = written_sets(plan(deployment, *sets))["new"]
    assert created.metadata.annotations["deployment.kubernetes.io/revision"] == "6"
    assert written_status(plan(deployment, *sets)) is not None
