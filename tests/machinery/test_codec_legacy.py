"""Older API versions: converted to the storage version, with the defaults of the version they were written for."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery import codec
from rollplane_machinery.codec.legacy import LEGACY_KINDS
from rollplane_machinery.dresses import V1BETA1_MATCH
from rollplane_machinery.errors import BadRequestError
from rollplane_rules.defaults import apply_defaults

TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
SELECTOR = {"matchLabels": {"app": "a"}}


def _read(api_version: str, kind: str, **spec: Any) -> dict[str, Any]:
    data = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "n"}, "spec": {"template": TEMPLATE, **spec}}
    before = copy.deepcopy(data)
    obj = codec.from_json(data)
    assert data == before
    apply_defaults(obj)
    return codec.to_json(obj)


@pytest.mark.parametrize(("api_version", "kind"), LEGACY_KINDS)
def test_the_storage_version_comes_out(api_version: str, kind: str) -> None:
    stored = LEGACY_KINDS[api_version, kind]
    printed = codec.to_json(codec.from_json({"apiVersion": api_version, "kind": kind}))
    assert (printed["apiVersion"], printed["kind"]) == (stored.api_version, kind)


# From the field tables of Kubernetes' versions: (version, kind) to what differs from apps/v1.
DEFAULTS: dict[tuple[str, str], dict[str, Any]] = {
    ("extensions/v1beta1", "Deployment"): {
        "selector": SELECTOR,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}},
        "revisionHistoryLimit": 2147483647,
        "progressDeadlineSeconds": 2147483647,
    },
    ("apps/v1beta1", "Deployment"): {
        "selector": SELECTOR,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": 600,
    },
    ("apps/v1beta2", "Deployment"): {
        "selector": None,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    },
    ("extensions/v1beta1", "DaemonSet"): {"selector": SELECTOR, "updateStrategy": {"type": "OnDelete"}},
    ("apps/v1beta2", "DaemonSet"): {
        "selector": None,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    },
    ("apps/v1beta1", "StatefulSet"): {"selector": SELECTOR, "updateStrategy": {"type": "OnDelete"}},
    ("apps/v1beta2", "StatefulSet"): {
        "selector": None,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    },
    ("extensions/v1beta1", "ReplicaSet"): {"selector": SELECTOR, "replicas": 1},
    ("apps/v1beta2", "ReplicaSet"): {"selector": None, "replicas": 1},
}


@pytest.mark.parametrize(("version_and_kind", "expected"), DEFAULTS.items(), ids=map(" ".join, DEFAULTS))
def test_defaults_of_the_version(version_and_kind: tuple[str, str], expected: dict[str, Any]) -> None:
    spec = _read(*version_and_kind)["spec"]
    assert {name: spec[name] for name in expected} == expected


@pytest.mark.parametrize("api_version", ["extensions/v1beta1", "apps/v1beta1"])
def test_rollback_to_becomes_an_annotation(api_version: str) -> None:
    for rollback, expected in (({"revision": 3}, "3"), ({}, "0"), ({"revision": None}, "0")):
        printed = _read(api_version, "Deployment", rollbackTo=rollback)
        assert printed["metadata"]["annotations"] == {"deprecated.deployment.rollback.rollbackTo": expected}
        assert "rollbackTo" not in printed["spec"]
    assert "annotations" not in _read(api_version, "Deployment", rollbackTo=None)["metadata"]


def test_template_generation_becomes_an_annotation() -> None:
    printed = _read("extensions/v1beta1", "DaemonSet", templateGeneration=7)
    assert printed["metadata"]["annotations"] == {"deprecated.daemonset.template.generation": "7"}
    assert "annotations" not in _read("extensions/v1beta1", "DaemonSet", templateGeneration=0)["metadata"]


def test_annotations_that_are_there_stay() -> None:
    data = {
        "apiVersion": "apps/v1beta1",
        "kind": "Deployment",
        "metadata": {"annotations": {"a": "b"}},
        "spec": {"rollbackTo": {"revision": 1}},
    }
    annotations = codec.to_json(codec.from_json(data))["metadata"]["annotations"]
    assert annotations == {"a": "b", "deprecated.deployment.rollback.rollbackTo": "1"}


def test_an_empty_budget_selector_selects_nothing() -> None:
    """In policy/v1 it selects every pod of the namespace, in policy/v1beta1 none."""
    for selector, expected in (
        ({}, {"matchExpressions": [{"key": V1BETA1_MATCH, "operator": "Exists"}]}),
        ({"matchLabels": {}}, {"matchExpressions": [{"key": V1BETA1_MATCH, "operator": "Exists"}]}),
        (SELECTOR, SELECTOR),
    ):
        data = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "spec": {"selector": selector}}
        assert codec.to_json(codec.from_json(data))["spec"]["selector"] == expected
    unset = codec.from_json({"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "spec": {"selector": None}})
    assert isinstance(unset, PodDisruptionBudget)
    assert not unset.spec.HasField("selector")


REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "gone in apps/v1beta2": ("apps/v1beta2", {"rollbackTo": {}}, ["spec.rollbackTo: unknown field"]),
    "gone in apps/v1": ("apps/v1", {"rollbackTo": {}}, ["spec.rollbackTo: unknown field"]),
    "no object": ("apps/v1beta1", {"rollbackTo": 3}, ["spec.rollbackTo: expected object, got integer 3"]),
    "unknown": ("apps/v1beta1", {"rollbackTo": {"rev": 3}}, ["spec.rollbackTo.rev: unknown field"]),
    "no revision": (
        "apps/v1beta1",
        {"rollbackTo": {"revision": "3"}},
        ['spec.rollbackTo.revision: expected 64-bit integer, got string "3"'],
    ),
}


@pytest.mark.parametrize(("api_version", "spec", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(api_version: str, spec: dict[str, Any], expected: list[str]) -> None:
    with pytest.raises(BadRequestError) as caught:
        codec.from_json({"apiVersion": api_version, "kind": "Deployment", "spec": spec})
    assert [str(cause) for cause in caught.value.causes] == expected


@pytest.mark.parametrize("metadata", [3, {"annotations": 3}])
def test_malformed_metadata_are_reported_once(metadata: Any) -> None:
    data = {
        "apiVersion": "apps/v1beta1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"rollbackTo": {"revision": 3}},
    }
    with pytest.raises(BadRequestError) as caught:
        codec.from_json(data)
    assert len(caught.value.causes) == 1
