"""What a rolling update promises, whatever happens in whatever order and wherever its engine is stopped."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import ReplicationController
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    DESIRED_REPLICAS,
    ORIGINAL_REPLICAS,
    SOURCE_ID,
    CleanupPolicy,
    Source,
    UpdatePace,
    UpdateState,
    set_state,
    state_of,
)
from tests.planners.rolling_world import RollingWorld

PACES = st.sampled_from([UpdatePace(60, 3, 300), UpdatePace(0, 0, 300)])
CLEANUPS = st.sampled_from(list(CleanupPolicy))
MOVES = st.lists(
    st.sampled_from(["engine", "engine cut", "control old", "control new", "collect", "ready", "end", "tick", "long"]),
    max_size=120,
)
ROUNDS = 400


def move(world: RollingWorld, name: str) -> None:
    """Do one thing that may happen next; ``engine cut`` is an engine that dies behind its first write."""
    match name.split():
        case ["engine"]:
            for target in world.updating:
                world.engine(target)
        case ["engine", "cut"]:
            for target in world.updating:
                world.engine(target, 1)
        case ["control", one] if one in world.controllers:
            world.control(one)
        case ["collect"]:
            world.collect()
        case ["ready"]:
            world.ready_next()
        case ["end"]:
            world.finish_pods()
        case ["tick"]:
            world.now += 1.5
        case ["long"]:
            world.now += 31


def check(world: RollingWorld, desired: int) -> None:
    assert len(world.live) <= desired + 1
    assert world.available >= desired


def run_to_the_end(world: RollingWorld, desired: int) -> None:
    """Let all go its way until no update is left; pods become ready one at a time, each well after it was made."""
    for number in range(ROUNDS):
        for target in world.updating:
            world.engine(target)
            check(world, desired)
        world.settle(ready=False)
        check(world, desired)
        world.now += 30
        if not world.updating:
            world.settle()
            return
        if number % 5 == 4:
            world.ready_next()
    raise AssertionError(f"it never ends: {world.sizes} {[world.engine_plan(name) for name in world.updating]}")


@settings(max_examples=100)
@given(desired=st.integers(1, 5), cleanup=CLEANUPS, pace=PACES, with_label=st.booleans(), moves=MOVES)
def test_available_never_below_desired_total_never_above_desired_plus_one(
    desired: int, cleanup: CleanupPolicy, pace: UpdatePace, with_label: bool, moves: list[str]
) -> None:
    world = RollingWorld(desired, desired, cleanup=cleanup, pace=pace, with_label=with_label)
    for each in moves:
        move(world, each)
        check(world, desired)
    for one in world.controllers.values():
        _forgive(one)
    run_to_the_end(world, desired)
    wanted = {CleanupPolicy.DELETE: {"new"}, CleanupPolicy.RENAME: {"old"}, CleanupPolicy.PRESERVE: {"old", "new"}}
    assert set(world.controllers) == wanted[cleanup]
    assert len(world.live) == desired
    assert {pod.spec.containers[0].image for pod in world.live} == {"web:new"}
    owner = world.controllers["old" if cleanup is CleanupPolicy.RENAME else "new"]
    assert {pod.metadata.owner_references[0].uid for pod in world.live} == {owner.metadata.uid}


def _forgive(one: ReplicationController) -> None:
    """Start an update again that gave up while nothing moved, as repeating the command does."""
    state = state_of(one.metadata.annotations)
    if state is not None and state.error:
        set_state(one, state.restarted(state.pace, state.cleanup, state.turn))


@settings(max_examples=60)
@given(pace=PACES, with_label=st.booleans(), before=MOVES, after=MOVES)
@example(UpdatePace(0, 0, 300), False, ["engine"], ["engine", "engine", "control new", "engine cut", "engine"])
def test_rollback_at_any_moment_keeps_the_promise_and_gives_all_back(
    pace: UpdatePace, with_label: bool, before: list[str], after: list[str]
) -> None:
    world = RollingWorld(3, 3, pace=pace, with_label=with_label)
    for each in before:
        move(world, each)
    if "old" not in world.controllers or is_being_deleted(world.controllers["old"].metadata):
        return
    _turn(world)
    for each in after:
        move(world, each)
        check(world, 3)
    for one in world.controllers.values():
        _forgive(one)
    run_to_the_end(world, 3)
    assert world.sizes == {"old": 3}
    assert {pod.spec.containers[0].image for pod in world.live} == {"web:old"}


def _turn(world: RollingWorld) -> None:
    old, new = world.controllers["old"], world.controllers["new"]
    old.metadata.annotations[SOURCE_ID] = str(Source("new", new.metadata.uid))
    old.metadata.annotations[DESIRED_REPLICAS] = old.metadata.annotations[ORIGINAL_REPLICAS]
    state = world.state("new")
    assert state is not None
    set_state(old, UpdateState(pace=state.pace, turn=state.turn + 1))
    old.metadata.resource_version = str(next(world.versions))


@settings(max_examples=60)
@given(old=st.integers(0, 5), desired=st.integers(1, 5), cleanup=CLEANUPS)
def test_any_two_sizes_converge(old: int, desired: int, cleanup: CleanupPolicy) -> None:
    world = RollingWorld(desired, old, cleanup=cleanup)
    for _ in range(ROUNDS):
        for target in world.updating:
            world.engine(target)
            assert len(world.live) <= max(old, desired + 1)
        world.settle()
        world.now += 30
        if not world.updating:
            break
    assert not world.updating
    assert len(world.live) == desired
