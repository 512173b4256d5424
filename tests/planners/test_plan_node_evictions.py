"""The taint manager and the readiness of lost pods: docs/semantics/pod-lifecycle.md section 9, loss steps 3 and 4."""

from __future__ import annotations

import math

import pytest

from rollplane.core.v1 import Pod, PodCondition, Taint, Toleration
from rollplane.meta.v1 import Time
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.times import to_seconds
from rollplane_planners.node_lifecycle.evictions import (
    marked_for_eviction,
    marked_not_ready,
    tolerated_seconds,
)
from tests.planners.nodes import NOW

LOST = Taint(key="node.kubernetes.io/unreachable", effect="NoExecute")
OWN = Taint(key="maintenance", value="now", effect="NoExecute")


def bears(key: str = "", seconds: int | None = None, effect: str = "NoExecute", value: str | None = None) -> Toleration:
    toleration = Toleration(operator="Exists" if value is None else "Equal", effect=effect)
    if key:
        toleration.key = key
    if value is not None:
        toleration.value = value
    if seconds is not None:
        toleration.toleration_seconds = seconds
    return toleration


CASES: dict[str, tuple[list[Taint], list[Toleration], float]] = {
    "4 no taints: kept": ([], [], math.inf),
    "4 no toleration: now": ([LOST], [], 0.0),
    "4 another toleration: now": ([LOST], [bears("maintenance")], 0.0),
    "4 toleration of another effect: now": ([LOST], [bears(LOST.key, effect="NoSchedule")], 0.0),
    "4 another value: now": ([OWN], [bears("maintenance", value="later")], 0.0),
    "4 finite": ([LOST], [bears(LOST.key, 300)], 300.0),
    "4 infinite: kept": ([LOST], [bears(LOST.key)], math.inf),
    "4 everything: kept": ([LOST, OWN], [bears(effect="")], math.inf),
    "4 smallest matching one": ([LOST], [bears(LOST.key, 300), bears(LOST.key, 20)], 20.0),
    "4 smallest of all taints": ([LOST, OWN], [bears(LOST.key, 300), bears("maintenance", 60)], 60.0),
    "4 finite beside infinite": ([LOST], [bears(LOST.key), bears("", 60)], 60.0),
    "4 one taint of two not tolerated: now": ([LOST, OWN], [bears(LOST.key, 300)], 0.0),
    "4 below zero: now": ([LOST], [bears(LOST.key, -5)], 0.0),
    "4 value matches": ([OWN], [bears("maintenance", 7, value="now")], 7.0),
}


@pytest.mark.parametrize(("taints", "tolerations", "seconds"), CASES.values(), ids=CASES)
def test_tolerated_seconds(taints: list[Taint], tolerations: list[Toleration], seconds: float) -> None:
    assert tolerated_seconds(taints, tolerations) == seconds


def _pod(**conditions: str) -> Pod:
    pod = Pod()
    pod.status.phase = "Running"
    for type_, status in conditions.items():
        pod.status.conditions.append(PodCondition(type=type_, status=status, last_transition_time=Time(seconds=5)))
    pod.status.container_statuses.add(name="app", ready=True)
    return pod


def test_loss_3_ready_turns_false_and_nothing_else() -> None:
    before = _pod(Ready="True", ContainersReady="True")
    after = marked_not_ready(before, NOW)
    assert after is not None
    ready = get_condition(after.status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, to_seconds(ready.last_transition_time)) == ("False", NOW)
    ready.CopyFrom(before.status.conditions[0])
    assert after == before


@pytest.mark.parametrize("pod", [_pod(), _pod(Ready="False")], ids=["no condition", "not ready"])
def test_loss_3_pods_that_are_not_ready_stay_as_they_are(pod: Pod) -> None:
    assert marked_not_ready(pod, NOW) is None


def test_eviction_says_why() -> None:
    marked = marked_for_eviction(_pod(Ready="True"), NOW)
    condition = get_condition(marked.status.conditions, "DisruptionTarget")
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "DeletionByTaintManager")
    assert condition.message == "Taint manager: deleting due to NoExecute taint"
