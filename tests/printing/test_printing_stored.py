"""Columns and cells of kinds that are kept as JSON, as kubectl get shows them of a kube-apiserver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import STORED_KINDS, Kind
from rollplane_machinery.times import time_of
from rollplane_printing.stored import STORED
from rollplane_rules.defaults import apply_defaults

NOW = 1_700_000_000.0
MADE = "2023-11-14T22:12:20Z"
"""A minute before."""
SAMPLES: dict[str, dict[str, Any]] = {
    sample["kind"]: sample
    for sample in yaml.safe_load_all(
        (Path(__file__).parents[1] / "clients" / "real" / "manifests" / "stored_kinds.yaml").read_text(encoding="utf-8")
    )
}

SHOWN: dict[str, tuple[str, str]] = {
    "Endpoints": ("Name Endpoints Age", "outside 10.1.2.3:5432 60s"),
    "LimitRange": ("Name Created_At", f"web {MADE}"),
    "PersistentVolume": (
        "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age "
        "VolumeMode",
        "disk 5Gi RWO Retain Pending _ slow <unset> _ 60s Filesystem",
    ),
    "PodTemplate": ("Name Containers Images Pod_Labels", "web web nginx:1.27 app=web"),
    "ResourceQuota": ("Name Request Limit Age", "web pods:_0/10,_requests.cpu:_0/4 _ 60s"),
    "MutatingWebhookConfiguration": ("Name Webhooks Age", "hooks 1 60s"),
    "ValidatingWebhookConfiguration": ("Name Webhooks Age", "hooks 1 60s"),
    "ValidatingAdmissionPolicy": ("Name Validations ParamKind Age", "limits 1 <unset> 60s"),
    "ValidatingAdmissionPolicyBinding": ("Name PolicyName ParamRef Age", "limits limits <unset> 60s"),
    "APIService": (
        "Name Service Available Age",
        "v1beta1.metrics.k8s.io kube-system/metrics-server Unknown 60s",
    ),
    "HorizontalPodAutoscaler": (
        "Name Reference Targets MinPods MaxPods Replicas Age",
        "web Deployment/web cpu:_<unknown>/80% 1 5 0 60s",
    ),
    "CronJob": (
        "Name Schedule Timezone Suspend Active Last_Schedule Age Containers Images Selector",
        "nightly 0_3_*_*_* <none> False 0 <none> 60s work busybox:1.36 <none>",
    ),
    "Job": (
        "Name Status Completions Duration Age Containers Images Selector",
        "once Running 0/1 _ 60s work busybox:1.36 <none>",
    ),
    "EndpointSlice": ("Name AddressType Ports Endpoints Age", "outside IPv4 5432 10.1.2.3 60s"),
    "FlowSchema": (
        "Name PriorityLevel MatchingPrecedence DistinguisherMethod Age MissingPL",
        "robots robots 1000 <none> 60s ?",
    ),
    "PriorityLevelConfiguration": (
        "Name Type NominalConcurrencyShares Queues HandSize QueueLengthLimit Age",
        "robots Limited 10 <none> <none> <none> 60s",
    ),
    "Ingress": ("Name Class Hosts Address Ports Age", "web nginx web.example.com _ 80 60s"),
    "IngressClass": ("Name Controller Parameters Age", "nginx k8s.io/ingress-nginx <none> 60s"),
    "NetworkPolicy": ("Name Pod-Selector Age", "web app=web 60s"),
    "RuntimeClass": ("Name Handler Age", "gvisor runsc 60s"),
    "ClusterRole": ("Name Created_At", f"system:reader {MADE}"),
    "ClusterRoleBinding": (
        "Name Role Age Users Groups ServiceAccounts",
        "system:reader ClusterRole/system:reader 60s _ _ default/default",
    ),
    "Role": ("Name Created_At", f"reader {MADE}"),
    "RoleBinding": ("Name Role Age Users Groups ServiceAccounts", "reader Role/reader 60s _ _ default/default"),
    "PriorityClass": (
        "Name Value Global-Default Age PreemptionPolicy",
        "high 1000 false 60s PreemptLowerPriority",
    ),
    "CSIDriver": (
        "Name AttachRequired PodInfoOnMount StorageCapacity TokenRequests RequiresRepublish Modes Age",
        "disks.example.com false false false <unset> false Persistent 60s",
    ),
    "StorageClass": (
        "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age",
        "slow disks.example.com Delete Immediate false 60s",
    ),
}


def cells(sample: dict[str, Any]) -> list[str]:
    obj = from_json(sample)
    obj.metadata.creation_timestamp.CopyFrom(time_of(NOW - 60))
    apply_defaults(obj)
    layout = STORED[kind_named(sample["kind"])]
    return [str(cell).replace(" ", "_") or "_" for cell in layout.cells(obj, NOW)]


def kind_named(name: str) -> Kind:
    return next(kind for kind in STORED_KINDS if kind.name == name)


@pytest.mark.parametrize("name", SAMPLES)
def test_columns_and_cells(name: str) -> None:
    columns, expected = SHOWN[name]
    assert [column.name.replace(" ", "_") for column in STORED[kind_named(name)].columns] == columns.split()
    assert cells(SAMPLES[name]) == expected.split()


MORE: dict[str, tuple[str, dict[str, Any], dict[int, str]]] = {
    "a Job that is done": (
        "Job",
        {
            "status": {
                "startTime": "2023-11-14T22:12:30Z",
                "completionTime": "2023-11-14T22:13:00Z",
                "succeeded": 1,
                "conditions": [{"type": "Complete", "status": "True"}],
            }
        },
        {1: "Complete", 2: "1/1", 3: "30s"},
    ),
    "a Job that goes on": ("Job", {"status": {"startTime": "2023-11-14T22:12:30Z"}}, {1: "Running", 3: "50s"}),
    "a work queue": (
        "Job",
        {"spec": {"parallelism": 3, "template": SAMPLES["Job"]["spec"]["template"]}},
        {2: "0/1_of_3"},
    ),
    "a CronJob that ran": (
        "CronJob",
        {"status": {"lastScheduleTime": "2023-11-14T22:13:00Z", "active": [{"name": "a"}]}},
        {4: "1", 5: "20s"},
    ),
    "the default StorageClass": (
        "StorageClass",
        {"metadata": {"name": "slow", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}},
        {0: "slow_(default)"},
    ),
    "a quota that is used": (
        "ResourceQuota",
        {"status": {"hard": {"pods": "10", "limits.cpu": "4"}, "used": {"pods": "3", "limits.cpu": "1"}}},
        {1: "pods:_3/10", 2: "limits.cpu:_1/4"},
    ),
    "an API that is away": (
        "APIService",
        {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}},
        {2: "False_(MissingEndpoints)"},
    ),
    "a selector of terms": (
        "NetworkPolicy",
        {"spec": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["c", "b"]}]}}},
        {1: "a_in_(b,c)"},
    ),
    "a policy's parameters": (
        "ValidatingAdmissionPolicy",
        {"spec": {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}},
        {1: "0", 2: "v1/ConfigMap"},
    ),
    "which parameters": (
        "ValidatingAdmissionPolicyBinding",
        {"spec": {"policyName": "limits", "paramRef": {"name": "a", "namespace": "b"}}},
        {2: "b/a"},
    ),
}


@pytest.mark.parametrize(("name", "more", "expected"), MORE.values(), ids=MORE)
def test_cells_of_others(name: str, more: dict[str, Any], expected: dict[int, str]) -> None:
    told = cells({**SAMPLES[name], **more})
    assert {place: told[place] for place in expected} == expected
