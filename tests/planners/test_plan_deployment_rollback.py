"""docs/semantics/deployment.md section 11: the legacy rollback, carried out by the controller."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_machinery.deployments import HASH_LABEL, REVISION, ROLLBACK_TO
from rollplane_machinery.well_known import LAST_APPLIED
from rollplane_planners.model import UpdateObject
from tests.planners.deployments import a_deployment, a_recreating, a_set, plan, sizes, told

REVISIONS: dict[str, tuple[str, str, str]] = {
    "0 is the one before the latest": ("0", "v2", "DeploymentRollback"),
    "unparsable counts as 0": ("soon", "v2", "DeploymentRollback"),
    "a revision by its number": ("1", "v1", "DeploymentRollback"),
    "a revision that is not there": ("9", "v3", "DeploymentRollbackRevisionNotFound"),
    "the present template": ("3", "v3", "DeploymentRollbackTemplateUnchanged"),
}


def asked(revision: str) -> Deployment:
    deployment = a_deployment("v3")
    deployment.metadata.annotations.update({ROLLBACK_TO: revision, REVISION: "3", LAST_APPLIED: "{}", "own": "lost"})
    return deployment


def rolled_back(deployment: Deployment, images: list[str]) -> tuple[Deployment, list[tuple[str, str]]]:
    sets = [
        a_set(deployment, image, 3 if image == "v3" else 0, revision=number, age=9 - number, annotations={"of": image})
        for number, image in enumerate(images, 1)
    ]
    made = plan(deployment, *sets)
    (write,) = made.writes
    assert isinstance(write, UpdateObject)
    assert isinstance(write.object, Deployment)
    return write.object, told(made)


@pytest.mark.parametrize(("revision", "image", "event"), REVISIONS.values(), ids=REVISIONS)
def test_target_event_and_cleared_request(revision: str, image: str, event: str) -> None:
    result, events = rolled_back(asked(revision), ["v1", "v2", "v3"])
    assert result.spec.template.spec.containers[0].image == image
    assert [reason for reason, _ in events] == [event]
    assert ROLLBACK_TO not in result.metadata.annotations, "cleared in every outcome"


def test_0_with_a_single_set_finds_nothing() -> None:
    result, events = rolled_back(asked("0"), ["v3"])
    assert [reason for reason, _ in events] == ["DeploymentRollbackRevisionNotFound"]
    assert ROLLBACK_TO not in result.metadata.annotations


def test_template_and_annotations_are_restored() -> None:
    result, _ = rolled_back(asked("1"), ["v1", "v2", "v3"])
    assert HASH_LABEL not in result.spec.template.metadata.labels
    assert dict(result.metadata.annotations) == {REVISION: "3", LAST_APPLIED: "{}", "of": "v1"}
    assert result.spec.replicas == 3


@pytest.mark.parametrize("deployment", [a_deployment("v3"), a_recreating("v3")], ids=["rolling", "recreate"])
def test_a_template_without_a_set_first_becomes_the_latest(deployment: Deployment) -> None:
    deployment.metadata.annotations[ROLLBACK_TO] = "0"
    made = plan(deployment, a_set(deployment, "v1", 0, age=9), a_set(deployment, "v2", 3, revision=2))
    assert sizes(made) == {"new": 0}
    assert not [write for write in made.writes if isinstance(write, UpdateObject)]
