"""docs/semantics/deployment.md section 3: finding or creating the new ReplicaSet."""

from __future__ import annotations

from copy import deepcopy

import pytest

from rollplane_machinery.deployments import HASH_LABEL, REVISION, REVISION_HISTORY
from rollplane_planners.deployment.revisions import new_name, sort_out
from rollplane_planners.hashing import SAFE_ALPHABET, fnv1a_32, safe_encode, template_hash
from rollplane_planners.limits import NO_LIMIT
from rollplane_planners.model import CreateObject, UpdateObjectStatus
from tests.planners.deployments import (
    NOW,
    a_deployment,
    a_recreating,
    a_set,
    plan,
    shown,
    sizes,
    status_of,
    told,
    with_condition,
    written_sets,
)

NO_DEADLINE = {"progressDeadlineSeconds": NO_LIMIT}


def test_2_the_oldest_set_with_an_equal_template_is_the_new_one() -> None:
    deployment = a_deployment("v2")
    twins = [a_set(deployment, "v2", 1, age=age) for age in (5, 50, 20)]
    for name, twin in zip(("b", "a", "c"), twins, strict=True):
        twin.metadata.name = name
    sets = sort_out(deployment, twins)
    assert sets.new is not None
    assert (sets.new.name, [draft.name for draft in sets.old]) == ("a", ["c", "b"])


def test_2_names_decide_between_sets_of_one_second() -> None:
    deployment = a_deployment("v2")
    twins = [a_set(deployment, "v2", 1) for _ in range(2)]
    twins[0].metadata.name, twins[1].metadata.name = "b", "a"
    new = sort_out(deployment, twins).new
    assert new is not None
    assert new.name == "a"


def test_2_templates_are_compared_by_meaning_not_by_hash() -> None:
    deployment = a_deployment("v2")
    deployment.spec.template.spec.containers[0].resources.requests["cpu"].string = "1"
    present = a_set(deployment, "v2", 3)
    present.spec.template.spec.containers[0].resources.requests["cpu"].string = "1000m"
    present.spec.template.metadata.labels[HASH_LABEL] = "anything"
    new = sort_out(deployment, [present]).new
    assert new is not None


def test_3_sets_at_zero_are_old_sets_too() -> None:
    deployment = a_deployment("v2")
    assert [draft.name for draft in sort_out(deployment, [a_set(deployment, "v1", 0)]).old] == ["v1"]


REVISIONS: dict[str, tuple[list[int | str], int | str, str, str]] = {
    "4: one more than the highest old one": ([1, 3], 2, "4", "2"),
    "4: unparsable revisions are skipped": (["x", 2], 1, "3", "1"),
    "5: raised only if smaller": ([1, 2], 9, "9", ""),
    "5: equal stays": ([1, 2], 3, "3", ""),
    "5: no history without a former revision": ([2], "", "3", ""),
}


@pytest.mark.parametrize(("old", "present", "expected", "history"), REVISIONS.values(), ids=REVISIONS)
def test_revision_of_an_existing_set(old: list[int | str], present: int | str, expected: str, history: str) -> None:
    deployment = a_deployment("new", **NO_DEADLINE)
    olds = [a_set(deployment, f"v{n}", 0, revision=revision, age=9) for n, revision in enumerate(old)]
    new = a_set(deployment, "new", 3, revision=present)
    if not present:
        del new.metadata.annotations[REVISION]
    made = plan(deployment, *olds, new)
    annotations = written_sets(made).get("new", new).metadata.annotations
    assert annotations[REVISION] == expected
    assert annotations.get(REVISION_HISTORY, "") == history


def test_5_min_ready_seconds_are_copied() -> None:
    deployment = a_deployment("v1")
    present = a_set(deployment, "v1", 3)
    deployment.spec.min_ready_seconds = 17
    assert written_sets(plan(deployment, present))["v1"].spec.min_ready_seconds == 17


def test_5_the_deployment_shows_the_revision_of_the_set() -> None:
    deployment = a_deployment("v1")
    made = plan(deployment, a_set(deployment, "v1", 3, revision=8))
    (write,) = made.writes
    assert isinstance(write, UpdateObjectStatus)
    assert write.object.metadata.annotations[REVISION] == "8"


def test_5_a_set_that_is_found_starts_the_deadline() -> None:
    deployment = a_deployment("v1")
    assert shown(plan(deployment, a_set(deployment, "v1", 3, available=1))) == ("True", "ReplicaSetUpdated")
    idle = a_deployment("v1", replicas=1)
    assert shown(plan(idle, a_set(idle, "v1", 1, running=0, available=0))) == ("True", "FoundNewReplicaSet")


def test_5_without_a_deadline_nothing_is_said() -> None:
    deployment = a_deployment("v1", replicas=1, **NO_DEADLINE)
    assert shown(plan(deployment, a_set(deployment, "v1", 1, running=0, available=0))) is None


def test_6_what_a_created_set_looks_like() -> None:
    deployment = a_deployment("v1", replicas=4, surge=2, minReadySeconds=5)
    deployment.metadata.annotations["kubernetes.io/change-cause"] = "first"
    one = written_sets(plan(deployment))["new"]
    made_hash = one.metadata.labels[HASH_LABEL]
    assert one.metadata.name == f"web-{made_hash}"
    assert dict(one.metadata.labels) == {"app": "web", HASH_LABEL: made_hash}
    assert dict(one.spec.selector.match_labels) == {"app": "web", HASH_LABEL: made_hash}
    assert dict(one.spec.template.metadata.labels) == {"app": "web", HASH_LABEL: made_hash}
    (reference,) = one.metadata.owner_references
    assert (reference.uid, reference.controller, reference.block_owner_deletion) == ("web-uid", True, True)
    assert (reference.api_version, reference.kind, reference.name) == ("apps/v1", "Deployment", "web")
    assert (one.spec.replicas, one.spec.min_ready_seconds) == (4, 5)
    assert dict(one.metadata.annotations) == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "4",
        "deployment.kubernetes.io/max-replicas": "6",
        "kubernetes.io/change-cause": "first",
    }


