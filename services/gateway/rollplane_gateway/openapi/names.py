"""What schemas are called: as upstream calls them, since tools match on the names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from rollplane.meta import v1 as meta
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.served import GroupVersion, ServedType
from rollplane_machinery.shapes.shapes import shape_of

Json = dict[str, Any]

_MACHINERY = "io.k8s.apimachinery.pkg"
META = f"{_MACHINERY}.apis.meta.v1"
PATCH = f"{META}.Patch"
"""A body in any of the patch formats; no message stands for it."""

_ELSEWHERE: Mapping[type[Message], str] = MappingProxyType(
    {
        meta.Quantity: f"{_MACHINERY}.api.resource.Quantity",
        meta.IntOrString: f"{_MACHINERY}.util.intstr.IntOrString",
        meta.RawExtension: f"{_MACHINERY}.runtime.RawExtension",
    }
)
_BY_MESSAGE = MappingProxyType({message.DESCRIPTOR.full_name: name for message, name in _ELSEWHERE.items()})


def schema_name(descriptor: Descriptor) -> str:
    """Return the name of a message's schema: ``io.k8s.api.apps.v1.DeploymentSpec``."""
    if descriptor.full_name in _BY_MESSAGE:
        return _BY_MESSAGE[descriptor.full_name]
    group_version = descriptor.file.package.removeprefix("rollplane.")
    package = META if group_version == "meta.v1" else f"io.k8s.api.{group_version}"
    return f"{package}.{descriptor.name}"


def descriptor_of(message: type[Message]) -> Descriptor:
    """Return the descriptor of ``message``."""
    return descriptor_pool.Default().FindMessageTypeByName(message.DESCRIPTOR.full_name)


def shape_of_type(type_: ServedType) -> Descriptor:
    """Return what objects of ``type_`` look like; StoredObject's own descriptor for what nothing is known of."""
    known = shape_of(str(type_.group_version), type_.name) if type_.message is StoredObject else None
    return known or descriptor_of(type_.message)


def type_name(type_: ServedType) -> str:
    """Return the name of the schema of ``type_`` in its own version: ``io.k8s.api.policy.v1beta1.Eviction``.

    Custom ones are called after their group: ``com.example.v1.CronTab``.
    """
    if type_.schema is not None:
        home = reversed(type_.group_version.group.split("."))
        return ".".join((*home, type_.group_version.version, type_.name))
    group = type_.group_version.group.partition(".")[0] or "core"
    return f"io.k8s.api.{group}.{type_.group_version.version}.{type_.name}"


def reference(name: str) -> Json:
    """Return what stands where the schema ``name`` is meant."""
    return {"$ref": f"#/components/schemas/{name}"}


def kind_of(group_version: GroupVersion, kind: str) -> Json:
    """Return the value of ``x-kubernetes-group-version-kind``."""
    return {"group": group_version.group, "kind": kind, "version": group_version.version}
