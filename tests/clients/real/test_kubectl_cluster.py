"""What the real kubectl asks of the whole plane: discovery, versions, explanations, nodes, access."""

from __future__ import annotations

import pytest

from tests.clients.real.conftest import NODES
from tests.clients.real.manifests import DAEMON_SET, deployment
from tests.clients.real.programs import Program


def test_resources(any_kubectl: Program) -> None:
    told = any_kubectl.ok("api-resources")
    for line in ("deployments deploy apps/v1 true Deployment", "nodes no v1 false Node", "pods po v1 true Pod"):
        assert line.split() in [row.split() for row in told.splitlines()]
    namespaced = any_kubectl.ok("api-resources", "--namespaced=false", "-o", "name").split()
    assert "nodes" in namespaced
    assert "pods" not in namespaced
    assert "apps/v1" in any_kubectl.ok("api-versions").split()


def test_every_resource_can_be_listed(any_kubectl: Program) -> None:
    names = any_kubectl.ok("api-resources", "--verbs=list", "-o", "name").split()
    assert len(names) > 15
    any_kubectl.ok("get", ",".join(names), "-A", "--ignore-not-found")


def test_version(any_kubectl: Program) -> None:
    assert "v1." in any_kubectl.done("version")
    assert "is running at" in any_kubectl.ok("cluster-info")


@pytest.mark.parametrize("what", ["deployment.spec.strategy", "pod.spec.containers", "pdb", "node.status", "cm"])
def test_explain(any_kubectl: Program, what: str) -> None:
    told = any_kubectl.ok("explain", what)
    assert "DESCRIPTION:" in told
    assert "FIELDS:" in told
    assert "<empty>" not in told


def test_explain_everything(any_kubectl: Program) -> None:
    told = any_kubectl.ok("explain", "statefulset", "--recursive")
    assert "volumeClaimTemplates" in told
    assert "maxUnavailable" in told


def test_cordon_and_drain(kubectl: Program) -> None:
    node = "node-3"
    kubectl.ok("apply", "-f", "-", given=f"{deployment(replicas=NODES)}---\n{DAEMON_SET}")
    kubectl.ok("rollout", "status", "deploy/nginx-deployment")
    kubectl.ok("rollout", "status", "ds/agent")
    assert kubectl.ok("cordon", node) == f"node/{node} cordoned\n"
    assert "SchedulingDisabled" in kubectl.ok("get", "node", node)
    try:
        assert "DaemonSet-managed Pods" in kubectl.run("drain", node).err
        told = kubectl.done("drain", node, "--ignore-daemonsets", "--force", "--timeout=60s")
        assert f"node/{node} drained" in told or f"node/{node} evicted" in told
        left = kubectl.ok("get", "pods", "-A", f"--field-selector=spec.nodeName={node}", "-o", "name").split()
        assert [each for each in left if "agent" not in each] == []
    finally:
        assert kubectl.ok("uncordon", node) == f"node/{node} uncordoned\n"


def test_taints(any_kubectl: Program) -> None:
    assert any_kubectl.ok("taint", "node", "node-5", "test/only=x:PreferNoSchedule").startswith("node/node-5 ")
    try:
        assert "test/only=x:PreferNoSchedule" in any_kubectl.ok("describe", "node", "node-5")
    finally:
        any_kubectl.ok("taint", "node", "node-5", "test/only:PreferNoSchedule-")


def test_access(any_kubectl: Program) -> None:
    assert any_kubectl.ok("auth", "can-i", "create", "deployments") == "yes\n"
    if any_kubectl.release >= (1, 28):
        assert "Username" in any_kubectl.ok("auth", "whoami")


def test_a_namespace_comes_and_goes(any_kubectl: Program) -> None:
    name = "passing"
    assert any_kubectl.ok("create", "namespace", name) == f"namespace/{name} created\n"
    any_kubectl.ok("-n", name, "apply", "-f", "-", given=deployment())
    assert f'namespace "{name}" deleted' in any_kubectl.ok("delete", "namespace", name)
    assert "not found" in any_kubectl.refused("get", "namespace", name)


def test_what_has_no_process_is_refused_in_words(kubectl: Program) -> None:
    kubectl.ok("run", "one", "--image=nginx:1.7.9")
    kubectl.ok("wait", "--for=condition=ready", "pod/one", "--timeout=20s")
    said = kubectl.refused("exec", "one", "--", "true")
    assert "simulated" in said
    assert "Metrics API not available" in kubectl.refused("top", "pods")