def test_6_created_with_what_surge_leaves_room_for() -> None:
    deployment = a_deployment("v2", replicas=5, surge=2, unavailable=0)
    assert sizes(plan(deployment, a_set(deployment, "v1", 5)))["new"] == 2


def test_6_under_recreate_created_at_full_size() -> None:
    deployment = a_recreating("v2", replicas=5)
    assert sizes(plan(deployment, a_set(deployment, "v1", 0))) == {"new": 5}


def test_6_revision_and_condition_go_in_one_status_write_after_the_creation() -> None:
    made = plan(a_deployment("v1"))
    create, status = made.writes
    assert isinstance(create, CreateObject)
    assert isinstance(status, UpdateObjectStatus)
    assert status.object.metadata.annotations[REVISION] == "1"
    assert shown(made) == ("True", "NewReplicaSetCreated")


def test_6_counts_are_left_to_the_next_sync() -> None:
    deployment = a_deployment("v2")
    deployment.status.replicas = deployment.status.updated_replicas = 3
    made = plan(deployment, a_set(deployment, "v1", 3))
    assert (status_of(made).replicas, status_of(made).updated_replicas) == (3, 3)


def test_7_a_taken_name_counts_a_collision_and_creates_nothing() -> None:
    deployment = a_deployment("v1")
    made = plan(deployment, taken_names={new_name(deployment)})
    assert sizes(made) == {}
    assert status_of(made).collision_count == 1
    assert made.reasons
    deployment.status.collision_count = 1
    again = plan(deployment, taken_names={new_name(deployment)})
    assert status_of(again).collision_count == 2


def test_7_the_next_hash_differs() -> None:
    deployment = a_deployment("v1")
    former = new_name(deployment)
    deployment.status.collision_count = 1
    assert new_name(deployment) != former
    assert sizes(plan(deployment, taken_names={former})) == {"new": 3}


def test_7_our_own_set_with_another_template_takes_the_name_as_well() -> None:
    deployment = a_deployment("v1")
    edited = a_set(deployment, "edited-by-a-user", 3)
    edited.metadata.name = new_name(deployment)
    assert status_of(plan(deployment, edited, taken_names={edited.metadata.name})).collision_count == 1


def test_7_our_own_set_with_the_template_is_used() -> None:
    deployment = a_deployment("v1")
    ours = a_set(deployment, "v1", 3)
    made = plan(deployment, ours, taken_names={"v1", new_name(deployment)})
    assert sizes(made) == {}
    assert not status_of(made).HasField("collision_count")


def test_8_a_create_error_is_shown_and_tried_again() -> None:
    deployment = a_deployment("v2")
    made = plan(deployment, a_set(deployment, "v1", 3), create_error="quota exceeded")
    assert shown(made) == ("False", "ReplicaSetCreateError")
    ((_, text),) = [event for event in told(made) if event[0] == "ReplicaSetCreateError"]
    assert "quota exceeded" in text
    status, create, *_ = made.writes
    assert isinstance(status, UpdateObjectStatus), "what a refused creation holds back comes after it"
    assert isinstance(create, CreateObject)


def test_8_without_a_deadline_only_the_event_tells() -> None:
    made = plan(a_deployment("v1", **NO_DEADLINE), create_error="quota exceeded")
    assert shown(made) is None
    assert "ReplicaSetCreateError" in dict(told(made))


def test_8_the_error_heals_once_the_set_is_there() -> None:
    deployment = with_condition(a_deployment("v1", replicas=1), "ReplicaSetCreateError", "False")
    assert shown(plan(deployment, a_set(deployment, "v1", 1, running=0, available=0))) == (
        "True",
        "NewReplicaSetCreated",
    )


def test_hash_is_fnv_1a_spelt_without_vowels() -> None:
    assert fnv1a_32(b"") == 0x811C9DC5
    assert fnv1a_32(b"a") == 0xE40C292C  # published test vectors
    assert fnv1a_32(b"foobar") == 0xBF9CF968
    assert safe_encode(1234567890) == "".join(SAFE_ALPHABET[ord(digit) % 27] for digit in "1234567890")
    assert not set("aeiou013") & set(SAFE_ALPHABET)


def test_hash_depends_on_the_template_and_the_collisions_only() -> None:
    template = a_deployment("v1").spec.template
    assert template_hash(template, None) == template_hash(deepcopy(template), None)
    values = [template_hash(template, None), *(template_hash(template, count) for count in range(3))]
    assert len(set(values)) == 4
    assert all(len(value) <= 10 for value in values)
    assert template_hash(a_deployment("v2").spec.template, None) != values[0]


def test_consequence_an_earlier_template_takes_its_set_up_again() -> None:
    deployment = a_deployment("v1", **NO_DEADLINE)
    first, second = a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2)
    made = plan(deployment, first, second, now=NOW)
    written = written_sets(made)
    assert "new" not in written
    assert written["v1"].metadata.annotations[REVISION] == "3"
    assert written["v1"].metadata.annotations[REVISION_HISTORY] == "1"
    assert written["v1"].spec.replicas == 1
