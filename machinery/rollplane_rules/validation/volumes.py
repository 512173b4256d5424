"""Volumes of a pod: exactly one source each, and that one complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    duplicate,
    each,
    forbidden,
    invalid,
    not_supported,
    problems,
    required,
    under,
)
from rollplane_rules.validation.claim import check_claim_spec
from rollplane_rules.validation.env import VOLUME_FIELDS, check_field_ref, check_resource_ref
from rollplane_rules.validation.parts import Field, check_parts, checks_of
from rollplane_rules.validation.resources import check_amounts

Volumes = Mapping[str, Field | None]
"""The volumes of a pod by name, each with the field that is its source."""

BLOCK_SOURCES = frozenset(
    core.VolumeSource.DESCRIPTOR.fields_by_name[name] for name in ("persistent_volume_claim", "ephemeral")
)
"""The sources that can be used as a block device."""

_HOST_PATH_TYPES = frozenset(
    {"", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"}
)
_PULL_POLICIES = frozenset({"Always", "IfNotPresent", "Never"})
_MIN_TOKEN_SECONDS, _MAX_TOKEN_SECONDS = 600, 1 << 32

_SOURCES = core.VolumeSource.DESCRIPTOR.fields_by_name
_REQUIRED: Mapping[Field, tuple[str, ...]] = MappingProxyType(
    {
        _SOURCES["gce_persistent_disk"]: ("pd_name",),
        _SOURCES["aws_elastic_block_store"]: ("volume_id",),
        _SOURCES["git_repo"]: ("repository",),
        _SOURCES["secret"]: ("secret_name",),
        _SOURCES["nfs"]: ("server", "path"),
        _SOURCES["iscsi"]: ("target_portal", "iqn"),
        _SOURCES["glusterfs"]: ("endpoints", "path"),
        _SOURCES["persistent_volume_claim"]: ("claim_name",),
        _SOURCES["rbd"]: ("monitors", "image"),
        _SOURCES["flex_volume"]: ("driver",),
        _SOURCES["cinder"]: ("volume_id",),
        _SOURCES["cephfs"]: ("monitors",),
        _SOURCES["azure_file"]: ("secret_name", "share_name"),
        _SOURCES["vsphere_volume"]: ("volume_path",),
        _SOURCES["quobyte"]: ("registry", "volume"),
        _SOURCES["azure_disk"]: ("disk_name", "disk_uri"),
        _SOURCES["photon_persistent_disk"]: ("pd_id",),
        _SOURCES["portworx_volume"]: ("volume_id",),
        _SOURCES["scale_io"]: ("gateway", "system", "volume_name"),
        _SOURCES["csi"]: ("driver",),
    }
)
"""Fields that each source cannot do without."""

_ABBREVIATIONS = frozenset({"id", "uri"})


def check_volumes(volumes: Iterable[core.Volume]) -> tuple[Volumes, list[Cause]]:
    """Return the volumes by name, and what is wrong with them, paths from ``volumes[i]`` on."""
    known: dict[str, Field | None] = {}
    found: list[Cause] = []
    for index, volume in enumerate(volumes):
        name = volume.name
        present = volume.volume_source.ListFields()
        if causes := _check_name(name, known) + _check_source(present):
            found += under(f"volumes[{index}]", causes)
        known[name] = present[0][0] if present else None
    return known, found


def _check_name(name: str, known: Volumes) -> list[Cause]:
    if not name:
        return [required("name", "name the volume")]
    if sentences := names.check_dns1123_label(name):
        return problems("name", name, sentences)
    return [duplicate("name", name)] if name in known else []


def _check_source(present: Sequence[tuple[Field, Any]]) -> list[Cause]:
    """Return what is wrong with a volume's sources, as ``ListFields`` gives those that are set."""
    if not present:
        return [required("", "give a source, such as emptyDir")]
    field, source = present[0]
    found: list[Cause] = []
    if wanted := _REQUIRED.get(field):
        missing = [_json_name(name) for name in wanted if not getattr(source, name)]
        found += [required(name, f"give the {name}") for name in missing]
    if check := _CHECKS.get(field):
        found += check(source)
    found = under(field.json_name, found) if found else found
    for other, _ in present[1:]:
        found.append(forbidden(other.json_name, f"keep one source, {field.json_name} is there already"))
    return found


