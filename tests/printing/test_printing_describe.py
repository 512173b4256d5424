"""``describe`` beyond the recorded session, and the alignment of its text."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import ControllerRevision, ReplicaSet, StatefulSet
from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import (
    ConfigMap,
    Event,
    Namespace,
    Node,
    PersistentVolumeClaim,
    Pod,
    Secret,
    Service,
    ServiceAccount,
)
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_client.typed import kind_of
from rollplane_machinery import kinds
from rollplane_machinery.kinds import ApiObject
from rollplane_printing.describe import Surroundings, describe
from rollplane_printing.tab_text import tabbed
from tests.machinery.printed_objects import NOW, made

ALIGNED: dict[str, tuple[list[str], list[str]]] = {
    "a paragraph": (["a:\tx", "longer:\ty"], ["a:       x", "longer:  y"]),
    "a line without a tab ends it": (["longer:\tx", "--", "a:\ty"], ["longer:  x", "--", "a:  y"]),
    "columns in columns": (
        ["a\tlonger\tx", "b\ty\tz", "c\td", "e\tf\tg"],
        ["a  longer  x", "b  y       z", "c  d", "e  f  g"],
    ),
    "an empty first cell": (["title:\tx", "\ty"], ["title:  x", "        y"]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("lines", "expected"), ALIGNED.values(), ids=ALIGNED)
def test_tabbed(lines: list[str], expected: list[str]) -> None:
    assert tabbed(lines) == expected


POD = """
metadata:
  name: web-1
  namespace: default
  labels: {app: web}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u, controller: true}]
spec:
  nodeName: node-1
  initContainers: [{name: setup, image: "setup:1"}]
  containers: [{name: c, image: "app:1"}]
status:
  phase: Running
  message: it is tired
  podIP: 10.0.0.1
  conditions: [{type: Ready, status: "False"}]
  initContainerStatuses:
  - {name: setup, image: x, imageID: "", ready: true, restartCount: 0,
     state: {terminated: {exitCode: 0, reason: Completed, finishedAt: "2025-06-15T15:00:00Z"}}}
  containerStatuses:
  - {name: c, image: x, imageID: "", ready: false, restartCount: 3,
     state: {waiting: {reason: CrashLoopBackOff, message: wait}},
     lastState: {terminated: {exitCode: 1, reason: Error, finishedAt: "2025-06-15T15:01:00Z"}}}
"""

DESCRIBED_POD = """\
Name:           web-1
Namespace:      default
Node:           node-1
Labels:         app=web
Annotations:    <none>
Status:         CrashLoopBackOff
Message:        it is tired
IP:             10.0.0.1
IPs:            <none>
Controlled By:  ReplicaSet/web
Init Containers:
  setup:
    Image:          setup:1
    Port:           <none>
    Host Port:      <none>
    Environment:    <none>
    Mounts:         <none>
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Finished:     2025-06-15T15:00:00Z
    Ready:          True
    Restart Count:  0
Containers:
  c:
    Image:          app:1
    Port:           <none>
    Host Port:      <none>
    Environment:    <none>
    Mounts:         <none>
    State:          Waiting
      Reason:       CrashLoopBackOff
      Message:      wait
    Last State:     Terminated
      Reason:       Error
      Exit Code:    1
      Finished:     2025-06-15T15:01:00Z
    Ready:          False
    Restart Count:  3
Conditions:
  Type           Status
  ----           ------
  Ready          False
Volumes:         <none>
QoS Class:       BestEffort
Node-Selectors:  <none>
Tolerations:     <none>
Events:
  Type     Reason   Age               From     Message
  ----     ------   ----              ----     -------
  Normal   Started  5m                kubelet  one line
  Warning  BackOff  10s (x4 over 5m)  kubelet  again
"""

EVENTS = [
    """
type: Warning
reason: BackOff
message: again
count: 4
source: {component: kubelet}
firstTimestamp: "2025-06-15T15:01:40Z"
lastTimestamp: "2025-06-15T15:06:30Z"
""",
    """
type: Normal
reason: Started
message: "one\\n line"
count: 1
source: {component: kubelet}
firstTimestamp: "2025-06-15T15:01:40Z"
lastTimestamp: "2025-06-15T15:01:40Z"
""",
]


def test_a_pod() -> None:
    events = [made(Event, f"involvedObject: {{}}\n{text}") for text in EVENTS]
    lines = describe(kinds.POD, made(Pod, POD), Surroundings(events=events), NOW)
    assert lines == DESCRIBED_POD.splitlines()


def test_a_replica_set_counts_the_pods_it_controls() -> None:
    text = """
metadata: {uid: u, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: d, controller: true}]}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: "app:1"}]}}
status: {replicas: 2, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate}]}
"""
    foreign = POD.replace("uid: u", "uid: other")
    pods = [made(Pod, POD), made(Pod, POD.replace("phase: Running", "phase: Pending")), made(Pod, foreign)]
    lines = describe(kinds.REPLICA_SET, made(ReplicaSet, text), Surroundings(pods=pods), NOW)
    assert "Controlled By:  Deployment/web" in lines
    assert "Replicas:       2 current / 3 desired" in lines
    assert "Pods Status:    1 Running / 1 Waiting / 0 Succeeded / 0 Failed" in lines
    assert "  ReplicaFailure  True    FailedCreate" in lines


def test_a_stateful_set_tells_its_partition_and_its_claims() -> None:
    text = """
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: "db:1"}]}}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
  - {metadata: {name: wal}, spec: {}}
