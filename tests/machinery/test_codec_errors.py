"""What is wrong with an object is told by path, all at once; what is merely unknown can be let through."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import PodSpec, PodTemplateSpec
from rollplane.meta.v1 import LabelSelector
from rollplane_machinery import codec
from rollplane_machinery.errors import BadRequestError, CauseReason


def _pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def _container(**members: Any) -> dict[str, Any]:
    return _pod(containers=[{"name": "c", **members}])


CASES: dict[str, tuple[Any, list[str]]] = {
    "no object": ([], ["expected object, got array"]),
    "nothing said": ({}, ["apiVersion: is missing", "kind: is missing"]),
    "no kind": ({"apiVersion": "v1"}, ["kind: is missing"]),
    "empty kind": ({"apiVersion": "v1", "kind": ""}, ["kind: is missing"]),
    "kind of a wrong type": (
        {"apiVersion": 1, "kind": None},
        ["apiVersion: expected string, got integer 1", "kind: is missing"],
    ),
    "unknown kind": ({"apiVersion": "v1", "kind": "Pot"}, ['kind: no matches for kind "Pot" in version "v1"']),
    "unknown version": (
        {"apiVersion": "apps/v2", "kind": "Deployment"},
        ['kind: no matches for kind "Deployment" in version "apps/v2"'],
    ),
    "unknown field": (_container(imagee="x"), ["spec.containers[0].imagee: unknown field"]),
    "case matters": (_container(Image="x"), ["spec.containers[0].Image: unknown field"]),
    "proto name": (_pod(node_name="n"), ["spec.node_name: unknown field"]),
    "inline field has no name": (
        _pod(volumes=[{"name": "v", "volumeSource": {}}]),
        ["spec.volumes[0].volumeSource: unknown field"],
    ),
    "string for integer": (_pod(priority="3"), ['spec.priority: expected 32-bit integer, got string "3"']),
    "float for integer": (_pod(priority=1.5), ["spec.priority: expected 32-bit integer, got number 1.5"]),
    "boolean for integer": (_pod(priority=True), ["spec.priority: expected 32-bit integer, got boolean true"]),
    "integer for boolean": (_pod(hostNetwork=1), ["spec.hostNetwork: expected boolean, got integer 1"]),
    "integer for string": (_pod(nodeName=1), ["spec.nodeName: expected string, got integer 1"]),
    "too large": (_pod(priority=2**31), ["spec.priority: expected 32-bit integer, got integer 2147483648"]),
    "far too large": (
        _pod(activeDeadlineSeconds=2**63),
        ["spec.activeDeadlineSeconds: expected 64-bit integer, got integer 9223372036854775808"],
    ),
    "lone surrogate": (_pod(nodeName="\ud800"), ['spec.nodeName: expected string, got string "\\ud800"']),
    "object for list": (_pod(containers={}), ["spec.containers: expected array, got object"]),
    "list for object": ({"apiVersion": "v1", "kind": "Pod", "spec": []}, ["spec: expected object, got array"]),
    "scalar for message in a list": (_pod(containers=["c"]), ['spec.containers[0]: expected object, got string "c"']),
    "wrong element": (
        _container(args=["a", 1, True]),
        [
            "spec.containers[0].args[1]: expected string, got integer 1",
            "spec.containers[0].args[2]: expected string, got boolean true",
        ],
    ),
    "list for map": (_pod(nodeSelector=[]), ["spec.nodeSelector: expected object, got array"]),
    "wrong map value": (_pod(nodeSelector={"a.b/c": 1}), ["spec.nodeSelector[a.b/c]: expected string, got integer 1"]),
    "no quantity": (
        _container(resources={"limits": {"cpu": "fast"}}),
        ['spec.containers[0].resources.limits.cpu: expected a quantity such as 500m or 2Gi, got string "fast"'],
    ),
    "boolean quantity": (
        _container(resources={"limits": {"cpu": True}}),
        ["spec.containers[0].resources.limits.cpu: expected a quantity such as 500m or 2Gi, got boolean true"],
    ),
    "no port": (
        _container(livenessProbe={"tcpSocket": {"port": 1.5}}),
        ["spec.containers[0].livenessProbe.tcpSocket.port: expected 32-bit integer or string, got number 1.5"],
    ),
    "no time": (
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"deletionTimestamp": "today"}},
        ['metadata.deletionTimestamp: expected an RFC 3339 time, got string "today"'],
    ),
    "no base64": (
        {"apiVersion": "v1", "kind": "Secret", "data": {"k": "$"}},
        ['data.k: expected base64, got string "$"'],
    ),
    "number for base64": (
        {"apiVersion": "v1", "kind": "Secret", "data": {"k": 1}},
        ["data.k: expected base64, got integer 1"],
    ),
    "raw data no JSON": (
        {"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": {"x": float("nan")}},
        ["data: cannot be written as JSON"],
    ),
    "all problems": (
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": 1, "nam": 2},
            "spec": {"containers": [{"image": []}, {"x": {}}]},
            "more": 0,
        },
        [
            "metadata.name: expected string, got integer 1",
            "metadata.nam: unknown field",
            "spec.containers[0].image: expected string, got array",
            "spec.containers[1].x: unknown field",
            "more: unknown field",
        ],
    ),
}


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_refused(data: Any, expected: list[str]) -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.from_json(data)
    assert [str(cause) for cause in caught.value.causes] == expected
    assert all(sentence in caught.value.message for sentence in expected)


ACCEPTED: dict[str, dict[str, Any]] = {
    "null everywhere": {"apiVersion": "v1", "kind": "Pod", "metadata": None, "spec": None, "status": None},
    "what kubectl create --dry-run leaves": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"creationTimestamp": None},
        "spec": {"strategy": {}, "template": {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}},
        "status": {},
    },
    "null elements": _pod(containers=[None], nodeSelector={"a": None}),
    "numbers as quantities": _container(resources={"limits": {"cpu": 1, "memory": 0.5}}),
    "kind of an inner object": {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {"volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim"}]},
    },
    "line breaks in base64": {"apiVersion": "v1", "kind": "Secret", "data": {"k": "YQ==\n"}},
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(data: dict[str, Any]) -> None:
    obj = codec.from_json(data)
    assert codec.from_json(codec.to_json(obj)) == obj


def test_what_means_nothing_is_not_set() -> None:
    assert codec.from_json(ACCEPTED["what kubectl create --dry-run leaves"]).ByteSize() == 0
    assert codec.message_from_json(PodSpec, {"hostNetwork": False, "nodeName": "", "tolerations": []}) == PodSpec()


def test_quantities_are_canonical() -> None:
    data = _container(resources={"limits": {"cpu": 0.5, "memory": "1.5Gi"}})
    printed = codec.to_json(codec.from_json(data))
    assert printed["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1536Mi"}


def test_lenient_reading_returns_what_it_left_out() -> None:
    decoded = codec.decode(_container(imagee="x", image="y"), strict=False)
    assert [(cause.reason, cause.field) for cause in decoded.warnings] == [
        (CauseReason.UNKNOWN_FIELD, "spec.containers[0].imagee")
    ]
    assert codec.to_json(decoded.object) == codec.to_json(codec.from_json(_container(image="y")))


def test_lenient_reading_still_refuses_wrong_types() -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.decode(_container(imagee="x", image=1), strict=False)
    assert [cause.field for cause in caught.value.causes] == ["spec.containers[0].image"]


def test_parts_are_named_from_where_they_stand() -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.message_from_json(PodTemplateSpec, {"spec": {"x": 1}}, "spec.template")
    assert [cause.field for cause in caught.value.causes] == ["spec.template.spec.x"]


def test_parts_may_be_lenient() -> None:
    assert codec.message_from_json(LabelSelector, {"x": 1}, strict=False) == LabelSelector()


def test_many_problems_make_a_message_of_bounded_length() -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.from_json(_pod(**{f"x{i}": i for i in range(1000)}))
    assert len(caught.value.causes) == 1000
    assert caught.value.message.endswith("; and 980 more")
    assert len(caught.value.message) < 1000
