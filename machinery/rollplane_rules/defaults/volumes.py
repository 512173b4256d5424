"""Defaults of volumes. A volume without a source is an empty directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from rollplane.core import v1 as core
from rollplane_rules.defaults.claim import default_claim_spec

_FILE_MODE = 0o644
_TOKEN_SECONDS = 3600


def default_volume(volume: core.Volume) -> None:
    """Fill in the source of ``volume`` in place."""
    present = volume.volume_source.ListFields()
    if not present:
        volume.volume_source.empty_dir.SetInParent()
    for field, source in present:
        defaulter = _DEFAULTERS.get(field)
        if defaulter is not None:
            defaulter(source)


def _default_mode(
    source: core.SecretVolumeSource
    | core.ConfigMapVolumeSource
    | core.DownwardAPIVolumeSource
    | core.ProjectedVolumeSource,
) -> None:
    if not source.HasField("default_mode"):
        source.default_mode = _FILE_MODE


def _default_field_refs(items: Iterable[core.DownwardAPIVolumeFile]) -> None:
    for item in items:
        if item.HasField("field_ref") and not item.field_ref.api_version:
            item.field_ref.api_version = "v1"


def _default_downward_api(source: core.DownwardAPIVolumeSource) -> None:
    _default_mode(source)
    _default_field_refs(source.items)


def _default_projected(source: core.ProjectedVolumeSource) -> None:
    _default_mode(source)
    for projection in source.sources:
        if projection.HasField("downward_api"):
            _default_field_refs(projection.downward_api.items)
        if projection.HasField("service_account_token"):
            token = projection.service_account_token
            if not token.HasField("expiration_seconds"):
                token.expiration_seconds = _TOKEN_SECONDS


def _default_host_path(source: core.HostPathVolumeSource) -> None:
    if not source.HasField("type"):
        source.type = ""


def _default_iscsi(source: core.ISCSIVolumeSource) -> None:
    source.iscsi_interface = source.iscsi_interface or "default"


def _default_rbd(source: core.RBDVolumeSource) -> None:
    source.pool = source.pool or "rbd"
    source.user = source.user or "admin"
    source.keyring = source.keyring or "/etc/ceph/keyring"


def _default_azure_disk(source: core.AzureDiskVolumeSource) -> None:
    for field, value in (("caching_mode", "ReadWrite"), ("kind", "Shared"), ("fs_type", "ext4"), ("read_only", False)):
        if not source.HasField(field):  # type: ignore[arg-type]  # the names above are its fields
            setattr(source, field, value)


def _default_scale_io(source: core.ScaleIOVolumeSource) -> None:
    source.storage_mode = source.storage_mode or "ThinProvisioned"
    source.fs_type = source.fs_type or "xfs"


def _default_ephemeral(source: core.EphemeralVolumeSource) -> None:
    if source.HasField("volume_claim_template"):
        default_claim_spec(source.volume_claim_template.spec)


_SOURCES = core.VolumeSource.DESCRIPTOR.fields_by_name
_DEFAULTERS: Mapping[Any, Callable[[Any], None]] = MappingProxyType(
    {
        _SOURCES["secret"]: _default_mode,
        _SOURCES["config_map"]: _default_mode,
        _SOURCES["downward_api"]: _default_downward_api,
        _SOURCES["projected"]: _default_projected,
        _SOURCES["host_path"]: _default_host_path,
        _SOURCES["iscsi"]: _default_iscsi,
        _SOURCES["rbd"]: _default_rbd,
        _SOURCES["azure_disk"]: _default_azure_disk,
        _SOURCES["scale_io"]: _default_scale_io,
        _SOURCES["ephemeral"]: _default_ephemeral,
    }
)
