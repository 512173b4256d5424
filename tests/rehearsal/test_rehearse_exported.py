"""What exports of a cluster hold that nobody wrote, and what must have been there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.rehearse.assumed import assumed, told
from rollplane_rehearsal.rehearse.exported import read_exported
from tests.customs import custom, definition

WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:v1"}]},
        },
    },
}
EXPORTED_META = {
    "uid": "d1",
    "resourceVersion": "77",
    "generation": 3,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
    "annotations": {"deployment.kubernetes.io/revision": "3", "team": "shop"},
}


def _export(*objects: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _with(obj: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return obj | parts


def _owned(kind: str, api: str, owner: str = "d1", **more: Any) -> dict[str, Any]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner, "controller": True}
    metadata = {"name": "owned", "namespace": "shop", "uid": "x", "ownerReferences": [reference]}
    return {"apiVersion": api, "kind": kind, "metadata": metadata} | more


def test_what_a_server_made_is_taken_off() -> None:
    exported = _with(WEB, metadata=WEB["metadata"] | EXPORTED_META, status={"replicas": 2, "observedGeneration": 3})
    (read,) = read_exported([("x", _export(exported))]).manifests
    assert read.written == WEB | {"metadata": WEB["metadata"] | {"annotations": {"team": "shop"}}}
    assert not read.object.metadata.uid


MADE_AGAIN = {
    "a pod of a ReplicaSet": _owned("Pod", "v1", "r1", spec={"containers": [{"name": "a", "image": "a"}]}),
    "a ReplicaSet of the Deployment": _owned("ReplicaSet", "apps/v1", spec=WEB["spec"]),
    "an Event": {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "a"},
    },
    "a Lease": {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "n", "namespace": "shop"},
    },
    "the root certificates": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-root-ca.crt", "namespace": "shop"},
    },
    "the default account": {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "shop"},
    },
}


@pytest.mark.parametrize("made", MADE_AGAIN.values(), ids=MADE_AGAIN)
def test_what_controllers_make_again_is_left_out_and_that_is_told(made: dict[str, Any]) -> None:
    web = _with(WEB, metadata=WEB["metadata"] | {"uid": "d1"})
    exported = read_exported([("x", _export(web, made))])
    assert [each.object.metadata.name for each in exported.manifests] == ["web"]
    assert exported.left_out == ("1 objects that controllers make again",)


def test_nodes_are_the_cluster() -> None:
    exported = read_exported([("x", _export({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}))])
    assert [each.metadata.name for each in exported.nodes] == ["n1"]
    assert not exported.manifests


PLACED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a pod by hand": (
        {"kind": "Pod", "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "a"}]}},
        {"containers": [{"name": "a", "image": "a"}]},
    ),
    "a Service": (
        {"kind": "Service", "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": [{"port": 80}]}},
        {"ports": [{"port": 80}]},
    ),
    "a headless Service": (
        {"kind": "Service", "spec": {"clusterIP": "None", "ports": [{"port": 80}]}},
        {"clusterIP": "None", "ports": [{"port": 80}]},
    ),
    "a bound claim": (
        {"kind": "PersistentVolumeClaim", "spec": {"volumeName": "pv-7", "accessModes": ["ReadWriteOnce"]}},
        {"accessModes": ["ReadWriteOnce"]},
    ),
}


@pytest.mark.parametrize(("obj", "spec"), PLACED.values(), ids=PLACED)
def test_where_it_was_placed_is_forgotten(obj: dict[str, Any], spec: dict[str, Any]) -> None:
    whole = {"apiVersion": "v1", "metadata": {"name": "a"}} | obj
    (read,) = read_exported([("x", _export(whole))], "shop").manifests
    assert read.written["spec"] == spec
    assert read.object.metadata.namespace == "shop"


def test_kinds_that_are_not_known_are_left_out_and_all_else_that_is_wrong_is_told_with_its_line() -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    exported = read_exported([("x", _export(WEB, widget))])
    assert len(exported.manifests) == 1
    assert exported.left_out == (
        '1 object: no matches for kind "Widget" in version "example.com/v1", and nothing given defines it (x line 1)',
    )
    with pytest.raises(BadRequestError, match=r"a\.yaml: document 1, line 4"):
        read_exported([("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: 7\n")])


def test_custom_kinds_are_those_that_any_file_defines_and_those_known_before() -> None:
    widget = custom(metadata={"name": "w", "namespace": "shop", "uid": "u1"}) | {"status": {"replicas": 1}}
    exported = read_exported([("objects", _export(widget)), ("definitions", _export(definition()))])
    assert [each.written["kind"] for each in exported.manifests] == ["CustomResourceDefinition", "CronTab"], (
        "first what defines"
    )
    assert exported.manifests[1].written == custom(metadata={"name": "w", "namespace": "shop"})
    assert len(read_exported([("after", _export(widget))], customs=exported.customs).manifests) == 1


def test_what_names_no_namespace_gets_the_one_asked_for_when_it_is_applied() -> None:
    (read,) = read_exported([("x", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}")], "shop").manifests
    assert read.written["metadata"] == {"name": "a", "namespace": "shop"}


REFERRING = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec:
  serviceAccountName: runner
  containers:
    - name: a
      image: a
      envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: maybe, optional: true}}]
      env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: tokens, key: web}}}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


def test_what_is_referred_to_is_assumed_unless_it_is_given() -> None:
    manifests = read_exported([("x", REFERRING)]).manifests
    found = assumed(manifests)
    assert sorted(told(found)) == [
        "configmap shop/settings",
        "namespace shop",
        "persistentvolumeclaim shop/data",
        "secret shop/tokens",
        "serviceaccount shop/runner",
    ]
    assert told(found)[0] == "namespace shop", "the others are to be put into it"
    secret = next(each.written for each in found if each.written["kind"] == "Secret")
    assert list(secret["data"]) == ["web"]
    assert not assumed(manifests, given=found)
