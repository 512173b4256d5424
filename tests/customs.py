"""CustomResourceDefinitions and custom objects as tests want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import from_json, message_from_json

GROUP = "example.com"
PATH = f"/apis/{GROUP}/v1/namespaces/default/crontabs"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "cron": {"type": "string", "pattern": r"^\S+( \S+){4}$"},
                "replicas": {"type": "integer", "minimum": 0, "default": 1},
                "tags": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
                    },
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
        },
    },
}


def version(name: str = "v1", *, storage: bool = True, served: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "served": served,
        "storage": storage,
        "schema": {"openAPIV3Schema": SCHEMA},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": "Cron", "type": "string", "jsonPath": ".spec.cron", "description": "When it runs"},
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
        **more,
    }


def definition(
    *versions: Mapping[str, Any],
    kind: str = "CronTab",
    plural: str = "crontabs",
    scope: str = "Namespaced",
    **names: Any,
) -> dict[str, Any]:
    """A definition as a client writes it."""
    named = {"plural": plural, "kind": kind, "shortNames": [plural[:2]], "categories": ["all"], **names}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": scope, "names": named, "versions": list(versions) or [version()]},
    }


def stored_definition(*versions: Mapping[str, Any], **names: Any) -> StoredObject:
    stored = from_json(definition(*versions, **names))
    assert isinstance(stored, StoredObject)
    return stored


def custom(name: str = "one", *, api_version: str = f"{GROUP}/v1", **members: Any) -> dict[str, Any]:
    """A custom object as a client writes it."""
    spec = {"cron": "* * * * 5"}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": api_version, "kind": "CronTab", "metadata": metadata, "spec": spec, **members}


def stored_custom(name: str = "one", **members: Any) -> StoredObject:
    return message_from_json(StoredObject, custom(name, **members))