def _json_name(name: str) -> str:
    """Return the name in JSON of one of the fields in ``_REQUIRED``."""
    head, *words = name.split("_")
    return head + "".join(word.upper() if word in _ABBREVIATIONS else word.title() for word in words)


def _check_mode(field: str, mode: int) -> list[Cause]:
    return [] if 0 <= mode <= 0o777 else [invalid(field, mode, "choose a mode from 0 to 0777 (octal; 511 decimal)")]


def check_descending_path(field: str, path: str) -> list[Cause]:
    """Return what is wrong with a path that must stay below where it starts."""
    if path.startswith("/"):
        return [invalid(field, path, "give a relative path")]
    return [invalid(field, path, "drop the '..'")] if ".." in path.split("/") else []


def _check_file(key_path: core.KeyToPath) -> list[Cause]:
    found = [] if key_path.key else [required("key", "name the key")]
    if not key_path.path:
        found.append(required("path", "give the path of the file"))
    else:
        found += _check_file_path(key_path.path)
    if key_path.HasField("mode"):
        found += _check_mode("mode", key_path.mode)
    return found


def _check_file_path(path: str) -> list[Cause]:
    found = check_descending_path("path", path)
    if not found and path.startswith(".."):
        found.append(invalid("path", path, "choose a path that does not start with '..'"))
    return found


def _check_secret(source: core.SecretVolumeSource) -> list[Cause]:
    return _check_mode("defaultMode", source.default_mode) + each("items", source.items, _check_file)


def _check_config_map(source: core.ConfigMapVolumeSource) -> list[Cause]:
    found = _check_referenced(source.local_object_reference)
    return found + _check_mode("defaultMode", source.default_mode) + each("items", source.items, _check_file)


def _check_referenced(reference: core.LocalObjectReference) -> list[Cause]:
    return [] if reference.name else [required("name", "name the object")]


def _check_downward_file(file: core.DownwardAPIVolumeFile) -> list[Cause]:
    found = _check_file_path(file.path) if file.path else [required("path", "give the path of the file")]
    field, resource = file.HasField("field_ref"), file.HasField("resource_field_ref")
    if field:
        found += under("fieldRef", check_field_ref(file.field_ref, VOLUME_FIELDS))
        if resource:
            found.append(invalid("", None, "keep fieldRef or resourceFieldRef"))
    elif resource:
        found += under("resourceFieldRef", check_resource_ref(file.resource_field_ref, in_volume=True))
    else:
        found.append(required("", "give fieldRef or resourceFieldRef"))
    if file.HasField("mode"):
        found += _check_mode("mode", file.mode)
    return found


def _check_downward_api(source: core.DownwardAPIVolumeSource) -> list[Cause]:
    return _check_mode("defaultMode", source.default_mode) + each("items", source.items, _check_downward_file)


def _check_projected(source: core.ProjectedVolumeSource) -> list[Cause]:
    return _check_mode("defaultMode", source.default_mode) + each("sources", source.sources, _check_projection)


def _check_projection(projection: core.VolumeProjection) -> list[Cause]:
    found = check_parts(projection, _PROJECTIONS)
    for other, _ in projection.ListFields()[1:]:
        found.append(forbidden(other.json_name, "keep one type in each source"))
    return found


def _check_projected_object(source: core.SecretProjection | core.ConfigMapProjection) -> list[Cause]:
    return _check_referenced(source.local_object_reference) + each("items", source.items, _check_file)


