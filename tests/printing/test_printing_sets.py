"""What ``why`` says of StatefulSets, DaemonSets, ReplicaSets and ReplicationControllers, and when they are stuck."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.apps.v1 import DaemonSet, ReplicaSet, ReplicaSetCondition, StatefulSet
from rollplane.core.v1 import ConfigMap, ReplicationController
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery import kinds
from rollplane_machinery.extensions import HEAL_STUCK_ROLLOUT
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    SOURCE_ID,
    Step,
    UpdatePace,
    UpdateState,
    set_state,
)
from rollplane_machinery.times import time_of
from rollplane_printing.diagnosis import Diagnosis, diagnose, diagnose_workload
from rollplane_printing.scene import SELECTED, Scene, is_workload
from tests.machinery.rollouts import names
from tests.machinery.sets import (
    ENDING,
    NOW,
    READY,
    daemon_set,
    daemons,
    histories,
    members,
    nodes,
    pod,
    replication_controller,
    stateful_set,
)

PULL = 'image "app:404" cannot be pulled: not found (ErrImagePull)'
ONE_POD = "since no more than 1 pod may be unavailable (maxUnavailable)"
TWO_PODS = "since no more than 2 pods may be unavailable (maxUnavailable)"
TRAP = (
    f"cannot proceed: db-2 runs a template that is no longer wanted and fails, {PULL}; nothing else can move, since "
    'OrderedReady replaces no pod before it is available: delete it ("rollplane delete pod db-2") to go on, or '
    "set the set's annotation rollplane.dev/heal-stuck-rollout=true to have that done"
)


def healing() -> StatefulSet:
    found = stateful_set()
    found.metadata.annotations[HEAL_STUCK_ROLLOUT] = "true"
    return found


def young() -> StatefulSet:
    found = stateful_set()
    found.spec.min_ready_seconds = 30
    return found


def unseen() -> StatefulSet:
    found = stateful_set()
    found.status.observed_generation = 1
    return found


ORDINALS: dict[str, tuple[StatefulSet, list[str], str, str, list[str]]] = {
    "not observed": (
        unseen(),
        ["1 ready"],
        "NotObserved",
        "waits for its controller to see the latest change (generation 2, seen 1)",
        [],
    ),
    "complete": (
        stateful_set(),
        ["2 ready"] * 3,
        "Complete",
        "is complete: 3 pods are updated and available",
        [],
    ),
    "partition holds the rest": (
        stateful_set(partition=2),
        ["1 ready", "1 ready", "2 ready"],
        "Complete",
        "is complete as far as its limits let it: 2 pods below the partition of 2 keep the former revision",
        [],
    ),
    "gate: next pod is missing": (
        stateful_set(),
        ["2 ready", "", ""],
        "Progressing",
        "waits for its controller to make db-1, since OrderedReady keeps all else waiting for it (1 pod to be made)",
        [],
    ),
    "gate: the first pod starts": (
        stateful_set(),
        ["2 ContainerCreating", "", ""],
        "PodsNotReady",
        "waits for db-0 to become ready (ContainerCreating), since OrderedReady keeps all else waiting for it "
        "(2 pods to be made)",
        ["db-0"],
    ),
    "gate: the replaced pod ends": (
        stateful_set(),
        ["1 ready", "1 ready", "1 ending"],
        "PodsTerminating",
        "waits for db-2 to end, since OrderedReady keeps all else waiting for it (2 pods to be updated)",
        ["db-2"],
    ),
    "gate: the updated pod fails": (
        stateful_set(),
        ["1 ready", "1 ready", "2 ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: db-2 fails, {PULL}; nothing else can move, since OrderedReady keeps all else waiting for it "
        "(2 pods to be updated)",
        ["db-2"],
    ),
    "gate: no node": (
        stateful_set(),
        ["1 ready", "1 ready", "2 no node"],
        "Unschedulable",
        "waits for a node for db-2: 0/3 nodes are available, since OrderedReady keeps all else waiting for it "
        "(2 pods to be updated)",
        ["db-2"],
    ),
    "gate: not ready for long enough": (
        young(),
        ["2 ready", "2 ready", "2 young"],
        "MinReadySeconds",
        "waits until db-2 stayed ready for 30 s (minReadySeconds)",
        ["db-2"],
    ),
    "gate: a pod beyond the size waits too": (
        stateful_set(2),
        ["2 ready", "2 ContainerCreating", "2 ready"],
        "PodsNotReady",
        "waits for db-1 to become ready (ContainerCreating), since OrderedReady keeps all else waiting for it "
        "(1 pod to be removed)",
        ["db-1"],
    ),
    "the trap: a template that was given up": (
        stateful_set(),
        ["1 ready", "1 ready", "7 ErrImagePull"],
        "ForcedRollbackNeeded",
        TRAP,
        ["db-2"],
    ),
    "the trap after going back": (
        stateful_set(),
        ["2 ready", "2 ready", "1 ErrImagePull"],
        "ForcedRollbackNeeded",
        TRAP,
        ["db-2"],
    ),
    "the trap, healed": (
        healing(),
        ["1 ready", "1 ready", "7 ErrImagePull"],
        "ForcedRollbackNeeded",
        f"waits for its controller to replace db-2: db-2 runs a template that is no longer wanted and fails, {PULL}",
        ["db-2"],
    ),
    "below the partition the former revision is wanted": (
        stateful_set(partition=3),
        ["1 ErrImagePull", "1 ready", "1 ready"],
        "ErrImagePull",
        f"cannot proceed: db-0 fails, {PULL}; nothing else can move",
        ["db-0"],
    ),
    "scale-down": (
        stateful_set(1),
        ["2 ready", "2 ready", "2 ending"],
        "PodsTerminating",
        "waits for 2 pods beyond its size to end",
        ["db-1", "db-2"],
    ),
    "next one": (
        stateful_set(),
        ["1 ready", "1 ready", "2 ready"],
        "Progressing",
        "waits for its controller to replace db-1",
        ["db-1"],
    ),
    "on delete": (
        stateful_set(on_delete=True),
        ["1 ready", "2 ready", "2 ready"],
        "OnDelete",
        "waits for 1 pod of its former template to be deleted by hand (OnDelete)",
        ["db-0"],
    ),
    "parallel: one by one": (
        stateful_set(parallel=True),
        ["1 ready", "1 ready", "2 ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 1 pod fails, {PULL}; nothing else can move, {ONE_POD}",
        ["db-2"],
    ),
    "parallel: a broken old pod is no obstacle": (
        stateful_set(parallel=True),
        ["1 ready", "1 ErrImagePull", "2 ready"],
        "Progressing",
        "waits for its controller to replace db-1",
        ["db-1"],
    ),
    "parallel: several at once": (
        stateful_set(4, parallel=True, most=2),
        ["1 ready", "1 ready", "2 ErrImagePull", "2 ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 2 pods fail, {PULL}; nothing else can move, {TWO_PODS}",
        ["db-2", "db-3"],
    ),
    "parallel: one fails, one comes up": (
        stateful_set(4, parallel=True, most=2),
        ["1 ready", "1 ready", "2 ContainerCreating", "2 ErrImagePull"],
        "ErrImagePull",
        f"waits while 1 pod fails, {PULL}",
        ["db-3"],
    ),
    "parallel: all are updated, some fail": (
        stateful_set(parallel=True),
        ["2 ready", "2 ErrImagePull", "2 ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 2 pods fail, {PULL}; nothing else can move",
        ["db-1", "db-2"],
    ),
    "parallel: an old pod ends": (
        stateful_set(parallel=True),
        ["1 ready", "1 ready", "1 ending"],
        "PodsTerminating",
        "waits for 1 pod to end",
        ["db-2"],
    ),
}


@pytest.mark.parametrize(("set_", "states", "reason", "sentence", "pods"), ORDINALS.values(), ids=ORDINALS)
def test_a_stateful_set(set_: StatefulSet, states: list[str], reason: str, sentence: str, pods: list[str]) -> None:
    found = diagnose_workload(set_, [*histories(set_), *members(set_, *states)], NOW)
    assert (found.reason, found.sentence, names(found.pods)) == (reason, f'statefulset "db" {sentence}', pods)
    assert found.is_stuck == ("cannot proceed" in sentence)


def fresh() -> DaemonSet:
    found = daemon_set()
    found.spec.min_ready_seconds = 30
    return found


def finished() -> DaemonSet:
    found = daemon_set()
    found.status.updated_number_scheduled = found.status.number_available = 3
    return found


DAEMONS: dict[str, tuple[DaemonSet, list[str], str, str, list[str]]] = {
    "complete": (finished(), ["new ready"] * 3, "Complete", "is complete: 3 nodes run an updated, available pod", []),
    "stuck at maxUnavailable": (
        daemon_set(),
        ["old ready", "old ready", "new ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 1 new pod fails, {PULL}; nothing else can move, since no more than 1 node may be without an "
        "available pod (maxUnavailable)",
        ["agent-2-new"],
    ),
    "stuck at maxSurge": (
        daemon_set(surge=1),
        ["old ready", "old ready", "old ready+new ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 1 new pod fails, {PULL}; nothing else can move, since no more than 1 node may run two pods "
        "(maxSurge)",
        ["agent-2-new"],
    ),
    "all are new, and fail": (
        daemon_set(2),
        ["new ErrImagePull", "new ready"],
        "ErrImagePull",
        f"cannot proceed: 1 new pod fails, {PULL}; nothing else can move",
        ["agent-0-new"],
    ),
    "room for another": (
        daemon_set(most="50%"),
        ["old ready", "old ready", "new ErrImagePull"],
        "ErrImagePull",
        f"waits while 1 new pod fails, {PULL}",
        ["agent-2-new"],
    ),
    "a useless old pod goes at once": (
        daemon_set(),
        ["old ready", "old ContainerCreating", "new ErrImagePull"],
        "ErrImagePull",
        f"waits while 1 new pod fails, {PULL}",
        ["agent-2-new"],
    ),
    "a node has none yet": (
        daemon_set(4),
        ["old ready", "old ready", "new ErrImagePull"],
        "ErrImagePull",
        f"waits while 1 new pod fails, {PULL}",
        ["agent-2-new"],
    ),
    "no node takes it": (
        daemon_set(),
        ["old ready", "old ready", "new no node"],
        "Unschedulable",
        "waits for a node for 1 new pod: 0/3 nodes are available",
        ["agent-2-new"],
    ),
    "starting": (
        daemon_set(),
        ["old ready", "new ContainerCreating", "new ready"],
        "PodsNotReady",
        "waits for 1 new pod to become ready (ContainerCreating)",
        ["agent-1-new"],
    ),
    "not ready for long enough": (
        fresh(),
        ["old ready", "new young", "new ready"],
        "MinReadySeconds",
        "waits until 1 new pod stayed ready for 30 s (minReadySeconds)",
        ["agent-1-new"],
    ),
    "an old pod ends": (
        daemon_set(),
        ["old ready", "old ready", "old ending"],
        "PodsTerminating",
        "waits for 1 old pod to end",
        ["agent-2-old"],
    ),
    "on delete": (
        daemon_set(on_delete=True),
        ["old ready", "old ready", "new ready"],
        "OnDelete",
        "waits for 2 pods of its former template to be deleted by hand (OnDelete)",
        ["agent-0-old", "agent-1-old"],
    ),
    "next step": (
        daemon_set(),
        ["old ready", "old ready", "new ready"],
        "Progressing",
        "waits for its controller to take the next step",
        [],
    ),
}


@pytest.mark.parametrize(("set_", "states", "reason", "sentence", "pods"), DAEMONS.values(), ids=DAEMONS)
def test_a_daemon_set(set_: DaemonSet, states: list[str], reason: str, sentence: str, pods: list[str]) -> None:
    found = diagnose_workload(set_, [*nodes(set_), *histories(set_), *daemons(set_, *states)], NOW)
    assert (found.reason, found.sentence, names(found.pods)) == (reason, f'daemon set "agent" {sentence}', pods)
    assert found.is_stuck == ("cannot proceed" in sentence)


def test_a_daemon_that_is_still_to_be_scheduled_counts_for_the_node_it_is_meant_for() -> None:
    set_ = daemon_set(1)
    (waiting,) = daemons(set_, "new no node")
    waiting.spec.node_name = ""
    required = waiting.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
    field = required.node_selector_terms.add().match_fields.add()
    field.key, field.operator = "metadata.name", "In"
    field.values.append("node-0")
    found = diagnose_workload(set_, [*nodes(set_), *histories(set_), waiting], NOW)
    assert (found.reason, names(found.pods)) == ("Unschedulable", ["agent-0-new"])


def test_a_daemon_that_no_node_wants_is_complete() -> None:
    found = diagnose_workload(daemon_set(0), histories(daemon_set(0)), NOW)
    assert found.sentence == 'daemon set "agent" is complete: no node is to run it'


def replicated(
    states: Sequence[str], *, wanted: int = 2, refused: str = "", kind: type[ReplicaSet | ReplicationController]
) -> Diagnosis:
    """The diagnosis of a ReplicaSet or ReplicationController whose status tells of all its pods."""
    owner = kind(metadata=ObjectMeta(name="web", namespace="default", uid="web", generation=1))
    owner.spec.replicas = wanted
    owner.status.observed_generation = 1
    owner.spec.template.metadata.labels["app"] = "web"
    if isinstance(owner, ReplicaSet):
        owner.spec.selector.match_labels["app"] = "web"
    else:
        owner.spec.selector["app"] = "web"
    owner.status.replicas = owner.status.fully_labeled_replicas = len(states)
    owner.status.ready_replicas = owner.status.available_replicas = states.count(READY)
    if refused and isinstance(owner, ReplicaSet):
        owner.status.conditions.append(
            ReplicaSetCondition(type="ReplicaFailure", status="True", reason="FailedCreate", message=refused)
        )
    return diagnose_workload(owner, [pod(owner, f"web-{at}", state) for at, state in enumerate(states)], NOW)


REPLICAS: dict[str, tuple[list[str], str, str]] = {
    "complete": ([READY, READY], "Complete", "is complete: 2 pods are available"),
    "all that wait fail": (
        [READY, "ErrImagePull"],
        "ErrImagePull",
        f"cannot proceed: 1 pod fails, {PULL}; nothing else can move",
    ),
    "one fails, one starts": (
        ["ContainerCreating", "ErrImagePull"],
        "ErrImagePull",
        f"waits while 1 pod fails, {PULL}",
    ),
    "one is missing": ([READY], "Progressing", "waits for its controller to take the next step"),
    "no node": ([READY, "no node"], "Unschedulable", "waits for a node for 1 pod: 0/3 nodes are available"),
    "starting": ([READY, "Pending"], "PodsNotReady", "waits for 1 pod to become ready (Pending)"),
}


@pytest.mark.parametrize("kind", [ReplicaSet, ReplicationController])
@pytest.mark.parametrize(("states", "reason", "sentence"), REPLICAS.values(), ids=REPLICAS)
def test_replicas(states: list[str], reason: str, sentence: str, kind: type[ReplicaSet]) -> None:
    found = replicated(states, kind=kind)
    assert (found.reason, found.sentence) == (reason, f'{kind.__name__.lower()} "web" {sentence}')
    assert found.is_stuck == ("cannot proceed" in sentence)


def test_pods_that_may_not_be_made() -> None:
    found = replicated([READY], refused="quota is used up", kind=ReplicaSet)
    assert found.reason == "FailedCreate"
    assert found.sentence == 'replicaset "web" cannot have its pods made: quota is used up'


def test_every_kind_that_makes_pods_can_be_diagnosed_and_no_other() -> None:
    assert [kind.name for kind in kinds.KINDS if is_workload(kind.new())] == [
        kind.name for kind in kinds.KINDS if kind in SELECTED
    ]
    assert not is_workload(ConfigMap())


def scene_of(set_: StatefulSet, *states: str) -> Scene:
    scene = Scene(set_)
    for revision in histories(set_):
        scene.put(revision)
    for member in members(set_, *states):
        scene.put(member)
    return scene


slots = st.sampled_from(
    ["", *(f"{number} {state}" for number in (1, 2, 7) for state in (READY, ENDING, "ErrImagePull", "Pending"))]
)


@settings(max_examples=150, deadline=None)
@given(states=st.lists(slots, min_size=3, max_size=5), parallel=st.booleans(), most=st.sampled_from([None, 2]))
def test_stuck_means_that_the_planner_has_no_move(states: list[str], parallel: bool, most: int | None) -> None:
    set_ = stateful_set(parallel=parallel, most=most)
    scene = scene_of(set_, *states)
    if diagnose(scene, NOW).is_stuck:
        assert not any(plan.can_move for plan in scene.plans(NOW))


def test_what_is_gone_is_forgotten() -> None:
    set_ = stateful_set()
    scene = scene_of(set_, "2 ready", "2 ready", "2 ErrImagePull")
    assert diagnose(scene, NOW).is_stuck
    scene.drop(kinds.POD, "db-2")
    assert diagnose(scene, NOW).sentence == 'statefulset "db" waits for its controller to make db-2'


def test_a_workload_that_is_being_deleted() -> None:
    set_ = stateful_set()
    set_.metadata.deletion_timestamp.CopyFrom(time_of(NOW))
    assert diagnose_workload(set_, [], NOW).sentence == 'statefulset "db" is being deleted'


def test_a_controller_that_is_updated_to_says_what_its_update_waits_for() -> None:
    target = replication_controller("new", 1)
    target.metadata.annotations.update({SOURCE_ID: "old:old", DESIRED_REPLICAS: "3"})
    pace = UpdatePace(update_period_seconds=0)
    state = UpdateState(Step.PAUSE, pace=pace, since=NOW - 90, deadline=NOW + 300, round_sizes=(1, 3))
    set_state(target, state)
    around: list[ApiObject] = [replication_controller("old", 3), pod(target, "new-0", "ErrImagePull")]
    found = diagnose_workload(target, around, NOW)
    keeps = "nothing else can move, since old keeps 3 pods until more are available"
    assert found.sentence == f'replicationcontroller "new" cannot proceed: 1 new pod fails, {PULL}; {keeps}'
