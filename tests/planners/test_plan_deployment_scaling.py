"""docs/semantics/deployment.md section 7: the scale path."""

from __future__ import annotations

import pytest

from rollplane_machinery.deployments import DESIRED_REPLICAS, MAX_REPLICAS
from tests.planners.deployments import (
    a_deployment,
    a_recreating,
    a_set,
    deleted,
    plan,
    shown,
    sizes,
    status_of,
    with_condition,
    written_sets,
)


def test_1_the_only_active_set_takes_it_all() -> None:
    deployment = a_deployment("v2", replicas=7)
    sets = (a_set(deployment, "v1", 3, desired=3, age=9), a_set(deployment, "v2", 0, revision=2))
    assert sizes(plan(deployment, *sets)) == {"v1": 7}


def test_1_without_an_active_set_the_new_one_takes_it() -> None:
    deployment = with_condition(a_deployment("v2", replicas=4, paused=True), "DeploymentPaused", "Unknown")
    sets = (a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 0, revision=2))
    assert sizes(plan(deployment, *sets)) == {"v2": 4}


def test_1_without_a_new_set_the_newest_old_one_takes_it() -> None:
    deployment = with_condition(a_deployment("v3", replicas=4, paused=True), "DeploymentPaused", "Unknown")
    sets = (a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 0, age=5))
    assert sizes(plan(deployment, *sets)) == {"v2": 4}


def test_1_without_any_set_nothing_happens() -> None:
    deployment = with_condition(a_deployment("v1", paused=True), "DeploymentPaused", "Unknown")
    assert sizes(plan(deployment)) == {}


def test_2_a_saturated_new_set_ends_the_old_ones() -> None:
    deployment = with_condition(a_deployment("v2", replicas=3, paused=True), "DeploymentPaused", "Unknown")
    sets = (
        a_set(deployment, "v0", 1, age=9),
        a_set(deployment, "v1", 2, age=8),
        a_set(deployment, "v2", 3, revision=2),
    )
    assert sizes(plan(deployment, *sets)) == {"v0": 0, "v1": 0}


SATURATED = {"its size": (2, 3, 2), "its annotation": (3, 2, 3), "its available pods": (3, 3, 2)}


@pytest.mark.parametrize(("size", "desired", "available"), SATURATED.values(), ids=SATURATED)
def test_2_saturated_asks_for_all_three(size: int, desired: int, available: int) -> None:
    deployment = with_condition(a_deployment("v2", replicas=3, surge=1, paused=True), "DeploymentPaused", "Unknown")
    new = a_set(deployment, "v2", size, available=available, revision=2, desired=desired, maximum=4)
    assert sizes(plan(deployment, a_set(deployment, "v1", 1, age=9), new)).get("v1") != 0


# Declared size and surge, then each active set (oldest first): size and former max-replicas; the sizes written.
Shares = tuple[int, int, list[tuple[int, int | None]], list[int]]
SHARES: dict[str, Shares] = {
    "example: 5 and 5 of 10, limit 13": (10, 3, [(5, 10), (5, 10)], [6, 7]),
    "example: three of 3 of 9, limit 10": (9, 1, [(3, 9), (3, 9), (3, 9)], [3, 3, 4]),
    "the largest gets what is left": (10, 5, [(8, 13), (5, 13)], [9, 6]),
    "shrinking takes from the oldest of equals": (5, 0, [(3, 6), (3, 6)], [2, 3]),
    "to zero": (0, 3, [(4, 8), (4, 8)], [0, 0]),
    "halves are rounded away from zero": (6, 0, [(1, 4), (3, 4)], [1, 5]),
    "no annotation: the status counts": (10, 0, [(5, None), (5, None)], [5, 5]),
    "already at the limit": (8, 2, [(5, 10), (5, 10)], [5, 5]),
}


@pytest.mark.parametrize(("replicas", "surge", "sets", "expected"), SHARES.values(), ids=SHARES)
def test_3_proportional_shares(
    replicas: int, surge: int, sets: list[tuple[int, int | None]], expected: list[int]
) -> None:
    deployment = a_deployment(f"v{len(sets) - 1}", replicas=replicas, surge=surge)
    deployment.status.replicas = sum(size for size, _ in sets)
    made_of = []
    for number, (size, maximum) in enumerate(sets):
        one = a_set(deployment, f"v{number}", size, desired=77, maximum=maximum, age=99 - number, revision=number + 1)
        if maximum is None:
            del one.metadata.annotations[MAX_REPLICAS]
        made_of.append(one)
    made = plan(deployment, *made_of)
    assert [sizes(made)[f"v{number}"] for number in range(len(sets))] == expected
    for one in written_sets(made).values():
        assert one.metadata.annotations[DESIRED_REPLICAS] == str(replicas)
        assert one.metadata.annotations[MAX_REPLICAS] == str(replicas + surge)


def test_3_what_shrinks_is_written_before_what_grows() -> None:
    """An old limit that was not recorded anew makes one set's share negative while the whole grows."""
    deployment = a_deployment("v1", replicas=11, surge=0)
    sets = [
        a_set(deployment, "v0", 5, desired=10, maximum=13, age=9),
        a_set(deployment, "v1", 5, desired=10, maximum=10, age=8, revision=2),
    ]
    made = plan(deployment, *sets)
    assert list(sizes(made).items()) == [("v0", 4), ("v1", 7)]


def test_3_a_shrunk_limit_never_makes_a_size_negative() -> None:
    deployment = a_deployment("v1", replicas=1, surge=0)
    sets = [a_set(deployment, f"v{n}", 2, desired=9, maximum=2, age=9 - n) for n in range(2)]
    assert all(size >= 0 for size in sizes(plan(deployment, *sets)).values())


def test_3_under_recreate_nothing_is_shared_and_recreate_takes_over() -> None:
    deployment = a_recreating("v2", replicas=8)
    sets = (a_set(deployment, "v1", 2, desired=4, age=9), a_set(deployment, "v2", 2, desired=4, revision=2))
    assert sizes(plan(deployment, *sets)) == {"v1": 0}
    deployment.spec.paused = True
    with_condition(deployment, "DeploymentPaused", "Unknown")
    assert sizes(plan(deployment, *sets)) == {}


def test_4_history_is_cleaned_while_paused_but_not_in_a_scaling_event() -> None:
    def sets_of(paused: bool) -> list[str]:
        deployment = a_deployment("v2", replicas=4, revisionHistoryLimit=0, paused=paused)
        with_condition(
            deployment, "DeploymentPaused" if paused else "ReplicaSetUpdated", "Unknown" if paused else "True"
        )
        old, new = a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, desired=3, revision=2)
        return deleted(plan(deployment, old, new))

    assert sets_of(paused=True) == ["v1"]
    assert sets_of(paused=False) == []


def test_4_status_without_an_estimate_of_progress() -> None:
    deployment = with_condition(a_deployment("v2", replicas=5), "ReplicaSetUpdated")
    made = plan(deployment, a_set(deployment, "v2", 3, desired=3))
    assert status_of(made).replicas == 3
    assert shown(made) == ("True", "ReplicaSetUpdated")
    assert made.requeue_after is None


def test_safe_improvement_a_stale_annotation_is_refreshed_at_the_right_size() -> None:
    deployment = a_deployment("v2", replicas=3)
    made = plan(deployment, a_set(deployment, "v1", 3, desired=9, maximum=12))
    assert written_sets(made)["v1"].metadata.annotations[DESIRED_REPLICAS] == "3"
    assert sizes(made) == {"v1": 3}