"""
    lines = describe(kinds.STATEFUL_SET, made(StatefulSet, text), Surroundings(), NOW)
    assert "  Partition:        2" in lines
    claims = lines[lines.index("Volume Claims:") : -1]
    assert claims == [
        "Volume Claims:",
        "  Name:          data",
        "  StorageClass:  fast",
        "  Labels:        <none>",
        "  Annotations:   <none>",
        "  Capacity:      1Gi",
        "  Access Modes:  [ReadWriteOnce]",
        "  Name:          wal",
        "  StorageClass:  ",
        "  Labels:        <none>",
        "  Annotations:   <none>",
        "  Capacity:      <default>",
        "  Access Modes:  []",
    ]


def test_a_claim_names_its_users() -> None:
    claim = made(PersistentVolumeClaim, "spec: {volumeName: v}\nstatus: {phase: Bound, capacity: {storage: 1Gi}}")
    user = made(Pod, "spec: {containers: [], volumes: [{name: d, persistentVolumeClaim: {claimName: web}}]}")
    lines = describe(kinds.PERSISTENT_VOLUME_CLAIM, claim, Surroundings(pods=[user, made(Pod, POD)]), NOW)
    assert lines[1:] == [
        "StorageClass:  ",
        "Status:        Bound",
        "Volume:        v",
        "Labels:        <none>",
        "Annotations:   <none>",
        "Finalizers:    []",
        "Capacity:      1Gi",
        "Access Modes:  ",
        "VolumeMode:    Filesystem",
        "Used By:       web",
        "Events:        <none>",
    ]


NODE = """
metadata: {name: node-1, labels: {node-role.kubernetes.io/worker: ""}}
spec: {unschedulable: true, taints: [{key: k, value: v, effect: NoSchedule}, {key: gone, effect: NoExecute}]}
status:
  capacity: {cpu: "4", memory: 8Gi}
  allocatable: {cpu: "2", memory: 8Gi}
  addresses: [{type: InternalIP, address: 10.0.0.1}]
  conditions: [{type: Ready, status: "True", reason: KubeletReady, message: well}]
"""

ON_NODE = """
metadata: {name: web-1, namespace: default}
spec:
  containers:
  - {name: a, resources: {requests: {cpu: 300m, memory: 1Gi}, limits: {cpu: "1"}}}
  - {name: b, resources: {requests: {cpu: 200m}}}
"""


def test_a_node() -> None:
    lines = describe(kinds.NODE, made(Node, NODE), Surroundings(pods=[made(Pod, ON_NODE)]), NOW)
    words = [" ".join(line.split()) for line in lines]
    for expected in (
        "Roles: worker",
        "Taints: k=v:NoSchedule",
        "gone:NoExecute",
        "Unschedulable: true",
        "Lease: Failed to get lease: there is none",
        "Ready True <unset> <unset> KubeletReady well",
        "InternalIP: 10.0.0.1",
        "Non-terminated Pods: (1 in total)",
        "default web-1 500m (25%) 1 (50%) 1Gi (12%) 0 (0%) 5m",
        "cpu 500m (25%) 1 (50%)",
        "memory 1Gi (12%) 0 (0%)",
    ):
        assert expected in words


OTHERS: dict[str, tuple[ApiObject, list[str]]] = {
    "a budget": (
        made(PodDisruptionBudget, "spec: {maxUnavailable: 1, selector: {matchLabels: {a: b}}}"),
        ["Max unavailable: 1", "Selector: a=b", "Status:", "Allowed disruptions: 0", "Total: 0"],
    ),
    "a namespace": (made(Namespace, "status: {phase: Active}"), ["Status: Active", "No resource quota."]),
    "configuration": (made(ConfigMap, "data: {a: one}"), ["Data", "a:", "one", "BinaryData", "Events: <none>"]),
    "a secret, by its sizes": (made(Secret, "{type: Opaque, data: {a: YWJj}}"), ["Type: Opaque", "a: 3 bytes"]),
    "a service": (
        made(Service, "spec: {type: ClusterIP, selector: {a: b}, ports: [{port: 80, protocol: TCP, targetPort: web}]}"),
        ["Selector: a=b", "Port: <unset> 80/TCP", "TargetPort: web/TCP"],
    ),
    "a service account": (made(ServiceAccount, "secrets: [{name: s}]"), ["Mountable secrets: s", "Tokens: <none>"]),
    "a lease, by its members": (
        made(Lease, "spec: {holderIdentity: me, leaseDurationSeconds: 40}"),
        ["API Version: coordination.k8s.io/v1", "Kind: Lease", "Spec:", "Holder Identity: me"],
    ),
    "a revision, by its members": (
        made(ControllerRevision, "{revision: 3, data: {spec: {template: {list: [1, {ok: true}]}}}}"),
        ["Data:", "Template:", "1", "Ok: true", "Revision: 3"],
    ),
}


@pytest.mark.parametrize(("message", "expected"), OTHERS.values(), ids=OTHERS)
def test_another_object(message: ApiObject, expected: list[str]) -> None:
    kind = kind_of(type(message))
    words = [" ".join(line.split()) for line in describe(kind, message, Surroundings(), NOW)]
    assert words[0] == "Name: web"
    assert [each for each in expected if each not in words] == []
    assert "YWJj" not in " ".join(words)
