"""Small manifests of every workload kind, and what validation says of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from rollplane_machinery import codec
from rollplane_machinery.errors import Cause
from rollplane_machinery.kinds import ApiObject
from rollplane_rules import defaults, strategy, validation

NOW = 1_600_000_000.0
UID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

TEMPLATE: Mapping[str, Any] = {
    "metadata": {"labels": {"app": "a"}},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}


def workload(kind: str, spec: Mapping[str, Any] | None = None, api_version: str = "apps/v1") -> dict[str, Any]:
    """Return a minimal workload of ``kind`` whose spec is completed by ``spec``; None as a value takes a field out."""
    labels = {"app": "a"}
    is_controller = kind == "ReplicationController"
    selector: dict[str, Any] = {**labels} if is_controller else {"matchLabels": labels}
    whole = {"selector": selector, "template": copy.deepcopy(dict(TEMPLATE)), **(spec or {})}
    manifest = {key: value for key, value in whole.items() if value is not None}
    version = "v1" if is_controller else api_version
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "w"}, "spec": manifest}


def pod(spec: Mapping[str, Any] | None = None, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a minimal Pod, its spec and metadata completed by what is given."""
    whole = {"containers": [{"name": "c", "image": "nginx"}], **(spec or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **(metadata or {})}, "spec": whole}


def container(**fields: Any) -> dict[str, Any]:
    """Return the spec of a pod with one container that has ``fields``."""
    return {"containers": [{"name": "c", "image": "nginx", **fields}]}


def decoded(manifest: Mapping[str, Any]) -> ApiObject:
    """Return ``manifest`` as it is when validation sees it: prepared, defaulted and admitted."""
    obj = codec.from_json(dict(manifest))
    strategy.prepare_create(obj, now=NOW, uid=UID)
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    return obj


def fields_of(causes: list[Cause]) -> list[tuple[str, str]]:
    """Return reason and field of each cause, sorted, without what Kubernetes puts before every reason."""
    return sorted((cause.reason.removeprefix("FieldValue"), cause.field) for cause in causes)


def refused(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return reason and field of all that is wrong with a new object."""
    return fields_of(validation.validate_create(decoded(manifest)))
