"""kubectl's columns, kind by kind."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery import kinds
from rollplane_machinery.kinds import KINDS, Kind
from rollplane_printing.table import Column
from rollplane_printing.tables import layout_of, table_of
from rollplane_printing.text_table import TextTable, aligned
from tests.machinery.printed_objects import NOW, made

TEMPLATE = """
    metadata: {labels: {app: web}}
    spec: {nodeSelector: {disk: ssd, arch: arm}, containers: [{name: a, image: "a:1"}, {name: b, image: "b:2"}]}
"""
WORKLOAD = f"  selector: {{matchLabels: {{app: web}}}}\n  template:{TEMPLATE}"

ROWS: dict[str, tuple[Kind, str, list[Any]]] = {
    "pod": (
        kinds.POD,
        """
spec:
  nodeName: node-1
  readinessGates: [{conditionType: x/open}, {conditionType: x/shut}]
  containers: [{name: a, image: "a:1"}]
status:
  phase: Running
  podIP: 10.0.0.7
  conditions: [{type: x/open, status: "True"}]
  containerStatuses: [{name: a, ready: true, restartCount: 3, image: x, imageID: "", state: {running: {}}}]
""",
        ["web", "1/1", "Running", "3", "5m", "10.0.0.7", "node-1", "<none>", "1/2"],
    ),
    "pod that nobody took": (
        kinds.POD,
        "spec: {containers: [{name: a, image: 'a:1'}]}\nstatus: {phase: Pending}",
        ["web", "0/1", "Pending", "0", "5m", "<none>", "<none>", "<none>", "<none>"],
    ),
    "deployment": (
        kinds.DEPLOYMENT,
        f"spec:\n  replicas: 4\n{WORKLOAD}\nstatus: {{readyReplicas: 3, updatedReplicas: 2, availableReplicas: 1}}",
        ["web", "3/4", 2, 1, "5m", "a,b", "a:1,b:2", "app=web"],
    ),
    "replica set": (
        kinds.REPLICA_SET,
        f"spec:\n  replicas: 4\n{WORKLOAD}\nstatus: {{replicas: 3, readyReplicas: 2}}",
        ["web", 4, 3, 2, "5m", "a,b", "a:1,b:2", "app=web"],
    ),
    "replication controller": (
        kinds.REPLICATION_CONTROLLER,
        f"spec:\n  replicas: 4\n  selector: {{b: x, app: web}}\n  template:{TEMPLATE}\nstatus: {{replicas: 3}}",
        ["web", 4, 3, 0, "5m", "a,b", "a:1,b:2", "app=web,b=x"],
    ),
    "stateful set": (
        kinds.STATEFUL_SET,
        f"spec:\n  serviceName: web\n  replicas: 4\n{WORKLOAD}\nstatus: {{replicas: 4, readyReplicas: 3}}",
        ["web", "3/4", "5m", "a,b", "a:1,b:2"],
    ),
    "daemon set": (
        kinds.DAEMON_SET,
        f"""
spec:
{WORKLOAD}
status:
  desiredNumberScheduled: 6
  currentNumberScheduled: 5
  numberReady: 4
  updatedNumberScheduled: 3
  numberAvailable: 2
  numberMisscheduled: 0
""",
        ["web", 6, 5, 4, 3, 2, "arch=arm,disk=ssd", "5m", "a,b", "a:1,b:2", "app=web"],
    ),
    "controller revision": (
        kinds.CONTROLLER_REVISION,
        """
metadata:
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: db, uid: u, controller: true}]
revision: 7
""",
        ["web", "statefulset.apps/db", 7, "5m"],
    ),
    "controller revision of nobody": (kinds.CONTROLLER_REVISION, "revision: 7", ["web", "<none>", 7, "5m"]),
    "node": (
        kinds.NODE,
        """
metadata: {labels: {node-role.kubernetes.io/worker: "", kubernetes.io/role: edge}}
spec: {unschedulable: true}
status:
  conditions: [{type: Ready, status: "True"}]
  addresses: [{type: InternalIP, address: 172.16.0.1}]
  nodeInfo: {kubeletVersion: v1.33.0, osImage: Linux, kernelVersion: "6.1", containerRuntimeVersion: sim://1,
    machineID: "", systemUUID: "", bootID: "", kubeProxyVersion: "", operatingSystem: linux, architecture: arm64}
