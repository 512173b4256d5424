"""docs/semantics/deployment.md section 1: resolving maxSurge and maxUnavailable, and section 2: annotations."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.deployments import STAYING
from rollplane_planners.deployment.annotations import HISTORY_LIMIT, append_revision, integer
from rollplane_planners.limits import NO_LIMIT, limits_of
from tests.planners.deployments import a_deployment, a_recreating, a_set, plan, written_sets

LIMITS: dict[str, tuple[int, Any, Any, tuple[int, int, int]]] = {
    "1: surge is a percentage rounded up": (5, "25%", 1, (2, 1, 4)),
    "1: or the integer": (5, 3, 1, (3, 1, 4)),
    "2: unavailable is a percentage rounded down": (7, 1, "25%", (1, 1, 6)),
    "2: or the integer, larger": (7, 1, 3, (1, 3, 4)),
    "3: both 0 through rounding makes unavailable 1": (3, 0, "20%", (0, 1, 2)),
    "3: surge is never forced": (1, 0, "99%", (0, 1, 0)),
    "4: unavailable is at most replicas": (2, 1, 5, (1, 2, 0)),
    "4: unavailable is 0 when replicas is 0": (0, 1, 1, (1, 0, 0)),
    "example: 3, 0, 20%": (3, 0, "20%", (0, 1, 2)),
    "example: 5, 25%, 25%": (5, "25%", "25%", (2, 1, 4)),
    "100% of both": (4, "100%", "100%", (4, 4, 0)),
}


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "expected"), LIMITS.values(), ids=LIMITS)
def test_fenceposts(replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int, int]) -> None:
    limits = limits_of(a_deployment(replicas=replicas, surge=surge, unavailable=unavailable).spec)
    assert (limits.max_surge, limits.max_unavailable, limits.min_available) == expected
    assert limits.max_total == replicas + expected[0]


def test_4_recreate_has_neither_surge_nor_unavailability() -> None:
    limits = limits_of(a_recreating(replicas=4).spec)
    assert (limits.max_surge, limits.max_unavailable, limits.min_available) == (0, 0, 4)


HISTORIES: dict[str, tuple[str, str, str]] = {
    "the first entry": ("", "1", "1"),
    "another entry": ("1,3", "5", "1,3,5"),
    "cut at the front": (",".join(["1234567"] * 250), "9", ",".join([*["1234567"] * 249, "9"])),
}


@pytest.mark.parametrize(("history", "revision", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_revision_history(history: str, revision: str, expected: str) -> None:
    result = append_revision(history, revision)
    assert result == expected
    assert len(result) <= HISTORY_LIMIT


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("", None), (None, None), ("x", None), ("0", 0)])
def test_numbers_in_annotations(text: str | None, number: int | None) -> None:
    assert integer(text) == number


@pytest.mark.parametrize("key", sorted(STAYING))
def test_skip_list_is_not_copied_to_the_new_set(key: str) -> None:
    # Paused, and without a deadline, so that the request for a rollback waits as well.
    deployment = a_deployment("v1", paused=True, progressDeadlineSeconds=NO_LIMIT)
    deployment.metadata.annotations[key] = "4"
    deployment.metadata.annotations["else"] = "copied"
    present = a_set(deployment, "v1", 3)
    written = written_sets(plan(deployment, present))["v1"].metadata.annotations
    assert dict(written) == {**present.metadata.annotations, "else": "copied"}


def test_all_other_annotations_are_merged_onto_the_new_set() -> None:
    deployment = a_deployment("v1")
    deployment.metadata.annotations.update({"kubernetes.io/change-cause": "because", "team": "b"})
    present = a_set(deployment, "v1", 3, annotations={"team": "a", "gone-from-the-deployment": "kept"})
    written = written_sets(plan(deployment, present))["v1"].metadata.annotations
    assert written["kubernetes.io/change-cause"] == "because"
    assert written["team"] == "b"
    assert written["gone-from-the-deployment"] == "kept"


def test_old_sets_keep_their_annotations() -> None:
    deployment = a_deployment("v2")
    deployment.metadata.annotations["kubernetes.io/change-cause"] = "because"
    made = plan(deployment, a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2))
    assert list(written_sets(made)) == ["v2"]
