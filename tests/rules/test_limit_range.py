"""LimitRanger: what it fills in and what it refuses, after kubernetes/kubernetes' TestPodLimitFunc,
TestMergePodResourceRequirements and TestPersistentVolumeClaimLimitFunc.
"""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import from_json
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import LIMIT_RANGE
from rollplane_rules.admission.limit_range import ANNOTATION, default_pod, read_limits, violations
from rollplane_rules.admission.reading import json_text, spec_of
from rollplane_rules.defaults import apply_defaults
from rollplane_rules.validation import raise_invalid, validate_create

Row = dict[str, Any]


def a_range(*rows: Row) -> StoredObject:
    stored = LIMIT_RANGE.new()
    assert isinstance(stored, StoredObject)
    stored.metadata.name, stored.metadata.namespace = "limits", "default"
    stored.spec.json = json_text({"limits": list(rows)})
    return stored


def resources(requests: Row | None = None, limits: Row | None = None) -> Row:
    return {"resources": {"requests": requests or {}, "limits": limits or {}}}


def a_pod(*containers: Row, inits: tuple[Row, ...] = (), **spec: Any) -> Pod:
    named = [{"name": f"c{at}", "image": "i", **one} for at, one in enumerate(containers)]
    first = [{"name": f"i{at}", "image": "i", **one} for at, one in enumerate(inits)]
    data = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    pod = from_json({**data, "spec": {"containers": named, "initContainers": first, **spec}})
    assert isinstance(pod, Pod)
    return pod


def a_claim(**requests: str) -> PersistentVolumeClaim:
    data = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}}
    claim = from_json({**data, "spec": {"resources": {"requests": requests}}})
    assert isinstance(claim, PersistentVolumeClaim)
    return claim


