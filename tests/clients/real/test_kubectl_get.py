"""What the real kubectl shows: tables, documents, paths, descriptions, events, logs."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.clients.real.conftest import in_namespace
from tests.clients.real.manifests import DAEMON_SET, STATEFUL_SET, deployment, read
from tests.clients.real.programs import Program

WEB = "deployment/nginx-deployment"
MIXED = f"{STATEFUL_SET}---\n{DAEMON_SET}---\n{deployment()}"
OTHERS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: x, b: z}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {a: x}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: nginx}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


@pytest.fixture(scope="module")
def full(any_kubectl: Program) -> Program:
    """A namespace with workloads that are rolled out, and objects besides, which no test here changes."""
    kubectl = in_namespace(any_kubectl)
    kubectl.ok("apply", "-f", "-", given=f"{MIXED}---\n{OTHERS}")
    for what in (WEB, "sts/web", "ds/agent"):
        kubectl.ok("rollout", "status", what)
    return kubectl


def header(table: str) -> list[str]:
    return table.splitlines()[0].split()


def test_tables(full: Program) -> None:
    table = full.ok("get", "deployments")
    assert header(table) == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert table.splitlines()[1].split()[:4] == ["nginx-deployment", "3/3", "3", "3"]
    wide = full.ok("get", "deploy", "-o", "wide")
    assert header(wide)[-3:] == ["CONTAINERS", "IMAGES", "SELECTOR"]
    assert wide.split()[-3:] == ["nginx", "nginx:1.7.9", "app=nginx-deployment"]
    assert header(full.ok("get", "pods", "-o", "wide"))[5:7] == ["IP", "NODE"]
    assert len(full.ok("get", "pods", "--no-headers").splitlines()) == 3 + 2 + 6
    assert header(full.ok("get", "pods", "--show-labels"))[-1] == "LABELS"
    assert header(full.ok("get", "pods", "-L", "app"))[-1] == "APP"
    assert header(full.ok("get", "pods", "-A"))[0] == "NAMESPACE"


def test_every_kind_has_a_table(full: Program) -> None:
    kinds = "cm,secrets,svc,sa,pvc,deploy,rs,sts,ds,controllerrevisions,pods,events,nodes,namespaces,leases,pdb,rc"
    out = full.ok("get", kinds, "--ignore-not-found")
    assert "configmap/settings" in out
    assert "secret/keys" in out
    assert "persistentvolumeclaim/disk" in out
    assert "controllerrevision.apps/web-" in out


def test_all(full: Program) -> None:
    out = full.ok("get", "all")
    for part in (
        "pod/web-0",
        "service/web",
        "daemonset.apps/agent",
        WEB.replace("/", ".apps/"),
        "statefulset.apps/web",
    ):
        assert part in out
    assert "configmap" not in out


def test_documents(full: Program) -> None:
    as_json = read(full.ok("get", WEB, "-o", "json"))
    as_yaml = yaml.safe_load(full.ok("get", WEB, "-o", "yaml"))
    assert as_json == as_yaml
    assert (as_json["kind"], as_json["apiVersion"]) == ("Deployment", "apps/v1")
    listed = read(full.ok("get", "deploy,sts", "-o", "json"))
    assert (listed["kind"], [item["kind"] for item in listed["items"]]) == ("List", ["Deployment", "StatefulSet"])


def test_names_and_paths(full: Program) -> None:
    assert full.ok("get", "deploy", "-o", "name") == "deployment.apps/nginx-deployment\n"
    paths = full.ok("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")
    assert paths == "web-0 web-1"
    columns = full.ok("get", "deploy", "-o", "custom-columns=N:.metadata.name,R:.spec.replicas")
    assert columns.split() == ["N", "R", "nginx-deployment", "3"]
    assert full.ok("get", WEB, "-o", "go-template={{.spec.replicas}}") == "3"


def test_order_and_selection(full: Program) -> None:
    by_name = full.ok("get", "pods", "-l", "app=web", "--sort-by=.metadata.name", "--no-headers").splitlines()
    assert [line.split()[0] for line in by_name] == ["web-0", "web-1"]
    assert len(full.ok("get", "pods", "-l", "app in (web)", "-o", "name").splitlines()) == 2
    assert len(full.ok("get", "pods", "-l", "app notin (web)", "-o", "name").splitlines()) == 9
    assert full.ok("get", "pods", "--field-selector=status.phase=Pending", "-o", "name") == ""
    assert full.ok("get", "pods", "--field-selector=metadata.name=web-0", "-o", "name") == "pod/web-0\n"
    ran = full.run("get", "pods", "-l", "app=nosuch")
    assert (ran.code, ran.out) == (0, "")
    assert "No resources found in test-" in ran.err


def test_pages(full: Program) -> None:
    assert full.ok("get", "pods", "-o", "name", "--chunk-size=2") == full.ok(
        "get", "pods", "-o", "name", "--chunk-size=0"
    )
    assert len(full.ok("get", "pods", "--chunk-size=2").splitlines()) == 1 + 11


def test_raw(full: Program) -> None:
    namespace = full.always[1]
    got = json.loads(full.ok("get", "--raw", f"/apis/apps/v1/namespaces/{namespace}/deployments"))
    assert got["kind"] == "DeploymentList"
    assert full.ok("get", "--raw", "/readyz") == "ok"


def test_subresources(full: Program) -> None:
    if full.release < (1, 24):
        pytest.skip("kubectl learnt --subresource in 1.24")
    assert full.ok("get", WEB, "--subresource=scale").split()[:3] == ["NAME", "DESIRED", "AVAILABLE"]
    assert read(full.ok("get", WEB, "--subresource=status", "-o", "json"))["status"]["readyReplicas"] == 3


@pytest.mark.parametrize(
    ("what", "sentences"),
    [
        (WEB, ["Replicas:", "3 desired | 3 updated | 3 total | 3 available", "NewReplicaSet:", "ScalingReplicaSet"]),
        ("sts/web", ["Update Strategy:", "2 Running / 0 Waiting", "create Pod web-0 in StatefulSet web successful"]),
        ("ds/agent", ["Desired Number of Nodes Scheduled: 6", "SuccessfulCreate"]),
        ("pod/web-0", ["Controlled By:", "StatefulSet/web", "Ready", "Started"]),
        ("node/node-0", ["Non-terminated Pods:", "Allocated resources:", "Ready"]),
        ("svc/web", ["Selector:", "app=nginx", "80/TCP"]),
        ("cm/settings", ["Data", "a:"]),
        ("secret/keys", ["Type:", "Opaque", "1 bytes"]),
        ("pvc/disk", ["Status:"]),
        ("sa/robot", ["Name:", "robot"]),
    ],
)
def test_describe(full: Program, what: str, sentences: list[str]) -> None:
    told = full.ok("describe", what)
    assert [sentence for sentence in sentences if sentence not in told] == []


def test_events(full: Program) -> None:
    assert "ScalingReplicaSet" in full.ok("get", "events", "--field-selector=involvedObject.kind=Deployment")
    if full.release >= (1, 26):
        told = full.ok("events", "--for", WEB)
        assert header(told) == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
        assert "Scaled up replica set" in told


def test_logs(full: Program) -> None:
    story = full.ok("logs", "web-0")
    assert story.strip()
    assert full.ok("logs", "web-0", "--tail=1") == story.splitlines(keepends=True)[-1]
    assert full.ok("logs", "web-0", "--timestamps").split()[0].endswith("Z")
    assert "Found 2 pods" in full.done("logs", "sts/web")
    assert 'pods "nosuch" not found' in full.refused("logs", "nosuch")


def test_what_is_not_there(full: Program) -> None:
    assert full.refused("get", "deploy", "nosuch") == (
        'Error from server (NotFound): deployments.apps "nosuch" not found\n'
    )
    assert "the server doesn't have a resource type" in full.refused("get", "nosuch")
    assert full.ok("get", "deploy", "nosuch", "--ignore-not-found") == ""
