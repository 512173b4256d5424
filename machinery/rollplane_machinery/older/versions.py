"""Which older API versions there are of kinds that are kept as JSON, and in which releases.

Source: the deprecated API migration guide of Kubernetes, and its changelogs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import STORED_KINDS, Kind
from rollplane_machinery.older.conversions import (
    Conversion,
    Document,
    autoscaler_from_v1,
    autoscaler_to_v1,
    ingress_from_beta,
    ingress_to_beta,
    level_from_beta,
    level_to_beta,
    same,
    slice_from_beta,
    slice_to_beta,
    webhooks_from_beta,
)

FOR_GOOD = 10_000
"""The last minor release of what no release has given up."""
_PARTS: tuple[Literal["spec", "status"], ...] = ("spec", "status")
_TYPE = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True, slots=True)
class OlderVersion:
    """A version of ``kind`` that minor releases from ``since`` to ``until`` serve."""

    kind: Kind
    api_version: str
    until: int
    since: int = 20
    to_older: Conversion = same
    to_newer: Conversion = same

    def put_on(self, stored: StoredObject) -> StoredObject:
        """Return a stored object as this version has it."""
        return _converted(stored, self.to_older, self.api_version)

    def take_off(self, shown: StoredObject) -> StoredObject:
        """Return an object of this version as it is stored."""
        return _converted(shown, self.to_newer, self.kind.api_version)

    def configuration(self, document: Document) -> Document:
        """Return what somebody applies in this version as a configuration of the stored one."""
        metadata = document.get("metadata")
        metadata = dict(metadata) if isinstance(metadata, dict) else {}
        parts = {name: value for name, value in document.items() if name not in _TYPE}
        changed = self.to_newer({**parts, "annotations": metadata.pop("annotations", None) or {}})
        if annotations := changed.pop("annotations"):
            metadata["annotations"] = annotations
        said = {name: value for name, value in changed.items() if value or name in parts}
        return {"apiVersion": self.kind.api_version, "kind": self.kind.name, "metadata": metadata, **said}


def _converted(obj: StoredObject, change: Conversion, api_version: str) -> StoredObject:
    result = StoredObject()
    result.CopyFrom(obj)
    result.api_version = api_version
    if change is not same:
        _put(result, change(_document(obj)))
    return result


def _document(obj: StoredObject) -> Document:
    parts = {name: getattr(obj, name) for name in _PARTS if obj.HasField(name)} | dict(obj.members)
    document = {name: json.loads(part.json) for name, part in parts.items()}
    return {**document, "annotations": dict(obj.metadata.annotations)}


def _put(obj: StoredObject, document: Document) -> None:
    obj.metadata.ClearField("annotations")
    obj.metadata.annotations.update(document.pop("annotations"))
    for part_name in _PARTS:
        obj.ClearField(part_name)
    obj.ClearField("members")
    for name, value in document.items():
        part = getattr(obj, name) if name in _PARTS else obj.members[name]
        part.json = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


_BY_NAME = {kind.name: kind for kind in STORED_KINDS}
_RBAC = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_HOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
_FLOW = "flowcontrol.apiserver.k8s.io"


def _same(api_version: str, *names: str, until: int, since: int = 20) -> list[OlderVersion]:
    return [OlderVersion(_BY_NAME[name], api_version, until, since) for name in names]


OLDER_VERSIONS: tuple[OlderVersion, ...] = (
    *[
        OlderVersion(_BY_NAME[name], "admissionregistration.k8s.io/v1beta1", 21, to_newer=webhooks_from_beta)
        for name in _HOOKS
    ],
    *_same("admissionregistration.k8s.io/v1beta1", *_POLICIES, since=28, until=33),
    *_same("apiregistration.k8s.io/v1beta1", "APIService", until=21),
    OlderVersion(
        _BY_NAME["HorizontalPodAutoscaler"],
        "autoscaling/v1",
        FOR_GOOD,
        to_older=autoscaler_to_v1,
        to_newer=autoscaler_from_v1,
    ),
    *_same("autoscaling/v2beta2", "HorizontalPodAutoscaler", until=25),
    *_same("batch/v1beta1", "CronJob", until=24),
    OlderVersion(
        _BY_NAME["EndpointSlice"], "discovery.k8s.io/v1beta1", 24, to_older=slice_to_beta, to_newer=slice_from_beta
    ),
    *[
        OlderVersion(_BY_NAME["Ingress"], version, 21, to_older=ingress_to_beta, to_newer=ingress_from_beta)
        for version in ("extensions/v1beta1", "networking.k8s.io/v1beta1")
    ],
    *_same("networking.k8s.io/v1beta1", "IngressClass", until=21),
    *_same(f"{_FLOW}/v1beta3", "FlowSchema", "PriorityLevelConfiguration", since=26, until=31),
    *_same(f"{_FLOW}/v1beta2", "FlowSchema", since=23, until=28),
    *_same(f"{_FLOW}/v1beta1", "FlowSchema", until=25),
    *[
        OlderVersion(
            _BY_NAME["PriorityLevelConfiguration"],
            f"{_FLOW}/{version}",
            until,
            since,
            to_older=level_to_beta,
            to_newer=level_from_beta,
        )
        for version, since, until in (("v1beta2", 23, 28), ("v1beta1", 20, 25))
    ],
    *_same("node.k8s.io/v1beta1", "RuntimeClass", until=24),
    *_same("rbac.authorization.k8s.io/v1beta1", *_RBAC, until=21),
    *_same("scheduling.k8s.io/v1beta1", "PriorityClass", until=21),
    *_same("storage.k8s.io/v1beta1", "CSIDriver", "StorageClass", until=21),
)

FIRST_RELEASE = {
    _BY_NAME[name]: minor
    for name, minor in (
        ("CronJob", 21),
        ("EndpointSlice", 21),
        ("FlowSchema", 29),
        ("HorizontalPodAutoscaler", 23),
        ("PriorityLevelConfiguration", 29),
        ("ValidatingAdmissionPolicy", 30),
        ("ValidatingAdmissionPolicyBinding", 30),
    )
}
"""The first minor release that serves the version in which a kind is kept, where that is not 1.20 or older."""
