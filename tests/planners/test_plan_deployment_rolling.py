"""docs/semantics/deployment.md section 5 (Recreate), 6 (RollingUpdate, one step per sync) and 8 (writes and events)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from rollplane_machinery.deployments import DESIRED_REPLICAS, MAX_REPLICAS
from tests.planners.deployments import (
    a_deployment,
    a_recreating,
    a_set,
    deleted,
    plan,
    sizes,
    status_of,
    told,
    with_condition,
    with_status,
    written_sets,
)


@dataclass(frozen=True)
class Pods:
    """One set's size and how many of its pods are available; ``running`` is its status.replicas.

    Without ``observed`` its status was made for another size.
    """

    size: int
    available: int | None = None
    running: int | None = None
    observed: bool = True


# New set, old sets oldest first, and the sizes that are written.
Step = tuple[dict[str, Any], Pods | None, list[Pods], dict[str, int]]
STEPS: dict[str, Step] = {
    "1: the new set is created": ({}, None, [], {"new": 3}),
    "2: new at its size": ({}, Pods(3), [], {}),
    "2: new above its size is corrected, whatever surge": ({}, Pods(5), [], {"v2": 3}),
    "2: new grows into the room that is left": ({"replicas": 10, "surge": 3}, Pods(3), [Pods(8)], {"v2": 5}),
    "2: without room it keeps its size": ({"replicas": 10, "surge": 3, "unavailable": 0}, Pods(3, 0), [Pods(10)], {}),
    "2: never more than declared": ({"replicas": 4, "surge": 4}, Pods(1), [Pods(1)], {"v2": 4}),
    "2: no scale-down in the sync that scales up": ({"surge": 1}, Pods(1), [Pods(2)], {"v2": 2}),
    "3: healthy old pods go as far as availability allows": (
        {"replicas": 10, "surge": 3, "unavailable": 2},
        Pods(3, 0),
        [Pods(10)],
        {"v1": 8},
    ),
    "3: missing new pods are subtracted": ({"replicas": 3, "surge": 1, "unavailable": 0}, Pods(1, 0), [Pods(3)], {}),
    "3: available new pods let old ones go": (
        {"replicas": 3, "surge": 1, "unavailable": 0},
        Pods(1, 1),
        [Pods(3)],
        {"v1": 2},
    ),
    "3: unhealthy old pods go first (1 and 2), then one healthy, oldest set first": (
        {"replicas": 5, "surge": 2, "unavailable": 2},
        Pods(1, 1),
        [Pods(2, 1), Pods(4, 2)],
        {"v0": 0, "v1": 2},
    ),
    "3: unhealthy within maxScaledDown": (
        {"replicas": 5, "surge": 2, "unavailable": 1},
        Pods(2, 0),
        [Pods(5, 0)],
        {"v1": 4},
    ),
    "3: healthy have a budget of their own": (
        {"replicas": 10, "surge": 0, "unavailable": 3},
        Pods(2, 2),
        [Pods(2, 1), Pods(6, 6)],
        {"v0": 0, "v1": 6 - 1},
    ),
    "3: a set whose status is stale stops the whole step": (
        {"replicas": 6, "surge": 2, "unavailable": 2},
        Pods(3, 3),
        [Pods(2, 5), Pods(3, 3)],
        {},
    ),
    "3: also when others come before the stale one": (
        {"replicas": 6, "surge": 2, "unavailable": 2},
        Pods(3, 3),
        [Pods(2, 1), Pods(3, 4)],
        {},
    ),
    "3: also when those before it have used up all that may go": (
        {"replicas": 12, "surge": 3, "unavailable": 3},
        Pods(0, 0),
        [Pods(12, 6), Pods(3, 6)],
        {},
    ),
    "3: nothing goes on the word of a status that was made for another size, the new set's": (
        {"replicas": 12, "surge": 3, "unavailable": 3},
        Pods(9, 9, observed=False),
        [Pods(6, 6)],
        {},
    ),
    "3: nor an old one's": (
        {"replicas": 12, "surge": 3, "unavailable": 3},
        Pods(9, 9),
        [Pods(6, 6, observed=False)],
        {},
    ),
    "3: sets that were at zero count for nothing": (
        {"replicas": 4, "surge": 1, "unavailable": 1},
        Pods(1, 0),
        [Pods(0, 3), Pods(4, 3)],
        {"v1": 3},
    ),
    "safe improvement: a shrunk new set counts no more available than its size": (
        {"replicas": 3, "surge": 1, "unavailable": 0},
        Pods(3, 9),
        [Pods(1, 0)],
        {"v1": 0},
    ),
    "crashing new pods cost no good old ones": (
        {"replicas": 5, "surge": 2, "unavailable": 1},
        Pods(3, 0),
        [Pods(4, 4)],
        {},
    ),
    "crashing old pods free surge for the new set": (
        {"replicas": 5, "surge": 1, "unavailable": 1},
        Pods(1, 1),
        [Pods(5, 3)],
        {"v1": 3},
    ),
    "maxUnavailable alone": ({"replicas": 10, "surge": 0, "unavailable": 1}, None, [Pods(10)], {"new": 0, "v1": 9}),
    "rollover: the newest starts with the room that is left": (
        {"replicas": 10, "surge": 3, "unavailable": 2},
        None,
        [Pods(8), Pods(5, 0)],
        {"new": 0, "v1": 0},
    ),
    "replicas 0 takes everything": ({"replicas": 0}, Pods(0), [Pods(3)], {"v1": 0}),
}


@pytest.mark.parametrize(("spec", "new", "olds", "expected"), STEPS.values(), ids=STEPS)
def test_step(spec: dict[str, Any], new: Pods | None, olds: list[Pods], expected: dict[str, int]) -> None:
    deployment = a_deployment("v2", **spec)
    names = ["v1"] if len(olds) == 1 else ["v0", "v1"]
    sets = [
        a_set(deployment, name, one.size, available=one.available, running=one.running, age=99 - number)
        for number, (name, one) in enumerate(zip(names, olds, strict=False))
    ]
    if new:
        sets.append(a_set(deployment, "v2", new.size, available=new.available, revision=2))
    for one, counted in zip(sets, [*olds, new], strict=False):
        one.metadata.generation += counted is not None and not counted.observed
    assert sizes(plan(deployment, *sets)) == expected


def test_example_replicas_5_surge_2_unavailable_1() -> None:
    deployment = a_deployment("v2", replicas=5, surge=2, unavailable=1)

    def step(new: Pods | None, old: Pods) -> dict[str, int]:
        sets = [a_set(deployment, "v1", old.size, available=old.available, age=9)]
        if new:
            sets.append(a_set(deployment, "v2", new.size, available=new.available, revision=2))
        return sizes(plan(deployment, *sets))

    assert step(None, Pods(5)) == {"new": 2, "v1": 4}
    assert step(Pods(2, 0), Pods(4)) == {"v2": 3}
    assert step(Pods(3, 2), Pods(4)) == {"v1": 2}
    assert step(Pods(3, 2), Pods(2)) == {"v2": 5}
    assert step(Pods(5, 4), Pods(2)) == {"v1": 0}
    assert step(Pods(5, 5), Pods(0)) == {}


def test_6_4_completion_is_judged_by_the_stored_status() -> None:
    deployment = a_deployment("v2", revisionHistoryLimit=0)
    sets = (a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2))
    assert deleted(plan(deployment, *sets)) == []
    with_status(deployment, replicas=3, updated_replicas=3, available_replicas=3)
    assert deleted(plan(deployment, *sets)) == ["v1"]


RECREATE: dict[str, tuple[Pods | None, Pods, int, dict[str, int], int]] = {
    "1: old sets go to zero, the new one waits": (None, Pods(3), 3, {"v1": 0}, 0),
    "2: old status still counts pods": (None, Pods(0, 0, running=1), 0, {}, 1),
    "2: a terminating pod counts as running": (None, Pods(0), 2, {}, 1),
    "2: a set that does not know yet that it is to be empty may be making a pod": (
        None,
        Pods(0, observed=False),
        0,
        {},
        1,
    ),
    "3: then the new set comes at full size": (None, Pods(0), 0, {"new": 4}, 0),
    "3: or is scaled to it": (Pods(1), Pods(0), 0, {"v2": 4}, 0),
    "note: scaling up does not wait for old pods' status": (Pods(4), Pods(0), 0, {}, 0),
}


@pytest.mark.parametrize(("new", "old", "living", "expected", "reasons"), RECREATE.values(), ids=RECREATE)
def test_recreate(new: Pods | None, old: Pods, living: int, expected: dict[str, int], reasons: int) -> None:
    deployment = a_recreating("v2", replicas=4)
    sets = [a_set(deployment, "v1", old.size, running=old.running, available=old.available, age=9)]
    sets[0].metadata.generation += not old.observed
    if new:
        sets.append(a_set(deployment, "v2", new.size, available=new.available, revision=2))
    made = plan(deployment, *sets, running_pods={"v1-uid": living, "v2-uid": 9, "of-an-unrelated-orphan": 5})
    assert sizes(made) == expected
    assert sum(reason.code == "OldPodsRunning" for reason in made.reasons) == reasons


def test_5_4_recreate_cleans_history_when_complete() -> None:
    deployment = a_recreating("v2", revisionHistoryLimit=0)
    with_status(deployment, replicas=3, updated_replicas=3, available_replicas=3)
    sets = (a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2))
    assert deleted(plan(deployment, *sets)) == ["v1"]


def test_5_a_waiting_recreate_keeps_its_old_reason() -> None:
    deployment = with_condition(a_recreating("v2"), "NewReplicaSetAvailable")
    with_status(deployment, replicas=3, updated_replicas=3, ready_replicas=3, available_replicas=3)
    status = status_of(plan(deployment, a_set(deployment, "v1", 0, age=9), running_pods={"v1-uid": 3}))
    assert (status.replicas, status.updated_replicas) == (0, 0)
    assert [one.reason for one in status.conditions if one.type == "Progressing"] == ["NewReplicaSetAvailable"]


def test_8_a_written_size_refreshes_the_scaling_annotations() -> None:
    deployment = a_deployment("v2", replicas=10, surge=3, unavailable=2)
    old = a_set(deployment, "v1", 10, desired=10, maximum=99, age=9)
    written = written_sets(plan(deployment, old, a_set(deployment, "v2", 3, available=0, revision=2)))["v1"]
    assert written.metadata.annotations[DESIRED_REPLICAS] == "10"
    assert written.metadata.annotations[MAX_REPLICAS] == "13"


EVENTS: dict[str, tuple[int, Pods | None, list[str]]] = {
    "created": (3, None, ["Scaled up replica set {new} from 0 to 3"]),
    "created empty: nothing to tell": (0, None, []),
    "up": (3, Pods(1), ["Scaled up replica set v2 from 1 to 3"]),
    "down": (3, Pods(5), ["Scaled down replica set v2 from 5 to 3"]),
    "unchanged": (3, Pods(3), []),
}


@pytest.mark.parametrize(("replicas", "new", "expected"), EVENTS.values(), ids=EVENTS)
def test_8_scaling_replica_set_events(replicas: int, new: Pods | None, expected: list[str]) -> None:
    deployment = a_deployment("v2", replicas=replicas)
    sets = [a_set(deployment, "v2", new.size)] if new else []
    made = plan(deployment, *sets)
    created = written_sets(made).get("new")
    name = created.metadata.name if created else ""
    assert [text for reason, text in told(made)] == [text.format(new=name) for text in expected]
    assert {reason for reason, _ in told(made)} <= {"ScalingReplicaSet"}


def test_8_refreshed_annotations_alone_are_no_event() -> None:
    deployment = a_deployment("v1", minReadySeconds=4)
    present = a_set(deployment, "v1", 3)
    present.spec.min_ready_seconds = 0
    assert told(plan(deployment, present)) == []