SMALL = resources({"cpu": "100m", "memory": "1Gi"}, {"cpu": "200m", "memory": "2Gi"})
POD_LIMITS: dict[str, tuple[Row, Pod, str]] = {
    "within": (
        {"type": "Container", "min": {"cpu": "50m"}, "max": {"cpu": "500m"}, "maxLimitRequestRatio": {"cpu": "2"}},
        a_pod(SMALL),
        "",
    ),
    "limit above max": (
        {"type": "Container", "max": {"cpu": "500m"}},
        a_pod(resources(limits={"cpu": "1"})),
        "maximum cpu usage per Container is 500m, but limit is 1",
    ),
    "request above max": (
        {"type": "Container", "max": {"cpu": "500m"}},
        a_pod(resources({"cpu": "750m"}, {"cpu": "500m"})),
        "maximum cpu usage per Container is 500m, but request is 750m",
    ),
    "no limit": (
        {"type": "Container", "max": {"memory": "1Gi"}},
        a_pod({}),
        "maximum memory usage per Container is 1Gi.  No limit is specified",
    ),
    "request below min": (
        {"type": "Container", "min": {"memory": "100Mi"}},
        a_pod(resources({"memory": "50Mi"})),
        "minimum memory usage per Container is 100Mi, but request is 50Mi",
    ),
    "limit below min": (
        {"type": "Container", "min": {"memory": "100Mi"}},
        a_pod(resources({"memory": "100Mi"}, {"memory": "50Mi"})),
        "minimum memory usage per Container is 100Mi, but limit is 50Mi",
    ),
    "no request": (
        {"type": "Container", "min": {"cpu": "1"}},
        a_pod({}),
        "minimum cpu usage per Container is 1.  No request is specified",
    ),
    "ratio": (
        {"type": "Container", "maxLimitRequestRatio": {"cpu": "1500m"}},
        a_pod(SMALL),
        "cpu max limit to request ratio per Container is 1500m, but provided ratio is 2.000000",
    ),
    "ratio without request": (
        {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
        a_pod(resources(limits={"cpu": "1"})),
        "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ),
    "ratio without limit": (
        {"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}},
        a_pod(resources({"cpu": "1"})),
        "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    ),
    "several": (
        {"type": "Container", "min": {"cpu": "1"}, "max": {"cpu": "2"}},
        a_pod({}, {}),
        "[minimum cpu usage per Container is 1.  No request is specified, "
        "maximum cpu usage per Container is 2.  No limit is specified]",
    ),
    "init container": (
        {"type": "Container", "max": {"cpu": "500m"}},
        a_pod(resources(limits={"cpu": "1m"}), inits=(resources(limits={"cpu": "1"}),)),
        "maximum cpu usage per Container is 500m, but limit is 1",
    ),
    "pod: sum of containers": (
        {"type": "Pod", "max": {"cpu": "300m"}},
        a_pod(SMALL, SMALL),
        "maximum cpu usage per Pod is 300m, but limit is 400m",
    ),
    "pod: an init container is not added": ({"type": "Pod", "max": {"cpu": "300m"}}, a_pod(SMALL, inits=(SMALL,)), ""),
    "pod: the largest init container": (
        {"type": "Pod", "max": {"cpu": "150m"}},
        a_pod(resources(limits={"cpu": "100m"}), inits=(SMALL,)),
        "maximum cpu usage per Pod is 150m, but limit is 200m",
    ),
    "pod: a sidecar is added": (
        {"type": "Pod", "max": {"cpu": "300m"}},
        a_pod(SMALL, inits=({**SMALL, "restartPolicy": "Always"},)),
        "maximum cpu usage per Pod is 300m, but limit is 400m",
    ),
    "pod: what it limits as a whole": (
        {"type": "Pod", "max": {"cpu": "300m"}},
        a_pod(SMALL, **resources(limits={"cpu": "1"})),
        "maximum cpu usage per Pod is 300m, but limit is 1",
    ),
    "pod: ratio of the whole": (
        {"type": "Pod", "maxLimitRequestRatio": {"memory": "1"}},
        a_pod(SMALL),
        "memory max limit to request ratio per Pod is 1, but provided ratio is 2.000000",
    ),
    "claims are not meant": ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, a_pod({}), ""),
}


@pytest.mark.parametrize(("row", "pod", "refused"), POD_LIMITS.values(), ids=POD_LIMITS)
def test_pod_limit_func(row: Row, pod: Pod, refused: str) -> None:
    assert violations(read_limits(a_range(row)), pod) == refused


CLAIM_LIMITS: dict[str, tuple[PersistentVolumeClaim, PersistentVolumeClaim | None, str]] = {
    "within": (a_claim(storage="5Gi"), None, ""),
    "too small": (
        a_claim(storage="500Mi"),
        None,
        "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi",
    ),
    "too large": (
        a_claim(storage="20Gi"),
        None,
        "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi",
    ),
    "as large as before": (a_claim(storage="20Gi"), a_claim(storage="20Gi"), ""),
    "grown": (
        a_claim(storage="30Gi"),
        a_claim(storage="20Gi"),
        "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 30Gi",
    ),
}


@pytest.mark.parametrize(("claim", "old", "refused"), CLAIM_LIMITS.values(), ids=CLAIM_LIMITS)
def test_persistent_volume_claim_limit_func(
    claim: PersistentVolumeClaim, old: PersistentVolumeClaim | None, refused: str
) -> None:
    row = {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "10Gi"}}
    assert violations(read_limits(a_range(row)), claim, old) == refused


DEFAULTS: dict[str, tuple[Row, Row, Row, str]] = {
    "default and defaultRequest": (
        {"default": {"cpu": "75m", "memory": "10Mi"}, "defaultRequest": {"cpu": "50m", "memory": "5Mi"}},
        {},
        resources({"cpu": "50m", "memory": "5Mi"}, {"cpu": "75m", "memory": "10Mi"}),
        "cpu, memory request for container c0; cpu, memory limit for container c0",
    ),
    "what is said stays": (
        {"default": {"cpu": "75m"}, "defaultRequest": {"cpu": "50m"}},
        resources({"cpu": "10m"}),
        resources({"cpu": "10m"}, {"cpu": "75m"}),
        "cpu limit for container c0",
    ),
    "the limit follows from max, the request from the limit": (
        {"max": {"cpu": "2"}},
        {},
        resources({"cpu": "2"}, {"cpu": "2"}),
        "cpu request for container c0; cpu limit for container c0",
    ),
    "the request follows from min": (
        {"min": {"memory": "1Mi"}},
        {},
        resources({"memory": "1Mi"}),
        "memory request for container c0",
    ),
    "nothing to fill in": (
        {"default": {"cpu": "1"}},
        resources({"cpu": "1"}, {"cpu": "1"}),
        resources({"cpu": "1"}, {"cpu": "1"}),
        "",
    ),
}


@pytest.mark.parametrize(("row", "container", "filled", "told"), DEFAULTS.values(), ids=DEFAULTS)
def test_merge_pod_resource_requirements(row: Row, container: Row, filled: Row, told: str) -> None:
    pod = a_pod(container)
    default_pod(read_limits(a_range({"type": "Container", **row})), pod)
    whole = a_pod(filled)
    assert pod.spec.containers[0].resources == whole.spec.containers[0].resources
    assert pod.metadata.annotations.get(ANNOTATION, "") == (f"LimitRanger plugin set: {told}" if told else "")


def test_init_containers_are_told_apart() -> None:
    pod = a_pod(resources({"cpu": "1"}, {"cpu": "1"}), inits=({},))
    default_pod(read_limits(a_range({"type": "Container", "default": {"cpu": "1"}})), pod)
    told = "LimitRanger plugin set: cpu request for init container i0; cpu limit for init container i0"
    assert pod.metadata.annotations[ANNOTATION] == told


def test_a_limit_range_says_what_it_means() -> None:
    stored = a_range(
        {"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}, {"type": "Pod", "max": {"cpu": 9}}
    )
    apply_defaults(stored)
    apply_defaults(stored)
    rows = spec_of(stored)["limits"]
    assert rows[0]["default"] == {"cpu": "2"}
    assert rows[0]["defaultRequest"] == {"cpu": "2", "memory": "1Mi"}
    assert rows[1] == {"type": "Pod", "max": {"cpu": "9"}}


WRONG: dict[str, tuple[Row, str]] = {
    "no quantity": ({"type": "Container", "max": {"cpu": "much"}}, "spec.limits[0].max.cpu"),
    "negative": ({"type": "Container", "max": {"cpu": "-1"}}, "spec.limits[0].max[cpu]"),
    "no type": ({"max": {"cpu": "1"}}, "spec.limits[0].type"),
    "unknown type": ({"type": "Container ", "max": {"cpu": "1"}}, "spec.limits[0].type"),
    "default for pods": ({"type": "Pod", "default": {"cpu": "1"}}, "spec.limits[0].default"),
    "claim without storage": ({"type": "PersistentVolumeClaim", "max": {"cpu": "1"}}, "spec.limits[0].min"),
    "min above max": ({"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}, "spec.limits[0].min[cpu]"),
    "default above max": (
        {"type": "Container", "default": {"cpu": "2"}, "max": {"cpu": "1"}},
        "spec.limits[0].default[cpu]",
    ),
    "no object": ({"type": "Container", "max": [1]}, "spec.limits[0].max"),
}


@pytest.mark.parametrize(("row", "field"), WRONG.values(), ids=WRONG)
def test_validate_limit_range(row: Row, field: str) -> None:
    stored = a_range(row)
    apply_defaults(stored)
    causes = validate_create(stored)
    assert field in [cause.field for cause in causes]
    with pytest.raises(InvalidError, match='LimitRange "limits" is invalid'):
        raise_invalid(stored, causes)


# a row, the one field that is told of, its value, and what is said
ORDER: dict[str, tuple[Row, str, str, str]] = {
    "min above max": (
        {"type": "Pod", "min": {"cpu": "5"}, "max": {"cpu": "4"}},
        "min",
        "5",
        "min value 5 is greater than max value 4",
    ),
    "min above defaultRequest": (
        {"type": "Container", "min": {"cpu": "5"}, "defaultRequest": {"cpu": "4"}, "default": {"cpu": "6"}},
        "defaultRequest",
        "4",
        "min value 5 is greater than default request value 4",
    ),
    "defaultRequest above max": (
        {"type": "Container", "defaultRequest": {"cpu": "5"}, "default": {"memory": "1"}, "max": {"cpu": "4"}},
        "defaultRequest",
        "5",
        "default request value 5 is greater than max value 4",
    ),
    "defaultRequest above default": (
        {"type": "Container", "defaultRequest": {"cpu": "5"}, "default": {"cpu": "4"}},
        "defaultRequest",
        "5",
        "default request value 5 is greater than default limit value 4",
    ),
    "min above default": (
        {"type": "Container", "min": {"cpu": "5"}, "default": {"cpu": "4"}},
        "default",
        "5",
        "min value 5 is greater than default value 4",
    ),
    "default above max": (
        {"type": "Container", "default": {"cpu": "5"}, "defaultRequest": {"cpu": "1"}, "max": {"cpu": "4"}},
        "default",
        "4",
        "default value 5 is greater than max value 4",
    ),
}


@pytest.mark.parametrize(("row", "field", "value", "sentence"), ORDER.values(), ids=ORDER)
def test_amounts_in_the_wrong_order(row: Row, field: str, value: str, sentence: str) -> None:
    stored = a_range(row)
    apply_defaults(stored)
    assert f'spec.limits[0].{field}[cpu]: invalid value "{value}": {sentence}' in map(str, validate_create(stored))


def test_a_type_stands_once() -> None:
    causes = validate_create(a_range({"type": "Pod"}, {"type": "Pod"}))
    assert [cause.field for cause in causes] == ["spec.limits[1].type"]


def test_what_is_no_json_is_refused_by_validation_alone() -> None:
    stored = a_range()
    stored.spec.json = b"{"
    apply_defaults(stored)
    assert read_limits(stored) == ()
    assert validate_create(stored)
