"""What holds of the planners whatever happens: random lives of a Deployment, watched by the invariant checker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.apps.v1 import Deployment
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.int_or_string import of
from rollplane_planners.deployment.status import is_complete
from tests.planners.deployments import a_deployment
from tests.planners.plan_world import World

LIMITS: st.SearchStrategy[int | str] = st.sampled_from([0, 1, 2, 5, "0%", "20%", "25%", "50%", "100%"])


@dataclass(frozen=True)
class Step:
    """Something that happens to a world."""

    name: str
    do: Callable[[World], Any]

    def __repr__(self) -> str:
        return self.name


def edit(name: str, change: Callable[[Deployment], Any]) -> Step:
    return Step(name, lambda world: world.edit(change))


def set_image(number: int) -> Step:
    def change(deployment: Deployment) -> None:
        deployment.spec.template.spec.containers[0].image = f"v{number}"

    return edit(f"image v{number}", change)


def scale(replicas: int) -> Step:
    return edit(f"scale {replicas}", lambda deployment: setattr(deployment.spec, "replicas", replicas))


def pause(paused: bool) -> Step:
    return edit("pause" if paused else "resume", lambda deployment: setattr(deployment.spec, "paused", paused))


def roll_by(limits: tuple[int | str, int | str]) -> Step:
    def change(deployment: Deployment) -> None:
        strategy = deployment.spec.strategy
        strategy.type = "RollingUpdate"
        strategy.rolling_update.max_surge.CopyFrom(of(limits[0]))
        strategy.rolling_update.max_unavailable.CopyFrom(of(limits[1]))

    return edit(f"surge {limits[0]} unavailable {limits[1]}", change)


def recreate(deployment: Deployment) -> None:
    deployment.spec.strategy.type = "Recreate"
    deployment.spec.strategy.ClearField("rolling_update")


READY = st.integers(1, 6).map(lambda count: Step(f"ready {count}", lambda world: world.set_ready(count)))
UNREADY = st.integers(1, 3).map(
    lambda count: Step(f"unready {count}", lambda world: world.set_ready(count, ready=False))
)
FAIL = st.integers(1, 2).map(lambda count: Step(f"fail {count}", lambda world: world.fail(count)))
SETTLE = st.just(Step("settle", World.settle))
SYNC = st.sampled_from([Step("sync the deployment", World.sync_deployment), Step("sync the sets", World.sync_sets)])
USERS = st.one_of(
    st.integers(1, 4).map(set_image),
    st.integers(1, 4).map(set_image),
    st.integers(0, 12).map(scale),
    st.tuples(LIMITS, LIMITS).filter(lambda pair: {str(one) for one in pair} - {"0", "0%"}).map(roll_by),
    st.sampled_from([pause(True), pause(False), pause(False), edit("recreate", recreate)]),
)
# Readiness and time pass more often than users act, else no rollout would get anywhere.
STEPS = st.one_of(
    READY, READY, SETTLE, SETTLE, SYNC, SYNC, UNREADY, FAIL, st.just(Step("finish", World.finish)), USERS, USERS
)
LIVES = st.lists(STEPS, min_size=10, max_size=40)


def lived(replicas: int, steps: list[Step]) -> World:
    """Return the world after ``steps``; it starts with all pods up."""
    world = World(a_deployment("v1", replicas=replicas, surge="25%", unavailable="25%", revisionHistoryLimit=2))
    world.settle()
    world.set_ready(replicas)
    world.settle()
    for step in steps:
        step.do(world)
    return world


def check(world: World) -> None:
    assert [str(one) for one in world.checker.violations] == []


@given(st.integers(0, 10), LIVES)
@settings(max_examples=120)
def test_no_promise_is_broken_on_the_way(replicas: int, steps: list[Step]) -> None:
    """Sizes stay within the surge, deletions leave enough available, revisions grow: at every single write."""
    check(lived(replicas, steps))


@given(st.integers(0, 10), LIVES)
@settings(max_examples=40)
def test_from_any_state_the_planners_come_to_rest_and_stay_there(replicas: int, steps: list[Step]) -> None:
    world = lived(replicas, steps)
    world.settle()
    assert not world.sync_deployment()
    assert not world.sync_sets()
    check(world)


@given(st.integers(0, 10), LIVES)
@settings(max_examples=40)
def test_from_any_state_the_rollout_completes_once_pods_come_up(replicas: int, steps: list[Step]) -> None:
    world = lived(replicas, [*steps, pause(False)])
    deployment = world.deployment
    for _ in range(60):
        world.settle()
        if is_complete(deployment, deployment.status):
            break
        world.finish()
        world.set_ready(99)
    world.finish()  # a Recreate forgets old sets once their last pods have ended
    world.settle()
    assert is_complete(deployment, deployment.status), world.reasons
    alive = [pod.spec.containers[0].image for pod in world.live_pods()]
    assert alive == [deployment.spec.template.spec.containers[0].image] * deployment.spec.replicas
    assert len(world.replica_sets) <= 3, "the new set and two for undo"
    check(world)


@given(st.integers(0, 10), LIVES)
@settings(max_examples=25)
def test_no_two_sets_have_one_revision_or_one_name(replicas: int, steps: list[Step]) -> None:
    world = lived(replicas, steps)
    world.settle()
    revisions = [one.metadata.annotations[REVISION] for one in world.replica_sets.values()]
    assert len(set(revisions)) == len(revisions)


@given(st.integers(0, 10), LIVES)
@settings(max_examples=25)
def test_no_pod_is_without_its_set_and_no_set_without_its_deployment(replicas: int, steps: list[Step]) -> None:
    world = lived(replicas, steps)
    world.settle()
    world.finish()
    sets = {one.metadata.uid for one in world.replica_sets.values()}
    alive = {pod.metadata.owner_references[0].uid for pod in world.live_pods()}
    assert alive <= sets
    assert {one.metadata.owner_references[0].uid for one in world.replica_sets.values()} <= {"web-uid", "uid-00001"}