def _check_projected_downward_api(source: core.DownwardAPIProjection) -> list[Cause]:
    return each("items", source.items, _check_downward_file)


def _check_token(source: core.ServiceAccountTokenProjection) -> list[Cause]:
    found: list[Cause] = []
    if not _MIN_TOKEN_SECONDS <= source.expiration_seconds <= _MAX_TOKEN_SECONDS:
        found.append(invalid("expirationSeconds", source.expiration_seconds, "choose from 600 to 4294967296 seconds"))
    return found + (_check_file_path(source.path) if source.path else [required("path", "give the path of the file")])


def _check_host_path(source: core.HostPathVolumeSource) -> list[Cause]:
    found: list[Cause] = []
    if not source.path:
        found.append(required("path", "give the path on the node"))
    elif ".." in source.path.split("/"):
        found.append(invalid("path", source.path, "drop the '..'"))
    if source.type not in _HOST_PATH_TYPES:
        found.append(not_supported("type", source.type, _HOST_PATH_TYPES - {""}))
    return found


def _check_empty_dir(source: core.EmptyDirVolumeSource) -> list[Cause]:
    if source.HasField("size_limit") and check_amounts("", {"size": source.size_limit}):
        return [forbidden("sizeLimit", "give an amount of 0 or more, as in 64Mi")]
    return []


def _check_nfs(source: core.NFSVolumeSource) -> list[Cause]:
    absolute = not source.path or source.path.startswith("/")
    return [] if absolute else [invalid("path", source.path, "give an absolute path")]


def _check_git_repo(source: core.GitRepoVolumeSource) -> list[Cause]:
    return check_descending_path("directory", source.directory)


def _check_iscsi(source: core.ISCSIVolumeSource) -> list[Cause]:
    return [] if 0 <= source.lun <= 255 else [invalid("lun", source.lun, "choose a unit from 0 to 255")]


def _check_flocker(source: core.FlockerVolumeSource) -> list[Cause]:
    if not source.dataset_name and not source.dataset_uuid:
        return [required("", "give datasetName or datasetUUID")]
    if source.dataset_name and source.dataset_uuid:
        return [invalid("", None, "keep datasetName or datasetUUID")]
    return check_descending_path("datasetName", source.dataset_name)


def _check_csi(source: core.CSIVolumeSource) -> list[Cause]:
    found = (
        problems("driver", source.driver, names.check_dns1123_subdomain(source.driver.lower())) if source.driver else []
    )
    if source.HasField("node_publish_secret_ref") and not source.node_publish_secret_ref.name:
        found.append(required("nodePublishSecretRef.name", "name the Secret"))
    return found


def _check_ephemeral(source: core.EphemeralVolumeSource) -> list[Cause]:
    if not source.HasField("volume_claim_template"):
        return [required("volumeClaimTemplate", "give the claim to make")]
    return under("volumeClaimTemplate.spec", check_claim_spec(source.volume_claim_template.spec))


def _check_image(source: core.ImageVolumeSource) -> list[Cause]:
    if source.pull_policy and source.pull_policy not in _PULL_POLICIES:
        return [not_supported("pullPolicy", source.pull_policy, _PULL_POLICIES)]
    return []


_CHECKS = checks_of(
    core.VolumeSource,
    config_map=_check_config_map,
    csi=_check_csi,
    downward_api=_check_downward_api,
    empty_dir=_check_empty_dir,
    ephemeral=_check_ephemeral,
    flocker=_check_flocker,
    git_repo=_check_git_repo,
    host_path=_check_host_path,
    image=_check_image,
    iscsi=_check_iscsi,
    nfs=_check_nfs,
    projected=_check_projected,
    secret=_check_secret,
)
_PROJECTIONS = checks_of(
    core.VolumeProjection,
    config_map=_check_projected_object,
    downward_api=_check_projected_downward_api,
    secret=_check_projected_object,
    service_account_token=_check_token,
)