""",
        [
            "web",
            "Ready,SchedulingDisabled",
            "edge,worker",
            "5m",
            "v1.33.0",
            "172.16.0.1",
            "<none>",
            "Linux",
            "6.1",
            "sim://1",
        ],
    ),
    "node that is lost": (
        kinds.NODE,
        "status: {conditions: [{type: Ready, status: Unknown}]}",
        ["web", "NotReady", "<none>", "5m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ),
    "node that never reported": (
        kinds.NODE,
        "",
        ["web", "Unknown", "<none>", "5m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
    ),
    "namespace": (kinds.NAMESPACE, "status: {phase: Active}", ["web", "Active", "5m"]),
    "event": (
        kinds.EVENT,
        """
involvedObject: {kind: Pod, name: web-1, fieldPath: "spec.containers{a}"}
type: Warning
reason: BackOff
message: "again \\n"
count: 4
source: {component: kubelet, host: node-1}
firstTimestamp: "2025-06-15T15:01:40Z"
lastTimestamp: "2025-06-15T15:06:30Z"
""",
        ["10s", "Warning", "BackOff", "pod/web-1", "spec.containers{a}", "kubelet, node-1", "again", "5m", 4, "web"],
    ),
    "event of the newer style": (
        kinds.EVENT,
        """
involvedObject: {kind: Node}
type: Normal
reason: Ready
eventTime: "2025-06-15T15:01:40.000000Z"
reportingComponent: kubelet
""",
        ["5m", "Normal", "Ready", "node", "", "kubelet", "", "5m", 0, "web"],
    ),
    "lease": (kinds.LEASE, "spec: {holderIdentity: me}", ["web", "me", "5m"]),
    "config map": (kinds.CONFIG_MAP, "data: {a: x}\nbinaryData: {b: eA==}", ["web", 2, "5m"]),
    "secret": (kinds.SECRET, "type: Opaque\ndata: {a: eA==}", ["web", "Opaque", 1, "5m"]),
    "service account": (kinds.SERVICE_ACCOUNT, "secrets: [{name: a}]", ["web", 1, "5m"]),
    "service": (
        kinds.SERVICE,
        """
spec:
  type: NodePort
  clusterIP: 10.0.0.9
  externalIPs: [1.2.3.4]
  ports: [{port: 80, protocol: TCP, nodePort: 30080}, {port: 53, protocol: UDP}]
  selector: {app: web}
""",
        ["web", "NodePort", "10.0.0.9", "1.2.3.4", "80:30080/TCP,53/UDP", "5m", "app=web"],
    ),
    "service that waits for its balancer": (
        kinds.SERVICE,
        "spec: {type: LoadBalancer, clusterIP: 10.0.0.9, ports: [{port: 80, protocol: TCP}]}",
        ["web", "LoadBalancer", "10.0.0.9", "<pending>", "80/TCP", "5m", "<none>"],
    ),
    "service elsewhere": (
        kinds.SERVICE,
        "spec: {type: ExternalName, externalName: db.example.com}",
        ["web", "ExternalName", "<none>", "db.example.com", "<none>", "5m", "<none>"],
    ),
    "claim": (
        kinds.PERSISTENT_VOLUME_CLAIM,
        """
