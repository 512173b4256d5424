"""docs/semantics/deployment.md section 10: status, conditions, deadline and history cleanup."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_planners.deployment import conditions as c
from rollplane_planners.deployment.status import is_complete
from rollplane_planners.limits import NO_LIMIT
from tests.planners.deployments import (
    GENERATION,
    NOW,
    a_deployment,
    a_recreating,
    a_set,
    condition,
    deleted,
    plan,
    shown,
    status_of,
    with_condition,
    with_status,
    written_status,
)
from tests.planners.pods import said

DONE = {"replicas": 3, "updated_replicas": 3, "ready_replicas": 3, "available_replicas": 3}


def test_counts() -> None:
    deployment = a_deployment("v2", replicas=4, surge=1)
    deployment.metadata.generation += 1
    old = a_set(deployment, "v1", 3, running=3, available=2, age=9)
    old.status.ready_replicas = 3
    new = a_set(deployment, "v2", 2, running=1, available=1, revision=2)
    status = status_of(plan(deployment, old, new))
    assert status.observed_generation == GENERATION + 1
    assert (status.replicas, status.updated_replicas, status.ready_replicas, status.available_replicas) == (4, 1, 4, 3)


def test_unavailable_counts_against_wanted_sizes() -> None:
    deployment = a_deployment("v2", replicas=3, surge=0, unavailable=1)
    made = plan(deployment, a_set(deployment, "v2", 3, running=1, available=1))
    assert status_of(made).unavailable_replicas == 2


def test_unavailable_is_never_negative() -> None:
    deployment = with_status(a_deployment("v1", replicas=0), unavailable_replicas=1)
    made = plan(deployment, a_set(deployment, "v1", 0, running=2, available=2))
    assert status_of(made).unavailable_replicas == 0


def test_updated_is_0_without_a_new_set() -> None:
    deployment = with_status(with_condition(a_deployment("v2", paused=True), "DeploymentPaused", "Unknown"), **DONE)
    assert status_of(plan(deployment, a_set(deployment, "v1", 3))).updated_replicas == 0


def test_collision_count_is_carried_over() -> None:
    deployment = with_status(a_deployment("v1"), collision_count=4)
    assert status_of(plan(deployment, a_set(deployment, "v1", 3))).collision_count == 4


def test_terminating_replicas_are_summed_only_if_all_sets_report_them() -> None:
    deployment = a_deployment("v2", replicas=3)
    sets = [a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2)]
    sets[0].status.terminating_replicas = 2
    assert not status_of(plan(deployment, *sets)).HasField("terminating_replicas")
    sets[1].status.terminating_replicas = 1
    assert status_of(plan(deployment, *sets)).terminating_replicas == 3


AVAILABLE: dict[str, tuple[Deployment, int, tuple[str, str]]] = {
    "enough": (a_deployment("v1", unavailable=1), 2, ("True", "MinimumReplicasAvailable")),
    "too few": (a_deployment("v1", unavailable=1), 1, ("False", "MinimumReplicasUnavailable")),
    "recreate asks for all": (a_recreating("v1"), 2, ("False", "MinimumReplicasUnavailable")),
    "recreate, all": (a_recreating("v1"), 3, ("True", "MinimumReplicasAvailable")),
    "while paused": (
        a_deployment("v1", paused=True, progressDeadlineSeconds=NO_LIMIT),
        1,
        ("False", "MinimumReplicasUnavailable"),
    ),
}


@pytest.mark.parametrize(("deployment", "available", "expected"), AVAILABLE.values(), ids=AVAILABLE)
def test_available_condition(deployment: Deployment, available: int, expected: tuple[str, str]) -> None:
    assert shown(plan(deployment, a_set(deployment, "v1", 3, available=available)), c.AVAILABLE) == expected


def test_a_condition_that_says_the_same_is_not_touched() -> None:
    deployment = with_condition(a_deployment("v1"), "MinimumReplicasAvailable", type_=c.AVAILABLE, at=NOW - 99)
    found = condition(plan(deployment, a_set(deployment, "v1", 3)), c.AVAILABLE)
    assert found is not None
    assert (found.message, found.last_update_time.seconds) == ("as stored", int(NOW) - 99)


# Stored reason, its age, stored counts, (running, available) of the new set: what Progressing says.
Judged = tuple[str, float, dict[str, int], tuple[int, int], tuple[str, str]]
PROGRESS: dict[str, Judged] = {
    "1: complete": ("ReplicaSetUpdated", 5, {}, (3, 3), ("True", "NewReplicaSetAvailable")),
    "1: complete after the deadline": ("ProgressDeadlineExceeded", 5, {}, (3, 3), ("True", "NewReplicaSetAvailable")),
    "2: updated grew": ("NewReplicaSetCreated", 5, {}, (1, 0), ("True", "ReplicaSetUpdated")),
    "2: old shrank": (
        "NewReplicaSetCreated",
        5,
        {"replicas": 5, "updated_replicas": 2},
        (2, 0),
        ("True", "ReplicaSetUpdated"),
    ),
    "2: ready or available grew": (
        "ProgressDeadlineExceeded",
        5,
        {"replicas": 3, "updated_replicas": 3, "ready_replicas": 1, "available_replicas": 1},
        (3, 2),
        ("True", "ReplicaSetUpdated"),
    ),
    "3: timed out": (
        "ReplicaSetUpdated",
        601,
        {"replicas": 3, "updated_replicas": 3},
        (3, 0),
        ("False", "ProgressDeadlineExceeded"),
    ),
    "3: not before the deadline has passed": (
        "ReplicaSetUpdated",
        600,
        {"replicas": 3, "updated_replicas": 3},
        (3, 0),
        ("True", "ReplicaSetUpdated"),
    ),
    "3: stays timed out": (
        "ProgressDeadlineExceeded",
        5,
        {"replicas": 3, "updated_replicas": 3},
        (3, 0),
        ("False", "ProgressDeadlineExceeded"),
    ),
    "skipped: once complete, a crash is no failed rollout": (
        "NewReplicaSetAvailable",
        9_999,
        {"replicas": 3, "updated_replicas": 3},
        (3, 0),
        ("True", "NewReplicaSetAvailable"),
    ),
}


@pytest.mark.parametrize(("reason", "age", "stored", "new", "expected"), PROGRESS.values(), ids=PROGRESS)
def test_progressing(
    reason: str, age: float, stored: dict[str, int], new: tuple[int, int], expected: tuple[str, str]
) -> None:
    status = "False" if reason == "ProgressDeadlineExceeded" else "True"
    deployment = with_status(with_condition(a_deployment("v2"), reason, status, at=NOW - age), **stored)
    assert shown(plan(deployment, a_set(deployment, "v2", 3, running=new[0], available=new[1]))) == expected


def test_complete_asks_for_the_present_generation() -> None:
    deployment = with_status(a_deployment("v1"), **DONE)
    assert is_complete(deployment, deployment.status)
    deployment.metadata.generation += 1
    assert not is_complete(deployment, deployment.status)


def test_progress_refreshes_the_update_time_and_keeps_the_transition() -> None:
    deployment = with_condition(a_deployment("v2"), "ReplicaSetUpdated", at=NOW - 70)
    found = condition(plan(deployment, a_set(deployment, "v2", 3, running=1, available=0)))
    assert found is not None
    assert found.last_update_time.seconds == int(NOW)
    assert found.last_transition_time.seconds == int(NOW) - 70


def test_a_timeout_moves_the_transition_time() -> None:
    deployment = with_status(with_condition(a_deployment("v2"), "ReplicaSetUpdated", at=NOW - 700), replicas=3)
    deployment.status.updated_replicas = 3
    found = condition(plan(deployment, a_set(deployment, "v2", 3, available=0)))
    assert found is not None
    assert found.last_transition_time.seconds == int(NOW)


def test_a_timeout_never_stops_the_rollout() -> None:
    deployment = with_condition(a_deployment("v2", surge=1), "ProgressDeadlineExceeded", "False", at=NOW - 700)
    made = plan(deployment, a_set(deployment, "v1", 2, age=9), a_set(deployment, "v2", 1, revision=2))
    assert made.writes


def test_without_a_deadline_the_condition_is_removed() -> None:
    deployment = with_condition(a_deployment("v1", progressDeadlineSeconds=NO_LIMIT), "ReplicaSetUpdated")
    assert shown(plan(deployment, a_set(deployment, "v1", 3))) is None


# Stored reason, its age in seconds, available pods: seconds until the next look.
RECHECKS: dict[str, tuple[str, float, int, float | None]] = {
    "waiting": ("ReplicaSetUpdated", 100, 1, 501),
    "just before it passes": ("ReplicaSetUpdated", 600, 1, 1),
    "timed out": ("ProgressDeadlineExceeded", 100, 1, None),
    "complete": ("NewReplicaSetAvailable", 100, 3, None),
}


@pytest.mark.parametrize(("reason", "age", "available", "expected"), RECHECKS.values(), ids=RECHECKS)
def test_the_deadline_is_looked_at_again(reason: str, age: float, available: int, expected: float | None) -> None:
    status = "False" if reason == "ProgressDeadlineExceeded" else "True"
    deployment = with_condition(a_deployment("v1"), reason, status, at=int(NOW - age))
    counts = {"replicas": 3, "updated_replicas": 3, "ready_replicas": available, "available_replicas": available}
    with_status(deployment, **counts)
    made = plan(deployment, a_set(deployment, "v1", 3, available=available), now=int(NOW - age) + age)
    assert made.requeue_after == expected


def failing(one: ReplicaSet, reason: str) -> ReplicaSet:
    one.status.conditions.add(type="ReplicaFailure", status="True", reason=reason, message=f"{reason} of it")
    return one


def test_replica_failure_of_the_new_set_comes_first() -> None:
    deployment = a_deployment("v2")
    old = failing(a_set(deployment, "v1", 1, age=9), "FailedDelete")
    new = failing(a_set(deployment, "v2", 2, revision=2), "FailedCreate")
    assert shown(plan(deployment, old, new), c.REPLICA_FAILURE) == ("True", "FailedCreate")


def test_replica_failure_of_any_other_set() -> None:
    deployment = a_deployment("v2")
    old = failing(a_set(deployment, "v1", 1, age=9), "FailedDelete")
    assert shown(plan(deployment, old, a_set(deployment, "v2", 2)), c.REPLICA_FAILURE) == ("True", "FailedDelete")


def test_replica_failure_is_removed() -> None:
    deployment = with_condition(a_deployment("v1"), "FailedCreate", type_=c.REPLICA_FAILURE)
    assert shown(plan(deployment, a_set(deployment, "v1", 3)), c.REPLICA_FAILURE) is None


def test_an_unchanged_status_is_not_written() -> None:
    deployment = a_deployment("v1")
    present = a_set(deployment, "v1", 3)
    deployment.metadata.annotations["deployment.kubernetes.io/revision"] = "1"
    deployment.status.CopyFrom(status_of(plan(deployment, present)))
    made = plan(deployment, present, now=NOW + 5_000)
    assert made.writes == ()
    assert written_status(made) is None


WAITS: dict[str, tuple[dict[str, Any], tuple[int, int], tuple[int, int], str]] = {
    "surge": ({"replicas": 3, "surge": 1, "unavailable": 0}, (3, 3), (1, 0), "no more than 4 pods"),
    "availability": ({"replicas": 3, "surge": 1, "unavailable": 0}, (3, 3), (1, 0), "3 pods must stay available"),
    "new pods": ({"replicas": 3, "surge": 1, "unavailable": 0}, (1, 1), (3, 2), "1 of 3 new pods are not available"),
    "pause": ({"paused": True, "progressDeadlineSeconds": NO_LIMIT}, (3, 3), (0, 0), "paused"),
}


@pytest.mark.parametrize(("spec", "old", "new", "expected"), WAITS.values(), ids=WAITS)
def test_what_holds_a_rollout_is_said(
    spec: dict[str, Any], old: tuple[int, int], new: tuple[int, int], expected: str
) -> None:
    deployment = a_deployment("v2", **spec)
    made = plan(
        deployment,
        a_set(deployment, "v1", old[0], available=old[1], age=9),
        a_set(deployment, "v2", new[0], available=new[1], revision=2),
    )
    assert any(expected in text for text in said(made))


# Limit, then old sets oldest first as (size, running, observed): which of them go.
History = tuple[int | None, list[tuple[int, int, bool]], list[str]]
IDLE, BUSY, SHUTTING, UNSEEN = (0, 0, True), (1, 1, True), (0, 1, True), (0, 0, False)
HISTORY: dict[str, History] = {
    "within the limit": (2, [IDLE, IDLE], []),
    "the oldest beyond it go": (1, [IDLE, IDLE, IDLE], ["v0", "v1"]),
    "0 removes all": (0, [IDLE, IDLE], ["v0", "v1"]),
    "a set with pods is skipped and not replaced": (1, [BUSY, IDLE, IDLE], ["v1"]),
    "one whose pods still end as well": (1, [SHUTTING, IDLE], []),
    "one that was not observed as well": (1, [UNSEEN, IDLE], []),
    "MaxInt32 keeps all": (NO_LIMIT, [IDLE] * 3, []),
    "nil keeps all": (None, [IDLE] * 3, []),
}


@pytest.mark.parametrize(("limit", "olds", "expected"), HISTORY.values(), ids=HISTORY)
def test_history_cleanup(limit: int | None, olds: list[tuple[int, int, bool]], expected: list[str]) -> None:
    deployment = with_status(a_deployment("new", replicas=3, surge=9), **DONE)
    if limit is None:
        deployment.spec.ClearField("revision_history_limit")
    else:
        deployment.spec.revision_history_limit = limit
    sets = []
    for number, (size, running, observed) in enumerate(olds):
        one = a_set(deployment, f"v{number}", size, running=running, available=0, age=99 - number)
        one.metadata.generation += not observed
        sets.append(one)
    # A set that wants pods would be scaled down first: cleaned while paused, where that waits.
    deployment.spec.paused = True
    with_condition(deployment, "DeploymentPaused", "Unknown")
    made = plan(deployment, *sets, a_set(deployment, "new", 3, available=2, revision=99))
    assert deleted(made) == expected


def test_history_cleanup_leaves_sets_that_are_being_deleted_alone() -> None:
    deployment = with_status(a_deployment("new", revisionHistoryLimit=0), **DONE)
    going = a_set(deployment, "v1", 0, age=9)
    going.metadata.deletion_timestamp.seconds = int(NOW)
    assert deleted(plan(deployment, going, a_set(deployment, "new", 3, revision=2))) == []


def test_history_cleanup_never_takes_the_new_set() -> None:
    deployment = a_deployment("v1", replicas=0, revisionHistoryLimit=0)
    assert deleted(plan(deployment, a_set(deployment, "v1", 0))) == []
