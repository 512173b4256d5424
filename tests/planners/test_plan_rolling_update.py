"""docs/semantics/rolling-update.md sections 6 to 8: the loop, the label and the finish, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rollplane_machinery.errors import InvalidError, TerminalError
from rollplane_machinery.int_or_string import of
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import (
    BOOKKEEPING,
    DESIRED_REPLICAS,
    RENAMED_FROM,
    RENAMING_LABEL,
    SOURCE_ID,
    STATE,
    CleanupPolicy,
    Step,
    UpdateState,
    set_state,
)
from rollplane_planners.limits import Limits, resolved
from rollplane_planners.rolling_update.sizes import Sizes, grown, shrunk
from tests.planners.pods import said
from tests.planners.rolling_world import START, RollingWorld

RENAME, PRESERVE = CleanupPolicy.RENAME, CleanupPolicy.PRESERVE

GROW: dict[str, tuple[int, tuple[int, int], int]] = {
    "7 scale up: the first of three": (3, (0, 3), 1),
    "7 scale up: no room while the total is at its limit": (3, (1, 3), 1),
    "7 scale up: room for one": (3, (1, 2), 2),
    "7 scale up: never above desired": (3, (2, 0), 3),
    "7 scale up: old is 0, all that is missing": (5, (1, 0), 5),
    "7 scale up: old is larger than desired, no room": (3, (0, 5), 0),
    "7 scale up: new equals desired": (3, (3, 1), 3),
    "7 scale up: new is larger than desired, left alone": (3, (5, 0), 5),
    "7 scale up: new is larger, old not yet 0": (3, (5, 1), 5),
}


@pytest.mark.parametrize(("desired", "sizes", "expected"), GROW.values(), ids=GROW)
def test_next_size_of_the_new_controller(desired: int, sizes: tuple[int, int], expected: int) -> None:
    assert grown(Limits(desired, 1, 0), Sizes(*sizes)) == expected


SHRINK: dict[str, tuple[int, tuple[int, int], int, int]] = {
    "7 scale down: the new pod is ready": (3, (1, 3), 1, 2),
    "7 scale down: the new pod is not ready": (3, (1, 3), 0, 3),
    "7 scale down: nothing surplus": (3, (1, 2), 1, 2),
    "7 scale down: all new available, old to 0": (3, (3, 1), 3, 0),
    "7 scale down: all new available, old to 0 at once": (2, (2, 5), 2, 0),
    "7 scale down: old is 0": (3, (2, 0), 2, 0),
    "7 scale down: not below 0": (1, (1, 1), 1, 0),
    "7 scale down: a larger old one shrinks to what is desired": (3, (0, 5), 0, 3),
    "7.3 desired 0: all of old may go": (0, (0, 4), 0, 0),
}


@pytest.mark.parametrize(("desired", "sizes", "available", "expected"), SHRINK.values(), ids=SHRINK)
def test_next_size_of_the_old_controller(desired: int, sizes: tuple[int, int], available: int, expected: int) -> None:
    assert shrunk(Limits(desired, 1, 0), Sizes(*sizes), available) == expected


LIMITS: dict[str, tuple[int, int | str, int | str, int, int]] = {
    "7.3 kubectl's own": (3, 1, 0, 3, 4),
    "7.3 surge rounds up": (3, "50%", 0, 3, 5),
    "7.3 unavailable rounds down": (3, 1, "50%", 2, 4),
    "7.3 both 0: one may be missing": (3, 0, 0, 2, 3),
    "7.3 never below 0": (1, 0, 4, 0, 1),
    "7.3 desired 0": (0, 1, 0, 0, 1),
}


@pytest.mark.parametrize(("desired", "surge", "unavailable", "least", "most"), LIMITS.values(), ids=LIMITS)
def test_limits(desired: int, surge: int | str, unavailable: int | str, least: int, most: int) -> None:
    limits = resolved(desired, of(surge), of(unavailable))
    assert (limits.min_available, limits.max_total) == (least, most)


def test_limits_that_are_no_percentage_are_refused() -> None:
    with pytest.raises(InvalidError):
        resolved(3, of("many"), of(0))


def state_of(world: RollingWorld, name: str = "new") -> UpdateState:
    state = world.state(name)
    assert state is not None
    return state


def until(world: RollingWorld, holds: Callable[[], bool], *, ready: bool = True) -> None:
    """Let everybody act, time passing second by second, until ``holds()``."""
    for _ in range(2000):
        if holds():
            return
        for name in world.updating:
            world.engine(name)
        world.settle(ready=ready)
        world.now += 1
    raise AssertionError(f"never: {world.sizes}")


def at_step(world: RollingWorld, step: Step) -> Callable[[], bool]:
    return lambda: bool(world.updating) and state_of(world).step is step


def test_7_4_first_step_tells_the_plan() -> None:
    world = RollingWorld()
    world.engine("new")
    assert state_of(world).messages == (
        "Scaling up new from 0 to 3, scaling down old from 3 to 0 (keep 3 pods available, don't exceed 4 pods)",
        "Scaling new up to 1",
    )


def test_7_resize_waits_for_pods_to_exist_not_to_be_ready() -> None:
    world = RollingWorld()
    world.engine("new")
    world.now += 3
    assert not world.engine("new")
    assert said(world.engine_plan("new")) == ["waits for new to have the size it was told to have: 0 of 1 pod"]
    world.settle(ready=False)
    world.engine("new")
    assert state_of(world).step is Step.PAUSE


def test_7_poll_interval_is_waited_for_at_least() -> None:
    world = RollingWorld()
    world.engine("new")
    world.settle()
    plan = world.engine_plan("new")
    assert not plan.writes
    assert plan.requeue_after == pytest.approx(3.01)
    world.now += 3
    assert world.engine("new")


def test_7_update_period_lies_between_the_halves_of_a_round() -> None:
    world = RollingWorld()
    until(world, at_step(world, Step.PAUSE))
    since = state_of(world).since
    until(world, at_step(world, Step.RESIZE_DOWN))
    assert 60 <= state_of(world).since - since <= 61


def test_7_sizes_of_a_whole_update() -> None:
    world, seen = RollingWorld(), [(0, 3)]
    while world.updating:
        world.engine("new")
        sizes = (world.sizes["new"], world.sizes.get("old", 0))
        seen += [sizes] if sizes != seen[-1] else []
        world.settle()
        world.now += 1
    assert seen == [(0, 3), (1, 3), (1, 2), (2, 2), (2, 1), (3, 1), (3, 0)]


def test_7_broken_image_ends_at_the_timeout_with_old_still_full() -> None:
    world = RollingWorld()
    until(world, lambda: bool(state_of(world).error), ready=False)
    assert state_of(world).error == "timed out waiting for any update progress to be made"
    assert world.sizes == {"old": 3, "new": 1}
    assert 300 < world.now - START < 440
    assert world.engine_plan("new").writes == ()


def test_7_progress_renews_the_deadline() -> None:
    world = RollingWorld()
    for _ in range(3):
        last = world.sizes
        until(world, lambda last=last: world.sizes != last)  # type: ignore[misc]
        until(world, at_step(world, Step.PAUSE))
        world.now += 250
    until(world, lambda: not world.updating)
    assert world.sizes == {"new": 3}


def test_7_resize_that_never_comes_times_out() -> None:
    world = RollingWorld()
    world.engine("new")
    world.now += 301
    world.engine("new")
    assert state_of(world).error == "timed out waiting for new to have 1 pods"


def test_7_waiting_for_pods_has_a_reason() -> None:
    world = RollingWorld()
    until(world, at_step(world, Step.PAUSE), ready=False)
    assert said(world.engine_plan("new")) == [
        "waits out its update period of 60 s",
        "waits for 1 new pod to become ready (Pending)",
        "old keeps 3 pods until more are available",
    ]


def test_7_new_larger_than_desired_is_left_to_be_corrected_by_hand() -> None:
    world = RollingWorld()
    world.controllers["new"].spec.replicas = 5
    until(world, lambda: bool(state_of(world).error))
    assert world.sizes == {"old": 0, "new": 5}


def test_6_label_template_then_pods_then_selector() -> None:
    world = RollingWorld(with_label=True)
    old = world.controllers["old"]
    world.engine("new")
    assert world.controllers["old"].spec.template.metadata.labels["v"] == "1"
    assert not any("v" in pod.metadata.labels for pod in world.live)
    world.engine("new")
    assert [pod.metadata.labels["v"] for pod in world.live] == ["1"] * 3
    assert "v" not in world.controllers["old"].spec.selector
    world.engine("new")
    assert world.controllers["old"].spec.selector["v"] == "1"
    assert not world.engine("new")
    world.control("old")
    world.engine("new")
    assert state_of(world).step is Step.RESIZE_UP
    assert len(world.live) == 3
    assert old.metadata.uid == world.controllers["old"].metadata.uid


def test_6_4_pods_from_the_stale_template_are_deleted() -> None:
    world = RollingWorld(with_label=True)
    for _ in range(3):
        world.engine("new")
    stale = world.live[0]
    del stale.metadata.labels["v"]
    stale.metadata.resource_version = "stale"
    world.control("old")
    world.control("old")
    world.engine("new")
    assert is_being_deleted(world.pods[stale.metadata.name].metadata)
    world.settle()
    assert len(world.live) == 3
    assert all(pod.metadata.labels["v"] == "1" for pod in world.live)


def test_6_pods_of_others_are_left_alone() -> None:
    world = RollingWorld(with_label=True)
    other = world.live[0]
    other.metadata.owner_references[0].uid = "somebody else"
    for _ in range(6):
        world.engine("new")
        world.control("old")
    assert "v" not in other.metadata.labels
    assert not is_being_deleted(other.metadata)


def test_8_1_annotations_go_when_the_old_controller_is_gone() -> None:
    world = RollingWorld()
    until(world, at_step(world, Step.FINISH))
    assert state_of(world).messages == ("Update succeeded. Deleting old controller: old",)
    world.settle()
    world.engine("new")
    assert is_being_deleted(world.controllers["old"].metadata)
    assert SOURCE_ID in world.controllers["new"].metadata.annotations
    world.settle()
    world.engine("new")
    assert not set(world.controllers["new"].metadata.annotations) & {SOURCE_ID, DESIRED_REPLICAS, STATE}


def test_8_2_preserve_keeps_the_old_controller_at_0() -> None:
    world = RollingWorld(cleanup=PRESERVE)
    until(world, lambda: not world.updating)
    assert world.sizes == {"old": 0, "new": 3}


def test_8_3_rename_keeps_source_id_until_it_is_complete_and_all_pods() -> None:
    world = RollingWorld(cleanup=RENAME)
    until(world, lambda: "new" not in world.controllers)
    holder = world.controllers["old"]
    pods = {pod.metadata.uid for pod in world.live}
    assert len(pods) == 3
    assert holder.spec.replicas == 0
    assert holder.spec.selector[RENAMING_LABEL]
    assert SOURCE_ID in holder.metadata.annotations
    assert state_of(world, "old").messages == ("Renaming new to old",)
    world.engine("old")
    world.settle()
    renamed = world.controllers["old"]
    assert (renamed.spec.replicas, dict(renamed.spec.selector)) == (3, {"app": "web", "v": "2"})
    assert set(renamed.metadata.annotations) & set(BOOKKEEPING) == {RENAMED_FROM}
    assert {pod.metadata.uid for pod in world.live} == pods
    assert {pod.metadata.owner_references[0].uid for pod in world.live} == {renamed.metadata.uid}


def test_8_rename_does_not_take_a_name_that_somebody_else_has_taken() -> None:
    world = RollingWorld(cleanup=RENAME)
    until(world, at_step(world, Step.FINISH))
    world.settle()
    world.controllers["old"].metadata.uid = "another"
    world.engine("new")
    assert "has been made anew" in state_of(world).error


def test_9_old_made_anew_meanwhile_stops_the_update() -> None:
    world = RollingWorld()
    world.engine("new")
    world.controllers["old"].metadata.uid = "another"
    world.engine("new")
    assert state_of(world).error == "controller old was replaced by another of its name"


def test_9_only_the_later_direction_acts() -> None:
    world = RollingWorld()
    until(world, lambda: world.sizes["old"] == 2)
    old, new = world.controllers["old"], world.controllers["new"]
    old.metadata.annotations.update({SOURCE_ID: f"new:{new.metadata.uid}", DESIRED_REPLICAS: "3"})
    set_state(old, replace(state_of(world), step=Step.SCALE_UP, turn=1, round_sizes=None))
    assert not world.engine_plan("old").writes
    assert said(world.engine_plan("old")) == ["waits for the update from old to new to end"]
    world.engine("new")
    assert world.state("new") is None
    assert world.engine("old")


def test_lost_annotations_stop_the_update_with_a_reason() -> None:
    world = RollingWorld()
    world.controllers["new"].metadata.annotations[DESIRED_REPLICAS] = "three"
    world.engine("new")
    assert state_of(world).error == "its annotations have been changed"
    world.controllers["new"].metadata.annotations[STATE] = "{"
    with pytest.raises(TerminalError):
        world.engine("new")


def test_without_an_update_there_is_nothing_to_do() -> None:
    world = RollingWorld()
    assert not world.engine_plan("old").writes
