"""What StatefulSets promise, whatever users and kubelets do: docs/semantics/statefulset.md sections 2, 5 and 6."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.extensions import HEAL_STUCK_ROLLOUT
from rollplane_machinery.int_or_string import of
from rollplane_machinery.metadata import is_being_deleted
from tests.planners.ordinal_world import StatefulSetWorld, is_ready, ordinal_of
from tests.planners.stateful_sets import a_stateful_set

ACTIONS = (
    "sync",
    "sync",
    "sync",
    "calm",
    "calm",
    "ready",
    "unready",
    "fail",
    "finish",
    "delete",
    "image",
    "scale",
    "partition",
)
Deed = tuple[str, int]
DEEDS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5)), min_size=12, max_size=40)
POLICIES = st.sampled_from(["OrderedReady", "Parallel"])


def a_world(policy: str, replicas: int, *, start: int = 0, heal: bool = False, most: int = 1) -> StatefulSetWorld:
    annotations = {HEAL_STUCK_ROLLOUT: "true"} if heal else {}
    stateful_set = a_stateful_set(
        "v0", replicas, podManagementPolicy=policy, ordinals={"start": start}, annotations=annotations
    )
    stateful_set.status.Clear()
    stateful_set.spec.update_strategy.rolling_update.max_unavailable.CopyFrom(of(most))
    return StatefulSetWorld(stateful_set)


def live(world: StatefulSetWorld, deeds: list[Deed]) -> None:
    """Let the set come to rest once, then do these deeds one after another."""
    run_to_rest(world)
    for deed in deeds:
        act(world, deed)


def act(world: StatefulSetWorld, deed: Deed) -> None:
    """Do one thing to the world; a deed that has no object to act on does nothing."""
    action, number = deed
    pods = world.live()
    match action:
        case "sync":
            world.sync()
        case "finish":
            world.finish()
        case "calm":
            world.calm()
        case "image" | "scale" | "partition":
            world.edit(lambda stateful_set: _edit(stateful_set, action, number))
        case _ if pods:
            pod = pods[number % len(pods)]
            if action == "delete":
                world.mark_deleted(pod.metadata.name)
            else:
                world.report(pod, ready=action == "ready", phase="Failed" if action == "fail" else "Running")
        case _:
            pass


def _edit(stateful_set: StatefulSet, action: str, number: int) -> None:
    match action:
        case "image":
            stateful_set.spec.template.spec.containers[0].image = f"v{number % 3}"
        case "scale":
            stateful_set.spec.replicas = number
        case _:
            stateful_set.spec.update_strategy.rolling_update.partition = number


def in_range(world: StatefulSetWorld, ordinal: int) -> bool:
    start = world.set.spec.ordinals.start
    return start <= ordinal < start + world.set.spec.replicas


@given(deeds=DEEDS, policy=POLICIES, start=st.integers(0, 2), most=st.integers(1, 3))
def test_one_pod_of_an_ordinal_and_none_touched_below_the_partition(
    deeds: list[Deed], policy: str, start: int, most: int
) -> None:
    """A pod is created only where none is (the world refuses another), and below the partition nothing in range that
    lives is deleted."""
    world = a_world(policy, 3, start=start, most=most)

    def check(pod: Pod) -> None:
        partition = start + world.set.spec.update_strategy.rolling_update.partition
        ordinal = ordinal_of(pod)
        if in_range(world, ordinal) and pod.status.phase not in ("Failed", "Succeeded"):
            assert ordinal >= partition

    world.before_deletion = check
    live(world, deeds)


@given(deeds=DEEDS, start=st.integers(0, 2))
def test_order_under_ordered_ready(deeds: list[Deed], start: int) -> None:
    """Created upwards, each after all below it are ready; removed and updated downwards, one at a time."""
    world = a_world("OrderedReady", 3, start=start)

    def healthy(pod: Pod) -> bool:
        return is_ready(pod) and not is_being_deleted(pod.metadata)

    def check_creation(pod: Pod) -> None:
        slots = world.slots()
        assert all(other in slots and healthy(slots[other]) for other in range(start, ordinal_of(pod)))

    def check_deletion(pod: Pod) -> None:
        slots, ordinal = world.slots(), ordinal_of(pod)
        if pod.status.phase == "Failed":
            return
        below = [other for other in slots if other < ordinal and in_range(world, other)]
        assert all(healthy(slots[other]) for other in below)
        if in_range(world, ordinal):
            above = [slots[other] for other in slots if other > ordinal]
            assert all(healthy(one) for one in above)
        else:
            # Between condemned pods the order is by ordinal: whatever is out of range and higher has gone before.
            assert all(other < ordinal or in_range(world, other) for other in slots if other != ordinal)

    world.before_creation, world.before_deletion = check_creation, check_deletion
    live(world, deeds)


@example(deeds=[*[("sync", 0)] * 7, ("unready", 0), ("unready", 1), ("image", 1), ("scale", 5), ("sync", 0)], most=2)
@given(deeds=DEEDS, most=st.integers(2, 4))
def test_update_leaves_at_most_max_unavailable(deeds: list[Deed], most: int) -> None:
    """With maxUnavailable > 1 the update deletes an available pod only while fewer than that are unavailable."""
    world = a_world("Parallel", 4, most=most)

    def check(pod: Pod) -> None:
        if not in_range(world, ordinal_of(pod)) or pod.status.phase == "Failed" or not is_ready(pod):
            return  # of a pod that is broken already nothing is lost
        slots = world.slots()
        others = [slots.get(ordinal) for ordinal in range(world.set.spec.replicas) if ordinal != ordinal_of(pod)]
        gone = sum(not (one and is_ready(one) and not is_being_deleted(one.metadata)) for one in others)
        assert gone < most

    world.before_deletion = check
    live(world, deeds)


@given(deeds=DEEDS, policy=POLICIES, start=st.integers(0, 2), most=st.integers(1, 3))
def test_converges_from_any_state(deeds: list[Deed], policy: str, start: int, most: int) -> None:
    """When users rest and kubelets do their work, every slot holds a ready pod of the revision it should have."""
    world = a_world(policy, 3, start=start, most=most)
    live(world, deeds)
    world.sync()
    run_to_rest(world)
    replicas, status = world.set.spec.replicas, world.set.status
    assert sorted(world.slots()) == list(range(start, start + replicas))
    assert status.replicas == status.ready_replicas == replicas
    partition = start + world.set.spec.update_strategy.rolling_update.partition
    updated = [pod for ordinal, pod in world.slots().items() if ordinal >= partition]
    wanted = world.set.spec.template.spec.containers[0].image
    assert all(pod.spec.containers[0].image == wanted for pod in updated)
    if partition == start and replicas:
        assert status.current_revision == status.update_revision


def run_to_rest(world: StatefulSetWorld, *, bad: Any = None) -> None:
    """Let kubelets make every pod ready, but those of the image ``bad``, and end what terminates, until all rests.

    Failed pods out of range are deleted by hand: of two of them only the lowest may go by itself (5.8), and the other
    one would hold it for ever.
    """
    for _ in range(60):
        world.settle()
        for pod in world.live():
            if pod.status.phase == "Failed" and not in_range(world, ordinal_of(pod)):
                world.mark_deleted(pod.metadata.name)
        waiting = [pod for pod in world.live() if not is_ready(pod) and pod.status.phase != "Failed"]
        waiting = [pod for pod in waiting if pod.spec.containers[0].image != bad]
        for pod in waiting:
            world.report(pod)
        ending = len(world.live()) < len(world.pods)
        world.finish()
        if not waiting and not ending:
            return
    raise AssertionError("the world never comes to rest")


@given(replicas=st.integers(1, 4), heal=st.booleans(), image=st.sampled_from(["v0", "v2"]))
def test_stuck_rollout_heals_only_when_asked_to(replicas: int, heal: bool, image: str) -> None:
    """9: v1 never gets ready, and is reverted or corrected."""
    world = a_world("OrderedReady", replicas, heal=heal)
    run_to_rest(world)
    for wanted in ("v1", image):
        world.edit(lambda one, to=wanted: _set_image(one, to))  # type: ignore[misc]
        run_to_rest(world, bad="v1")
    images = {pod.spec.containers[0].image for pod in world.pods.values()}
    assert ("v1" in images) == (not heal)
    assert images == {image} if heal else world.set.status.ready_replicas == replicas - 1


def _set_image(stateful_set: StatefulSet, image: str) -> None:
    stateful_set.spec.template.spec.containers[0].image = image
