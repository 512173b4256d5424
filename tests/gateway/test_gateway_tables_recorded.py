"""Tables as a real kube-apiserver made them: columns, cells and members, from objects that the record tells of."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from rollplane_gateway.tables import TableForm, embed_nothing, page_table
from rollplane_machinery.api import Page
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import KINDS, Encoded, Kind
from rollplane_machinery.releases import RECORDED
from rollplane_machinery.times import to_seconds
from tests.gateway.recorded import recorded_tables

TABLES = recorded_tables()
KIND_OF = {kind.plural: kind for kind in KINDS}
LATER = {"nodes": 38 * 60, "namespaces": 38 * 60, "services": 38 * 60, "configmaps": 34 * 60}
"""Seconds between the first object's creation and the record, where it is not three."""

WORKLOAD = """
  selector: {{matchLabels: {labels}}}
  template:
    metadata: {{labels: {labels}}}
    spec: {{containers: [{{name: {name}, image: "{image}"}}]}}
"""


def workload(name: str, image: str, labels: str) -> str:
    return WORKLOAD.format(name=name, image=image, labels=labels)


COUNTS = "desiredNumberScheduled: 6, currentNumberScheduled: 6, numberReady: 6, updatedNumberScheduled: 6"
POD = """
spec: {{nodeName: {node}, containers: [{{name: c, image: "app:1"}}]}}
status:
  phase: Running
  podIP: 10.1.2.3
  containerStatuses:
  - {{name: c, image: "app:1", imageID: "", ready: true, restartCount: 0, state: {{running: {{}}}}}}
"""
EVENT = """
type: Normal
reason: Scheduled
involvedObject: {{kind: Pod, name: {name}}}
message: Successfully assigned default/{name} to {node}
source: {{component: default-scheduler, host: default-scheduler-vm}}
count: 1
"""
READY = "status: {conditions: [{type: Ready, status: 'True'}]}"

REST: dict[str, list[str]] = {
    "deployments": [
        f"spec:\n  replicas: 3{workload('nginx', 'nginx:1.7.9', '{app: nginx}')}"
        "status: {readyReplicas: 3, updatedReplicas: 3, availableReplicas: 3}"
    ],
    "replicasets": [
        "spec:\n  replicas: 3"
        + workload("nginx", "nginx:1.7.9", "{app: nginx, pod-template-hash: 5d59d67564}")
        + "status: {replicas: 3, readyReplicas: 3}"
    ],
    "statefulsets": [
        f"spec:\n  serviceName: web\n  replicas: 2{workload('c', 'app:1', '{app: web}')}"
        "status: {replicas: 2, readyReplicas: 2}"
    ],
    "daemonsets": [
        f"spec:{workload('c', 'app:1', '{app: agent}')}status: {{{COUNTS}, numberAvailable: 6, numberMisscheduled: 0}}"
    ],
    "controllerrevisions": ["revision: 1", "revision: 1"],
    "replicationcontrollers": [
        """
spec:
  replicas: 2
  selector: {app: redis}
  template: {spec: {containers: [{name: redis, image: "redis:1.0"}]}}
status: {replicas: 2, readyReplicas: 2}
"""
    ],
    "pods": [POD.format(node="fake-1"), POD.format(node="fake-5")],
    "nodes": [READY, READY],
    "namespaces": ["status: {phase: Active}"] * 2,
    "events": [EVENT.format(name="agent-2ck5j", node="fake-2"), EVENT.format(name="agent-2dl98", node="fake-4")],
    "services": ["spec: {type: ClusterIP, clusterIP: 10.0.0.1, ports: [{name: https, port: 443, protocol: TCP}]}"],
    "configmaps": ["data: {ca.crt: x}"],
    "leases": [],
    "poddisruptionbudgets": [],
}
"""What the record, whose rows bring the metadata alone, leaves out of the objects it shows."""


def encoded(kind: Kind, metadata: dict[str, Any], rest: str) -> Encoded:
    object_ = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **(yaml.safe_load(rest) or {})}
    if kind.plural == "events":
        object_["firstTimestamp"] = object_["lastTimestamp"] = metadata["creationTimestamp"]
    return Encoded.of(from_json(object_))


async def rendered(plural: str) -> dict[str, Any]:
    """The Table of the recorded objects, made by us as if it were the time of the record."""
    kind, rows = KIND_OF[plural], TABLES[plural]["rows"]
    objects = [encoded(kind, row["object"]["metadata"], rest) for row, rest in zip(rows, REST[plural], strict=True)]
    page = Page(objects, int(TABLES[plural]["metadata"]["resourceVersion"]))
    seconds = 31 if plural == "events" else LATER.get(plural, 3)
    now = to_seconds(objects[0].parse().metadata.creation_timestamp) + seconds if objects else 0.0
    table: dict[str, Any] = json.loads(await page_table(kind, page, TableForm(embed_nothing, release=RECORDED), now))
    return table


@pytest.mark.parametrize("plural", TABLES)
async def test_columns_are_those_of_the_record(plural: str) -> None:
    own = [{**column, "description": ""} for column in (await rendered(plural))["columnDefinitions"]]
    assert own == TABLES[plural]["columnDefinitions"]


@pytest.mark.parametrize("plural", TABLES)
async def test_cells_are_those_of_the_record(plural: str) -> None:
    assert [row["cells"] for row in (await rendered(plural))["rows"]] == [
        row["cells"] for row in TABLES[plural]["rows"]
    ]


@pytest.mark.parametrize("plural", TABLES)
async def test_members_are_those_of_the_record(plural: str) -> None:
    own, real = (await rendered(plural)), TABLES[plural]
    assert list(own) == list(real)
    assert {**own, "columnDefinitions": 0, "rows": 0} == {**real, "columnDefinitions": 0, "rows": 0}
    assert [list(row) for row in own["rows"]] == [list(row) for row in real["rows"]]
