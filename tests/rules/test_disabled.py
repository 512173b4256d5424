"""Fields that a release does not know are dropped (docs/semantics/releases.md), on both sides of each boundary."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_machinery.releases import release_of
from rollplane_rules.strategy import prepare_create, prepare_update
from tests.machinery.samples import NOW, UID, decoded, pod, workload

GATES = {"schedulingGates": [{"name": "quota"}]}
SIDECAR = {"initContainers": [{"name": "mesh", "image": "mesh", "restartPolicy": "Always"}]}
SIDES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "gates before": (GATES, "1.26", False),
    "gates after": (GATES, "1.27", True),
    "sidecar before": (SIDECAR, "1.28", False),
    "sidecar after": (SIDECAR, "1.29", True),
}


def has(obj: ApiObject) -> bool:
    """Tell whether the pod spec of ``obj`` has gates or a sidecar."""
    located = pod_spec_of(obj)
    assert located is not None
    sidecars = [one for one in located.spec.init_containers if one.HasField("restart_policy")]
    return bool(located.spec.scheduling_gates or sidecars)


def objects(spec: dict[str, Any]) -> list[ApiObject]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    return [decoded(pod(spec)), decoded(workload("Deployment", {"template": template}))]


@pytest.mark.parametrize(("spec", "release", "kept"), SIDES.values(), ids=SIDES)
def test_what_a_release_does_not_know_is_dropped(spec: dict[str, Any], release: str, kept: bool) -> None:
    for obj in objects(spec):
        prepare_create(obj, now=NOW, uid=UID, release=release_of(release))
        assert has(obj) is kept


@pytest.mark.parametrize(("spec", "release", "kept"), SIDES.values(), ids=SIDES)
def test_an_update_brings_in_nothing_either(spec: dict[str, Any], release: str, kept: bool) -> None:
    for new, old in zip(objects(spec), objects({}), strict=True):
        prepare_update(new, old, release_of(release))
        assert has(new) is kept


@pytest.mark.parametrize("spec", [GATES, SIDECAR])
def test_what_is_stored_stays(spec: dict[str, Any]) -> None:
    for new, old in zip(objects(spec), objects(spec), strict=True):
        prepare_update(new, old, release_of("1.20"))
        assert has(new)


@pytest.mark.parametrize(("release", "conditions"), [("1.26", []), ("1.27", ["SchedulingGated"])])
def test_a_gated_pod_says_so_from_the_start(release: str, conditions: list[str]) -> None:
    made: Any = decoded(pod(GATES))
    prepare_create(made, now=NOW, uid=UID, release=release_of(release))
    assert [each.reason for each in made.status.conditions] == conditions
    assert {(each.type, each.status) for each in made.status.conditions} <= {("PodScheduled", "False")}