spec: {volumeName: pv-1, storageClassName: fast, volumeMode: Filesystem}
status: {phase: Bound, accessModes: [ReadWriteOnce, ReadOnlyMany], capacity: {storage: 5Gi}}
""",
        ["web", "Bound", "pv-1", "5Gi", "RWO,ROX", "fast", "5m", "Filesystem"],
    ),
    "claim that is not bound": (
        kinds.PERSISTENT_VOLUME_CLAIM,
        "spec: {storageClassName: fast}\nstatus: {phase: Pending}",
        ["web", "Pending", "", "", "", "fast", "5m", "<unset>"],
    ),
    "disruption budget": (
        kinds.POD_DISRUPTION_BUDGET,
        "spec: {minAvailable: 50%}\n"
        "status: {disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2}",
        ["web", "50%", "N/A", 1, "5m"],
    ),
}


@pytest.mark.parametrize(("kind", "text", "cells"), ROWS.values(), ids=ROWS)
def test_cells(kind: Kind, text: str, cells: list[Any]) -> None:
    table = table_of(kind, [made(kind.message, text)], NOW)
    assert list(table.rows[0].cells) == cells


HEADERS = {
    kinds.POD: "NAME READY STATUS RESTARTS AGE [IP] [NODE] [NOMINATED NODE] [READINESS GATES]",
    kinds.DEPLOYMENT: "NAME READY UP-TO-DATE AVAILABLE AGE [CONTAINERS] [IMAGES] [SELECTOR]",
    kinds.REPLICA_SET: "NAME DESIRED CURRENT READY AGE [CONTAINERS] [IMAGES] [SELECTOR]",
    kinds.REPLICATION_CONTROLLER: "NAME DESIRED CURRENT READY AGE [CONTAINERS] [IMAGES] [SELECTOR]",
    kinds.STATEFUL_SET: "NAME READY AGE [CONTAINERS] [IMAGES]",
    kinds.DAEMON_SET: "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE SELECTOR AGE "
    "[CONTAINERS] [IMAGES] [SELECTOR]",
    kinds.CONTROLLER_REVISION: "NAME CONTROLLER REVISION AGE",
    kinds.NODE: "NAME STATUS ROLES AGE VERSION "
    "[INTERNAL-IP] [EXTERNAL-IP] [OS-IMAGE] [KERNEL-VERSION] [CONTAINER-RUNTIME]",
    kinds.NAMESPACE: "NAME STATUS AGE",
    kinds.EVENT: "LAST SEEN TYPE REASON OBJECT [SUBOBJECT] [SOURCE] MESSAGE [FIRST SEEN] [COUNT] [NAME]",
    kinds.LEASE: "NAME HOLDER AGE",
    kinds.PERSISTENT_VOLUME_CLAIM: "NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS AGE [VOLUMEMODE]",
    kinds.SERVICE: "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE [SELECTOR]",
}


@pytest.mark.parametrize(("kind", "expected"), HEADERS.items(), ids=lambda each: getattr(each, "plural", ""))
def test_headers(kind: Kind, expected: str) -> None:
    assert " ".join(_shown(column) for column in layout_of(kind).columns) == expected


def _shown(column: Column) -> str:
    return f"[{column.header}]" if column.wide else column.header


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)
def test_every_kind_has_as_many_cells_as_columns(kind: Kind) -> None:
    columns = layout_of(kind).columns
    (row,) = table_of(kind, [kind.new()], NOW).rows
    assert len(row.cells) == len(columns)
    assert {column.priority for column in columns} <= {0, 1}
    assert all(
        isinstance(cell, int) for column, cell in zip(columns, row.cells, strict=True) if column.type == "integer"
    )


@pytest.mark.parametrize(("phase", "completed"), [("Succeeded", "Succeeded"), ("Failed", "Failed"), ("Running", "")])
def test_a_pod_that_has_ended_says_so_in_its_row(phase: str, completed: str) -> None:
    pod = made(Pod, f"spec: {{containers: [{{name: a, image: x}}]}}\nstatus: {{phase: {phase}}}")
    assert table_of(kinds.POD, [pod], NOW).rows[0].completed == completed


def test_columns_are_as_wide_as_their_widest_cell_and_the_last_is_not_padded() -> None:
    assert aligned([("NAME", "AGE"), ("longer-name", "5m"), ("x", "")]) == [
        "NAME          AGE",
        "longer-name   5m",
        "x             ",
    ]


def test_rows_that_come_later_stay_in_line() -> None:
    table = TextTable()
    table.lines([("longer-name", "5m")])
    assert table.lines([("x", "1s")]) == ["x             1s"]


def test_a_row_may_end_early() -> None:
    assert aligned([("a", "long", "x"), ("bbb",), (), ("b", "%s")]) == ["a     long   x", "bbb", "", "b     %s"]
