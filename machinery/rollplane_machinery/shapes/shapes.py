"""Which shape a kind has that is kept as JSON, in each of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from rollplane.core.v1 import PodTemplateSpec
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.shapes.building import descriptor_of

_PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "v1": "core/v1",
        "admissionregistration.k8s.io/v1": "admissionregistration/v1",
        "admissionregistration.k8s.io/v1beta1": "admissionregistration/v1",
        "apiregistration.k8s.io/v1beta1": "apiregistration/v1",
        "autoscaling/v2beta2": "autoscaling/v2",
        "batch/v1beta1": "batch/v1",
        "extensions/v1beta1": "networking/v1beta1",
        "flowcontrol.apiserver.k8s.io/v1beta3": "flowcontrol/v1",
        "node.k8s.io/v1beta1": "node/v1",
        "rbac.authorization.k8s.io/v1beta1": "rbac/v1",
        "scheduling.k8s.io/v1beta1": "scheduling/v1",
        "storage.k8s.io/v1beta1": "storage/v1",
        "apiregistration.k8s.io/v1": "apiregistration/v1",
        "autoscaling/v1": "autoscaling/v1",
        "autoscaling/v2": "autoscaling/v2",
        "batch/v1": "batch/v1",
        "discovery.k8s.io/v1": "discovery/v1",
        "flowcontrol.apiserver.k8s.io/v1": "flowcontrol/v1",
        "networking.k8s.io/v1": "networking/v1",
        "networking.k8s.io/v1beta1": "networking/v1beta1",
        "node.k8s.io/v1": "node/v1",
        "rbac.authorization.k8s.io/v1": "rbac/v1",
        "scheduling.k8s.io/v1": "scheduling/v1",
        "storage.k8s.io/v1": "storage/v1",
    }
)

GENERATED: tuple[type[Message], ...] = (PodTemplateSpec, ObjectMeta)
"""Of the groups that facts refer to, whose messages are generated; they are there once this was imported."""


def shape_of(api_version: str, kind: str) -> Descriptor | None:
    """Return what Kubernetes' message of the kind in that version looks like; None for what has none here."""
    package = _PACKAGES.get(api_version)
    if package is None:
        return None
    return descriptor_of(package, kind) or descriptor_of(package.replace("v1beta1", "v1"), kind)
