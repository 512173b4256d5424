"""One round of the StatefulSet planner, step by step of docs/semantics/statefulset.md sections 2, 3, 5 and 6."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import Pod
from rollplane_planners.model import CreateObject, UpdateObject
from rollplane_planners.stateful_set.identity import ordinal_of
from tests.planners.pods import NOW, a_pod, said
from tests.planners.stateful_sets import (
    a_revision,
    a_stateful_set,
    member,
    members,
    plan,
    revision_steps,
    rolling,
    status_of,
    steps,
)

PARALLEL: dict[str, Any] = {"podManagementPolicy": "Parallel"}
Case = tuple[StatefulSet, list[Pod], list[str]]


def unready(ordinal: int, revision: str = "v1") -> Pod:
    return member(ordinal, revision, ready=None)


def ending(ordinal: int, revision: str = "v1") -> Pod:
    return member(ordinal, revision, terminating=True)


def steady(replicas: int = 3, **spec: Any) -> StatefulSet:
    """Return a set that is not being updated."""
    return a_stateful_set("v1", replicas, **spec)


REPLICAS: dict[str, Case] = {
    "5.7b the lowest missing ordinal first, and only it": (steady(), [], ["+db-0@v1"]),
    "5.7b the next one when its predecessor is available": (steady(), members("v1"), ["+db-1@v1"]),
    "5.7b a gap is filled before anything else": (steady(), [member(0), member(2)], ["+db-1@v1"]),
    "5.7d a pod that is not ready holds everything behind it": (steady(), [unready(0)], []),
    "5.7d a terminating pod holds everything behind it": (steady(), [ending(0), member(1)], []),
    "5.7d a pod ready for too short a time holds everything": (
        steady(minReadySeconds=30),
        [member(0, ready=10)],
        [],
    ),
    "5.7d a pod ready for long enough lets the next one come": (
        steady(minReadySeconds=30),
        [member(0, ready=31)],
        ["+db-1@v1"],
    ),
    "5.7d the gate holds scale-down as well": (steady(1), [unready(0), member(1)], []),
    "5.7d the gate holds the update as well": (a_stateful_set(), [unready(0), member(1), member(2)], []),
    "5.7a a failed pod is deleted and ends the round": (
        steady(),
        [member(0, phase="Failed", ready=None), member(2)],
        ["-db-0"],
    ),
    "5.7a a succeeded pod is deleted and ends the round": (
        steady(),
        [member(0, phase="Succeeded", ready=None)],
        ["-db-0"],
    ),
    "5.7a a failed pod that goes already is left alone": (
        steady(),
        [member(0, phase="Failed", ready=None, terminating=True)],
        [],
    ),
    "5 Parallel creates all at once": (steady(**PARALLEL), [], ["+db-0@v1", "+db-1@v1", "+db-2@v1"]),
    "5 Parallel does not wait for readiness": (steady(**PARALLEL), [unready(0)], ["+db-1@v1", "+db-2@v1"]),
    "5 Parallel goes on past a failed pod": (
        steady(**PARALLEL),
        [member(0, phase="Failed", ready=None)],
        ["-db-0", "+db-1@v1", "+db-2@v1"],
    ),
    "5 Parallel fills no slot before its pod is gone": (steady(**PARALLEL), [ending(0), member(1), member(2)], []),
    "5.3 a name with a leading zero is no ordinal": (
        steady(1),
        [a_pod("db-00", owner="", labels={"app": "db"}, ready=5)],
        ["+db-0@v1"],
    ),
}

CONDEMNED: dict[str, Case] = {
    "5.8 the highest goes first, one at a time": (steady(1), members("v1", "v1", "v1"), ["-db-2"]),
    "5.8 the next waits until that one is gone": (steady(1), [member(0), member(1), ending(2)], []),
    "5.8 one that is not available holds those above it": (steady(1), [member(0), unready(1), member(2)], ["-db-2"]),
    "5.8 the lowest that is unavailable may go itself": (steady(1), [member(0), member(1), unready(2)], ["-db-2"]),
    "5.8 one behind another unavailable one may not": (steady(1), [member(0), unready(1), unready(2)], []),
    "5 Parallel removes all at once": (steady(1, **PARALLEL), members("v1", "v1", "v1"), ["-db-2", "-db-1"]),
    "5 Parallel skips those that go": (steady(1, **PARALLEL), [member(0), member(1), ending(2)], ["-db-1"]),
    "5 scaling takes precedence over updating": (a_stateful_set(replicas=2), members("v1", "v1", "v1"), ["-db-2"]),
    "6 ordinals.start moves the range: creations come first": (
        steady(2, ordinals={"start": 1}),
        members("v1", "v1"),
        ["+db-2@v1"],
    ),
    "6 ordinals.start moves the range: then the old ones go": (
        steady(2, ordinals={"start": 1}),
        members("v1", "v1", "v1"),
        ["-db-0"],
    ),
}

UPDATE: dict[str, Case] = {
    "6 the highest ordinal first": (a_stateful_set(), members("v1", "v1", "v1"), ["-db-2"]),
    "6 the next when that one is available": (a_stateful_set(), members("v1", "v1", "v2"), ["-db-1"]),
    "6 not before it is available": (a_stateful_set(**PARALLEL), [member(0), member(1), unready(2, "v2")], []),
    "6 not while it is terminating": (a_stateful_set(**PARALLEL), [member(0), member(1), ending(2)], []),
    "6 a broken pod that is not updated goes straight away": (
        a_stateful_set(**PARALLEL),
        [member(0), member(1), unready(2)],
        ["-db-2"],
    ),
    "6 whatever revision it carries": (a_stateful_set(**PARALLEL), members("v1", "v1", "v0"), ["-db-2"]),
    "6 Parallel updates one by one": (a_stateful_set(**PARALLEL), members("v1", "v1", "v1"), ["-db-2"]),
    "6 nothing left to do": (a_stateful_set(), members("v2", "v2", "v2"), []),
    "6 partition keeps those below it": (
        a_stateful_set(updateStrategy=rolling(partition=2)),
        members("v1", "v1", "v2"),
        [],
    ),
    "6 partition at the last ordinal is a canary": (
        a_stateful_set(updateStrategy=rolling(partition=2)),
        members("v1", "v1", "v1"),
        ["-db-2"],
    ),
    "6 partition beyond replicas freezes the update": (
        a_stateful_set(updateStrategy=rolling(partition=3)),
        members("v1", "v1", "v1"),
        [],
    ),
    "6 partition raised reverts nothing that runs": (
        a_stateful_set(updateStrategy=rolling(partition=3)),
        members("v1", "v2", "v2"),
        [],
    ),
    "6 partition counts from ordinals.start": (
        a_stateful_set(updateStrategy=rolling(partition=2), ordinals={"start": 5}),
        members("v1", "v1", "v1", start=5),
        ["-db-7"],
    ),
    "5.9 OnDelete deletes nothing": (
        a_stateful_set(updateStrategy={"type": "OnDelete"}),
        members("v1", "v1", "v1"),
        [],
    ),
    "6 maxUnavailable 2, Parallel: two at once": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2), replicas=4, **PARALLEL),
        members("v1", "v1", "v1", "v1"),
        ["-db-3", "-db-2"],
    ),
    "6 maxUnavailable rounds percent down": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable="70%"), replicas=4, **PARALLEL),
        members("v1", "v1", "v1", "v1"),
        ["-db-3", "-db-2"],
    ),
    "6 maxUnavailable is at least one": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable="10%"), replicas=4, **PARALLEL),
        members("v1", "v1", "v1", "v1"),
        ["-db-3"],
    ),
    "6 maxUnavailable counts pods below the partition": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2, partition=2), replicas=4, **PARALLEL),
        [unready(0), member(1), member(2), member(3)],
        ["-db-3"],
    ),
    "6 maxUnavailable: old pods that are broken go first, and use the limit up": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2), replicas=4, **PARALLEL),
        [unready(0), unready(1), member(2), member(3)],
        ["-db-1", "-db-0"],
    ),
    "6 maxUnavailable: what is on its way holds broken old pods back": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2), replicas=4, **PARALLEL),
        [unready(0), unready(1), member(2), unready(3, "v2")],
        ["-db-1"],
    ),
    "6 maxUnavailable under OrderedReady: the gate still holds": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2), replicas=4),
        [member(0), member(1), unready(2, "v2"), member(3)],
        [],
    ),
}

CASES = {**REPLICAS, **CONDEMNED, **UPDATE}


@pytest.mark.parametrize(("stateful_set", "pods", "expected"), CASES.values(), ids=CASES)
def test_round(stateful_set: StatefulSet, pods: list[Pod], expected: list[str]) -> None:
    # Orphans are adopted in a round of their own, so strays are given as somebody else's.
    assert [step for step in steps(plan(stateful_set, pods)) if not step.startswith("~")] == expected


VIRTUAL: dict[str, tuple[StatefulSet, list[str]]] = {
    "5.4 below the partition at the current revision": (
        a_stateful_set(updateStrategy=rolling(partition=2), **PARALLEL),
        ["+db-0@v1", "+db-1@v1", "+db-2@v2"],
    ),
    "5.4 below the partition counts from ordinals.start": (
        a_stateful_set(updateStrategy=rolling(partition=2), ordinals={"start": 4}, **PARALLEL),
        ["+db-4@v1", "+db-5@v1", "+db-6@v2"],
    ),
    "5.4 OnDelete at the update revision": (
        a_stateful_set(updateStrategy={"type": "OnDelete"}, **PARALLEL),
        ["+db-0@v2", "+db-1@v2", "+db-2@v2"],
    ),
    "9 without a partition at the update revision": (
        a_stateful_set(**PARALLEL),
        ["+db-0@v2", "+db-1@v2", "+db-2@v2"],
    ),
}


@pytest.mark.parametrize(("stateful_set", "expected"), VIRTUAL.values(), ids=VIRTUAL)
def test_revision_of_new_pods(stateful_set: StatefulSet, expected: list[str]) -> None:
    assert steps(plan(stateful_set, [])) == expected


def test_without_rolling_update_field_current_replicas_decide() -> None:
    """5.4: RollingUpdate given without its struct; as many as status.currentReplicas tells stay at the current one."""
    stateful_set = a_stateful_set(updateStrategy={"type": "RollingUpdate"}, **PARALLEL)
    stateful_set.status.current_replicas = 2
    assert steps(plan(stateful_set, [])) == ["+db-0@v1", "+db-1@v1", "+db-2@v2"]


def test_deleted_set_writes_status_only() -> None:
    """5.6."""
    stateful_set = steady()
    stateful_set.metadata.deletion_timestamp.seconds = int(NOW)
    made = plan(stateful_set, members("v1"))
    assert steps(made) == []
    assert status_of(made).replicas == 1


@pytest.mark.parametrize("image", ["v1", "v2"])
def test_deleted_set_makes_no_history(image: str) -> None:
    """5.6: its revisions may be orphans by now, whose names are taken: each sync would make another one."""
    stateful_set = a_stateful_set(image)
    stateful_set.metadata.deletion_timestamp.seconds = int(NOW)
    loose = plan(stateful_set, members("v1"), revisions=[], taken=["v1", "v2"])
    assert revision_steps(loose) == []
    assert status_of(loose).update_revision == image
    kept = [a_revision(stateful_set, "v2", 1), a_revision(stateful_set, "v1", 2)]
    assert revision_steps(plan(stateful_set, members("v1"), revisions=kept)) == []


def test_slow_start_is_bounded() -> None:
    """5: Parallel creates at most 500 in a round; what is left follows in the next."""
    made = plan(steady(700, **PARALLEL), [])
    assert len(steps(made)) == 500


def test_identity_of_a_new_pod() -> None:
    """2: names, labels, host name and subdomain."""
    (pod,) = (w.object for w in plan(steady(), []).writes if isinstance(w, CreateObject) and isinstance(w.object, Pod))
    assert isinstance(pod, Pod)
    assert dict(pod.metadata.labels) == {
        "app": "db",
        "statefulset.kubernetes.io/pod-name": "db-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": "v1",
    }
    assert (pod.spec.hostname, pod.spec.subdomain) == ("db-0", "db")
    (owner,) = pod.metadata.owner_references
    assert (owner.kind, owner.name, owner.controller) == ("StatefulSet", "db", True)


def test_lost_identity_is_repaired_in_order() -> None:
    """2 and 5.7e: the label that tells the pod's name is put back; pods behind an unready one have to wait."""
    pods = members("v1", "v1", "v1")
    for pod in pods[0], pods[2]:
        del pod.metadata.labels["statefulset.kubernetes.io/pod-name"]
    assert steps(plan(steady(), pods)) == ["~db-0", "~db-2"]
    pods[1] = unready(1)
    made = plan(steady(), pods)
    assert steps(made) == ["~db-0"]
    (updated,) = (w for w in made.writes if isinstance(w, UpdateObject))
    assert updated.object.metadata.labels["statefulset.kubernetes.io/pod-name"] == "db-0"
    assert [event.reason for event in updated.events] == ["SuccessfulUpdate"]


