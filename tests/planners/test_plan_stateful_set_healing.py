"""The stuck rollout of ordered sets, faithful and healed: docs/semantics/statefulset.md section 9."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery.extensions import AUTO_ROLLBACK, HEAL_STUCK_ROLLOUT
from rollplane_planners.model import DeleteObject
from tests.planners.pods import said
from tests.planners.stateful_sets import a_revision, a_stateful_set, member, plan, rolling, steps

OPTED_IN = {HEAL_STUCK_ROLLOUT: "true"}


def _bad(ordinal: int, revision: str, *, waiting: str = "", ready: float | None = None) -> Pod:
    pod = member(ordinal, revision, ready=ready)
    pod.status.container_statuses[0].state.waiting.reason = waiting
    return pod


def _stuck() -> list[Pod]:
    """Two pods of v1, and the last one of v2, which never gets ready."""
    return [member(0), member(1), _bad(2, "v2")]


def _plan(annotations: dict[str, str], pods: list[Pod], image: str = "v3", partition: int = 0) -> list[str]:
    stateful_set = a_stateful_set(image, annotations=annotations, updateStrategy=rolling(partition=partition))
    revisions = [a_revision(stateful_set, name, number) for number, name in enumerate(("v1", "v2", "v3"), 1)]
    return steps(plan(stateful_set, pods, revisions=revisions))


@pytest.mark.parametrize("image", ["v1", "v3"], ids=["reverted", "corrected"])
def test_faithful_set_stays_stuck(image: str) -> None:
    """9: the gate waits for the broken pod, and the update is never reached."""
    assert _plan({}, _stuck(), image) == []


@pytest.mark.parametrize("image", ["v1", "v3"], ids=["reverted", "corrected"])
@pytest.mark.parametrize("annotation", [HEAL_STUCK_ROLLOUT, AUTO_ROLLBACK])
def test_opted_in_set_heals(image: str, annotation: str) -> None:
    assert _plan({annotation: "true"}, _stuck(), image) == ["-db-2"]


def test_stuck_set_says_what_to_do() -> None:
    stateful_set = a_stateful_set("v3")
    made = plan(stateful_set, _stuck())
    assert "db-2 runs a template that is no longer wanted; delete it to go on" in said(made)


def test_healing_is_told() -> None:
    made = plan(a_stateful_set("v3", annotations=OPTED_IN), _stuck())
    assert [event.reason for event in made.events] == ["HealedStuckRollout"]


HEALED: dict[str, tuple[list[Pod], int, list[str]]] = {
    "a pod of the wanted revision is waited for": ([member(0), member(1), _bad(2, "v3")], 0, []),
    "so it is when it crashes": ([member(0), member(1), _bad(2, "v3", waiting="ErrImagePull")], 0, []),
    "an old pod that is only not ready is waited for": ([_bad(0, "v1"), member(1), member(2)], 0, []),
    "an old pod past hope is replaced": ([_bad(0, "v1", waiting="ImagePullBackOff"), member(1)], 0, ["-db-0"]),
    "but not below the partition": ([_bad(0, "v1", waiting="ImagePullBackOff"), member(1)], 2, []),
    "a terminating pod is waited for": ([member(0), member(1, "v2", terminating=True)], 0, []),
    "a pod that is ready blocks nothing": ([member(0), member(1), _bad(2, "v2", ready=10)], 3, []),
}


@pytest.mark.parametrize(("pods", "partition", "expected"), HEALED.values(), ids=HEALED)
def test_who_is_healed(pods: list[Pod], partition: int, expected: list[str]) -> None:
    assert _plan(OPTED_IN, pods, partition=partition) == expected


def test_any_other_value_is_no_opt_in() -> None:
    assert _plan({HEAL_STUCK_ROLLOUT: "yes"}, _stuck()) == []


def test_a_pod_is_replaced_only_as_it_was_seen() -> None:
    """Should it become ready meanwhile, there is nothing to heal."""
    pods = _stuck()
    pods[2].metadata.resource_version = "72"
    made = plan(a_stateful_set("v3", annotations=OPTED_IN), pods)
    assert [one.resource_version for one in made.writes if isinstance(one, DeleteObject)] == ["72"]
