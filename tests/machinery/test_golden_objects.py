"""What a real kube-apiserver accepted and refused: the same objects with the same defaults, the same fields refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rollplane_machinery import codec, names
from rollplane_machinery.errors import BadRequestError, InvalidError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.releases import RECORDED
from rollplane_rules import defaults, strategy, validation
from tests.machinery.samples import NOW, UID

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "objects.json").read_text())["cases"]
ACCEPTED = [pytest.param(case, id=case["name"]) for case in CASES if case["code"] == 201]
INVALID = [pytest.param(case, id=case["name"]) for case in CASES if case["code"] == 422]
NAMESPACE = "fx"

# Whether a namespace exists is for the store to say; it is tested with the apiserver.
ELSEWHERE = {"bad-namespace-missing"}

# Made up by the server or the recorder, or written by a controller before the recorder read the object back.
INVENTED = ("uid", "resourceVersion", "creationTimestamp", "managedFields")
CONTROLLERS_ANNOTATION = "deployment.kubernetes.io/revision"

# What the recorded server did otherwise: paths that have these values here, with the reasons in docs/fidelity.md.
OTHERWISE: Mapping[str, Mapping[str, Any]] = {
    "pod-minimal": {"spec.serviceAccount": "default", "spec.serviceAccountName": "default"},
    "pod-guaranteed": {"spec.serviceAccount": "default", "spec.serviceAccountName": "default"},
    "pod-restart-never": {"spec.serviceAccount": "default", "spec.serviceAccountName": "default"},
    "generate-name": {
        "spec.serviceAccount": "default",
        "spec.serviceAccountName": "default",
        "metadata.name": "gen-bcdfg",
    },
    "node": {"spec.taints": [{"key": "k", "value": "v", "effect": "NoExecute", "timeAdded": "2021-03-24T22:51:40Z"}]},
    "pvc": {"metadata.finalizers": None},
}

# A workload begins with an empty status; the record shows what its controller made of it a moment later.
FIRST_STATUS: Mapping[str, dict[str, Any]] = {
    "Deployment": {},
    "ReplicaSet": {"replicas": 0},
    "ReplicationController": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "DaemonSet": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
}


def _created(request: dict[str, Any]) -> ApiObject:
    obj = codec.from_json(request)
    if not obj.metadata.name and obj.metadata.generate_name:
        obj.metadata.name = names.generate_name(obj.metadata.generate_name, "bcdfg")
    strategy.prepare_create(obj, now=NOW, uid=UID, namespace=NAMESPACE, release=RECORDED)
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    validation.raise_invalid(obj, validation.validate_create(obj))
    return obj


def _expected(case: dict[str, Any]) -> dict[str, Any]:
    """Return the recorded answer, without what the server invented and with what is otherwise here."""
    answer: dict[str, Any] = json.loads(json.dumps(case["json"]))
    for field in INVENTED:
        answer["metadata"].pop(field, None)
    annotations = answer["metadata"].get("annotations", {})
    if annotations.pop(CONTROLLERS_ANNOTATION, None) and not annotations:
        del answer["metadata"]["annotations"]
    for path, value in OTHERWISE.get(case["name"], {}).items():
        outer, field = path.split(".")
        answer[outer] = {**answer[outer], field: value}
        if value is None:
            del answer[outer][field]
    if answer["kind"] in FIRST_STATUS:
        answer["status"] = FIRST_STATUS[answer["kind"]]
    if answer["kind"] == "Pod":
        answer["status"].pop("conditions", None)  # the scheduler's
    return answer


@pytest.mark.parametrize("case", ACCEPTED)
def test_stored_as_recorded(case: dict[str, Any]) -> None:
    stored = codec.to_json(_created(case["request"]))
    for field in INVENTED:
        stored["metadata"].pop(field, None)
    assert stored == _expected(case)


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_stored_is_valid_and_complete(case: dict[str, Any]) -> None:
    obj = codec.from_json(case["json"])
    before = codec.to_json(obj)
    defaults.apply_defaults(obj)
    assert codec.to_json(obj) == before
    assert validation.validate_update(obj, obj) == []
    assert validation.validate_status_update(obj, obj) == []


@pytest.mark.parametrize("case", INVALID)
def test_refused_as_recorded(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        _created(case["request"])
    assert caught.value.reason == case["status"]["reason"]
    expected = {(cause["reason"], cause["field"]) for cause in case["status"]["causes"]}
    assert {(cause.reason, cause.field) for cause in caught.value.causes} == expected
    head = case["status"]["message"].partition(" is invalid: ")[0]
    assert str(caught.value).startswith(f"{head} is invalid: ")


def test_what_is_no_quantity_cannot_be_read() -> None:
    (case,) = [case for case in CASES if case["code"] == 400]
    with pytest.raises(BadRequestError, match=r"containers\[0\]\.resources\.limits"):
        _created(case["request"])


def test_every_case_is_used() -> None:
    codes = {case["name"]: case["code"] for case in CASES}
    assert {name for name, code in codes.items() if code not in (201, 400, 422)} == ELSEWHERE
