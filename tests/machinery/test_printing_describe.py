"""``describe`` beyond the recorded session, and the alignment of its text."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import ReplicaSet, StatefulSet
from rollplane.core.v1 import ConfigMap, Event, Pod
from rollplane_machinery import kinds
from rollplane_machinery.printing.describe import Surroundings, describe
from rollplane_machinery.printing.tab_text import tabbed
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
Name:         web-1
Namespace:    default
Node:         node-1
Labels:       app=web
Annotations:  <none>
Status:       CrashLoopBackOff
Message:      it is tired
IP:           10.0.0.1
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
Controlled By:      ReplicaSet/web
Conditions:
  Type   Status
  ----   ------
  Ready  False
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
  volumeClaimTemplates: [{metadata: {name: data}, spec: {}}, {metadata: {name: wal}, spec: {}}]
"""
    lines = describe(kinds.STATEFUL_SET, made(StatefulSet, text), Surroundings(), NOW)
    assert "  Partition:        2" in lines
    assert "Volume Claims:     data" in lines
    assert "                   wal" in lines


def test_any_other_object_is_told_by_its_metadata() -> None:
    lines = describe(kinds.CONFIG_MAP, made(ConfigMap, "metadata: {labels: {a: b}}"), Surroundings(), NOW)
    assert lines == [
        "Name:               web",
        "CreationTimestamp:  Sun, 15 Jun 2025 15:01:40 +0000",
        "Labels:             a=b",
        "Annotations:        <none>",
        "Events:             <none>",
    ]
