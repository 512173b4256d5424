"""Revisions, history, status and completion of StatefulSets: docs/semantics/statefulset.md sections 4 and 7."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps.v1 import ControllerRevision, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_planners.model import CreateObject
from rollplane_planners.stateful_set.revisions import revision_name
from rollplane_planners.templates import template_data
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


def _history(stateful_set: StatefulSet, **numbers: int) -> list[ControllerRevision]:
    return [a_revision(stateful_set, image, number) for image, number in numbers.items()]


NUMBERS: dict[str, tuple[str, dict[str, int], list[str]]] = {
    "4.3 none equal: created with the next number": ("v3", {"v1": 1, "v2": 2}, ["+3"]),
    "4.3 none at all: number 1": ("v1", {}, ["+1"]),
    "4.3 equal to the last: nothing written": ("v2", {"v1": 1, "v2": 2}, []),
    "4.3 equal to an earlier one: raised to the next number": ("v1", {"v1": 1, "v2": 2, "v3": 3}, ["v1=4"]),
}


@pytest.mark.parametrize(("image", "numbers", "expected"), NUMBERS.values(), ids=NUMBERS)
def test_numbers(image: str, numbers: dict[str, int], expected: list[str]) -> None:
    stateful_set = a_stateful_set(image)
    made = plan(stateful_set, members("v1", "v1", "v1"), revisions=_history(stateful_set, **numbers))
    assert revision_steps(made) == expected


def test_created_revision() -> None:
    """4.1 and 4.4: name, labels, annotations and data."""
    stateful_set = a_stateful_set("v1", annotations={"kubernetes.io/change-cause": "first"})
    made = plan(stateful_set, [], revisions=[])
    (revision,) = (write.object for write in made.writes if isinstance(write, CreateObject) and _is_revision(write))
    assert isinstance(revision, ControllerRevision)
    data = template_data(stateful_set.spec.template)
    assert revision.data.raw == data
    assert data.startswith(b'{"spec":{"template":{"$patch":"replace"')
    assert revision.metadata.name == revision_name(stateful_set, data, 0)
    assert revision.metadata.labels["controller.kubernetes.io/hash"] == revision.metadata.name.removeprefix("db-")
    assert revision.metadata.labels["app"] == "db"
    assert revision.metadata.annotations["kubernetes.io/change-cause"] == "first"


def _is_revision(write: CreateObject) -> bool:
    return isinstance(write.object, ControllerRevision)


def test_long_set_names_are_cut() -> None:
    """4.4."""
    stateful_set = a_stateful_set()
    stateful_set.metadata.name = "x" * 250
    assert len(revision_name(stateful_set, b"", 0)) <= 223 + 1 + 10


def test_name_that_is_taken_counts_a_collision() -> None:
    """4.5: other data under our name, whoever owns it; the count is kept in the status."""
    stateful_set = a_stateful_set("v2")
    taken = revision_name(stateful_set, template_data(stateful_set.spec.template), 0)
    made = plan(stateful_set, [], revisions=_history(stateful_set, v1=1), taken=[taken])
    created = [write.object.metadata.name for write in made.writes if isinstance(write, CreateObject)]
    assert revision_name(stateful_set, template_data(stateful_set.spec.template), 1) in created
    assert status_of(made).collision_count == 1


def test_missing_current_revision_becomes_the_update_revision() -> None:
    """4.6."""
    stateful_set = a_stateful_set("v2", current="gone")
    made = plan(stateful_set, members("v2", "v2"), revisions=_history(stateful_set, v2=2))
    assert status_of(made).current_revision == "v2"


TRUNCATION: dict[str, tuple[int, list[Pod], list[str]]] = {
    "within the limit": (3, members("v5", "v5", "v5"), []),
    "beyond it, the smallest numbers first": (1, members("v5", "v5", "v5"), ["-v1", "-v2"]),
    "live ones do not count": (0, members("v5", "v5", "v2"), ["-v1", "-v3"]),
}


@pytest.mark.parametrize(("limit", "pods", "expected"), TRUNCATION.values(), ids=TRUNCATION)
def test_truncation(limit: int, pods: list[Pod], expected: list[str]) -> None:
    """4, truncation: v4 is the current and v5 the update revision."""
    stateful_set = a_stateful_set("v5", current="v4", revisionHistoryLimit=limit)
    made = plan(stateful_set, pods, revisions=_history(stateful_set, v1=1, v2=2, v3=3, v4=4, v5=5))
    assert revision_steps(made) == expected


def test_orphaned_revisions_are_adopted_first() -> None:
    """4.2."""
    stateful_set = a_stateful_set("v2")
    orphan = a_revision(stateful_set, "v1", 1)
    del orphan.metadata.owner_references[:]
    made = plan(stateful_set, [], revisions=[orphan])
    assert revision_steps(made) == ["v1=1"]
    assert steps(made) == []


def _counts(stateful_set: StatefulSet, pods: list[Pod], **view: Any) -> dict[str, Any]:
    status = status_of(plan(stateful_set, pods, **view))
    return {
        "replicas": status.replicas,
        "ready": status.ready_replicas,
        "available": status.available_replicas,
        "current": status.current_replicas,
        "updated": status.updated_replicas,
    }


STATUS: dict[str, tuple[StatefulSet, list[Pod], dict[str, int]]] = {
    "terminating pods count as replicas, not as current": (
        a_stateful_set(),
        [member(0), member(1), member(2, terminating=True)],
        {"replicas": 3, "ready": 3, "available": 3, "current": 2, "updated": 0},
    ),
    "ready but not yet available": (
        a_stateful_set(minReadySeconds=60),
        [member(0, ready=5)],
        {"replicas": 1, "ready": 1, "available": 0, "current": 1, "updated": 0},
    ),
    "what the round creates counts": (
        a_stateful_set("v1"),
        members("v1"),
        {"replicas": 2, "ready": 1, "available": 1, "current": 2, "updated": 2},
    ),
    "what the round condemns does not count as current": (
        a_stateful_set("v1", replicas=1),
        members("v1", "v1"),
        {"replicas": 2, "ready": 2, "available": 2, "current": 1, "updated": 1},
    ),
    "6 the update takes one off the current pods": (
        a_stateful_set(),
        members("v1", "v1", "v1"),
        {"replicas": 3, "ready": 3, "available": 3, "current": 2, "updated": 0},
    ),
    "6 whatever revision the pod carried": (
        a_stateful_set(podManagementPolicy="Parallel"),
        members("v1", "v2", "v0"),
        {"replicas": 3, "ready": 3, "available": 3, "current": 0, "updated": 1},
    ),
    "6 but never below zero": (
        a_stateful_set(podManagementPolicy="Parallel"),
        members("v2", "v2", "v0"),
        {"replicas": 3, "ready": 3, "available": 3, "current": 0, "updated": 2},
    ),
}


@pytest.mark.parametrize(("stateful_set", "pods", "expected"), STATUS.values(), ids=STATUS)
def test_counts(stateful_set: StatefulSet, pods: list[Pod], expected: dict[str, int]) -> None:
    assert _counts(stateful_set, pods) == expected


COMPLETION: dict[str, tuple[dict[str, Any], list[Pod], str]] = {
    "every pod updated and ready": ({}, members("v2", "v2", "v2"), "v2"),
    "one not ready": ({}, [*members("v2", "v2"), member(2, "v2", ready=None)], "v1"),
    "a condemned pod still there": ({}, members("v2", "v2", "v2", "v2"), "v1"),
    "a partition holds pods back": ({"updateStrategy": rolling(partition=1)}, members("v1", "v2", "v2"), "v1"),
    "OnDelete, every pod replaced": ({"updateStrategy": {"type": "OnDelete"}}, members("v2", "v2", "v2"), "v2"),
    "OnDelete, one pod left": ({"updateStrategy": {"type": "OnDelete"}}, members("v1", "v2", "v2"), "v1"),
}


@pytest.mark.parametrize(("spec", "pods", "expected"), COMPLETION.values(), ids=COMPLETION)
def test_completion(spec: dict[str, Any], pods: list[Pod], expected: str) -> None:
    """7: only then does the update revision become the current one."""
    assert status_of(plan(a_stateful_set(**spec), pods)).current_revision == expected


def test_observed_generation_follows() -> None:
    stateful_set = a_stateful_set()
    stateful_set.metadata.generation = 9
    assert status_of(plan(stateful_set, members("v1", "v1", "v1"))).observed_generation == 9


def test_converged_set_is_left_alone() -> None:
    stateful_set = a_stateful_set("v1")
    pods = members("v1", "v1", "v1")
    stateful_set.status.CopyFrom(status_of(plan(stateful_set, pods)))
    made = plan(stateful_set, pods)
    assert (made.writes, made.requeue_after, made.reasons) == ((), None, ())
