"""Which messages bear ``apiVersion`` and ``kind`` in JSON: objects, lists, and the bodies of requests and answers.

Kubernetes' protobuf keeps the two outside of the message, so no field tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.descriptor import Descriptor

from rollplane.meta import v1 as meta

_API_VERSIONS: Mapping[str, str] = MappingProxyType(
    {
        "rollplane.core.v1": "v1",
        "rollplane.apps.v1": "apps/v1",
        "rollplane.authentication.v1": "authentication.k8s.io/v1",
        "rollplane.authorization.v1": "authorization.k8s.io/v1",
        "rollplane.autoscaling.v1": "autoscaling/v1",
        "rollplane.coordination.v1": "coordination.k8s.io/v1",
        "rollplane.events.v1": "events.k8s.io/v1",
        "rollplane.policy.v1": "policy/v1",
        "rollplane.meta.v1": "meta.k8s.io/v1",
    }
)
_META_TYPES = (meta.ObjectMeta.DESCRIPTOR, meta.ListMeta.DESCRIPTOR)
_TEMPLATES = ("PodTemplateSpec", "PersistentVolumeClaimTemplate")
_STATUS = meta.Status.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class TypeMeta:
    """What a JSON object says it is."""

    api_version: str
    kind: str


def type_meta(descriptor: Descriptor) -> TypeMeta | None:
    """Return the type a message of ``descriptor`` bears, None for one that is only ever a part of others."""
    api_version = _API_VERSIONS.get(descriptor.file.package)
    if api_version is None or not _stands_alone(descriptor):
        return None
    return TypeMeta("v1" if descriptor is _STATUS else api_version, descriptor.name)


def _stands_alone(descriptor: Descriptor) -> bool:
    if descriptor.file.package == "rollplane.meta.v1" and descriptor.name.endswith("Options"):
        return True
    field = descriptor.fields_by_name.get("metadata")
    return field is not None and field.message_type in _META_TYPES and descriptor.name not in _TEMPLATES