MEMBERSHIP: dict[str, tuple[str, int | None]] = {
    "its own": ("db-3", 3),
    "another set whose name continues ours": ("db-x-3", None),
    "no ordinal": ("db-a", None),
    "leading zero": ("db-03", None),
    "another set": ("other-3", None),
}


@pytest.mark.parametrize(("name", "ordinal"), MEMBERSHIP.values(), ids=MEMBERSHIP)
def test_membership_by_name(name: str, ordinal: int | None) -> None:
    """2: last dash and digits, and the parent must be the set."""
    assert ordinal_of(steady(), name) == ordinal


def test_orphan_is_adopted_and_stranger_released() -> None:
    """5.1: selector and name decide, and nothing else happens before they are ours, or gone."""
    orphan = member(0, owner="")
    stranger = a_pod("other-1", owner="db-uid", labels={"app": "db"}, ready=5)
    made = plan(steady(), [orphan, stranger])
    assert steps(made) == ["~db-0", "~other-1"]
    owners = {
        write.object.metadata.name: [one.uid for one in write.object.metadata.owner_references]
        for write in made.writes
        if isinstance(write, UpdateObject)
    }
    assert owners == {"db-0": ["db-uid"], "other-1": []}
    assert made.confirm_owner


def test_min_ready_seconds_looks_again_in_time() -> None:
    """10: no event tells that a ready pod has become available."""
    made = plan(steady(minReadySeconds=30), [member(0, ready=10)])
    assert made.requeue_after == pytest.approx(20.0, abs=1.1)


BEHIND = "since OrderedReady keeps all else waiting for it (2 pods to be made)"
REASONS: dict[str, tuple[StatefulSet, list[Pod], str]] = {
    "the gate": (
        steady(),
        [unready(0)],
        f"waits for db-0 to become ready (Running), {BEHIND}",
    ),
    "the gate, ending": (
        steady(),
        [ending(0)],
        f"waits for db-0 to end, {BEHIND}",
    ),
    "the update": (
        a_stateful_set(**PARALLEL),
        [member(0), member(1), unready(2, "v2")],
        "waits for 1 pod to become ready (Running)",
    ),
    "maxUnavailable": (
        a_stateful_set(updateStrategy=rolling(maxUnavailable=2), **PARALLEL),
        [member(0), unready(1, "v2"), unready(2, "v2")],
        "no more than 2 pods may be unavailable (maxUnavailable)",
    ),
}


@pytest.mark.parametrize(("stateful_set", "pods", "reason"), REASONS.values(), ids=REASONS)
def test_what_holds_the_set_is_said(stateful_set: StatefulSet, pods: list[Pod], reason: str) -> None:
    assert reason in said(plan(stateful_set, pods))
