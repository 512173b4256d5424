"""Fields that a release does not know are dropped (docs/semantics/releases.md), on both sides of each boundary."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.protobuf import text_format

from rollplane.core.v1 import PodSpec
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_machinery.releases import release_of
from rollplane_rules.strategy import prepare_create, prepare_update
from tests.machinery.samples import NOW, UID, decoded, pod, workload

GATES = {"schedulingGates": [{"name": "quota"}]}
SIDECAR = {"initContainers": [{"name": "mesh", "image": "mesh", "restartPolicy": "Always"}]}
TERM = {"topologyKey": "zone", "labelSelector": {}}


def affinity(**fields: Any) -> dict[str, Any]:
    """Return a pod's affinity with a term of each kind that has the fields."""
    term = {**TERM, **fields}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
    return {"affinity": {"podAffinity": required, "podAntiAffinity": preferred}}


def spread(**fields: Any) -> dict[str, Any]:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    return {"topologySpreadConstraints": [{**constraint, **fields}]}


NAMESPACES = affinity(namespaceSelector={"matchLabels": {"a": "b"}})
BY_KEYS = affinity(matchLabelKeys=["a"])
BY_OTHER_KEYS = affinity(mismatchLabelKeys=["a"])
POLICIES = spread(nodeAffinityPolicy="Ignore")
TAINTS = spread(nodeTaintsPolicy="Honor")
DOMAINS = spread(minDomains=2)
SPREAD_KEYS = spread(matchLabelKeys=["a"])
LEVEL = {"resources": {"requests": {"cpu": "1"}}}
NEWER = [GATES, SIDECAR, NAMESPACES, BY_KEYS, BY_OTHER_KEYS, POLICIES, TAINTS, DOMAINS, SPREAD_KEYS, LEVEL]
SIDES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "gates before": (GATES, "1.26", False),
    "gates after": (GATES, "1.27", True),
    "sidecar before": (SIDECAR, "1.28", False),
    "sidecar after": (SIDECAR, "1.29", True),
    "namespaceSelector before": (NAMESPACES, "1.21", False),
    "namespaceSelector after": (NAMESPACES, "1.22", True),
    "matchLabelKeys of affinity before": (BY_KEYS, "1.30", False),
    "matchLabelKeys of affinity after": (BY_KEYS, "1.31", True),
    "mismatchLabelKeys before": (BY_OTHER_KEYS, "1.30", False),
    "mismatchLabelKeys after": (BY_OTHER_KEYS, "1.31", True),
    "nodeAffinityPolicy before": (POLICIES, "1.25", False),
    "nodeAffinityPolicy after": (POLICIES, "1.26", True),
    "nodeTaintsPolicy before": (TAINTS, "1.25", False),
    "nodeTaintsPolicy after": (TAINTS, "1.26", True),
    "minDomains before": (DOMAINS, "1.26", False),
    "minDomains after": (DOMAINS, "1.27", True),
    "matchLabelKeys of spread before": (SPREAD_KEYS, "1.26", False),
    "matchLabelKeys of spread after": (SPREAD_KEYS, "1.27", True),
    "pod-level resources before": (LEVEL, "1.33", False),
    "pod-level resources after": (LEVEL, "1.34", True),
}


FIELDS = re.compile(
    "scheduling_gates|restart_policy|namespace_selector|match_label_keys|policy|min_domains|^  resources", re.MULTILINE
)


def has(obj: ApiObject) -> bool:
    """Tell whether the pod spec of ``obj`` has any of the fields above."""
    located = pod_spec_of(obj)
    assert located is not None
    spec = PodSpec()
    spec.CopyFrom(located.spec)
    for container in spec.containers:
        container.Clear()
    for field in ("restart_policy", "dns_policy", "preemption_policy"):
        spec.ClearField(field)
    for init in spec.init_containers:
        init.ClearField("image_pull_policy")
        init.ClearField("termination_message_policy")
    return FIELDS.search(f"spec {{\n{text_format.MessageToString(spec, indent=2)}}}") is not None


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


@pytest.mark.parametrize("spec", NEWER)
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
