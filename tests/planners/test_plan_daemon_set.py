"""One sync of the DaemonSet planner: docs/semantics/daemonset.md sections 4, 5 and 6."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet
from rollplane.core.v1 import Node, Pod
from rollplane_planners.model import NOTHING, DeleteObject
from tests.planners.daemon_sets import a_daemon_set, daemon, daemons, nodes, plan, rolling, status_of, steps, surging
from tests.planners.pods import NOW, a_node, said

NO_SCHEDULE = [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]
NO_EXECUTE = [{"key": "dedicated", "value": "db", "effect": "NoExecute"}]
Case = tuple[DaemonSet, list[Node], list[Pod], list[str]]


def steady() -> DaemonSet:
    return a_daemon_set("v1")


def unready(node: int, revision: str = "v1", **fields: Any) -> Pod:
    return daemon(node, revision, ready=None, **fields)


def ending(node: int, revision: str = "v1", **fields: Any) -> Pod:
    return daemon(node, revision, terminating=True, **fields)


MANAGE: dict[str, Case] = {
    "5 no pod at all: created": (steady(), nodes(2), daemons("v1"), ["+n1@v1"]),
    "5 a terminating pod counts as one": (steady(), nodes(1), [ending(0)], []),
    "5 a terminal pod that is being deleted does not": (
        steady(),
        nodes(1),
        [ending(0, phase="Failed", ready=None)],
        ["+n0@v1"],
    ),
    "5 a pod on its way to the node counts as one": (steady(), nodes(1), [unready(0, bound=False)], []),
    "5 a failed pod is deleted": (steady(), nodes(1), [unready(0, phase="Failed")], ["-n0-v1"]),
    "5 a succeeded pod is deleted": (steady(), nodes(1), [unready(0, phase="Succeeded")], ["-n0-v1"]),
    "5 more than one: the scheduled one stays": (
        steady(),
        nodes(1),
        [daemon(0, name="a", bound=False, age=900), daemon(0, name="b", age=10)],
        ["-a"],
    ),
    "5 more than one: the oldest stays": (
        steady(),
        nodes(1),
        [daemon(0, name="a", age=10), daemon(0, name="b", age=20), daemon(0, name="c", age=15)],
        ["-a", "-c"],
    ),
    "5 more than one: the first by name stays": (
        steady(),
        nodes(1),
        [daemon(0, name="b"), daemon(0, name="a")],
        ["-b"],
    ),
    "5 a node that should not continue loses all its pods": (
        steady(),
        [a_node("n0", taints=NO_EXECUTE)],
        [daemon(0), ending(0, name="gone")],
        ["-n0-v1"],
    ),
    "10 NoSchedule keeps what runs": (steady(), [a_node("n0", taints=NO_SCHEDULE)], daemons("v1"), []),
    "10 NoSchedule keeps new ones away": (steady(), [a_node("n0", taints=NO_SCHEDULE)], [], []),
    "5 pods on their way to a node that is gone are deleted": (
        steady(),
        nodes(1),
        [daemon(0), unready(7, bound=False)],
        ["-n7-v1"],
    ),
    "4 pods bound to a node that is gone are left to pod collection": (steady(), nodes(1), daemons("v1", "v1"), []),
    "3 pods for no node at all are ignored": (
        steady(),
        nodes(1),
        [daemon(0), daemon("", name="lost")],
        [],
    ),
    "5 surge: no live pod and the node should run one": (
        a_daemon_set("v1", updateStrategy=surging(1)),
        nodes(1),
        [ending(0)],
        ["+n0@v1"],
    ),
    "5 surge: the oldest of each revision stay": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(1),
        [
            daemon(0, "v1", name="old-1", age=9),
            daemon(0, "v1", name="old-2", age=8),
            unready(0, "v2", name="new-1", age=7),
            unready(0, "v2", name="new-2", age=6),
        ],
        ["-new-2", "-old-2"],
    ),
    "5 surge: an old pod that is not ready gives way": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(1),
        [unready(0), unready(0, "v2")],
        ["-n0-v1"],
    ),
    "5 surge: the old pod goes when the new one is available": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(1),
        [daemon(0), daemon(0, "v2")],
        ["-n0-v1"],
    ),
    "5 surge: not before minReadySeconds": (
        a_daemon_set(updateStrategy=surging(1), minReadySeconds=30),
        nodes(1),
        [daemon(0), daemon(0, "v2", ready=20)],
        [],
    ),
}

ROLL: dict[str, Case] = {
    "6 one at a time by default": (a_daemon_set(), nodes(3), daemons("v1", "v1", "v1"), ["-n0-v1"]),
    "6 maxUnavailable in percent rounds up": (
        a_daemon_set(updateStrategy=rolling(maxUnavailable="30%")),
        nodes(6),
        daemons("v1", "v1", "v1", "v1", "v1", "v1"),
        ["-n0-v1", "-n1-v1"],
    ),
    "6 example: a crashing old pod uses one of two": (
        a_daemon_set(updateStrategy=rolling(maxUnavailable="30%")),
        nodes(6),
        [unready(0), *[daemon(number) for number in range(1, 6)]],
        ["-n0-v1", "-n1-v1"],
    ),
    "6 old pods that are not available all go at once": (
        a_daemon_set(),
        nodes(3),
        [unready(0), unready(1), daemon(2)],
        ["-n0-v1", "-n1-v1"],
    ),
    "6 a new pod that is not available holds the rest": (a_daemon_set(), nodes(2), [unready(0, "v2"), daemon(1)], []),
    "6 so does one ready for too short a time": (
        a_daemon_set(minReadySeconds=30),
        nodes(2),
        [daemon(0, "v2", ready=20), daemon(1)],
        [],
    ),
    "6 a node whose pod terminates is unavailable": (a_daemon_set(), nodes(2), [ending(0), daemon(1)], []),
    "6 new and available ones cost nothing": (a_daemon_set(), nodes(2), daemons("v2", "v1"), ["-n1-v1"]),
    "6 nodes that keep a pod they should not get are updated too": (
        a_daemon_set(),
        [a_node("n0", taints=NO_SCHEDULE)],
        daemons("v1"),
        ["-n0-v1"],
    ),
    "6 OnDelete deletes nothing": (
        a_daemon_set(updateStrategy={"type": "OnDelete"}),
        nodes(2),
        [unready(0), daemon(1)],
        [],
    ),
    "4 no update in a sync that had to manage": (a_daemon_set(), nodes(3), daemons("v1", "v1"), ["+n2@v2"]),
    "1 percentages of nothing: both resolve to zero": (
        a_daemon_set(updateStrategy=rolling(maxUnavailable="0%", maxSurge="0%")),
        nodes(2),
        daemons("v1", "v1"),
        ["-n0-v1"],
    ),
}

SURGE: dict[str, Case] = {
    "6 surge: a new pod beside the old one": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(2),
        daemons("v1", "v1"),
        ["+n0@v2"],
    ),
    "6 surge: percent rounds up": (
        a_daemon_set(updateStrategy=surging("30%")),
        nodes(4),
        daemons("v1", "v1", "v1", "v1"),
        ["+n0@v2", "+n1@v2"],
    ),
    "6 surge: one that is not available yet counts": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(2),
        [daemon(0), unready(0, "v2"), daemon(1)],
        [],
    ),
    "6 surge: an old pod that is not available gets its successor outside the budget": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(3),
        [daemon(0), unready(0, "v2"), unready(1), daemon(2)],
        ["+n1@v2"],
    ),
    "6 surge: only new pods: nothing": (a_daemon_set(updateStrategy=surging(1)), nodes(1), daemons("v2"), []),
    "6 surge: an unavailable old pod of a node that should not run goes": (
        a_daemon_set(updateStrategy=surging(1)),
        [a_node("n0", taints=NO_SCHEDULE)],
        [unready(0)],
        ["-n0-v1"],
    ),
    "6 surge: an available one goes while others can spare it": (
        a_daemon_set(updateStrategy=surging(1)),
        [a_node("n0", taints=NO_SCHEDULE), a_node("n1")],
        daemons("v1", "v2"),
        ["-n0-v1"],
    ),
    "6 surge: and stays while they cannot": (
        a_daemon_set(updateStrategy=surging(1)),
        [a_node("n0", taints=NO_SCHEDULE), a_node("n1")],
        [daemon(0), unready(1, "v2")],
        [],
    ),
}

CASES = {**MANAGE, **ROLL, **SURGE}


@pytest.mark.parametrize(("daemon_set", "where", "pods", "expected"), CASES.values(), ids=CASES)
def test_sync(daemon_set: DaemonSet, where: list[Node], pods: list[Pod], expected: list[str]) -> None:
    assert steps(plan(daemon_set, where, pods)) == expected


def test_failed_pod_waits_for_its_back_off() -> None:
    """5: skipped, and looked at again when the delay is over."""
    made = plan(steady(), nodes(1), [unready(0, phase="Failed")], backoff=lambda _node: 8.0)
    assert (steps(made), made.requeue_after) == ([], 8.0)


EVENTS: dict[str, tuple[str, str, str]] = {
    "failed": ("Failed", "FailedDaemonPod", "Warning"),
    "succeeded": ("Succeeded", "SucceededDaemonPod", "Normal"),
}


@pytest.mark.parametrize(("phase", "reason", "severity"), EVENTS.values(), ids=EVENTS)
def test_replaced_pod_is_told(phase: str, reason: str, severity: str) -> None:
    """10."""
    made = plan(steady(), nodes(1), [unready(0, phase=phase)])
    assert [(event.reason, event.severity) for event in made.events] == [(reason, severity)]


def test_empty_selector() -> None:
    """4.1: a warning, and nothing else."""
    daemon_set = steady()
    daemon_set.spec.selector.Clear()
    made = plan(daemon_set, nodes(1), [])
    assert [event.reason for event in made.events] == ["SelectingAll"]
    assert made.writes == ()


def test_deleted_set_does_nothing_at_all() -> None:
    """4.1: not even status."""
    daemon_set = steady()
    daemon_set.metadata.deletion_timestamp.seconds = int(NOW)
    assert plan(daemon_set, nodes(1), []) == NOTHING


def test_at_most_250_of_each_in_a_sync() -> None:
    """4."""
    assert len(steps(plan(steady(), nodes(300), []))) == 250
    tainted = [a_node(f"n{number}", taints=NO_EXECUTE) for number in range(300)]
    assert len(steps(plan(steady(), tainted, daemons(*["v1"] * 300)))) == 250


def test_orphan_is_adopted_first() -> None:
    orphan = daemon(0, owner="")
    made = plan(steady(), nodes(1), [orphan])
    assert steps(made) == ["~n0-v1"]
    assert made.confirm_owner


def test_ready_pods_are_looked_at_again_when_they_become_available() -> None:
    """4, wake-ups."""
    made = plan(a_daemon_set("v1", minReadySeconds=30), nodes(1), [daemon(0, ready=20)])
    assert made.requeue_after == pytest.approx(10.0, abs=1.1)


REASONS: dict[str, tuple[DaemonSet, list[Pod], str]] = {
    "maxUnavailable": (
        a_daemon_set(),
        [unready(0, "v2"), daemon(1)],
        "no more than 1 node may be without an available pod (maxUnavailable)",
    ),
    "maxSurge": (
        a_daemon_set(updateStrategy=surging(1)),
        [daemon(0), unready(0, "v2"), daemon(1)],
        "no more than 1 node may run two pods (maxSurge)",
    ),
}


@pytest.mark.parametrize(("daemon_set", "pods", "reason"), REASONS.values(), ids=REASONS)
def test_what_holds_the_rollout_is_said(daemon_set: DaemonSet, pods: list[Pod], reason: str) -> None:
    assert reason in said(plan(daemon_set, nodes(2), pods))


STATUS: dict[str, tuple[DaemonSet, list[Node], list[Pod], tuple[int, ...]]] = {
    # desired, current, misscheduled, ready, available, unavailable, updated
    "nothing yet": (a_daemon_set(), nodes(2), [], (2, 0, 0, 0, 0, 2, 0)),
    "half way": (a_daemon_set(), nodes(2), daemons("v2", "v1"), (2, 2, 0, 2, 2, 0, 1)),
    "ready but not available": (
        a_daemon_set(minReadySeconds=60),
        nodes(1),
        [daemon(0, "v2", ready=5)],
        (1, 1, 0, 1, 0, 1, 1),
    ),
    "misscheduled": (
        a_daemon_set(),
        [a_node("n0", taints=NO_SCHEDULE), a_node("n1")],
        daemons("v2", "v2"),
        (1, 1, 1, 1, 1, 0, 1),
    ),
    "a node that is gone is no node": (
        a_daemon_set(),
        nodes(1),
        [daemon(0, "v2"), unready(7, "v2", bound=False)],
        (1, 1, 0, 1, 1, 0, 1),
    ),
    "with surge the old pod is the first one": (
        a_daemon_set(updateStrategy=surging(1)),
        nodes(1),
        [daemon(0, age=100), daemon(0, "v2", age=10)],
        (1, 1, 0, 1, 1, 0, 0),
    ),
}


@pytest.mark.parametrize(("daemon_set", "where", "pods", "expected"), STATUS.values(), ids=STATUS)
def test_status(daemon_set: DaemonSet, where: list[Node], pods: list[Pod], expected: tuple[int, ...]) -> None:
    """8."""
    status = status_of(plan(daemon_set, where, pods))
    counts = (
        status.desired_number_scheduled,
        status.current_number_scheduled,
        status.number_misscheduled,
        status.number_ready,
        status.number_available,
        status.number_unavailable,
        status.updated_number_scheduled,
    )
    assert counts == expected


def test_observed_generation_follows() -> None:
    daemon_set = steady()
    daemon_set.metadata.generation = 9
    assert status_of(plan(daemon_set, nodes(1), daemons("v1"))).observed_generation == 9


def test_converged_set_is_left_alone() -> None:
    daemon_set = steady()
    daemon_set.status.CopyFrom(status_of(plan(daemon_set, nodes(1), daemons("v1"))))
    made = plan(daemon_set, nodes(1), daemons("v1"))
    assert (made.writes, made.requeue_after, made.reasons) == ((), None, ())


def test_a_pod_that_is_not_ready_goes_only_as_it_was_seen() -> None:
    """docs/reliability.md: old pods of no use go all at once; one that becomes ready meanwhile counts."""
    pods = [unready(0), unready(1), daemon(2)]
    for number, pod in enumerate(pods):
        pod.metadata.resource_version = f"7{number}"
    made = plan(a_daemon_set("v2", updateStrategy=rolling(maxUnavailable=1)), nodes(3), pods)
    seen = {write.name: write.resource_version for write in made.writes if isinstance(write, DeleteObject)}
    assert seen == {"n0-v1": "70", "n1-v1": "71"}
