"""What ``why`` says of a rollout, and when a rollout counts as stuck."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollplane.apps.v1 import ReplicaSetCondition
from rollplane.core.v1 import PodCondition
from tests.machinery.rollouts import Rollout, names


def bad_image(*new: str, old_ready: int = 3, size: int = 1) -> Rollout:
    """A rollout that stands at its surge limit: ``size`` new pods wait for the reasons given, the old ones serve."""
    rollout = Rollout()
    rollout.add_set("old", "app:1", 3, old_ready)
    rollout.add_set("new", "app:2", size, 0, created=2.0)
    rollout.add_pods("old", *[""] * old_ready)
    rollout.add_pods("new", *new)
    rollout.count(updated=size, total=3 + size, available=old_ready)
    return rollout


def unobserved() -> Rollout:
    rollout = bad_image("ErrImagePull")
    rollout.deployment.status.observed_generation = 1
    return rollout


def refused_before_it_was_observed() -> Rollout:
    rollout = unobserved()
    rollout.condition("Progressing", "False", "ReplicaSetCreateError", "quota is used up")
    return rollout


def complete(*, paused: bool = False, replicas: int = 3) -> Rollout:
    rollout = Rollout(replicas=replicas)
    rollout.add_set("new", "app:2", replicas, replicas)
    rollout.add_pods("new", *[""] * replicas)
    rollout.count(updated=replicas, total=replicas, available=replicas)
    rollout.deployment.spec.paused = paused
    return rollout


def paused_with_edit() -> Rollout:
    rollout = Rollout()
    rollout.add_set("old", "app:1", 3, 3)
    rollout.count(updated=0, total=3, available=3)
    rollout.deployment.spec.paused = True
    return rollout


def without_set(*, recreate: bool = False, reason: str = "") -> Rollout:
    rollout = Rollout(recreate=recreate)
    rollout.add_set("old", "app:1", 0, 0)
    if recreate:
        rollout.add_pods("old", "", ending=True)
        rollout.add_pods("old", "")
    if reason:
        rollout.condition("Progressing", "False", reason, "quota is used up")
    rollout.count(updated=0, total=1, available=1)
    return rollout


def refused() -> Rollout:
    rollout = bad_image()
    failure = ReplicaSetCondition(
        type="ReplicaFailure", status="True", reason="FailedCreate", message="quota is used up"
    )
    rollout.sets[-1].status.conditions.append(failure)
    return rollout


def unscheduled() -> Rollout:
    rollout = bad_image("Pending")
    rollout.pods[-1].status.conditions.append(
        PodCondition(type="PodScheduled", status="False", reason="Unschedulable", message="0/3 nodes are available")
    )
    return rollout


def young() -> Rollout:
    rollout = bad_image("")
    rollout.deployment.spec.min_ready_seconds = 30
    return rollout


def moving() -> Rollout:
    rollout = bad_image("")
    rollout.count(updated=1, total=4, available=4)
    return rollout


def deadline() -> Rollout:
    rollout = bad_image("ErrImagePull")
    rollout.condition("Progressing", "False", "ProgressDeadlineExceeded")
    return rollout


PULL = 'image "app:404" cannot be pulled: not found (ErrImagePull)'
STUCK = (
    "nothing else can move, since 3 pods must stay available (maxUnavailable 0) and there may be no more than 4 pods "
    "(maxSurge 1)"
)
CASES: dict[str, tuple[Callable[[], Rollout], str, str, list[str]]] = {
    "not observed": (
        unobserved,
        "NotObserved",
        'deployment "web" waits for its controller to see the latest change (generation 2, seen 1)',
        [],
    ),
    "not observed, since its replica set is refused": (
        refused_before_it_was_observed,
        "NotObserved",
        'deployment "web" waits for its controller to see the latest change (generation 2, seen 1); it cannot make its '
        "ReplicaSet: quota is used up",
        [],
    ),
    "complete": (complete, "Complete", 'deployment "web" is complete: 3 pods are updated and available', []),
    "complete, one pod": (
        lambda: complete(replicas=1),
        "Complete",
        'deployment "web" is complete: 1 pod is updated and available',
        [],
    ),
    "paused, nothing to do": (lambda: complete(paused=True), "DeploymentPaused", 'deployment "web" is paused', []),
    "paused in mid-air": (
        paused_with_edit,
        "DeploymentPaused",
        'deployment "web" is paused: its changes wait until it is resumed',
        [],
    ),
    "no replica set yet": (
        without_set,
        "NoReplicaSet",
        'deployment "web" waits for its controller to make the new ReplicaSet',
        [],
    ),
    "recreate waits for old pods": (
        lambda: without_set(recreate=True),
        "OldPodsRunning",
        'deployment "web" waits for 2 old pods to end before the first new one starts (Recreate)',
        ["old-0", "old-1"],
    ),
    "replica set refused": (
        lambda: without_set(reason="ReplicaSetCreateError"),
        "ReplicaSetCreateError",
        'deployment "web" cannot make its ReplicaSet: quota is used up',
        [],
    ),
    "pods refused": (refused, "FailedCreate", 'deployment "web" cannot have its pods made: quota is used up', []),
    "missing image, stuck": (
        lambda: bad_image("ErrImagePull"),
        "ErrImagePull",
        f'deployment "web" cannot proceed: 1 new pod fails, {PULL}; {STUCK}',
        ["new-3"],
    ),
    "missing image, another pod on its way": (
        lambda: bad_image("ErrImagePull", "ContainerCreating", size=2),
        "ErrImagePull",
        'deployment "web" waits while 1 new pod fails, image "app:404" cannot be pulled: not found (ErrImagePull)',
        ["new-3"],
    ),
    "crash loop": (
        lambda: bad_image("CrashLoopBackOff", "CrashLoopBackOff", size=2),
        "CrashLoopBackOff",
        f'deployment "web" cannot proceed: 2 new pods fail, container "c" keeps crashing (CrashLoopBackOff); {STUCK}',
        ["new-3", "new-4"],
    ),
    "no node": (
        unscheduled,
        "Unschedulable",
        'deployment "web" waits for a node for 1 new pod: 0/3 nodes are available',
        ["new-3"],
    ),
    "starting": (
        lambda: bad_image("ContainerCreating"),
        "PodsNotReady",
        'deployment "web" waits for 1 new pod to become ready (ContainerCreating)',
        ["new-3"],
    ),
    "min ready seconds": (
        young,
        "MinReadySeconds",
        'deployment "web" waits until 1 new pod stayed ready for 30 s (minReadySeconds)',
        ["new-3"],
    ),
    "next step": (
        moving,
        "Progressing",
        'deployment "web" waits for its controller to take the next step',
        [],
    ),
    "deadline passed": (
        deadline,
        "ErrImagePull",
        f'deployment "web" cannot proceed: 1 new pod fails, {PULL}; {STUCK}; its progress deadline of 600 s has passed',
        ["new-3"],
    ),
}


@pytest.mark.parametrize(("rollout", "reason", "sentence", "pods"), CASES.values(), ids=CASES)
def test_diagnose(rollout: Callable[[], Rollout], reason: str, sentence: str, pods: list[str]) -> None:
    diagnosis = rollout().diagnosis()
    assert (diagnosis.reason, diagnosis.sentence, names(diagnosis.pods)) == (reason, sentence, pods)
    assert diagnosis.is_stuck == ("cannot proceed" in sentence)


def status_lags(rollout: Rollout) -> None:
    rollout.sets[1].status.replicas = 0


def set_not_observed(rollout: Rollout) -> None:
    rollout.sets[0].metadata.generation = 2


def pod_is_missing(rollout: Rollout) -> None:
    rollout.pods.pop()


def old_pod_fell_ill(rollout: Rollout) -> None:
    rollout.sets[0].status.available_replicas = 2
    rollout.deployment.spec.strategy.rolling_update.max_unavailable.int_val = 2


def room_for_another(rollout: Rollout) -> None:
    rollout.deployment.spec.strategy.rolling_update.max_surge.int_val = 2


NOT_STUCK = {
    each.__name__: each for each in (status_lags, set_not_observed, pod_is_missing, old_pod_fell_ill, room_for_another)
}


@pytest.mark.parametrize("change", NOT_STUCK.values(), ids=NOT_STUCK)
def test_a_failing_pod_is_not_all_while_something_can_still_move(change: Callable[[Rollout], None]) -> None:
    rollout = bad_image("ErrImagePull")
    change(rollout)
    assert not rollout.diagnosis().is_stuck


def test_without_old_pods_nothing_needs_to_stay_available() -> None:
    rollout = Rollout(replicas=1)
    rollout.add_set("new", "app:2", 1, 0)
    rollout.add_pods("new", "ErrImagePull")
    rollout.count(updated=1, total=1, available=0)
    assert rollout.diagnosis().sentence.endswith("; nothing else can move")


def test_foreign_sets_and_pods_do_not_count() -> None:
    rollout = bad_image("ErrImagePull")
    foreign = rollout.add_set("foreign", "app:2", 5, 0, created=0.5)
    foreign.metadata.owner_references[0].uid = "somebody"
    rollout.add_pods("foreign", "CrashLoopBackOff")
    assert names(rollout.diagnosis().pods) == ["new-3"]
