"""Environment variables, and references to the pod's own fields, which volumes use too."""

from __future__ import annotations

import re

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import invalid, not_supported, problems, required, under
from rollplane_rules.validation.parts import checks_of

ENV_FIELDS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
"""What of a pod a variable can hold."""

VOLUME_FIELDS = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"}
)
"""What of a pod a file can hold."""

_KNOWN_FIELDS = ENV_FIELDS | VOLUME_FIELDS | {"spec.restartPolicy", "spec.schedulerName", "status.phase"}
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]").fullmatch
_RESOURCES = frozenset(
    f"{side}.{resource}" for side in ("limits", "requests") for resource in ("cpu", "memory", "ephemeral-storage")
)


def check_env(variable: core.EnvVar) -> list[Cause]:
    """Return what is wrong with one environment variable."""
    name = variable.name
    if not name:
        found = [required("name", "name the variable")]
    elif sentences := names.check_env_name(name):
        found = problems("name", name, sentences)
    else:
        found = []
    if variable.HasField("value_from") and (causes := _check_source(variable.value_from, variable.value)):
        found += under("valueFrom", causes)
    return found


def _check_source(source: core.EnvVarSource, value: str) -> list[Cause]:
    present = source.ListFields()
    found: list[Cause] = []
    for field, reference in present:
        if causes := _SOURCES[field](reference):
            found += under(field.json_name, causes)
    if not present:
        found.append(invalid("", None, "give one of fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef"))
    elif value:
        found.append(invalid("", None, "drop it, or drop the value beside it"))
    elif len(present) > 1:
        found.append(invalid("", None, "keep one source"))
    return found


def _check_env_field(ref: core.ObjectFieldSelector) -> list[Cause]:
    return check_field_ref(ref, ENV_FIELDS)


def check_field_ref(ref: core.ObjectFieldSelector, supported: frozenset[str]) -> list[Cause]:
    """Return what is wrong with a reference to a field of the pod, of which ``supported`` can be used here."""
    if not ref.api_version:
        return [required("apiVersion", "give v1")]
    path = ref.field_path
    if path in supported:
        return []
    if not path:
        return [required("fieldPath", "name a field of the pod")]
    if match := _SUBSCRIPT(path):
        key = match.group(2) if match.group(1) == "labels" else match.group(2).lower()
        return problems("fieldPath", path, names.check_qualified_name(key))
    if path not in _KNOWN_FIELDS:
        return [invalid("fieldPath", path, f"choose one of {', '.join(sorted(supported))}")]
    return [not_supported("fieldPath", path, supported)]


def check_resource_ref(ref: core.ResourceFieldSelector, *, in_volume: bool = False) -> list[Cause]:
    """Return what is wrong with a reference to a container's request or limit; a volume must name the container."""
    found: list[Cause] = []
    if in_volume and not ref.container_name:
        found.append(required("containerName", "name the container"))
    if not ref.resource:
        found.append(required("resource", "name the request or limit, as in limits.cpu"))
    elif ref.resource not in _RESOURCES and ".hugepages-" not in ref.resource:
        found.append(not_supported("resource", ref.resource, _RESOURCES))
    return found


def _check_key_ref(ref: core.ConfigMapKeySelector | core.SecretKeySelector) -> list[Cause]:
    name, key = ref.local_object_reference.name, ref.key
    found: list[Cause] = []
    if sentences := names.check_dns1123_subdomain(name):
        found += problems("name", name, sentences)
    if not key:
        found.append(required("key", "name the key"))
    elif sentences := names.check_data_key(key):
        found += problems("key", key, sentences)
    return found


def _check_file_ref(ref: core.FileKeySelector) -> list[Cause]:
    given = {"volumeName": ref.volume_name, "path": ref.path, "key": ref.key}
    return [required(field, f"give the {field}") for field, value in given.items() if not value]


_SOURCES = checks_of(
    core.EnvVarSource,
    field_ref=_check_env_field,
    resource_field_ref=check_resource_ref,
    config_map_key_ref=_check_key_ref,
    secret_key_ref=_check_key_ref,
    file_key_ref=_check_file_ref,
)


def check_env_from(source: core.EnvFromSource) -> list[Cause]:
    """Return what is wrong with a source of many variables."""
    found = problems("prefix", source.prefix, names.check_env_name(source.prefix)) if source.prefix else []
    sources = 0
    if source.HasField("config_map_ref"):
        sources += 1
        found += under("configMapRef", _check_reference(source.config_map_ref.local_object_reference.name))
    if source.HasField("secret_ref"):
        sources += 1
        found += under("secretRef", _check_reference(source.secret_ref.local_object_reference.name))
    if sources != 1:
        found.append(invalid("", None, "give one of configMapRef and secretRef"))
    return found


def _check_reference(name: str) -> list[Cause]:
    if not name:
        return [required("name", "name the object")]
    return problems("name", name, names.check_dns1123_subdomain(name))
