"""The codec against what a real kube-apiserver stored, answered and refused: tests/golden/objects.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollplane.apps.v1 import ControllerRevision, StatefulSet
from rollplane.meta.v1 import Unknown
from rollplane_machinery import codec
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import BadRequestError, CauseReason
from rollplane_machinery.kinds import BY_API_VERSION_KIND, ApiObject
from tests.machinery.survey import differences

GOLDEN = Path(__file__).parents[1] / "golden" / "objects.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())["cases"]
ACCEPTED = [pytest.param(case, id=case["name"]) for case in CASES if case["code"] == 201]
UNREADABLE = {"bad-quantity": "spec.template.spec.containers[0].resources.limits.cpu"}
READABLE = [pytest.param(case, id=case["name"]) for case in CASES if case["name"] not in UNREADABLE]


def _stored(case: dict[str, Any]) -> ApiObject:
    kind = BY_API_VERSION_KIND[case["json"]["apiVersion"], case["json"]["kind"]]
    envelope = bytes.fromhex(case["protobuf_hex"])
    return kind.parse(Unknown.FromString(envelope[len(b"k8s\0") :]).raw)


def _answered(case: dict[str, Any]) -> dict[str, Any]:
    """The recorded JSON, with the one field that Kubernetes has always printed since 1.22 and 1.20 did not know."""
    answer: dict[str, Any] = json.loads(json.dumps(case["json"]))
    if answer["kind"] == "StatefulSet":
        answer["status"]["availableReplicas"] = 0
    return answer


@pytest.mark.parametrize("case", ACCEPTED)
def test_protobuf_prints_as_the_recorded_json(case: dict[str, Any]) -> None:
    printed = codec.to_json(_stored(case))
    assert printed == _answered(case)
    assert json.dumps(printed) == json.dumps(_answered(case)), "the order of the members differs"


@pytest.mark.parametrize("case", ACCEPTED)
def test_recorded_json_survives(case: dict[str, Any]) -> None:
    assert codec.to_json(codec.from_json(case["json"])) == _answered(case)


@pytest.mark.parametrize("case", ACCEPTED)
def test_json_and_protobuf_mean_the_same(case: dict[str, Any]) -> None:
    stored = _stored(case)
    if isinstance(stored, ControllerRevision):  # kept byte for byte as the client had spaced it
        stored.data.raw = stored.data.raw.replace(b" ", b"")
    assert semantic_equal(codec.from_json(case["json"]), stored)


@pytest.mark.parametrize("case", ACCEPTED)
def test_dumped_text_loads_as_the_same_object(case: dict[str, Any]) -> None:
    obj = codec.from_json(case["json"])
    for text in (codec.dump_yaml(obj), codec.dumps(obj), codec.dumps(obj, indent=4)):
        [manifest] = codec.load_manifests(text)
        assert manifest.object == obj


@pytest.mark.parametrize("case", READABLE)
def test_requests_are_read_whole(case: dict[str, Any]) -> None:
    assert list(differences(case["request"], codec.to_json(codec.from_json(case["request"])))) == []


@pytest.mark.parametrize(("name", "field"), UNREADABLE.items())
def test_unreadable_requests_are_refused_as_recorded(name: str, field: str) -> None:
    case = next(case for case in CASES if case["name"] == name)
    with pytest.raises(BadRequestError) as caught:
        codec.from_json(case["request"])
    assert caught.value.reason == case["status"]["reason"]
    assert [(cause.reason, cause.field) for cause in caught.value.causes] == [(CauseReason.INVALID, field)]


def test_all_recorded_bad_requests_are_covered() -> None:
    assert {case["name"] for case in CASES if case["code"] == 400} == UNREADABLE.keys()


def test_volume_claim_templates_say_what_they_are() -> None:
    """kube-apiserver fills in the type of the claims inside a StatefulSet, which protobuf does not carry."""
    stateful_set = StatefulSet()
    stateful_set.spec.volume_claim_templates.add().metadata.name = "data"
    [template] = codec.to_json(stateful_set)["spec"]["volumeClaimTemplates"]
    assert (template["apiVersion"], template["kind"]) == ("v1", "PersistentVolumeClaim")
