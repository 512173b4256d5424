"""docs/semantics/replicaset.md sections 2, 3, 6, 7 and 9: one sync of a ReplicaSet or ReplicationController."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rollplane.apps.v1 import ReplicaSet, ReplicaSetStatus
from rollplane.core.v1 import Pod, ReplicationController, ReplicationControllerStatus
from rollplane_planners.model import CreatePods, DeleteObject, Plan, UpdateObject, UpdateObjectStatus
from rollplane_planners.pods import pod_view
from rollplane_planners.replica_set import (
    BURST,
    ManageFailure,
    PodController,
    ReplicaSetView,
    plan_replica_set,
)
from tests.planners.pods import NOW, a_pod, said

GENERATION = 4


def a_set(replicas: int = 3, *, min_ready: int = 0, deleting: bool = False) -> ReplicaSet:
    one = ReplicaSet()
    _fill(one, replicas, min_ready, deleting)
    one.spec.selector.match_labels["app"] = "web"
    return one


def a_controller(replicas: int = 3) -> ReplicationController:
    one = ReplicationController()
    _fill(one, replicas, 0, deleting=False)
    one.spec.selector["app"] = "web"
    return one


def _fill(one: PodController, replicas: int, min_ready: int, deleting: bool) -> None:
    one.metadata.name, one.metadata.namespace, one.metadata.uid = "set", "shop", "set-uid"
    one.metadata.generation = GENERATION
    if deleting:
        one.metadata.deletion_timestamp.seconds = int(NOW)
    one.spec.replicas, one.spec.min_ready_seconds = replicas, min_ready
    one.spec.template.metadata.labels.update({"app": "web", "tier": "front"})
    one.spec.template.spec.containers.add(name="web", image="web:1")


def plan(owner: PodController, pods: Sequence[Pod], **view: Any) -> Plan:
    by_name = {pod.metadata.name: pod for pod in pods}
    views = [pod_view(pod) for pod in pods]
    return plan_replica_set(ReplicaSetView(owner, views, lambda one: by_name[one.name], **view), NOW)


def done(made: Plan) -> tuple[int, list[str]]:
    """Return how many pods a plan creates, and the names of those it deletes."""
    created = sum(write.count for write in made.writes if isinstance(write, CreatePods))
    return created, sorted(write.name for write in made.writes if isinstance(write, DeleteObject))


def status_of(made: Plan) -> ReplicaSetStatus | ReplicationControllerStatus:
    (owner,) = [write.object for write in made.writes if isinstance(write, UpdateObjectStatus)]
    assert isinstance(owner, PodController)
    return owner.status


MANAGED: dict[str, tuple[int, list[Pod], tuple[int, list[str]]]] = {
    "enough": (1, [a_pod("a")], (0, [])),
    "too few": (3, [a_pod("a")], (2, [])),
    "too many": (0, [a_pod("a"), a_pod("b")], (0, ["a", "b"])),
    "2.3: a failed pod is replaced at once": (1, [a_pod("a", phase="Failed")], (1, [])),
    "2.3: so is a succeeded one": (1, [a_pod("a", phase="Succeeded")], (1, [])),
    "2.3: and a terminating one, so there may be more": (1, [a_pod("a", terminating=True)], (1, [])),
    "a pod of another owner does not count": (1, [a_pod("a", owner="other")], (1, [])),
    "10: a pod on a lost node counts until it is deleted": (1, [a_pod("a", ready=None)], (0, [])),
    "burst of creations": (9_999, [], (BURST, [])),
}


@pytest.mark.parametrize(("replicas", "pods", "expected"), MANAGED.values(), ids=MANAGED)
def test_2_and_3_managing(replicas: int, pods: list[Pod], expected: tuple[int, list[str]]) -> None:
    assert done(plan(a_set(replicas), pods)) == expected


def test_3_burst_of_deletions() -> None:
    pods = [a_pod(f"p{number}") for number in range(BURST + 20)]
    assert len(done(plan(a_set(0), pods))[1]) == BURST


def test_8_a_set_being_deleted_creates_and_deletes_nothing_but_counts() -> None:
    pods = [a_pod("a"), a_pod("b")]
    for replicas in (0, 5):
        made = plan(a_set(replicas, deleting=True), pods)
        assert done(made) == (0, [])
        assert status_of(made).replicas == 2


def test_3_what_is_created() -> None:
    owner = a_set(2)
    (write,) = [write for write in plan(owner, []).writes if isinstance(write, CreatePods)]
    assert (write.count, write.prefix) == (2, "set-")
    assert write.template == owner.spec.template


def test_3_deletions_carry_uids_and_events() -> None:
    (write,) = [write for write in plan(a_set(0), [a_pod("a")]).writes if isinstance(write, DeleteObject)]
    assert (write.namespace, write.name, write.uid) == ("shop", "a", "a-uid")
    assert [(event.reason, event.message) for event in write.events] == [("SuccessfulDelete", "Deleted pod: a")]


def test_2_6_status_counts_the_pods_as_they_were_before() -> None:
    assert status_of(plan(a_set(3), [a_pod("a")])).replicas == 1
    assert status_of(plan(a_set(0), [a_pod("a"), a_pod("b")])).replicas == 2


def test_2_6_status_is_written_even_when_managing_fails() -> None:
    (write,) = [write for write in plan(a_set(3), []).writes if isinstance(write, UpdateObjectStatus)]
    assert write.regardless


def test_7_counters() -> None:
    labels = {"app": "web", "tier": "front"}
    pods = [
        a_pod("available", ready=11, labels=labels),
        a_pod("just-ready", ready=10),
        a_pod("not-ready", labels={**labels, "more": "1"}),
        a_pod("terminating", ready=99, terminating=True),
        a_pod("failed", ready=99, phase="Failed"),
    ]
    status = status_of(plan(a_set(3, min_ready=10), pods))
    assert (status.replicas, status.fully_labeled_replicas) == (3, 2)
    assert (status.ready_replicas, status.available_replicas) == (2, 1)
    assert status.observed_generation == GENERATION


AVAILABILITY: dict[str, tuple[int, float | None, bool]] = {
    "not ready": (0, None, False),
    "ready, none asked": (0, 0, True),
    "ready for less": (10, 9, False),
    "ready for exactly as long": (10, 10, False),
    "ready for longer": (10, 11, True),
}


@pytest.mark.parametrize(("min_ready", "ready", "available"), AVAILABILITY.values(), ids=AVAILABILITY)
def test_7_available(min_ready: int, ready: float | None, available: bool) -> None:
    assert pod_view(a_pod("a", ready=ready)).is_available(min_ready, NOW) is available


def test_2_7_it_comes_back_when_the_next_pod_becomes_available() -> None:
    pods = [a_pod("a", ready=4), a_pod("b", ready=7), a_pod("c", ready=99), a_pod("d")]
    again = plan(a_set(4, min_ready=10), pods).requeue_after
    assert again is not None
    assert 3 < again < 3.1
    assert plan(a_set(4), pods).requeue_after is None


def test_7_nothing_is_written_when_nothing_changed() -> None:
    owner, pods = a_set(1), [a_pod("a", ready=5)]
    status = status_of(plan(owner, pods))
    assert isinstance(status, ReplicaSetStatus)
    owner.status.CopyFrom(status)
    assert plan(owner, pods).writes == ()


def with_failure(owner: ReplicaSet, reason: str) -> ReplicaSet:
    owner.status.conditions.add(type="ReplicaFailure", status="True", reason=reason, message="as stored")
    return owner


FAILURES: dict[str, tuple[str, ManageFailure | None, list[tuple[str, str]]]] = {
    "set": ("", ManageFailure("FailedCreate", "quota"), [("FailedCreate", "quota")]),
    "an existing one is not rewritten": (
        "FailedCreate",
        ManageFailure("FailedDelete", "other"),
        [("FailedCreate", "as stored")],
    ),
    "removed once it went well": ("FailedCreate", None, []),
    "none": ("", None, []),
}


@pytest.mark.parametrize(("stored", "failure", "expected"), FAILURES.values(), ids=FAILURES)
def test_7_replica_failure(stored: str, failure: ManageFailure | None, expected: list[tuple[str, str]]) -> None:
    owner = with_failure(a_set(1), stored) if stored else a_set(1)
    status = status_of(plan(owner, [], failure=failure))
    assert [(one.reason, one.message) for one in status.conditions if one.type == "ReplicaFailure"] == expected


CLAIMS: dict[str, tuple[Pod, list[str] | None]] = {
    "a matching orphan is adopted": (a_pod("x", owner=""), ["set-uid"]),
    "a terminating orphan is not": (a_pod("x", owner="", terminating=True), None),
    "a finished orphan is not": (a_pod("x", owner="", phase="Failed"), None),
    "an orphan that does not match is not": (a_pod("x", owner="", labels={"app": "db"}), None),
    "a pod that no longer matches is released": (a_pod("x", labels={"app": "db"}), []),
    "another's pod is left alone": (a_pod("x", owner="other", labels={"app": "db"}), None),
}


@pytest.mark.parametrize(("pod", "owners"), CLAIMS.values(), ids=CLAIMS)
def test_6_claims(pod: Pod, owners: list[str] | None) -> None:
    made = plan(a_set(1), [pod])
    changed = [write.object for write in made.writes if isinstance(write, UpdateObject)]
    assert [[ref.uid for ref in one.metadata.owner_references] for one in changed] == (
        [] if owners is None else [owners]
    )
    assert made.confirm_owner is (owners == ["set-uid"]), "the owner is read live before an adoption"


def test_6_nothing_is_created_or_deleted_before_the_claims_are_stored() -> None:
    adopting = plan(a_set(1), [a_pod("mine"), a_pod("orphan", owner="")])
    assert done(adopting) == (0, [])
    releasing = plan(a_set(1), [a_pod("strange", labels={})])
    assert done(releasing) == (0, [])


def test_6_a_bare_pod_next_to_a_full_set_is_the_one_to_go() -> None:
    full = [a_pod("a", ready=50), a_pod("adopted", node="", phase="Pending", age=1)]
    assert done(plan(a_set(1), full)) == (0, ["adopted"])


def test_pods_that_failed_as_a_whole_are_told_of_while_others_take_their_place() -> None:
    rejected = [a_pod(name, phase="Failed") for name in ("a", "b", "strange")]
    for pod in rejected:
        pod.status.reason, pod.status.message = "OutOfcpu", "Pod was rejected: full"
    rejected[2].metadata.owner_references[0].uid = "another"
    made = plan(a_set(1), [*rejected, a_pod("c", phase="Pending")])
    assert [(reason.code, reason.nature) for reason in made.reasons] == [
        ("PodsNotReady", "Wait"),
        ("PodsFailed", "Note"),
    ]
    assert said(made)[1] == "2 pods failed, OutOfcpu: Pod was rejected: full"


def test_9_a_replication_controller_is_planned_alike() -> None:
    pods = [a_pod("a", ready=5), a_pod("strange", labels={"app": "db"})]
    made = plan(a_controller(2), pods[:1])
    assert done(made) == (1, [])
    released = plan(a_controller(2), pods)
    assert [write for write in released.writes if isinstance(write, UpdateObject)]
    failed = plan(a_controller(2), [], failure=ManageFailure("FailedCreate", "quota"))
    assert [one.type for one in status_of(failed).conditions] == ["ReplicaFailure"]


def test_9_an_adopting_controller_signs_with_its_own_kind() -> None:
    (write,) = plan(a_controller(1), [a_pod("x", owner="")]).writes
    assert isinstance(write, UpdateObject)
    (reference,) = write.object.metadata.owner_references
    assert (reference.api_version, reference.kind) == ("v1", "ReplicationController")
