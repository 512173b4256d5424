"""ConfigMaps and Secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import forbidden, immutable, invalid, problems, required, too_long

DATA_BYTES = 1024 * 1024

_WANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kubernetes.io/dockercfg": (".dockercfg",),
        "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
        "kubernetes.io/ssh-auth": ("ssh-privatekey",),
        "kubernetes.io/tls": ("tls.crt", "tls.key"),
    }
)
"""Keys that a Secret of each type must have."""

_BASIC_AUTH = ("username", "password")
_TOKEN_OF = "kubernetes.io/service-account.name"  # noqa: S105  # the name of an annotation


def check_config_map(config_map: core.ConfigMap) -> list[Cause]:
    """Return what is wrong with a ConfigMap, metadata aside."""
    found = _check_keys("data", config_map.data) + _check_keys("binaryData", config_map.binary_data)
    for key in sorted(set(config_map.data) & set(config_map.binary_data)):
        found.append(invalid(f"data[{key}]", key, "keep it in data or in binaryData"))
    texts = sum(len(text.encode()) for text in config_map.data.values())
    if texts + sum(map(len, config_map.binary_data.values())) > DATA_BYTES:
        found.append(too_long("", DATA_BYTES, "bytes of data"))
    return found


def _check_keys(field: str, keys: Iterable[str]) -> list[Cause]:
    return [cause for key in sorted(keys) for cause in problems(f"{field}[{key}]", key, names.check_data_key(key))]


def check_config_map_update(new: core.ConfigMap, old: core.ConfigMap) -> list[Cause]:
    """Return what an update may not change in a ConfigMap that is immutable."""
    if not old.immutable:
        return []
    found = _check_still_immutable(new.immutable)
    if dict(new.data) != dict(old.data):
        found.append(forbidden("data", "the object is immutable: create another one"))
    if dict(new.binary_data) != dict(old.binary_data):
        found.append(forbidden("binaryData", "the object is immutable: create another one"))
    return found


def _check_still_immutable(value: bool) -> list[Cause]:
    return [] if value else [forbidden("immutable", "it cannot be taken back: create another object")]


def check_secret(secret: core.Secret) -> list[Cause]:
    """Return what is wrong with a Secret, common metadata aside."""
    found = _check_keys("data", secret.data)
    if sum(map(len, secret.data.values())) > DATA_BYTES:
        found.append(too_long("data", DATA_BYTES))
    if secret.type == "kubernetes.io/service-account-token" and not secret.metadata.annotations.get(_TOKEN_OF):
        found.append(required(f"metadata.annotations[{_TOKEN_OF}]", "name the service account"))
    if secret.type == "kubernetes.io/basic-auth" and not any(key in secret.data for key in _BASIC_AUTH):
        found += [required(f"data[{key}]", f"give {' or '.join(_BASIC_AUTH)}") for key in _BASIC_AUTH]
    wanted = [key for key in _WANTED.get(secret.type, ()) if key not in secret.data]
    return found + [required(f"data[{key}]", f"a Secret of type {secret.type} has it") for key in wanted]


def check_secret_update(new: core.Secret, old: core.Secret) -> list[Cause]:
    """Return what an update may not change: the type, and all of a Secret that is immutable."""
    found = immutable("type", new.type, new.type == old.type)
    if old.immutable:
        found += _check_still_immutable(new.immutable)
        if dict(new.data) != dict(old.data):
            found.append(forbidden("data", "the object is immutable: create another one"))
    return found
