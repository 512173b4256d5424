"""What people take for granted, asked for with the real kubectl: addresses, accounts, tokens, rights, logs, events."""

from __future__ import annotations

import json

import pytest

from tests.clients.real.manifests import deployment
from tests.clients.real.programs import Program


def test_services_have_addresses_of_their_own(kubectl: Program) -> None:
    kubectl.ok("create", "service", "clusterip", "one", "--tcp=80:80")
    kubectl.ok("create", "service", "nodeport", "two", "--tcp=80:80")
    services = json.loads(kubectl.ok("get", "services", "-o", "json"))["items"]
    one, two = (each["spec"] for each in services)
    assert len({one["clusterIP"], two["clusterIP"]}) == 2
    port = two["ports"][0]["nodePort"]
    taken = kubectl.refused("create", "service", "nodeport", "three", "--tcp=80:80", f"--node-port={port}")
    assert "provided port is already allocated" in taken
    kubectl.ok("patch", "service", "two", "-p", '{"spec": {"type": "ClusterIP"}}')
    spec = json.loads(kubectl.ok("get", "service", "two", "-o", "json"))["spec"]
    assert (spec["clusterIP"], "nodePort" in spec["ports"][0]) == (two["clusterIP"], False)


def test_the_plane_has_a_service(any_kubectl: Program) -> None:
    shown = any_kubectl.ok("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}")
    assert shown == "10.96.0.1"


def test_a_namespace_is_furnished(kubectl: Program) -> None:
    if kubectl.release >= (1, 31):
        kubectl.ok("wait", "--for=create", "serviceaccount/default", "configmap/kube-root-ca.crt", "--timeout=30s")
    names = kubectl.ok("get", "serviceaccounts,configmaps", "-o", "name").split()
    assert names == ["serviceaccount/default", "configmap/kube-root-ca.crt"]


def test_a_token(kubectl: Program) -> None:
    kubectl.ok("create", "serviceaccount", "web")
    if kubectl.release >= (1, 24):
        assert kubectl.ok("create", "token", "web", "--duration=1h").count(".") == 2
        assert "not found" in kubectl.refused("create", "token", "nobody")


def test_rights(kubectl: Program) -> None:
    assert kubectl.ok("auth", "can-i", "--list").split()[-1] == "[*]"
    assert kubectl.run("auth", "can-i", "get", "pods", "--subresource=exec").out.startswith("no")
    assert kubectl.ok("auth", "can-i", "get", "pods", "--subresource=log") == "yes\n"


def test_in_the_name_of_others(kubectl: Program) -> None:
    if kubectl.release < (1, 28):
        pytest.skip("this kubectl knows no v1 of SelfSubjectReview")
    told = kubectl.ok("--as", "jane", "--as-group", "a", "--as-group", "b", "auth", "whoami", "-o", "json")
    assert json.loads(told)["status"]["userInfo"] == {
        "username": "jane",
        "groups": ["a", "b", "system:authenticated"],
    }


def test_no_process_runs(kubectl: Program) -> None:
    kubectl.ok("apply", "-f", "-", given=deployment(replicas=1))
    kubectl.ok("rollout", "status", "deploy/nginx-deployment")
    (pod,) = kubectl.ok("get", "pods", "-o", "name").split()
    assert "its containers are simulated" in kubectl.refused("exec", pod, "--", "ls")
    assert kubectl.refused("logs", pod, "--previous").startswith("Error from server (BadRequest): previous terminated")


def test_events_in_their_newer_dress(kubectl: Program) -> None:
    kubectl.ok("apply", "-f", "-", given=deployment(replicas=1))
    kubectl.ok("rollout", "status", "deploy/nginx-deployment")
    newer = json.loads(kubectl.ok("get", "events.v1.events.k8s.io", "-o", "json"))["items"]
    plain = json.loads(kubectl.ok("get", "events", "-o", "json"))["items"]
    assert {each["apiVersion"] for each in newer} == {"events.k8s.io/v1"}
    assert {each["note"] for each in newer} <= {each["message"] for each in plain}
